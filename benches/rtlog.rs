//! Reading access events: ours, the machine's limit (finding the separators), and the naive way.

use core::hint::black_box;

use criterion::{Criterion, Throughput, criterion_group, criterion_main};
use punch_benches::{count_separators, event_body, read_events, read_events_naively};

fn events(criterion: &mut Criterion) {
    let body = event_body(10_000);
    assert_eq!(read_events(body.as_bytes()), read_events_naively(&body), "the two readers disagree");
    let mut group = criterion.benchmark_group("rtlog/10000_rows");
    group.throughput(Throughput::Bytes(u64::try_from(body.len()).unwrap_or(u64::MAX)));
    group.bench_function("separators", |bencher| bencher.iter(|| count_separators(black_box(body.as_bytes()))));
    group.bench_function("punch", |bencher| bencher.iter(|| read_events(black_box(body.as_bytes()))));
    group.bench_function("naive", |bencher| bencher.iter(|| read_events_naively(black_box(&body))));
    group.finish();
}

criterion_group!(benches, events);
criterion_main!(benches);
