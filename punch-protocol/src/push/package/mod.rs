//! Packed uploads: text bodies in a tar archive in gzip.

mod error;
mod gzip;
mod tar;

use alloc::borrow::Cow;
use alloc::string::String;
use alloc::vec::Vec;
use core::fmt;
use core::ops::Range;

use base64::Engine as _;
use base64::engine::{DecodePaddingMode, GeneralPurpose, GeneralPurposeConfig};

use super::line::{Lines, cut};

pub use error::PackageError;

/// Files that a terminal packed into one body, unpacked into memory.
///
/// Two forms are read: the gzip of a tar archive (`ContentType=tgz`), and the same in base64 behind a header that ends
/// with a NUL (`datafmt=3` of `querydata`). Each file is a text body of the table that the query names.
///
/// ```
/// use punch_protocol::push::{Package, PackageLimits, Rows};
///
/// let body = b"name=attlog.tgz\nsize=168\ndatacode=base64\ndatatype=tgz\0\
///     H4sIAAAAAAACA0ssKcnJT9crqShhoBkwAAIzExMwDQTotIGhgSmcDRE3Nzc3YVAwYKADKC0uSSwCWskwMoGhgYkRp5\
///     GBkZmugbGukYWCgYWVibmVoRGnAachJ5Aw4AKqMMaiwhSkwhSihGEUjIJRMApGwVADAOghZs8ACAAA";
/// let package = Package::open(body, &PackageLimits::default())?;
/// for entry in package.entries() {
///     assert_eq!(entry.name(), "attlog.txt");
///     assert_eq!(Rows::of("ATTLOG", entry.bytes()).filter(Result::is_ok).count(), 2);
/// }
/// # Ok::<(), punch_protocol::push::PackageError>(())
/// ```
pub struct Package {
    content: Vec<u8>,
    files: Vec<File>,
}

/// Where a file of an archive is.
struct File {
    name: String,
    bytes: Range<usize>,
}

/// How much a package may hold. A few kilobytes can unpack to gigabytes.
///
/// ```
/// use punch_protocol::push::PackageLimits;
///
/// let limits = PackageLimits { entries: 1, ..PackageLimits::default() };
/// assert_eq!(limits.unpacked, 16 << 20);
/// ```
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
#[expect(clippy::exhaustive_structs, reason = "built with struct update syntax")]
pub struct PackageLimits {
    /// Bytes of the unpacked archive, some 300,000 punches. Default 16 MiB.
    pub unpacked: usize,
    /// Headers in the archive: files, folders and what describes them. Default 64; terminals pack one file.
    pub entries: usize,
}

impl Default for PackageLimits {
    fn default() -> Self {
        Self { unpacked: 16 << 20, entries: 64 }
    }
}

impl Package {
    /// Unpacks a body. It is unpacked whole or not at all.
    ///
    /// # Errors
    ///
    /// [`PackageError`] if the body is not packed, damaged, or larger than `limits` when unpacked.
    pub fn open(body: &[u8], limits: &PackageLimits) -> Result<Self, PackageError> {
        let content = gzip::unpack(&packed(body)?, limits.unpacked)?;
        let files = tar::files(&content, limits.entries)?;
        Ok(Self { content, files })
    }

    /// The files, in the order of the archive.
    pub fn entries(&self) -> impl ExactSizeIterator<Item = Entry<'_>> {
        self.files
            .iter()
            .map(|File { name, bytes }| Entry { name, bytes: self.content.get(bytes.clone()).unwrap_or_default() })
    }
}

/// One file of a [`Package`].
#[derive(Clone, Copy)]
pub struct Entry<'a> {
    name: &'a str,
    bytes: &'a [u8],
}

impl<'a> Entry<'a> {
    /// What the terminal calls the file. A text from outside: never use it as a path.
    pub fn name(&self) -> &'a str {
        self.name
    }

    /// The contents, as they would have been posted unpacked.
    pub fn bytes(&self) -> &'a [u8] {
        self.bytes
    }
}

/// The gzip in a body, with or without a header in front.
fn packed(body: &[u8]) -> Result<Cow<'_, [u8]>, PackageError> {
    if gzip::begins(body) {
        return Ok(Cow::Borrowed(body));
    }
    let (head, content) = cut(body, 0);
    let content = content.ok_or(PackageError::NotPacked)?;
    let value = |wanted: &[u8]| {
        let pairs = Lines::new(head).map(|line| cut(line.bytes, b'='));
        pairs.into_iter().find(|(key, _)| key.eq_ignore_ascii_case(wanted)).and_then(|(_, value)| value)
    };
    match (value(b"datatype"), value(b"datacode")) {
        (None, None) => Err(PackageError::NotPacked),
        (Some(kind), _) if !kind.eq_ignore_ascii_case(b"tgz") => Err(PackageError::UnknownCoding),
        (_, Some(code)) if code.eq_ignore_ascii_case(b"base64") => base64(content).map(Cow::Owned),
        (_, Some(_)) => Err(PackageError::UnknownCoding),
        (Some(_), None) => Ok(Cow::Borrowed(content)),
    }
}

/// Firmware may wrap lines, and leave the padding out.
fn base64(text: &[u8]) -> Result<Vec<u8>, PackageError> {
    let config = GeneralPurposeConfig::new().with_decode_padding_mode(DecodePaddingMode::Indifferent);
    let engine = GeneralPurpose::new(&base64::alphabet::STANDARD, config);
    let digits: Vec<u8> = text.iter().copied().filter(|byte| !byte.is_ascii_whitespace()).collect();
    engine.decode(digits).map_err(|_| PackageError::BadBase64)
}

impl fmt::Debug for Package {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.debug_list().entries(self.entries()).finish()
    }
}

impl fmt::Debug for Entry<'_> {
    /// Photos are named after a person, so the name is not shown either.
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        write!(f, "Entry({} bytes)", self.bytes.len())
    }
}
