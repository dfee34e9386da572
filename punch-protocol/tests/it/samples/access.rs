//! R01 to R39 from the terminal: registration, events, doors, stored records, queries, questions.

use punch_protocol::civil::Written;
use punch_protocol::push::{
    DoorState, EncodedTime, KeyedRow, Limits, Parts, QueryPage, RecordRow, Request, Row, RowErrorKind, Rows, Upload,
};
use serde_json::{Map, Value, json};

use super::{Sample, assert_fields, lossy};

#[test]
fn every_request_of_an_access_terminal_reads_as_the_samples_say() {
    let mut kinds = [0; 6];
    for sample in Sample::of('R', true) {
        let (id, expected) = (&sample.id, &sample.expected);
        let kind = match sample.request() {
            Request::Upload(upload) => {
                assert_upload(&sample, &upload);
                0
            }
            Request::QueryPage(page) => {
                assert_page(&sample, &page);
                1
            }
            Request::Registry(options) => {
                assert_fields(id, &expected["options"], |key| options.value(key).as_deref().into());
                assert_eq!(expected["kind"], "registry");
                2
            }
            Request::Configuration(call) => {
                assert_eq!(
                    (&expected["kind"], call.token.as_deref()),
                    (&json!("push_config_request"), expected["token"].as_str())
                );
                3
            }
            Request::Exchange(kind) => {
                assert_eq!(expected["kind"], format!("exchange_{kind}"), "{id}");
                4
            }
            Request::BackgroundCheck(check) => {
                let event = check.event().unwrap();
                assert_fields(id, &expected["record"], |key| event_field(&event, key));
                assert_eq!((&expected["kind"], check.kind.as_str()), (&json!("auth_device"), "device"));
                5
            }
            other => panic!("{id}: {other:?}"),
        };
        kinds[kind] += 1;
        // What is answered to a registration and to a question at the door is the operator's to say.
        if kind < 2 {
            sample.assert_answer("ack");
        }
    }
    assert_eq!(kinds, [16, 4, 1, 1, 1, 1]);
}

fn assert_upload(sample: &Sample, upload: &Upload<'_>) {
    let (id, expected) = (&sample.id, &sample.expected);
    let (rows, errors): (Vec<_>, Vec<_>) = upload.rows().partition(Result::is_ok);
    let rows: Vec<Row<'_>> = rows.into_iter().flatten().collect();
    let empty = Vec::new();
    assert_fields(id, expected, |key| match key {
        "kind" => upload.table().as_str().to_ascii_lowercase().into(),
        "table" => sample.query.split('&').find_map(|pair| pair.strip_prefix("tablename=")).into(),
        "records" => {
            let wanted = expected["records"].as_array().unwrap_or(&empty);
            assert_eq!(rows.len(), wanted.len(), "{id}");
            for (row, wanted) in rows.iter().zip(wanted) {
                assert_fields(id, wanted, |key| row_field(row, key));
            }
            expected["records"].clone()
        }
        "lenient_records" => errors
            .iter()
            .map(|error| super::lenient::event(error.as_ref().unwrap_err(), &expected["lenient_records"]))
            .collect(),
        "separator" => {
            let commas = rows.iter().all(|row| matches!(row, Row::Event(event) if event.is_comma_separated()));
            if commas { "comma".into() } else { Value::Null }
        }
        "doors" => state(&rows).doors().iter().map(door).collect(),
        "ack" => upload.ack().to_string().into(),
        "time" | "sensor" | "relay" | "alarm" | "door" => state(&rows).value(key).map(lossy).into(),
        unknown => panic!("{id}: nothing reads {unknown}"),
    });
}

fn state<'r, 'a>(rows: &'r [Row<'a>]) -> &'r KeyedRow<'a> {
    let [Row::Event(state)] = rows else { panic!("{rows:?}") };
    state
}

fn door(door: &DoorState) -> Value {
    json!({"sensor": door.sensor.to_string(), "relay": door.relay, "alarms": door.alarms().collect::<Vec<_>>()})
}

fn row_field(row: &Row<'_>, key: &str) -> Value {
    match row {
        Row::Event(event) => event_field(event, key),
        Row::Record(record) => record_field(record, key),
        other => panic!("{other:?}"),
    }
}

fn event_field(event: &KeyedRow<'_>, key: &str) -> Value {
    match key {
        "time" => event.time().ok().map(|time| Written(time).to_string()).into(),
        "event" => event.event().map(|event| event.0).into(),
        "inoutstatus" | "maskflag" => event.value(key).map(|value| lossy(value).parse::<u32>().unwrap()).into(),
        "verify_methods" => event.verify_bits().unwrap().methods().collect::<Vec<_>>().into(),
        "trigger_event" => event.trigger_event().map(|event| event.0).into(),
        other => event.value(other).map(lossy).into(),
    }
}

fn record_field(record: &RecordRow<'_>, key: &str) -> Value {
    let value = |wanted: &str| {
        record
            .pairs()
            .find(|pair| pair.key.eq_ignore_ascii_case(wanted.as_bytes()))
            .map(|pair| pair.text().into_owned())
    };
    match key {
        "time" => {
            let packed = EncodedTime(value("time_second").unwrap().parse().unwrap());
            Written(packed.civil().unwrap()).to_string().into()
        }
        "eventtype" | "inoutstate" => value(key).unwrap().parse::<u32>().unwrap().into(),
        other => value(other).into(),
    }
}

fn assert_page(sample: &Sample, page: &QueryPage<'_>) {
    let (id, expected) = (&sample.id, &sample.expected);
    let records: Vec<RecordRow<'_>> = page.records().collect();
    assert!(page.package().is_none() && page.counted().is_none(), "{id}");
    assert_fields(id, expected, |key| match key {
        "kind" => "querydata".into(),
        "type" => page.kind.as_str().into(),
        "cmd_id" => page.command.as_deref().into(),
        "table" => page.table.as_str().into(),
        "url_count" => page.count.into(),
        "pack_cnt" => page.pages.into(),
        "pack_idx" => page.page.into(),
        "record_count" => records.len().into(),
        "records" => {
            for (record, wanted) in records.iter().zip(expected["records"].as_array().unwrap()) {
                assert_fields(id, wanted, |key| record_field(record, key));
            }
            expected["records"].clone()
        }
        "options" => page
            .options()
            .pairs()
            .map(|(key, value)| (key.into_owned(), Value::from(value.into_owned())))
            .collect::<Map<_, _>>()
            .into(),
        "warnings" => {
            assert_ne!(usize::try_from(page.count).unwrap(), records.len(), "{id}");
            json!(["count_mismatch"])
        }
        // Compared with what a server answers.
        "ack" | "ack_note" => expected[key].clone(),
        unknown => panic!("{id}: nothing reads {unknown}"),
    });
}

/// R16 and its kin: two bits of sensor, one of relay, a byte of alarms for each door, door 1 first.
#[test]
fn the_state_of_several_doors_is_read() {
    let doors = |pairs: &str| {
        let body = format!("time=2017-01-10 15:42:40\t{pairs}");
        let mut rows = Rows::of("rtstate", body.as_bytes());
        let Some(Ok(Row::Event(state))) = rows.next() else { panic!("{pairs}") };
        state.doors().iter().map(door).collect::<Vec<_>>()
    };
    let quiet = json!({"sensor": "none", "relay": false, "alarms": []});
    assert_eq!(doors("sensor=00\trelay=00\talarm=0000000000000000"), core::slice::from_ref(&quiet));
    let two = doors("sensor=09\trelay=02\talarm=0110000000000000");
    assert_eq!(two[0], json!({"sensor": "closed", "relay": false, "alarms": ["forced open"]}));
    assert_eq!(two[1], json!({"sensor": "open", "relay": true, "alarms": ["left open"]}));
    assert_eq!(two.len(), 2);
    assert_eq!(doors("sensor=00\trelay=00\talarm=0000000000000000\tdoor=02"), [quiet.clone(), quiet]);
}

/// A package is told by its format, and its bytes are not taken for records; a count is a number.
#[test]
fn packages_and_counts_are_no_records() {
    let page = |query: &'static str, body: &'static [u8]| match Request::parse(
        Parts::new("POST", "/iclock/querydata", query, body),
        &Limits::default(),
    ) {
        Ok((_, Request::QueryPage(page))) => page,
        other => panic!("{other:?}"),
    };
    let packed = page(
        "SN=T1&tablename=user&count=1&type=tabledata&datafmt=3",
        b"name=user.tgz\nsize=6\ndatacode=base64\ndatatype=tgz\0H4sI\nAA=",
    );
    let header = packed.package().unwrap();
    assert_eq!((header.name, header.size, header.encoding, header.kind), ("user.tgz", Some(6), "base64", "tgz"));
    assert_eq!((header.content, packed.records().count()), (&b"H4sI\nAA="[..], 0));
    assert_eq!(page("SN=T1&tablename=user&count=1&type=tabledata", b"name=x\0y").package(), None, "the format decides");
    assert_eq!(page("SN=T1&tablename=user&count=1&type=count", b"user=5").counted(), Some(5));
    assert_eq!(page("SN=T1&tablename=user&count=1&type=tabledata", b"user=5").counted(), None);
    let list = b"[APList]\nSSID=[x]\tRSSI=3\n";
    assert_eq!(page("SN=T1&tablename=user&count=1&type=vmtable", list).records().count(), 1, "a title is no record");
    assert_eq!(page("SN=T1&tablename=user&count=1&type=tabledata", list).records().count(), 2);
}

/// R14: commas and positions are an error unless a guess is asked for.
#[test]
fn positions_and_commas_are_no_event() {
    let error = Rows::of("rtlog", b"2025-01-31 12:00:00,0,123456,1,0,0").next().unwrap().unwrap_err();
    assert_eq!(error.kind, RowErrorKind::NotPositional);
}
