use chrono::{DateTime, NaiveDateTime, Utc};
use punch_protocol::tcp::{
    Answer, AttendanceLayout, AttendanceLog, AttendanceRecord, DataError, Download, EncodedTime, Limits, Person,
    ReadPath, Reply, Request, RequestError, Shortfall, Wanted,
};
use punch_protocol::{RawPunch, SerialNumber};

use super::link::{Link, LinkError};
use super::person::SlotTable;
use crate::row::{BrokenRow, Row};

/// Why a log could not be read.
#[derive(Debug, thiserror::Error)]
pub enum ReadingError {
    /// The terminal.
    #[error(transparent)]
    Link(#[from] LinkError),
    /// What it sent.
    #[error(transparent)]
    Data(#[from] DataError),
    /// It does not say which terminal it is.
    #[error("the terminal does not tell its serial number; give it with `--serial`")]
    NoSerial,
}

/// What a terminal says about itself. What it does not say is `None`.
#[derive(Debug, Clone, Default)]
pub struct About {
    /// Its serial number.
    pub serial: Option<SerialNumber>,
    /// Its model.
    pub name: Option<String>,
    /// Its platform.
    pub platform: Option<String>,
    /// Its firmware.
    pub firmware: Option<String>,
    /// Its clock.
    pub clock: Option<NaiveDateTime>,
    /// Users it has.
    pub users: Option<u32>,
    /// Attendance records it has.
    pub records: Option<u32>,
    /// Attendance records it has room for.
    pub record_capacity: Option<u32>,
}

/// Asks a terminal which it is.
///
/// # Errors
///
/// The conversation ended. What a terminal does not say is no error.
pub async fn read_serial(link: &mut Link) -> Result<Option<SerialNumber>, LinkError> {
    let serial = ask(link, Request::Option(b"~SerialNumber".to_vec())).await?;
    Ok(serial.and_then(|reply| SerialNumber::parse(text(reply.option()?).trim()).ok()))
}

/// Asks a terminal what its clock shows.
///
/// # Errors
///
/// The conversation ended. A time that does not exist is none.
pub async fn read_clock(link: &mut Link) -> Result<Option<NaiveDateTime>, LinkError> {
    Ok(ask(link, Request::Time).await?.and_then(|reply| reply.time()?.civil()))
}

/// The later of both clocks: records cannot be from years after it.
pub fn latest(clock: Option<NaiveDateTime>, now: DateTime<Utc>) -> NaiveDateTime {
    clock.map_or(now.naive_utc(), |clock| clock.max(now.naive_utc()))
}

/// Asks a terminal what it is.
///
/// # Errors
///
/// The conversation ended. What a terminal does not say is no error.
pub async fn read_about(link: &mut Link) -> Result<About, LinkError> {
    let mut about = About { serial: read_serial(link).await?, ..About::default() };
    about.clock = read_clock(link).await?;
    let option = |reply: Reply| reply.option().map(text);
    about.name = ask(link, Request::Option(b"~DeviceName".to_vec())).await?.and_then(option);
    about.platform = ask(link, Request::Option(b"~Platform".to_vec())).await?.and_then(option);
    about.firmware = ask(link, Request::Version).await?.map(|reply| text(reply.text()));
    if let Some(sizes) = ask(link, Request::Sizes).await? {
        let sizes = sizes.sizes();
        (about.users, about.records, about.record_capacity) = (sizes.users(), sizes.records(), sizes.record_capacity());
    }
    Ok(about)
}

fn text(bytes: &[u8]) -> String {
    String::from_utf8_lossy(bytes).into_owned()
}

/// The answer, or `None` if this unit has none: some refuse a question that they do not know, some say nothing.
async fn ask(link: &mut Link, request: Request) -> Result<Option<Reply>, LinkError> {
    use RequestError::{Refused, Unanswered};

    match link.ask(request).await {
        Ok(Answer::Reply(reply)) => Ok(Some(reply)),
        Ok(_) | Err(LinkError::Request { source: Refused { .. } | Unanswered { .. }, .. }) => Ok(None),
        Err(error) => Err(error),
    }
}

/// Which records are wanted, by the terminal's clock; both ends are included.
#[derive(Debug, Clone, Copy, Default, PartialEq, Eq)]
pub struct Span {
    /// The first moment; `None` is from the beginning.
    pub since: Option<NaiveDateTime>,
    /// The last moment; `None` is to the end.
    pub until: Option<NaiveDateTime>,
}

impl Span {
    fn has(&self, time: NaiveDateTime) -> bool {
        self.since.is_none_or(|since| time >= since) && self.until.is_none_or(|until| time <= until)
    }

    fn wanted(&self) -> Wanted {
        if *self == Self::default() {
            return Wanted::Attendance;
        }
        let from = self.since.and_then(EncodedTime::of).unwrap_or(EncodedTime(0));
        let to = self.until.and_then(EncodedTime::of).unwrap_or(EncodedTime(u32::MAX));
        Wanted::AttendanceBetween(from, to)
    }
}

/// A log as it was read.
#[derive(Debug)]
pub struct Reading {
    /// The records, in the terminal's order.
    pub rows: Vec<Row>,
    /// Their layout; `None` if there is none.
    pub layout: Option<AttendanceLayout>,
    /// How they were read.
    pub path: ReadPath,
    /// Whether the terminal picked the records of the span itself.
    pub is_ranged: bool,
    /// Records that came, those outside the span too.
    pub received: usize,
    /// Records that the terminal counts.
    pub counter: Option<u32>,
    /// How often a piece was asked for again.
    pub repeats: u32,
    /// What is missing. Then the log was not read whole, and must not count as read.
    pub shortfall: Option<Shortfall>,
}

/// Reads the attendance log of a terminal. `now` is its clock, or one near it.
///
/// # Errors
///
/// The conversation ended, the terminal refused, or what it sent is no log. Missing rows are told by
/// [`Reading::shortfall`].
pub async fn read_attendance(
    link: &mut Link,
    serial: &SerialNumber,
    span: Span,
    now: NaiveDateTime,
    progress: impl FnMut(usize, usize),
) -> Result<Reading, ReadingError> {
    let limits = &link.limits();
    let Answer::Dataset(download) = link.ask_with(Request::Read(span.wanted()), progress).await? else {
        return Ok(Reading::of(&Download::default().attendance(limits, now)?, &Download::default(), Vec::new()));
    };
    let log = download.attendance(limits, now)?;
    let slots = match log.layout() {
        Some(AttendanceLayout::Packed8 | AttendanceLayout::Flags8) => read_slots(link, limits).await?,
        _ => SlotTable::default(),
    };
    let rows = log.rows().map(|record| row(&record, serial, &slots));
    let rows = rows.filter(|row| row.time().is_none_or(|time| span.has(time))).collect();
    Ok(Reading::of(&log, &download, rows))
}

impl Reading {
    fn of(log: &AttendanceLog<'_>, download: &Download, rows: Vec<Row>) -> Self {
        Self {
            rows,
            layout: log.layout(),
            path: download.path,
            is_ranged: download.is_ranged,
            received: log.count(),
            counter: log.counter(),
            repeats: download.repeats,
            shortfall: log.reconcile(!download.is_ranged).err(),
        }
    }

    /// The punches.
    pub fn punches(&self) -> impl Iterator<Item = &RawPunch> {
        self.rows.iter().filter_map(|row| if let Row::Punch(punch) = row { Some(punch) } else { None })
    }

    /// The records that cannot be punches.
    pub fn broken(&self) -> impl Iterator<Item = &BrokenRow> {
        self.rows.iter().filter_map(|row| if let Row::Broken(broken) = row { Some(broken) } else { None })
    }
}

async fn read_slots(link: &mut Link, limits: &Limits) -> Result<SlotTable, ReadingError> {
    match link.ask(Request::Read(Wanted::Users)).await? {
        Answer::Dataset(download) => Ok(SlotTable::of(&download.users(limits)?)),
        _ => Ok(SlotTable::default()),
    }
}

fn row(record: &AttendanceRecord<'_>, serial: &SerialNumber, slots: &SlotTable) -> Row {
    let (pin, time) = (slots.pin(&record.person), record.time.civil());
    if let (Some(pin), Some(time)) = (&pin, time) {
        let mut punch = RawPunch::new(serial.clone(), pin.clone(), time);
        (punch.status, punch.verify) = (Some(record.state), Some(record.verify));
        punch.work_code = record.work_code.map(|code| code.to_string());
        return Row::Punch(punch);
    }
    Row::Broken(BrokenRow {
        serial: serial.clone(),
        pin,
        slot: if let Person::Slot(slot) = record.person { Some(slot) } else { None },
        time,
        time_raw: record.time.0,
        state: record.state.0,
        verify: record.verify.0,
    })
}
