use crate::passage::PassageMethod;

/// Which pairs of codes say that somebody passed. Everything else says something about a door, an alarm or a failure.
///
/// ```
/// use punch_erp::isapi::PassCodes;
///
/// let codes = PassCodes::default();
/// assert_eq!(codes.method(5, 75).map(|method| method.as_str()), Some("face"));
/// assert!(codes.method(5, 76).is_none()); // a face that was not recognised
/// assert!(codes.method(2, 75).is_none());
/// ```
#[derive(Debug, Clone, Copy, Default, PartialEq, Eq)]
#[non_exhaustive]
pub struct PassCodes {
    /// Whether 156 (a code on a telephone) and 181 (a password) count, which one list only has. Default no.
    pub with_code_and_password: bool,
}

/// Events of people at doors.
const EVENT: i64 = 5;

impl PassCodes {
    /// How somebody was recognised, if the pair says that somebody passed.
    pub fn method(self, major: i64, minor: i64) -> Option<PassageMethod> {
        if major != EVENT {
            return None;
        }
        Some(match minor {
            1 => PassageMethod::Card,
            2 => PassageMethod::CardAndPin,
            38 | 69 | 72 => PassageMethod::Fingerprint,
            16 | 40 | 43 | 46 | 54 | 57 | 60 | 63 | 66 => PassageMethod::Multi,
            75 | 77 => PassageMethod::Face,
            104 => PassageMethod::Pin,
            156 if self.with_code_and_password => PassageMethod::Other,
            181 if self.with_code_and_password => PassageMethod::Password,
            _ => return None,
        })
    }
}
