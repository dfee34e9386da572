use super::frame::Frame;

/// Bytes that are no packet of this protocol, or one that must not be believed. Nothing of it is used.
///
/// `ERRORS.md` explains every code.
#[derive(Debug, Clone, Copy, PartialEq, Eq, thiserror::Error)]
#[non_exhaustive]
pub enum FrameError {
    /// The stream does not go on with a frame.
    #[error("PP-TCP-001 frame: begins with neither mark of the protocol; close the connection and connect again")]
    NoMagic,
    /// An encrypted frame of newer firmware.
    #[error("PP-TCP-002 frame: encrypted (secure pull), which is not supported; switch it off on the terminal")]
    SecurePull,
    /// A packet of access panels, which speak another protocol on the same port.
    #[error("PP-TCP-003 frame: an access panel's packet (C3, inBio), which is another protocol")]
    AccessPanel,
    /// HTTP, in either direction.
    #[error("PP-TCP-004 frame: HTTP, expected the binary protocol; push terminals belong on the HTTP listener")]
    Http,
    /// A length that has no room for a header.
    #[error("PP-TCP-005 frame: length {len}, expected at least 8")]
    TooShort {
        /// The length that the frame announces.
        len: usize,
    },
    /// Longer than [`super::Limits::packet`].
    #[error("PP-TCP-006 frame: a packet of {len} bytes, at most {limit} are accepted")]
    TooLong {
        /// Length of the packet, in bytes.
        len: usize,
        /// The limit in force.
        limit: usize,
    },
    /// The checksum differs.
    #[error("PP-TCP-007 packet: checksum {found:#06x}, expected {computed:#06x}; it was damaged on the way")]
    Checksum {
        /// The checksum in the packet.
        found: u16,
        /// The checksum of its bytes.
        computed: u16,
    },
    /// A datagram without a whole header.
    #[error("PP-TCP-008 packet: {len} bytes, expected a header of 8")]
    HeaderCut {
        /// Bytes that are there.
        len: usize,
    },
}

impl FrameError {
    /// What the first four bytes of a stream are, if they are not the mark of a frame.
    pub(super) fn of_magic(magic: [u8; 4]) -> Self {
        const METHODS: [&[u8; 4]; 7] = [b"GET ", b"POST", b"PUT ", b"HEAD", b"HTTP", b"OPTI", b"DELE"];
        match magic {
            Frame::SECURE_MAGIC => Self::SecurePull,
            [0xaa, 0x01, ..] => Self::AccessPanel,
            _ if METHODS.contains(&&magic) => Self::Http,
            _ => Self::NoMagic,
        }
    }

    /// The stable code.
    pub fn code(self) -> &'static str {
        match self {
            Self::NoMagic => "PP-TCP-001",
            Self::SecurePull => "PP-TCP-002",
            Self::AccessPanel => "PP-TCP-003",
            Self::Http => "PP-TCP-004",
            Self::TooShort { .. } => "PP-TCP-005",
            Self::TooLong { .. } => "PP-TCP-006",
            Self::Checksum { .. } => "PP-TCP-007",
            Self::HeaderCut { .. } => "PP-TCP-008",
        }
    }
}

/// Data of a packet, or a dataset, that does not hold what it should.
///
/// `ERRORS.md` explains every code.
#[derive(Debug, Clone, Copy, PartialEq, Eq, thiserror::Error)]
#[non_exhaustive]
pub enum DataError {
    /// Data of a length that this kind of data does not have.
    #[error("PP-TCP-010 {what}: {len} bytes, expected {expected}")]
    Length {
        /// What should be there.
        what: &'static str,
        /// Bytes that are there.
        len: usize,
        /// The lengths known.
        expected: &'static str,
    },
    /// A dataset longer than [`super::Limits::dataset`].
    #[error("PP-TCP-011 dataset: {len} bytes, at most {limit} are accepted; raise the limit if the terminal is known")]
    DatasetTooLong {
        /// Length of the dataset, in bytes.
        len: usize,
        /// The limit in force.
        limit: usize,
    },
    /// A template entry that says it is shorter than its own head.
    #[error("PP-TCP-012 template entry: size {size}, expected at least 6; the rest of the list cannot be found")]
    TemplateSize {
        /// The size that the entry announces.
        size: u16,
    },
    /// No layout fits the records.
    #[error("PP-TCP-013 dataset: {len} bytes that read as records in no known layout; it holds something else")]
    NoLayout {
        /// Length of the records, in bytes.
        len: usize,
    },
    /// Several layouts fit the records.
    #[error("PP-TCP-014 dataset: {len} bytes that fit {layouts} layouts; ask again when there are more records")]
    AmbiguousLayout {
        /// Length of the records, in bytes.
        len: usize,
        /// How many layouts fit.
        layouts: usize,
    },
    /// Records of four bytes among those of eight.
    #[error("PP-TCP-015 dataset: records in the short form of four bytes, whose times nobody has described")]
    ShortForm,
}

impl DataError {
    /// The stable code.
    pub fn code(self) -> &'static str {
        match self {
            Self::Length { .. } => "PP-TCP-010",
            Self::DatasetTooLong { .. } => "PP-TCP-011",
            Self::TemplateSize { .. } => "PP-TCP-012",
            Self::NoLayout { .. } => "PP-TCP-013",
            Self::AmbiguousLayout { .. } => "PP-TCP-014",
            Self::ShortForm => "PP-TCP-015",
        }
    }
}

/// Something that this protocol cannot carry. Nothing is written.
///
/// `ERRORS.md` explains every code.
#[derive(Debug, Clone, Copy, PartialEq, Eq, thiserror::Error)]
#[non_exhaustive]
pub enum WriteError {
    /// A packet longer than [`super::Limits::packet`].
    #[error("PP-TCP-020 packet: {len} bytes, at most {limit} may be sent; send the data in pieces")]
    PacketTooLong {
        /// Length of the packet, in bytes.
        len: usize,
        /// The limit in force.
        limit: usize,
    },
    /// A comm key above [`super::CommKey::MAX`].
    #[error("PP-TCP-021 comm key: out of range, expected 0 to 999999")]
    CommKeyRange,
    /// A field that its record cannot hold.
    #[error("PP-TCP-022 {field}: expected {expected}")]
    Field {
        /// The field.
        field: &'static str,
        /// What the record can hold.
        expected: &'static str,
    },
}

impl WriteError {
    /// The stable code.
    pub fn code(self) -> &'static str {
        match self {
            Self::PacketTooLong { .. } => "PP-TCP-020",
            Self::CommKeyRange => "PP-TCP-021",
            Self::Field { .. } => "PP-TCP-022",
        }
    }
}
