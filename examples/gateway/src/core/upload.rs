use chrono::{DateTime, NaiveDateTime, Utc};
use punch_protocol::civil::CivilError;
use punch_protocol::push::{AttlogRow, KeyedRow, OperationRow, Row, RowError, Table, Upload};
use punch_protocol::{Pin, RawPunch, SerialNumber};

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
    },
}

impl Received {
    /// Longest piece of a broken row that is kept, in bytes.
    pub const RAW_LIMIT: usize = 4096;

    /// Reads an upload.
    pub fn read(serial: SerialNumber, upload: &Upload<'_>, received_at: DateTime<Utc>) -> Self {
        let mut received = Self {
            serial,
            table: upload.table().as_str().to_owned(),
            stamp: upload.stamp().map(ToOwned::to_owned),
            received_at,
            rows: Vec::new(),
            discarded: 0,
        };
        for row in upload.rows() {
            match row {
                Ok(row) => received.take(&row),
                Err(error) => received.take_broken(upload.table(), &error),
            }
        }
        received
    }

    /// A body that is kept as it stands, such as the results of commands.
    pub fn record(serial: SerialNumber, table: &str, body: &[u8], received_at: DateTime<Utc>) -> Self {
        let raw = clip(body);
        let rows = if raw.is_empty() { Vec::new() } else { vec![ReceivedRow::Record { raw }] };
        Self { serial, table: table.to_owned(), stamp: None, received_at, rows, discarded: 0 }
    }

    fn take(&mut self, row: &Row<'_>) {
        let row = match row {
            Row::Punch(row) => self.punch(row),
            Row::Event(row) if row.is_punch() => self.event(row),
            Row::Event(row) => ReceivedRow::Record { raw: join(row) },
            Row::Operation(row) => ReceivedRow::Record { raw: operation_bytes(row) },
            Row::Unknown(line) => ReceivedRow::Record { raw: clip(line) },
            Row::Tagged(row) if row.tag() == "ERRORLOG" => {
                ReceivedRow::Record { raw: row.value("ErrCode").unwrap_or_default().to_vec() }
            }
            Row::Record(row) if row.table() == Some("errorlog") => {
                let code = row.pairs().find(|pair| pair.key.eq_ignore_ascii_case(b"errcode"));
                ReceivedRow::Record { raw: code.map(|pair| pair.value.to_vec()).unwrap_or_default() }
            }
            // Other stored records, users, templates, pictures and identity cards: nothing of them is kept.
            Row::Record(_) | Row::Tagged(_) => return self.discard(),
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

    fn event(&self, row: &KeyedRow<'_>) -> ReceivedRow {
        self.reading(row.time(), row.pin(), join(row), |punch| {
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

    fn take_broken(&mut self, table: &Table, error: &RowError<'_>) {
        // What a broken row of another table holds is unknown, and could be a template.
        if table.is(Table::ATTLOG) || table.is(Table::RTLOG) || table.as_str().is_empty() {
            self.rows.push(ReceivedRow::Broken { problem: error.to_string(), raw: clip(error.raw) });
        } else {
            self.discard();
        }
    }
}

/// At most [`Received::RAW_LIMIT`] bytes of a row.
fn clip(raw: &[u8]) -> Vec<u8> {
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
    let pairs: Vec<Vec<u8>> = row.pairs().map(|pair| [pair.key, b"=", pair.value].concat()).collect();
    pairs.join(&b'\t')
}
