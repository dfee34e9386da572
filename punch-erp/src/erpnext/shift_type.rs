use alloc::string::String;

use bytes::Bytes;
use chrono::NaiveDateTime;
use serde::{Deserialize, Deserializer};
use serde_json::{Value, json};

use super::checkin::{parse_time, time_text};
use super::{ErpNext, fault};
use crate::{CallError, Endpoint, HttpRequest, HttpResponse};

const SHIFT_TYPE: &str = "Shift Type";

/// A shift type, as far as auto attendance asks which checkins it may count on.
#[derive(Debug, Clone, PartialEq, Eq, Deserialize)]
#[non_exhaustive]
pub struct ShiftType {
    /// Up to when every checkin is there: the site's local time. Attendance is marked for shifts that ended before it, once
    /// and for ever. `None` until somebody sets it; nothing is marked then.
    #[serde(default, deserialize_with = "read_mark")]
    pub last_sync_of_checkin: Option<NaiveDateTime>,
    /// Whether the site moves it by its own clock after each shift, whatever the terminals did. People whose terminal is
    /// offline are marked absent then.
    #[serde(default, rename = "auto_update_last_sync", deserialize_with = "read_flag")]
    pub moves_by_itself: bool,
}

/// Reads one shift type.
#[derive(Debug, Clone)]
pub struct GetShiftType {
    site: ErpNext,
    name: String,
}

impl GetShiftType {
    /// `GET /api/resource/Shift Type/{name}`
    pub fn new(site: &ErpNext, name: impl Into<String>) -> Self {
        Self { site: site.clone(), name: name.into() }
    }
}

impl Endpoint for GetShiftType {
    /// `None` if there is none of this name.
    type Output = Option<ShiftType>;

    fn request(&self) -> HttpRequest {
        self.site.get(&["api", "resource", SHIFT_TYPE, &self.name], &[])
    }

    fn response(&self, response: &HttpResponse) -> Result<Option<ShiftType>, CallError> {
        match fault::read_data(response, "a shift type") {
            Ok(shift) => Ok(Some(shift)),
            Err(CallError::NotFound(_)) => Ok(None),
            Err(error) => Err(error),
        }
    }
}

/// Says up to when every checkin of a shift type is there. The server takes any time, earlier ones too.
#[derive(Debug, Clone)]
pub struct SetLastSync {
    site: ErpNext,
    name: String,
    to: NaiveDateTime,
}

impl SetLastSync {
    /// `PUT /api/resource/Shift Type/{name}`, with a local time of the site.
    pub fn new(site: &ErpNext, name: impl Into<String>, to: NaiveDateTime) -> Self {
        Self { site: site.clone(), name: name.into(), to }
    }
}

impl Endpoint for SetLastSync {
    /// The shift type as it is now.
    type Output = ShiftType;

    fn request(&self) -> HttpRequest {
        // As with checkins: a `T` or a zone is an error of the server.
        let body = json!({ "last_sync_of_checkin": time_text(self.to) });
        let body = serde_json::to_vec(&body).unwrap_or_default();
        self.site.put(&["api", "resource", SHIFT_TYPE, &self.name], Bytes::from(body))
    }

    fn response(&self, response: &HttpResponse) -> Result<ShiftType, CallError> {
        fault::read_data(response, "the changed shift type")
    }
}

/// A mark that is no time counts as none: it is then set.
fn read_mark<'de, D: Deserializer<'de>>(deserializer: D) -> Result<Option<NaiveDateTime>, D::Error> {
    Ok(Option::<String>::deserialize(deserializer)?.as_deref().and_then(parse_time))
}

/// A tick is 0 or 1.
fn read_flag<'de, D: Deserializer<'de>>(deserializer: D) -> Result<bool, D::Error> {
    let flag = Value::deserialize(deserializer)?;
    Ok(flag == 1 || flag == true)
}
