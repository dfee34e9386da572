use core::fmt;

use crate::named::named_numbers;
use crate::push::Dialect;

/// What a terminal returned for a command (`Return` of a result).
///
/// The same number means different things in the two dialects, and a positive one different things by command:
/// a count, a length, or why an enrolment failed. The constants say which they belong to.
///
/// ```
/// use punch_protocol::push::{Dialect, ReturnCode};
///
/// let code = ReturnCode(-10);
/// assert_eq!(code.describe(Dialect::Attendance), Some("PIN does not exist"));
/// assert_eq!(code.describe(Dialect::AccessControl), Some("not parsed"));
/// assert_eq!(code.describe(Dialect::Undecided), None);
///
/// assert_eq!(ReturnCode(3).success("DATA QUERY"), Some(true));
/// assert_eq!(ReturnCode(5).success("ENROLL_FP"), Some(false));
/// assert_eq!(ReturnCode::PENDING.success("DATA UPDATE"), None);
/// ```
#[derive(Debug, Clone, Copy, PartialEq, Eq, PartialOrd, Ord, Hash)]
#[expect(clippy::exhaustive_structs, reason = "an integer with names; it never grows a field")]
pub struct ReturnCode(pub i32);

impl ReturnCode {
    /// Done.
    pub const OK: Self = Self(0);
    /// A master controller has taken the command on and will answer again.
    pub const PENDING: Self = Self(-5000);

    /// Whether this is only a promise of another answer.
    pub fn is_pending(self) -> bool {
        self == Self::PENDING
    }

    /// Whether `command` worked; `None` if that is not known yet.
    ///
    /// Queries, counts and file transfers return a count or a length, everything else 0. A positive number is
    /// a reason of failure for enrolments. `command` is the text of the command, or what the firmware made of it;
    /// firmware that writes `DATA` for every data command leaves a positive number open.
    pub fn success(self, command: &str) -> Option<bool> {
        if self > Self::OK && command.trim().eq_ignore_ascii_case("DATA") {
            return None;
        }
        let done = if returns_a_count(command) { self.0 >= 0 } else { self == Self::OK };
        (!self.is_pending()).then_some(done)
    }

    /// What the number means in `dialect`, whatever the command; `None` if that is not published.
    ///
    /// [`Dialect::Undecided`] has a text where the dialects do not differ.
    pub fn describe(self, dialect: Dialect) -> Option<&'static str> {
        let (attendance, access) = (Self::ATTENDANCE.text(self.0), Self::ACCESS.text(self.0));
        match dialect {
            _ if self == Self::OK => Some("ok"),
            _ if self.is_pending() => Some("taken on by the master controller, another answer follows"),
            Dialect::Attendance => attendance,
            Dialect::AccessControl => access,
            Dialect::Undecided if attendance.is_some() && access.is_some() => {
                attendance.filter(|_| attendance == access)
            }
            Dialect::Undecided => attendance.or(access),
        }
    }

    /// Why an enrolment failed: `ENROLL_FP`, `ENROLL_BIO` and `ENROLL_MF` return a positive reason.
    ///
    /// `None` for other commands, and for reasons that are not published.
    ///
    /// ```
    /// use punch_protocol::push::ReturnCode;
    ///
    /// assert_eq!(ReturnCode(5).enrolment_failure("ENROLL_FP"), Some("already in the library"));
    /// assert_eq!(ReturnCode(5).enrolment_failure("ENROLL_MF"), Some("timed out"));
    /// assert_eq!(ReturnCode(5).enrolment_failure("PutFile"), None);
    /// ```
    pub fn enrolment_failure(self, command: &str) -> Option<&'static str> {
        let verb = command.split_ascii_whitespace().next()?;
        let starts_with = |start: &str| verb.get(..start.len()).is_some_and(|head| head.eq_ignore_ascii_case(start));
        let table = if starts_with("ENROLL_MF") { Self::CARD_ENROLMENT } else { Self::ENROLMENT };
        table.text(self.0).filter(|_| starts_with("ENROLL_"))
    }
}

fn returns_a_count(command: &str) -> bool {
    let mut words = command.split_ascii_whitespace();
    let is_one_of = |word: Option<&str>, names: &[&str]| {
        word.is_some_and(|word| names.iter().any(|name| word.eq_ignore_ascii_case(name)))
    };
    let verb = words.next();
    is_one_of(verb, &["QUERY", "COUNT", "ACCOUNT", "PutFile", "GetFile"])
        || (is_one_of(verb, &["DATA"]) && is_one_of(words.next(), &["QUERY", "COUNT"]))
}

impl fmt::Display for ReturnCode {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        write!(f, "return {}", self.0)
    }
}

named_numbers! { ReturnCode(i32) as ATTENDANCE:
    -1 ATT_BAD_PARAMETER "bad parameter, protected option or empty query"
    -2 ATT_PHOTO_SIZE "photo data differs from its size"
    -3 ATT_READ_WRITE "read or write error"
    -9 ATT_TEMPLATE_SIZE "template differs from its size"
    -10 ATT_PIN_UNKNOWN "PIN does not exist"
    -11 ATT_TEMPLATE_FORMAT "illegal template format"
    -12 ATT_TEMPLATE_ILLEGAL "illegal template"
    -22 ATT_UNKNOWN_COMMAND "unknown command"
    -30 ATT_ALGORITHM_VERSION "version of the biometric algorithm differs"
    -1001 ATT_CAPACITY "capacity exceeded, or wrong size of a photo"
    -1002 ATT_NOT_SUPPORTED "not supported or invalid syntax"
    -1003 ATT_TIMED_OUT "timed out"
    -1004 ATT_WRONG_CONFIGURATION "data does not fit the configuration of the device"
    -1005 ATT_BUSY "busy"
    -1006 ATT_TOO_LONG "too long"
    -1007 ATT_OUT_OF_MEMORY "out of memory"
    -1008 ATT_FETCH_FAILED "fetching from the server failed"
}

named_numbers! { ReturnCode(i32) as ACCESS:
    -1 ACC_SEND_FAILED "not sent"
    -2 ACC_NO_RESPONSE "no response"
    -3 ACC_CACHE "not enough cache"
    -4 ACC_DECOMPRESSION "not decompressed"
    -5 ACC_LENGTH "wrong length"
    -6 ACC_DECOMPRESSED_LENGTH "wrong length after decompression"
    -7 ACC_REPEATED "repeated command"
    -8 ACC_UNAUTHORISED "unauthorised"
    -9 ACC_CRC "wrong CRC"
    -10 ACC_NOT_PARSED "not parsed"
    -11 ACC_PARAMETER "wrong parameter"
    -12 ACC_EXECUTION "not executed"
    -13 ACC_NO_SUCH_COMMAND "no such command"
    -14 ACC_COMM_PASSWORD "wrong communication password"
    -15 ACC_WRITE "file not written"
    -16 ACC_READ "file not read"
    -17 ACC_NO_FILE "file does not exist"
    -18 ACC_NO_SPACE "no space left"
    -19 ACC_CHECKSUM "wrong checksum"
    -20 ACC_RECEIVED_LENGTH "received length differs"
    -21 ACC_NO_PLATFORM "no platform set"
    -22 ACC_OTHER_PLATFORM "firmware is for another platform"
    -23 ACC_OLDER_FIRMWARE "firmware is older than the installed one"
    -24 ACC_UPGRADE_FLAG "upgrade flag wrong"
    -25 ACC_NOT_FIRMWARE "file is not `emfw.cfg`"
    -26 ACC_EMPTY_TEMPLATE "template of length 0"
    -27 ACC_PIN_UNKNOWN "PIN not found"
    -28 ACC_OPEN_REFUSED "opening refused in the normal-open period"
    -100 ACC_NO_TABLE "table does not exist"
    -101 ACC_NO_CONDITION_FIELD "field of the condition does not exist"
    -102 ACC_FIELD_COUNT "wrong number of fields"
    -103 ACC_FIELD_ORDER "wrong order of fields"
    -104 ACC_REALTIME_EVENT "real-time event not read"
    -105 ACC_DATA_NOT_PARSED "data not parsed"
    -106 ACC_TOO_LARGE "larger than 4 MB"
    -107 ACC_TABLE_STRUCTURE "structure of the table not read"
    -108 ACC_INVALID_OPTIONS "invalid options"
    -603 ACC_HANDLE_603 "invalid handle (603)"
    -604 ACC_MEMORY "memory not allocated"
    -609 ACC_HANDLE_609 "invalid handle (609)"
    -612 ACC_CALL_PARAMETER "wrong parameter of a call"
    -614 ACC_ALARM "alarm not cancelled"
    -615 ACC_RESTART "not restarted"
    -616 ACC_NORMAL_OPEN "normal-open rule not set"
    -628 ACC_FINGER_NOT_LOADED "finger not loaded"
    -629 ACC_TABLE_NAME "wrong table name"
    -630 ACC_SHELL "shell command not executed"
    -631 ACC_BASE64_LENGTH "wrong length of base64"
    -632 ACC_FILE_NAME "wrong file name"
    -708 ACC_NOT_SUPPORTED "not supported"
    -709 ACC_UPLOAD_OPTIONS "options not uploaded"
    -725 ACC_TIMED_OUT "transfer timed out"
    -726 ACC_HTTP "HTTP error"
    -730 ACC_NO_SERVER_REPLY "no reply of the server"
    -731 ACC_SERVER_DATA "wrong data from the server"
    -801 ACC_BAD_FORMAT "bad format"
    groups:
    -206 to -201 "library or file error"
    -301 to -301 "library or file error"
    -627 to -618 "wrong URL, blank, format or field"
    -731 to -720 "upgrade or transfer failed"
}

named_numbers! { ReturnCode(i32) as ENROLMENT:
    2 ENROLL_EXISTS "already enrolled"
    4 ENROLL_FAILED "enrolment failed"
    5 ENROLL_IN_LIBRARY "already in the library"
    6 ENROLL_CANCELLED "cancelled"
    7 ENROLL_BUSY "terminal busy"
}

named_numbers! { ReturnCode(i32) as CARD_ENROLMENT:
    2 ENROLL_MF_EXISTS "already enrolled"
    4 ENROLL_MF_FAILED "enrolment failed"
    5 ENROLL_MF_TIMED_OUT "timed out"
    6 ENROLL_MF_CANCELLED "cancelled"
    7 ENROLL_MF_BUSY "terminal busy"
}
