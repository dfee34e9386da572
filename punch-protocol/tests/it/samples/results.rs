//! D01 to D21: results of commands.

use punch_protocol::push::{CommandResult, CommandResults, Request, ReturnCode};
use serde_json::{Map, Value};

use super::{Sample, assert_fields};

#[test]
fn every_result_reads_as_the_samples_say() {
    for sample in Sample::of('D', true) {
        let (id, expected) = (&sample.id, &sample.expected);
        let Request::Results(results) = sample.request() else { panic!("{id}") };
        assert_fields(id, expected, |key| match key {
            "kind" => "devicecmd".into(),
            "results" => same(id, &results.read(), &expected["results"]),
            "lenient_results" => same(id, &results.read_leniently(), &expected["lenient_results"]),
            "form" => if results.is_newline_form() { "newline" } else { "lines" }.into(),
            "ack" => expected["ack"].clone(),
            unknown => panic!("{id}: nothing reads {unknown}"),
        });
        if !results.read().is_empty() {
            assert_eq!(results.is_newline_form(), expected["form"] == "newline", "{id}");
        }
        sample.assert_answer("ack");
    }
}

fn same(id: &str, results: &[CommandResult<'_>], expected: &Value) -> Value {
    let wanted = expected.as_array().unwrap();
    assert_eq!(results.len(), wanted.len(), "{id}");
    for (result, wanted) in results.iter().zip(wanted) {
        assert_fields(id, wanted, |key| field(result, key));
    }
    expected.clone()
}

fn field(result: &CommandResult<'_>, key: &str) -> Value {
    use base64::Engine as _;
    match key {
        "id" => result.id.as_ref().into(),
        "return" => result.code.map(|code| code.0).into(),
        "return_raw" => result.code_raw.as_deref().into(),
        "cmd" => result.command.as_deref().into(),
        "sn" => result.serial.as_deref().into(),
        "filename" => result.file_name.as_deref().into(),
        "content" => core::str::from_utf8(result.content.unwrap()).unwrap().into(),
        "content_b64" => base64::engine::general_purpose::STANDARD.encode(result.content.unwrap()).into(),
        "success" => result.success().into(),
        "pending" => result.is_pending().into(),
        "extra" => result
            .extra
            .iter()
            .map(|(key, value)| (key.to_string(), Value::from(value.as_ref())))
            .collect::<Map<_, _>>()
            .into(),
        unknown => panic!("nothing reads {unknown}"),
    }
}

/// D03, D20: what a number means depends on the command; a bare `DATA` leaves a positive one open.
#[test]
fn success_depends_on_the_command() {
    let success = |command: &str, code: i32| {
        let body = format!("ID=1&Return={code}&CMD={command}\n");
        CommandResults::new(body.as_bytes()).read()[0].success()
    };
    for counted in ["DATA QUERY", "DATA COUNT", "ACCOUNT", "PutFile", "GetFile"] {
        assert_eq!([7, 0, -1].map(|code| success(counted, code)), [Some(true), Some(true), Some(false)], "{counted}");
    }
    for plain in ["DATA UPDATE", "ENROLL_FP", "CLEAR LOG", ""] {
        assert_eq!([7, 0, -1].map(|code| success(plain, code)), [Some(false), Some(true), Some(false)], "{plain}");
    }
    assert_eq!([7, 0, -1].map(|code| success("DATA", code)), [None, Some(true), Some(false)]);
    assert_eq!(success("DATA UPDATE", ReturnCode::PENDING.0), None);
}

/// Words without `=` and empty values are kept, and the answer to `INFO` belongs to the result before it.
#[test]
fn what_follows_a_result_is_kept_with_it() {
    let body = b"id=A1&return=0&cmd=VERIFY SUM ATTLOG&AttlogCount=42&bare&Empty=\nID=2&Return=0&CMD=INFO\n~DeviceName=SA40\nMAC=00:17\n";
    let results = CommandResults::new(body).read();
    let [sum, info] = results.as_slice() else { panic!("{results:?}") };
    let pairs = |pairs: &[(alloc::borrow::Cow<'_, str>, alloc::borrow::Cow<'_, str>)]| {
        pairs.iter().map(|(key, value)| format!("{key}={value}")).collect::<Vec<_>>()
    };
    assert_eq!(pairs(&sum.extra), ["AttlogCount=42", "bare=", "Empty="]);
    assert_eq!((sum.info.len(), pairs(&info.info)), (0, vec!["~DeviceName=SA40".to_owned(), "MAC=00:17".to_owned()]));
}
