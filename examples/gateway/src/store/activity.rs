//! The last day in numbers, hour by hour: what people see as charts.

use core::ops::ControlFlow;

use chrono::{DateTime, DurationRound as _, TimeDelta, Utc};

use super::{Connection, Row, StoreError, from_millis, millis};

/// Milliseconds in an hour.
const HOUR: i64 = 3_600_000;

/// What was taken and delivered in each of the last [`Activity::HOURS`] hours, the one that runs among them.
#[derive(Debug, Clone)]
pub(crate) struct Activity {
    /// The hours, in order.
    pub(crate) hours: Vec<Hour>,
}

/// One hour.
#[derive(Debug, Clone)]
pub(crate) struct Hour {
    /// When it begins.
    pub(crate) begins: DateTime<Utc>,
    /// Punches that were accepted in it.
    pub(crate) punches: u64,
    /// Deliveries that were made in it and have arrived, by how long that took: one number for each of
    /// [`Activity::BOUNDS`], and one for what took longer.
    arrived: [u64; Activity::BOUNDS.len() + 1],
}

impl Activity {
    /// How many hours there are.
    pub(crate) const HOURS: usize = 24;

    /// The classes of the time from a delivery's making to its arrival, each up to so many milliseconds.
    pub(crate) const BOUNDS: [i64; 16] = [
        10, 20, 50, 100, 200, 500, 1_000, 2_000, 5_000, 10_000, 30_000, 60_000, 300_000, 1_800_000, 7_200_000,
        43_200_000,
    ];

    /// Counts, from the events of these hours on. A delivery of an older event that was sent again is not among them.
    ///
    /// # Errors
    ///
    /// The store cannot be read.
    pub(crate) fn read(connection: &Connection, now: DateTime<Utc>) -> Result<Self, StoreError> {
        let this = now.duration_trunc(TimeDelta::hours(1)).unwrap_or(now);
        let before = |hours: usize| TimeDelta::hours(i64::try_from(hours).unwrap_or(0));
        let begins = (0..Self::HOURS).rev().map(|hours| this - before(hours));
        let empty = |begins| Hour { begins, punches: 0, arrived: [0; Self::BOUNDS.len() + 1] };
        let mut activity = Self { hours: begins.map(empty).collect() };
        activity.count_punches(connection)?;
        activity.count_arrivals(connection)?;
        Ok(activity)
    }

    fn since(&self) -> i64 {
        self.hours.first().map_or(0, |hour| millis(hour.begins))
    }

    fn hour(&mut self, row: &Row<'_>) -> Result<Option<&mut Hour>, StoreError> {
        let begins = from_millis(row.get::<i64>(0)?.saturating_mul(HOUR));
        Ok(self.hours.iter_mut().find(|hour| hour.begins == begins))
    }

    fn count_punches(&mut self, connection: &Connection) -> Result<(), StoreError> {
        let sql = format!(
            "SELECT created_at / {HOUR}, count(*) FROM event
             WHERE created_at >= ?1 AND type = 'attendance.punch' GROUP BY 1"
        );
        connection.each(&sql, &[&self.since()], |row| {
            let count = row.get::<i64>(1)?.cast_unsigned();
            if let Some(hour) = self.hour(row)? {
                hour.punches = count;
            }
            Ok(ControlFlow::Continue(()))
        })
    }

    fn count_arrivals(&mut self, connection: &Connection) -> Result<(), StoreError> {
        let classes = Self::BOUNDS.iter().enumerate();
        let classes: String = classes.map(|(class, bound)| format!(" WHEN took <= {bound} THEN {class}")).collect();
        let sql = format!(
            "SELECT began, CASE{classes} ELSE {} END, count(*) FROM (
                 SELECT delivery.created_at / {HOUR} AS began, settled_at - delivery.created_at AS took
                 FROM event JOIN delivery ON delivery.event = event.seq
                 WHERE event.created_at >= ?1 AND delivery.state = 'delivered'
             ) AS arrival GROUP BY 1, 2",
            Self::BOUNDS.len()
        );
        connection.each(&sql, &[&self.since()], |row| {
            let (class, count) = (row.get::<i64>(1)?, row.get::<i64>(2)?.cast_unsigned());
            let class = usize::try_from(class).unwrap_or(usize::MAX);
            if let Some(arrived) = self.hour(row)?.and_then(|hour| hour.arrived.get_mut(class)) {
                *arrived = count;
            }
            Ok(ControlFlow::Continue(()))
        })
    }
}

impl Hour {
    /// Deliveries that were made in it and have arrived.
    pub(crate) fn delivered(&self) -> u64 {
        self.arrived.iter().sum()
    }

    /// The class of the time within which so many percent had arrived; `None` if nothing has.
    pub(crate) fn within(&self, percent: u64) -> Option<usize> {
        let all = self.delivered();
        let wanted = (all * percent).div_ceil(100);
        let mut sum = 0;
        self.arrived.iter().position(|count| {
            sum += count;
            all > 0 && sum >= wanted
        })
    }
}

#[cfg(test)]
mod tests {
    use chrono::{DateTime, Utc};

    use super::Activity;
    use crate::store::empty_file;

    #[test]
    fn punches_and_times_are_counted_into_the_hour_they_belong_to() {
        let (_folder, connection) = empty_file();
        let now: DateTime<Utc> = "2026-03-02T08:30:00Z".parse().unwrap();
        let at = |hours: i64, millis: i64| now.timestamp_millis() - 1_800_000 - hours * super::HOUR + millis;
        connection.batch("PRAGMA foreign_keys = OFF").unwrap();
        let event = |id: &str, kind: &str, created: i64, took: Option<i64>| {
            let sql = "INSERT INTO event (id, type, lane, created_at) VALUES (?1, ?2, 0, ?3) RETURNING seq";
            let seq: i64 = connection.value(sql, &[&id, &kind, &created]).unwrap();
            let sql = "INSERT INTO delivery (endpoint, event, lane, created_at, state, settled_at)
                       VALUES (1, ?1, 0, ?2, ?3, ?4)";
            let state = if took.is_some() { "delivered" } else { "waiting" };
            connection.execute(sql, &[&seq, &created, &state, &took.map(|took| created + took)]).unwrap();
        };
        event("now", "attendance.punch", at(0, 0), Some(10));
        event("slow", "attendance.punch", at(0, 5), Some(11));
        event("other", "device.clock", at(0, 9), Some(100_000_000));
        event("waits", "attendance.punch", at(23, 0), None);
        event("yesterday", "attendance.punch", at(24, super::HOUR - 1), Some(1));
        let activity = Activity::read(&connection, now).unwrap();
        let punches: Vec<u64> = activity.hours.iter().map(|hour| hour.punches).collect();
        assert_eq!((punches.len(), punches[0], punches[22], punches[23]), (24, 1, 0, 2));
        let (first, last) = (&activity.hours[0], &activity.hours[23]);
        assert_eq!((first.within(50), first.within(95)), (None, None), "nothing has arrived");
        // 10 ms, 11 ms and more than a day: half have arrived within 20 ms.
        assert_eq!((last.within(1), last.within(50), last.within(95)), (Some(0), Some(1), Some(16)));
    }
}
