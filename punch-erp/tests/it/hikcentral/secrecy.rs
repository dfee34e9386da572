//! Canaries: no secret, no id of a person, no health data in any `Debug`, error text or quarantine.

use punch_erp::hikcentral::{GetPerson, KeepSubscribed, Subscription, read_notification};
use punch_erp::passage::{PersonKey, PersonScheme, Reading};
use punch_erp::{Flow as _, Step, render_masked};
use serde_json::json;

use super::world::{SECRET, World, local, settings};
use crate::hikcentral_server::DoorEvent;

#[test]
fn nothing_shows_a_secret_or_a_person() {
    let mut world = World::new();
    let mut event = DoorEvent::face("p1", local("08:00:00"), "canary-person", "7");
    event.card = "canary-card".into();
    world.server.happen(event);
    let read = world.read_day().unwrap();
    let key = PersonKey::new(PersonScheme::PersonId, "canary-person").unwrap();
    let call = GetPerson::new(&world.site.clone(), key.clone(), world.stamp());
    let stamp = world.stamp();
    let shown = format!("{:?} {read:?} {key:?} {call:?} {:?} {stamp:?}", settings(), world.site);
    assert!(!shown.contains("canary") && !shown.contains(SECRET), "{shown}");
    assert!(read.readings[0].passage().unwrap().raw().pin.as_bytes() == b"canary-person");
}

#[test]
fn a_dry_run_shows_no_token() {
    let mut world = World::new();
    let wanted = Subscription::new(vec![196_893], "https://mw.example.com/hik/events").unwrap();
    let stamp = world.stamp();
    let mut flow = KeepSubscribed::new(&world.site, wanted, Some("canary-token".into()), stamp);
    let mut shown = String::new();
    while let Step::Send(request) = flow.poll() {
        shown += &render_masked(&request);
        flow.handle(world.send(&request));
    }
    assert!(shown.contains(r#""token":"***""#) && !shown.contains("canary-token"), "{shown}");
}

/// Health data, pictures and identity documents are nobody's business, even of an event that cannot be read.
#[test]
fn quarantine_keeps_no_health_and_no_picture() {
    let body = json!({ "params": { "ability": "event_acs", "events": [{
        "eventId": "x", "eventType": 196_893, "happenTime": "never", "srcIndex": "7", "data": {
            "personId": "11", "personName": "canary", "temperatureData": "canary", "picUri": "canary",
            "ExtEventIdentityCardInfo": { "IdNum": "canary" } } }] } });
    let readings = read_notification(body.to_string().as_bytes(), &World::new().rules).unwrap();
    let Reading::Quarantined { raw, reason, .. } = &readings[0] else { panic!("it has no time") };
    assert_eq!(reason.as_str(), "bad_time");
    assert!(raw.contains("\"srcIndex\":\"7\"") && !raw.contains("canary"), "{raw}");
}
