mod answers;
mod stage;
mod verdict;

use alloc::string::String;
use alloc::sync::Arc;
use alloc::vec::Vec;
use core::fmt;

use chrono::{DateTime, NaiveDate, TimeDelta, Utc};
use punch_normalize::DirectionSource;
use punch_webhook::ReceivedPunch;

use super::clock::employee_number;
use super::{
    ClockEntry, Entry, Fate, GetUser, Humand, ListEntries, Mark, NewEntry, Plan, Standing, UserDirectory, comment,
};
use crate::{Endpoint as _, Failure, Flow, HttpResponse, Outcome, ParkReason, RetryReason, Step};
use stage::{Doubt, End, Punch, Stage, Why};
use verdict::refused;

/// Writes the punches of one person that Humand does not have yet, one entry a request, in order of time: one attempt.
///
/// Give it every punch of the person around the new one that is waiting, or parked for want of another punch
/// ([`OrphanOut`](ParkReason::OrphanOut), [`Alternation`](ParkReason::Alternation)); those that are written already need
/// not be given. The flow reads what stands, lets [`Plan`] find what may be sent next, sends that, and plans anew.
///
/// ```text
/// (user) ── unknown, inactive ──────────────────────► parked      (only if a directory doubts it, or after 404)
///    │
/// entries ── it is there, or one like it ───────────► already
///    │ ▲
///    │ └──── planned anew after each
///    ▼
///  clock ── stored as sent ─────────────────────────► applied
///    │ ├─── stored otherwise ───────────────────────► parked, alarm
///    │ ├─── breaks a rule ──► entries ── found ─────► already
///    │ │                         └─────── not ──────► parked, or held if it is ahead of Humand's clock
///    │ ├─── no answer ──────► entries ── found ─────► already
///    │ │                         └─────── not ──────► retry
///    │ ├─── 401 403 3xx 429 5xx, 404 of an address ─► retry
///    │ └─── 404 of a person ──► user ───────────────► parked
///    └───── anything else ──────────────────────────► parked; the punches after it go on
/// ```
///
/// # One at a time
///
/// Let no two flows of one person run at once: nothing but this order, and Humand's own rule that two of a kind do not
/// follow each other, keeps an entry from being stored twice. Flows of different people do not meet, but for the limit of
/// requests, which [`Pace`](super::Pace) keeps.
///
/// # Idempotency argument
///
/// Humand has no key that would make a repeated request harmless. Why, all the same, a crash after any byte neither doubles
/// nor loses a punch:
///
/// * **The punch is on disk before anything is sent**, and stays there as waiting until an outcome is written down. That is
///   the caller's part, and all of it: whatever was going on when the program died, the punch is given to a flow again. So
///   nothing is lost.
/// * **Nothing is sent but after looking.** A flow sends an entry only if it knows all entries of its day, the day before
///   and the day after, from a reading that is younger than every request that might have carried it. That is a reading of
///   this flow, or a [`Standing`] that an earlier one handed on; and a flow hands none on while one of its requests is in
///   doubt. A program that died has no `Standing`, for it is never written to disk.
/// * **An entry is found again.** Its comment begins with the event's id, which is the same for every delivery; if the
///   comment was changed, an entry of the same kind within a second is taken for it.
/// * So by where the program dies. *Before the first byte is out*: nothing was stored, the next attempt looks, finds nothing
///   and sends. *While the request is on its way, or the answer is*: it was stored or not, nobody knows; the next attempt
///   looks, and finds it or sends it. *After the answer, before the outcome is on disk*: the next attempt looks and finds it.
///   *After that*: nobody asks again.
/// * **No answer is not a no.** The flow looks at once. What it does not find it does not send again: that is left to the
///   next attempt, which looks once more. A request that was merely slow has by then arrived and is found.
/// * **What stalls longer than that** arrives when its double may stand already. Humand refuses two of a kind in a row, so it
///   is refused. Should it be stored in spite of that, the next reading finds two entries of one event, and the punch is
///   [`Doubled`](crate::ParkReason::Doubled), which is an alarm. Humand offers nothing better.
///
/// `Debug` shows counts and the stage, never a person.
pub struct WriteEntries {
    humand: Humand,
    employee: String,
    punches: Vec<Punch>,
    now: DateTime<Utc>,
    standing: Option<Standing>,
    directory: Option<Arc<UserDirectory>>,
    conflicts: u8,
    end: Option<End>,
    stage: Stage,
}

/// How many days of punches are planned at once; each asks for two more days of entries.
const DAYS_AT_ONCE: TimeDelta = TimeDelta::days(6);

impl WriteEntries {
    /// The most pages read for one plan, of 50 entries each. A server that repeats its pages ends here.
    pub const MAX_PAGES: u32 = 40;

    /// Prepares the attempt. `employee` is the `employeeInternalId` of the person all `punches` are of: the badge, where
    /// badges are those ids. Nothing happens before the first [`poll`](Flow::poll).
    ///
    /// A punch before 2010 or more than a day after `now` is parked. One less far ahead is held.
    pub fn new<'a>(
        humand: &Humand,
        employee: impl Into<String>,
        punches: impl IntoIterator<Item = &'a ReceivedPunch>,
        now: DateTime<Utc>,
    ) -> Self {
        let employee = employee.into();
        let refusal = (!is_id(humand, &employee)).then_some(ParkReason::UnknownEmployee);
        let one = |punch: &ReceivedPunch| {
            let mark = mark_of(humand, punch);
            let comment = comment(&mark.event_id, punch.device_serial.as_deref());
            let reason = refusal.clone().or_else(|| ParkReason::of_time(punch.at, now));
            let held = || held(humand, punch.at, now);
            Punch { mark, comment, outcome: reason.map(Outcome::Park).or_else(held) }
        };
        Self {
            humand: humand.clone(),
            punches: punches.into_iter().map(one).collect(),
            employee,
            now,
            standing: None,
            directory: None,
            conflicts: 0,
            end: None,
            stage: Stage::Start,
        }
    }

    /// Uses what an earlier flow of this person, in this life of the program, knew at its end. Saves reading the entries.
    #[must_use]
    pub fn with_standing(mut self, standing: Standing) -> Self {
        self.standing = Some(standing);
        self
    }

    /// Asks for the user before anything is sent, if this table does not have the person as active.
    #[must_use]
    pub fn with_directory(mut self, directory: Arc<UserDirectory>) -> Self {
        self.directory = Some(directory);
        self
    }

    /// The entries of the person as far as they are known, for the next flow. `None` while a request is in doubt.
    pub fn standing(&self) -> Option<&Standing> {
        self.standing.as_ref()
    }

    /// How far around a new punch the others of the person can matter: two days.
    pub fn reach() -> TimeDelta {
        TimeDelta::days(2)
    }

    /// Finds the next question, or the end.
    fn next(&mut self) -> Stage {
        loop {
            let Some((batch, days)) = self.batch().filter(|_| self.end.is_none()) else {
                return Stage::Done(self.outcomes());
            };
            if let Some(Err(reason)) = self.directory.take().map(|directory| directory.check(&self.employee)) {
                return Stage::User(Doubt::Directory(reason));
            }
            let known = self.standing.as_ref().filter(|standing| standing.covers(days, self.now));
            let Some(standing) = known else {
                return Stage::Entries { days, page: 1, read: Vec::new(), why: Why::Plan };
            };
            let plan = self.plan(&batch, standing);
            self.note(&batch, &plan);
            if let Some((index, kind)) = plan.next {
                return batch.get(index).map_or(Stage::Start, |punch| Stage::Clock(*punch, kind));
            }
            for (punch, fate) in batch.iter().zip(plan.fates) {
                self.settle(*punch, refused(fate));
            }
        }
    }

    /// The earliest undecided punches, and the days whose entries they depend on.
    fn batch(&self) -> Option<(Vec<usize>, (NaiveDate, NaiveDate))> {
        let undecided = || self.punches.iter().enumerate().filter(|(_, punch)| punch.outcome.is_none());
        let first = undecided().map(|(_, punch)| punch.mark.day()).min()?;
        let around = |day: NaiveDate| (day.pred_opt().unwrap_or(day), day.succ_opt().unwrap_or(day));
        let end = first.checked_add_signed(DAYS_AT_ONCE).unwrap_or(first);
        // As far as is known already, if anything is.
        let known = self.standing.as_ref().filter(|standing| standing.covers(around(first), self.now));
        let end = known.map_or(end, |standing| end.min(standing.last_inner_day()));
        let members = || undecided().filter(|(_, punch)| punch.mark.day() <= end);
        let last = members().map(|(_, punch)| punch.mark.day()).max()?;
        let days = (around(first).0, around(last).1);
        Some((members().map(|(index, _)| index).collect(), days))
    }

    fn plan(&self, batch: &[usize], standing: &Standing) -> Plan {
        let marks: Vec<Mark> =
            batch.iter().filter_map(|punch| self.punches.get(*punch)).map(|punch| punch.mark.clone()).collect();
        Plan::of(standing.entries(), &marks, &self.humand.alternation(), self.now)
    }

    /// The call that sends a punch.
    fn clocking(&self, punch: usize, kind: super::EntryKind) -> Option<ClockEntry> {
        let Punch { mark, comment, .. } = self.punches.get(punch)?;
        let entry = NewEntry::new(self.employee.as_str(), kind, mark.at, comment.as_str());
        Some(ClockEntry::new(&self.humand, entry))
    }
}

fn mark_of(humand: &Humand, punch: &ReceivedPunch) -> Mark {
    let inferred =
        [DirectionSource::Alternate, DirectionSource::FirstLast, DirectionSource::Schedule, DirectionSource::Repair];
    let source = punch.metadata.direction_source.as_deref();
    let at = humand.local(punch.at, punch.local_time);
    let mut mark = Mark::new(punch.event_id.clone(), at, punch.direction);
    mark.is_inferred = inferred.iter().any(|word| source == Some(word.as_str()));
    mark
}

fn held(humand: &Humand, at: DateTime<Utc>, now: DateTime<Utc>) -> Option<Outcome> {
    let until = humand.alternation().held_until(at, now)?;
    Some(Outcome::Retry { after: Some(until.signed_duration_since(now)), reason: RetryReason::Held })
}

/// Whether this can be somebody's id: no path may be made of it, and no number that is another id.
fn is_id(humand: &Humand, employee: &str) -> bool {
    let is_text = !employee.is_empty() && !employee.chars().any(char::is_control) && !matches!(employee, "." | "..");
    is_text && (!humand.employee_id_as_number() || employee_number(employee).is_some())
}

impl Flow for WriteEntries {
    /// An outcome for each punch, in the order given.
    type Output = Vec<Outcome>;

    fn poll(&mut self) -> Step<Vec<Outcome>> {
        if let Stage::Start = self.stage {
            self.stage = self.next();
        }
        Step::Send(match &self.stage {
            Stage::User(_) => GetUser::new(&self.humand, self.employee.as_str()).request(),
            Stage::Entries { days, page, .. } => {
                ListEntries::new(&self.humand, self.employee.as_str(), *days, *page).request()
            }
            Stage::Clock(punch, kind) => match self.clocking(*punch, *kind) {
                Some(call) => call.request(),
                None => return Step::Done(self.outcomes()),
            },
            Stage::Start => return Step::Done(self.outcomes()),
            Stage::Done(outcomes) => return Step::Done(outcomes.clone()),
        })
    }

    fn handle(&mut self, reply: Result<HttpResponse, Failure>) {
        match core::mem::replace(&mut self.stage, Stage::Start) {
            // Nothing was asked, so this answers nothing.
            stage @ (Stage::Start | Stage::Done(_)) => self.stage = stage,
            Stage::User(doubt) => self.after_user(doubt, reply),
            Stage::Entries { days, page, read, why } => self.after_entries((days, page), read, why, reply),
            Stage::Clock(punch, kind) => self.after_clock(punch, kind, reply),
        }
    }
}

impl fmt::Debug for WriteEntries {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        let stage = match &self.stage {
            Stage::Start => "start",
            Stage::User(_) => "user",
            Stage::Entries { .. } => "entries",
            Stage::Clock(..) => "clock",
            Stage::Done(_) => "done",
        };
        let mut shown = f.debug_struct("WriteEntries");
        shown.field("punches", &self.punches.len()).field("stage", &stage).finish_non_exhaustive()
    }
}

/// An entry that was just stored, as a reading would show it.
fn stored(punch: &Punch, id: &str, kind: super::EntryKind) -> Entry {
    Entry::new(id, kind, punch.mark.at.to_utc(), punch.comment.as_str())
}
