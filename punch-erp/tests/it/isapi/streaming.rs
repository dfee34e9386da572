//! A body that comes in pieces: the same parts however it is cut, and of a picture nothing is held.

use http::header::CONTENT_TYPE;
use proptest::prelude::*;
use punch_erp::isapi::{
    AlertStream, DigestChallenge, DigestSession, MultipartReader, OpenAlertStream, Part, boundary_of,
};
use punch_erp::passage::Reading;

use super::world::{World, local, rules};
use crate::isapi_server::{AcsEvent, Form};

fn stream(form: Form) -> (String, Vec<u8>) {
    let mut world = World::with(|_| {});
    for (time, employee) in [("08:00:00", "1"), ("08:01:00", "2"), ("08:02:00", "3")] {
        world.server.happen(AcsEvent::face(local(time), employee, "checkIn"), Form::Json);
    }
    let (kind, body) = world.server.stream(form);
    (boundary_of(&kind).unwrap(), body)
}

fn parts(boundary: &str, pieces: &[&[u8]]) -> Vec<Part> {
    let mut reader = MultipartReader::new(boundary);
    pieces.iter().flat_map(|piece| reader.feed(piece).unwrap()).collect()
}

#[test]
fn events_come_out_of_the_stream_and_heartbeats_are_told_apart() {
    for form in [Form::Json, Form::Xml, Form::PartsWithoutLength] {
        let (boundary, body) = stream(form);
        let mut reader = AlertStream::new(&boundary, rules());
        let mut readings = Vec::new();
        for byte in body.chunks(1) {
            readings.extend(reader.feed(byte).unwrap());
        }
        let passed: Vec<_> = readings.iter().filter_map(Reading::passage).collect();
        assert_eq!((readings.len(), passed.len(), reader.unreadable()), (6, 3, 0), "{form:?}");
        assert!(passed.iter().all(|passage| passage.is_backlog), "what is told later is a backlog");
        assert!(!reader.is_over());
    }
}

#[test]
fn a_part_that_cannot_be_read_costs_no_other() {
    let mut reader = AlertStream::new("x", rules());
    let part = |body: &str| {
        format!("--x\r\nContent-Type: application/json\r\nContent-Length: {}\r\n\r\n{body}\r\n", body.len())
    };
    let text = [part("never"), part(r#"{"eventType":"heartBeat"}"#), "--x--".to_owned()].concat();
    assert_eq!(reader.feed(text.as_bytes()).unwrap().len(), 1);
    assert_eq!((reader.unreadable(), reader.is_over()), (1, true));
}

#[test]
fn a_picture_of_any_size_is_held_nowhere() {
    for head in ["Content-Type: image/jpeg\r\nContent-Length: 50000000\r\n\r\n", "Content-Type: image/jpeg\r\n\r\n"] {
        let mut reader = MultipartReader::new("x");
        reader.feed(format!("--x\r\n{head}").as_bytes()).unwrap();
        let (bytes, mut parts) = (vec![0xd8; 1_000_000], Vec::new());
        for _ in 0..50 {
            parts.extend(reader.feed(&bytes).unwrap());
            assert!(reader.held() <= 16, "{} bytes of a picture", reader.held());
        }
        let rest = b"\r\n--x\r\nContent-Type: text/plain\r\nContent-Length: 1\r\n\r\nA\r\n--x--";
        parts.extend(reader.feed(rest).unwrap());
        assert_eq!(parts, [Part::Picture, Part::Event("A".into())]);
    }
}

#[test]
fn what_is_too_long_is_refused_before_it_is_held() {
    let text = |head: &str| format!("--x\r\n{head}\r\n\r\n");
    let mut reader = MultipartReader::new("x");
    let head = text("Content-Type: application/json\r\nContent-Length: 5000000");
    assert_eq!(reader.feed(head.as_bytes()).unwrap_err().code(), "PE-SRC-002");
    let mut reader = MultipartReader::new("x");
    reader.feed(text("Content-Type: application/json").as_bytes()).unwrap();
    let refused = (0..10).any(|_| reader.feed(&vec![b'a'; 1 << 20]).is_err());
    assert!(refused && reader.held() < 6 << 20);
    let mut reader = MultipartReader::new("x");
    assert!(reader.feed(format!("--x\r\nX: {}", "a".repeat(20_000)).as_bytes()).is_err());
}

/// There is one stream; who comes second searches.
#[test]
fn the_stream_is_opened_with_a_login_and_a_second_one_is_refused() {
    let mut world = World::with(|_| {});
    world.faces(3);
    let call = OpenAlertStream::new(&world.terminal);
    let refused = world.server.answer(&call.request());
    let mut session = DigestSession::new(DigestChallenge::of(refused.headers()).unwrap());
    let mut open = |world: &mut World| {
        let mut request = call.request();
        world.terminal.log_in(&mut request, &mut session, "0a4f113b");
        world.server.answer(&request)
    };
    let opened = open(&mut world);
    let boundary = boundary_of(opened.headers()[CONTENT_TYPE].to_str().unwrap()).unwrap();
    let mut stream = AlertStream::new(&boundary, rules());
    let passed = stream.feed(opened.body()).unwrap().iter().filter_map(Reading::passage).count();
    assert_eq!((opened.status().as_u16(), passed), (200, 3));
    assert_eq!(open(&mut world).status(), 503);
    assert_eq!(world.search().unwrap().readings.len(), 3);
    world.server.close_stream();
    assert_eq!(open(&mut world).status(), 401, "the search had a login of its own");
}

proptest! {
    /// Any cut of the same bytes gives the same parts.
    #[test]
    fn any_cut_gives_the_same_parts(mut cuts in proptest::collection::vec(0usize..6000, 0..12), form in 0usize..3) {
        let (boundary, body) = stream([Form::Json, Form::Xml, Form::PartsWithoutLength][form]);
        cuts.iter_mut().for_each(|cut| *cut = (*cut).min(body.len()));
        cuts.extend([0, body.len()]);
        cuts.sort_unstable();
        let pieces: Vec<&[u8]> = cuts.windows(2).map(|cut| &body[cut[0]..cut[1]]).collect();
        prop_assert_eq!(parts(&boundary, &pieces), parts(&boundary, &[&body]));
    }

    /// No bytes of a stranger make it panic or hold more than it may.
    #[test]
    fn no_bytes_panic(pieces in proptest::collection::vec("(--x|\r\n|\n|-|Content-(Length|Type): [0-9a-z/]{0,9}|[ -~]{0,9}){0,9}", 0..9)) {
        let mut reader = AlertStream::new("x", rules());
        for piece in &pieces {
            if reader.feed(piece.as_bytes()).is_err() {
                break;
            }
        }
    }
}
