use core::hint::black_box;

use punch_benches::{attlog_body, event_body, naive_rows};
use punch_protocol::push::{Limits, Parts, Request, Row, Rows};

/// Iterating an upload of 10,000 rows and reading what matters of each allocates nothing at all.
#[test]
fn rows_are_read_without_allocating() {
    let body = attlog_body(10_000);
    let parts = Parts::new("POST", "/iclock/cdata", "SN=VGU6262600120&table=ATTLOG&Stamp=9999", body.as_bytes());
    let Ok((_, Request::Upload(upload))) = Request::parse(parts, &Limits::default()) else { panic!() };
    let mut read = 0;
    let used = allocation_counter::measure(|| {
        for row in upload.rows() {
            let Ok(Row::Punch(row)) = row else { panic!() };
            black_box((row.pin(), row.time().unwrap(), row.status().unwrap(), row.verify().unwrap()));
            read += 1;
        }
    });
    assert_eq!((read, used.count_total, used.bytes_total), (10_000, 0, 0));
}

/// The same for access events: the values every reader asks for, and any other.
#[test]
fn events_are_read_without_allocating() {
    let body = event_body(10_000);
    let mut read = 0;
    let used = allocation_counter::measure(|| {
        for row in Rows::of("rtlog", body.as_bytes()) {
            let Ok(Row::Event(row)) = row else { panic!() };
            black_box((row.pin(), row.time().unwrap(), row.event().unwrap(), row.status().unwrap()));
            black_box((row.verify().unwrap(), row.value("linkid").unwrap()));
            read += 1;
        }
    });
    assert_eq!((read, used.count_total), (10_000, 0));
}

/// The request around it allocates for its own parts only: as often for one row as for many.
#[test]
fn a_request_allocates_the_same_for_one_row_and_for_many() {
    let count = |rows: u32| {
        let body = attlog_body(rows);
        let parts = Parts::new("POST", "/iclock/cdata", "SN=VGU6262600120&table=ATTLOG&Stamp=9999", body.as_bytes());
        let used = allocation_counter::measure(|| drop(black_box(Request::parse(parts, &Limits::default()))));
        assert!(used.count_total > 0, "nothing is counted");
        used.count_total
    };
    assert_eq!(count(1), count(10_000));
}

/// The counter counts: the naive parser allocates for every row.
#[test]
fn the_naive_parser_allocates_for_every_row() {
    let body = attlog_body(1000);
    let used = allocation_counter::measure(|| assert!(naive_rows(&body).all(|row| black_box(row).is_some())));
    assert!(used.count_total >= 2000, "{}", used.count_total);
}
