/// A packed body that cannot be unpacked. Nothing of it is used.
///
/// The terminal sends the same bytes again if it is told so; keep the body and acknowledge it, unless it was cut on
/// its way ([`PackageError::Truncated`]).
#[derive(Debug, Clone, Copy, PartialEq, Eq, thiserror::Error)]
#[non_exhaustive]
pub enum PackageError {
    /// Neither gzip nor a header that announces it.
    #[error("PP-PKG-001 body: not packed, expected gzip or a header with `datatype=tgz`")]
    NotPacked,
    /// A header that announces another form.
    #[error("PP-PKG-002 header: unknown `datatype` or `datacode`, expected `tgz` and `base64`")]
    UnknownCoding,
    /// The text behind the header is not base64.
    #[error("PP-PKG-003 body: not base64, though the header says `datacode=base64`")]
    BadBase64,
    /// The gzip header is damaged, or of a form that nobody writes.
    #[error("PP-PKG-004 gzip: damaged header, expected method 8 and known flags")]
    BadHeader,
    /// The bytes end before the gzip does.
    #[error("PP-PKG-005 gzip: ends too early, the body was cut")]
    Truncated,
    /// The compressed data is no deflate stream.
    #[error("PP-PKG-006 gzip: damaged data, the terminal must pack it again")]
    BadData,
    /// The unpacked bytes are not those that were packed.
    #[error("PP-PKG-007 gzip: checksum or length differs from the unpacked data, the terminal must pack it again")]
    BadChecksum,
    /// More than [`PackageLimits::unpacked`](super::PackageLimits::unpacked).
    #[error("PP-PKG-008 gzip: more than {limit} bytes unpacked; raise the limit if the terminal is trusted")]
    TooLarge {
        /// The limit in force, in bytes.
        limit: usize,
    },
    /// Bytes behind the end of the gzip or of the archive: a file would be lost.
    #[error("PP-PKG-009 {len} bytes behind the end of the package, expected nothing but padding")]
    BehindEnd {
        /// How many there are.
        len: usize,
    },
    /// A header of the archive is damaged.
    #[error("PP-PKG-010 tar entry {entry}: damaged header, expected a checksum and a size that read")]
    BadEntry {
        /// Which one, from 1.
        entry: usize,
    },
    /// A file of the archive ends behind the archive.
    #[error("PP-PKG-011 tar entry {entry}: ends behind the archive, the terminal must pack it again")]
    EntryBeyondEnd {
        /// Which one, from 1.
        entry: usize,
    },
    /// More headers than [`PackageLimits::entries`](super::PackageLimits::entries).
    #[error("PP-PKG-012 tar: more than {limit} entries; raise the limit if the terminal is trusted")]
    TooManyEntries {
        /// The limit in force.
        limit: usize,
    },
}

impl PackageError {
    /// The stable code, also the anchor of its paragraph in [`errors`](crate::push::errors).
    pub fn code(self) -> &'static str {
        match self {
            Self::NotPacked => "PP-PKG-001",
            Self::UnknownCoding => "PP-PKG-002",
            Self::BadBase64 => "PP-PKG-003",
            Self::BadHeader => "PP-PKG-004",
            Self::Truncated => "PP-PKG-005",
            Self::BadData => "PP-PKG-006",
            Self::BadChecksum => "PP-PKG-007",
            Self::TooLarge { .. } => "PP-PKG-008",
            Self::BehindEnd { .. } => "PP-PKG-009",
            Self::BadEntry { .. } => "PP-PKG-010",
            Self::EntryBeyondEnd { .. } => "PP-PKG-011",
            Self::TooManyEntries { .. } => "PP-PKG-012",
        }
    }

    /// One word for machines.
    pub fn reason(self) -> &'static str {
        match self {
            Self::NotPacked => "not_packed",
            Self::UnknownCoding => "unknown_coding",
            Self::BadBase64 => "bad_base64",
            Self::BadHeader => "bad_gzip_header",
            Self::Truncated => "truncated_package",
            Self::BadData => "bad_gzip_data",
            Self::BadChecksum => "bad_gzip_checksum",
            Self::TooLarge { .. } => "package_too_large",
            Self::BehindEnd { .. } => "bytes_behind_package",
            Self::BadEntry { .. } => "bad_tar_entry",
            Self::EntryBeyondEnd { .. } => "tar_entry_beyond_end",
            Self::TooManyEntries { .. } => "too_many_tar_entries",
        }
    }
}
