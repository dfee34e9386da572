use std::collections::BTreeMap;

use chrono::{DateTime, SecondsFormat, TimeDelta, Utc};
use punch_normalize::timeline::{Finding, StateTrust};
use punch_normalize::{
    Dated, DeviceZone, EventId, Hint, HoldReason, Normalizer, Observation, Punch, Rules as Judge, TenantKey, Verdict,
};
use punch_protocol::{RawPunch, SerialNumber};
use serde_json::{Map, Value, json};

use super::input::{Moment, Row, Unread};
use super::rules::Rules;

/// A receipt this near to the punch was the moment of the punch.
const LIVE: TimeDelta = TimeDelta::minutes(10);

/// Rows that were read, with the normaliser they go through.
struct Rows {
    normalizer: Normalizer,
    judge: Judge,
    dated: Vec<Dated>,
    /// Of rows that cannot be read, the lines to print.
    unread: Vec<Value>,
}

/// Says how every row ends, in the order of time. Rows that cannot be read come last, by their lines.
pub(super) fn settle(rows: Vec<Result<Row, Unread>>, rules: &Rules, key: TenantKey) -> Vec<Value> {
    let Rows { mut normalizer, judge, mut dated, unread } = date(rows, rules, key);
    let mut trust = BTreeMap::<SerialNumber, StateTrust>::new();
    let mut in_time: Vec<&Dated> = dated.iter().filter(|row| row.hold.is_none()).collect();
    in_time.sort_by_key(|row| row.punch.punched_at);
    for row in in_time {
        observe(&mut trust, &row.punch);
    }
    for row in &mut dated {
        row.is_trusted = trust.get(&row.punch.serial).is_none_or(StateTrust::is_trusted);
    }
    let rows = dated.clone();
    let verdicts = normalizer.settle(&judge.timeline, dated);
    let lines = verdicts.iter().filter_map(|(index, verdict)| Some(line(rows.get(*index)?, verdict).into()));
    lines.chain(unread).collect()
}

/// Says what every row changes, in the order of the rows.
pub(super) fn stream(rows: Vec<Result<Row, Unread>>, rules: &Rules, key: TenantKey) -> Vec<Value> {
    let Rows { mut normalizer, judge, dated, unread } = date(rows, rules, key);
    let mut trust = BTreeMap::<SerialNumber, StateTrust>::new();
    let mut known = BTreeMap::<EventId, Dated>::new();
    let mut lines = Vec::new();
    for mut row in dated {
        if row.hold.is_none() && !known.contains_key(&row.punch.event_id) {
            row.is_trusted = observe(&mut trust, &row.punch);
            known.insert(row.punch.event_id.clone(), row.clone());
        }
        for (_, verdict) in normalizer.settle(&judge.timeline, vec![row.clone()]) {
            let mut line = line(&row, &verdict);
            line.insert("revision".to_owned(), 0.into());
            lines.push(line.into());
        }
        for change in normalizer.revised() {
            let Some(row) = known.get(&change.event_id) else { continue };
            let mut line = revised(row, &change.new);
            line.insert("revision".to_owned(), change.revision.into());
            lines.push(line.into());
        }
    }
    lines.into_iter().chain(unread).collect()
}

fn observe(trust: &mut BTreeMap<SerialNumber, StateTrust>, punch: &Punch) -> bool {
    let trust = trust.entry(punch.serial.clone()).or_default();
    trust.observe(&punch.pin, punch.status);
    trust.is_trusted()
}

/// Dates and names every row that can be read.
fn date(rows: Vec<Result<Row, Unread>>, rules: &Rules, key: TenantKey) -> Rows {
    let mut judge = Judge::new(rules.zone);
    judge.timeline = rules.timeline.clone();
    let (mut observations, mut unread) = (Vec::new(), Vec::new());
    for (order, row) in (0..).zip(rows) {
        match row {
            Ok(row) => observations.push(observation(row, order, rules.zone)),
            Err(Unread { line, problem }) => {
                let error = json!({ "line": line, "message": problem });
                unread.push(json!({ "verdict": "held", "reason": HoldReason::Malformed.code(), "error": error }));
            }
        }
    }
    let mut normalizer = Normalizer::new(key);
    let dated = normalizer.date(&judge, observations);
    if !rules.shifts.is_empty() {
        for row in &dated {
            normalizer.assign(row.person.clone(), rules.shifts.of(row.person.as_str(), &[]));
        }
    }
    Rows { normalizer, judge, dated, unread }
}

fn observation(row: Row, order: u64, zone: DeviceZone) -> Observation {
    let Row { serial, pin, time, state, verify, received_at, role, site } = row;
    let (shown, is_utc) = match time {
        Moment::Civil(time) => (time, false),
        Moment::Instant(instant) => (instant.naive_utc(), true),
    };
    let mut raw = RawPunch::new(serial, pin, shown);
    (raw.is_utc, raw.status, raw.verify) = (is_utc, state, verify);
    let is_live = |received_at: &DateTime<Utc>| {
        let live = zone.resolve(shown, Hint::live(*received_at));
        live.instant.signed_duration_since(*received_at).abs() <= LIVE
    };
    // Whoever does not know when a row came knows only that it was before the end of time.
    let mut observation = Observation::new(raw, received_at.unwrap_or(DateTime::<Utc>::MAX_UTC));
    observation.live = received_at.as_ref().is_some_and(is_live);
    (observation.role, observation.order) = (role, Some(order));
    observation.site = Some(site.into());
    observation
}

/// The line of a row that came.
fn line(row: &Dated, verdict: &Verdict) -> Map<String, Value> {
    match verdict {
        Verdict::Fresh(punch) => judged(row, punch),
        Verdict::Duplicate { of, kind, punch, .. } => {
            let mut line = head(row, "duplicate");
            line.insert("reason".to_owned(), kind.as_str().into());
            line.insert("duplicate_of".to_owned(), of.as_str().into());
            line.insert("exceptions".to_owned(), punch.exceptions.words().collect::<Vec<_>>().into());
            line
        }
        Verdict::Held { reason, .. } => {
            let mut line = head(row, "held");
            line.insert("reason".to_owned(), reason.code().into());
            // Nobody knows when that was.
            if *reason == HoldReason::ClockReset {
                line.insert("punched_at".to_owned(), Value::Null);
            }
            line
        }
    }
}

/// The line of a row of which something else is found than before.
fn revised(row: &Dated, finding: &Finding) -> Map<String, Value> {
    let mut punch = row.punch.clone();
    punch.mean(finding);
    let mut line = judged(row, &punch);
    if let Some(of) = &finding.duplicate_of {
        line.insert("verdict".to_owned(), "duplicate".into());
        line.insert("reason".to_owned(), "bounce".into());
        line.insert("duplicate_of".to_owned(), of.as_str().into());
    }
    line
}

fn judged(row: &Dated, punch: &Punch) -> Map<String, Value> {
    let mut line = head(row, "fresh");
    let mut set = |name: &str, value: Value| drop(line.insert(name.to_owned(), value));
    set("exceptions", punch.exceptions.words().collect::<Vec<_>>().into());
    set("direction", punch.direction.as_str().into());
    set("direction_source", punch.direction_source.as_str().into());
    set("confidence", punch.confidence.map(|percent| f64::from(percent) / 100.0).into());
    set("session_id", punch.session.as_ref().map(|session| session.as_str()).into());
    if let Some(out) = punch.synthetic_out {
        let local_time = out.local.format("%Y-%m-%dT%H:%M:%S").to_string();
        set("synthetic_out", json!({ "local_time": local_time, "reason": out.reason }));
    }
    set("business_date", punch.business_date.map(|date| date.to_string()).into());
    line
}

fn head(row: &Dated, verdict: &str) -> Map<String, Value> {
    let punch = &row.punch;
    // Of firmware that tells instants, what the clock on the wall showed is told.
    let is_utc = punch.device_local == punch.punched_at.naive_utc();
    let time = if is_utc { punch.local_time.naive_local() } else { punch.device_local };
    let members = json!({
        "event_id": punch.event_id.as_str(),
        "verdict": verdict,
        "reason": null,
        "duplicate_of": null,
        "punched_at": punch.punched_at.to_rfc3339_opts(SecondsFormat::Secs, true),
        "time_quality": punch.time_quality.as_str(),
        "direction": null,
        "direction_source": null,
        "session_id": null,
        "business_date": null,
        "exceptions": [],
        "serial": punch.serial.as_str(),
        "pin": punch.pin.to_text(),
        "time": time.format("%Y-%m-%dT%H:%M:%S").to_string(),
    });
    if let Value::Object(members) = members { members } else { Map::new() }
}
