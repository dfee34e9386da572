use chrono::{DateTime, NaiveDateTime, TimeDelta, Utc};
use punch_protocol::civil::CivilError;
use punch_protocol::push::{
    AttlogRow, CommandResult, ErrorRow, GuessedForm, GuessedPunch, GuessedTime, KeyedRow, OperationRow, Package,
    PackageError, PackageLimits, Pair, QueryPage, Row, RowError, Rows, Streamed, Table, TransactionRow, Upload,
    UploadHead,
};
use punch_protocol::{Pin, RawPunch, SerialNumber};

use super::clock::Contact;
use super::enrollment::Enrolled;
use super::ledger::Place;
use super::passages::Passed;

/// One upload, owned: what has to be durable before the terminal may forget it.
#[derive(Debug, Clone)]
pub struct Received {
    /// The terminal.
    pub serial: SerialNumber,
    /// The table the rows were posted to.
    pub table: String,
    /// The terminal's resume mark for that table.
    pub stamp: Option<String>,
    /// When the upload arrived.
    pub received_at: DateTime<Utc>,
    /// The rows worth keeping, in the order of the body.
    pub rows: Vec<ReceivedRow>,
    /// Rows with templates, pictures or personal data nobody asked for: counted, never kept.
    pub discarded: u32,
    /// Rows that were taken out because they are known already.
    pub replayed: u32,
    /// Whether this is all of the upload, not a slice of a long one. Of forwarded rows: whether they happened just now.
    pub whole: bool,
    /// How its terminal stood when it came. `None` if it did not come now: its rows are taken once more.
    pub contact: Option<Contact>,
    /// How its rows passed, if an access system tells them.
    pub passed: Option<Passed>,
    /// What somebody says of its rows.
    pub by_hand: ByHand,
    /// Where its one row stood in the upload it came with, if it is taken once more.
    pub place: Option<Place>,
    /// Whether the zone that its terminal has now dates its rows, and not that of when they came: by that they lay in the
    /// future.
    pub in_zone_of_now: bool,
}

/// What somebody says of a row, because the terminal does not. `Debug` does not say who it is.
#[derive(Debug, Clone, Default, PartialEq, Eq)]
pub struct ByHand {
    /// What its clock was off by: true time minus the terminal's.
    pub shift: Option<TimeDelta>,
    /// The PIN of whoever it is.
    pub pin: Option<Pin<'static>>,
}

/// One row of an upload.
#[derive(Debug, Clone)]
pub enum ReceivedRow {
    /// A punch.
    Punch {
        /// What it says.
        punch: RawPunch,
        /// The row's bytes.
        raw: Vec<u8>,
    },
    /// A row of a punch table that could not be read.
    Broken {
        /// Where and why, without the row's contents.
        problem: String,
        /// The row's bytes.
        raw: Vec<u8>,
    },
    /// Something else worth keeping: an operation, a door event, a line of an unknown table.
    Record {
        /// The row's bytes.
        raw: Vec<u8>,
        /// Who was enrolled by it, if that is what it says.
        enrolled: Option<Enrolled>,
    },
}

impl ReceivedRow {
    /// Something that is worth keeping, and tells nobody anything.
    fn record(raw: Vec<u8>) -> Self {
        Self::Record { raw, enrolled: None }
    }
}

impl Received {
    /// Longest piece of a broken row that is kept, in bytes.
    pub const RAW_LIMIT: usize = 4096;

    /// Uploads this short come as they happen, so their receipt helps to date them.
    pub const LIVE_ROWS: usize = 3;

    /// Rows that are made durable together. What terminals are told to post at most (1 MiB) has fewer, so only a body
    /// beyond that is stored in slices.
    pub const SLICE: usize = 50_000;

    /// An upload of which nothing has been read yet.
    pub fn new(serial: SerialNumber, head: &UploadHead, received_at: DateTime<Utc>) -> Self {
        Self { stamp: head.stamp().map(ToOwned::to_owned), ..Self::empty(serial, head.table().as_str(), received_at) }
    }

    /// The punches that could be read, in the order of the body.
    pub fn punches(&self) -> impl Iterator<Item = &RawPunch> {
        self.rows.iter().filter_map(|row| match row {
            ReceivedRow::Punch { punch, .. } => Some(punch),
            ReceivedRow::Broken { .. } | ReceivedRow::Record { .. } => None,
        })
    }

    /// How many rows of it are punches, or would be if they could be read.
    pub fn attendance_rows(&self) -> usize {
        self.rows.iter().filter(|row| !matches!(row, ReceivedRow::Record { .. })).count()
    }

    /// One row of before, to be taken once more. When it came says nothing of when it was made.
    pub(crate) fn again(serial: SerialNumber, received_at: DateTime<Utc>, row: ReceivedRow, by_hand: ByHand) -> Self {
        Self { whole: false, rows: vec![row], by_hand, ..Self::empty(serial, Table::ATTLOG, received_at) }
    }

    /// With what somebody says of it beside what was said before.
    pub(crate) fn with(mut self, by_hand: &ByHand) -> Self {
        let ByHand { shift, pin } = by_hand.clone();
        self.by_hand = ByHand { shift: shift.or(self.by_hand.shift), pin: pin.or(self.by_hand.pin) };
        self
    }

    /// A row of attendance, as that of an upload.
    pub(crate) fn attendance_row(serial: &SerialNumber, row: &AttlogRow<'_>) -> ReceivedRow {
        Self::empty(serial.clone(), Table::ATTLOG, DateTime::UNIX_EPOCH).punch(row)
    }

    /// It came from the terminal now, or from somebody who has read it.
    pub fn by(self, contact: Contact) -> Self {
        Self { contact: Some(contact), ..self }
    }

    /// Reads an upload that is there in full.
    pub fn read(serial: SerialNumber, upload: &Upload<'_>, received_at: DateTime<Utc>) -> Self {
        let mut received = Self::new(serial, upload.head(), received_at);
        received.take_all(upload.rows());
        received
    }

    /// Takes what a stream has found.
    pub fn see(&mut self, seen: &Streamed<'_>) {
        match seen {
            Streamed::Row { row, .. } => self.take(row),
            Streamed::Error(error) => self.take_broken(error),
            _ => self.discard(),
        }
    }

    /// Takes out a slice if there are enough rows for one. The resume mark stays with the last slice: it names the
    /// last row.
    pub fn slice(&mut self) -> Option<Self> {
        if self.rows.len() < Self::SLICE {
            return None;
        }
        self.whole = false;
        let rest = Self {
            stamp: self.stamp.take(),
            whole: false,
            contact: self.contact,
            ..Self::empty(self.serial.clone(), &self.table, self.received_at)
        };
        Some(core::mem::replace(self, rest))
    }

    /// Reads an upload that came packed.
    ///
    /// # Errors
    ///
    /// The package cannot be opened; nothing of it may be acknowledged.
    pub fn package(
        serial: SerialNumber,
        upload: &Upload<'_>,
        received_at: DateTime<Utc>,
    ) -> Result<Self, PackageError> {
        let mut received = Self::new(serial, upload.head(), received_at);
        received.unpack(upload.table().as_str(), upload.body())?;
        Ok(received)
    }

    /// Reads the records of a query's answer, packed or not. Stored events are what live ones are.
    ///
    /// # Errors
    ///
    /// As [`Received::package`].
    pub fn page(serial: SerialNumber, page: &QueryPage<'_>, received_at: DateTime<Utc>) -> Result<Self, PackageError> {
        let mut received = Self::empty(serial, &page.table, received_at);
        if page.package().is_some() {
            received.unpack(Table::TABLEDATA, page.body())?;
        }
        page.records().for_each(|record| received.take(&Row::Record(record)));
        Ok(received)
    }

    fn unpack(&mut self, table: &str, body: &[u8]) -> Result<(), PackageError> {
        let package = Package::open(body, &PackageLimits::default())?;
        package.entries().for_each(|entry| self.take_all(Rows::of(table, entry.bytes())));
        Ok(())
    }

    fn take_all(&mut self, rows: Rows<'_, '_>) {
        for row in rows {
            match row {
                Ok(row) => self.take(&row),
                Err(error) => self.take_broken(&error),
            }
        }
    }

    /// Results of commands that nobody here gave: what they are about and how they ended. Contents may be anything and are
    /// not kept.
    pub fn results(serial: SerialNumber, results: &[CommandResult<'_>], received_at: DateTime<Utc>) -> Self {
        let line = |result: &CommandResult<'_>| {
            let code = result.code_raw.as_deref().unwrap_or_default();
            let raw = format!("ID={}&Return={code}&CMD={}", result.id, result.command.as_deref().unwrap_or_default());
            ReceivedRow::record(clip(raw.as_bytes()))
        };
        let rows = results.iter().map(line).collect();
        Self { rows, ..Self::empty(serial, "devicecmd", received_at) }
    }

    pub(super) fn empty(serial: SerialNumber, table: &str, received_at: DateTime<Utc>) -> Self {
        let table = table.to_owned();
        Self {
            serial,
            table,
            stamp: None,
            received_at,
            rows: Vec::new(),
            discarded: 0,
            replayed: 0,
            whole: true,
            contact: None,
            passed: None,
            by_hand: ByHand::default(),
            place: None,
            in_zone_of_now: false,
        }
    }

    fn take(&mut self, row: &Row<'_>) {
        let row = match row {
            Row::Punch(row) => self.punch(row),
            // The state of the doors, told again every few seconds: nobody asks what it was.
            Row::Event(_) if self.table.eq_ignore_ascii_case(Table::RTSTATE) => return self.discard(),
            Row::Event(row) if row.is_punch() => self.event(row),
            Row::Event(row) => ReceivedRow::record(join(row)),
            Row::Operation(row) => ReceivedRow::Record { raw: operation_bytes(row), enrolled: Enrolled::of(row) },
            Row::Unknown(line) => ReceivedRow::record(clip(line)),
            Row::Tagged(row) => match row.error() {
                Some(error) => error_record(&error),
                // Users, templates, pictures and identity cards: nothing of them is kept.
                None => return self.discard(),
            },
            Row::Record(record) => match record.transaction() {
                Some(row) => self.stored_event(&row),
                None => match record.error() {
                    Some(error) => error_record(&error),
                    None => return self.discard(),
                },
            },
            _ => return,
        };
        self.rows.push(row);
    }

    fn discard(&mut self) {
        self.discarded = self.discarded.saturating_add(1);
    }

    fn punch(&self, row: &AttlogRow<'_>) -> ReceivedRow {
        let work_code = row.work_code().filter(|code| !matches!(code, [] | [b'0']));
        let work_code = work_code.map(|code| String::from_utf8_lossy(code).into_owned());
        self.reading(row.time(), row.pin(), row_bytes(row), |punch| {
            (punch.status, punch.verify, punch.work_code) = (row.status(), row.verify(), work_code);
        })
    }

    /// A row that counts seconds in the place of a time is an instant, and no zone applies to it. Nothing else is guessed.
    fn counted(&self, error: &RowError<'_>) -> Option<ReceivedRow> {
        let guess = GuessedPunch::of(error).filter(|guess| guess.form == GuessedForm::EpochSeconds)?;
        let GuessedTime::Epoch(seconds) = guess.time else { return None };
        let time = DateTime::from_timestamp(seconds.into(), 0)?.naive_utc();
        let work_code = guess.work_code.filter(|code| !matches!(code, [] | [b'0']));
        Some(self.reading(Ok(time), guess.pin, clip(error.raw), |punch| {
            punch.is_utc = true;
            (punch.status, punch.verify) = (guess.status, guess.verify);
            punch.work_code = work_code.map(|code| String::from_utf8_lossy(code).into_owned());
        }))
    }

    fn event(&self, row: &KeyedRow<'_>) -> ReceivedRow {
        self.reading(row.time(), row.pin(), join(row), |punch| {
            (punch.status, punch.verify) = (row.status(), row.verify());
        })
    }

    /// An event that was stored while nobody listened.
    fn stored_event(&self, row: &TransactionRow<'_>) -> ReceivedRow {
        let raw = joined(row.record().pairs());
        if !row.is_punch() {
            return ReceivedRow::record(raw);
        }
        self.reading(row.time().ok_or(CivilError::NoSuchDate), row.pin(), raw, |punch| {
            (punch.status, punch.verify) = (row.status(), row.verify());
        })
    }

    /// A punch if the row names a moment, else a row that has to be looked at.
    fn reading(
        &self,
        time: Result<NaiveDateTime, CivilError>,
        pin: Pin<'_>,
        raw: Vec<u8>,
        complete: impl FnOnce(&mut RawPunch),
    ) -> ReceivedRow {
        match time {
            Ok(time) => {
                let mut punch = RawPunch::new(self.serial.clone(), pin.into_owned(), time);
                complete(&mut punch);
                ReceivedRow::Punch { punch, raw }
            }
            Err(error) => ReceivedRow::Broken { problem: error.to_string(), raw },
        }
    }

    fn take_broken(&mut self, error: &RowError<'_>) {
        if let Some(row) = self.counted(error).filter(|_| error.table.eq_ignore_ascii_case(Table::ATTLOG)) {
            return self.rows.push(row);
        }
        // What a broken row of another table holds is unknown, and could be a template.
        if ["", Table::ATTLOG, Table::RTLOG].iter().any(|table| table.eq_ignore_ascii_case(error.table)) {
            self.rows.push(ReceivedRow::Broken { problem: error.to_string(), raw: clip(error.raw) });
        } else {
            self.discard();
        }
    }
}

/// The code of an error, and nothing of what else the row may say.
fn error_record(error: &ErrorRow<'_>) -> ReceivedRow {
    ReceivedRow::record(error.code_raw().unwrap_or_default().to_vec())
}

/// At most [`Received::RAW_LIMIT`] bytes of a row.
pub(super) fn clip(raw: &[u8]) -> Vec<u8> {
    raw.get(..Received::RAW_LIMIT).unwrap_or(raw).to_vec()
}

fn operation_bytes(row: &OperationRow<'_>) -> Vec<u8> {
    let head = format!("OPLOG {}", row.code().0).into_bytes();
    let operator = row.operator();
    let objects = row.objects().collect::<Vec<_>>().join(&b'\t');
    [head.as_slice(), operator.as_bytes(), row.time_raw(), &objects].join(&b'\t')
}

fn row_bytes(row: &AttlogRow<'_>) -> Vec<u8> {
    let fields: Vec<&[u8]> = (0..row.field_count()).filter_map(|index| row.field(index)).collect();
    fields.join(&b'\t')
}

fn join(row: &KeyedRow<'_>) -> Vec<u8> {
    joined(row.pairs())
}

fn joined<'a>(pairs: impl Iterator<Item = Pair<'a>>) -> Vec<u8> {
    let pairs: Vec<Vec<u8>> = pairs.map(|pair| [pair.key, b"=", pair.value].concat()).collect();
    pairs.join(&b'\t')
}
