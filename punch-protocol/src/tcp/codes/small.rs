use crate::named::named_numbers;

/// Which dataset is asked for (`FCT`).
///
/// ```
/// use punch_protocol::tcp::DatasetKind;
///
/// assert_eq!(DatasetKind(5), DatasetKind::USERS);
/// assert_eq!(DatasetKind(3).to_string(), "dataset 3");
/// ```
#[derive(Debug, Clone, Copy, PartialEq, Eq, PartialOrd, Ord, Hash)]
#[expect(clippy::exhaustive_structs, reason = "an integer with names; it never grows a field")]
pub struct DatasetKind(pub u32);

named_numbers! { DatasetKind(u32), "dataset":
    1 ATTENDANCE "attendance records"
    2 TEMPLATES "templates"
    4 OPERATIONS "operation log"
    5 USERS "users"
    6 SHORT_MESSAGES "short messages"
    7 USER_MESSAGES "short messages of users"
    8 WORK_CODES "work codes"
}

/// What a terminal is doing, in its answer to `STATE`.
///
/// ```
/// use punch_protocol::tcp::MachineState;
///
/// assert_eq!(MachineState(2).to_string(), "identifying");
/// ```
#[derive(Debug, Clone, Copy, PartialEq, Eq, PartialOrd, Ord, Hash)]
#[expect(clippy::exhaustive_structs, reason = "an integer with names; it never grows a field")]
pub struct MachineState(pub u16);

named_numbers! { MachineState(u16), "state":
    0 IDLE "idle"
    1 ENROLLING "enrolling"
    2 IDENTIFYING "identifying"
    3 MENU "in the menu"
    4 BUSY "busy"
    5 WRITING_CARD "writing a card"
}

/// How a user or a group has to verify: the group's way, or one of fifteen.
///
/// `&` joins what is asked for together, `+` what is enough alone.
///
/// ```
/// use punch_protocol::tcp::VerifyStyle;
///
/// assert_eq!(VerifyStyle(0x8d).to_string(), "PIN&FP&PW");
/// ```
#[derive(Debug, Clone, Copy, PartialEq, Eq, PartialOrd, Ord, Hash)]
#[expect(clippy::exhaustive_structs, reason = "an integer with names; it never grows a field")]
pub struct VerifyStyle(pub u8);

named_numbers! { VerifyStyle(u8), "verify style":
    0 GROUP "group"
    128 FINGER_PASSWORD_OR_CARD "FP+PW+RF"
    129 FINGER "FP"
    130 PIN "PIN"
    131 PASSWORD "PW"
    132 CARD "RF"
    133 FINGER_OR_PASSWORD "FP+PW"
    134 FINGER_OR_CARD "FP+RF"
    135 PASSWORD_OR_CARD "PW+RF"
    136 PIN_AND_FINGER "PIN&FP"
    137 FINGER_AND_PASSWORD "FP&PW"
    138 FINGER_AND_CARD "FP&RF"
    139 PASSWORD_AND_CARD "PW&RF"
    140 FINGER_AND_PASSWORD_AND_CARD "FP&PW&RF"
    141 PIN_AND_FINGER_AND_PASSWORD "PIN&FP&PW"
    142 FINGER_AND_CARD_OR_PIN "FP&RF+PIN"
}
