//! XML-RPC as Python writes and reads it. Written apart from ours, so that each shows the other's faults.

use serde_json::{Map, Value};

/// A call: the method and its arguments.
pub(super) fn read_call(text: &str) -> Option<(String, Vec<Value>)> {
    let mut text = Text(text);
    if text.eat("<?xml") {
        text.until("?>")?;
        text.skip(2);
    }
    text.expect("<methodCall>")?;
    text.expect("<methodName>")?;
    let method = unescape(text.until("<")?)?;
    text.expect("</methodName>")?;
    text.expect("<params>")?;
    let mut arguments = Vec::new();
    while text.eat("<param>") {
        text.expect("<value>")?;
        arguments.push(text.value()?);
        text.expect("</param>")?;
    }
    text.expect("</params>")?;
    text.expect("</methodCall>")?;
    text.0.trim().is_empty().then_some((method, arguments))
}

struct Text<'a>(&'a str);

impl<'a> Text<'a> {
    fn eat(&mut self, token: &str) -> bool {
        match self.0.trim_start().strip_prefix(token) {
            Some(rest) => {
                self.0 = rest;
                true
            }
            None => false,
        }
    }

    fn expect(&mut self, token: &str) -> Option<()> {
        self.eat(token).then_some(())
    }

    fn until(&mut self, token: &str) -> Option<&'a str> {
        let (before, _) = self.0.split_at_checked(self.0.find(token)?)?;
        self.skip(before.len());
        Some(before)
    }

    fn skip(&mut self, bytes: usize) {
        self.0 = self.0.get(bytes..).unwrap_or_default();
    }

    /// The rest of a value whose tag was read, its end included.
    fn value(&mut self) -> Option<Value> {
        let value = if self.eat("<array>") {
            self.expect("<data>")?;
            let mut items = Vec::new();
            while self.eat("<value>") {
                items.push(self.value()?);
            }
            self.expect("</data>")?;
            self.expect("</array>")?;
            Value::Array(items)
        } else if self.eat("<struct>") {
            let mut members = Map::new();
            while self.eat("<member>") {
                self.expect("<name>")?;
                let name = unescape(self.until("<")?)?;
                self.expect("</name>")?;
                self.expect("<value>")?;
                members.insert(name, self.value()?);
                self.expect("</member>")?;
            }
            self.expect("</struct>")?;
            Value::Object(members)
        } else {
            self.scalar()?
        };
        self.expect("</value>")?;
        Some(value)
    }

    fn scalar(&mut self) -> Option<Value> {
        for kind in ["string", "int", "i4", "boolean", "double"] {
            if self.eat(&format!("<{kind}>")) {
                let text = unescape(self.until("<")?)?;
                self.expect(&format!("</{kind}>"))?;
                return Some(match kind {
                    "string" => Value::String(text),
                    "boolean" => Value::Bool(text == "1"),
                    "double" => Value::from(text.parse::<f64>().ok()?),
                    _ => Value::from(text.parse::<i32>().ok()?),
                });
            }
        }
        // `<nil/>` is no part of XML-RPC, and Python refuses it unless told otherwise.
        self.0
            .starts_with('<')
            .then_some(())
            .map_or_else(|| Some(Value::String(unescape(self.until("<")?)?)), |()| None)
    }
}

fn unescape(text: &str) -> Option<String> {
    let text = text.replace("&lt;", "<").replace("&gt;", ">").replace("&quot;", "\"").replace("&apos;", "'");
    Some(text.replace("&amp;", "&"))
}

pub(super) fn write_result(value: &Value) -> String {
    format!(
        "<?xml version=\"1.0\"?>\n<methodResponse>\n<params>\n<param>\n{}</param>\n</params>\n</methodResponse>\n",
        write(value)
    )
}

pub(super) fn write_fault(code: i32, text: &str) -> String {
    format!(
        "<?xml version=\"1.0\"?>\n<methodResponse>\n<fault>\n<value><struct>\n<member>\n<name>faultCode</name>\n\
         <value><int>{code}</int></value>\n</member>\n<member>\n<name>faultString</name>\n\
         <value><string>{}</string></value>\n</member>\n</struct></value>\n</fault>\n</methodResponse>\n",
        escape(text)
    )
}

fn write(value: &Value) -> String {
    let inner = match value {
        Value::Null => "<nil/>".to_owned(),
        Value::Bool(truth) => format!("<boolean>{}</boolean>", i32::from(*truth)),
        Value::Number(number) if number.is_f64() => format!("<double>{number}</double>"),
        Value::Number(number) => format!("<int>{number}</int>"),
        Value::String(text) => format!("<string>{}</string>", escape(text)),
        Value::Array(items) => {
            format!("<array><data>\n{}</data></array>", items.iter().map(write).collect::<String>())
        }
        Value::Object(members) => {
            let member = |(name, value): (&String, &Value)| {
                format!("<member>\n<name>{}</name>\n{}</member>\n", escape(name), write(value))
            };
            format!("<struct>\n{}</struct>", members.iter().map(member).collect::<String>())
        }
    };
    format!("<value>{inner}</value>\n")
}

/// Quotes stay.
fn escape(text: &str) -> String {
    text.replace('&', "&amp;").replace('<', "&lt;").replace('>', "&gt;")
}
