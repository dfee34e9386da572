//! I01 to I11: polls, what a terminal tells about itself, pings.

use punch_protocol::push::{Functions, Info, Request, TerminalOptions};
use serde_json::{Value, json};

use super::{Sample, assert_fields};

#[test]
fn every_poll_reads_as_the_samples_say() {
    for sample in Sample::of('I', true) {
        let (id, expected) = (&sample.id, &sample.expected);
        match (sample.request(), expected["kind"].as_str().unwrap()) {
            (Request::Upload(upload), "options") => {
                assert_options(id, upload.options(), expected);
                assert_eq!(upload.rows().count(), 0, "{id}: parameters are no rows");
                sample.assert_answer("ack");
            }
            (Request::Poll(poll), "getrequest") => {
                assert_eq!(
                    poll.info.as_ref().map(info),
                    Some(expected["info"].clone()).filter(|v| !v.is_null()),
                    "{id}"
                );
                assert_eq!(sample.answer().body(), b"OK", "{id}");
            }
            (Request::Ping(ping), "ping") => {
                assert_eq!(ping.token.as_deref(), expected["token"].as_str(), "{id}");
                sample.assert_answer("ack");
            }
            (request, kind) => panic!("{id}: {request:?} is no {kind}"),
        }
    }
}

fn assert_options(id: &str, options: TerminalOptions<'_>, expected: &Value) {
    assert_fields(id, &expected["options"], |key| options.value(key).as_deref().into());
    let count = options.pairs().count();
    match expected["option_count"].as_u64() {
        Some(wanted) => assert_eq!(u64::try_from(count).unwrap(), wanted, "{id}"),
        None => assert_eq!(count, expected["options"].as_object().unwrap().len(), "{id}"),
    }
}

fn info(info: &Info) -> Value {
    let functions = |functions: Functions| json!({"fp": functions.fingerprint, "face": functions.face, "user_pic": functions.user_picture});
    json!({
        "firmware": info.firmware,
        "users": info.users,
        "fingerprints": info.fingerprints,
        "attlogs": info.punches,
        "ip": info.address,
        "fp_alg": info.finger_algorithm,
        "face_alg": info.face_algorithm,
        "faces_per_user": info.faces_per_user,
        "faces": info.faces,
        "functions": info.functions.map(functions),
    })
}
