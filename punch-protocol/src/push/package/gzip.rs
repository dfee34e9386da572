//! The gzip container (RFC 1952) around deflate data.

use alloc::vec::Vec;

use miniz_oxide::inflate::stream::{InflateState, inflate};
use miniz_oxide::{DataFormat, MZError, MZFlush, MZStatus};

use super::PackageError;
use crate::push::line::cut;

const MAGIC: [u8; 2] = [0x1f, 0x8b];
const DEFLATE: u8 = 8;

const HEADER_CRC: u8 = 1 << 1;
const EXTRA: u8 = 1 << 2;
const NAME: u8 = 1 << 3;
const COMMENT: u8 = 1 << 4;
const RESERVED: u8 = 0b1110_0000;

pub(super) fn begins(body: &[u8]) -> bool {
    body.starts_with(&MAGIC)
}

/// Unpacks all members, as `gzip -d` does: their contents follow each other.
pub(super) fn unpack(mut packed: &[u8], limit: usize) -> Result<Vec<u8>, PackageError> {
    let mut content = Vec::new();
    loop {
        packed = unpack_member(packed, &mut content, limit)?;
        if !begins(packed) {
            let padding = packed.iter().all(|byte| matches!(byte, 0 | b'\n' | b'\r'));
            return if padding { Ok(content) } else { Err(PackageError::BehindEnd { len: packed.len() }) };
        }
    }
}

/// Appends what the first member holds, and returns what follows it.
fn unpack_member<'a>(packed: &'a [u8], content: &mut Vec<u8>, limit: usize) -> Result<&'a [u8], PackageError> {
    let start = content.len();
    let data = skip_header(packed)?;
    // The vendor's example of an empty package has the checksum and length of nothing, and no data before them.
    if *data == [0; 8] {
        return Ok(&[]);
    }
    let after = unpack_data(data, content, limit)?;
    let (crc, rest) = after.split_first_chunk().ok_or(PackageError::Truncated)?;
    let (len, rest) = rest.split_first_chunk().ok_or(PackageError::Truncated)?;
    let member = content.get(start..).unwrap_or_default();
    // The format keeps the low 32 bits of the length.
    let same_len = u32::try_from(member.len() & 0xffff_ffff) == Ok(u32::from_le_bytes(*len));
    if u32::from_le_bytes(*crc) == crc32(member) && same_len { Ok(rest) } else { Err(PackageError::BadChecksum) }
}

fn skip_header(packed: &[u8]) -> Result<&[u8], PackageError> {
    let ([_, _, method, flags, ..], mut rest) = packed.split_first_chunk::<10>().ok_or(PackageError::Truncated)?;
    if !begins(packed) || *method != DEFLATE || flags & RESERVED != 0 {
        return Err(PackageError::BadHeader);
    }
    if flags & EXTRA != 0 {
        let (len, tail) = rest.split_first_chunk().ok_or(PackageError::Truncated)?;
        rest = tail.get(usize::from(u16::from_le_bytes(*len))..).ok_or(PackageError::Truncated)?;
    }
    for text in [NAME, COMMENT] {
        if flags & text != 0 {
            rest = cut(rest, 0).1.ok_or(PackageError::Truncated)?;
        }
    }
    if flags & HEADER_CRC != 0 {
        let header = packed.get(..packed.len().saturating_sub(rest.len())).unwrap_or_default();
        let (crc, tail) = rest.split_first_chunk().ok_or(PackageError::Truncated)?;
        if crc32(header) & 0xffff != u32::from(u16::from_le_bytes(*crc)) {
            return Err(PackageError::BadHeader);
        }
        rest = tail;
    }
    Ok(rest)
}

/// Appends the unpacked data piece by piece, so that a bomb is noticed before it is in memory.
fn unpack_data<'a>(mut data: &'a [u8], content: &mut Vec<u8>, limit: usize) -> Result<&'a [u8], PackageError> {
    let mut state = InflateState::new_boxed(DataFormat::Raw);
    let mut piece = [0; 4096];
    loop {
        let result = inflate(&mut state, data, &mut piece, MZFlush::None);
        data = data.get(result.bytes_consumed..).unwrap_or_default();
        content.extend_from_slice(piece.get(..result.bytes_written).unwrap_or_default());
        if content.len() > limit {
            return Err(PackageError::TooLarge { limit });
        }
        match result.status {
            Ok(MZStatus::StreamEnd) => return Ok(data),
            Ok(_) if result.bytes_consumed > 0 || result.bytes_written > 0 => {}
            Ok(_) | Err(MZError::Buf) => return Err(PackageError::Truncated),
            Err(_) => return Err(PackageError::BadData),
        }
    }
}

/// The CRC-32 of gzip, a byte at a time.
fn crc32(bytes: &[u8]) -> u32 {
    let step = |crc: u32, byte: &u8| {
        let [low, ..] = crc.to_le_bytes();
        (crc >> 8) ^ CRC_TABLE.get(usize::from(low ^ byte)).copied().unwrap_or(0)
    };
    !bytes.iter().fold(!0, step)
}

const CRC_TABLE: [u32; 256] = crc_table();

#[expect(clippy::indexing_slicing, clippy::arithmetic_side_effects, reason = "evaluated by the compiler")]
const fn crc_table() -> [u32; 256] {
    let mut table = [0; 256];
    let mut byte: u32 = 0;
    while byte < 256 {
        let (mut crc, mut bit) = (byte, 0);
        while bit < 8 {
            crc = if crc & 1 == 1 { (crc >> 1) ^ 0xedb8_8320 } else { crc >> 1 };
            bit += 1;
        }
        table[byte as usize] = crc;
        byte += 1;
    }
    table
}
