use std::collections::BTreeMap;

use axum::extract::State;
use axum::http::StatusCode;
use axum::response::Response;
use chrono::{DateTime, NaiveDateTime, SecondsFormat};
use punch_protocol::push::Admission;
use punch_protocol::{SerialNumber, civil};
use serde::{Deserialize, Serialize};
use serde_json::json;
use utoipa::ToSchema;
use utoipa::openapi::schema::Object;

use super::Api;
use super::commands::find_device;
use super::device::{ADMISSIONS, Device, STATUSES, admissions, device};
use super::envelope::{ApiError, One, Page, moment, one};
use super::extract::{Json, Path};
use super::listing::{Asked, Pairs};
use super::terms::{Kind, Terms, words};
use crate::clock::now;
use crate::core::{Access, ClockReport, Clockwork, Networks, PathToken, Probe, ProbeError};
use crate::device::{NotProbed, Redated};
use crate::store::{ClockRow, Connection, DeviceRow, Intent, SiteRow, Span, StoreError, written};

pub(super) const TERMS: Terms = Terms {
    filters: &[
        ("status", Kind::Words(|| STATUSES.to_vec())),
        ("admission", Kind::Words(|| ADMISSIONS.to_vec())),
        ("site", Kind::Text),
    ],
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

/// Terminals, each with what is known of it and of its clock.
// S2-079
#[utoipa::path(get, path = "/v1/devices", responses((status = 200, body = Page<Device>)))]
pub(super) async fn list_devices(State(api): State<Api>, query: Pairs) -> Result<Response, ApiError> {
    let asked = Asked::of(query, &TERMS)?;
    let (status, admission, site) = (asked.text("status"), asked.text("admission"), asked.text("site"));
    let rows = api.store.read(DeviceRow::all).await?;
    let is = |wanted: &Option<String>, text: &str| wanted.as_ref().is_none_or(|wanted| wanted == text);
    let fits = |device: &Device| {
        let at_site = is(&site, device.site.as_deref().unwrap_or_default());
        at_site && is(&status, device.status) && is(&admission, device.admission)
    };
    let devices = described(&api, rows).await?.into_iter().filter(fits);
    asked.arrange(devices.map(|device| json!(device)).collect(), &["serial_number"])
}

pub(super) const SITES: Terms = Terms {
    filters: &[("site", Kind::Text)],
    sorts: &[("site", "site"), ("complete_to", "complete_to")],
    newest_first: false,
};

/// A site.
#[derive(Serialize, ToSchema)]
pub(super) struct Site {
    /// Its name; empty of terminals that have none.
    site: String,
    /// Up to when everything of it is known.
    #[schema(format = "date-time")]
    complete_to: String,
    /// The terminal that holds it back.
    waiting_for: Option<String>,
}

/// Sites, each with up to when everything of it is known.
#[utoipa::path(get, path = "/v1/sites", responses((status = 200, body = Page<Site>)))]
pub(super) async fn list_sites(State(api): State<Api>, query: Pairs) -> Result<Response, ApiError> {
    let asked = Asked::of(query, &SITES)?;
    let wanted = asked.text("site");
    let sites = api.store.read(SiteRow::all).await?;
    let sites = sites.iter().filter(|(name, _)| wanted.as_ref().is_none_or(|wanted| *name == wanted));
    let described = sites.map(|(name, site)| {
        let waiting_for = site.waiting_for.as_ref().map(ToString::to_string);
        let complete_to = site.complete_to.to_rfc3339_opts(SecondsFormat::Secs, true);
        json!(Site { site: name.clone(), complete_to, waiting_for })
    });
    asked.arrange(described.collect(), &["site"])
}

/// One terminal.
// S2-080
#[utoipa::path(get, path = "/v1/devices/{serial}", responses((status = 200, body = One<Device>)))]
pub(super) async fn show_device(State(api): State<Api>, Path(id): Path<String>) -> Result<Response, ApiError> {
    Ok(one(StatusCode::OK, &find(&api, &id).await?))
}

/// What was seen of a terminal since the start.
#[derive(Serialize, ToSchema)]
pub(super) struct DeviceTimeline {
    serial_number: String,
    since_start: Vec<Encounter>,
}

/// One kind of call of a terminal, and what was made of it.
#[derive(Serialize, ToSchema)]
pub(super) struct Encounter {
    /// What it asked or sent.
    what: String,
    /// `served`, or why not.
    outcome: &'static str,
    count: u64,
    first_at: String,
    last_at: String,
    /// From which address last.
    last_from: String,
}

/// What was seen of a terminal since the start, and why it was refused: what the timeline is for.
#[utoipa::path(get, path = "/v1/devices/{serial}/timeline", operation_id = "show_timeline_of_device",
    responses((status = 200, body = One<DeviceTimeline>)))]
pub(super) async fn show_timeline(State(api): State<Api>, Path(id): Path<String>) -> Result<Response, ApiError> {
    let serial = find_device(&api, &id)?;
    let moment = written;
    let shown = |seen: crate::core::Encounter| Encounter {
        what: seen.what,
        outcome: seen.outcome,
        count: seen.count,
        first_at: moment(seen.first_at),
        last_at: moment(seen.last_at),
        last_from: seen.last_from.to_string(),
    };
    let since_start = api.devices.encounters(&serial).into_iter().map(shown).collect();
    Ok(one(StatusCode::OK, &DeviceTimeline { serial_number: serial.to_string(), since_start }))
}

/// What is to be changed of a terminal.
#[derive(Debug, Deserialize, ToSchema)]
#[serde(deny_unknown_fields)]
pub(super) struct DeviceChange {
    #[schema(schema_with = decisions, required = false)]
    admission: Option<String>,
    /// The networks it may call from, or addresses; an empty list is everywhere.
    #[schema(max_items = 64)]
    allow: Option<Vec<String>>,
    /// What its path begins with; an empty text takes that back.
    #[schema(pattern = "^([A-Za-z0-9_-]{16,64})?$")]
    path_token: Option<String>,
}

fn decisions() -> Object {
    words(["approved", "blocked"])
}

impl DeviceChange {
    /// How a terminal may call from now on, if that is to change: an empty list is from everywhere, an empty token none.
    fn access(&self, before: Access) -> Result<Option<Access>, ApiError> {
        let Self { allow, path_token, .. } = self;
        if allow.is_none() && path_token.is_none() {
            return Ok(None);
        }
        let wrong = |problem: String| ApiError::invalid("allow", &problem);
        let allow = allow.as_ref().map(|texts| Networks::parse(texts).map_err(wrong)).transpose()?;
        let token = path_token.as_deref().map(|text| match text {
            "" => Ok(None),
            text => PathToken::new(text).map(Some).map_err(|problem| ApiError::invalid("path_token", problem)),
        });
        Ok(Some(Access { allow: allow.unwrap_or(before.allow), token: token.transpose()?.unwrap_or(before.token) }))
    }
}

/// Lets a terminal in that has called, or keeps it out; says from where and under which path it may call.
#[utoipa::path(patch, path = "/v1/devices/{serial}", request_body = DeviceChange,
    responses((status = 200, body = One<Device>)))]
pub(super) async fn change_device(
    State(api): State<Api>,
    Path(id): Path<String>,
    body: Result<Json<DeviceChange>, ApiError>,
) -> Result<Response, ApiError> {
    let Json(change) = body?;
    let serial = find_device(&api, &id)?;
    let access = change.access(api.devices.access(&serial).unwrap_or_default())?;
    let admission = change.admission.as_deref();
    if !matches!(admission, Some("approved" | "blocked")) && (admission.is_some() || access.is_none()) {
        return Err(ApiError::invalid("admission", "expected `approved` or `blocked`"));
    }
    if let Some(access) = access {
        Intent::current().detail("allow", access.allow.texts().join(","));
        Intent::current().detail("path_token", if access.token.is_some() { "set" } else { "none" });
        api.devices.set_access(&serial, access).await?;
    }
    if let Some(admission) = admission {
        Intent::current().detail("admission", admission);
        match admission {
            "approved" => api.devices.approve(serial.clone()).await?,
            _ => api.devices.block(&serial).await?,
        }
    }
    Ok(one(StatusCode::OK, &find(&api, serial.as_str()).await?))
}

async fn find(api: &Api, id: &str) -> Result<Device, ApiError> {
    let serial = find_device(api, id)?;
    let rows = api.store.read(DeviceRow::all).await?;
    let found = rows.into_iter().filter(|row| row.serial == serial.as_str()).collect();
    described(api, found).await?.pop().ok_or_else(|| ApiError::not_found("device"))
}

/// Longest name of a model, in bytes.
const MODEL_MAX: usize = 100;

/// A terminal that is to be let in.
#[derive(Debug, Deserialize, ToSchema)]
#[serde(deny_unknown_fields)]
pub(super) struct NewDevice {
    #[schema(min_length = 1, max_length = 64, pattern = r"^[A-Za-z0-9_-][A-Za-z0-9_.-]*$", example = "CZKE2241600045")]
    serial_number: String,
    /// What it is, for people.
    #[schema(max_length = 100, example = "SpeedFace-V5L")]
    model: Option<String>,
}

/// A terminal that was let in.
#[derive(Serialize, ToSchema)]
pub(super) struct Approved {
    serial_number: String,
    model: Option<String>,
    #[schema(schema_with = admissions)]
    admission: &'static str,
}

/// Lets a terminal in.
// S1-020, S1-025
#[utoipa::path(post, path = "/v1/devices", request_body = NewDevice,
    responses((status = 201, body = One<Approved>)))]
pub(super) async fn add_device(
    State(api): State<Api>,
    body: Result<Json<NewDevice>, ApiError>,
) -> Result<Response, ApiError> {
    let Json(new) = body?;
    let serial = SerialNumber::parse(&new.serial_number);
    let serial = serial.map_err(|error| ApiError::invalid("serial_number", &error.to_string()))?;
    if new.model.as_ref().is_some_and(|model| model.len() > MODEL_MAX) {
        return Err(ApiError::invalid("model", "is longer than 100 bytes"));
    }
    if api.devices.admission(&serial) == Some(Admission::Approved) {
        let problem = "is let in already; change it with `PATCH /v1/devices/{serial}`";
        return Err(ApiError::conflict("serial_number", problem));
    }
    Intent::current().about(&serial);
    api.devices.approve_model(serial, new.model.clone()).await?;
    let approved = Approved { serial_number: new.serial_number, model: new.model, admission: "approved" };
    Ok(one(StatusCode::CREATED, &approved))
}

/// What a terminal's clock showed.
#[derive(Debug, Deserialize, ToSchema)]
#[serde(deny_unknown_fields)]
pub(super) struct Reading {
    /// As the clock showed it, without a zone.
    #[schema(pattern = r"^\d{4}-\d{2}-\d{2}T\d{2}:\d{2}:\d{2}$", example = "2026-03-28T08:47:59")]
    device_time: String,
    /// When it was asked.
    #[schema(format = "date-time")]
    before: String,
    /// When it had answered.
    #[schema(format = "date-time")]
    after: String,
}

/// Takes what a terminal's clock showed when somebody asked it.
#[utoipa::path(post, path = "/v1/devices/{serial}/clock", request_body = Reading,
    responses((status = 200, body = One<ClockReport>)))]
pub(super) async fn add_reading(
    State(api): State<Api>,
    Path(serial): Path<String>,
    body: Result<Json<Reading>, ApiError>,
) -> Result<Response, ApiError> {
    let serial = SerialNumber::parse(&serial).map_err(|error| ApiError::invalid("serial", &error.to_string()))?;
    let Json(Reading { device_time, before, after }) = body?;
    let (before, after) = (moment("before", &before)?, moment("after", &after)?);
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

/// Which rows are to be dated anew.
#[derive(Debug, Default, Deserialize, ToSchema)]
#[serde(deny_unknown_fields, default)]
pub(super) struct Redating {
    /// Received then or later.
    #[schema(format = "date-time")]
    since: Option<String>,
    /// Received before then.
    #[schema(format = "date-time")]
    until: Option<String>,
}

/// Dates rows of a terminal anew, by its zone and its clock as they are known now. Nothing is asked of the terminal.
// T17
#[utoipa::path(post, path = "/v1/devices/{serial}/redate", request_body = Redating,
    responses((status = 200, body = One<Redated>)))]
pub(super) async fn redate(
    State(api): State<Api>,
    Path(serial): Path<String>,
    body: Result<Json<Redating>, ApiError>,
) -> Result<Response, ApiError> {
    let serial = SerialNumber::parse(&serial).map_err(|error| ApiError::invalid("serial", &error.to_string()))?;
    let Json(Redating { since, until }) = body?;
    let since = since.map_or(Ok(DateTime::UNIX_EPOCH), |since| moment("since", &since))?;
    let until = until.map_or(Ok(now()), |until| moment("until", &until))?;
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

async fn described(api: &Api, rows: Vec<DeviceRow>) -> Result<Vec<Device>, ApiError> {
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
