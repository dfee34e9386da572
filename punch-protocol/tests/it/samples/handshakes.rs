//! H01 to H23: what a terminal says first.

use punch_protocol::push::{Dialect, Endpoint, Request};
use serde_json::Value;

use super::{Sample, assert_fields};

#[test]
fn every_handshake_reads_as_the_samples_say() {
    for sample in Sample::of('H', true) {
        let Request::Handshake(handshake) = sample.request() else { panic!("{}", sample.id) };
        assert_fields(&sample.id, &sample.expected, |key| match key {
            "kind" => "handshake".into(),
            // Compared while the request was read.
            "sn" => sample.expected["sn"].clone(),
            "push_ver" => handshake.push_version.as_deref().into(),
            "language" => handshake.language.into(),
            "pushcommkey" => handshake.comm_key.as_deref().into(),
            "device_type" => handshake.device_type.as_deref().into(),
            "push_options_flag" => handshake.push_options_flag.into(),
            "dialect" => dialect(handshake.dialect()),
            "text_encoding_hint" => handshake.speaks_chinese().then_some("gb18030").into(),
            "endpoint" => Endpoint::of(&sample.path).unwrap().as_str().into(),
            "suffix" => sample.path.rsplit_once("cdata").unwrap().1.into(),
            // Compared with the session's answer below.
            "ack_if_unregistered_acc" => sample.expected["ack_if_unregistered_acc"].clone(),
            unknown => panic!("{}: nothing reads {unknown}", sample.id),
        });
        let answer = sample.answer();
        if handshake.dialect() != Dialect::Attendance {
            sample.assert_answer("ack_if_unregistered_acc");
            continue;
        }
        let first = format!("GET OPTION FROM: {}\n", sample.expected["sn"].as_str().unwrap());
        assert!(answer.status() == 200 && answer.body().starts_with(first.as_bytes()), "{}", sample.id);
    }
}

fn dialect(dialect: Dialect) -> Value {
    match dialect {
        Dialect::Attendance => "att".into(),
        Dialect::AccessControl => "acc".into(),
        Dialect::Undecided => "unknown_until_registry".into(),
        other => panic!("{other:?}"),
    }
}

/// The lower of two versions is spoken, and never one with encryption: H01 and H05 are older than the server.
#[test]
fn the_lower_version_is_offered() {
    for (id, version) in [("H01", "2.2.14"), ("H05", "2.4.0"), ("H03", "2.4.1")] {
        let sample = Sample::all().into_iter().find(|sample| sample.id == id).unwrap();
        let body = String::from_utf8(sample.answer().body().to_vec()).unwrap();
        assert!(body.contains(&format!("\nServerVer={version}\nPushProtVer={version}\n")), "{id}: {body}");
    }
}
