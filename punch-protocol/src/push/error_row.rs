use core::fmt;

use super::access::RecordRow;
use super::codes::ErrorLogCode;
use super::tagged::{Pairs, TaggedRow};

/// What went wrong at a terminal: `ERRORLOG` of attendance, `errorlog` of access control, from protocol 2.4.1 and 3.1.2.
///
/// ```
/// use punch_protocol::push::{ErrorLogCode, Row, Rows};
///
/// let body = b"ERRORLOG ErrCode=D01E0001\tErrMsg=\tDataOrigin=cmd\tCmdId=123\tAdditional=";
/// let Some(Ok(Row::Tagged(row))) = Rows::of("ERRORLOG", body).next() else { panic!() };
/// let error = row.error().expect("an error");
/// assert_eq!((error.code(), error.command()), (Some(ErrorLogCode::NO_FACE), Some("123")));
/// ```
#[derive(Clone, Copy)]
pub struct ErrorRow<'a>(Pairs<'a>);

impl<'a> TaggedRow<'a> {
    /// The row as an error, if it is one.
    pub fn error(&self) -> Option<ErrorRow<'a>> {
        (self.tag() == "ERRORLOG").then(|| ErrorRow(self.pairs()))
    }
}

impl<'a> RecordRow<'a> {
    /// The record as an error, if it is one.
    pub fn error(&self) -> Option<ErrorRow<'a>> {
        self.table().filter(|table| table.eq_ignore_ascii_case("errorlog")).map(|_| ErrorRow(self.pairs()))
    }
}

impl<'a> ErrorRow<'a> {
    /// The code, if it has the form of one.
    pub fn code(&self) -> Option<ErrorLogCode> {
        self.code_raw().and_then(ErrorLogCode::parse)
    }

    /// The code as it stands.
    pub fn code_raw(&self) -> Option<&'a [u8]> {
        self.0.value(&["ErrCode"])
    }

    /// The command it happened in; `None` if it happened by itself (`DataOrigin=dev`).
    pub fn command(&self) -> Option<&'a str> {
        let by_command = self.0.value(&["DataOrigin"]).is_some_and(|origin| origin.eq_ignore_ascii_case(b"cmd"));
        core::str::from_utf8(self.0.value(&["CmdId"])?).ok().filter(|_| by_command)
    }
}

impl fmt::Debug for ErrorRow<'_> {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.debug_struct("ErrorRow").field("code", &self.code()).finish_non_exhaustive()
    }
}
