use std::collections::BTreeMap;

use axum::Json;
use axum::extract::rejection::JsonRejection;
use axum::extract::{Path, State};
use axum::http::StatusCode;
use axum::response::Response;
use chrono::{DateTime, NaiveDateTime, SecondsFormat, Utc};
use punch_protocol::push::Admission;
use punch_protocol::{SerialNumber, civil};
use serde::Deserialize;
use serde_json::{Value, json};

use super::Api;
use super::commands::find_device;
use super::envelope::{ApiError, one};
use super::listing::{Asked, Pairs, Terms};
use crate::clock::now;
use crate::core::{Clockwork, Means, Order, OrderKind, Probe, ProbeError};
use crate::device::{NotProbed, Standing};
use crate::store::{ClockRow, Connection, DeviceRow, SiteRow, Span, StoreError};

const TERMS: Terms = Terms {
    filters: &["status", "admission", "site"],
    sorts: &[
        ("serial_number", "serial"),
        ("name", "name"),
        ("site", "site"),
        ("status", "status"),
        ("admission", "admission"),
        ("first_seen", "first_seen"),
        ("last_seen", "last_seen"),
    ],
    newest_first: false,
};

/// Terminals, each with what is known of it and of its clock. S2-079.
pub(super) async fn list_devices(State(api): State<Api>, query: Pairs) -> Result<Response, ApiError> {
    let asked = Asked::of(query, &TERMS)?;
    let status = asked.one_of("status", &["online", "offline", "unheard", "pending", "blocked"])?;
    let admission = asked.one_of("admission", &["approved", "pending", "blocked"])?;
    let site = asked.text("site");
    let rows = api.store.read(DeviceRow::all).await?;
    let wanted = [("status", status), ("admission", admission), ("site", site.as_deref())];
    let fits = |device: &Value| {
        let is = |name: &str, text: &str| device.get(name).and_then(Value::as_str).unwrap_or_default() == text;
        wanted.iter().all(|(name, text)| text.is_none_or(|text| is(name, text)))
    };
    let devices = described(&api, rows).await?;
    asked.arrange(devices.into_iter().filter(fits).collect(), &["serial_number"])
}

const SITES: Terms =
    Terms { filters: &["site"], sorts: &[("site", "site"), ("complete_to", "complete_to")], newest_first: false };

/// Sites, each with up to when everything of it is known.
pub(super) async fn list_sites(State(api): State<Api>, query: Pairs) -> Result<Response, ApiError> {
    let asked = Asked::of(query, &SITES)?;
    let wanted = asked.text("site");
    let sites = api.store.read(SiteRow::all).await?;
    let sites = sites.iter().filter(|(name, _)| wanted.as_ref().is_none_or(|wanted| *name == wanted));
    let described = sites.map(|(name, site)| {
        let waiting_for = site.waiting_for.as_ref().map(SerialNumber::as_str);
        let complete_to = site.complete_to.to_rfc3339_opts(SecondsFormat::Secs, true);
        json!({ "site": name, "complete_to": complete_to, "waiting_for": waiting_for })
    });
    asked.arrange(described.collect(), &["site"])
}

/// One terminal.
pub(super) async fn show_device(State(api): State<Api>, Path(id): Path<String>) -> Result<Response, ApiError> {
    Ok(one(StatusCode::OK, &find(&api, &id).await?))
}

/// What was seen of a terminal since the start, and why it was refused: what the timeline is for.
pub(super) async fn show_timeline(State(api): State<Api>, Path(id): Path<String>) -> Result<Response, ApiError> {
    let serial = find_device(&api, &id)?;
    let moment = |at: DateTime<Utc>| at.to_rfc3339();
    let seen: Vec<Value> = api
        .devices
        .encounters(&serial)
        .into_iter()
        .map(|seen| {
            json!({
                "what": seen.what, "outcome": seen.outcome, "count": seen.count,
                "first_at": moment(seen.first_at), "last_at": moment(seen.last_at),
            })
        })
        .collect();
    Ok(one(StatusCode::OK, &json!({ "serial_number": serial.as_str(), "since_start": seen })))
}

#[derive(Debug, Deserialize)]
#[serde(deny_unknown_fields)]
pub(super) struct Change {
    admission: String,
}

/// Lets a terminal in that has called, or keeps it out.
pub(super) async fn change_device(
    State(api): State<Api>,
    Path(id): Path<String>,
    body: Result<Json<Change>, JsonRejection>,
) -> Result<Response, ApiError> {
    let Json(Change { admission }) = body?;
    let serial = find_device(&api, &id)?;
    match admission.as_str() {
        "approved" => api.devices.approve(serial.clone()).await?,
        "blocked" => api.devices.block(&serial).await?,
        _ => return Err(ApiError::invalid("admission", "expected `approved` or `blocked`")),
    }
    Ok(one(StatusCode::OK, &find(&api, serial.as_str()).await?))
}

async fn find(api: &Api, id: &str) -> Result<Value, ApiError> {
    let serial = find_device(api, id)?;
    let rows = api.store.read(DeviceRow::all).await?;
    let found = rows.into_iter().filter(|row| row.serial == serial.as_str()).collect();
    described(api, found).await?.pop().ok_or_else(|| ApiError::not_found("device"))
}

#[derive(Debug, Deserialize)]
#[serde(deny_unknown_fields)]
pub(super) struct NewDevice {
    serial_number: String,
}

/// Lets a terminal in. S1-020, S1-025.
pub(super) async fn add_device(
    State(api): State<Api>,
    body: Result<Json<NewDevice>, JsonRejection>,
) -> Result<Response, ApiError> {
    let Json(new) = body?;
    let serial = SerialNumber::parse(&new.serial_number);
    let serial = serial.map_err(|error| ApiError::invalid("serial_number", &error.to_string()))?;
    api.devices.approve(serial).await?;
    Ok(one(StatusCode::CREATED, &json!({ "serial_number": new.serial_number, "admission": "approved" })))
}

#[derive(Debug, Deserialize)]
#[serde(deny_unknown_fields)]
pub(super) struct Reading {
    device_time: String,
    before: String,
    after: String,
}

/// Takes what a terminal's clock showed when somebody asked it.
pub(super) async fn add_reading(
    State(api): State<Api>,
    Path(serial): Path<String>,
    body: Result<Json<Reading>, JsonRejection>,
) -> Result<Response, ApiError> {
    let serial = SerialNumber::parse(&serial).map_err(|error| ApiError::invalid("serial", &error.to_string()))?;
    let Json(Reading { device_time, before, after }) = body?;
    let (before, after) = (instant("before", &before)?, instant("after", &after)?);
    let probe = Probe { shown: shown(&device_time)?, before, after };
    match api.devices.meet(&serial).await {
        Admission::Approved => {}
        found => return Err(ApiError::not_approved(&serial, found)),
    }
    let clockwork = api.devices.probe(&serial, probe).await.map_err(|error| match error {
        NotProbed::Store(error) => error.into(),
        NotProbed::Probe(error @ ProbeError::NoMoment) => ApiError::invalid("device_time", &error.to_string()),
        NotProbed::Probe(error) => ApiError::invalid("after", &error.to_string()),
    })?;
    Ok(one(StatusCode::OK, &clockwork.report(now())))
}

#[derive(Debug, Default, Deserialize)]
#[serde(deny_unknown_fields, default)]
pub(super) struct Redating {
    since: Option<String>,
    until: Option<String>,
}

/// Dates rows of a terminal anew, by its zone and its clock as they are known now: T17. Nothing is asked of the terminal.
pub(super) async fn redate(
    State(api): State<Api>,
    Path(serial): Path<String>,
    body: Result<Json<Redating>, JsonRejection>,
) -> Result<Response, ApiError> {
    let serial = SerialNumber::parse(&serial).map_err(|error| ApiError::invalid("serial", &error.to_string()))?;
    let Json(Redating { since, until }) = body?;
    let since = since.map_or(Ok(DateTime::UNIX_EPOCH), |since| instant("since", &since))?;
    let until = until.map_or(Ok(now()), |until| instant("until", &until))?;
    if since > until {
        return Err(ApiError::invalid("since", "is behind `until`"));
    }
    if !api.devices.knows(&serial) {
        return Err(ApiError::not_found("device"));
    }
    let done = api.devices.redate(Span { serial, since, until }, "zone_changed").await?;
    Ok(one(StatusCode::OK, &done))
}

fn shown(text: &str) -> Result<NaiveDateTime, ApiError> {
    let parsed = text.split_once('T').and_then(|(day, time)| civil::parse(format!("{day} {time}").as_bytes()).ok());
    parsed.ok_or_else(|| ApiError::invalid("device_time", "is no time of the form `YYYY-MM-DDThh:mm:ss`"))
}

fn instant(field: &str, text: &str) -> Result<DateTime<Utc>, ApiError> {
    text.parse().map_err(|_| ApiError::invalid(field, "is no instant of the form `2026-03-28T14:47:59.250Z`"))
}

async fn described(api: &Api, rows: Vec<DeviceRow>) -> Result<Vec<Value>, ApiError> {
    let last_seen = api.devices.last_seen();
    let rows = with_clocks(api, rows).await?;
    let standing = |row: &DeviceRow| {
        let serial = SerialNumber::parse(&row.serial).ok()?;
        api.devices.standing(&serial, now())
    };
    let described =
        rows.iter().map(|(row, clockwork)| device(row, last_seen.get(&row.serial), clockwork, standing(row).as_ref()));
    Ok(described.collect())
}

/// Terminals, each with what is known of its clock.
pub(crate) async fn with_clocks(api: &Api, rows: Vec<DeviceRow>) -> Result<Vec<(DeviceRow, Clockwork)>, ApiError> {
    let serials: Vec<String> = rows.iter().map(|row| row.serial.clone()).collect();
    let known = move |connection: &Connection| {
        let mut clocks = BTreeMap::new();
        for serial in serials {
            if let Some(clockwork) = ClockRow::of(connection, &serial)? {
                clocks.insert(serial, clockwork);
            }
        }
        Ok::<_, StoreError>(clocks)
    };
    let mut clocks = api.store.read(known).await?;
    let clock = |row: DeviceRow| {
        let clockwork = clocks.remove(&row.serial).unwrap_or_else(|| Clockwork::new(zone(api, &row.serial)));
        (row, clockwork)
    };
    Ok(rows.into_iter().map(clock).collect())
}

fn zone(api: &Api, serial: &str) -> punch_normalize::DeviceZone {
    SerialNumber::parse(serial).map_or(punch_normalize::DeviceZone::Utc, |serial| api.devices.zone(&serial))
}

fn device(
    row: &DeviceRow,
    last_seen: Option<&DateTime<Utc>>,
    clockwork: &Clockwork,
    standing: Option<&Standing>,
) -> Value {
    let admission = match row.admission {
        Admission::Approved => "approved",
        Admission::Pending => "pending",
        Admission::Blocked => "blocked",
    };
    let said: Option<Value> = row.said.as_deref().and_then(|said| serde_json::from_str(said).ok());
    let info = standing.and_then(|standing| standing.info.as_ref());
    let info = info.map(|info| {
        json!({
            "firmware": info.firmware, "users": info.users, "fingerprints": info.fingerprints, "faces": info.faces,
            "cards": info.cards, "punches": info.punches, "address": info.address,
        })
    });
    json!({
        "serial_number": row.serial, "admission": admission, "first_seen": row.first_seen.to_rfc3339(),
        "id": standing.and_then(|standing| standing.id.as_deref()),
        "name": standing.and_then(|standing| standing.name.as_deref()),
        "site": standing.and_then(|standing| standing.site.as_deref()),
        "status": standing.map_or(admission, |standing| standing.status),
        "dialect": standing.and_then(|standing| standing.dialect).map(|dialect| dialect.to_string()),
        "info": info, "said": said, "capabilities": capabilities(row, standing),
        "backlog": backlog(row, standing),
        "last_seen": last_seen.map(DateTime::to_rfc3339), "zone": clockwork.zone_at(now()).to_string(),
        "zone_changes": clockwork.zone_changes(), "clock": clockwork.report(now()),
    })
}

/// By what a terminal gets its commands, what it was found to be, and what can be asked of it.
fn capabilities(row: &DeviceRow, standing: Option<&Standing>) -> Value {
    let probe: Option<Value> = row.probe.as_deref().and_then(|probe| serde_json::from_str(probe).ok());
    let Some(means) = standing.map(|standing| standing.means) else { return Value::Null };
    let can = |kind: &OrderKind| {
        let order = Order::parse(kind.as_str(), &kind.example()).ok()?;
        order.check(means).is_ok().then_some(kind.as_str())
    };
    let commands: Vec<&str> = OrderKind::ALL.iter().filter_map(can).collect();
    let transport = match means {
        Means::Push(_) => "push",
        Means::Pull => "pull",
    };
    json!({ "transport": transport, "commands": commands, "probe": probe })
}

/// What may still be on a terminal: whether it was behind the last time, and how many punches it says it has.
fn backlog(row: &DeviceRow, standing: Option<&Standing>) -> Value {
    let probed = || {
        let probe: Value = serde_json::from_str(row.probe.as_deref()?).ok()?;
        probe.get("records")?.as_u64()
    };
    let told = standing.and_then(|standing| standing.info.as_ref()?.punches).map(u64::from).or_else(probed);
    let complete_to = standing.and_then(|standing| standing.complete_to);
    json!({
        "is_behind": standing.map(|standing| standing.is_behind), "punches_on_device": told,
        "complete_to": complete_to.map(|at| at.to_rfc3339_opts(SecondsFormat::Secs, true)),
    })
}
