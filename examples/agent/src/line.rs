use std::borrow::Cow;

use punch_protocol::RawPunch;
use serde::Serialize;

/// A punch as `punch pull` writes it. The event id is missing: it takes the key of the tenant, which the gateway has.
#[derive(Serialize)]
struct Line<'a> {
    pin: Cow<'a, str>,
    time: String,
    state: Option<u16>,
    verify: Option<u16>,
    work_code: Option<&'a str>,
    serial: &'a str,
}

/// One line a punch.
pub(crate) fn body(rows: &[RawPunch]) -> Vec<u8> {
    let mut body = Vec::with_capacity(rows.len() * 112);
    for row in rows {
        let line = Line {
            pin: row.pin.to_text(),
            time: row.time.format("%Y-%m-%dT%H:%M:%S").to_string(),
            state: row.status.map(|code| code.0),
            verify: row.verify.map(|code| code.0),
            work_code: row.work_code.as_deref(),
            serial: row.serial.as_str(),
        };
        // Texts and numbers always have a form in JSON, and a vector takes everything.
        drop(serde_json::to_writer(&mut body, &line));
        body.push(b'\n');
    }
    body
}
