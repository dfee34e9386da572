//! A body that arrives in pieces costs the memory of one cut row, however long it is.

use core::hint::black_box;

use allocation_counter::AllocationInfo;
use punch_benches::short_attlog_body;
use punch_protocol::push::{Finished, Limits, Parts, Request, Row, RowStream, Streamed, UploadHead};

const BODY: usize = 64 << 20;

fn head(query: &str, limits: &Limits) -> UploadHead {
    Request::streamed(Parts::new("POST", "/iclock/cdata", query, b""), limits).unwrap().unwrap().1
}

/// Reads `piece` again and again until 64 MB have passed, and says what that took.
fn stream(query: &str, limits: &Limits, piece: &[u8]) -> (AllocationInfo, Finished) {
    let head = head(query, limits);
    let mut finished = None;
    let used = allocation_counter::measure(|| {
        let mut stream = RowStream::new(&head);
        let mut sink = |seen: Streamed<'_>| {
            black_box(&seen);
        };
        for _ in 0..BODY / piece.len() {
            stream.feed(piece, &mut sink).unwrap();
        }
        finished = Some(stream.finish(&mut sink).unwrap());
    });
    assert_eq!(used.bytes_current, 0);
    (used, finished.unwrap())
}

/// 64 MB of punches in pieces that cut a row each: the one buffer for it is all there is.
#[test]
fn punches_need_one_row_of_memory() {
    let rows = short_attlog_body(2000);
    // 35 divides no power of two, so each piece begins inside another row.
    let piece = &rows.as_bytes()[..(64 << 10) - 1];
    let (used, finished) = stream("SN=T1&table=ATTLOG", &Limits::default(), piece);
    assert!(finished.lines > 1_900_000 && finished.dropped == 0, "{finished:?}");
    assert_eq!((used.bytes_max, used.count_total), (64, 1));
}

/// Rows that lie in their piece are read where they lie.
#[test]
fn rows_of_a_stream_are_read_without_allocating() {
    let rows = short_attlog_body(1000);
    let head = head("SN=T1&table=ATTLOG", &Limits::default());
    let mut read = 0;
    let used = allocation_counter::measure(|| {
        let mut stream = RowStream::new(&head);
        let mut sink = |seen: Streamed<'_>| {
            let Streamed::Row { row: Row::Punch(row), .. } = seen else { panic!() };
            black_box((row.pin(), row.time().unwrap(), row.status().unwrap(), row.verify().unwrap()));
            read += 1;
        };
        for _ in 0..10 {
            stream.feed(rows.as_bytes(), &mut sink).unwrap();
        }
        stream.finish(&mut sink).unwrap();
    });
    assert_eq!((read, used.count_total), (10_000, 0));
}

/// 64 MB of templates, the whole body one row or many: they pass and leave nothing.
#[test]
fn templates_need_no_memory() {
    let template = vec![b'A'; 60 << 10];
    let row = [b"\nBIOPHOTO PIN=7\tFileName=7.jpg\tType=9\tSize=61440\tContent=", template.as_slice()].concat();
    for (piece, lines) in [(row.as_slice(), BODY / row.len()), (template.as_slice(), 1)] {
        let limits = Limits::default();
        let head = head("SN=T1&table=OPERLOG", &limits);
        let mut finished = None;
        let used = allocation_counter::measure(|| {
            let mut stream = RowStream::new(&head);
            let mut sink = |seen: Streamed<'_>| assert!(matches!(seen, Streamed::Row { .. }));
            stream.feed(&row[..60], &mut sink).unwrap();
            for _ in 0..(BODY / piece.len() - 1) {
                stream.feed(piece, &mut sink).unwrap();
            }
            finished = Some(stream.finish(&mut sink).unwrap());
        });
        let finished = finished.unwrap();
        assert_eq!(usize::try_from(finished.lines).unwrap(), lines);
        assert!(finished.dropped > BODY / 100 * 98, "{finished:?}");
        assert!(used.bytes_max <= 512, "{} bytes", used.bytes_max);
    }
}

/// A picture of 64 MB leaves its header.
#[test]
fn a_picture_needs_its_header() {
    let limits = Limits::default();
    let head = head("SN=T1&table=ATTPHOTO", &limits);
    let piece = vec![0xff; 64 << 10];
    let used = allocation_counter::measure(|| {
        let mut stream = RowStream::new(&head);
        let mut sink = |seen: Streamed<'_>| assert!(matches!(seen, Streamed::Picture { header: Some(_), .. }));
        stream.feed(b"PIN=20260328084712-22.jpg\nSN=T1\nsize=9\nCMD=uploadphoto\0", &mut sink).unwrap();
        for _ in 0..BODY / piece.len() - 1 {
            stream.feed(&piece, &mut sink).unwrap();
        }
        assert!(stream.finish(&mut sink).unwrap().dropped > BODY / 100 * 99);
    });
    assert!(used.bytes_max <= 256, "{} bytes", used.bytes_max);
}

/// One line of 64 MB: as much as a row may have, and half of that again while the buffer grows.
#[test]
fn a_line_without_an_end_needs_the_limit() {
    let limits = Limits::default();
    let (used, finished) = stream("SN=T1&table=ATTLOG", &limits, &vec![b'x'; 64 << 10]);
    assert_eq!((finished.lines, finished.errors, finished.bytes), (1, 1, BODY));
    let max = usize::try_from(used.bytes_max).unwrap();
    assert!(max >= limits.line && max <= limits.line + limits.line / 2, "{max} bytes");
}
