//! Every row of `data/push-samples.jsonl` says what its `expected` says.

mod access;
mod access_answers;
mod answers;
mod calls;
mod commands;
mod handshakes;
mod lenient;
mod photos;
mod polls;
mod punches;
mod refusals;
mod results;
mod tables;

use base64::Engine as _;
use base64::engine::general_purpose::STANDARD;
use punch_protocol::SerialNumber;
use punch_protocol::push::{Limits, ParseError, Parts, Request, Response, Session, Settings, Turn, Upload};
use serde_json::Value;

use crate::random::at;

pub(crate) struct Sample {
    pub(crate) id: String,
    pub(crate) method: String,
    pub(crate) path: String,
    pub(crate) query: String,
    pub(crate) from_terminal: bool,
    pub(crate) status: u16,
    cookie: Option<String>,
    pub(crate) body: Vec<u8>,
    pub(crate) expected: Value,
}

impl Sample {
    pub(crate) fn all() -> Vec<Self> {
        include_str!("../../data/push-samples.jsonl").lines().map(Self::read).collect()
    }

    /// The samples whose id begins with `letter`, of one direction.
    fn of(letter: char, from_terminal: bool) -> Vec<Self> {
        let wanted = |sample: &Self| sample.id.starts_with(letter) && sample.from_terminal == from_terminal;
        Self::all().into_iter().filter(wanted).collect()
    }

    fn read(line: &str) -> Self {
        let row: Value = serde_json::from_str(line).unwrap();
        let text = |key: &str| row[key].as_str().unwrap_or_else(|| panic!("{key} in {line}")).to_owned();
        let body = match row["body_encoding"].as_str() {
            Some("base64") => STANDARD.decode(text("body")).unwrap(),
            Some("text") => text("body").into_bytes(),
            other => panic!("body encoding {other:?}"),
        };
        let target = text("path_and_query");
        let (path, query) = target.split_once('?').unwrap_or((&target, ""));
        Self {
            id: text("id"),
            method: text("method"),
            path: path.to_owned(),
            query: query.to_owned(),
            from_terminal: row["direction"] == "device->server",
            status: row["status"].as_u64().unwrap_or(0).try_into().unwrap(),
            cookie: header(&row, "Cookie"),
            body,
            expected: row["expected"].clone(),
        }
    }

    pub(crate) fn parts(&self) -> Parts<'_> {
        let mut parts = Parts::new(&self.method, &self.path, &self.query, &self.body);
        parts.cookie = self.cookie.as_deref();
        parts
    }

    fn parse(&self) -> Result<(SerialNumber, Request<'_>), ParseError> {
        Request::parse(self.parts(), &Limits::default())
    }

    fn request(&self) -> Request<'_> {
        let (serial, request) = self.parse().unwrap_or_else(|error| panic!("{}: {error}", self.id));
        if let Some(expected) = self.expected["sn"].as_str() {
            assert_eq!(serial.as_str(), expected, "{}", self.id);
        }
        request
    }

    fn upload(&self) -> Upload<'_> {
        let Request::Upload(upload) = self.request() else { panic!("{} is no upload", self.id) };
        upload
    }

    /// What an approved terminal is told in the end: the reply, or the acknowledgement once the rows are stored.
    fn answer(&self) -> Response {
        let (serial, request) = self.parse().unwrap();
        match Session::approved(serial, Settings::default()).handle(&request, at(0)) {
            Turn::Store(receipt) => receipt.stored(),
            Turn::Reply(response) => response,
            other => panic!("{other:?}"),
        }
    }

    /// The status is 200 and the body is the text under `key`.
    fn assert_answer(&self, key: &str) {
        let answer = self.answer();
        let body = core::str::from_utf8(answer.body()).unwrap();
        assert_eq!((answer.status(), Some(body)), (200, self.expected[key].as_str()), "{}", self.id);
    }
}

fn header(row: &Value, name: &str) -> Option<String> {
    let headers = row["headers"].as_array()?;
    headers.iter().find(|header| header[0] == name).map(|header| header[1].as_str().unwrap().to_owned())
}

/// Compares `actual` with what `expected` says, key by key; a key that nobody has a reading for fails.
fn assert_fields(id: &str, expected: &Value, mut actual: impl FnMut(&str) -> Value) {
    for (key, value) in expected.as_object().unwrap() {
        assert_eq!(&actual(key), value, "{id}: {key}");
    }
}

fn lossy(bytes: &[u8]) -> String {
    String::from_utf8_lossy(bytes).into_owned()
}

/// A sample that is dropped from the file is noticed here.
#[test]
fn the_file_holds_every_sample() {
    let count = |letter: char| Sample::all().iter().filter(|sample| sample.id.starts_with(letter)).count();
    let letters = ['H', 'I', 'A', 'O', 'B', 'P', 'R', 'C', 'D', 'X'];
    assert_eq!(letters.map(count), [23, 9, 31, 19, 3, 3, 29, 15, 15, 10]);
    assert_eq!(Sample::all().len(), 157);
}
