//! Bodies that come in pieces: wherever they are cut, the rows are those of the whole body.

use proptest::collection::vec;
use proptest::prelude::*;
use proptest::sample::select;
use punch_protocol::push::{
    Finished, Limits, ParseError, Parts, Request, Row, RowErrorKind, RowStream, Streamed, UploadHead,
};

use crate::fuzzed;

/// What makes rows of people, fingers and pictures, and what comes between.
const PIECES: [&str; 31] = [
    "FP PIN=1",
    "FP ",
    "FACE PIN=1\tFID=0",
    "BIODATA Pin=1\tNo=0",
    "BIOPHOTO PIN=1\tFileName=1.jpg",
    "USERPIC PIN=1",
    "USER PIN=1\tName=Ana Luz",
    "IDCARD PIN=1\tPhoto=",
    "OPLOG 4\t0\t2026-03-28 08:47:12",
    "templatev10 size=4\tuid=1",
    "biophoto pin=1",
    "ATTPHOTO",
    "PIN=20260328084712-1.jpg\nSN=T1\nsize=4\nCMD=uploadphoto\0",
    "\u{0}",
    "\tTMP=TG9yZW0=",
    "\tValid=1 TMP=TG9y",
    " TMP=",
    " TM",
    "\tTmp=",
    "\tContent=",
    "\ttemplate=",
    "\tphoto=",
    "\tvalid=1",
    "\t2026-03-28 08:47:12",
    "\t",
    "=",
    "1042\t2026-03-28 08:47:12\t0\t1\t\t0\t0",
    "time=2026-03-28 08:47:12\tpin=7\tevent=0",
    "\n",
    "\r\n",
    "\r",
];

fn body() -> impl Strategy<Value = Vec<u8>> {
    let piece = prop_oneof![
        8 => select(&PIECES[..]).prop_map(|piece| piece.as_bytes().to_vec()),
        1 => vec(any::<u8>(), 0..5),
        1 => Just(vec![0xff, 0xd8, 0xff]),
        1 => Just(b"LZO1".to_vec()),
    ];
    vec(piece, 0..40).prop_map(|pieces| pieces.concat())
}

proptest! {
    #![proptest_config(ProptestConfig::with_cases(2000))]

    /// Rows, errors, lines, columns, spans and counts; templates left out, and every byte accounted for.
    #[test]
    fn pieces_give_what_the_whole_gives(
        table in 0_u8..10, cut in any::<u8>(), limits in prop_oneof![0_u8..2, any::<u8>()], body in body(),
    ) {
        fuzzed::stream(&[&[table, cut, limits], body.as_slice()].concat());
    }
}

fn head(query: &str, limits: &Limits) -> UploadHead {
    let parts = Parts::new("POST", "/iclock/cdata", query, b"");
    let (serial, head) = Request::streamed(parts, limits).unwrap().unwrap();
    assert_eq!(serial.as_str(), "T1");
    head
}

/// What a stream gives, as text.
fn read<'a>(
    head: &UploadHead,
    pieces: impl IntoIterator<Item = &'a [u8]>,
) -> Result<(Vec<String>, Finished), ParseError> {
    let mut seen = Vec::new();
    let mut sink = |item: Streamed<'_>| {
        seen.push(match item {
            Streamed::Row { row: Row::Tagged(row), line, span, dropped, .. } => {
                let pairs = row.pairs().map(|p| format!("{}={}", p.key.escape_ascii(), p.value.escape_ascii()));
                format!("{line} {span:?} {} {} -{dropped}", row.tag(), pairs.collect::<Vec<_>>().join(","))
            }
            Streamed::Row { row: Row::Unknown(row), line, span, .. } => {
                format!("{line} {span:?} {}", row.escape_ascii())
            }
            Streamed::Error(error) => format!("{error:?} {}", error.raw.escape_ascii()),
            Streamed::Picture { header, dropped, .. } => {
                format!("{:?} -{dropped}", header.map(|header| (header.pin().map(str::to_owned), header.size)))
            }
            other => panic!("{other:?}"),
        });
    };
    let mut stream = RowStream::new(head);
    for piece in pieces {
        stream.feed(piece, &mut sink)?;
    }
    let finished = stream.finish(&mut sink)?;
    Ok((seen, finished))
}

#[test]
fn templates_are_counted_and_the_rest_of_the_row_is_kept() {
    let head = head("SN=T1&table=OPERLOG", &Limits::default());
    let body =
        b"FP PIN=7\tFID=1\tSize=8\tValid=1 TMP=TG9yZW0=\r\n\r\nFACE PIN=7\tTMP=AAAA\tValid=1\nUSER PIN=7\tName=A\n";
    let expected = [
        "1 0..42 FP PIN=7,FID=1,Size=8,Valid=1,TMP= -8",
        "3 46..73 FACE PIN=7,TMP=,Valid=1 -4",
        "4 74..91 USER PIN=7,Name=A -0",
    ];
    for len in 1..=body.len() {
        let (seen, finished) = read(&head, body.chunks(len)).unwrap();
        assert_eq!(seen, expected, "pieces of {len}");
        assert_eq!((finished.bytes, finished.lines, finished.errors, finished.dropped), (92, 3, 0, 12));
    }
    assert_eq!(head.ack(3).to_string(), "OK: 3");
}

#[test]
fn a_line_over_the_limit_is_one_error_and_its_template_does_not_count() {
    let limits = Limits { line: 30, ..Limits::default() };
    let head = head("SN=T1&table=OPERLOG", &limits);
    let template = "A".repeat(1000);
    let body = format!("FP PIN=7\tTMP={template}\tValid=1\nUSER PIN=7\tName=aaaaaaaaaaaaaaaaaaa\nUSER PIN=8\n");
    for len in 1..=body.len() {
        let (seen, finished) = read(&head, body.as_bytes().chunks(len)).unwrap();
        assert_eq!(seen[0], "1 0..1021 FP PIN=7,TMP=,Valid=1 -1000", "pieces of {len}");
        let error = "RowError { kind: TooLong, table: \"OPERLOG\", line: 2, column: 31, span: 1022..1057, .. }";
        assert_eq!(seen[1], format!("{error} USER PIN=7\\tName=aaaaaaaaaaaaaa"));
        assert_eq!(seen[2], "3 1058..1068 USER PIN=8 -0");
        assert_eq!((finished.lines, finished.errors), (3, 1));
    }
}

/// Under ATTLOG a time in second place makes a punch of anything; what has a tag and no time has templates.
#[test]
fn templates_among_punches_are_counted_too() {
    let limits = Limits { line: 50, ..Limits::default() };
    let head = head("SN=T1&table=ATTLOG", &limits);
    let template = "A".repeat(1000);
    let body = format!(
        "FP PIN=7\tTMP={template}\tValid=1\nFP PIN=7\t2026-03-28 08:47:120\tTMP={template}\nFP PIN=7\tTMP={template}"
    );
    for len in 1..=body.len() {
        let (seen, finished) = read(&head, body.as_bytes().chunks(len)).unwrap();
        let expected = [
            "1 0..1021 FP PIN=7,TMP=,Valid=1 -1000",
            "2 1022..2056 FP PIN=7,2026-03-28 08:47:120=,TMP= -1000",
            "3 2057..3070 FP PIN=7,TMP= -1000",
        ];
        assert_eq!(seen, expected, "pieces of {len}");
        assert_eq!(finished.dropped, 3000);
    }
    let mut stream = RowStream::new(&head);
    let mut sink = |seen: Streamed<'_>| assert!(matches!(seen, Streamed::Row { row: Row::Punch(_), dropped: 0, .. }));
    b"FP PIN=7\t2026-03-28 08:47:12\tTMP=AAAA".chunks(3).for_each(|piece| stream.feed(piece, &mut sink).unwrap());
    assert_eq!(stream.finish(&mut sink).unwrap().lines, 1);
}

#[test]
fn a_picture_is_counted_and_its_header_is_read() {
    let head = head("SN=T1&table=ATTPHOTO&Stamp=9999", &Limits::default());
    for end in [&b"\0"[..], b""] {
        let text = [&b"PIN=20260328084712-22.jpg\nSN=T1\nsize=8\nCMD=uploadphoto"[..], end].concat();
        let body = [&text[..], &[0xff, 0xd8, 0xff, 0, b'\n', b'\r', 0xff, 0xd9]].concat();
        for len in 1..=body.len() {
            let (seen, finished) = read(&head, body.chunks(len)).unwrap();
            assert_eq!(seen, ["Some((Some(\"22\"), Some(8))) -8"], "pieces of {len}");
            assert_eq!((finished.bytes, finished.lines, finished.dropped), (body.len(), 0, 8));
        }
    }
    assert_eq!(head.ack(0).to_string(), "OK");
}

#[test]
fn the_text_before_a_picture_has_a_limit() {
    let text = b"PIN=20260328084712-22.jpg\0";
    let seen = |limit: usize| {
        let limits = Limits { picture_head: limit, ..Limits::default() };
        read(&head("SN=T1&table=ATTPHOTO", &limits), [&text[..], b"1234"]).unwrap().0
    };
    assert_eq!(seen(text.len()), ["Some((Some(\"22\"), None)) -4"]);
    assert_eq!(seen(text.len() - 1), [format!("None -{}", text.len() + 4)]);
}

#[test]
fn a_body_that_breaks_off_is_refused_with_its_last_row() {
    let mut parts = Parts::new("POST", "/iclock/cdata", "SN=T1&table=unknown", b"");
    parts.declared_length = Some(8);
    let (_, head) = Request::streamed(parts, &Limits::default()).unwrap().unwrap();
    assert_eq!(read(&head, [&b"abc\ndefg"[..]]).unwrap().0, ["1 0..3 abc", "2 4..8 defg"]);
    assert_eq!(read(&head, [&b"abc\ndef"[..]]), Err(ParseError::TruncatedBody { declared: 8, got: 7 }));
}

#[test]
fn a_stream_has_a_limit_of_its_own() {
    let limits = Limits { body: 1, stream: 5, ..Limits::default() };
    let head = head("SN=T1&table=unknown", &limits);
    assert_eq!(read(&head, [&b"abc"[..], b"de"]).unwrap().0, ["1 0..5 abcde"]);
    let refused = ParseError::BodyTooLarge { len: 6, limit: 5 };
    assert_eq!(read(&head, [&b"abc"[..], b"def"]), Err(refused.clone()));
    let mut parts = Parts::new("POST", "/iclock/cdata", "SN=T1&table=unknown", b"");
    parts.declared_length = Some(6);
    assert_eq!(Request::streamed(parts, &limits).unwrap_err(), refused);

    let mut stream = RowStream::new(&head);
    assert_eq!(stream.feed(b"abcdef", &mut |_| {}), Err(refused.clone()));
    assert_eq!(stream.feed(b"", &mut |_| {}), Err(refused.clone()), "a refused body goes on");
    assert_eq!(stream.finish(&mut |_| {}), Err(refused));
}

#[test]
fn a_packed_body_is_refused_wherever_it_is_cut() {
    let head = head("SN=T1&table=ATTLOG", &Limits::default());
    let body = b"LZO1\x40\0\0\0packed";
    for len in 1..body.len() {
        assert_eq!(read(&head, body.chunks(len)), Err(ParseError::PackedBody { plain_len: 64 }));
    }
    // Seven bytes are no header, and "LZO" is a PIN like any other.
    let (seen, _) = read(&head, [&b"LZO1"[..], b"\x40\0\0"]).unwrap();
    assert!(seen[0].ends_with("LZO1@\\x00\\x00"), "{seen:?}");
    let rows = b"LZO\t2026-03-28 08:47:12";
    let mut punches = 0;
    let mut stream = RowStream::new(&head);
    let mut sink = |seen: Streamed<'_>| {
        let Streamed::Row { row: Row::Punch(row), .. } = seen else { panic!("{seen:?}") };
        assert_eq!(row.pin().as_bytes(), b"LZO");
        punches += 1;
    };
    rows.chunks(2).for_each(|piece| stream.feed(piece, &mut sink).unwrap());
    stream.finish(&mut sink).unwrap();
    assert_eq!(punches, 1);
}

#[test]
fn only_uploads_of_rows_and_pictures_are_streamed() {
    let streamed = |method: &str, path: &str, query: &str, declared: Option<u64>| {
        let mut parts = Parts::new(method, path, query, b"");
        parts.declared_length = declared;
        Request::streamed(parts, &Limits::default()).unwrap().is_some()
    };
    for query in ["SN=T1&table=ATTLOG", "SN=T1&table=ATTPHOTO", "SN=T1&table=tabledata&count=1", "SN=T1"] {
        assert!(streamed("POST", "/iclock/cdata", query, None), "{query}");
        assert!(streamed("POST", "/iclock/edata", query, Some(9)), "{query}");
    }
    assert!(!streamed("POST", "/iclock/cdata", "SN=T1", Some(0)));
    for query in ["SN=T1&table=options", "SN=T1&options=all", "SN=T1&FPImage=1", "SN=T1&table=ATTLOG&ContentType=tgz"] {
        assert!(!streamed("POST", "/iclock/cdata", query, Some(9)), "{query}");
    }
    for path in ["/iclock/devicecmd", "/iclock/registry", "/iclock/getrequest", "/iclock/querydata"] {
        assert!(!streamed("POST", path, "SN=T1", Some(9)), "{path}");
    }
    assert!(!streamed("GET", "/iclock/cdata", "SN=T1", None));
    let parts = Parts::new("POST", "/iclock/cdata", "table=ATTLOG", b"");
    assert_eq!(Request::streamed(parts, &Limits::default()).unwrap_err(), ParseError::MissingSerial);
}

#[test]
fn the_head_says_what_the_query_says() {
    let query = "SN=T1&table=tabledata&tablename=user&count=12&Stamp=7&CmdId=3";
    let head = head(query, &Limits::default());
    assert_eq!((head.record_table(), head.announced()), (Some("user"), Some(12)));
    assert_eq!((head.stamp(), head.command(), head.ack(0).to_string()), (Some("7"), Some("3"), "user=12".to_owned()));
    assert_eq!((head.table().as_str(), *head.limits()), ("tabledata", Limits::default()));
}

/// The last width accepted, and the first that is not.
#[test]
fn fields_and_pairs_have_limits() {
    let limits = Limits { fields: 4, pairs: 3, ..Limits::default() };
    let rows = |table: &str, row: &str| {
        let query = format!("SN=T1&table={table}");
        let parts = Parts::new("POST", "/iclock/cdata", &query, row.as_bytes());
        let (_, request) = Request::parse(parts, &limits).unwrap();
        let Request::Upload(upload) = request else { panic!("{request:?}") };
        let mut rows = upload.rows();
        let row = rows.next().unwrap();
        row.map(|_| ()).map_err(|error| (error.kind, error.column, error.raw.len()))
    };
    let cases = [
        ("ATTLOG", "1\t2026-03-28 08:47:12\t0\t1", "\t0"),
        ("OPERLOG", "OPLOG 4\t0\t2026-03-28 08:47:12\t1", "\t0"),
        ("OPERLOG", "USER PIN=1\tName=A\tPri=0", "\tCard="),
        ("rtlog", "time=2026-03-28 08:47:12\tpin=1\tevent=0", "\tindex=1"),
        ("rtlog", "time=2026-03-28 08:47:12,pin=1,event=0", ",index=1"),
        ("tabledata", "user uid=1\tpin=1\tname=A", "\tgroup=1"),
    ];
    for (table, row, more) in cases {
        assert_eq!(rows(table, row), Ok(()), "{row}");
        let wide = format!("{row}{more}");
        assert_eq!(rows(table, &wide), Err((RowErrorKind::TooManyFields, 1, wide.len())), "{wide}");
    }
    assert_eq!(rows("unknown", "\t\t\t\t\t\t\t"), Ok(()), "nobody knows what such fields are");
}
