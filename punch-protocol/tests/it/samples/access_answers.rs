//! R02 to R35 from the server: what an access terminal makes of an answer.

use punch_protocol::civil::Written;
use punch_protocol::push::{
    AuthVerdict, Configuration, ControlAction, ControlDevice, Output, OutputTime, RegistrationAnswer, ServerTime,
    TableAck,
};
use serde_json::{Value, json};

use super::{Sample, assert_fields};

#[test]
fn every_answer_to_an_access_terminal_reads_as_the_samples_say() {
    let mut kinds = Vec::new();
    for sample in Sample::of('R', false) {
        let body = core::str::from_utf8(&sample.body).unwrap();
        let kind = sample.expected["kind"].as_str().unwrap();
        kinds.push(kind.to_owned());
        assert_fields(&sample.id, &sample.expected, |key| match (kind, key) {
            (_, "kind") => kind.into(),
            ("registry_response", "RegistryCode") => {
                let RegistrationAnswer::Accepted { code } = RegistrationAnswer::of(200, body) else { panic!() };
                code.into()
            }
            ("push_config", _) => configured(&Configuration::parse(body).unwrap(), key, &sample.expected[key]),
            ("rtdata_time_response", "utc") => Written(ServerTime::parse(body).unwrap().utc).to_string().into(),
            ("rtdata_time_response", "tz_minutes") => ServerTime::parse(body).unwrap().offset_minutes.into(),
            ("rtdata_time_response", "error") => {
                assert_eq!(ServerTime::parse(body), None);
                "no DateTime=".into()
            }
            ("auth_verdict", "verdict") => AuthVerdict::parse(body).unwrap().verdict.into(),
            ("auth_verdict", "control") => control(&AuthVerdict::parse(body).unwrap().control.unwrap()),
            unknown => panic!("{}: nothing reads {unknown:?}", sample.id),
        });
    }
    kinds.sort();
    kinds.dedup();
    assert_eq!(kinds, ["auth_verdict", "push_config", "registry_response", "rtdata_time_response"]);
}

fn configured(block: &Configuration<'_>, key: &str, expected: &Value) -> Value {
    match key {
        "TransTimes" => block.times().collect::<Vec<_>>().into(),
        "TransTables" => block.tables().collect::<Vec<_>>().into(),
        _ if expected.is_number() => block.number(key).into(),
        _ => block.value(key).into(),
    }
}

pub(super) fn control(control: &ControlDevice) -> Value {
    let Some((output, OutputTime::Seconds(seconds))) = control.output() else { panic!("{control}") };
    json!({
        "action": control.action.to_string(), "door": control.door(), "target": output.to_string(), "seconds": seconds,
    })
}

/// The block of a registered terminal is the configuration with two lines in front.
#[test]
fn a_registered_terminal_is_told_so() {
    let block = Configuration::parse("registry=ok\r\nRegistryCode=Uy47fxftP3\r\nTransTimes=00:30;13:00\r\n").unwrap();
    assert!(block.is_registered());
    assert_eq!((block.registry_code(), block.times().count()), (Some("Uy47fxftP3"), 2));
    assert!(!Configuration::parse("RequestDelay=2\n").unwrap().is_registered());
    assert_eq!(Configuration::parse("OK"), None);
    assert_eq!(RegistrationAnswer::of(406, "RegistryCode=x"), RegistrationAnswer::Refused);
    assert_eq!(RegistrationAnswer::of(200, "OK"), RegistrationAnswer::Unclear);
    assert!(!format!("{block:?}").contains("Uy47"), "the code is part of a secret");
}

/// Every action and every argument survives, known or not; half a byte is none.
#[test]
fn controls_read_back_as_written() {
    for first in 0..=u8::MAX {
        for text in [format!("{first:02X}"), format!("{first:02X}0A"), format!("{first:02X}010203FF")] {
            let control = ControlDevice::parse(&text).unwrap();
            assert_eq!(control.to_string(), text);
            assert_eq!(control.action, ControlAction(first));
            assert_eq!(control.output().is_some(), first == 1 && text.len() > 6, "{text}");
        }
    }
    for wrong in ["", "0", "010", "01 01", "0x01", "010203040506", "zz", "é1"] {
        assert_eq!(ControlDevice::parse(wrong), None, "{wrong}");
    }
    let output = |text: &str| ControlDevice::parse(text).unwrap().output();
    assert_eq!(output("010102FF"), Some((Output::AUX, OutputTime::Open)));
    assert_eq!(output("01000100"), Some((Output::LOCK, OutputTime::Off)));
    assert_eq!(ControlDevice::parse("0B01").unwrap().action, ControlAction::NETWORK_SWITCH);
}

/// R17: nothing but the table and its number tells an access terminal that its records are stored.
#[test]
fn only_table_and_number_acknowledge_records() {
    assert_eq!(TableAck::parse(b"templatev10=2\n"), Some(TableAck { table: "templatev10", count: 2 }));
    for other in [&b"OK"[..], b"OK: 1", b"user=", b"user=x", b"=1", b"a b=1", b""] {
        assert_eq!(TableAck::parse(other), None);
    }
}

#[test]
fn a_server_time_reads_back() {
    for text in
        ["DateTime=583050990,ServerTZ=+0800", "DateTime=0,ServerTZ=-0330", "DateTime=1", "DateTime=2,ServerTZ=+0000"]
    {
        assert_eq!(ServerTime::parse(text).unwrap().to_string(), text);
    }
    // 31 February, and what is no number.
    assert_eq!(ServerTime::parse("DateTime=808790400"), None);
    assert_eq!(ServerTime::parse("DateTime=now"), None);
    assert_eq!(ServerTime::parse("DateTime=1,ServerTZ=+8:00").unwrap().offset_minutes, None);
}
