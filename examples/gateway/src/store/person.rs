//! What is kept of a person's punches beside the rows: what was found of them, and what was told.

use core::ops::ControlFlow;
use std::sync::LazyLock;

use chrono::{DateTime, FixedOffset, NaiveDate, NaiveDateTime, SubsecRound as _, Utc};
use punch_normalize::timeline::{Mark, Role};
use punch_normalize::{Direction, EventId, Person, Punch, TimeQuality};
use punch_protocol::{Pin, RawPunch, SerialNumber, Status, Verify};
use punch_webhook::{DeviceInfo, EmployeeInfo};
use serde::Deserialize;

use super::sql::Row;
use super::{StoreError, Transaction, from_millis, millis};
use crate::core::{Known, Telling, Told};

/// The form of civil times in the file; it sorts as time does.
pub(super) const CIVIL: &str = "%Y-%m-%dT%H:%M:%S";

/// A civil time in that form, to the second, as its `Debug` is.
pub(super) fn civil_text(time: NaiveDateTime) -> String {
    format!("{:?}", time.trunc_subsecs(0))
}

/// What the terminal said, as the first columns of a query for [`raw_punch`].
pub(super) const SAID: &str = "serial, pin, device_local, is_utc, status, verify, work_code";

/// Reads what the terminal said back. `None` of a row that never read, or that somebody has damaged.
pub(super) fn raw_punch(row: &Row<'_>) -> Result<Option<RawPunch>, StoreError> {
    let serial: String = row.get(0)?;
    let (pin, shown): (Option<Vec<u8>>, Option<String>) = (row.get(1)?, row.get(2)?);
    let (Some(pin), Some(shown)) = (pin, shown) else { return Ok(None) };
    let parts = (SerialNumber::parse(&serial), NaiveDateTime::parse_from_str(&shown, CIVIL));
    let (Ok(serial), Ok(time)) = parts else { return Ok(None) };
    let mut raw = RawPunch::new(serial, Pin::new(&pin).into_owned(), time);
    raw.is_utc = row.get(3)?;
    raw.status = row.get::<Option<u16>>(4)?.map(Status);
    raw.verify = row.get::<Option<u16>>(5)?.map(Verify);
    raw.work_code = row.get(6)?;
    Ok(Some(raw))
}

/// What the clock on the wall showed at an instant; UTC if the store does not say.
pub(super) fn wall_time(text: Option<String>, at: DateTime<Utc>) -> DateTime<FixedOffset> {
    let read = text.and_then(|text| DateTime::parse_from_rfc3339(&text).ok());
    read.unwrap_or_else(|| at.fixed_offset())
}

/// Which way a person's punches are gone through.
#[derive(Debug, Clone, Copy)]
pub(super) enum Way {
    /// From a moment on, the moment itself included.
    Ahead,
    /// From before a moment, the latest first.
    Back,
}

static AHEAD: LazyLock<String> = LazyLock::new(|| look_sql("punched_at >= ?2 ORDER BY punched_at"));
static BACK: LazyLock<String> = LazyLock::new(|| look_sql("punched_at < ?2 ORDER BY punched_at DESC"));

fn look_sql(range: &str) -> String {
    format!(
        "SELECT id, punched_at, device_local, status, role, trusted, revision, direction, direction_source, confidence, \
         session_id, business_date, exceptions, fate, serial, site, place, local_time, historic, manual \
         FROM row WHERE fate IN ('delivered', 'suppressed') AND person = ?1 AND {range}",
    )
}

/// Hands over the punches of a person from `at` in time order, those of one second by their places, until `take` has enough.
pub(super) fn look(
    tx: &Transaction<'_>,
    way: Way,
    person: &Person,
    at: DateTime<Utc>,
    take: &mut dyn FnMut(Known) -> ControlFlow<()>,
) -> Result<(), StoreError> {
    let sql = match way {
        Way::Ahead => &AHEAD,
        Way::Back => &BACK,
    };
    // The index has them in order but for those of one second, which are few: the database would begin a sort for each.
    let mut same_second = Vec::<Known>::new();
    tx.each(sql, &[&person.as_str(), &at.timestamp()], |row| {
        let second: i64 = row.get(1)?;
        if same_second.first().is_some_and(|known| known.mark.at.timestamp() != second)
            && hand_over(&mut same_second, way, take).is_break()
        {
            return Ok(ControlFlow::Break(()));
        }
        same_second.extend(known(row, person)?);
        Ok(ControlFlow::Continue(()))
    })?;
    // Whoever has enough by now has been handed everything.
    let _ = hand_over(&mut same_second, way, take);
    Ok(())
}

fn hand_over(known: &mut Vec<Known>, way: Way, take: &mut dyn FnMut(Known) -> ControlFlow<()>) -> ControlFlow<()> {
    known.sort_by(|a, b| {
        let order = |known: &Known| known.mark.order.cast_signed();
        let ahead = order(a).cmp(&order(b)).then_with(|| a.mark.event_id.cmp(&b.mark.event_id));
        match way {
            Way::Ahead => ahead,
            Way::Back => ahead.reverse(),
        }
    });
    known.drain(..).try_for_each(take)
}

fn known(row: &Row<'_>, person: &Person) -> Result<Option<Known>, StoreError> {
    let (id, at, serial) = (row.text(0)?.unwrap_or_default(), row.get(1)?, row.text(14)?.unwrap_or_default());
    let local = local_time(row.text(17)?, row.text(2)?);
    let parts = (EventId::parse(id), DateTime::from_timestamp(at, 0), local, SerialNumber::parse(serial));
    // Nothing else is ever written, so this only skips a damaged row.
    let (Ok(event_id), Some(at), Some(local), Ok(serial)) = parts else { return Ok(None) };
    let mut mark = Mark::new(event_id, at, local);
    mark.status = row.get::<Option<u16>>(3)?.map(Status);
    mark.role = row.text(4)?.and_then(role_of);
    mark.is_trusted = row.get(5)?;
    mark.is_published = row.text(13)? == Some("delivered");
    mark.order = row.get::<i64>(16)?.cast_unsigned();
    mark.manual = row.text(19)?.and_then(direction_of);
    let told = match row.text(7)?.and_then(direction_of) {
        None => None,
        Some(direction) => Some(Told {
            direction,
            source: row.get(8)?,
            confidence: row.get(9)?,
            session: row.get(10)?,
            business_date: row.text(11)?.and_then(|date| date.parse().ok()),
            exceptions: row.get(12)?,
        }),
    };
    Ok(Some(Known {
        mark,
        person: person.clone(),
        serial,
        site: row.get(15)?,
        told,
        revision: row.get(6)?,
        is_historic: row.get(18)?,
    }))
}

/// What the clock on the wall showed; that of the terminal in rows of older layouts.
fn local_time(local_time: Option<&str>, device_local: Option<&str>) -> Option<NaiveDateTime> {
    let corrected = local_time.and_then(|text| DateTime::parse_from_rfc3339(text).ok());
    let shown = || NaiveDateTime::parse_from_str(device_local?, CIVIL).ok();
    corrected.map(|time| time.naive_local()).or_else(shown)
}

/// Writes a row with all that is known of it, unless it is known already. It is looked up with every punch, so it is short.
pub(super) const ENTER: &str = concat!(
    "INSERT INTO row (id, serial, fate, reason, problem, duplicate_of, pin, device_local, is_utc, status, verify, ",
    "work_code, received_at, raw, place, previous_at, was_live, person, site, role, trusted, punched_at, local_time, ",
    "time_quality, clock_offset_s, historic, direction, direction_source, confidence, session_id, business_date, ",
    "exceptions) VALUES (?1, ?2, ?3, ?4, ?5, ?6, ?7, ?8, ?9, ?10, ?11, ?12, ?13, ?14, ?15, ?16, ?17, ?18, ?19, ?20, ",
    "?21, ?22, ?23, ?24, ?25, ?26, ?27, ?28, ?29, ?30, ?31, ?32) ON CONFLICT (id) DO NOTHING",
);

/// The same for one that is known already. It stays as it is, except that a held one may be settled or held for another
/// reason, and that a suppressed one may turn out to be a punch of its own.
pub(super) fn enter_again() -> String {
    let settle = "DO UPDATE SET
        fate = excluded.fate, reason = excluded.reason, problem = excluded.problem,
        duplicate_of = excluded.duplicate_of,
        place = CASE excluded.fate WHEN 'held' THEN row.place ELSE excluded.place END,
        person = excluded.person, site = excluded.site, role = excluded.role, trusted = excluded.trusted,
        punched_at = excluded.punched_at, local_time = excluded.local_time, time_quality = excluded.time_quality,
        clock_offset_s = excluded.clock_offset_s, historic = excluded.historic, direction = excluded.direction,
        direction_source = excluded.direction_source, confidence = excluded.confidence,
        session_id = excluded.session_id, business_date = excluded.business_date, exceptions = excluded.exceptions,
        revision = 0
    WHERE row.fate = 'held' AND (excluded.fate <> 'held' OR excluded.reason <> row.reason)
       OR row.fate = 'suppressed' AND excluded.fate IN ('delivered', 'suppressed')";
    ENTER.replace("DO NOTHING", settle)
}

/// Keeps when a punch was made, and how that was found.
pub(super) fn date(tx: &Transaction<'_>, punch: &Punch) -> Result<(), StoreError> {
    tx.execute(
        "UPDATE row SET punched_at = ?2, local_time = ?3, time_quality = ?4, clock_offset_s = ?5, historic = ?6
         WHERE id = ?1",
        &[
            &punch.event_id.as_str(),
            &punch.punched_at.timestamp(),
            &punch.local_time.to_rfc3339(),
            &punch.time_quality.as_str(),
            &punch.clock_offset_s,
            &punch.is_historic,
        ],
    )?;
    Ok(())
}

/// Keeps what is told of a punch.
pub(super) fn tell(tx: &Transaction<'_>, id: &str, told: &Told, revision: u32) -> Result<(), StoreError> {
    tx.execute(
        "UPDATE row SET direction = ?2, direction_source = ?3, confidence = ?4, session_id = ?5, business_date = ?6,
             exceptions = ?7, revision = ?8 WHERE id = ?1",
        &[
            &id,
            &told.direction.as_str(),
            &told.source,
            &told.confidence,
            &told.session,
            &told.business_date.map(date_text),
            &told.exceptions,
            &revision,
        ],
    )?;
    Ok(())
}

/// Keeps what was told of a punch before it is told anew.
pub(super) fn note(
    tx: &Transaction<'_>,
    known: &Known,
    old: &Told,
    new: &Told,
    telling: &Telling<'_>,
) -> Result<(), StoreError> {
    tx.execute(
        "INSERT INTO revision VALUES (?1, ?2, ?3, ?4, ?5, ?6, ?7, ?8, ?9, ?10, ?11)",
        &[
            &known.mark.event_id.as_str(),
            &telling.number,
            &telling.event_id.as_str(),
            &millis(telling.at),
            &telling.reason,
            &old.direction.as_str(),
            &old.session,
            &old.business_date.map(date_text),
            &new.direction.as_str(),
            &new.session,
            &new.business_date.map(date_text),
        ],
    )?;
    Ok(())
}

/// Reads a punch back; `None` if the row never became one.
pub(super) fn punch(tx: &Transaction<'_>, id: &EventId) -> Result<Option<Punch>, StoreError> {
    let read = tx.first(
        &format!(
            "SELECT {SAID}, punched_at, received_at, local_time, time_quality, clock_offset_s, historic
         FROM row WHERE id = ?1 AND punched_at IS NOT NULL",
        ),
        &[&id.as_str()],
        |row| {
            let Some(raw) = raw_punch(row)? else { return Ok(None) };
            let at = DateTime::from_timestamp(row.get(7)?, 0).unwrap_or_default();
            let quality: Option<String> = row.get(10)?;
            let quality = quality.and_then(|word| quality_of(&word)).unwrap_or(TimeQuality::Exact);
            let (local_time, received_at) = (wall_time(row.get(9)?, at), from_millis(row.get(8)?));
            let mut punch = Punch::new(id.clone(), raw, at, local_time, quality, received_at);
            (punch.clock_offset_s, punch.is_historic) = (row.get(11)?, row.get(12)?);
            Ok(Some(punch))
        },
    );
    Ok(read?.flatten())
}

/// A punch as it was told first.
pub(super) struct Original {
    pub(super) punch: Punch,
    pub(super) device: DeviceInfo,
    pub(super) employee: EmployeeInfo,
}

/// The members of a nested body that its row does not have.
#[derive(Deserialize)]
struct Body {
    #[serde(default)]
    device: Device,
    employee: Employee,
    punch: LocalTime,
    metadata: Quality,
}

#[derive(Default, Deserialize)]
struct Device {
    id: Option<String>,
    name: Option<String>,
    site: Option<String>,
}

#[derive(Deserialize)]
struct Employee {
    id: Option<String>,
    badge_number: String,
    name: Option<String>,
}

#[derive(Deserialize)]
struct LocalTime {
    local_time: String,
}

#[derive(Deserialize)]
struct Quality {
    time_quality: TimeQuality,
}

impl Original {
    /// Reads it back; `None` if it was never told.
    pub(super) fn of(tx: &Transaction<'_>, id: &EventId) -> Result<Option<Self>, StoreError> {
        let Some(mut punch) = punch(tx, id)? else { return Ok(None) };

        let read = tx.first(
            "SELECT nested, local_time IS NULL FROM row JOIN event ON event.row_seq = row.seq
             WHERE row.id = ?1 AND nested IS NOT NULL",
            &[&id.as_str()],
            |row| Ok((row.get::<Vec<u8>>(0)?, row.get::<bool>(1)?)),
        );
        let Some((bytes, is_old)) = read? else { return Ok(None) };
        let Ok(body) = serde_json::from_slice::<Body>(&bytes) else { return Ok(None) };
        if is_old {
            // Rows of older layouts do not say how their instants were found, and the body does.
            punch.time_quality = body.metadata.time_quality;
            punch.local_time = DateTime::parse_from_rfc3339(&body.punch.local_time).unwrap_or(punch.local_time);
        }
        let mut device = DeviceInfo::default();
        (device.id, device.name, device.site) = (body.device.id, body.device.name, body.device.site);
        let mut employee = EmployeeInfo::new(body.employee.badge_number);
        (employee.id, employee.name) = (body.employee.id, body.employee.name);
        Ok(Some(Self { punch, device, employee }))
    }
}

fn quality_of(word: &str) -> Option<TimeQuality> {
    serde_json::from_value(word.into()).ok()
}

pub(super) fn date_text(date: NaiveDate) -> String {
    date.to_string()
}

pub(super) fn word_of(role: Role) -> &'static str {
    match role {
        Role::Entry => "entry",
        Role::Exit => "exit",
    }
}

pub(super) fn role_of(word: &str) -> Option<Role> {
    [Role::Entry, Role::Exit].into_iter().find(|role| word_of(*role) == word)
}

pub(crate) fn direction_of(word: &str) -> Option<Direction> {
    use Direction::{BreakIn, BreakOut, In, Intermediate, Out, OvertimeIn, OvertimeOut, Unknown};
    let all = [In, Out, BreakOut, BreakIn, OvertimeIn, OvertimeOut, Intermediate, Unknown];
    all.into_iter().find(|direction| direction.as_str() == word)
}

#[cfg(test)]
mod tests {
    use super::*;
    use crate::store::empty_file;

    /// S2-085: those of one second come by their places, the last of a slice as well, and nobody is handed more than they take.
    #[test]
    fn punches_of_one_second_come_in_the_order_of_their_places() {
        let (_folder, connection) = empty_file();
        for (number, (at, place)) in [(60, 0), (120, 2), (120, 0), (120, 1), (180, 1), (180, 0)].into_iter().enumerate()
        {
            let sql = "INSERT INTO row (id, serial, fate, person, punched_at, place, device_local, received_at, raw)
                       VALUES (?1, 'T1', 'delivered', '7', ?2, ?3, '2026-03-02T08:00:00', 0, '')";
            connection.execute(sql, &[&format!("evt_{number:026}"), &i64::from(at), &i64::from(place)]).unwrap();
        }
        let gone_through = |way: Way, from: i64, most: usize| {
            let mut found = Vec::new();
            let person = Person::new("7");
            let work = |tx: &mut Transaction<'_>| {
                let mut take = |known: Known| {
                    found.push((known.mark.at.timestamp(), known.mark.order));
                    if found.len() == most { ControlFlow::Break(()) } else { ControlFlow::Continue(()) }
                };
                look(tx, way, &person, DateTime::from_timestamp(from, 0).unwrap(), &mut take)
            };
            Transaction::whole(&connection, work).unwrap();
            found
        };
        let all = [(60, 0), (120, 0), (120, 1), (120, 2), (180, 0), (180, 1)];
        assert_eq!(gone_through(Way::Ahead, 60, usize::MAX), all);
        assert_eq!(gone_through(Way::Back, 180, usize::MAX), [(120, 2), (120, 1), (120, 0), (60, 0)]);
        for most in 1..=all.len() {
            assert_eq!(gone_through(Way::Ahead, 0, most), all[..most]);
        }
    }
}
