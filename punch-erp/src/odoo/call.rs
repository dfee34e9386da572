//! One call in the three spellings of Odoo.

use alloc::string::String;
use alloc::vec::Vec;

use bytes::Bytes;
use serde::Serialize;
use serde_json::{Map, Value};

use super::xml;

/// A call to a method of a model, before it is spelled.
pub(super) struct Call {
    pub(super) model: &'static str,
    pub(super) method: &'static str,
    /// Arguments that have a place in two protocols, and in the third the name given here.
    pub(super) positional: Vec<(&'static str, Value)>,
    /// Arguments that have a name in all of them.
    pub(super) named: Map<String, Value>,
}

impl Call {
    pub(super) fn new(model: &'static str, method: &'static str, positional: Vec<(&'static str, Value)>) -> Self {
        Self { model, method, positional, named: Map::new() }
    }

    /// Adds a named argument, if there is a value.
    pub(super) fn with(mut self, name: &str, value: impl Into<Option<Value>>) -> Self {
        self.named.extend(value.into().map(|value| (name.into(), value)));
        self
    }
}

pub(super) fn json_rpc(service: &str, method: &str, arguments: &[Value]) -> Bytes {
    #[derive(Serialize)]
    struct Envelope<'a> {
        jsonrpc: &'static str,
        method: &'static str,
        params: Params<'a>,
        id: u8,
    }
    #[derive(Serialize)]
    struct Params<'a> {
        service: &'a str,
        method: &'a str,
        args: &'a [Value],
    }
    let params = Params { service, method, args: arguments };
    let envelope = Envelope { jsonrpc: "2.0", method: "call", params, id: 1 };
    // Texts, numbers and lists: this cannot fail to be written.
    Bytes::from(serde_json::to_vec(&envelope).unwrap_or_default())
}

pub(super) fn xml_rpc(method: &str, arguments: &[Value]) -> Bytes {
    Bytes::from(xml::write_call(method, arguments))
}
