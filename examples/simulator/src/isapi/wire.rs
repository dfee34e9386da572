//! Events as terminals write them.

use serde_json::{Value, json};

use super::{AcsEvent, text};

/// In which form a terminal posts, whatever it was set to.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
#[non_exhaustive]
pub enum Form {
    /// JSON.
    Json,
    /// XML.
    Xml,
    /// Two parts with their lengths: JSON and a picture whose bytes look like the end of a part.
    Parts,
    /// The same without lengths, and a picture that does not.
    PartsWithoutLength,
}

const BOUNDARY: &str = "MIME_boundary";

/// An event as it is posted, or as the stream tells an older one.
pub(super) fn alert(event: &AcsEvent, serial: u32, is_current: bool) -> Value {
    json!({
        "ipAddress": "192.168.1.64", "dateTime": text(event.at), "activePostCount": 1,
        "eventType": "AccessControllerEvent", "eventState": "active",
        "AccessControllerEvent": {
            "deviceName": "Access Controller", "majorEventType": 5, "subEventType": event.minor, "name": "Canary Nightingale",
            "employeeNoString": event.employee, "serialNo": serial, "cardReaderNo": 1, "attendanceStatus": event.status,
            "currentVerifyMode": "faceOrFpOrCardOrPw", "currentEvent": is_current, "mask": "no",
        },
    })
}

/// An event as a search finds it, under other names.
pub(super) fn found(event: &AcsEvent, serial: u32) -> Value {
    json!({
        "major": 5, "minor": event.minor, "time": text(event.at), "employeeNoString": event.employee,
        "name": "Canary Nightingale", "cardReaderNo": 1, "serialNo": serial, "currentVerifyMode": "face",
        "attendanceStatus": event.status,
    })
}

/// Content type and body of a post.
pub(super) fn post(alert: &Value, form: Form) -> (String, Vec<u8>) {
    match form {
        Form::Json => ("application/json".to_owned(), alert.to_string().into_bytes()),
        Form::Xml => ("application/xml; charset=\"UTF-8\"".to_owned(), xml(alert).into_bytes()),
        Form::Parts | Form::PartsWithoutLength => {
            let mut body = part("event_log", "application/json", alert.to_string().as_bytes(), form);
            body.extend(picture(form));
            body.extend(format!("--{BOUNDARY}--\r\n").into_bytes());
            (format!("multipart/form-data; boundary={BOUNDARY}"), body)
        }
    }
}

/// Content type and body of a stream, so far. It has no end.
pub(super) fn stream(alerts: impl Iterator<Item = Value>, form: Form) -> (String, Vec<u8>) {
    let heartbeat =
        json!({ "dateTime": "2026-03-28T09:00:00+01:00", "eventType": "heartBeat", "eventState": "active" });
    let mut body = Vec::new();
    for alert in alerts {
        body.extend(part("", "application/json", heartbeat.to_string().as_bytes(), form));
        let (kind, text) = match form {
            Form::Xml => ("application/xml", xml(&alert)),
            _ => ("application/json", alert.to_string()),
        };
        body.extend(part("", kind, text.as_bytes(), form));
        body.extend(picture(form));
    }
    body.extend(format!("--{BOUNDARY}\r\n").into_bytes());
    (format!("multipart/mixed; boundary={BOUNDARY}"), body)
}

fn picture(form: Form) -> Vec<u8> {
    let bytes: &[u8] = match form {
        Form::PartsWithoutLength => b"\xff\xd8\x00\r\n--\xff\r\n-\xff\xd9",
        _ => b"\xff\xd8\r\n--MIME_boundary\r\nContent-Type: application/json\r\n\r\n{}\r\n\xff\xd9",
    };
    part("Picture", "image/jpeg", bytes, form)
}

fn part(name: &str, kind: &str, body: &[u8], form: Form) -> Vec<u8> {
    let mut head = format!("--{BOUNDARY}\r\n");
    if !name.is_empty() {
        head.push_str(&format!("Content-Disposition: form-data; name=\"{name}\"\r\n"));
    }
    head.push_str(&format!("Content-Type: {kind}\r\n"));
    if form != Form::PartsWithoutLength {
        head.push_str(&format!("Content-Length: {}\r\n", body.len()));
    }
    [head.as_bytes(), b"\r\n", body, b"\r\n"].concat()
}

fn xml(alert: &Value) -> String {
    let mut text = String::from("<?xml version=\"1.0\" encoding=\"UTF-8\"?>\r\n");
    text.push_str("<EventNotificationAlert version=\"2.0\" xmlns=\"http://www.isapi.org/ver20/XMLSchema\">");
    members(&mut text, alert);
    text + "</EventNotificationAlert>"
}

fn members(text: &mut String, value: &Value) {
    for (name, value) in value.as_object().into_iter().flatten() {
        text.push_str(&format!("<{name}>"));
        match value {
            Value::Object(_) => members(text, value),
            Value::String(value) => text.push_str(&value.replace('&', "&amp;").replace('<', "&lt;")),
            other => text.push_str(&other.to_string()),
        }
        text.push_str(&format!("</{name}>"));
    }
}
