//! XML as terminals write events, as the same values as JSON.

use alloc::string::String;
use alloc::vec::Vec;

use quick_xml::Reader;
use quick_xml::escape::resolve_xml_entity;
use quick_xml::events::Event;
use serde_json::{Map, Value};

use crate::passage::SourceError;

/// How deep elements may be nested. Events have three levels.
const MAX_DEPTH: usize = 16;

const UNREADABLE: SourceError = SourceError::Unreadable { expected: "XML of an event" };

/// The content of the outermost element. Elements with others in them become objects, the others texts; of a name that comes
/// twice the first counts.
pub(super) fn read_xml(body: &[u8]) -> Result<Value, SourceError> {
    let text = core::str::from_utf8(body).map_err(|_| UNREADABLE)?;
    let mut reader = Reader::from_str(text);
    let mut open: Vec<Element> = Vec::new();
    loop {
        match reader.read_event().map_err(|_| UNREADABLE)? {
            Event::DocType(_) => return Err(SourceError::DoctypeRefused),
            Event::Start(tag) => {
                if open.len() >= MAX_DEPTH {
                    return Err(UNREADABLE);
                }
                open.push(Element::new(tag.local_name().as_ref().into()));
            }
            Event::Empty(tag) => match open.last_mut() {
                Some(parent) => parent.add(tag.local_name().as_ref().into(), Value::String(String::new())),
                None => return Ok(Value::Object(Map::new())),
            },
            Event::End(_) => {
                let Element { name, members, text } = open.pop().ok_or(UNREADABLE)?;
                let value = if members.is_empty() { Value::String(text.trim().into()) } else { Value::Object(members) };
                match open.last_mut() {
                    Some(parent) => parent.add(name, value),
                    None => return Ok(value),
                }
            }
            Event::Text(part) => append(&mut open, &part.xml10_content()),
            Event::CData(part) => append(&mut open, &part.xml10_content()),
            Event::GeneralRef(part) => match part.resolve_char_ref().map_err(|_| UNREADABLE)? {
                Some(letter) => append(&mut open, letter.encode_utf8(&mut [0; 4])),
                None => append(&mut open, resolve_xml_entity(&part).ok_or(UNREADABLE)?),
            },
            Event::Comment(_) | Event::Decl(_) | Event::PI(_) => {}
            Event::Eof => return Err(UNREADABLE),
        }
    }
}

struct Element {
    name: String,
    members: Map<String, Value>,
    text: String,
}

impl Element {
    fn new(name: String) -> Self {
        Self { name, members: Map::new(), text: String::new() }
    }

    fn add(&mut self, name: String, value: Value) {
        self.members.entry(name).or_insert(value);
    }
}

fn append(open: &mut [Element], text: &str) {
    if let Some(element) = open.last_mut() {
        element.text.push_str(text);
    }
}
