use alloc::string::String;
use core::fmt;

use chrono::{DateTime, LocalResult, NaiveDateTime, SubsecRound as _, TimeDelta, TimeZone as _, Utc};
use chrono_tz::Tz;

use super::{ErpNext, GetShiftType, SetLastSync, ShiftType};
use crate::answer::answer;
use crate::{Endpoint as _, Failure, Flow, HttpResponse, RetryReason, Step};

/// Moves the `last_sync_of_checkin` of a shift type up to where every punch is written: one attempt.
///
/// Auto attendance marks a day once, present or absent, and never looks at it again. So the mark may stand only where
/// nothing is missing any more: at the earliest watermark of the sites whose terminals the shift's people use
/// (`site.watermark`), and before the earliest of their punches that waits or is parked. That is the caller's part. This
/// flow adds the rest: local time of the site, never ahead of `now`, and never back.
///
/// ```
/// use punch_erp::erpnext::{ErpNext, ErpNextSettings, LastSync, MoveLastSync};
/// use punch_erp::{HttpResponse, drive};
///
/// let site = ErpNext::new(ErpNextSettings::new("https://erp.example.com", "key", "s3cret", "Asia/Dhaka"))?;
/// let (complete_to, now) = ("2026-11-05T18:00:00Z".parse()?, "2026-11-06T04:00:00Z".parse()?);
/// let mut flow = MoveLastSync::new(&site, "Day", complete_to, now);
/// let outcome = drive(&mut flow, |request| {
///     let mark = if request.method() == "PUT" { "2026-11-06 00:00:00" } else { "2026-11-05 00:00:00" };
///     Ok(HttpResponse::new(format!(r#"{{"data":{{"name":"Day","last_sync_of_checkin":"{mark}"}}}}"#).into()))
/// });
/// assert_eq!(outcome, Ok(LastSync::Moved("2026-11-06T00:00:00".parse()?)));
/// # Ok::<(), Box<dyn std::error::Error>>(())
/// ```
pub struct MoveLastSync {
    site: ErpNext,
    shift: String,
    to: NaiveDateTime,
    moves_by_itself: bool,
    stage: Stage,
}

/// What became of the mark.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
#[non_exhaustive]
pub enum LastSync {
    /// It stands here now.
    Moved(NaiveDateTime),
    /// It stood here already, or further on.
    Standing(NaiveDateTime),
    /// There is no such shift type.
    NoSuchShift,
    /// The server took it and put another time, or none: the API user may not set it.
    NotKept,
}

enum Stage {
    Get,
    Set,
    Done(Result<LastSync, RetryReason>),
}

impl MoveLastSync {
    /// Prepares the attempt: every punch of the shift before `complete_to` is written.
    pub fn new(site: &ErpNext, shift: impl Into<String>, complete_to: DateTime<Utc>, now: DateTime<Utc>) -> Self {
        let to = local_before(site.zone(), complete_to.min(now));
        Self { site: site.clone(), shift: shift.into(), to, moves_by_itself: false, stage: Stage::Get }
    }

    /// Whether the site moves the mark by its own clock besides, which marks people absent whose terminal is offline. Worth
    /// a warning: *Auto Update Last Sync* should be off.
    pub fn moves_by_itself(&self) -> bool {
        self.moves_by_itself
    }

    fn after_get(&mut self, shift: Option<ShiftType>) -> Stage {
        let Some(shift) = shift else { return Stage::Done(Ok(LastSync::NoSuchShift)) };
        self.moves_by_itself = shift.moves_by_itself;
        match shift.last_sync_of_checkin {
            Some(mark) if mark >= self.to => Stage::Done(Ok(LastSync::Standing(mark))),
            Some(_) | None => Stage::Set,
        }
    }
}

impl Flow for MoveLastSync {
    type Output = Result<LastSync, RetryReason>;

    fn poll(&mut self) -> Step<Self::Output> {
        Step::Send(match &self.stage {
            Stage::Get => GetShiftType::new(&self.site, self.shift.as_str()).request(),
            Stage::Set => SetLastSync::new(&self.site, self.shift.as_str(), self.to).request(),
            Stage::Done(outcome) => return Step::Done(outcome.clone()),
        })
    }

    /// An answer that is lost needs no look: the next attempt reads the mark, and setting it twice is setting it once.
    fn handle(&mut self, reply: Result<HttpResponse, Failure>) {
        self.stage = match &self.stage {
            Stage::Get => {
                let call = GetShiftType::new(&self.site, self.shift.as_str());
                match answer(reply, |response| call.response(response)) {
                    Ok(shift) => self.after_get(shift),
                    Err(reason) => Stage::Done(Err(reason)),
                }
            }
            Stage::Set => {
                let call = SetLastSync::new(&self.site, self.shift.as_str(), self.to);
                Stage::Done(answer(reply, |response| call.response(response)).map(|shift| {
                    let is_kept = shift.last_sync_of_checkin == Some(self.to);
                    if is_kept { LastSync::Moved(self.to) } else { LastSync::NotKept }
                }))
            }
            // Nothing was asked, so this answers nothing.
            Stage::Done(outcome) => Stage::Done(outcome.clone()),
        };
    }
}

impl fmt::Debug for MoveLastSync {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.debug_struct("MoveLastSync").field("shift", &self.shift).field("to", &self.to).finish_non_exhaustive()
    }
}

/// The latest local time that no instant from here on will show again. In an hour that comes twice that is where it
/// begins, until it has come for the second time.
fn local_before(zone: Tz, instant: DateTime<Utc>) -> NaiveDateTime {
    const STEP: TimeDelta = TimeDelta::minutes(15);
    let instant = instant.trunc_subsecs(0);
    let local = instant.with_timezone(&zone).naive_local();
    let is_shown_again = |time: &NaiveDateTime| matches!(zone.from_local_datetime(time), LocalResult::Ambiguous(_, again) if again > instant);
    if !is_shown_again(&local) {
        return local;
    }
    // Clocks are changed at whole quarters of an hour.
    let into = TimeDelta::seconds(local.and_utc().timestamp().rem_euclid(STEP.num_seconds()));
    let mut time = local.checked_sub_signed(into).unwrap_or(local);
    while let Some(before) = time.checked_sub_signed(STEP).filter(is_shown_again) {
        time = before;
    }
    time
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn an_hour_that_comes_twice_is_not_passed_before_it_came_twice() {
        for (zone, instant, expected) in [
            (Tz::Asia__Dhaka, "2026-11-05T18:00:00.9Z", "2026-11-06T00:00:00"),
            (Tz::Europe__Madrid, "2026-10-24T23:59:59Z", "2026-10-25T01:59:59"),
            (Tz::Europe__Madrid, "2026-10-25T00:00:00Z", "2026-10-25T02:00:00"),
            (Tz::Europe__Madrid, "2026-10-25T00:59:59Z", "2026-10-25T02:00:00"),
            (Tz::Europe__Madrid, "2026-10-25T01:20:00Z", "2026-10-25T02:20:00"),
            (Tz::Australia__Lord_Howe, "2026-04-04T14:50:00Z", "2026-04-05T01:30:00"),
            (Tz::Europe__Madrid, "2026-03-29T01:00:00Z", "2026-03-29T03:00:00"),
        ] {
            let expected: NaiveDateTime = expected.parse().unwrap();
            assert_eq!(local_before(zone, instant.parse().unwrap()), expected, "{zone} {instant}");
        }
    }
}
