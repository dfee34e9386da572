//! The tar archive (POSIX `ustar` and what came before it).

use alloc::format;
use alloc::string::String;
use alloc::vec::Vec;

use super::{File, PackageError};

const BLOCK: usize = 512;

/// The files of an archive. An archive of nothing has none.
pub(super) fn files(archive: &[u8], limit: usize) -> Result<Vec<File>, PackageError> {
    let mut files = Vec::new();
    let mut rest = archive;
    for entry in 1_usize.. {
        if rest.iter().all(|byte| *byte == 0) {
            break;
        }
        if entry > limit {
            return Err(PackageError::TooManyEntries { limit });
        }
        let (block, tail) = rest.split_first_chunk::<BLOCK>().ok_or(PackageError::EntryBeyondEnd { entry })?;
        if block.iter().all(|byte| *byte == 0) {
            return Err(PackageError::BehindEnd { len: tail.len() });
        }
        let header = Header(block);
        let len = header.is_intact().then(|| header.len()).flatten().ok_or(PackageError::BadEntry { entry })?;
        if len > tail.len() {
            return Err(PackageError::EntryBeyondEnd { entry });
        }
        if header.is_file() {
            let start = archive.len().saturating_sub(tail.len());
            files.push(File { name: header.name(), bytes: start..start.saturating_add(len) });
        }
        // The padding of the last file may be missing.
        rest = tail.get(len.next_multiple_of(BLOCK)..).unwrap_or_default();
    }
    Ok(files)
}

/// The block in front of a file.
struct Header<'a>(&'a [u8; BLOCK]);

impl Header<'_> {
    fn field(&self, start: usize, len: usize) -> &[u8] {
        self.0.get(start..start.saturating_add(len)).unwrap_or_default()
    }

    fn kind(&self) -> u8 {
        self.field(156, 1).first().copied().unwrap_or(0)
    }

    /// Whether the sum of the bytes is the one written, which counts itself as blanks.
    fn is_intact(&self) -> bool {
        let counted = [self.field(0, 148), &[b' '; 8], self.field(156, 356)];
        octal(self.field(148, 8)) == Some(counted.into_iter().flatten().map(|byte| usize::from(*byte)).sum())
    }

    /// Bytes that follow the header. Links, devices and folders have none, whatever they say.
    fn len(&self) -> Option<usize> {
        if matches!(self.kind(), b'1'..=b'6') { Some(0) } else { octal(self.field(124, 12)) }
    }

    /// Whether it is a file, not a link, a folder, or a description of the next one. A kind that nobody knows is a
    /// file, by the standard.
    fn is_file(&self) -> bool {
        !matches!(self.kind(), b'1'..=b'6' | b'x' | b'g' | b'L' | b'K')
    }

    fn name(&self) -> String {
        let text = |field: &[u8]| {
            let end = field.iter().position(|byte| *byte == 0).unwrap_or(field.len());
            String::from_utf8_lossy(field.get(..end).unwrap_or_default()).into_owned()
        };
        let name = text(self.field(0, 100));
        // Older archives have other things where the standard has a prefix.
        let prefix = if self.field(257, 6) == b"ustar\0" { text(self.field(345, 155)) } else { String::new() };
        if prefix.is_empty() { name } else { format!("{prefix}/{name}") }
    }
}

/// A number in octal digits, among blanks and NULs.
fn octal(field: &[u8]) -> Option<usize> {
    let text = core::str::from_utf8(field).ok()?.trim_matches([' ', '\0']);
    let digits = text.bytes().all(|byte| byte.is_ascii_digit());
    if text.is_empty() { Some(0) } else { usize::from_str_radix(text, 8).ok().filter(|_| digits) }
}
