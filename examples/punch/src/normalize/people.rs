use std::collections::BTreeMap;

use chrono::{DateTime, NaiveDateTime, SecondsFormat, TimeDelta, Utc};
use punch_normalize::timeline::{Change, Finding, History, Mark, Place, StateTrust, TimelineRules, infer};
use punch_normalize::{
    DeviceZone, EventId, Hint, HoldReason, Resolved, Rules as Judge, TenantKey, TimeQuality, Timeliness,
};
use punch_protocol::{Pin, RawPunch, SerialNumber, civil};
use serde_json::{Map, Value, json};

use super::input::{Moment, Row, Unread};
use super::rules::Rules;
use crate::exit::UsageError;

/// A receipt this near to the punch was the moment of the punch.
const LIVE: TimeDelta = TimeDelta::minutes(10);

/// A row, dated and named.
struct Dated {
    row: Row,
    local: NaiveDateTime,
    at: DateTime<Utc>,
    quality: &'static str,
    event_id: EventId,
    order: u64,
    hold: Option<HoldReason>,
}

/// Says how every row ends, in the order of time. Rows that cannot be read come last, by their lines.
pub(super) fn settle(rows: Vec<Result<Row, Unread>>, rules: &Rules, key: &TenantKey) -> Vec<Value> {
    let (rows, unread) = date(rows, rules, key);
    let trusted = trust(&rows);
    let mut numbers = Numbers::default();
    let mut people = BTreeMap::<Pin<'static>, Vec<Mark>>::new();
    let mut seen = BTreeMap::<EventId, u64>::new();
    let mut lines: Vec<(DateTime<Utc>, u64, Value)> = Vec::new();
    let mut dated = BTreeMap::<EventId, Dated>::new();
    for row in rows {
        if seen.insert(row.event_id.clone(), row.order).is_some() {
            // A row that came twice is one row, whether it is held or not.
            lines.push((row.at, row.order, replay(&row)));
        } else if let Some(reason) = row.hold {
            lines.push((row.at, row.order, held(&row, reason)));
        } else {
            let mark = numbers.mark(&row, trusted.get(&row.row.serial).copied().unwrap_or(true));
            people.entry(row.row.pin.clone()).or_default().push(mark);
            dated.insert(row.event_id.clone(), row);
        }
    }
    for (pin, mut marks) in people {
        let rules = of_person(rules, &pin);
        let findings = infer(&mut marks, &rules, None);
        for (mark, finding) in marks.iter().zip(&findings) {
            if let Some(row) = dated.get(&mark.event_id) {
                lines.push((row.at, row.order, judged(row, finding)));
            }
        }
    }
    lines.sort_by_key(|(at, order, _)| (*at, *order));
    lines.into_iter().map(|(_, _, line)| line).chain(unread).collect()
}

/// Says what every row changes, in the order of the rows.
pub(super) fn stream(rows: Vec<Result<Row, Unread>>, rules: &Rules, key: &TenantKey) -> Result<Vec<Value>, UsageError> {
    let (rows, unread) = date(rows, rules, key);
    let mut numbers = Numbers::default();
    let mut people = BTreeMap::<Pin<'static>, History>::new();
    let mut trust = BTreeMap::<SerialNumber, StateTrust>::new();
    let mut dated = BTreeMap::<EventId, Dated>::new();
    let mut lines = Vec::new();
    for row in rows {
        if let Some(reason) = row.hold {
            lines.push(held(&row, reason));
            continue;
        }
        if dated.contains_key(&row.event_id) {
            lines.push(replay(&row));
            continue;
        }
        let trusted = trust.entry(row.row.serial.clone()).or_default();
        trusted.observe(&row.row.pin, row.row.state);
        let mark = numbers.mark(&row, trusted.is_trusted());
        let pin = row.row.pin.clone();
        dated.insert(row.event_id.clone(), row);
        let person = of_person(rules, &pin);
        let changes = people.entry(pin).or_default().take([mark], &person);
        // Ids are made here, in the one form that a history takes.
        for Change { event_id, new, revision, .. } in changes.map_err(|error| UsageError(error.to_string()))? {
            let Some(row) = dated.get(&event_id) else { continue };
            let mut line = judged(row, &new);
            if let Value::Object(members) = &mut line {
                members.insert("revision".to_owned(), revision.into());
            }
            lines.push(line);
        }
    }
    Ok(lines.into_iter().chain(unread).collect())
}

/// The rules of one person: everybody's, and the person's own shifts.
fn of_person(rules: &Rules, pin: &Pin<'_>) -> TimelineRules {
    TimelineRules { schedule: rules.shifts.of(&pin.to_text(), &[]), ..rules.timeline.clone() }
}

/// Dates and names every row that can be read; of the others the lines to print.
fn date(rows: Vec<Result<Row, Unread>>, rules: &Rules, key: &TenantKey) -> (Vec<Dated>, Vec<Value>) {
    let mut previous = BTreeMap::<SerialNumber, DateTime<Utc>>::new();
    let (mut dated, mut unread) = (Vec::new(), Vec::new());
    for (order, row) in (0..).zip(rows) {
        let row = match row {
            Ok(row) => row,
            Err(Unread { line, problem }) => {
                let error = json!({ "line": line, "message": problem });
                unread.push(json!({ "verdict": "held", "reason": HoldReason::Malformed.code(), "error": error }));
                continue;
            }
        };
        let resolved = resolve(&row, rules.zone, previous.get(&row.serial).copied());
        let local = match row.time {
            Moment::Civil(time) => time,
            Moment::Instant(_) => resolved.local.naive_local(),
        };
        // A dead clock is before everything, so following it proves nothing.
        if !civil::is_unset_clock(local) {
            previous.insert(row.serial.clone(), resolved.instant);
        }
        let judge = Judge::new(rules.zone);
        let timeliness = row.received_at.map(|received_at| Timeliness::of(&judge, resolved.instant, received_at, None));
        let quality = match timeliness {
            Some(Timeliness::Suspect | Timeliness::Future) => TimeQuality::Suspect.as_str(),
            _ => resolved.quality.as_str(),
        };
        // An identity goes by what the terminal said, so that it survives another zone.
        let told = match row.time {
            Moment::Civil(time) => time,
            Moment::Instant(instant) => instant.naive_utc(),
        };
        let mut raw = RawPunch::new(row.serial.clone(), row.pin.clone(), told);
        (raw.status, raw.verify) = (row.state, row.verify);
        let hold = HoldReason::of_row(&row.pin, local, timeliness);
        let (at, event_id) = (resolved.instant, key.event_id(&raw));
        dated.push(Dated { row, local, at, quality, event_id, order, hold });
    }
    (dated, unread)
}

fn resolve(row: &Row, zone: DeviceZone, previous: Option<DateTime<Utc>>) -> Resolved {
    let hint = previous.map(Hint::after).unwrap_or_default();
    match row.time {
        Moment::Instant(instant) => zone.at(instant),
        Moment::Civil(time) => {
            let by_order = zone.resolve(time, hint);
            let near = |received_at: &DateTime<Utc>| {
                let live = zone.resolve(time, Hint::live(*received_at));
                live.instant.signed_duration_since(*received_at).abs() <= LIVE
            };
            match row.received_at.filter(near) {
                Some(received_at) if previous.is_none() => zone.resolve(time, Hint::live(received_at)),
                _ => by_order,
            }
        }
    }
}

/// Whether the states of each terminal say something, by all of its punches in time order.
fn trust(rows: &[Dated]) -> BTreeMap<SerialNumber, bool> {
    let mut in_time: Vec<&Dated> = rows.iter().filter(|row| row.hold.is_none()).collect();
    in_time.sort_by_key(|row| (row.at, row.order));
    let mut trust = BTreeMap::<SerialNumber, StateTrust>::new();
    for row in in_time {
        trust.entry(row.row.serial.clone()).or_default().observe(&row.row.pin, row.row.state);
    }
    trust.into_iter().map(|(serial, trust)| (serial, trust.is_trusted())).collect()
}

/// Terminals and sites get numbers as they come.
#[derive(Default)]
struct Numbers {
    devices: BTreeMap<SerialNumber, u32>,
    sites: BTreeMap<String, u32>,
}

impl Numbers {
    fn mark(&mut self, row: &Dated, is_trusted: bool) -> Mark {
        let next = u32::try_from(self.devices.len()).unwrap_or(u32::MAX);
        let device = *self.devices.entry(row.row.serial.clone()).or_insert(next);
        let next = u32::try_from(self.sites.len()).unwrap_or(u32::MAX);
        let site = *self.sites.entry(row.row.site.clone()).or_insert(next);
        Mark {
            place: Place { device, site },
            order: row.order,
            status: row.row.state,
            is_trusted,
            role: row.row.role,
            ..Mark::new(row.event_id.clone(), row.at, row.local)
        }
    }
}

fn head(row: &Dated, verdict: &str) -> Map<String, Value> {
    let members = json!({
        "event_id": row.event_id.as_str(),
        "verdict": verdict,
        "reason": null,
        "duplicate_of": null,
        "punched_at": row.at.to_rfc3339_opts(SecondsFormat::Secs, true),
        "time_quality": row.quality,
        "direction": null,
        "direction_source": null,
        "session_id": null,
        "business_date": null,
        "exceptions": [],
        "serial": row.row.serial.as_str(),
        "pin": row.row.pin.to_text(),
        "time": row.local.format("%Y-%m-%dT%H:%M:%S").to_string(),
    });
    if let Value::Object(members) = members { members } else { Map::new() }
}

fn held(row: &Dated, reason: HoldReason) -> Value {
    let mut members = head(row, "held");
    members.insert("reason".to_owned(), reason.code().into());
    // Nobody knows when that was.
    if reason == HoldReason::ClockReset {
        members.insert("punched_at".to_owned(), Value::Null);
    }
    members.into()
}

fn replay(row: &Dated) -> Value {
    let mut members = head(row, "duplicate");
    members.insert("reason".to_owned(), "replay".into());
    members.insert("duplicate_of".to_owned(), row.event_id.as_str().into());
    members.into()
}

fn judged(row: &Dated, finding: &Finding) -> Value {
    let mut members = head(row, if finding.duplicate_of.is_some() { "duplicate" } else { "fresh" });
    let mut set = |name: &str, value: Value| drop(members.insert(name.to_owned(), value));
    set("exceptions", finding.exceptions.words().collect::<Vec<_>>().into());
    if let Some(of) = &finding.duplicate_of {
        set("reason", "bounce".into());
        set("duplicate_of", of.as_str().into());
    } else {
        set("direction", finding.direction.as_str().into());
        set("direction_source", finding.source.as_str().into());
        set("confidence", (f64::from(finding.confidence) / 100.0).into());
        set("session_id", finding.session.as_ref().map(|session| session.as_str()).into());
        set("business_date", finding.business_date.map(|date| date.to_string()).into());
    }
    members.into()
}
