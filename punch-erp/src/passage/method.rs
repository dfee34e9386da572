use punch_normalize::Method;
use punch_protocol::Verify;

/// How an access system recognised somebody, in its own words.
///
/// ```
/// use punch_erp::passage::PassageMethod;
/// use punch_normalize::Method;
///
/// assert_eq!(PassageMethod::CardAndPin.as_str(), "card+pin");
/// assert_eq!(PassageMethod::CardAndPin.method(), Method::Multi);
/// ```
#[derive(Debug, Clone, Copy, PartialEq, Eq, PartialOrd, Ord)]
#[non_exhaustive]
pub enum PassageMethod {
    /// A face.
    Face,
    /// A finger.
    Fingerprint,
    /// A card.
    Card,
    /// A card and a password.
    CardAndPin,
    /// Several of them.
    Multi,
    /// An employee number and a password.
    Pin,
    /// A password.
    Password,
    /// Something else: a code shown on a telephone, a turnstile.
    Other,
}

impl PassageMethod {
    /// One word: `face`, `fingerprint`, `card`, `card+pin`, `multi`, `pin`, `password`, `other`.
    pub fn as_str(self) -> &'static str {
        match self {
            Self::Face => "face",
            Self::Fingerprint => "fingerprint",
            Self::Card => "card",
            Self::CardAndPin => "card+pin",
            Self::Multi => "multi",
            Self::Pin => "pin",
            Self::Password => "password",
            Self::Other => "other",
        }
    }

    /// The word of the event contract that comes closest.
    pub fn method(self) -> Method {
        match self {
            Self::Face => Method::Face,
            Self::Fingerprint => Method::Fingerprint,
            Self::Card => Method::Card,
            Self::CardAndPin | Self::Multi => Method::Multi,
            Self::Pin => Method::Pin,
            Self::Password => Method::Password,
            Self::Other => Method::Unknown,
        }
    }

    /// The code that a ZKTeco terminal has for it. There is none for several methods that are not named.
    pub fn verify(self) -> Option<Verify> {
        match self {
            Self::Face => Some(Verify::FACE),
            Self::Fingerprint => Some(Verify::FINGERPRINT),
            Self::Card => Some(Verify::CARD),
            Self::CardAndPin => Some(Verify::CARD_AND_PASSWORD),
            Self::Pin => Some(Verify::PIN),
            Self::Password => Some(Verify::PASSWORD),
            Self::Multi | Self::Other => None,
        }
    }
}
