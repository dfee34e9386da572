use punch_protocol::tcp::{CommKey, DataError, EncodedTime, Frame, FrameError, Scramble};
use serde_json::{Value, json};

use super::{Facts, Refusal, civil, put, put_all, secure};

/// A single value of the protocol, of the kind that is said.
pub(super) fn to_json(kind: &str, bytes: &[u8], sample: &Value) -> Result<Facts, Refusal> {
    let mut facts = Facts::new();
    put(&mut facts, "kind", kind);
    match kind {
        "time" => put_time(&mut facts, bytes)?,
        "commkey" => put_comm_key(&mut facts, bytes, sample)?,
        "wrapper" => put_wrapper(&mut facts, bytes)?,
        "secure_aeskey" => secure::put_session_key(&mut facts, bytes)?,
        "secure_authext" => secure::put_password(&mut facts, bytes)?,
        // A checksum does not hold its text, nor an encrypted frame its key.
        kind if kind.starts_with("secure_") => return Err(FrameError::SecurePull.into()),
        _ => {
            let message = format!("PP-CAPTURE-003 kind `{kind}`: unknown, expected one like time, commkey, wrapper");
            return Err(Refusal { code: "PP-CAPTURE-003", message });
        }
    }
    Ok(facts)
}

fn put_time(facts: &mut Facts, bytes: &[u8]) -> Result<(), DataError> {
    let length = DataError::Length { what: "time", len: bytes.len(), expected: "4" };
    let time = EncodedTime(bytes.try_into().map(u32::from_le_bytes).map_err(|_| length)?);
    let shown = time.civil();
    put_all(facts, json!({ "value": time.0, "fields": time.parts(), "valid": shown.is_some() }));
    if let Some(shown) = shown {
        put(facts, "time", civil(shown));
    }
    Ok(())
}

/// The bytes hold a key only together with its session, which an authentication has in its header and a bare value has
/// not. A sample says both beside the bytes, or in its name; the bytes say whether they belong together.
fn put_comm_key(facts: &mut Facts, bytes: &[u8], sample: &Value) -> Result<(), Refusal> {
    let proof = Scramble::parse(bytes)?;
    let session = member(sample, "session").or_else(|| named_session(sample));
    let key = session.and_then(|session| proof.key_number(session));
    let proven =
        |key: &u32| session.is_some_and(|session| CommKey::new(*key).is_ok_and(|key| key.matches(session, proof)));
    let Some(key) = key.filter(proven) else {
        let message = "PP-CAPTURE-004 comm key: none fits; expected the session as `session` or in the id".to_owned();
        return Err(Refusal { code: "PP-CAPTURE-004", message });
    };
    put_all(facts, json!({ "key": key, "session": session, "ticks": proof.ticks() }));
    Ok(())
}

fn member(sample: &Value, key: &str) -> Option<u16> {
    sample.get(key).and_then(Value::as_u64).and_then(|number| number.try_into().ok())
}

/// The session of an id like `commkey-12-45cf-50`: key, session in hexadecimal, ticks.
fn named_session(sample: &Value) -> Option<u16> {
    let mut parts = sample.get("id")?.as_str()?.rsplit('-');
    let (_ticks, session) = (parts.next()?, parts.next()?);
    u16::from_str_radix(session, 16).ok()
}

/// The mark and the length in front of a packet.
fn put_wrapper(facts: &mut Facts, bytes: &[u8]) -> Result<(), Refusal> {
    let length = DataError::Length { what: "wrapper", len: bytes.len(), expected: "8" };
    let (magic, rest) = bytes.split_first_chunk::<4>().ok_or(length)?;
    let len = rest.first_chunk::<4>().copied().map(u32::from_le_bytes).ok_or(length)?;
    if ![Frame::MAGIC, Frame::SECURE_MAGIC].contains(magic) {
        return Err(FrameError::NoMagic.into());
    }
    put_all(facts, json!({ "encrypted": *magic == Frame::SECURE_MAGIC, "length": len }));
    Ok(())
}
