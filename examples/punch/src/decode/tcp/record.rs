use punch_protocol::tcp::{
    AttendanceLayout, AttendanceRecord, DataError, OperationRecord, Person, TemplateHead, UserLayout, UserZones,
};
use serde_json::{Value, json};

use super::{Facts, Refusal, hex, put, put_all, put_time, text};

/// One record of a dataset, of the kind that is said.
pub(super) fn to_json(kind: &str, bytes: &[u8]) -> Result<Facts, Refusal> {
    let attendance = AttendanceLayout::ALL.into_iter().find(|layout| name(*layout) == kind);
    let users = match kind {
        "user28" => Some(UserLayout::Number28),
        "user72" => Some(UserLayout::Text72),
        _ => None,
    };
    let decoded = match (attendance, users, kind) {
        (Some(layout), _, _) => layout.record(bytes).map(|record| punch(layout, &record)),
        (_, Some(layout), _) => user(layout, bytes),
        (_, _, "oplog16") => OperationRecord::parse(bytes).as_ref().map(operation),
        (_, _, "template_head") => Some(template_with_magic(TemplateHead::parse(bytes)?, bytes)),
        _ => {
            let message = format!("PP-CAPTURE-003 kind `{kind}`: unknown, expected one like att40, user72, oplog16");
            return Err(Refusal { code: "PP-CAPTURE-003", message });
        }
    };
    let Some(Value::Object(mut facts)) = decoded else {
        return Err(DataError::Length { what: "record", len: bytes.len(), expected: "as many as its kind has" }.into());
    };
    put(&mut facts, "kind", kind);
    Ok(facts)
}

/// The name of a layout in samples.
pub(super) fn name(layout: AttendanceLayout) -> &'static str {
    match layout {
        AttendanceLayout::Packed8 => "att8a",
        AttendanceLayout::Flags8 => "att8b",
        AttendanceLayout::Number16 => "att16",
        AttendanceLayout::Text36 => "att36",
        AttendanceLayout::Text49 => "att49",
        _ => "att40",
    }
}

pub(super) fn punch(layout: AttendanceLayout, record: &AttendanceRecord<'_>) -> Value {
    let mut facts = Facts::new();
    match &record.person {
        Person::Pin(pin) => put_all(&mut facts, json!({ "uid": record.slot, "user_id": pin.to_text() })),
        Person::Number(number) => put(&mut facts, "user_num", *number),
        Person::Slot(slot) => put(&mut facts, "uid", *slot),
        _ => {}
    }
    put_all(&mut facts, json!({ "verify": record.verify.0, "state": record.state.0 }));
    put_time(&mut facts, record.time);
    if let Some(code) = record.work_code {
        put(&mut facts, "workcode", code);
    }
    if let Some([flags, spare]) = record.flags {
        put_all(&mut facts, json!({ "flags": flags, "short": flags >> 2 & 1, "byte3": spare }));
    }
    let tail = record.tail.as_bytes();
    if !tail.is_empty() {
        // The 40 bytes end with four, the 49 with nine more.
        let (tail, extra) = tail.split_at_checked(4).unwrap_or((tail, &[]));
        put(&mut facts, "tail_hex", hex(tail));
        if layout == AttendanceLayout::Text49 {
            put(&mut facts, "extra_hex", hex(extra));
        }
    }
    facts.into()
}

/// A user with its password: who decodes a sample asks what is in its bytes.
pub(super) fn user(layout: UserLayout, bytes: &[u8]) -> Option<Value> {
    let user = layout.record(bytes)?;
    let password = bytes.get(3..)?.get(..if layout == UserLayout::Text72 { 8 } else { 5 })?;
    let mut facts = Facts::new();
    put_all(
        &mut facts,
        json!({
            "uid": user.slot, "privilege": user.rights.0, "disabled": user.rights.is_disabled(),
            "password": text(password), "name": text(user.name), "card": user.card, "group": user.group,
        }),
    );
    if core::str::from_utf8(user.name).is_err() {
        put(&mut facts, "name_hex", hex(user.name));
    }
    match &user.person {
        Person::Pin(pin) => put(&mut facts, "user_id", pin.to_text()),
        Person::Number(number) => put(&mut facts, "user_num", *number),
        _ => {}
    }
    match user.zones {
        UserZones::Listed { own, zones } => put_all(&mut facts, json!({ "own_tz": own, "tz": zones })),
        UserZones::Mask(mask) => put(&mut facts, "tz_mask", mask),
        _ => {}
    }
    Some(facts.into())
}

fn operation(record: &OperationRecord) -> Value {
    let mut facts = Facts::new();
    put_all(
        &mut facts,
        json!({
            "admin": record.administrator, "op": record.operation.0, "op_name": record.operation.to_string(),
            "byte3": record.unknown, "params": record.values,
        }),
    );
    put_time(&mut facts, record.time);
    facts.into()
}

pub(super) fn template(head: TemplateHead) -> Value {
    json!({ "size": head.size, "uid": head.slot, "finger": head.finger, "valid": head.validity })
}

/// The mark of a template's format says what made it; the template behind it is not shown.
fn template_with_magic(head: TemplateHead, bytes: &[u8]) -> Value {
    let mut object = template(head);
    let magic = bytes.get(8..12).filter(|magic| magic.iter().all(u8::is_ascii_graphic));
    if let (Some(object), Some(magic)) = (object.as_object_mut(), magic) {
        put(object, "magic_ascii_at8", text(magic));
    }
    object
}
