use punch_normalize::HoldReason;
use serde::Deserialize;
use serde_json::Value;

/// What the gateway says of a punch, as far as it is put into words here.
#[derive(Deserialize)]
pub(super) struct Way {
    event_id: String,
    fate: String,
    received_at: String,
    reason: Option<String>,
    problem: Option<String>,
    put_away: Option<String>,
    duplicate_of: Option<String>,
    device_serial: String,
    device_local: Option<String>,
    punched_at: Option<String>,
    state: Option<u16>,
    state_trusted: bool,
    role: Option<String>,
    direction: Option<String>,
    direction_source: Option<String>,
    confidence: Option<f64>,
    session_id: Option<String>,
    business_date: Option<String>,
    exceptions: Vec<String>,
    #[serde(rename = "final")]
    is_final: bool,
    manual_note: Option<String>,
    shift_seconds: Option<i64>,
    revisions: Vec<Revision>,
    deliveries: Vec<Delivery>,
}

#[derive(Deserialize)]
struct Revision {
    number: u32,
    event_id: String,
    at: String,
    reason: String,
    old: Meaning,
    new: Meaning,
    deliveries: Vec<Delivery>,
}

#[derive(Deserialize)]
struct Meaning {
    direction: String,
    session_id: Option<String>,
    business_date: Option<String>,
}

#[derive(Deserialize)]
struct Delivery {
    url: String,
    state: String,
    reason: Option<String>,
    attempts: Vec<Value>,
}

impl Way {
    /// It in plain words.
    pub(super) fn lines(&self) -> Vec<String> {
        let mut lines =
            vec![format!("{} from terminal {}, received {}", self.event_id, self.device_serial, self.received_at)];
        if let Some(local) = &self.device_local {
            let instant = self.punched_at.as_ref().map_or(String::new(), |at| format!(", which is {at}"));
            lines.push(format!("time: the terminal's clock showed {local}{instant}"));
            let off =
                self.shift_seconds.map(|seconds| format!("time: somebody says that clock was off by {seconds} s"));
            lines.extend(off);
        }
        lines.push(format!("fate: {}", self.fate()));
        if let Some(direction) = &self.direction {
            let sure = self.confidence.map_or(String::new(), |share| format!(", {:.0} % sure", share * 100.0));
            lines.push(format!("direction: {direction}{sure}; {}", self.grounds()));
        } else if self.fate == "delivered" {
            lines.push("direction: as its key said; it is older than the inference of directions".to_owned());
        }
        if let Some(session) = &self.session_id {
            let over = if self.is_final { "; it is over, and nothing is waited for" } else { "" };
            lines.push(format!("shift: {session}, of {}{over}", self.business_date.as_deref().unwrap_or("no day")));
        }
        lines.extend(self.exceptions.iter().map(|word| format!("odd: {word}: {}", oddity(word))));
        for revision in &self.revisions {
            lines.push(revision.line());
            lines.extend(revision.deliveries.iter().map(Delivery::line));
        }
        lines.extend(self.deliveries.iter().map(Delivery::line));
        lines
    }

    fn fate(&self) -> String {
        let reason = self.reason.as_deref().unwrap_or_default();
        match self.fate.as_str() {
            "delivered" => "a punch; it was made durable and goes to every endpoint that wants punches".to_owned(),
            "suppressed" => {
                let of = self.duplicate_of.as_deref().unwrap_or("another");
                format!("not delivered: a second punch within the window of {of}, which stands for it")
            }
            "held" => {
                let cause = HoldReason::from_code(reason).map_or(String::new(), |reason| format!(": {reason}"));
                let place = self.problem.as_ref().map_or(String::new(), |problem| format!(" ({problem})"));
                format!("held, {reason}{cause}{place}")
            }
            "discarded" => {
                let note = self.put_away.as_ref().map_or(String::new(), |note| format!(": {note}"));
                format!("discarded by hand, and still stored{note}")
            }
            other => format!("{other}: not a punch, a row of {reason}"),
        }
    }

    /// What the direction rests on.
    fn grounds(&self) -> String {
        let role = self.role.as_deref().unwrap_or("one direction");
        let grounds = match self.direction_source.as_deref().unwrap_or_default() {
            "manual" => match &self.manual_note {
                Some(note) => format!("somebody corrected it: {note}"),
                None => "somebody corrected it".to_owned(),
            },
            "role" => format!("the terminal is there for this alone ({role})"),
            "state" => "the key that was pressed".to_owned(),
            "schedule" => "the person's shift".to_owned(),
            "alternate" => "nothing said it, so the punches around it do: in, out, in, out".to_owned(),
            "first_last" => "the first of a day is in, the last is out".to_owned(),
            "repair" => "the key that was pressed cannot have been meant".to_owned(),
            _ => "nothing says it".to_owned(),
        };
        match self.state {
            Some(state) if !self.state_trusted => {
                format!("{grounds} (the terminal reported state {state}, and its states do not count)")
            }
            Some(255) | None => grounds,
            Some(state) => format!("{grounds} (the terminal reported state {state})"),
        }
    }
}

impl Revision {
    fn line(&self) -> String {
        let mut changes = Vec::new();
        let mut note = |what: &str, old: Option<&str>, new: Option<&str>| {
            if old != new {
                changes.push(format!("{what} {} became {}", old.unwrap_or("none"), new.unwrap_or("none")));
            }
        };
        note("direction", Some(&self.old.direction), Some(&self.new.direction));
        note("shift", self.old.session_id.as_deref(), self.new.session_id.as_deref());
        note("day", self.old.business_date.as_deref(), self.new.business_date.as_deref());
        let why = match self.reason.as_str() {
            "late_row" => "a row from before it came late",
            "later_row" => "a row from after it came",
            "time_passed" => "the time for a departure is over",
            "zone_changed" => "its terminal's time zone was put right",
            "clock_adjusted" => "its terminal's clock was wrong",
            "by_hand" => "somebody corrected it",
            other => other,
        };
        format!("told anew ({}) at {}: {why}; {}; {}", self.number, self.at, changes.join(", "), self.event_id)
    }
}

impl Delivery {
    fn line(&self) -> String {
        let reason = self.reason.as_ref().map_or(String::new(), |reason| format!(" ({reason})"));
        format!("  to {}: {} after {} attempts{reason}", self.url, self.state, self.attempts.len())
    }
}

/// What an exception means.
fn oddity(word: &str) -> &'static str {
    match word {
        "missing_in" => "a departure without an arrival",
        "missing_out" => "an arrival without a departure",
        "repeat_in" => "a second arrival of the same shift",
        "repeat_out" => "a second departure of the same shift; it counts, the one before does not",
        "unclosed_break" => "a break that nobody came back from",
        "missing_break_out" => "back from a break that nobody took",
        "impossible_travel" => "at two sites within the window of one punch",
        "wrong_key" => "the key that was pressed cannot have been meant",
        _ => "a newer gateway knows what it means",
    }
}
