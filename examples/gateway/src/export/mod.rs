//! Attendance as files: rows are read, written and sent a page at a time, so a year costs no more memory than a day.

mod cells;
#[cfg(feature = "parquet")]
mod columns;

use axum::body::{Body, Bytes};
use serde_json::Value;
use tokio::sync::mpsc;

use crate::store::{Attendance, Part, Store, StoreError};
pub(crate) use cells::Cells;
use cells::text;
#[cfg(feature = "parquet")]
use columns::Columns;

/// The form of a file.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub(crate) enum Format {
    /// RFC 4180, with a line of names.
    Csv,
    /// An object a line, as the list has it.
    Ndjson,
    /// Apache Parquet.
    #[cfg(feature = "parquet")]
    Parquet,
}

impl Format {
    /// Those of this build.
    #[cfg(not(feature = "parquet"))]
    pub(crate) const ALL: [Self; 2] = [Self::Csv, Self::Ndjson];
    /// Those of this build.
    #[cfg(feature = "parquet")]
    pub(crate) const ALL: [Self; 3] = [Self::Csv, Self::Ndjson, Self::Parquet];

    /// The word of the API, which is the end of a file's name too.
    pub(crate) fn as_str(self) -> &'static str {
        match self {
            Self::Csv => "csv",
            Self::Ndjson => "ndjson",
            #[cfg(feature = "parquet")]
            Self::Parquet => "parquet",
        }
    }

    pub(crate) fn content_type(self) -> &'static str {
        match self {
            Self::Csv => "text/csv; charset=utf-8; header=present",
            Self::Ndjson => "application/x-ndjson",
            #[cfg(feature = "parquet")]
            Self::Parquet => "application/vnd.apache.parquet",
        }
    }
}

/// Why an export ended before its end. The connection breaks off, so that nobody takes half a file for a whole one.
#[derive(Debug, thiserror::Error)]
enum ExportError {
    #[error(transparent)]
    Store(#[from] StoreError),
    #[error("rows cannot be written as CSV: {0}")]
    Csv(#[from] csv::Error),
    #[error("a row cannot be written as JSON: {0}")]
    Json(#[from] serde_json::Error),
    #[cfg(feature = "parquet")]
    #[error("rows cannot be written as Parquet: {0}")]
    Parquet(#[from] parquet::errors::ParquetError),
}

/// Rows that are read at once.
const PAGE: u32 = 1000;

/// Pages that wait for whoever reads slowly.
const AHEAD: usize = 2;

/// The rows as a file that is made while it is sent.
pub(crate) fn body(store: Store, which: Attendance, format: Format) -> Body {
    let (sender, mut receiver) = mpsc::channel(AHEAD);
    tokio::spawn(async move {
        if let Err(error) = write(&store, which, format, &sender).await {
            tracing::error!(%error, "an export was broken off");
            // Whoever reads may have gone away already.
            drop(sender.send(Err(error)).await);
        }
    });
    Body::from_stream(futures_util::stream::poll_fn(move |context| receiver.poll_recv(context)))
}

async fn write(
    store: &Store,
    which: Attendance,
    format: Format,
    to: &mpsc::Sender<Result<Bytes, ExportError>>,
) -> Result<(), ExportError> {
    let mut encoder = Encoder::new(format)?;
    let mut after = 0;
    loop {
        let (wanted, part) = (which.clone(), Part { after: Some(after), descending: false, ..Part::newest(PAGE) });
        let rows = store.read(move |connection| wanted.part(connection, part)).await?;
        let is_last = rows.len() < usize::try_from(PAGE).unwrap_or(usize::MAX);
        after = rows.last().map_or(after, |(seq, _)| seq.cast_signed());
        let punches: Vec<Value> = rows.into_iter().map(|(_, row)| row.0).collect();
        let mut bytes = encoder.rows(&punches)?;
        if is_last {
            bytes.extend(encoder.end()?);
            // The reader may have gone away; nobody waits for the rest then.
            drop(to.send(Ok(bytes.into())).await);
            return Ok(());
        }
        if !bytes.is_empty() && to.send(Ok(bytes.into())).await.is_err() {
            return Ok(());
        }
    }
}

enum Encoder {
    Csv(Cells),
    Ndjson,
    #[cfg(feature = "parquet")]
    Parquet(Box<Columns>),
}

impl Encoder {
    fn new(format: Format) -> Result<Self, ExportError> {
        Ok(match format {
            Format::Csv => Self::Csv(Cells::new(COLUMNS.map(|(name, _)| name))),
            Format::Ndjson => Self::Ndjson,
            #[cfg(feature = "parquet")]
            Format::Parquet => Self::Parquet(Box::new(Columns::new()?)),
        })
    }

    fn rows(&mut self, punches: &[Value]) -> Result<Vec<u8>, ExportError> {
        match self {
            Self::Csv(cells) => {
                Ok(cells.rows(punches.iter().map(|punch| COLUMNS.map(|(_, place)| text(punch, place))))?)
            }
            Self::Ndjson => {
                let mut bytes = Vec::new();
                for punch in punches {
                    serde_json::to_writer(&mut bytes, punch)?;
                    bytes.push(b'\n');
                }
                Ok(bytes)
            }
            #[cfg(feature = "parquet")]
            Self::Parquet(columns) => Ok(columns.rows(punches)?),
        }
    }

    fn end(self) -> Result<Vec<u8>, ExportError> {
        match self {
            Self::Csv(_) | Self::Ndjson => Ok(Vec::new()),
            #[cfg(feature = "parquet")]
            Self::Parquet(columns) => Ok(columns.end()?),
        }
    }
}

/// The columns of CSV and Parquet, and where each stands in a nested payload.
const COLUMNS: [(&str, &str); 20] = [
    ("event_id", "/event_id"),
    ("employee", "/employee/badge_number"),
    ("employee_id", "/employee/id"),
    ("employee_name", "/employee/name"),
    ("at_utc", "/timestamp"),
    ("local_time", "/punch/local_time"),
    ("at_original", "/metadata/device_local"),
    ("direction", "/punch/direction"),
    ("direction_source", "/metadata/direction_source"),
    ("method", "/punch/method"),
    ("device_serial", "/device/serial_number"),
    ("device_name", "/device/name"),
    ("site", "/device/site"),
    ("session_id", "/metadata/session_id"),
    ("business_date", "/metadata/business_date"),
    ("exceptions", "/metadata/exceptions"),
    ("time_quality", "/metadata/time_quality"),
    ("received_at", "/metadata/received_at"),
    ("revision", "/metadata/revision"),
    ("final", "/metadata/final"),
];
