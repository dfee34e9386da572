use core::fmt;

use chrono::NaiveDateTime;
use punch_protocol::push::{Command, CommandError, Dialect, Privilege, ReturnCode, UserRecord};
use serde::{Deserialize, Serialize};
use sha2::{Digest as _, Sha256};

/// One command of the protocol, whatever the dialect. `Debug` shows what it does, never whom it is about.
#[derive(Clone, PartialEq, Eq, Serialize, Deserialize)]
#[serde(tag = "action", rename_all = "snake_case")]
pub enum Step {
    /// Writes a person, new or known. What is `None` stays as the terminal has it.
    UpdateUser {
        /// The number that the terminal knows them by.
        badge: String,
        /// The name.
        #[serde(default, skip_serializing_if = "Option::is_none")]
        name: Option<String>,
        /// The number of the card, in decimal.
        #[serde(default, skip_serializing_if = "Option::is_none")]
        card: Option<String>,
        /// What they may do at the terminal: 0 nothing, 14 everything.
        #[serde(default, skip_serializing_if = "Option::is_none")]
        privilege: Option<u16>,
        /// Whether they are locked out.
        #[serde(default, skip_serializing_if = "Option::is_none")]
        disabled: Option<bool>,
    },
    /// Removes a person with everything that is enrolled.
    DeleteUser {
        /// The number that the terminal knows them by.
        badge: String,
    },
    /// Opens a door.
    OpenDoor {
        /// From 1.
        door: u8,
        /// How long, in seconds; attendance terminals have a time of their own.
        seconds: Option<u8>,
    },
    /// Restarts the terminal.
    Restart,
    /// Sets the clock.
    SyncTime,
    /// Has punches sent again.
    QueryPunches {
        /// From this time of the terminal's clock on.
        #[serde(with = "civil")]
        from: NaiveDateTime,
        /// To this one.
        #[serde(with = "civil")]
        to: NaiveDateTime,
    },
    /// Asks what the terminal is and holds.
    Information,
}

const ONE_DOOR: CommandError =
    CommandError::OutOfRange { key: "the door", expected: "1: attendance terminals have one door" };

impl Step {
    /// How long a door stays open if nobody says, in seconds.
    pub const DOOR_SECONDS: u8 = 5;

    pub(super) fn disabled(badge: String, disabled: bool) -> Self {
        Self::UpdateUser { badge, name: None, card: None, privilege: None, disabled: Some(disabled) }
    }

    /// The word for what it does.
    pub fn action(&self) -> &'static str {
        match self {
            Self::UpdateUser { .. } => "update_user",
            Self::DeleteUser { .. } => "delete_user",
            Self::OpenDoor { .. } => "open_door",
            Self::Restart => "restart",
            Self::SyncTime => "sync_time",
            Self::QueryPunches { .. } => "query_punches",
            Self::Information => "information",
        }
    }

    /// Whom it is about.
    pub fn badge(&self) -> Option<&str> {
        match self {
            Self::UpdateUser { badge, .. } | Self::DeleteUser { badge } => Some(badge),
            _ => None,
        }
    }

    /// Whether it must not be sent again while nobody knows if it was executed.
    pub fn is_once(&self) -> bool {
        matches!(self, Self::OpenDoor { .. } | Self::Restart)
    }

    /// What the protocol calls it. `clock` is what the terminal's clock should show.
    ///
    /// # Errors
    ///
    /// [`CommandError`] if a value cannot be written, or terminals of this dialect have no such command.
    pub fn command(&self, dialect: Dialect, clock: NaiveDateTime) -> Result<Command, CommandError> {
        let is_access = dialect == Dialect::AccessControl;
        match self {
            Self::UpdateUser { disabled: Some(_), .. } if !is_access => {
                Err(CommandError::Unsupported { command: "disabling a user", dialect: Dialect::Attendance })
            }
            Self::UpdateUser { badge, name, card, privilege, disabled } => {
                let mut user = UserRecord::new(badge)?;
                name.as_deref().map_or(Ok(()), |name| user.set_name(name))?;
                card.as_deref().map_or(Ok(()), |card| user.set_card(card))?;
                user.privilege = privilege.map(Privilege);
                user.disabled = *disabled;
                Ok(Command::update_user(user))
            }
            Self::DeleteUser { badge } => Command::delete_user(badge),
            Self::OpenDoor { door, seconds } if is_access => {
                Command::open_door(*door, seconds.unwrap_or(Self::DOOR_SECONDS))
            }
            Self::OpenDoor { door, .. } if *door != 1 => Err(ONE_DOOR),
            Self::OpenDoor { seconds: Some(_), .. } => Err(CommandError::OutOfRange {
                key: "the time a door stays open",
                expected: "none: attendance terminals have a time of their own",
            }),
            Self::OpenDoor { .. } => Command::open_door(1, Self::DOOR_SECONDS),
            Self::Restart => Ok(Command::restart()),
            Self::SyncTime if is_access => Ok(Command::set_clock(clock)),
            // They take the zone from the options, which they read anew, and the time from the `Date` of the answer.
            Self::SyncTime => Ok(Command::check()),
            Self::QueryPunches { from, to } => Ok(Command::query_punches(*from, *to)),
            Self::Information => Ok(Command::information()),
        }
    }

    /// Whether it can be done over port 4370, where everybody has one door and numbers of cards have 32 bits.
    ///
    /// # Errors
    ///
    /// [`CommandError::OutOfRange`] says what cannot.
    pub fn check_pull(&self) -> Result<(), CommandError> {
        match self {
            Self::UpdateUser { card: Some(card), .. } if !card.is_empty() && card.parse::<u32>().is_err() => {
                Err(CommandError::OutOfRange { key: "the card", expected: "a number of at most 4294967295" })
            }
            Self::OpenDoor { door, .. } if *door != 1 => Err(ONE_DOOR),
            _ => Ok(()),
        }
    }

    /// Whether this return code says that what was wanted is so: the command worked, or nobody was there to be removed.
    pub fn succeeded(&self, code: ReturnCode, dialect: Dialect) -> bool {
        let is_access = dialect == Dialect::AccessControl;
        let is_gone = code == if is_access { ReturnCode::ACC_PIN_UNKNOWN } else { ReturnCode::ATT_PIN_UNKNOWN };
        // The time does not matter: it is the kind that counts.
        let command = self.command(dialect, NaiveDateTime::default());
        (is_gone && matches!(self, Self::DeleteUser { .. }))
            || command.is_ok_and(|command| command.succeeded(code, dialect))
    }

    /// By which it is known that a terminal has a person as they should be. Of what writes nobody `None`.
    pub fn digest(&self) -> Option<String> {
        let Self::UpdateUser { .. } = self else { return None };
        let text = serde_json::to_vec(self).ok()?;
        Some(Sha256::digest(text).iter().take(16).map(|byte| format!("{byte:02x}")).collect())
    }
}

impl fmt::Debug for Step {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        write!(f, "Step({})", self.action())
    }
}

/// Times of a terminal's clock as text.
mod civil {
    use chrono::NaiveDateTime;
    use serde::de::Error as _;
    use serde::{Deserialize as _, Deserializer, Serializer};

    const FORM: &str = "%Y-%m-%dT%H:%M:%S";

    pub(super) fn serialize<S: Serializer>(time: &NaiveDateTime, serializer: S) -> Result<S::Ok, S::Error> {
        serializer.collect_str(&time.format(FORM))
    }

    pub(super) fn deserialize<'de, D: Deserializer<'de>>(deserializer: D) -> Result<NaiveDateTime, D::Error> {
        let text = String::deserialize(deserializer)?;
        NaiveDateTime::parse_from_str(&text, FORM).map_err(D::Error::custom)
    }
}
