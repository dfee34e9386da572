use core::fmt;

use super::access::RecordRow;
use super::codes::{BiometricType, TemplateValidity};
use super::line::decimal;
use super::tagged::{Pairs, TaggedRow};
use crate::Pin;

/// What there is to know of a template without the template: whose, which, how long. Its bytes are not given out.
///
/// Reads the rows of every generation: `FP`, `FACE`, `FVEIN`, `PLAM`, `BIODATA`, and the records `templatev10` and
/// `biodata`. `Debug` does not show whose.
///
/// ```
/// use punch_protocol::push::{BiometricType, Row, Rows};
///
/// let body = b"templatev10 size=4\tuid=2\tpin=2\tfingerid=21\tvalid=3\ttemplate=QUJD";
/// let Some(Ok(Row::Record(row))) = Rows::of("tabledata", body).next() else { panic!() };
/// let template = row.template().expect("a template");
/// assert_eq!((template.kind(), template.number()), (Some(BiometricType::FINGERPRINT), Some(5)));
/// assert!(template.is_duress());
/// ```
#[derive(Clone, Copy)]
pub struct TemplateRow<'a> {
    pairs: Pairs<'a>,
    kind: Option<BiometricType>,
}

/// From this number on, `fingerid` of access terminals means a finger that was enrolled for duress.
const DURESS_FINGERS: u16 = 16;

impl<'a> TaggedRow<'a> {
    /// The row as a template, if it is one.
    pub fn template(&self) -> Option<TemplateRow<'a>> {
        let kind = match self.tag() {
            "FP" => Some(BiometricType::FINGERPRINT),
            "FACE" => Some(BiometricType::INFRARED_FACE),
            "FVEIN" => Some(BiometricType::FINGER_VEIN),
            // The misspelt tag of old firmware says no more than that it is a palm.
            "PLAM" | "BIODATA" => None,
            _ => return None,
        };
        Some(TemplateRow { pairs: self.pairs(), kind })
    }
}

impl<'a> RecordRow<'a> {
    /// The record as a template, if it is one.
    pub fn template(&self) -> Option<TemplateRow<'a>> {
        let is = |name: &str| self.table().is_some_and(|table| table.eq_ignore_ascii_case(name));
        let kind = is("templatev10").then_some(BiometricType::FINGERPRINT);
        (kind.is_some() || is("biodata")).then(|| TemplateRow { pairs: self.pairs(), kind })
    }
}

impl<'a> TemplateRow<'a> {
    /// Whose it is.
    pub fn pin(&self) -> Pin<'a> {
        Pin::new(self.pairs.value(&["PIN"]).unwrap_or_default())
    }

    /// What it describes; `None` if neither the table nor the row says.
    pub fn kind(&self) -> Option<BiometricType> {
        self.kind.or_else(|| self.pairs.value(&["Type"]).and_then(decimal).map(BiometricType))
    }

    /// Which finger (0 to 9), eye or palm (0 left, 1 right); 0 for a face.
    pub fn number(&self) -> Option<u16> {
        let finger = self.pairs.value(&["FingerID"]).and_then(decimal::<u16>);
        let finger = finger.map(|id| id.checked_rem(DURESS_FINGERS).unwrap_or(id));
        finger.or_else(|| self.pairs.value(&["FID", "No"]).and_then(decimal))
    }

    /// Which of several templates of the same finger, eye or face.
    pub fn index(&self) -> Option<u16> {
        self.pairs.value(&["Index"]).and_then(decimal)
    }

    /// Whether it counts.
    pub fn validity(&self) -> Option<TemplateValidity> {
        self.pairs.value(&["Valid"]).and_then(decimal).map(TemplateValidity)
    }

    /// Whether showing it raises a silent alarm.
    pub fn is_duress(&self) -> bool {
        let finger = self.pairs.value(&["FingerID"]).and_then(decimal::<u16>);
        self.validity() == Some(TemplateValidity::DURESS)
            || self.pairs.value(&["Duress"]) == Some(b"1")
            || finger.is_some_and(|id| id >= DURESS_FINGERS)
    }

    /// Version of the algorithm, major and minor: a template fits only terminals with the same.
    pub fn version(&self) -> Option<(u16, u16)> {
        let minor = self.pairs.value(&["MinorVer"]).and_then(decimal).unwrap_or(0);
        Some((self.pairs.value(&["MajorVer"]).and_then(decimal)?, minor))
    }

    /// Its length as announced, in base64 characters.
    pub fn size(&self) -> Option<u32> {
        self.pairs.value(&["Size"]).and_then(decimal)
    }
}

impl fmt::Debug for TemplateRow<'_> {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.debug_struct("TemplateRow").field("kind", &self.kind()).field("size", &self.size()).finish_non_exhaustive()
    }
}
