//! What the WebAssembly exports: three places to put bytes, two calls, and a text that says what is next.
//!
//! `edge_room(place, length)` gives the address of so many bytes in a place: 0 the settings, 1 headers, 2 a body. Fill them,
//! then `edge_begin(milliseconds since 1970)`; after each answer fill 1 and 2 and `edge_resume(status)`. After either,
//! `edge_output()` is the address of `edge_output_length()` bytes of JSON: `{"send": {"method", "url", "headers", "body"}}` or
//! `{"answer": {"status", "body", "retry_after"}}`. An instance holds one webhook: take a new one for the next.

use std::cell::RefCell;

use chrono::DateTime;
use serde_json::{Value, json};

use crate::{Next, Visit};

#[derive(Default)]
struct Desk {
    places: [Vec<u8>; 3],
    visit: Option<Visit>,
    output: Vec<u8>,
}

thread_local! {
    static DESK: RefCell<Desk> = RefCell::default();
}

#[unsafe(no_mangle)]
extern "C" fn edge_room(place: usize, length: usize) -> *mut u8 {
    DESK.with_borrow_mut(|desk| match desk.places.get_mut(place) {
        Some(bytes) => {
            *bytes = vec![0; length];
            bytes.as_mut_ptr()
        }
        None => core::ptr::null_mut(),
    })
}

#[unsafe(no_mangle)]
extern "C" fn edge_begin(now_ms: f64) {
    DESK.with_borrow_mut(|desk| {
        let [settings, headers, body] = &desk.places;
        // A clock that is off by more than chrono can say signs nothing that is taken.
        let now = DateTime::from_timestamp_millis(now_ms as i64).unwrap_or_default();
        desk.visit = Some(Visit::begin(settings, &String::from_utf8_lossy(headers), body, now));
        desk.say();
    });
}

#[unsafe(no_mangle)]
extern "C" fn edge_resume(status: u32) {
    DESK.with_borrow_mut(|desk| {
        let [_, headers, body] = &desk.places;
        if let Some(visit) = &mut desk.visit {
            visit.resume(u16::try_from(status).unwrap_or(0), &String::from_utf8_lossy(headers), body);
        }
        desk.say();
    });
}

#[unsafe(no_mangle)]
extern "C" fn edge_output() -> *const u8 {
    DESK.with_borrow(|desk| desk.output.as_ptr())
}

#[unsafe(no_mangle)]
extern "C" fn edge_output_length() -> usize {
    DESK.with_borrow(|desk| desk.output.len())
}

impl Desk {
    fn say(&mut self) {
        let said = match self.visit.as_mut().map(Visit::poll) {
            Some(Next::Send(request)) => json!({ "send": {
                "method": request.method().as_str(),
                "url": request.uri().to_string(),
                "headers": headers(request.headers()),
                "body": String::from_utf8_lossy(request.body()),
            } }),
            Some(Next::Answer(answer)) => json!({ "answer": answer }),
            None => Value::Null,
        };
        self.output = said.to_string().into_bytes();
    }
}

fn headers(headers: &http::HeaderMap) -> Vec<(&str, &str)> {
    headers.iter().filter_map(|(name, value)| Some((name.as_str(), value.to_str().ok()?))).collect()
}
