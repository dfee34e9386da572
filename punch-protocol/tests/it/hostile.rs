//! Requests nobody should send: none panics, none is acknowledged unread, none takes for ever.

use proptest::collection::vec;
use proptest::prelude::*;
use punch_protocol::push::{Endpoint, Info, Limits, ParseError, Parts, Query, Request, Row, RowErrorKind, Upload};

use crate::fuzzed;
use crate::samples::Sample;

fn upload<'a>(query: &'a str, body: &'a [u8], limits: &Limits) -> Upload<'a> {
    match Request::parse(Parts::new("POST", "/iclock/cdata", query, body), limits) {
        Ok((_, Request::Upload(upload))) => upload,
        other => panic!("{other:?}"),
    }
}

fn percent_encode(text: &str) -> String {
    text.bytes().map(|byte| format!("%{byte:02x}")).collect()
}

proptest! {
    #[test]
    fn no_request_panics(data in prop_oneof![
        vec(any::<u8>(), 0..300),
        "(GET|POST) /iclock/(cdata|edata|fdata|getrequest|devicecmd|ping|file)(\\.aspx)?\\?SN=[A-Z0-9%.]{0,9}(&(table|options|Stamp|INFO|type|PIN|AuthType|pushver|count)=[a-zA-Z0-9%,. ]{0,12}){0,4}\n(.|\n){0,80}"
            .prop_map(String::into_bytes),
    ]) {
        fuzzed::request(&data);
    }

    #[test]
    fn no_answer_panics(data in prop_oneof![
        vec(any::<u8>(), 0..300),
        "200\nGET OPTION FROM: ?[A-Z0-9]{0,5}(\n|\r\n|\r)((TransFlag|TimeZone|Delay|ErrorDelay|Stamp)=(TransData )?[-+:A-Za-z0-9\t ]{0,20}(\n|\r\n|\r)?){0,6}"
            .prop_map(String::into_bytes),
    ]) {
        fuzzed::server_answer(&data);
    }

    #[test]
    fn no_query_panics(text in any::<String>(), name in "\\PC{0,4}") {
        let query = Query::parse(&text);
        prop_assert_eq!(query.get(&name), query.all(&name).next());
        prop_assert!(query.number(&name).is_none_or(|number| query.get(&name).unwrap().contains(&number.to_string())));
        let info = Info::parse(&text);
        prop_assert!(info.firmware.is_none_or(|firmware| text.starts_with(&firmware)));
    }

    #[test]
    fn an_encoded_query_reads_back(pairs in vec(("\\PC{1,6}", any::<String>()), 0..5)) {
        let text: Vec<String> = pairs.iter().map(|(k, v)| format!("{}={}", percent_encode(k), percent_encode(v))).collect();
        let text = text.join("&");
        let query = Query::parse(&text);
        for (name, _) in &pairs {
            let values: Vec<&str> =
                pairs.iter().filter(|(k, _)| k.eq_ignore_ascii_case(name)).map(|(_, v)| v.as_str()).collect();
            prop_assert_eq!(query.all(name).collect::<Vec<_>>(), values);
        }
    }

    /// H18, A10: whatever base path an operator typed, with or without `.aspx`.
    #[test]
    fn the_endpoint_is_the_last_segment(base in "(/[A-Za-z0-9._~%-]{0,8}){0,4}", upper in any::<bool>()) {
        for endpoint in Endpoint::ALL {
            for suffix in ["", ".aspx", ".ASPX", "/", ".aspx/"] {
                let name = endpoint.as_str();
                let name = if upper { name.to_uppercase() } else { name.to_owned() };
                let path = format!("{base}/{name}{suffix}");
                prop_assert_eq!(Endpoint::of(&path), Some(endpoint), "{}", path);
                for stranger in [format!("{base}/{name}x"), format!("{base}/x{name}{suffix}"), format!("{base}/{name}.php")] {
                    prop_assert_eq!(Endpoint::of(&stranger), None, "{}", stranger);
                }
            }
        }
    }

    /// The parameters of a terminal: what is joined by commas or lines reads back.
    #[test]
    fn options_read_back(pairs in vec(("~?[A-Za-z0-9_]{1,8}", "[A-Za-z0-9 :./-]{0,10}(,[ .:-][a-z]{0,3})?"), 1..6), eol in any::<bool>()) {
        let text: Vec<String> = pairs.iter().map(|(key, value)| format!("{key}={value}")).collect();
        let body = text.join(if eol { ",\n" } else { "," });
        let upload = upload("SN=T1&table=options", body.as_bytes(), &Limits::default());
        let read: Vec<_> = upload.options().pairs().map(|(k, v)| (k.into_owned(), v.into_owned())).collect();
        prop_assert_eq!(read, pairs);
    }
}

/// I8: a body cut by a dropped connection is refused at every length but the whole one.
#[test]
fn a_truncated_body_is_refused_at_every_cut() {
    let mut cuts = 0;
    for sample in Sample::all().iter().filter(|sample| sample.from_terminal && sample.id.starts_with(['A', 'O', 'B'])) {
        let declared = u64::try_from(sample.body.len()).unwrap();
        for got in 0..sample.body.len() {
            let mut parts = sample.parts();
            parts.body = &sample.body[..got];
            parts.declared_length = Some(declared);
            let error = Request::parse(parts, &Limits::default()).unwrap_err();
            assert_eq!(error, ParseError::TruncatedBody { declared, got });
            assert_eq!((error.status(), error.reason()), (400, "truncated_body"));
            cuts += 1;
        }
        let mut parts = sample.parts();
        parts.declared_length = Some(declared);
        assert!(Request::parse(parts, &Limits::default()).is_ok(), "{}", sample.id);
    }
    assert!(cuts > 3000, "{cuts}");
}

#[test]
fn limits_are_the_last_size_accepted() {
    let limits = Limits { body: 40, query: 30, line: 10, ..Limits::default() };
    let parse = |query: &str, body: &[u8]| {
        Request::parse(Parts::new("POST", "/iclock/cdata", query, body), &limits).map(|_| ()).map_err(|e| e.code())
    };
    let long = format!("SN=T1&table={}", "x".repeat(19));
    assert_eq!(parse(&long[..30], &[b'x'; 40]), Ok(()));
    assert_eq!(parse(&long, &[]), Err("PP-PUSH-007"));
    assert_eq!(parse("SN=T1", &[b'x'; 41]), Err("PP-PUSH-005"));

    let upload = upload("SN=T1&table=unknown", b"0123456789\n0123456789a\nb", &limits);
    let rows: Vec<_> = upload.rows().collect();
    let [Ok(Row::Unknown(b"0123456789")), Err(error), Ok(Row::Unknown(b"b"))] = rows.as_slice() else {
        panic!("{rows:?}")
    };
    assert_eq!((error.kind, error.line, error.column, error.span.clone()), (RowErrorKind::TooLong, 2, 11, 11..22));
    assert_eq!(upload.ack().to_string(), "OK: 3");
}

/// Bodies of the largest size that would take hours if any reader looked at a byte more than a few times.
#[test]
fn the_largest_bodies_are_read_in_one_pass() {
    let size = Limits::default().body;
    let commas = [b"key=", ",".repeat(size - 10).as_bytes(), b"!"].concat();
    let options = upload("SN=T1&table=options", &commas, &Limits::default()).options();
    assert_eq!(options.pairs().count(), 1);

    let line = format!("FP PIN=1{}", " TMP=".repeat(200_000));
    let body = vec![line; 8].join("\n");
    let upload = upload("SN=T1&table=OPERLOG", body.as_bytes(), &Limits::default());
    for row in upload.rows() {
        let Ok(Row::Tagged(row)) = row else { panic!("{row:?}") };
        assert_eq!(row.pairs().count(), 2);
    }
}
