//! `punch-normalize`: from a row to a punch with a time, an identity and a verdict.

use punch_normalize::{DeviceZone, Normalizer, Observation, Rules, TenantKey, Verdict};
use punch_protocol::{Pin, RawPunch, SerialNumber, Status, civil};

fn main() -> Result<(), Box<dyn std::error::Error>> {
    let serial = SerialNumber::parse("CZKE2241600045")?;
    let received_at = "2026-03-28T14:50:00Z".parse()?;
    // One key per tenant, one set of rules per terminal. A key is made once, at random, and kept.
    let mut normalizer = Normalizer::new(TenantKey::new([7; 32]));
    let rules = Rules::new(DeviceZone::parse("America/Mexico_City")?);

    // A punch, the same finger 20 s later, the first row sent again, a dead clock.
    for time in ["2026-03-28 08:47:12", "2026-03-28 08:47:32", "2026-03-28 08:47:12", "2000-01-01 00:00:07"] {
        let mut raw = RawPunch::new(serial.clone(), Pin::new(b"1042").into_owned(), civil::parse(time.as_bytes())?);
        raw.status = Some(Status::CHECK_IN);
        match normalizer.observe(&rules, Observation::new(raw, received_at)) {
            Verdict::Fresh(punch) => println!("fresh {} {} {}", punch.event_id, punch.local_time, punch.direction),
            Verdict::Duplicate { of, kind, .. } => println!("{} of {of}", kind.as_str()),
            Verdict::Held { reason, .. } => println!("held: {reason}"),
        }
    }
    Ok(())
}
