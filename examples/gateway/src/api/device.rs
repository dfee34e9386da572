//! A terminal as the API shows it.

use chrono::{DateTime, SecondsFormat, Utc};
use punch_protocol::push::{Admission, Info};
use serde::Serialize;
use serde_json::Value;
use utoipa::ToSchema;
use utoipa::openapi::schema::Object;

use super::terms::words;
use crate::clock::now;
use crate::core::{ClockReport, Clockwork, Means, Order, OrderKind, ZoneChange};
use crate::device::Standing;
use crate::store::{DeviceRow, written};

/// How a terminal may stand.
pub(super) const STATUSES: [&str; 5] = ["online", "offline", "unheard", "pending", "blocked"];

/// Whether a terminal is let in.
pub(super) const ADMISSIONS: [&str; 3] = ["approved", "pending", "blocked"];

/// A terminal, with what is known of it and of its clock.
#[derive(Serialize, ToSchema)]
pub(super) struct Device {
    pub(super) serial_number: String,
    /// Its id in payloads.
    pub(super) id: Option<String>,
    pub(super) name: Option<String>,
    /// Its model, as whoever let it in says.
    pub(super) model: Option<String>,
    /// The source that tells of it, if it is no terminal that calls.
    pub(super) source: Option<String>,
    pub(super) site: Option<String>,
    #[schema(schema_with = admissions)]
    pub(super) admission: &'static str,
    #[schema(schema_with = statuses)]
    pub(super) status: &'static str,
    /// What it is known to speak.
    pub(super) dialect: Option<String>,
    pub(super) info: Option<DeviceFacts>,
    pub(super) capabilities: Option<Capabilities>,
    pub(super) backlog: Backlog,
    /// What it said of itself while it was pending.
    pub(super) said: Option<Value>,
    #[schema(format = "date-time")]
    pub(super) first_seen: String,
    #[schema(format = "date-time")]
    pub(super) last_seen: Option<String>,
    /// The time zone it is configured with.
    pub(super) zone: String,
    pub(super) zone_changes: Vec<ZoneChange>,
    pub(super) clock: ClockReport,
    /// The networks it may call from; none is everywhere.
    pub(super) allow: Vec<String>,
    /// Whether its path has to begin with a token.
    pub(super) has_path_token: bool,
}

/// What a terminal last told about itself.
#[derive(Serialize, ToSchema)]
pub(super) struct DeviceFacts {
    pub(super) firmware: Option<String>,
    pub(super) users: Option<u32>,
    pub(super) fingerprints: Option<u32>,
    pub(super) faces: Option<u32>,
    pub(super) cards: Option<u32>,
    pub(super) punches: Option<u32>,
    pub(super) address: Option<String>,
}

/// What can be asked of a terminal, and by what.
#[derive(Serialize, ToSchema)]
pub(super) struct Capabilities {
    /// `push`, `pull` for one that an agent asks on port 4370, or `source` for one that a source tells of.
    pub(super) transport: &'static str,
    /// The commands it can be asked.
    pub(super) commands: Vec<&'static str>,
    /// What an agent found it to be.
    pub(super) probe: Option<Value>,
}

/// What may still be on a terminal.
#[derive(Serialize, ToSchema)]
pub(super) struct Backlog {
    /// Whether it had earlier rows the last time.
    pub(super) is_behind: Option<bool>,
    /// How many punches it says it has.
    pub(super) punches_on_device: Option<u32>,
    /// Up to when it has told everything.
    #[schema(format = "date-time")]
    pub(super) complete_to: Option<String>,
}

pub(super) fn admissions() -> Object {
    words(ADMISSIONS)
}

fn statuses() -> Object {
    words(STATUSES)
}

/// What is shown of a terminal.
pub(super) fn device(
    row: &DeviceRow,
    last_seen: Option<&DateTime<Utc>>,
    clockwork: &Clockwork,
    standing: Option<&Standing>,
) -> Device {
    let admission = match row.admission {
        Admission::Approved => "approved",
        Admission::Pending => "pending",
        Admission::Blocked => "blocked",
    };
    let facts = |info: &Info| DeviceFacts {
        firmware: info.firmware.clone(),
        users: info.users,
        fingerprints: info.fingerprints,
        faces: info.faces,
        cards: info.cards,
        punches: info.punches,
        address: info.address.clone(),
    };
    Device {
        serial_number: row.serial.clone(),
        id: standing.and_then(|standing| standing.id.clone()),
        name: standing.and_then(|standing| standing.name.clone()),
        model: row.model.clone(),
        source: row.source.clone(),
        site: standing.and_then(|standing| standing.site.clone()),
        admission,
        status: standing.map_or(admission, |standing| standing.status),
        dialect: standing.and_then(|standing| standing.dialect).map(|dialect| dialect.to_string()),
        info: standing.and_then(|standing| standing.info.as_ref()).map(facts),
        capabilities: capabilities(row, standing),
        backlog: backlog(row, standing),
        said: row.said.as_deref().and_then(|said| serde_json::from_str(said).ok()),
        first_seen: written(row.first_seen),
        last_seen: last_seen.map(|at| written(*at)),
        zone: clockwork.zone_at(now()).to_string(),
        zone_changes: clockwork.zone_changes(),
        clock: clockwork.report(now()),
        allow: row.access.allow.texts(),
        has_path_token: row.access.token.is_some(),
    }
}

/// By what a terminal gets its commands, what it was found to be, and what can be asked of it.
fn capabilities(row: &DeviceRow, standing: Option<&Standing>) -> Option<Capabilities> {
    let means = standing?.means;
    let can = |kind: &OrderKind| {
        let order = Order::parse(kind.as_str(), &kind.example()).ok()?;
        order.check(means).is_ok().then_some(kind.as_str())
    };
    let transport = match means {
        Means::Push(_) => "push",
        Means::Pull => "pull",
        Means::Source => "source",
    };
    let probe = row.probe.as_deref().and_then(|probe| serde_json::from_str(probe).ok());
    Some(Capabilities { transport, commands: OrderKind::ALL.iter().filter_map(can).collect(), probe })
}

/// What may still be on a terminal.
fn backlog(row: &DeviceRow, standing: Option<&Standing>) -> Backlog {
    let probed = || {
        let probe: Value = serde_json::from_str(row.probe.as_deref()?).ok()?;
        u32::try_from(probe.get("records")?.as_u64()?).ok()
    };
    let complete_to = standing.and_then(|standing| standing.complete_to);
    Backlog {
        is_behind: standing.map(|standing| standing.is_behind),
        punches_on_device: standing.and_then(|standing| standing.info.as_ref()?.punches).or_else(probed),
        complete_to: complete_to.map(|at| at.to_rfc3339_opts(SecondsFormat::Secs, true)),
    }
}
