//! `punch-webhook`: sign a body, verify it, read it.

use chrono::{DateTime, TimeDelta, Utc};
use punch_normalize::EventId;
use punch_webhook::{ReceivedEvent, Secret, Signer, Verifier};

fn main() -> Result<(), Box<dyn std::error::Error>> {
    let now: DateTime<Utc> = "2026-03-28T14:47:13Z".parse()?;
    let secret = Secret::from_random([7; 32]); // real bytes come from the system's generator
    let body = br#"{"event_id":"evt_1","employee_id":"0042","timestamp":"2026-03-28T14:47:12Z","punch_type":"in"}"#;

    let headers = Signer::new(&secret).headers(&EventId::parse("evt_1")?, body, now);
    for (name, value) in headers.iter() {
        println!("{name}: {value}");
    }

    let verifier = Verifier::new(&secret);
    let event = verifier.verify(headers.iter(), body, now)?.event()?;
    if let ReceivedEvent::Punch(punch) = &event {
        println!("{} {} {}", punch.badge, punch.at, punch.direction);
    }
    let changed = verifier.verify(headers.iter(), b"{}", now);
    println!("{}", changed.map_or_else(|error| error.to_string(), |_| "verified".to_owned()));
    let late = verifier.verify(headers.iter(), body, now + TimeDelta::minutes(6));
    println!("{}", late.map_or_else(|error| error.to_string(), |_| "verified".to_owned()));
    Ok(())
}
