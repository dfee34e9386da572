use crate::named::named_numbers;

/// Something an access terminal can do: a position of `AccSupportFunList` in its registration, from 0.
///
/// Positions 8 to 27 are in the manual and mean nothing to this crate.
///
/// ```
/// use punch_protocol::push::AccessFunction;
///
/// assert_eq!(AccessFunction(35).to_string(), "QR command");
/// assert_eq!(AccessFunction(53).to_string(), "lift (function 53)");
/// assert_eq!(AccessFunction(9).to_string(), "function 9");
/// ```
#[derive(Debug, Clone, Copy, PartialEq, Eq, PartialOrd, Ord, Hash)]
#[expect(clippy::exhaustive_structs, reason = "an integer with names; it never grows a field")]
pub struct AccessFunction(pub u16);

named_numbers! { AccessFunction(u16), "function":
    0 READER_OFF "reader off"
    1 RS485_ENCRYPTION "RS-485 encryption"
    2 LOCK_DOOR "lock door"
    3 EMERGENCY_DOUBLE "emergency double open and close"
    4 WIEGAND_LED "Wiegand LED"
    5 LONG_NAMES "long names"
    6 WIEGAND_SITE_CODE "Wiegand site code"
    7 SEVERAL_CARDS "several cards per user"
    28 DUAL_NETWORK "dual network interface"
    29 AUTHORISE_TABLE "authorise table"
    30 IDENTITY_REGISTRATION "identity registration"
    31 MASTER_SLAVE "master and slave switch"
    32 MIXED_READERS "mixed readers"
    33 WIEGAND_BITS "Wiegand bit operations"
    34 DESFIRE "DESFire"
    35 QR_COMMAND "QR command"
    36 ADVERTISING "advertising"
    37 INDOOR_UNIT "indoor unit"
    38 PHOTO_COMPARISON "photo upload and comparison"
    39 VISIBLE_LIGHT_TEMPLATE "visible-light template"
    40 REMOTE_ENROLMENT "remote enrolment"
    41 RESULT_FORMAT "result format"
    42 VERIFICATION_SERVER "verification server"
    43 RESOURCE_FILES "resource files"
    44 AI_DEVICE "AI device"
    48 SUPER_USER_WHEN_LOCKED "super user when locked"
    49 OSDP "OSDP"
    50 WATCHED_USER "watched user"
    51 FULL_DISPLAY "full display"
    57 VOICE "voice"
    groups:
    45 to 47 "expansion board"
    52 to 56 "lift"
}

/// The value of `AccSupportFunList`: character `n`, from the left, is 1 if the terminal has function `n`.
///
/// ```
/// use punch_protocol::push::{AccessFunction, AccessFunctions};
///
/// let functions = AccessFunctions("0101010000111000000111010100011010");
/// assert!(functions.has(AccessFunction::RS485_ENCRYPTION) && !functions.has(AccessFunction::LOCK_DOOR));
/// assert_eq!(functions.iter().last(), Some(AccessFunction::MIXED_READERS));
/// ```
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
#[expect(clippy::exhaustive_structs, reason = "a text with a meaning; it never grows a field")]
pub struct AccessFunctions<'a>(pub &'a str);

impl AccessFunctions<'_> {
    /// Whether the terminal has `function`. A list that ends before it says no.
    pub fn has(&self, function: AccessFunction) -> bool {
        self.0.as_bytes().get(usize::from(function.0)) == Some(&b'1')
    }

    /// The functions the terminal has, ascending.
    pub fn iter(&self) -> impl Iterator<Item = AccessFunction> {
        let on = |(at, byte)| (byte == b'1').then_some(AccessFunction(at));
        (0..=u16::MAX).zip(self.0.bytes()).filter_map(on)
    }
}
