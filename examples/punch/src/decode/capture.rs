use std::collections::VecDeque;

use serde_json::{Value, json};

use punch_protocol::push::{Limits, Parts, Request, RequestLine, Target};

use super::http::{Message, Piece, Place};
use super::{answer, http, put, request, rows};
use crate::exit::UsageError;

/// Reads a dump of HTTP messages, one after the other, requests and answers in any order. An answer belongs to the
/// oldest request before it that has none.
pub(super) fn to_rows(dump: &[u8]) -> anyhow::Result<Vec<Value>> {
    let pieces = http::split(dump);
    if !pieces.iter().any(|piece| matches!(piece, Piece::Message(_))) {
        let cure = "for a bare body give --table, as in --table ATTLOG";
        let wanted = "a first line like `POST /iclock/cdata?SN=… HTTP/1.1` or `HTTP/1.1 200 OK`";
        return Err(UsageError(format!("no HTTP message found, expected {wanted}; {cure}")).into());
    }
    let many = pieces.len() > 1;
    let (mut decoded, mut number, mut unanswered) = (Vec::new(), 0_u32, VecDeque::new());
    for piece in &pieces {
        let rows = match piece {
            Piece::Message(message) => {
                number += 1;
                message_rows(message, &mut unanswered)
            }
            Piece::Stray(place) => vec![stray(place)],
        };
        for mut row in rows {
            if many {
                put(&mut row, "message", number.into());
            }
            decoded.push(row);
        }
    }
    Ok(decoded)
}

fn message_rows(message: &Message<'_>, unanswered: &mut VecDeque<String>) -> Vec<Value> {
    let first = String::from_utf8_lossy(message.first_line.bytes);
    if let Some(status) = first.strip_prefix("HTTP/") {
        let target = unanswered.pop_front().unwrap_or_default();
        return vec![answer_row(message, &target, status)];
    }
    let Some(line) = RequestLine::parse(&first) else { return vec![stray(&message.first_line)] };
    unanswered.push_back(format!("{}?{}", line.target.path, line.target.query));
    let mut parts = Parts::of_target(line.method, line.target, &message.body);
    parts.declared_length = message.missing_of;
    parts.cookie = message.header("cookie");
    match Request::parse(parts, &Limits::default()) {
        Ok((_, Request::Upload(upload))) if !request::has_no_rows(&upload) && upload.rows().next().is_some() => {
            rows::file_rows(upload.table().as_str(), &message.body)
        }
        Ok(_) => vec![request::to_json(parts)],
        Err(error) => vec![error_row(&message.first_line, error.code(), &error.to_string())],
    }
}

fn answer_row(message: &Message<'_>, target: &str, status: &str) -> Value {
    if let Some(declared) = message.missing_of {
        let got = message.body.len();
        let text = format!("PP-PUSH-006 body: {got} of {declared} bytes are there, the capture ends too early");
        return error_row(&message.first_line, "PP-PUSH-006", &text);
    }
    match status.split(' ').nth(1).and_then(|code| code.parse().ok()) {
        Some(status) => answer::to_json(Target::parse(target), status, &message.body),
        None => error_row(&message.first_line, UNREADABLE, "PP-CAPTURE-001 status line: no number, expected `200`"),
    }
}

/// Bytes of a capture that are no HTTP. The crate's codes are about what terminals send, so this one is the command's.
const UNREADABLE: &str = "PP-CAPTURE-001";

fn stray(place: &Place<'_>) -> Value {
    let text = format!(
        "{UNREADABLE} line {}: {} bytes belong to no message; if a body was edited, correct its Content-Length or \
         remove that line",
        place.line,
        place.bytes.len()
    );
    error_row(place, UNREADABLE, &text)
}

fn error_row(place: &Place<'_>, code: &str, message: &str) -> Value {
    json!({
        "error": {
            "code": code,
            "line": place.line,
            "column": 1,
            "span": [place.start, place.start + place.bytes.len()],
            "message": message,
        },
        "raw": rows::text(place.bytes),
    })
}
