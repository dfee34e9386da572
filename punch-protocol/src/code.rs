use core::fmt;

/// The attendance state a person chose with a function key (ATTLOG field 3).
///
/// The number always survives; the constants name what the manual names. Terminals whose keys are
/// switched off send [`Status::NONE`], or 0 for every punch.
///
/// ```
/// use punch_protocol::Status;
///
/// assert_eq!(Status(4), Status::OVERTIME_IN);
/// assert_eq!(Status(255).declared(), None);
/// assert_eq!(Status(99).declared(), Some(Status(99)));
/// ```
#[derive(Debug, Clone, Copy, PartialEq, Eq, PartialOrd, Ord, Hash)]
#[expect(clippy::exhaustive_structs, reason = "an integer with names; it never grows a field")]
pub struct Status(pub u16);

impl Status {
    /// Check-in.
    pub const CHECK_IN: Self = Self(0);
    /// Check-out.
    pub const CHECK_OUT: Self = Self(1);
    /// Leaving for a break.
    pub const BREAK_OUT: Self = Self(2);
    /// Back from a break.
    pub const BREAK_IN: Self = Self(3);
    /// Start of overtime.
    pub const OVERTIME_IN: Self = Self(4);
    /// End of overtime.
    pub const OVERTIME_OUT: Self = Self(5);
    /// No state was chosen.
    pub const NONE: Self = Self(255);

    /// The state, unless it is [`Status::NONE`].
    pub fn declared(self) -> Option<Self> {
        (self != Self::NONE).then_some(self)
    }
}

impl fmt::Display for Status {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        let name = match *self {
            Self::CHECK_IN => "check-in",
            Self::CHECK_OUT => "check-out",
            Self::BREAK_OUT => "break-out",
            Self::BREAK_IN => "break-in",
            Self::OVERTIME_IN => "overtime-in",
            Self::OVERTIME_OUT => "overtime-out",
            Self::NONE => "none",
            Self(other) => return write!(f, "state {other}"),
        };
        f.write_str(name)
    }
}

/// How the person proved who they are (ATTLOG field 4), after the vendor manual's table.
///
/// Some black-and-white units copy an older table (0 password, 2 card); the number survives so that an
/// application can override the reading per model.
#[derive(Debug, Clone, Copy, PartialEq, Eq, PartialOrd, Ord, Hash)]
#[expect(clippy::exhaustive_structs, reason = "an integer with names; it never grows a field")]
pub struct Verify(pub u16);

impl Verify {
    /// Whatever the person is enrolled with.
    pub const ANY: Self = Self(0);
    /// Fingerprint.
    pub const FINGERPRINT: Self = Self(1);
    /// PIN alone.
    pub const PIN: Self = Self(2);
    /// Password.
    pub const PASSWORD: Self = Self(3);
    /// Card.
    pub const CARD: Self = Self(4);
    /// Face.
    pub const FACE: Self = Self(15);
    /// Finger vein.
    pub const FINGER_VEIN: Self = Self(21);
    /// Palm.
    pub const PALM: Self = Self(25);
    /// Not a verification, or one the manual does not name.
    pub const OTHER: Self = Self(200);

    /// Whether the code names a combination of methods (codes 5 to 14, 16 to 20, 22 to 24, 26 to 29).
    pub fn is_combination(self) -> bool {
        matches!(self.0, 5..=14 | 16..=20 | 22..=24 | 26..=29)
    }
}

impl fmt::Display for Verify {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        let name = match *self {
            Self::ANY => "any",
            Self::FINGERPRINT => "fingerprint",
            Self::PIN => "pin",
            Self::PASSWORD => "password",
            Self::CARD => "card",
            Self::FACE => "face",
            Self::FINGER_VEIN => "finger vein",
            Self::PALM => "palm",
            Self::OTHER => "other",
            Self(other) => return write!(f, "verify {other}"),
        };
        f.write_str(name)
    }
}
