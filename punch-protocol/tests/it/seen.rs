//! What a parser saw, owned: for comparing two readings of the same rows.

use punch_protocol::push::{Row, RowErrorKind, Rows};

#[derive(Debug, Clone, PartialEq, Eq)]
pub(crate) enum Seen {
    Punch(Vec<Vec<u8>>),
    Event(Vec<(Vec<u8>, Vec<u8>)>),
    Operation(u16, Vec<Vec<u8>>),
    Tagged(String, Vec<(Vec<u8>, Vec<u8>)>),
    Record(Option<String>, Vec<(Vec<u8>, Vec<u8>)>),
    Unknown(Vec<u8>),
    Error(RowErrorKind, u32, Vec<u8>),
}

pub(crate) fn all(table: &str, body: &[u8]) -> Vec<Seen> {
    Rows::of(table, body)
        .map(|row| match row {
            Ok(row) => Seen::of(&row),
            Err(error) => Seen::Error(error.kind, error.column, error.raw.to_vec()),
        })
        .collect()
}

impl Seen {
    fn of(row: &Row<'_>) -> Self {
        match row {
            Row::Punch(row) => {
                Self::Punch((0..row.field_count()).map(|index| row.field(index).unwrap().to_vec()).collect())
            }
            Row::Event(row) => Self::Event(row.pairs().map(|pair| (pair.key.to_vec(), pair.value.to_vec())).collect()),
            Row::Operation(row) => {
                let first = [row.operator().as_bytes().to_vec(), row.time_raw().to_vec()];
                Self::Operation(row.code().0, first.into_iter().chain(row.objects().map(<[u8]>::to_vec)).collect())
            }
            Row::Tagged(row) => {
                let pairs = row.pairs().map(|pair| (pair.key.to_vec(), pair.value.to_vec()));
                Self::Tagged(row.tag().to_owned(), pairs.collect())
            }
            Row::Record(row) => {
                let pairs = row.pairs().map(|pair| (pair.key.to_vec(), pair.value.to_vec()));
                Self::Record(row.table().map(str::to_owned), pairs.collect())
            }
            Row::Unknown(line) => Self::Unknown(line.to_vec()),
            other => panic!("{other:?}"),
        }
    }
}
