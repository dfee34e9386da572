//! Which column is what: by the names that other programs use, or as somebody says.

use punch_protocol::{RawPunch, SerialNumber, Verify};

use super::values::{Values, state, work_code};

/// Where each part of a punch stands.
#[derive(Debug, Clone, Default, PartialEq, Eq)]
pub(super) struct Columns {
    places: [Option<usize>; PARTS.len()],
}

/// The parts, and the names that columns with them have; letters and digits count alone, the first name that is there wins.
const PARTS: [(&str, &[&str]); 7] = [
    (
        "pin",
        &[
            "pin",
            "userid",
            "employeeid",
            "badgenumber",
            "badge",
            "enrollnumber",
            "enrollno",
            "enrollid",
            "enno",
            "acno",
            "empcode",
            "employeecode",
            "employeeno",
            "personid",
            "personnelid",
            "userno",
            "user",
            "empid",
            "id",
        ],
    ),
    (
        "time",
        &[
            "timestamp",
            "datetime",
            "punchtime",
            "checktime",
            "recordtime",
            "attendancetime",
            "logtime",
            "eventtime",
            "punchedat",
            "time",
        ],
    ),
    ("date", &["date", "punchdate", "attendancedate", "day"]),
    (
        "state",
        &[
            "state",
            "punch",
            "punchstate",
            "checktype",
            "inoutmode",
            "inoutstate",
            "inout",
            "status1",
            "punchtype",
            "status",
        ],
    ),
    ("verify", &["verify", "verifymode", "verifycode", "verifytype", "verifymethod", "verified", "status2"]),
    ("work_code", &["workcode", "wcode", "status3"]),
    ("serial", &["serial", "sn", "serialnumber", "deviceserial", "devicesn", "terminalsn", "machineserial"]),
];

const PIN: usize = 0;
const TIME: usize = 1;
const DATE: usize = 2;
const STATE: usize = 3;
const VERIFY: usize = 4;
const WORK_CODE: usize = 5;
const SERIAL: usize = 6;

impl Columns {
    /// Finds them; `said` are pairs such as `pin=EmpCode`.
    pub(super) fn find(names: &[String], said: &[String]) -> Result<Self, String> {
        let plain: Vec<String> = names.iter().map(|name| plain(name)).collect();
        let place = |name: &str| plain.iter().position(|known| known == name);
        let mut columns = Self::default();
        for (slot, (_, known)) in columns.places.iter_mut().zip(PARTS) {
            *slot = known.iter().find_map(|name| place(name));
        }
        // pyzk calls the state `punch` and the way of verifying `status`.
        if place("punch").is_some() && place("state").is_none() {
            columns.set(VERIFY, columns.get(VERIFY).or_else(|| place("status")));
        }
        for pair in said {
            let (part, name) = pair.split_once('=').unwrap_or((pair, ""));
            let words: Vec<&str> = PARTS.iter().map(|(word, _)| *word).collect();
            let index = words.iter().position(|word| *word == part.trim());
            let index =
                index.ok_or_else(|| format!("--map {pair}: expected one of {} in front of =", words.join(", ")))?;
            let found =
                names.iter().position(|known| known.trim() == name.trim()).or_else(|| place(&self::plain(name)));
            let found = found.ok_or_else(|| format!("--map {pair}: no such column; there are {}", names.join(", ")))?;
            columns.set(index, Some(found));
        }
        // A date without a time beside it is all there is.
        if columns.get(TIME).is_none() {
            columns.set(TIME, columns.get(DATE));
        }
        let has_whole_time = columns.get(TIME).and_then(|at| plain.get(at)).is_some_and(|name| name != "time");
        let is_said = said.iter().any(|pair| pair.trim_start().starts_with("date="));
        if !is_said && (has_whole_time || columns.get(TIME) == columns.get(DATE)) {
            columns.set(DATE, None);
        }
        for (index, option) in [(PIN, "pin"), (TIME, "time")] {
            if columns.get(index).is_none() {
                let there = names.join(", ");
                return Err(format!("--map: no column is known as {option}; say --map {option}=COLUMN, of {there}"));
            }
        }
        Ok(columns)
    }

    fn get(&self, part: usize) -> Option<usize> {
        self.places.get(part).copied().flatten()
    }

    fn set(&mut self, part: usize, place: Option<usize>) {
        if let Some(slot) = self.places.get_mut(part) {
            *slot = place;
        }
    }

    /// Whether rows say which terminal they are of.
    pub(super) fn has_serial(&self) -> bool {
        self.get(SERIAL).is_some()
    }

    /// The parts that were found, each with its column.
    pub(super) fn told(&self, names: &[String]) -> Vec<(&'static str, String)> {
        let told = |((part, _), place): (&(&'static str, &[&str]), &Option<usize>)| {
            Some((*part, names.get((*place)?)?.clone()))
        };
        PARTS.iter().zip(&self.places).filter_map(told).collect()
    }

    /// The punch of a row, or what is wrong with it, without its values: they name people.
    pub(super) fn punch(
        &self,
        row: &[Option<String>],
        default: Option<&SerialNumber>,
        values: &Values<'_>,
    ) -> Result<RawPunch, String> {
        let value = |part| {
            let text = self.get(part).and_then(|place| row.get(place)?.as_deref());
            text.map(str::trim).filter(|text| !text.is_empty())
        };
        let serial = match value(SERIAL) {
            Some(text) => SerialNumber::parse(text).map_err(|error| format!("serial: {error}"))?,
            None => default.cloned().ok_or("names no terminal; say which with --device")?,
        };
        let pin = value(PIN).ok_or("has no PIN")?;
        let pin = punch_protocol::Pin::parse_text(pin).map_err(|error| format!("PIN: {error}"))?.into_owned();
        let time = value(TIME).ok_or("has no time")?;
        let time = match value(DATE) {
            Some(date) => values.time(&format!("{date} {time}")),
            None => values.time(time),
        };
        let mut punch = RawPunch::new(serial, pin, time?);
        punch.status = value(STATE).map(state).transpose()?.flatten();
        // It is in no identity, and other programs write words for it.
        punch.verify = value(VERIFY).and_then(|text| text.parse().ok()).map(Verify);
        punch.work_code = value(WORK_CODE).and_then(work_code);
        Ok(punch)
    }
}

/// A name without what programs put between its words.
fn plain(name: &str) -> String {
    name.chars().filter(char::is_ascii_alphanumeric).map(|c| c.to_ascii_lowercase()).collect()
}

#[cfg(test)]
mod tests {
    use super::{Columns, PARTS};

    fn found(names: &[&str], said: &[&str]) -> Result<Vec<(&'static str, String)>, String> {
        let texts = |texts: &[&str]| texts.iter().map(|text| (*text).to_owned()).collect::<Vec<_>>();
        Columns::find(&texts(names), &texts(said)).map(|columns| columns.told(&texts(names)))
    }

    fn pairs<'p>(pairs: &'p [(&'static str, String)]) -> Vec<(&'static str, &'p str)> {
        pairs.iter().map(|(part, name)| (*part, name.as_str())).collect()
    }

    #[test]
    fn columns_are_known_by_the_names_that_programs_use() {
        let pyzk = found(&["punch", "status", "timestamp", "uid", "user_id"], &[]).unwrap();
        let expected = [("pin", "user_id"), ("time", "timestamp"), ("state", "punch"), ("verify", "status")];
        assert_eq!(pairs(&pyzk), expected);

        let laravel =
            ["id", "sn", "table", "stamp", "employee_id", "timestamp", "status1", "status2", "status3", "created_at"];
        let expected = [
            ("pin", "employee_id"),
            ("time", "timestamp"),
            ("state", "status1"),
            ("verify", "status2"),
            ("work_code", "status3"),
            ("serial", "sn"),
        ];
        assert_eq!(pairs(&found(&laravel, &[]).unwrap()), expected);

        let windows = found(&["AC-No.", "Name", "Date", "Time", "State"], &[]).unwrap();
        assert_eq!(pairs(&windows), [("pin", "AC-No."), ("time", "Time"), ("date", "Date"), ("state", "State")]);
    }

    #[test]
    fn what_somebody_says_comes_first_and_what_is_not_there_is_named() {
        let names = ["Emp", "Clocked", "Way"];
        let said = found(&names, &["pin=Emp", "time=Clocked", "state=way"]).unwrap();
        assert_eq!(pairs(&said), [("pin", "Emp"), ("time", "Clocked"), ("state", "Way")]);
        for (wrong, expected) in [
            (vec!["pin=Emp"], "say --map time=COLUMN"),
            (vec!["pin=Nobody"], "no such column; there are Emp, Clocked, Way"),
            (vec!["colour=Emp"], "expected one of pin, time"),
        ] {
            let error = found(&names, &wrong).unwrap_err();
            assert!(error.contains(expected), "{error}");
        }
    }

    #[test]
    fn no_name_means_two_parts() {
        let mut known: Vec<&str> = PARTS.iter().flat_map(|(_, names)| names.iter().copied()).collect();
        known.sort_unstable();
        let count = known.len();
        known.dedup();
        assert_eq!(known.len(), count);
    }
}
