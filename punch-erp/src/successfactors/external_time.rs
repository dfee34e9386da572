use alloc::string::String;
use core::fmt;

use chrono::{NaiveDate, NaiveDateTime, Timelike as _};
use serde::Serialize;
use serde::ser::SerializeStruct as _;

use super::odata::{odata_day, odata_time};

/// A record of `ExternalTimeData`: from an arrival to its departure, in local time. `Debug` shows no user.
#[derive(Clone, PartialEq, Eq)]
#[non_exhaustive]
pub struct ExternalTime {
    /// Whose it is, 1 to 100 characters.
    pub user_id: String,
    /// The day it begins on.
    pub day: NaiveDate,
    /// Which of that day's records it is, from 1.
    pub ordinal: usize,
    /// When it begins, whole seconds.
    pub start: NaiveDateTime,
    /// When it ends, whole seconds.
    pub end: NaiveDateTime,
    /// The tenant's time type.
    pub time_type: String,
}

impl ExternalTime {
    /// The key, at most 128 characters: the same for every sending, so a repetition overwrites it with itself.
    pub fn external_code(&self) -> String {
        alloc::format!("{}-{}-{}", self.user_id, self.day.format("%Y%m%d"), self.ordinal)
    }

    /// `endDate` is for those that end on another day.
    fn end_day(&self) -> Option<NaiveDate> {
        Some(self.end.date()).filter(|day| *day != self.day)
    }
}

impl Serialize for ExternalTime {
    fn serialize<S: serde::Serializer>(&self, serializer: S) -> Result<S::Ok, S::Error> {
        #[derive(Serialize)]
        struct Metadata {
            uri: String,
            r#type: &'static str,
        }
        let code = self.external_code();
        // In OData a quote within a key is written twice.
        let uri = alloc::format!("ExternalTimeData('{}')", code.replace('\'', "''"));
        let time = |at: NaiveDateTime| odata_time(at.time().with_nanosecond(0).unwrap_or(at.time()));
        let mut row = serializer.serialize_struct("ExternalTime", 8)?;
        row.serialize_field("__metadata", &Metadata { uri, r#type: "SFOData.ExternalTimeData" })?;
        row.serialize_field("externalCode", &code)?;
        row.serialize_field("userId", &self.user_id)?;
        row.serialize_field("startDate", &odata_day(self.day))?;
        if let Some(day) = self.end_day() {
            row.serialize_field("endDate", &odata_day(day))?;
        }
        row.serialize_field("startTime", &time(self.start))?;
        row.serialize_field("endTime", &time(self.end))?;
        row.serialize_field("timeType", &self.time_type)?;
        row.end()
    }
}

impl fmt::Debug for ExternalTime {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        let mut shown = f.debug_struct("ExternalTime");
        shown
            .field("ordinal", &self.ordinal)
            .field("start", &self.start)
            .field("end", &self.end)
            .finish_non_exhaustive()
    }
}
