//! A community, a key, some people, and a way to write punches.

use std::collections::BTreeMap;

use chrono::{DateTime, SecondsFormat, TimeDelta, Utc};
use punch_erp::humand::{Humand, HumandSettings, Standing, WriteEntries};
use punch_erp::{Failure, HttpRequest, HttpResponse, Outcome, drive};
use punch_webhook::ReceivedPunch;

pub(crate) use crate::humand_server::{HumandConfig, HumandFault, HumandStandIn, HumandUser, Rules};
use crate::world::reply;
pub(crate) use crate::world::words;

pub(crate) const KEY: &str = "canary9b8aKEYcanary9b8aKEYcanary";

pub(crate) const ALICE: &str = "43000001";
pub(crate) const BOB: &str = "0042";

pub(crate) const RULES: [Rules; 4] = [Rules::Unprocessable, Rules::Invalid, Rules::IllegalState, Rules::None];

pub(crate) fn at(text: &str) -> DateTime<Utc> {
    text.parse().unwrap()
}

/// A time of January 2026 in the community's zone, `27 08:00:00`; the 27th if no day is given.
pub(crate) fn local(text: &str) -> DateTime<Utc> {
    let (day, time) = text.split_once(' ').unwrap_or(("27", text));
    at(&format!("2026-01-{day}T{time}-03:00"))
}

/// A punch at a local time. Its id says whose, when and which way.
pub(crate) fn punch(badge: &str, time: &str, direction: &str) -> ReceivedPunch {
    let time = local(time);
    let id = format!("evt_{}_{}_{direction}", badge.len(), time.format("%d%H%M%S"));
    let mut punch = crate::world::punch(&id, "1", &time.to_rfc3339_opts(SecondsFormat::Millis, true), direction);
    punch.badge = badge.to_owned();
    punch.local_time = Some(time.with_timezone(&chrono::FixedOffset::west_opt(3 * 3600).unwrap()));
    punch
}

pub(crate) fn alice(time: &str, direction: &str) -> ReceivedPunch {
    punch(ALICE, time, direction)
}

pub(crate) fn settings() -> HumandSettings {
    HumandSettings::new(KEY)
}

pub(crate) struct World {
    pub(crate) humand: Humand,
    pub(crate) server: HumandStandIn,
    /// What is known of each person; a crash empties it.
    pub(crate) standing: BTreeMap<String, Standing>,
    pub(crate) now: DateTime<Utc>,
}

impl World {
    pub(crate) fn new() -> Self {
        Self::with(settings(), |_| {})
    }

    pub(crate) fn with_rules(rules: Rules) -> Self {
        Self::with(settings(), |config| config.rules = rules)
    }

    pub(crate) fn with(settings: HumandSettings, change: impl FnOnce(&mut HumandConfig)) -> Self {
        let mut config = HumandConfig::new(KEY);
        config.users = vec![
            HumandUser::new(ALICE, "Alice Canary"),
            HumandUser::new(BOB, "Bob"),
            HumandUser::new("3003", "Iris").with_status("DEACTIVATED"),
            HumandUser::new("4004", "Liam").with_status("UNCLAIMED"),
        ];
        change(&mut config);
        Self {
            humand: Humand::new(settings).unwrap(),
            server: HumandStandIn::new(config),
            standing: BTreeMap::new(),
            now: local("31 12:00:00"),
        }
    }

    /// Each request takes two seconds, so nobody comes near the limit.
    pub(crate) fn send(&mut self, request: &HttpRequest) -> Result<HttpResponse, Failure> {
        self.now += TimeDelta::seconds(2);
        let response = self.server.answer(request, self.now);
        reply(response)
    }

    /// A flow for the person of the first punch.
    pub(crate) fn flow(&self, punches: &[ReceivedPunch]) -> WriteEntries {
        let employee = punches[0].badge.as_str();
        let flow = WriteEntries::new(&self.humand, employee, punches, self.now);
        match self.standing.get(employee) {
            Some(standing) => flow.with_standing(standing.clone()),
            None => flow,
        }
    }

    /// One attempt; what is known afterwards is kept for the next one.
    pub(crate) fn write(&mut self, punches: &[ReceivedPunch]) -> Vec<Outcome> {
        let mut flow = self.flow(punches);
        let outcomes = drive(&mut flow, |request| self.send(&request));
        self.keep(&punches[0].badge, &flow);
        assert_eq!(outcomes.len(), punches.len());
        outcomes
    }

    pub(crate) fn keep(&mut self, employee: &str, flow: &WriteEntries) {
        match flow.standing() {
            Some(standing) => drop(self.standing.insert(employee.to_owned(), standing.clone())),
            None => drop(self.standing.remove(employee)),
        }
    }

    /// Attempts until nothing is left to be tried again, waiting as long as is asked for.
    pub(crate) fn write_until_settled(&mut self, punches: &[ReceivedPunch]) -> Vec<Outcome> {
        for _ in 0..100 {
            let outcomes = self.write(punches);
            let waits = outcomes.iter().filter_map(|outcome| match outcome {
                Outcome::Retry { after, .. } => Some(after.unwrap_or(TimeDelta::seconds(60))),
                _ => None,
            });
            match waits.max() {
                Some(wait) => self.now += wait,
                None => return outcomes,
            }
        }
        panic!("100 attempts and no end")
    }

    /// What Humand has of somebody, in order of time: `27 08:00:00 START`. Changes of the day are left out.
    pub(crate) fn entries(&self, employee: &str) -> Vec<String> {
        let mut rows: Vec<_> = self.server.entries().iter().filter(|row| row.employee == employee).collect();
        rows.sort_by_key(|row| (row.at, row.id));
        let punched = rows.into_iter().filter(|row| row.source != "DAY_CHANGE");
        let zone = chrono::FixedOffset::west_opt(3 * 3600).unwrap();
        punched.map(|row| format!("{} {}", row.at.with_timezone(&zone).format("%d %H:%M:%S"), row.kind)).collect()
    }

    /// A person, or Humand, writes an entry of Alice.
    pub(crate) fn put(&mut self, time: &str, kind: &str, comment: &str, source: &str) -> String {
        self.server.put(ALICE, kind, local(time), comment, source, self.now).id.to_string()
    }

    /// The requests since `from`, as `GET entries`, `POST clockIn`, `GET users/…`.
    pub(crate) fn calls_since(&self, from: usize) -> Vec<String> {
        let short = |request: &String| {
            let (method, target) = request.split_once(' ').unwrap();
            let path = target.split('?').next().unwrap();
            format!("{method} {}", path.rsplit('/').next().unwrap())
        };
        self.server.requests()[from..].iter().map(short).collect()
    }
}
