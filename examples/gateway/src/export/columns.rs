use std::io::{self, Write};
use std::sync::{Arc, Mutex, PoisonError};

use chrono::DateTime;
use parquet::basic::{ConvertedType, LogicalType, Repetition, TimeUnit, Type as Physical};
use parquet::data_type::{ByteArray, ByteArrayType, Int64Type};
use parquet::errors::ParquetError;
use parquet::file::properties::WriterProperties;
use parquet::file::writer::SerializedFileWriter;
use parquet::schema::types::Type;
use serde_json::Value;

use super::COLUMNS;
use super::cells::text;

/// Rows of a row group.
const GROUP: usize = 20_000;

/// Writes rows as Parquet: a flat table of texts, and of moments in milliseconds, in row groups as they fill up.
pub(super) struct Columns {
    writer: SerializedFileWriter<Written>,
    written: Written,
    rows: Vec<[String; COLUMNS.len()]>,
}

/// What was written and not yet handed on.
#[derive(Clone, Default)]
struct Written(Arc<Mutex<Vec<u8>>>);

impl Write for Written {
    fn write(&mut self, bytes: &[u8]) -> io::Result<usize> {
        self.0.lock().unwrap_or_else(PoisonError::into_inner).extend_from_slice(bytes);
        Ok(bytes.len())
    }

    fn flush(&mut self) -> io::Result<()> {
        Ok(())
    }
}

impl Written {
    fn take(&self) -> Vec<u8> {
        core::mem::take(&mut *self.0.lock().unwrap_or_else(PoisonError::into_inner))
    }
}

impl Columns {
    pub(super) fn new() -> Result<Self, ParquetError> {
        let fields = COLUMNS.map(|(name, _)| field(name).map(Arc::new)).into_iter().collect::<Result<Vec<_>, _>>()?;
        let schema = Type::group_type_builder("attendance").with_fields(fields).build()?;
        let written = Written::default();
        let properties = Arc::new(WriterProperties::builder().build());
        let writer = SerializedFileWriter::new(written.clone(), Arc::new(schema), properties)?;
        Ok(Self { writer, written, rows: Vec::new() })
    }

    pub(super) fn rows(&mut self, punches: &[Value]) -> Result<Vec<u8>, ParquetError> {
        self.rows.extend(punches.iter().map(|punch| COLUMNS.map(|(_, place)| text(punch, place))));
        if self.rows.len() >= GROUP {
            self.group()?;
        }
        Ok(self.written.take())
    }

    pub(super) fn end(mut self) -> Result<Vec<u8>, ParquetError> {
        if !self.rows.is_empty() {
            self.group()?;
        }
        self.writer.close()?;
        Ok(self.written.take())
    }

    fn group(&mut self) -> Result<(), ParquetError> {
        let rows = core::mem::take(&mut self.rows);
        let mut group = self.writer.next_row_group()?;
        for (index, (name, _)) in COLUMNS.iter().enumerate() {
            let Some(mut column) = group.next_column()? else { break };
            let cells = rows.iter().filter_map(|row| row.get(index)).map(String::as_str);
            if is_moment(name) {
                let moments: Vec<Option<i64>> = cells.map(millis).collect();
                let (values, levels) = optional(moments);
                column.typed::<Int64Type>().write_batch(&values, Some(&levels), None)?;
            } else {
                let texts = cells.map(|cell| (!cell.is_empty()).then(|| ByteArray::from(cell))).collect();
                let (values, levels) = optional(texts);
                column.typed::<ByteArrayType>().write_batch(&values, Some(&levels), None)?;
            }
            column.close()?;
        }
        group.close()?;
        Ok(())
    }
}

/// The values that are there, and for each whether it is.
fn optional<T>(cells: Vec<Option<T>>) -> (Vec<T>, Vec<i16>) {
    let levels = cells.iter().map(|cell| i16::from(cell.is_some())).collect();
    (cells.into_iter().flatten().collect(), levels)
}

fn millis(cell: &str) -> Option<i64> {
    DateTime::parse_from_rfc3339(cell).ok().map(|moment| moment.timestamp_millis())
}

fn is_moment(name: &str) -> bool {
    ["at_utc", "received_at"].contains(&name)
}

fn field(name: &str) -> Result<Type, ParquetError> {
    let field = if is_moment(name) {
        let moment = LogicalType::timestamp(true, TimeUnit::MILLIS);
        Type::primitive_type_builder(name, Physical::INT64).with_logical_type(Some(moment))
    } else {
        Type::primitive_type_builder(name, Physical::BYTE_ARRAY)
            .with_logical_type(Some(LogicalType::String))
            .with_converted_type(ConvertedType::UTF8)
    };
    field.with_repetition(Repetition::OPTIONAL).build()
}
