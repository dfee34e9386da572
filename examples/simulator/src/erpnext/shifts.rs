use bytes::Bytes;
use http::Request;
use serde_json::{Value, json};

use super::clock::{self, Reading};
use super::reply::Exception;
use super::{ErpNextShift, ErpNextStandIn};

impl ErpNextStandIn {
    pub(super) fn get_shift(&self, name: &str) -> Result<Value, Exception> {
        let found = self.config.shifts.iter().find(|shift| shift.name == name);
        found.map(ErpNextShift::document).ok_or_else(Exception::does_not_exist)
    }

    /// Any time is taken, earlier ones too; none with a zone.
    pub(super) fn put_shift(&mut self, name: &str, request: &Request<Bytes>) -> Result<Value, Exception> {
        let body: Value = serde_json::from_slice(request.body())
            .map_err(|_| Exception::new(500, "JSONDecodeError", "Expecting value: line 1 column 1 (char 0)"))?;
        let shift = self.config.shifts.iter_mut().find(|shift| shift.name == name);
        let shift = shift.ok_or_else(Exception::does_not_exist)?;
        if let Some(sent) = body.get("last_sync_of_checkin").and_then(Value::as_str) {
            match clock::read(sent) {
                Reading::Local(time) if shift.is_writable => shift.last_sync_of_checkin = Some(time),
                Reading::Local(_) => {}
                Reading::Zoned(_) | Reading::Unreadable => {
                    let message = format!("(1292, \"Incorrect datetime value: '{sent}'\")");
                    return Err(Exception::new(500, "OperationalError", message));
                }
            }
        }
        Ok(shift.document())
    }
}

impl ErpNextShift {
    /// The row as a document: what is null is left out.
    fn document(&self) -> Value {
        let mut row = json!({
            "name": self.name, "doctype": "Shift Type", "enable_auto_attendance": 1,
            "auto_update_last_sync": u8::from(self.auto_update_last_sync),
        });
        if let (Some(mark), Some(row)) = (self.last_sync_of_checkin, row.as_object_mut()) {
            let text = mark.format("%Y-%m-%d %H:%M:%S").to_string();
            row.insert("last_sync_of_checkin".to_owned(), json!(text));
        }
        row
    }
}
