//! The report of a day, for whoever inspects working time: what each person did, what is odd about it and why, what was
//! changed since, what came late, and what may be missing.

mod page;
mod table;

use std::collections::BTreeMap;

use chrono::{DateTime, NaiveDate, TimeDelta, Utc};
use punch_normalize::DeviceZone;
use punch_protocol::SerialNumber;
use serde::Serialize;
use serde_json::Value;
use utoipa::ToSchema;

use crate::device::Devices;
use crate::store::{
    Attendance, AttendanceRow, Connection, Day, Edge, Part, RevisionOf, StatusChange, StoreError, written,
};

pub(crate) use page::page;
pub(crate) use table::table;

/// Most punches of a report.
pub(crate) const PUNCHES_MAX: usize = 50_000;

/// A row that comes so long after it was made has come late.
const LATE: TimeDelta = TimeDelta::hours(1);

/// The report of a day.
#[derive(Debug, Serialize, ToSchema)]
pub(crate) struct DailyReport {
    /// The day of the shifts.
    #[schema(format = "date")]
    pub(crate) date: String,
    /// The only site it is about.
    pub(crate) site: Option<String>,
    pub(crate) made_at: String,
    pub(crate) sites: Vec<SiteDay>,
    pub(crate) employees: Vec<EmployeeDay>,
    /// When terminals were not heard.
    pub(crate) gaps: Vec<Gap>,
    /// Rows of the day that are held and are no punches yet, by reason.
    pub(crate) held: BTreeMap<String, u64>,
}

/// Up to when everything of a site is known.
#[derive(Debug, Serialize, ToSchema)]
pub(crate) struct SiteDay {
    pub(crate) site: String,
    #[schema(format = "date-time")]
    pub(crate) complete_to: String,
    /// Whether that is behind the end of the day there.
    pub(crate) is_complete: bool,
    /// The terminal that holds it back.
    pub(crate) waiting_for: Option<String>,
}

/// What one person did.
#[derive(Debug, Serialize, ToSchema)]
pub(crate) struct EmployeeDay {
    pub(crate) badge_number: String,
    pub(crate) id: Option<String>,
    pub(crate) name: Option<String>,
    pub(crate) punches: Vec<DayPunch>,
    pub(crate) sessions: Vec<DaySession>,
    pub(crate) exceptions: Vec<DayException>,
}

/// A punch.
#[derive(Debug, Serialize, ToSchema)]
pub(crate) struct DayPunch {
    pub(crate) event_id: String,
    pub(crate) punched_at: String,
    #[schema(format = "date-time")]
    pub(crate) local_time: String,
    /// What the terminal's clock showed.
    pub(crate) device_local: String,
    pub(crate) direction: String,
    pub(crate) direction_source: String,
    pub(crate) method: String,
    pub(crate) device_serial: String,
    pub(crate) site: Option<String>,
    pub(crate) session_id: Option<String>,
    pub(crate) received_at: String,
    /// By how many minutes it came late.
    pub(crate) late_minutes: Option<i64>,
    /// What was told of it since.
    pub(crate) revisions: Vec<DayRevision>,
    #[serde(skip)]
    exceptions: Vec<String>,
}

/// One time a punch was told anew.
#[derive(Debug, Serialize, ToSchema)]
pub(crate) struct DayRevision {
    pub(crate) number: u32,
    pub(crate) revised_at: String,
    pub(crate) reason: String,
    pub(crate) old_direction: String,
    pub(crate) new_direction: String,
}

/// A shift, from its first punch to its last.
#[derive(Debug, Serialize, ToSchema)]
pub(crate) struct DaySession {
    pub(crate) session_id: String,
    #[schema(format = "date-time")]
    pub(crate) from: String,
    /// The last; null of a shift with one punch.
    #[schema(format = "date-time")]
    pub(crate) to: Option<String>,
    /// Between them, breaks included.
    pub(crate) minutes: Option<i64>,
}

/// Something missing or odd.
#[derive(Debug, Serialize, ToSchema)]
pub(crate) struct DayException {
    /// As a word.
    pub(crate) reason: String,
    /// For people.
    pub(crate) meaning: String,
    pub(crate) event_id: String,
}

/// A time in which a terminal was not heard.
#[derive(Debug, Serialize, ToSchema)]
pub(crate) struct Gap {
    pub(crate) device_serial: String,
    pub(crate) site: Option<String>,
    #[schema(format = "date-time")]
    pub(crate) from: String,
    /// Null if it goes on.
    #[schema(format = "date-time")]
    pub(crate) to: Option<String>,
}

/// What the store has of a day.
#[derive(Debug)]
pub(crate) struct Found {
    punches: Vec<AttendanceRow>,
    day: Day,
}

/// Reads a day. `None` if it is too much for one report.
pub(crate) fn read(
    connection: &Connection,
    date: NaiveDate,
    site: Option<String>,
) -> Result<Option<Found>, StoreError> {
    // A shift may begin before its day's midnight, and end the day after.
    let day = |days: i64| date.checked_add_signed(TimeDelta::days(days)).unwrap_or(date);
    let (from, to) = (Some(Edge::Day(day(-1))), Some(Edge::Day(day(2))));
    let which = Attendance { from, to, site: site.clone(), ..Attendance::default() };
    let (mut punches, mut after) = (Vec::new(), 0);
    loop {
        let part = Part { after: Some(after), descending: false, ..Part::newest(1000) };
        let rows = which.part(connection, part)?;
        let Some((last, _)) = rows.last() else { break };
        after = last.cast_signed();
        punches.extend(rows.into_iter().map(|(_, row)| row).filter(|row| day_of(&row.0) == Some(date)));
        if punches.len() > PUNCHES_MAX {
            return Ok(None);
        }
    }
    Ok(Some(Found { punches, day: Day::read(connection, date, site.as_deref())? }))
}

/// The day of the shift, or that of the place if nobody has found a shift.
fn day_of(punch: &Value) -> Option<NaiveDate> {
    let of_shift = punch.pointer("/metadata/business_date").and_then(Value::as_str);
    let local = punch.pointer("/punch/local_time").and_then(Value::as_str).and_then(|time| time.get(..10));
    of_shift.or(local)?.parse().ok()
}

impl DailyReport {
    /// The report of what was found.
    pub(crate) fn of(
        found: Found,
        date: NaiveDate,
        site: Option<String>,
        devices: &Devices,
        now: DateTime<Utc>,
    ) -> Self {
        let Found { punches, day: Day { sites, changes, revisions, held } } = found;
        let sites = sites.into_iter().map(|(name, row)| {
            let zone = devices.of_site(&name).first().map_or(DeviceZone::Utc, |serial| devices.zone(serial));
            SiteDay {
                is_complete: local_day(zone, row.complete_to) > date,
                complete_to: written(row.complete_to),
                waiting_for: row.waiting_for.map(|serial| serial.to_string()),
                site: name,
            }
        });
        let site_wanted = site.clone();
        Self {
            date: date.to_string(),
            site,
            made_at: written(now),
            sites: sites.collect(),
            employees: employees(&punches, revisions),
            gaps: gaps(changes, date, devices).into_iter().chain(silent(site_wanted, date, devices, now)).collect(),
            held,
        }
    }
}

fn local_day(zone: DeviceZone, at: DateTime<Utc>) -> NaiveDate {
    let offset = TimeDelta::minutes(zone.offset_minutes_at(at).into());
    at.checked_add_signed(offset).unwrap_or(at).date_naive()
}

fn employees(punches: &[AttendanceRow], revisions: Vec<RevisionOf>) -> Vec<EmployeeDay> {
    let mut revised = BTreeMap::<String, Vec<DayRevision>>::new();
    for RevisionOf { punch, number, at, reason, old_direction, new_direction } in revisions {
        let revision = DayRevision { number, revised_at: written(at), reason, old_direction, new_direction };
        revised.entry(punch).or_default().push(revision);
    }
    let mut people = BTreeMap::<(String, Option<String>), EmployeeDay>::new();
    for AttendanceRow(punch) in punches {
        let badge_number = text(punch, "/employee/badge_number").unwrap_or_default();
        let (id, name) = (text(punch, "/employee/id"), text(punch, "/employee/name"));
        let person = people.entry((badge_number.clone(), id.clone())).or_insert_with(|| EmployeeDay {
            badge_number,
            id,
            name,
            punches: Vec::new(),
            sessions: Vec::new(),
            exceptions: Vec::new(),
        });
        let mut punch = DayPunch::of(punch);
        punch.revisions = revised.remove(&punch.event_id).unwrap_or_default();
        person.punches.push(punch);
    }
    people.into_values().map(EmployeeDay::complete).collect()
}

impl DayPunch {
    fn of(punch: &Value) -> Self {
        let word = |place: &str| text(punch, place).unwrap_or_default();
        let (punched_at, received_at) = (word("/timestamp"), word("/metadata/received_at"));
        let moment = |text: &str| text.parse::<DateTime<Utc>>().ok();
        let took =
            moment(&punched_at).zip(moment(&received_at)).map(|(at, received)| received.signed_duration_since(at));
        let is_told_late = punch.pointer("/metadata/late") == Some(&Value::Bool(true));
        let words = punch.pointer("/metadata/exceptions").and_then(Value::as_array).into_iter().flatten();
        Self {
            event_id: word("/event_id"),
            local_time: word("/punch/local_time"),
            device_local: word("/metadata/device_local"),
            direction: word("/punch/direction"),
            direction_source: word("/metadata/direction_source"),
            method: word("/punch/method"),
            device_serial: word("/device/serial_number"),
            site: text(punch, "/device/site"),
            session_id: text(punch, "/metadata/session_id"),
            late_minutes: took.filter(|took| *took >= LATE || is_told_late).map(|took| took.num_minutes()),
            revisions: Vec::new(),
            exceptions: words.filter_map(Value::as_str).map(ToOwned::to_owned).collect(),
            punched_at,
            received_at,
        }
    }
}

impl EmployeeDay {
    /// Puts the punches in order and says what they come to.
    fn complete(mut self) -> Self {
        self.punches.sort_by(|one, other| one.punched_at.cmp(&other.punched_at));
        let mut sessions = BTreeMap::<&str, (&str, &str)>::new();
        for punch in &self.punches {
            if let Some(session) = &punch.session_id {
                let ends = sessions.entry(session).or_insert((&punch.punched_at, &punch.punched_at));
                ends.1 = &punch.punched_at;
            }
        }
        let session = |(id, (from, to)): (&str, (&str, &str))| {
            let is_open = from == to;
            let moments = from.parse::<DateTime<Utc>>().ok().zip(to.parse::<DateTime<Utc>>().ok());
            let minutes = moments.map(|(from, to)| to.signed_duration_since(from).num_minutes());
            let (session_id, from) = (id.to_owned(), from.to_owned());
            let to = (!is_open).then(|| to.to_owned());
            DaySession { session_id, from, to, minutes: minutes.filter(|_| !is_open) }
        };
        let exceptions = self.punches.iter().flat_map(|punch| {
            let each = |word: &String| DayException {
                reason: word.clone(),
                meaning: meaning(word).to_owned(),
                event_id: punch.event_id.clone(),
            };
            punch.exceptions.iter().map(each)
        });
        self.exceptions = exceptions.collect();
        self.sessions = sessions.into_iter().map(session).collect();
        self
    }
}

fn meaning(word: &str) -> &'static str {
    match word {
        "missing_in" => "a departure without an arrival",
        "missing_out" => "an arrival without a departure",
        "repeat_in" => "a second arrival of the same shift",
        "repeat_out" => "a second departure of the same shift; it counts, the one before does not",
        "unclosed_break" => "a break that nobody came back from",
        "missing_break_out" => "back from a break that nobody took",
        "impossible_travel" => "at two sites within the window of one punch",
        "wrong_key" => "the key that was pressed cannot have been meant; another direction was put in its place",
        _ => "",
    }
}

/// The times between going and coming of a terminal that touch the day there.
fn gaps(changes: Vec<StatusChange>, date: NaiveDate, devices: &Devices) -> Vec<Gap> {
    let mut open = BTreeMap::<String, StatusChange>::new();
    let mut found = Vec::new();
    let mut close = |gone: StatusChange, back: Option<DateTime<Utc>>| {
        let zone = SerialNumber::parse(&gone.serial).map_or(DeviceZone::Utc, |serial| devices.zone(&serial));
        let touches = local_day(zone, gone.at) <= date && back.is_none_or(|back| local_day(zone, back) >= date);
        if touches {
            let (from, to) = (written(gone.at), back.map(written));
            found.push(Gap { device_serial: gone.serial, site: gone.site, from, to });
        }
    };
    for change in changes {
        match (open.remove(&change.serial), change.is_online) {
            (Some(gone), true) => close(gone, Some(change.at)),
            (None, true) => {}
            (before, false) => drop(open.insert(change.serial.clone(), before.unwrap_or(change))),
        }
    }
    open.into_values().for_each(|gone| close(gone, None));
    found
}

/// Terminals that are not heard at the moment, and were not since the day.
fn silent(site: Option<String>, date: NaiveDate, devices: &Devices, now: DateTime<Utc>) -> Vec<Gap> {
    let each = devices.last_seen().into_iter().filter_map(|(text, last)| {
        let serial = SerialNumber::parse(&text).ok()?;
        let standing = devices.standing(&serial, now)?;
        let is_wanted = site.is_none() || standing.site == site;
        let is_silent = standing.status == "offline" && local_day(devices.zone(&serial), last) <= date;
        let gap = || Gap { device_serial: text, site: standing.site, from: written(last), to: None };
        (is_wanted && is_silent).then(gap)
    });
    each.collect()
}

fn text(value: &Value, place: &str) -> Option<String> {
    value.pointer(place).and_then(Value::as_str).map(ToOwned::to_owned)
}
