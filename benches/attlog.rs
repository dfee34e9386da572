//! Reading attendance rows: ours, the machine's limit (counting the line ends), and the naive way.

use core::hint::black_box;

use criterion::measurement::WallTime;
use criterion::{BenchmarkGroup, Criterion, Throughput, criterion_group, criterion_main};
use punch_benches::{CAPTURE, attlog_body, naive_rows};
use punch_protocol::push::{Limits, Parts, Request, Row, Rows};

/// What an application needs of each row.
fn read(rows: Rows<'_, '_>) -> u64 {
    let mut sum = 0_u64;
    for row in rows {
        let Ok(Row::Punch(row)) = row else { continue };
        let (Ok(time), Some(status), Some(verify)) = (row.time(), row.status(), row.verify()) else { continue };
        let numbers = u64::from(status.0).wrapping_add(u64::from(verify.0));
        sum = sum.wrapping_add(numbers).wrapping_add(time.and_utc().timestamp().unsigned_abs());
        sum = sum.wrapping_add(u64::from(row.pin().as_bytes().first().copied().unwrap_or(0)));
    }
    sum
}

fn read_naively(body: &str) -> u64 {
    let mut sum = 0_u64;
    for (pin, time, status, verify) in naive_rows(body).flatten() {
        let (Some(status), Some(verify)) = (status, verify) else { continue };
        let numbers = u64::from(status).wrapping_add(u64::from(verify));
        sum = sum.wrapping_add(numbers).wrapping_add(time.and_utc().timestamp().unsigned_abs());
        sum = sum.wrapping_add(u64::from(pin.as_bytes().first().copied().unwrap_or(0)));
    }
    sum
}

fn compare(group: &mut BenchmarkGroup<'_, WallTime>, body: &str) {
    assert_eq!(read(Rows::of("ATTLOG", body.as_bytes())), read_naively(body), "the two readers disagree");
    group.throughput(Throughput::Bytes(u64::try_from(body.len()).unwrap_or(u64::MAX)));
    group.bench_function("line_count", |bencher| {
        bencher.iter(|| memchr::memchr_iter(b'\n', black_box(body.as_bytes())).count());
    });
    group.bench_function("punch", |bencher| {
        bencher.iter(|| read(Rows::of("ATTLOG", black_box(body.as_bytes()))));
    });
    group.bench_function("naive", |bencher| bencher.iter(|| read_naively(black_box(body))));
}

fn rows(criterion: &mut Criterion) {
    let mut group = criterion.benchmark_group("attlog/10000_rows");
    compare(&mut group, &attlog_body(10_000));
    group.finish();
    let mut group = criterion.benchmark_group("attlog/capture_10000_rows");
    compare(&mut group, &CAPTURE.repeat(5000));
    group.finish();
}

/// One punch, from the parts of its HTTP request to its fields.
fn request(criterion: &mut Criterion) {
    let body = attlog_body(1);
    let query = "SN=VGU6262600120&table=ATTLOG&Stamp=9999";
    criterion.bench_function("attlog/request_with_one_row", |bencher| {
        bencher.iter(|| {
            let parts = Parts::new("POST", "/iclock/cdata", black_box(query), black_box(body.as_bytes()));
            match Request::parse(parts, &Limits::default()) {
                Ok((_, Request::Upload(upload))) => read(upload.rows()),
                _ => 0,
            }
        });
    });
}

criterion_group!(benches, rows, request);
criterion_main!(benches);
