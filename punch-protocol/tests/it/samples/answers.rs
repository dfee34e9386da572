//! H04 to H25 and A39 from the server's side: what a terminal makes of an answer.

use punch_protocol::push::{ServerAnswer, ServerOptions, TimeZoneReading, TransFlagForm};
use serde_json::{Value, json};

use super::{Sample, assert_fields};

#[test]
fn every_answer_reads_as_the_samples_say() {
    let mut counts = [0, 0, 0];
    for sample in Sample::of('H', false).into_iter().chain(Sample::of('A', false)) {
        let (id, expected) = (&sample.id, &sample.expected);
        match (ServerAnswer::of(sample.status, &sample.body), expected["kind"].as_str().unwrap()) {
            (ServerAnswer::Options(options), "handshake_response") => {
                counts[0] += 1;
                assert_fields(id, &expected["options"], |key| option(&options, key, &expected["options"][key]));
                assert_unterminated(&options, expected, id);
            }
            (ServerAnswer::UnknownDevice, "unknown_device") => counts[1] += 1,
            (ServerAnswer::Accepted { count }, "ack") => {
                counts[2] += 1;
                assert_eq!(json!({"kind": "ack", "ok": true, "count": count}), *expected, "{id}");
            }
            (answer, kind) => panic!("{id}: {answer:?} is no {kind}"),
        }
    }
    assert_eq!(counts, [14, 1, 1]);
}

fn option(options: &ServerOptions<'_>, key: &str, expected: &Value) -> Value {
    let value = |key: &str| options.value(key).unwrap_or_else(|| panic!("{key}"));
    let list = |text: &str, separator: char| text.split(separator).map(str::to_owned).collect::<Vec<_>>();
    match key {
        "sn" => options.serial.into(),
        "stamps" => {
            let name = |key: &str| if key.ends_with("LOG") { format!("{key}Stamp") } else { key.to_owned() };
            let keys = expected.as_object().unwrap().keys();
            keys.map(|key| (key.clone(), Value::from(value(&name(key))))).collect()
        }
        "unknown" => expected.as_object().unwrap().keys().map(|key| (key.clone(), Value::from(value(key)))).collect(),
        "TransFlag" => trans_flag(options, expected),
        "TimeZone" => time_zone(value(key)),
        "TransTimes" => list(value(key), ';').into(),
        "TransTimes_raw" => value("TransTimes").into(),
        "PushOptions_count" => list(value("PushOptions"), ',').len().into(),
        "MultiBioDataSupport" | "MultiBioPhotoSupport" => {
            list(value(key), ':').iter().map(|bit| bit.parse::<u8>().unwrap()).collect()
        }
        "ignored_lines" => options.ignored.clone().into(),
        _ if expected.is_number() => value(key).parse::<u64>().unwrap().into(),
        _ => value(key).into(),
    }
}

fn trans_flag(options: &ServerOptions<'_>, expected: &Value) -> Value {
    let flag = options.trans_flag().unwrap();
    let mut read = match flag.form {
        TransFlagForm::Bits(bits) => json!({"form": "bits", "bits": bits}),
        TransFlagForm::List => json!({"form": "list", "tables": flag.tables}),
        other => panic!("{other:?}"),
    };
    if flag.space_separated {
        read["warning"] = "space_separated".into();
    }
    if !expected["effective"].is_null() {
        read["effective"] = flag.tables.into();
    }
    read
}

fn time_zone(text: &str) -> Value {
    match TimeZoneReading::of(text) {
        TimeZoneReading::Minutes(minutes) => json!({ "minutes": minutes }),
        error => json!({"error": error.to_string()}),
    }
}

fn assert_unterminated(options: &ServerOptions<'_>, expected: &Value, id: &str) {
    let ignores = expected["device_ignores"].as_array().map(|keys| keys[0].as_str().unwrap());
    let warnings: Vec<&str> = expected["warnings"]
        .as_array()
        .map_or_else(Vec::new, |list| list.iter().map(|warning| warning.as_str().unwrap()).collect());
    match ignores {
        Some(key) => assert_eq!(options.unterminated, Some(key), "{id}"),
        None => assert_eq!(options.unterminated.is_some(), warnings.contains(&"no_final_newline"), "{id}"),
    }
    if warnings.contains(&"no_time_zone") {
        assert_eq!(options.value("TimeZone"), None, "{id}");
    }
}

/// H25: the bits of a template that many servers copied, by name.
#[test]
fn trans_flag_bits_have_names() {
    let sample = Sample::all().into_iter().find(|sample| sample.id == "H24").unwrap();
    let options = ServerOptions::parse(&sample.body).unwrap();
    // Ten characters: the two tables behind them are on.
    let tables = ["AttLog", "OpLog", "AttPhoto", "EnrollFP", "WORKCODE", "BioPhoto"];
    assert_eq!(options.trans_flag().unwrap().tables, tables);
}

/// A line ends at LF, CR LF or a lone CR; the block read is the same.
#[test]
fn an_option_block_may_end_its_lines_in_any_way() {
    let read = |eol: &str| {
        let text = ["GET OPTION FROM: X1", "Stamp=7", "Delay=10", ""].join(eol);
        let options = ServerOptions::parse(text.as_bytes()).unwrap();
        let pairs: Vec<_> = options.pairs.iter().map(|(k, v)| format!("{k}={v}")).collect();
        (options.serial.to_owned(), pairs, options.ignored.len(), options.unterminated.is_some())
    };
    let expected = ("X1".to_owned(), vec!["Stamp=7".to_owned(), "Delay=10".to_owned()], 0, false);
    assert_eq!([read("\n"), read("\r\n"), read("\r")], [expected.clone(), expected.clone(), expected]);
}
