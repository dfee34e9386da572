//! Texts of other programs as the values of a punch.

use chrono::{DateTime, FixedOffset, NaiveDateTime, TimeDelta, Utc};
use punch_normalize::DeviceZone;
use punch_protocol::{Status, civil};

/// How the values of a file are written.
pub(super) struct Values<'v> {
    /// The form of times, if it is another one.
    pub(super) time_format: Option<&'v str>,
    /// The zone of the terminal, for times that are instants.
    pub(super) zone: Option<DeviceZone>,
}

impl Values<'_> {
    /// What the clock of the terminal showed. No text quotes the value.
    pub(super) fn time(&self, text: &str) -> Result<NaiveDateTime, String> {
        if let Some(form) = self.time_format {
            let read = NaiveDateTime::parse_from_str(text, form);
            return read.map_err(|_| format!("time is not of the form `{form}` of --time-format"));
        }
        if let Some(instant) = seconds(text) {
            return self.shown(instant);
        }
        let text = text.replacen('T', " ", 1);
        if let Ok(instant) =
            DateTime::<FixedOffset>::parse_from_str(&text.replace('Z', "+00:00"), "%Y-%m-%d %H:%M:%S%.f%:z")
        {
            return self.shown(instant.to_utc());
        }
        // Databases and Python write parts of a second, which no terminal has.
        let whole = text.split_once('.').map_or(text.as_str(), |(whole, _)| whole);
        let whole = if whole.len() == civil::LEN - 3 { format!("{whole}:00") } else { whole.to_owned() };
        civil::parse(whole.as_bytes()).map_err(|error| {
            format!("{error}; if the file writes times otherwise, say how with --time-format, as in `%d/%m/%Y %H:%M`")
        })
    }

    fn shown(&self, instant: DateTime<Utc>) -> Result<NaiveDateTime, String> {
        let zone =
            self.zone.ok_or("time is an instant and not what the terminal's clock showed; say its zone with --zone")?;
        let offset = TimeDelta::minutes(zone.offset_minutes_at(instant).into());
        let local = instant.naive_utc().checked_add_signed(offset).ok_or("time is beyond any calendar")?;
        Ok(local - TimeDelta::nanoseconds(i64::from(local.and_utc().timestamp_subsec_nanos())))
    }
}

/// Seconds since 1970, as Python's `timestamp()` writes them.
fn seconds(text: &str) -> Option<DateTime<Utc>> {
    let whole = text.split_once('.').map_or(text, |(whole, _)| whole);
    let is_number = !whole.is_empty() && whole.bytes().all(|byte| byte.is_ascii_digit());
    is_number.then(|| DateTime::from_timestamp(whole.parse().ok()?, 0))?
}

/// The words that programs have for states, by what is left of their letters.
const STATES: [(&str, Status); 18] = [
    ("in", Status::CHECK_IN),
    ("i", Status::CHECK_IN),
    ("cin", Status::CHECK_IN),
    ("checkin", Status::CHECK_IN),
    ("out", Status::CHECK_OUT),
    ("o", Status::CHECK_OUT),
    ("cout", Status::CHECK_OUT),
    ("checkout", Status::CHECK_OUT),
    ("breakout", Status::BREAK_OUT),
    ("breakin", Status::BREAK_IN),
    ("otin", Status::OVERTIME_IN),
    ("overtimein", Status::OVERTIME_IN),
    ("overtimestart", Status::OVERTIME_IN),
    ("otout", Status::OVERTIME_OUT),
    ("overtimeout", Status::OVERTIME_OUT),
    ("overtimeend", Status::OVERTIME_OUT),
    ("none", Status::NONE),
    ("undefined", Status::NONE),
];

/// The state, by its number or by a word.
pub(super) fn state(text: &str) -> Result<Option<Status>, String> {
    if let Ok(number) = text.parse() {
        return Ok(Some(Status(number)));
    }
    let letters: String = text.chars().filter(char::is_ascii_alphabetic).map(|c| c.to_ascii_lowercase()).collect();
    let known = STATES.into_iter().find(|(word, _)| *word == letters).map(|(_, state)| state);
    known.map(Some).ok_or_else(|| "state is neither a number nor a word such as `C/In` or `out`".to_owned())
}

/// Terminals mean none by 0.
pub(super) fn work_code(text: &str) -> Option<String> {
    Some(text.to_owned()).filter(|text| text != "0")
}

#[cfg(test)]
mod tests {
    use punch_normalize::DeviceZone;
    use punch_protocol::Status;

    use super::{Values, state};

    fn read(text: &str, time_format: Option<&str>, zone: Option<&str>) -> Result<String, String> {
        let zone = zone.map(|zone| DeviceZone::parse(zone).unwrap());
        Values { time_format, zone }.time(text).map(|time| time.to_string())
    }

    #[test]
    fn times_are_what_the_clock_showed_or_are_brought_there_by_the_zone() {
        for text in ["2026-03-28 08:47:12", "2026-03-28T08:47:12", "2026-03-28 08:47:12.500000"] {
            assert_eq!(read(text, None, None).as_deref(), Ok("2026-03-28 08:47:12"), "{text}");
        }
        assert_eq!(read("2026-03-28 08:47", None, None).as_deref(), Ok("2026-03-28 08:47:00"));
        assert_eq!(read("28/03/2026 08:47", Some("%d/%m/%Y %H:%M"), None).as_deref(), Ok("2026-03-28 08:47:00"));
        for text in ["1774709232", "1774709232.25", "2026-03-28T14:47:12Z", "2026-03-28T08:47:12-06:00"] {
            let zone = Some("America/Mexico_City");
            assert_eq!(read(text, None, zone).as_deref(), Ok("2026-03-28 08:47:12"), "{text}");
            assert!(read(text, None, None).unwrap_err().contains("--zone"), "{text}");
        }
        for text in ["28/03/2026 08:47:12", "2026-02-30 08:47:12", "yesterday", ""] {
            let error = read(text, None, None).unwrap_err();
            assert!(error.contains("--time-format") && (text.is_empty() || !error.contains(text)), "{error}");
        }
    }

    #[test]
    fn states_are_numbers_or_known_words_and_nothing_is_guessed() {
        for (text, expected) in [
            ("0", Status(0)),
            ("255", Status(255)),
            ("C/Out", Status(1)),
            ("check-in", Status(0)),
            ("OverTime In", Status(4)),
        ] {
            assert_eq!(state(text), Ok(Some(expected)), "{text}");
        }
        assert!(state("present").is_err());
    }
}
