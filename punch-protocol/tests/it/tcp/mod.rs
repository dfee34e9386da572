//! The binary protocol: every row of `data/tcp-vectors.jsonl` says what its `decode` says, and nothing else passes.

mod attendance_stream;
mod client;
mod events;
mod frames;
mod layouts;
mod mutations;
mod people;
mod records;
mod terminal;
mod transfers;
mod values;
mod world;

use punch_protocol::tcp::{Frame, FrameError, Framed, Limits, Packet, Person};
use serde_json::Value;

pub(crate) struct Vector {
    pub(crate) id: String,
    pub(crate) transport: String,
    pub(crate) bytes: Vec<u8>,
    pub(crate) expect: String,
    pub(crate) decode: Value,
}

impl Vector {
    pub(crate) fn all() -> Vec<Self> {
        include_str!("../../data/tcp-vectors.jsonl").lines().map(Self::read).collect()
    }

    pub(crate) fn of(transport: &str) -> Vec<Self> {
        Self::all().into_iter().filter(|vector| vector.transport == transport).collect()
    }

    /// Everything that is one packet, wrapped or not.
    pub(crate) fn packets() -> Vec<Self> {
        Self::all().into_iter().filter(|vector| ["tcp", "udp"].contains(&vector.transport.as_str())).collect()
    }

    /// The one vector of that id.
    pub(crate) fn named(id: &str) -> Self {
        Self::all().into_iter().find(|vector| vector.id == id).unwrap_or_else(|| panic!("no vector {id}"))
    }

    fn read(line: &str) -> Self {
        let row: Value = serde_json::from_str(line).unwrap();
        let text = |key: &str| row[key].as_str().unwrap_or_else(|| panic!("{key} in {line}")).to_owned();
        Self {
            id: text("id"),
            transport: text("transport"),
            bytes: bytes_of(&text("hex")),
            expect: text("expect"),
            decode: row["decode"].clone(),
        }
    }

    /// The packet, whatever its checksum is and however much of it was printed.
    pub(crate) fn packet(&self) -> Packet<'_> {
        let start = if self.transport == "tcp" { Frame::WRAPPER } else { 0 };
        Packet::parse_unverified(&self.bytes[start..]).unwrap_or_else(|error| panic!("{}: {error}", self.id))
    }
}

pub(crate) fn bytes_of(hex: &str) -> Vec<u8> {
    (0..hex.len()).step_by(2).map(|at| u8::from_str_radix(&hex[at..at + 2], 16).unwrap()).collect()
}

/// Whom a record or an event is about, as a vector says it.
pub(crate) fn shown(person: &Person<'_>) -> Value {
    match person {
        Person::Pin(pin) => pin.to_text().into(),
        Person::Number(number) => (*number).into(),
        Person::Slot(slot) => (*slot).into(),
        other => panic!("{other:?}"),
    }
}

/// Every frame of a stream, and the bytes left over.
pub(crate) fn frames(stream: &[u8]) -> Result<(Vec<Packet<'_>>, usize), FrameError> {
    let (mut packets, mut rest) = (Vec::new(), stream);
    while let Framed::Complete { frame, used } = Frame::parse(rest, &Limits::default())? {
        packets.push(frame.packet);
        rest = &rest[used..];
    }
    Ok((packets, rest.len()))
}

/// A vector that is dropped from the file is noticed here.
#[test]
fn the_file_holds_every_vector() {
    let count = |transport: &str| Vector::of(transport).len();
    assert_eq!(["tcp", "udp", "stream", "record", "value"].map(count), [43, 12, 2, 13, 14]);
    assert_eq!(Vector::all().len(), 84);
}
