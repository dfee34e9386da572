//! XML-RPC, as far as Odoo speaks it, to and from the values of JSON.

use alloc::string::String;
use alloc::vec::Vec;

use quick_xml::Reader;
use quick_xml::escape::{escape, resolve_xml_entity};
use quick_xml::events::Event;
use serde_json::{Map, Value};

/// How deep values may be nested: Odoo's answers need four levels.
const MAX_DEPTH: usize = 32;

/// A call. JSON has more numbers than XML-RPC: whole ones become `int`, others `double`.
pub(super) fn write_call(method: &str, arguments: &[Value]) -> String {
    let mut xml = String::from("<?xml version=\"1.0\"?>\n<methodCall><methodName>");
    xml.push_str(&escape(method));
    xml.push_str("</methodName><params>");
    for argument in arguments {
        xml.push_str("<param>");
        write_value(&mut xml, argument);
        xml.push_str("</param>");
    }
    xml.push_str("</params></methodCall>");
    xml
}

fn write_value(xml: &mut String, value: &Value) {
    xml.push_str("<value>");
    match value {
        Value::Null => xml.push_str("<nil/>"),
        Value::Bool(truth) => element(xml, "boolean", if *truth { "1" } else { "0" }),
        Value::Number(number) if number.is_f64() => element(xml, "double", &alloc::format!("{number}")),
        Value::Number(number) => element(xml, "int", &alloc::format!("{number}")),
        Value::String(text) => element(xml, "string", &escape(text)),
        Value::Array(items) => {
            xml.push_str("<array><data>");
            items.iter().for_each(|item| write_value(xml, item));
            xml.push_str("</data></array>");
        }
        Value::Object(members) => {
            xml.push_str("<struct>");
            for (name, value) in members {
                xml.push_str("<member>");
                element(xml, "name", &escape(name));
                write_value(xml, value);
                xml.push_str("</member>");
            }
            xml.push_str("</struct>");
        }
    }
    xml.push_str("</value>");
}

fn element(xml: &mut String, name: &str, text: &str) {
    for part in ["<", name, ">", text, "</", name, ">"] {
        xml.push_str(part);
    }
}

/// What an answer holds.
#[derive(Debug, PartialEq)]
pub(super) enum Answer {
    Result(Value),
    Fault { code: Value, text: String },
}

/// Reads an answer. `None` if it is not one.
pub(super) fn read_answer(body: &[u8]) -> Option<Answer> {
    let mut reader = Tags::new(core::str::from_utf8(body).ok()?);
    reader.open("methodResponse")?;
    match reader.next()? {
        Tag::Open(name) if name == "params" => {
            reader.open("param")?;
            reader.open("value")?;
            Some(Answer::Result(reader.value(0)?))
        }
        Tag::Open(name) if name == "fault" => {
            reader.open("value")?;
            let Value::Object(mut fault) = reader.value(0)? else { return None };
            let Some(Value::String(text)) = fault.remove("faultString") else { return None };
            Some(Answer::Fault { code: fault.remove("faultCode")?, text })
        }
        Tag::Open(_) | Tag::Close | Tag::Text(_) => None,
    }
}

enum Tag {
    Open(String),
    Close,
    Text(String),
}

/// The document as tags and the text between them, blanks between tags left out.
struct Tags<'a> {
    reader: Reader<&'a [u8]>,
    /// An element written as `<name/>` closes at once.
    closing: bool,
    /// What was read behind a text.
    ahead: Option<Tag>,
}

impl<'a> Tags<'a> {
    fn new(text: &'a str) -> Self {
        Self { reader: Reader::from_str(text), closing: false, ahead: None }
    }

    fn next(&mut self) -> Option<Tag> {
        loop {
            match self.raw()? {
                Tag::Text(text) if text.trim().is_empty() => {}
                tag @ (Tag::Open(_) | Tag::Close | Tag::Text(_)) => return Some(tag),
            }
        }
    }

    /// The next tag, or all the text before it.
    fn raw(&mut self) -> Option<Tag> {
        if let Some(tag) = self.ahead.take() {
            return Some(tag);
        }
        if core::mem::take(&mut self.closing) {
            return Some(Tag::Close);
        }
        let mut text = String::new();
        let tag = loop {
            match self.reader.read_event().ok()? {
                Event::Start(tag) => break Tag::Open(tag.name().as_ref().into()),
                Event::Empty(tag) => {
                    self.closing = true;
                    break Tag::Open(tag.name().as_ref().into());
                }
                Event::End(_) => break Tag::Close,
                Event::Text(part) => text.push_str(&part.xml10_content()),
                Event::CData(part) => text.push_str(&part.xml10_content()),
                Event::GeneralRef(part) => match part.resolve_char_ref().ok()? {
                    Some(letter) => text.push(letter),
                    None => text.push_str(resolve_xml_entity(&part)?),
                },
                Event::Comment(_) | Event::Decl(_) | Event::PI(_) | Event::DocType(_) => {}
                Event::Eof => return None,
            }
        };
        if text.is_empty() {
            return Some(tag);
        }
        self.ahead = Some(tag);
        Some(Tag::Text(text))
    }

    fn open(&mut self, expected: &str) -> Option<()> {
        matches!(self.next()?, Tag::Open(name) if name == expected).then_some(())
    }

    fn close(&mut self) -> Option<()> {
        matches!(self.next()?, Tag::Close).then_some(())
    }

    /// The text of the element just opened, up to its end.
    fn text(&mut self) -> Option<String> {
        match self.raw()? {
            Tag::Close => Some(String::new()),
            Tag::Text(text) => self.close().map(|()| text),
            Tag::Open(_) => None,
        }
    }

    /// The rest of a `<value>` just opened, its end included.
    fn value(&mut self, depth: usize) -> Option<Value> {
        let depth = depth.checked_add(1).filter(|depth| *depth <= MAX_DEPTH)?;
        let kind = match self.raw()? {
            // A value without a type is a text.
            Tag::Close => return Some(Value::String(String::new())),
            Tag::Text(text) => match self.next()? {
                Tag::Close => return Some(Value::String(text)),
                Tag::Open(kind) if text.trim().is_empty() => kind,
                Tag::Open(_) | Tag::Text(_) => return None,
            },
            Tag::Open(kind) => kind,
        };
        let value = match kind.as_str() {
            "array" => self.array(depth)?,
            "struct" => self.members(depth)?,
            _ => scalar(&kind, self.text()?)?,
        };
        self.close().map(|()| value)
    }

    fn array(&mut self, depth: usize) -> Option<Value> {
        self.open("data")?;
        let mut items = Vec::new();
        loop {
            match self.next()? {
                Tag::Open(name) if name == "value" => items.push(self.value(depth)?),
                Tag::Close => return self.close().map(|()| Value::Array(items)),
                Tag::Open(_) | Tag::Text(_) => return None,
            }
        }
    }

    fn members(&mut self, depth: usize) -> Option<Value> {
        let mut members = Map::new();
        loop {
            match self.next()? {
                Tag::Open(name) if name == "member" => {
                    self.open("name")?;
                    let name = self.text()?;
                    self.open("value")?;
                    members.insert(name, self.value(depth)?);
                    self.close()?;
                }
                Tag::Close => return Some(Value::Object(members)),
                Tag::Open(_) | Tag::Text(_) => return None,
            }
        }
    }
}

fn scalar(kind: &str, text: String) -> Option<Value> {
    Some(match kind {
        "string" => Value::String(text),
        "int" | "i4" | "i8" => Value::from(text.trim().parse::<i64>().ok()?),
        "double" => Value::from(text.trim().parse::<f64>().ok()?),
        "boolean" => Value::Bool(match text.trim() {
            "1" => true,
            "0" => false,
            _ => return None,
        }),
        "nil" => Value::Null,
        _ => return None,
    })
}
