use crate::named::named_numbers;

/// What kind of body part a template describes (`Type` of `BIODATA`; slot of the `MultiBio…` options).
///
/// ```
/// use punch_protocol::push::BiometricType;
///
/// assert_eq!(BiometricType(9), BiometricType::VISIBLE_FACE);
/// assert_eq!(BiometricType(11).to_string(), "biometric type 11");
/// ```
#[derive(Debug, Clone, Copy, PartialEq, Eq, PartialOrd, Ord, Hash)]
#[expect(clippy::exhaustive_structs, reason = "an integer with names; it never grows a field")]
pub struct BiometricType(pub u16);

named_numbers! { BiometricType(u16), "biometric type":
    0 GENERAL "general"
    1 FINGERPRINT "fingerprint"
    2 INFRARED_FACE "near-infrared face"
    3 VOICE "voice"
    4 IRIS "iris"
    5 RETINA "retina"
    6 PALM_PRINT "palm print"
    7 FINGER_VEIN "finger vein"
    8 PALM_VEIN "palm vein"
    9 VISIBLE_FACE "visible-light face"
    10 VISIBLE_PALM "visible-light palm"
}

/// Whether a template counts (`Valid` of `FP`, `FACE`, `FVEIN`, `BIODATA` and `templatev10`).
///
/// ```
/// use punch_protocol::push::TemplateValidity;
///
/// assert_eq!(TemplateValidity(3), TemplateValidity::DURESS);
/// assert_eq!(TemplateValidity(2).to_string(), "validity 2");
/// ```
#[derive(Debug, Clone, Copy, PartialEq, Eq, PartialOrd, Ord, Hash)]
#[expect(clippy::exhaustive_structs, reason = "an integer with names; it never grows a field")]
pub struct TemplateValidity(pub u16);

named_numbers! { TemplateValidity(u16), "validity":
    0 INVALID "invalid"
    1 NORMAL "normal"
    3 DURESS "duress"
}
