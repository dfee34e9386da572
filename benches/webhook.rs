//! Signing and verifying one event: the bare HMAC is the machine's limit.

use core::hint::black_box;

use chrono::{DateTime, Utc};
use criterion::{Criterion, Throughput, criterion_group, criterion_main};
use hmac::{Hmac, KeyInit as _, Mac as _};
use punch_normalize::EventId;
use punch_webhook::{Secret, Signer, Verifier};
use sha2::Sha256;

const SECRET: &str = "whsec_MfKQ9r8GKYqrTwjUPD8ILPZIo2LaLaSw";
const BODY: [u8; 460] = [b'x'; 460];
const TIME: u64 = 1_774_684_033;

fn now() -> DateTime<Utc> {
    i64::try_from(TIME).ok().and_then(|seconds| DateTime::from_timestamp(seconds, 0)).unwrap_or_default()
}

fn sign(criterion: &mut Criterion) -> Result<(), Box<dyn core::error::Error>> {
    let (signer, id) = (Signer::new(&Secret::new(SECRET)?), EventId::parse("evt_0123456789abcdefghjkmnpqrs")?);
    let keyed = Hmac::<Sha256>::new_from_slice(SECRET.as_bytes())?;
    let mut group = criterion.benchmark_group("webhook/sign_460_bytes");
    group.throughput(Throughput::Bytes(460));
    group.bench_function("bare_hmac", |bencher| {
        bencher.iter(|| keyed.clone().chain_update(black_box(BODY)).finalize().into_bytes());
    });
    group.bench_function("punchconnect", |bencher| bencher.iter(|| signer.punchconnect(black_box(&BODY))));
    group.bench_function("standard", |bencher| bencher.iter(|| signer.standard(&id, TIME, black_box(&BODY))));
    group.bench_function("all_headers", |bencher| bencher.iter(|| signer.headers(&id, black_box(&BODY), now())));
    group.finish();
    Ok(())
}

fn verify(criterion: &mut Criterion) -> Result<(), Box<dyn core::error::Error>> {
    let (secret, id) = (Secret::new(SECRET)?, EventId::parse("evt_0123456789abcdefghjkmnpqrs")?);
    let verifier = Verifier::new(&secret);
    let signed = Signer::new(&secret).headers(&id, &BODY, now());
    verifier.verify_standard(signed.iter(), &BODY, now())?;
    verifier.verify_punchconnect(signed.iter(), &BODY)?;
    let mut group = criterion.benchmark_group("webhook/verify_460_bytes");
    group.throughput(Throughput::Bytes(460));
    group.bench_function("punchconnect", |bencher| {
        bencher.iter(|| verifier.verify_punchconnect(signed.iter(), black_box(&BODY)).is_ok());
    });
    group.bench_function("standard", |bencher| {
        bencher.iter(|| verifier.verify_standard(signed.iter(), black_box(&BODY), now()).is_ok());
    });
    group.finish();
    Ok(())
}

fn all(criterion: &mut Criterion) {
    for group in [sign, verify] {
        if let Err(error) = group(criterion) {
            // A bench that cannot start must not look like one that is fast.
            unreachable!("{error}");
        }
    }
}

criterion_group!(benches, all);
criterion_main!(benches);
