//! What signs for a receiver in the place of the gateway.

use chrono::{DateTime, Utc};
use punch_normalize::EventId;
use punch_webhook::{Secret, Signer};
use serde_json::json;

use super::SECRET;

pub(crate) const OTHER_SECRET: &str = "whsec_CAgICAgICAgICAgICAgICAgICAgICAgICAgICAgICAg=";
pub(crate) const HEADER: &str = "X-PunchConnect-Signature";
pub(crate) const STANDARD: [&str; 3] = ["webhook-id", "webhook-timestamp", "webhook-signature"];

pub(crate) type Headers = Vec<(&'static str, Vec<u8>)>;

fn secret(text: &str) -> Secret {
    Secret::new(text.to_owned()).unwrap()
}

pub(crate) fn signer(text: &str) -> Signer {
    Signer::new(&secret(text))
}

/// Signs with both secrets, wherever there is room for both.
pub(crate) fn rolling() -> Signer {
    Signer::rolling(&secret(OTHER_SECRET), &secret(SECRET)).with_both_signatures()
}

/// A punch in the flat shape of the published samples.
pub(crate) fn flat_punch(id: &str) -> Vec<u8> {
    let text = json!({
        "event": "attendance.punch", "event_id": id, "device_serial": "T1", "employee_id": "0042",
        "timestamp": "2026-03-28T14:47:12Z", "punch_type": "in", "note": "José 漢字",
    });
    text.to_string().into_bytes()
}

/// The header that every receiver can verify.
pub(crate) fn signed(body: &[u8]) -> Headers {
    vec![(HEADER, signer(SECRET).punchconnect(body).into_bytes())]
}

/// The three headers of Standard Webhooks alone: id, time, signature.
pub(crate) fn standard(secret: &str, id: &str, body: &[u8], at: DateTime<Utc>) -> Headers {
    let headers = signer(secret).headers(&EventId::parse(id).unwrap(), body, at);
    STANDARD.map(|name| (name, headers.get(name).unwrap().as_bytes().to_vec())).to_vec()
}
