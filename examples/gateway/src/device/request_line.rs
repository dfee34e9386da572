use std::io;

use bytes::{Bytes, BytesMut};
use tokio::io::{AsyncRead, AsyncReadExt as _};

/// Longest request line accepted, in bytes.
const LINE_MAX: usize = 16 << 10;

/// The first bytes of a connection, fit for an HTTP parser.
#[derive(Debug)]
pub(super) struct Opening {
    /// What was read, with a repaired request line.
    pub(super) bytes: Bytes,
    /// Whether the line had to be repaired; the connection then serves one request.
    pub(super) repaired: bool,
}

/// Reads up to the end of the first request line.
///
/// Old firmware writes raw blanks into the target (`INFO=Ver 8.0.4.2-20190708,…`), which no HTTP parser
/// accepts. Only the first line is looked at: such firmware closes the connection after each request.
pub(super) async fn read(stream: &mut (impl AsyncRead + Unpin)) -> io::Result<Opening> {
    let mut bytes = BytesMut::with_capacity(1024);
    let end = loop {
        if stream.read_buf(&mut bytes).await? == 0 {
            return Ok(Opening { bytes: bytes.freeze(), repaired: false });
        }
        if let Some(end) = bytes.iter().position(|&byte| byte == b'\n') {
            break end;
        }
        if bytes.len() > LINE_MAX {
            return Err(io::Error::new(io::ErrorKind::InvalidData, "request line longer than 16 KiB"));
        }
    };
    let (line, rest) = bytes.split_at_checked(end).unwrap_or((&bytes, &[]));
    match repair(line) {
        Some(repaired) => Ok(Opening { bytes: [repaired.as_slice(), rest].concat().into(), repaired: true }),
        None => Ok(Opening { bytes: bytes.freeze(), repaired: false }),
    }
}

/// Escapes the blanks between the first and the last one of a request line; `None` if there are none.
fn repair(line: &[u8]) -> Option<Vec<u8>> {
    let first = line.iter().position(|&byte| byte == b' ')?;
    let last = line.iter().rposition(|&byte| byte == b' ')?;
    let target = line.get(first.checked_add(1)?..last)?;
    if !target.contains(&b' ') {
        return None;
    }
    let (method, version) = (line.get(..=first)?, line.get(last..)?);
    let target = target.split(|&byte| byte == b' ').collect::<Vec<_>>().join(&b"%20"[..]);
    Some([method, &target, version].concat())
}

#[cfg(test)]
mod tests {
    use super::repair;

    /// Sample I05.
    #[test]
    fn raw_blanks_in_the_target_are_escaped() {
        let line = b"GET /iclock/getrequest?SN=T1&INFO=Ver 8.0.4.2-20190708,3 HTTP/1.0\r";
        let fixed = repair(line).unwrap();
        assert_eq!(fixed, b"GET /iclock/getrequest?SN=T1&INFO=Ver%208.0.4.2-20190708,3 HTTP/1.0\r");
        assert_eq!(repair(&fixed), None);
        assert_eq!(repair(b"GET"), None);
    }
}
