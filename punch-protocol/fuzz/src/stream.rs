use core::ops::Range;

use punch_protocol::push::{
    Finished, Limits, Pair, ParseError, Parts, PhotoHeader, Request, Row, RowErrorKind, RowStream, Streamed, UploadHead,
};

/// The tables that the first byte of [`stream`] picks from.
const TABLES: [&str; 10] =
    ["ATTLOG", "OPERLOG", "rtlog", "", "unknown", "ATTPHOTO", "tabledata", "rtstate", "FINGERTMP", "BIODATA"];

/// A body that comes in pieces. The first byte picks the table, the second how the body is cut, the third the limits.
pub fn stream(data: &[u8]) {
    let [table, cut, line, body @ ..] = data else { return };
    let query = match TABLES[usize::from(*table) % TABLES.len()] {
        "" => "SN=T1".to_owned(),
        table => format!("SN=T1&table={table}&tablename=user&count=1"),
    };
    let narrow = Limits { fields: 5, pairs: 4, ..Limits::default() };
    let limits = if line % 2 == 1 { narrow } else { Limits::default() };
    let limits = if *line < 2 { limits } else { Limits { line: usize::from(*line), ..limits } };
    let mut parts = Parts::new("POST", "/iclock/cdata", &query, body);
    parts.declared_length = u64::try_from(body.len()).ok();
    let Some((_, head)) = Request::streamed(parts, &limits).expect("an upload") else {
        assert!(body.is_empty());
        return;
    };
    let streamed = read(&head, [body]);
    assert_eq!(read(&head, pieces(body, *cut)), streamed, "where the body is cut makes a difference");
    match (Request::parse(parts, &limits), streamed) {
        (Err(whole), Err(streamed)) => assert_eq!(whole, streamed),
        (Ok((_, Request::Upload(upload))), Ok((found, finished))) => {
            assert_eq!(upload.ack(), head.ack(finished.lines));
            if upload.table().is_picture() {
                check_picture(&found, finished, body, &limits);
            } else {
                check_spans(&found, finished, body);
                check_rows(&found, upload.rows().collect(), &limits);
            }
        }
        (whole, streamed) => panic!("{whole:?} came as {streamed:?}"),
    }
    parts.declared_length = u64::try_from(body.len() + 1).ok();
    let (_, head) = Request::streamed(parts, &limits).expect("an upload").expect("an upload");
    assert!(read(&head, [body]).is_err(), "a truncated body was read");
}

/// What a stream gave, owned. Values of templates are left out.
#[derive(Debug, Clone, PartialEq, Eq)]
enum Found {
    Row { fields: Vec<Vec<u8>>, line: u32, span: Range<usize>, dropped: usize },
    Error { kind: RowErrorKind, line: u32, column: u32, span: Range<usize>, raw: Vec<u8> },
    Picture { header: Option<(String, Option<u64>, usize)>, dropped: usize },
}

fn read<'a>(
    head: &UploadHead,
    pieces: impl IntoIterator<Item = &'a [u8]>,
) -> Result<(Vec<Found>, Finished), ParseError> {
    let mut stream = RowStream::new(head);
    let mut found = Vec::new();
    let mut sink = |seen: Streamed<'_>| found.push(Found::of(&seen));
    for piece in pieces {
        stream.feed(piece, &mut sink)?;
    }
    let finished = stream.finish(&mut sink)?;
    Ok((found, finished))
}

/// Cuts `body` into equal pieces, or into pieces of changing lengths, empty ones too.
fn pieces(body: &[u8], cut: u8) -> impl Iterator<Item = &[u8]> {
    let (mut rest, mut state) = (body, u32::from(cut) | 1);
    core::iter::from_fn(move || {
        if rest.is_empty() {
            return None;
        }
        state = state.wrapping_mul(747_796_405).wrapping_add(2_891_336_453);
        let varied = usize::try_from(state >> 16).unwrap_or(0) % (usize::from(cut & 31) + 2);
        let len = if cut < 64 { usize::from(cut) + 1 } else { varied };
        let (piece, tail) = rest.split_at(len.min(rest.len()));
        rest = tail;
        Some(piece)
    })
}

impl Found {
    fn of(seen: &Streamed<'_>) -> Self {
        match seen {
            Streamed::Row { row, line, span, dropped, .. } => {
                assert_eq!(template_bytes(row), 0, "a template came through");
                Self::Row { fields: fields(row), line: *line, span: span.clone(), dropped: *dropped }
            }
            Streamed::Error(error) => Self::Error {
                kind: error.kind,
                line: error.line,
                column: error.column,
                span: error.span.clone(),
                raw: error.raw.to_vec(),
            },
            Streamed::Picture { header, dropped, .. } => Self::Picture {
                header: header.as_ref().map(|header| (header.file_name.to_owned(), header.size, header.picture_len)),
                dropped: *dropped,
            },
            other => panic!("{other:?}"),
        }
    }

    fn span(&self) -> Range<usize> {
        match self {
            Self::Row { span, .. } | Self::Error { span, .. } => span.clone(),
            Self::Picture { .. } => panic!("a picture among rows"),
        }
    }
}

/// What a row consists of, without the values of templates.
fn fields(row: &Row<'_>) -> Vec<Vec<u8>> {
    let pair = |pair: Pair<'_>| {
        let value = if pair.is_biometric() { b"" } else { pair.value };
        [pair.key, b"=", value].concat()
    };
    match row {
        Row::Punch(row) => (0..row.field_count()).filter_map(|at| row.field(at)).map(<[u8]>::to_vec).collect(),
        Row::Event(row) => row.pairs().map(|pair| [pair.key, b"=", pair.value].concat()).collect(),
        Row::Operation(row) => {
            let first =
                [row.code().to_string().into_bytes(), row.operator().as_bytes().to_vec(), row.time_raw().to_vec()];
            first.into_iter().chain(row.objects().map(<[u8]>::to_vec)).collect()
        }
        Row::Tagged(row) => core::iter::once(row.tag().into()).chain(row.pairs().map(pair)).collect(),
        Row::Record(row) => core::iter::once(row.table().unwrap_or("-").into()).chain(row.pairs().map(pair)).collect(),
        Row::Unknown(line) => vec![line.to_vec()],
        other => panic!("{other:?}"),
    }
}

fn template_bytes(row: &Row<'_>) -> usize {
    let count = |pair: Pair<'_>| if pair.is_biometric() { pair.value.len() } else { 0 };
    match row {
        Row::Tagged(row) => row.pairs().map(count).sum(),
        Row::Record(row) => row.pairs().map(count).sum(),
        _ => 0,
    }
}

/// Every byte of the body belongs to one row or error, or to a line end.
fn check_spans(found: &[Found], finished: Finished, body: &[u8]) {
    let ends = |gap: Range<usize>| body[gap].iter().all(|byte| matches!(byte, b'\n' | b'\r'));
    let mut last = 0;
    for span in found.iter().map(Found::span) {
        assert!(!span.is_empty() && ends(last..span.start), "bytes of no row");
        assert!(!body[span.clone()].iter().any(|byte| matches!(byte, b'\n' | b'\r')));
        assert!(last == 0 || last < span.start, "two rows without a line end between them");
        last = span.end;
    }
    assert!(ends(last..body.len()), "bytes of no row");
    let dropped: usize =
        found.iter().map(|found| if let Found::Row { dropped, .. } = found { *dropped } else { 0 }).sum();
    let errors = found.iter().filter(|found| matches!(found, Found::Error { .. })).count();
    assert_eq!((finished.bytes, usize::try_from(finished.lines)), (body.len(), Ok(found.len())));
    assert_eq!(usize::try_from(finished.errors), Ok(errors));
    assert!(finished.dropped >= dropped);
}

/// The same rows and errors as a reading of the whole body, but for templates and what they make too long.
fn check_rows(found: &[Found], rows: Vec<Result<Row<'_>, punch_protocol::push::RowError<'_>>>, limits: &Limits) {
    assert_eq!(found.len(), rows.len());
    for (found, row) in found.iter().zip(rows) {
        match (found, row) {
            (Found::Row { fields: read, dropped, .. }, Ok(row)) => {
                assert_eq!((read, *dropped), (&fields(&row), template_bytes(&row)));
            }
            (Found::Row { span, dropped, .. }, Err(error)) => {
                assert_eq!((error.kind, &error.span), (RowErrorKind::TooLong, span));
                assert!(span.len() - dropped <= limits.line);
            }
            (Found::Error { kind, line, column, span, raw }, Err(error)) => {
                let same =
                    *kind == error.kind || (error.kind, *kind) == (RowErrorKind::TooLong, RowErrorKind::TooManyFields);
                assert!(same && (*line, span) == (error.line, &error.span), "{kind:?} {error:?}");
                match kind {
                    RowErrorKind::TooLong => assert!(raw.len() == limits.line && *column == error.column),
                    RowErrorKind::TooManyFields => {}
                    _ => assert!(raw == error.raw && *column == error.column),
                }
            }
            (found, row) => panic!("{found:?} is {row:?}"),
        }
    }
}

/// The text before a picture reads as in a whole body; what is behind it is counted.
fn check_picture(found: &[Found], finished: Finished, body: &[u8], limits: &Limits) {
    assert_eq!(finished.bytes, body.len());
    assert!(finished.dropped <= body.len());
    match found {
        [] => assert!(body.is_empty()),
        [Found::Picture { header, dropped }] => {
            assert_eq!(*dropped, finished.dropped);
            let whole =
                PhotoHeader::parse(body).map(|header| (header.file_name.to_owned(), header.size, header.picture_len));
            assert!(*header == whole || (header.is_none() && body.len() > limits.picture_head));
        }
        found => panic!("{found:?}"),
    }
}
