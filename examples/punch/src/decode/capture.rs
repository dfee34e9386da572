use anyhow::{Context as _, bail};
use serde_json::Value;

use punch_protocol::push::{Limits, Parts, Request, Target};

use super::{answer, request, rows};

/// Reads a raw HTTP message: head, empty line, body. Line ends may be LF alone, as editors leave them.
pub(super) fn to_rows(bytes: &[u8]) -> anyhow::Result<Vec<Value>> {
    let (head, body) = split_head(bytes).context("no empty line after the headers; for a bare body give --table")?;
    let head = String::from_utf8_lossy(head);
    let mut lines = head.lines();
    let first = lines.next().unwrap_or_default();
    if let Some(status) = first.strip_prefix("HTTP/") {
        let status =
            status.split(' ').nth(1).and_then(|code| code.parse().ok()).context("status line without a status")?;
        return Ok(vec![answer::to_json(Target::parse(""), status, body)]);
    }
    // Firmware writes raw blanks into targets, so the target is what stands between the first and last blank.
    let (method, rest) = first.split_once(' ').context("request line without a target")?;
    let target = rest.rsplit_once(" HTTP/").map_or(rest, |(target, _)| target);
    let (path, query) = target.split_once('?').unwrap_or((target, ""));
    let mut parts = Parts::new(method, path, query, body);
    let headers: Vec<(&str, &str)> = lines.filter_map(|line| line.split_once(':')).collect();
    let header = |wanted: &str| {
        headers.iter().find(|(name, _)| name.eq_ignore_ascii_case(wanted)).map(|(_, value)| value.trim())
    };
    parts.declared_length = header("content-length").and_then(|length| length.parse().ok());
    parts.cookie = header("cookie");
    match Request::parse(parts, &Limits::default()) {
        Ok((_, Request::Upload(upload))) if !request::has_no_rows(&upload) => {
            Ok(rows::file_rows(upload.table().as_str(), body))
        }
        Ok(_) => Ok(vec![request::to_json(parts)]),
        Err(error) => bail!("{error}"),
    }
}

fn split_head(bytes: &[u8]) -> Option<(&[u8], &[u8])> {
    let find = |separator: &[u8]| bytes.windows(separator.len()).position(|window| window == separator);
    let (at, len) = match (find(b"\r\n\r\n"), find(b"\n\n")) {
        (Some(crlf), Some(lf)) if lf < crlf => (lf, 2),
        (Some(crlf), _) => (crlf, 4),
        (None, Some(lf)) => (lf, 2),
        (None, None) => return None,
    };
    Some((bytes.get(..at)?, bytes.get(at + len..)?))
}
