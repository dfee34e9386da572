use core::fmt;

/// A version of the push protocol, compared part by part: `2.10.0` is newer than `2.4.2`.
///
/// Attendance terminals speak 2.x, access terminals 3.x. What both sides may use is what the lower of their
/// versions has.
///
/// ```
/// use punch_protocol::push::ProtocolVersion;
///
/// let terminal = ProtocolVersion::parse("2.4.2").expect("a version");
/// let effective = terminal.lower_of(ProtocolVersion::V2_4_1);
/// assert_eq!(effective.to_string(), "2.4.1");
/// assert!(effective.has_error_log() && !effective.has_time_offset());
/// ```
#[derive(Debug, Clone, Copy, PartialEq, Eq, PartialOrd, Ord, Hash)]
pub struct ProtocolVersion([u16; 3]);

impl ProtocolVersion {
    /// The oldest attendance version, and what a terminal speaks that announces none.
    pub const V2_2_14: Self = Self([2, 2, 14]);
    /// Attendance with identity cards.
    pub const V2_3_0: Self = Self([2, 3, 0]);
    /// Attendance with punches and photos of identity cards, and encryption by key exchange.
    pub const V2_4_0: Self = Self([2, 4, 0]);
    /// Attendance with error records.
    pub const V2_4_1: Self = Self([2, 4, 1]);
    /// Attendance with time offsets in punches.
    pub const V2_4_2: Self = Self([2, 4, 2]);
    /// The oldest access version, and what an access terminal speaks that announces none.
    pub const V3_0_1: Self = Self([3, 0, 1]);
    /// Access with encryption by key exchange.
    pub const V3_1_1: Self = Self([3, 1, 1]);
    /// Access with bit strings of verification methods, unified biometrics, temperatures and error records.
    pub const V3_1_2: Self = Self([3, 1, 2]);

    /// Reads up to three numbers between dots; missing ones are 0, and what follows the digits of a part is ignored
    /// (`3.1.2S`). `None` if it does not begin with a number.
    pub fn parse(text: &str) -> Option<Self> {
        let mut parts = text.trim().split('.').map(leading_number);
        let mut next = || parts.next().flatten();
        Some(Self([next()?, next().unwrap_or(0), next().unwrap_or(0)]))
    }

    /// The lower of the two: the version that both sides understand.
    #[must_use]
    pub fn lower_of(self, other: Self) -> Self {
        self.min(other)
    }

    /// Whether identity cards may be uploaded (`IDCARD`), and punches be encrypted with `EncryptFlag`.
    pub fn has_identity_cards(self) -> bool {
        self >= Self::V2_3_0
    }

    /// Whether both sides may agree on keys and encrypt.
    pub fn has_key_exchange(self) -> bool {
        self.reaches(Self::V2_4_0, Self::V3_1_1)
    }

    /// Whether the terminal may send error records.
    pub fn has_error_log(self) -> bool {
        self.reaches(Self::V2_4_1, Self::V3_1_2)
    }

    /// Whether punches may carry a time offset and extended data. Access versions have neither.
    pub fn has_time_offset(self) -> bool {
        !self.is_access_control() && self >= Self::V2_4_2
    }

    /// Whether verification may be a bit string, and events carry mask and temperature. Attendance versions
    /// have no bit strings.
    pub fn has_verify_styles(self) -> bool {
        self >= Self::V3_1_2
    }

    /// Whether this is a version of the access protocol.
    ///
    /// That does not make the terminal an access terminal: attendance units with a 3.x library exist.
    pub fn is_access_control(self) -> bool {
        let Self([major, ..]) = self;
        major >= 3
    }

    fn reaches(self, attendance: Self, access: Self) -> bool {
        self >= if self.is_access_control() { access } else { attendance }
    }
}

fn leading_number(part: &str) -> Option<u16> {
    let end = part.find(|c: char| !c.is_ascii_digit()).unwrap_or(part.len());
    part.get(..end)?.parse().ok()
}

impl fmt::Display for ProtocolVersion {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        let Self([major, minor, patch]) = self;
        write!(f, "{major}.{minor}.{patch}")
    }
}
