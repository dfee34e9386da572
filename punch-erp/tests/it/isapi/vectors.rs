//! The vectors `ISA-…`.

use bytes::Bytes;
use punch_erp::isapi::{AcsEventQuery, FindAcsEvents, IsapiRules, MultipartReader, Part, boundary_of, read_push};
use punch_erp::passage::Reading;
use punch_erp::{Endpoint as _, HttpResponse};
use punch_normalize::DeviceZone;
use punch_protocol::SerialNumber;
use serde_json::{Value, json};

use super::world::{World, local};
use crate::hikcentral::vectors::{Vector, each, told};

fn rules(config: &Value) -> IsapiRules {
    let mut rules = IsapiRules::new(SerialNumber::parse(config["device_id"].as_str().unwrap()).unwrap());
    rules.passage.zone = Some(DeviceZone::parse(config["device_tz"].as_str().unwrap()).unwrap());
    rules.device_name = config["device_name"].as_str().map(Into::into);
    rules
}

fn word(reading: &Reading) -> Value {
    match reading {
        Reading::Punch(passage) => {
            let mut told = told(passage);
            told["backlog"] = passage.is_backlog.into();
            told
        }
        other => json!({ "disposition": other.word(), "reason": other.reason() }),
    }
}

fn push(vector: &Vector, body: &str) -> Vec<Value> {
    let readings = read_push(&vector.content_type, body.as_bytes(), &rules(&vector.config)).unwrap();
    readings.iter().map(word).collect()
}

/// ISA-02 to ISA-14: S1-007.
#[test]
fn events() {
    each("isapi_event", 8, |vector| {
        assert_eq!(json!(push(vector, &vector.input.to_string())), json!([vector.expect]), "{}", vector.id);
    });
}

/// ISA-20: the picture's bytes look like the end of a part.
#[test]
fn parts_with_a_picture() {
    each("isapi_multipart", 1, |vector| {
        assert_eq!(json!(push(vector, &vector.input_text)), vector.expect);
        let boundary = boundary_of(&vector.content_type).unwrap();
        let parts = MultipartReader::new(&boundary).feed(vector.input_text.as_bytes()).unwrap();
        assert_eq!(parts.iter().filter(|part| **part == Part::Picture).count(), 1);
    });
}

/// ISA-21, ISA-22.
#[test]
fn xml() {
    each("isapi_xml", 2, |vector| {
        match read_push(&vector.content_type, vector.input_text.as_bytes(), &rules(&vector.config)) {
            Ok(readings) => assert_eq!(word(&readings[0]), vector.expect),
            Err(error) => assert_eq!(json!({ "disposition": "error", "reason": error.reason() }), vector.expect),
        }
    });
}

/// ISA-31, and the request that is answered so.
#[test]
fn search_results() {
    each("isapi_acsevent_response", 1, |vector| {
        let world = World::with(|_| {});
        let query = AcsEventQuery::new(local("00:00:00"), local("23:59:59"), "b3b8c0b2");
        let call = FindAcsEvents::new(&world.terminal, query, 0);
        let page = call.response(&HttpResponse::new(Bytes::from(vector.input.to_string()))).unwrap();
        let punches: Vec<_> = page.readings(&rules(&vector.config)).iter().map(word).collect();
        let found = json!({ "punches": punches, "more": page.has_more(), "next_position_delta": page.count() });
        assert_eq!(found, vector.expect);
        let request = call.request();
        assert_eq!(request.uri().path_and_query().unwrap(), "/ISAPI/AccessControl/AcsEvent?format=json");
        let body: Value = serde_json::from_slice(request.body()).unwrap();
        let wanted = json!({ "AcsEventCond": {
            "searchID": "b3b8c0b2", "searchResultPosition": 0, "maxResults": 30, "major": 5, "minor": 0,
            "startTime": "2026-03-28T00:00:00+01:00", "endTime": "2026-03-28T23:59:59+01:00",
        } });
        assert_eq!(body, wanted);
    });
}
