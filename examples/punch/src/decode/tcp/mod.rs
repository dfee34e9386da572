//! `punch decode tcp`: what stands in the bytes, believed or not. A wrong checksum or a cut frame is shown, not refused.

mod event;
mod packet;
mod record;
mod reply;
mod secure;
mod value;

use anyhow::Context as _;
use chrono::NaiveDateTime;
use punch_protocol::tcp::{DataError, EncodedTime, EventTime, Frame, FrameError, Framed, Limits, Packet, checksum};
use serde_json::{Map, Value, json};

/// What is said about one sample, in order.
type Facts = Map<String, Value>;

/// Why a sample has no reading.
struct Refusal {
    code: &'static str,
    message: String,
}

impl From<FrameError> for Refusal {
    fn from(error: FrameError) -> Self {
        Self { code: error.code(), message: error.to_string() }
    }
}

impl From<DataError> for Refusal {
    fn from(error: DataError) -> Self {
        Self { code: error.code(), message: error.to_string() }
    }
}

/// Decodes one sample: the object of a vector file in, the object the contract promises out.
pub(super) fn sample_to_json(sample: &Value) -> anyhow::Result<Value> {
    let text = |key: &str| sample.get(key).and_then(Value::as_str).unwrap_or_default();
    let bytes = bytes_of(text("hex")).context("hex: not pairs of hexadecimal digits")?;
    let decoded = match text("transport") {
        "tcp" => frame(&bytes),
        "udp" => datagram(&bytes),
        "stream" => stream(&bytes),
        "record" => record::to_json(text("kind"), &bytes),
        "value" => value::to_json(text("kind"), &bytes, sample),
        other => anyhow::bail!("transport `{other}`: expected tcp, udp, stream, record or value"),
    };
    let id = sample.get("id").cloned().unwrap_or_default();
    Ok(match decoded {
        Ok(facts) => json!({ "id": id, "decode": facts }),
        Err(Refusal { code, message }) => json!({ "id": id, "error": { "code": code, "message": message } }),
    })
}

fn bytes_of(hex: &str) -> Option<Vec<u8>> {
    let digits: Vec<u8> =
        hex.chars().map(|c| c.to_digit(16).and_then(|digit| u8::try_from(digit).ok())).collect::<Option<_>>()?;
    let (pairs, odd) = digits.as_chunks::<2>();
    odd.is_empty().then(|| pairs.iter().map(|[high, low]| high << 4 | low).collect())
}

/// A frame, or the beginning of one.
fn frame(bytes: &[u8]) -> Result<Facts, Refusal> {
    let limits = Limits::default();
    match Frame::parse(bytes, &limits) {
        Ok(Framed::Complete { used, .. }) => {
            let mut facts = unverified(bytes.get(Frame::WRAPPER..used).unwrap_or_default())?;
            if let Some(rest) = bytes.get(used..).filter(|rest| !rest.is_empty()) {
                facts.insert("trailing_bytes".to_owned(), rest.len().into());
            }
            Ok(facts)
        }
        Ok(Framed::Partial { needed }) => {
            let mut facts = unverified(bytes.get(Frame::WRAPPER..).unwrap_or_default())?;
            facts.insert("incomplete".to_owned(), json!({ "needed": needed }));
            Ok(facts)
        }
        Err(FrameError::Checksum { .. }) => unverified(bytes.get(Frame::WRAPPER..).unwrap_or_default()),
        Err(error) => Err(error.into()),
    }
}

fn datagram(bytes: &[u8]) -> Result<Facts, Refusal> {
    // A frame's mark in front of a packet is a sample of the other transport.
    if bytes.starts_with(&Frame::MAGIC) { frame(bytes) } else { unverified(bytes) }
}

/// A packet with whatever checksum it has.
fn unverified(bytes: &[u8]) -> Result<Facts, Refusal> {
    let packet = Packet::parse_unverified(bytes)?;
    let mut facts = packet::facts(&packet);
    let found = bytes.get(2..4).and_then(|sum| sum.try_into().ok()).map(u16::from_le_bytes);
    facts.insert("checksum".to_owned(), found.into());
    facts.insert("checksum_valid".to_owned(), (found == Some(checksum(bytes))).into());
    Ok(facts)
}

/// Every frame of a stream, up to the one that is not whole.
fn stream(bytes: &[u8]) -> Result<Facts, Refusal> {
    let (mut packets, mut rest) = (Vec::new(), bytes);
    let mut facts = Facts::new();
    loop {
        match Frame::parse(rest, &Limits::default())? {
            Framed::Complete { frame, used } => {
                packets.push(frame.packet);
                rest = rest.get(used..).unwrap_or_default();
            }
            Framed::Partial { needed } => {
                if !rest.is_empty() {
                    facts.insert("incomplete".to_owned(), json!({ "needed": needed, "have": rest.len() }));
                }
                break;
            }
        }
    }
    facts.insert("frames".to_owned(), packets.len().into());
    let commands: Vec<u16> = packets.iter().map(|packet| packet.command.0).collect();
    facts.insert("cmds".to_owned(), commands.into());
    let read: Vec<Facts> = packets.iter().map(packet::facts).collect();
    if let Some(event) = read.iter().find_map(|facts| facts.get("event")) {
        facts.insert("event".to_owned(), event.clone());
    }
    facts.insert("packets".to_owned(), read.into_iter().map(Value::from).collect());
    Ok(facts)
}

fn put(facts: &mut Facts, key: &str, value: impl Into<Value>) {
    facts.insert(key.to_owned(), value.into());
}

/// Takes the members of an object over.
fn put_all(facts: &mut Facts, object: Value) {
    if let Value::Object(object) = object {
        facts.extend(object);
    }
}

fn hex(bytes: &[u8]) -> String {
    bytes.iter().map(|byte| format!("{byte:02x}")).collect()
}

/// Text of a terminal. Bytes of an unknown code page are replaced; the hexadecimal form keeps them.
fn text(bytes: &[u8]) -> String {
    String::from_utf8_lossy(bytes.split(|byte| *byte == 0).next().unwrap_or_default()).into_owned()
}

/// Data that is text, with its NULs shown as `\0`; `None` if it is something else.
fn ascii(data: &[u8]) -> Option<String> {
    let printable = |byte: &u8| matches!(byte, 0 | b' '..=b'~');
    let begins = data.first().is_some_and(u8::is_ascii_graphic);
    let text = || String::from_utf8_lossy(data).replace('\0', "\\0");
    (begins && data.iter().all(printable)).then(text)
}

fn civil(time: NaiveDateTime) -> String {
    time.format("%Y-%m-%dT%H:%M:%S").to_string()
}

/// A packed time: the time, or its parts if the calendar does not have it.
fn put_time(facts: &mut Facts, time: EncodedTime) {
    match time.civil() {
        Some(time) => put(facts, "time", civil(time)),
        None => put_all(facts, json!({ "time_raw": time.0, "fields": time.parts(), "valid": false })),
    }
}

fn put_event_time(facts: &mut Facts, time: EventTime) {
    match time.civil() {
        Some(time) => put(facts, "time", civil(time)),
        None => put_all(facts, json!({ "time_hex": hex(&time.0), "valid": false })),
    }
}
