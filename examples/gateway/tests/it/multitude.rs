//! Many people at many sites: nothing is lost, nothing is doubled, and a receiver sees no difference.

use std::collections::{BTreeMap, BTreeSet};

use gateway::config::{Batch, Config, EndpointConfig};
use punch_webhook::PayloadFormat;
use serde_json::Value;

use crate::harness::{Recorder, Site, device, endpoint};

fn everything_in_lists(receiver: &Recorder) -> EndpointConfig {
    let mut config = endpoint(&receiver.url(), PayloadFormat::Nested);
    config.options.batch = Some(Batch::default());
    config
}

fn with_devices(count: usize, endpoint: EndpointConfig) -> impl FnOnce(&mut Config) {
    move |config| {
        let terminals = (0..count).map(|number| {
            let mut terminal = device(&format!("M{number:04}"));
            terminal.site = format!("Site {number}");
            terminal
        });
        config.devices = terminals.collect();
        config.endpoints.push(endpoint);
    }
}

/// Every event that came, whether alone or in a list.
fn events(receiver: &Recorder) -> Vec<Value> {
    let unpacked = receiver.seen().into_iter().flat_map(|seen| match seen.json() {
        Value::Array(events) => events,
        event => vec![event],
    });
    unpacked.collect()
}

/// S0-081, S2-082: 25,000 people at 60 sites punch twice within a quarter of an hour.
#[tokio::test(flavor = "multi_thread", worker_threads = 2)]
async fn twenty_five_thousand_people_at_sixty_sites_come_and_go_and_each_is_told_once() {
    const PEOPLE: usize = 25_000;
    const SITES: usize = 60;
    let receiver = Recorder::always(200).await;
    let site = Site::start(with_devices(SITES, everything_in_lists(&receiver))).await;
    for (state, minutes) in [(0, 0), (1, 10)] {
        for number in 0..SITES {
            let people = (number..PEOPLE).step_by(SITES);
            let row = |person: usize| {
                let (minute, second) = (minutes + person % 300 / 60, person % 60);
                format!("{}\t2026-03-28 08:{minute:02}:{second:02}\t{state}\t1\n", 100_000 + person)
            };
            let rows: String = people.map(row).collect();
            let answer = site.upload(&format!("M{number:04}"), "ATTLOG", &rows).await;
            assert_eq!(answer.body, format!("OK: {}", rows.lines().count()));
        }
    }
    site.delivered_all().await;
    let mut told = BTreeMap::<String, Vec<String>>::new();
    let mut ids = BTreeSet::new();
    for event in events(&receiver) {
        let badge = event["employee"]["badge_number"].as_str().unwrap().to_owned();
        told.entry(badge).or_default().push(event["punch"]["direction"].as_str().unwrap().to_owned());
        ids.insert(event["event_id"].as_str().unwrap().to_owned());
    }
    assert_eq!((told.len(), ids.len()), (PEOPLE, 2 * PEOPLE), "nobody and no punch is missing");
    assert!(told.values().all(|directions| *directions == ["in", "out"]), "each once, and in order");
}

/// The members of a value, and of those in it, without what they say.
fn shape(value: &Value) -> String {
    match value {
        Value::Object(members) => {
            let members: Vec<String> = members.iter().map(|(name, value)| format!("{name}:{}", shape(value))).collect();
            format!("{{{}}}", members.join(","))
        }
        Value::Array(_) => "list".to_owned(),
        Value::String(_) => "text".to_owned(),
        Value::Number(_) => "number".to_owned(),
        Value::Bool(_) => "switch".to_owned(),
        Value::Null => "null".to_owned(),
    }
}

/// S0-079: a receiver sees the same of one terminal and of two hundred at two hundred sites.
#[tokio::test]
async fn a_receiver_sees_no_difference_between_one_terminal_and_two_hundred() {
    let mut shapes = BTreeSet::new();
    for count in [1, 200] {
        let receiver = Recorder::always(200).await;
        let site = Site::start(with_devices(count, endpoint(&receiver.url(), PayloadFormat::Nested))).await;
        for number in 0..count {
            let row = format!("{}\t2026-03-28 08:47:12\t0\t1\n", 1001 + number);
            assert_eq!(site.upload(&format!("M{number:04}"), "ATTLOG", row).await.body, "OK: 1");
        }
        site.delivered_all().await;
        let events = events(&receiver);
        assert_eq!(events.len(), count);
        shapes.extend(events.iter().map(shape));
    }
    assert_eq!(shapes.len(), 1, "{shapes:#?}");
}
