use crate::named::named_numbers;

/// The attendance state a person chose with a function key (ATTLOG field 3).
///
/// The number always survives; the constants name what the manual names. Terminals whose keys are
/// switched off send [`Status::NONE`], or 0 for every punch. Keys that an operator defined send numbers of their
/// own (6 to 9 and from 100 on are on record).
///
/// ```
/// use punch_protocol::Status;
///
/// assert_eq!(Status(4), Status::OVERTIME_IN);
/// assert_eq!(Status(255).declared(), None);
/// assert_eq!(Status(99).declared(), Some(Status(99)));
/// assert_eq!(Status(99).to_string(), "state 99");
/// ```
#[derive(Debug, Clone, Copy, PartialEq, Eq, PartialOrd, Ord, Hash)]
#[expect(clippy::exhaustive_structs, reason = "an integer with names; it never grows a field")]
pub struct Status(pub u16);

named_numbers! { Status(u16), "state":
    0 CHECK_IN "check-in"
    1 CHECK_OUT "check-out"
    2 BREAK_OUT "break-out"
    3 BREAK_IN "break-in"
    4 OVERTIME_IN "overtime-in"
    5 OVERTIME_OUT "overtime-out"
    255 NONE "none"
}

impl Status {
    /// The state, unless it is [`Status::NONE`].
    pub fn declared(self) -> Option<Self> {
        (self != Self::NONE).then_some(self)
    }
}

/// How the person proved who they are (ATTLOG field 4), after the vendor manual's table.
///
/// Some black-and-white units copy an older table (0 password, 2 card); the number survives so that an
/// application can override the reading per model.
///
/// ```
/// use punch_protocol::Verify;
///
/// assert_eq!(Verify(10), Verify::CARD_AND_FINGERPRINT);
/// assert_eq!(Verify(10).to_string(), "card and fingerprint");
/// assert!(Verify(10).is_combination());
/// assert_eq!(Verify(30).to_string(), "verify 30");
/// ```
#[derive(Debug, Clone, Copy, PartialEq, Eq, PartialOrd, Ord, Hash)]
#[expect(clippy::exhaustive_structs, reason = "an integer with names; it never grows a field")]
pub struct Verify(pub u16);

named_numbers! { Verify(u16), "verify":
    0 ANY "any"
    1 FINGERPRINT "fingerprint"
    2 PIN "pin"
    3 PASSWORD "password"
    4 CARD "card"
    5 FINGERPRINT_OR_PASSWORD "fingerprint or password"
    6 FINGERPRINT_OR_CARD "fingerprint or card"
    7 CARD_OR_PASSWORD "card or password"
    8 PIN_AND_FINGERPRINT "pin and fingerprint"
    9 FINGERPRINT_AND_PASSWORD "fingerprint and password"
    10 CARD_AND_FINGERPRINT "card and fingerprint"
    11 CARD_AND_PASSWORD "card and password"
    12 FINGERPRINT_AND_PASSWORD_AND_CARD "fingerprint, password and card"
    13 PIN_AND_FINGERPRINT_AND_PASSWORD "pin, fingerprint and password"
    14 PIN_OR_CARD_AND_FINGERPRINT "pin and fingerprint, or card and fingerprint"
    15 FACE "face"
    16 FACE_AND_FINGERPRINT "face and fingerprint"
    17 FACE_AND_PASSWORD "face and password"
    18 FACE_AND_CARD "face and card"
    19 FACE_AND_FINGERPRINT_AND_CARD "face, fingerprint and card"
    20 FACE_AND_FINGERPRINT_AND_PASSWORD "face, fingerprint and password"
    21 FINGER_VEIN "finger vein"
    22 FINGER_VEIN_AND_PASSWORD "finger vein and password"
    23 FINGER_VEIN_AND_CARD "finger vein and card"
    24 FINGER_VEIN_AND_PASSWORD_AND_CARD "finger vein, password and card"
    25 PALM "palm"
    26 PALM_AND_CARD "palm and card"
    27 PALM_AND_FACE "palm and face"
    28 PALM_AND_FINGERPRINT "palm and fingerprint"
    29 PALM_AND_FINGERPRINT_AND_FACE "palm, fingerprint and face"
    200 OTHER "other"
}

impl Verify {
    /// Whether the code names a combination of methods (codes 5 to 14, 16 to 20, 22 to 24, 26 to 29).
    pub fn is_combination(self) -> bool {
        matches!(self.0, 5..=14 | 16..=20 | 22..=24 | 26..=29)
    }
}
