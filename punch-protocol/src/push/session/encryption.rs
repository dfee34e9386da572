use super::super::line::Lines;
use super::super::upload::UploadHead;

/// Whether a body of rows may be encrypted: no row of it reads, and its bytes are not those of a text.
pub(super) fn may_be_encrypted(head: &UploadHead, body: &[u8]) -> bool {
    head.table().is_text() && is_unprintable(body) && !has_clean_row(head, body)
}

/// Share of control bytes above which a body cannot be rows: encrypted bytes hold one in nine, rows none.
const CONTROL_BYTES_PERCENT: usize = 5;
/// Shorter bodies say too little.
const UNPRINTABLE_MIN: usize = 32;

fn is_unprintable(body: &[u8]) -> bool {
    let share = body.iter().filter(is_control).count().saturating_mul(100);
    body.len() >= UNPRINTABLE_MIN && share > body.len().saturating_mul(CONTROL_BYTES_PERCENT)
}

/// Whether a row reads as one and has nothing strange in it: noise between rows is no encryption.
fn has_clean_row(head: &UploadHead, body: &[u8]) -> bool {
    let lines = Lines::new(body).map(|line| line.bytes).filter(|line| !line.iter().any(|byte| is_control(&byte)));
    lines.into_iter().any(|line| head.reader().read(line).is_ok())
}

/// NULs are what a power loss leaves.
fn is_control(byte: &&u8) -> bool {
    byte.is_ascii_control() && !matches!(byte, b'\t' | b'\r' | b'\n' | 0)
}
