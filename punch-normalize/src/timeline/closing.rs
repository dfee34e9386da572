use chrono::{Days, NaiveDateTime, NaiveTime};

use super::finding::{Exceptions, Finding, SyntheticOut};
use super::mark::Mark;
use super::settings::{Closing, TimelineRules};

/// Puts something in the place of departures that are missing, if the rules say what.
pub(super) fn close(marks: &[Mark], findings: &mut [Finding], rules: &TimelineRules) {
    if rules.closing == Closing::None {
        return;
    }
    for (mark, finding) in marks.iter().zip(findings).filter(|(_, found)| found.exceptions.has(Exceptions::MISSING_OUT))
    {
        let (local, reason) = match rules.closing {
            Closing::None => (None, ""),
            Closing::ShiftEnd => (shift_end(mark, rules), "shift_end"),
            Closing::Cap(span) => (mark.local.checked_add_signed(span), "max_shift"),
            Closing::Fixed(time) => (next(mark.local, time), "fixed"),
        };
        finding.synthetic_out = local.map(|local| SyntheticOut { local, reason });
    }
}

/// An arrival behind the end of the shift it lies in says nothing of another end.
fn shift_end(mark: &Mark, rules: &TimelineRules) -> Option<NaiveDateTime> {
    rules.schedule.window(mark.local).map(|window| window.end).filter(|end| *end > mark.local)
}

fn next(local: NaiveDateTime, time: NaiveTime) -> Option<NaiveDateTime> {
    let today = local.date().and_time(time);
    if today > local { Some(today) } else { today.checked_add_days(Days::new(1)) }
}
