use super::super::codes::Command;

/// What a request's answer may look like beside a plain acknowledgement or a refusal.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
#[non_exhaustive]
pub enum AnswerForm {
    /// An acknowledgement, with data if the request asks for some.
    Plain,
    /// A dataset: `DATA` at once, or `PREPARE_DATA`, `DATA` in pieces and an acknowledgement.
    Bulk,
    /// The dataset at once, as [`AnswerForm::Bulk`], or an acknowledgement that says how long it is.
    Buffer,
    /// Often none: the terminal goes down, and a closed connection is success.
    Silence,
}

/// Whether a request whose answer did not come may be sent again.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
#[non_exhaustive]
pub enum Repetition {
    /// Twice is as good as once.
    Harmless,
    /// Never by itself: it opens a door, restarts, deletes or disturbs somebody, and may have done so already.
    Never,
}

impl Command {
    /// What the answer to this request may look like.
    pub fn answer_form(self) -> AnswerForm {
        match self {
            Self::DATASET_READ
            | Self::TEMPLATE_READ
            | Self::ATTENDANCE_READ
            | Self::OPERATIONS_READ
            | Self::ATTENDANCE_BY_TIME
            | Self::USER_TEMPLATE_READ
            | Self::CAPTURE_FINGER
            | Self::CAPTURE_IMAGE
            | Self::USER_PHOTO
            | Self::READ_BUFFER => AnswerForm::Bulk,
            Self::PREPARE_BUFFER => AnswerForm::Buffer,
            Self::RESTART | Self::POWER_OFF | Self::SLEEP | Self::EXIT => AnswerForm::Silence,
            _ => AnswerForm::Plain,
        }
    }

    /// Whether this request may be sent again if its answer does not come. Numbers that nobody has named may not.
    ///
    /// ```
    /// use punch_protocol::tcp::{Command, Repetition};
    ///
    /// assert_eq!(Command::READ_BUFFER.repetition(), Repetition::Harmless);
    /// assert_eq!(Command::UNLOCK.repetition(), Repetition::Never);
    /// assert_eq!(Command(4711).repetition(), Repetition::Never);
    /// ```
    pub fn repetition(self) -> Repetition {
        const HARMLESS: [Command; 37] = [
            Command::DATASET_READ,
            Command::USER_WRITE,
            Command::TEMPLATE_READ,
            Command::OPTIONS_READ,
            Command::OPTIONS_WRITE,
            Command::ATTENDANCE_READ,
            Command::USER_GROUP_READ,
            Command::USER_GROUP_WRITE,
            Command::USER_TIME_ZONES_READ,
            Command::USER_TIME_ZONES_WRITE,
            Command::GROUP_TIME_ZONES_READ,
            Command::GROUP_TIME_ZONES_WRITE,
            Command::TIME_ZONE_READ,
            Command::TIME_ZONE_WRITE,
            Command::COMBINATION_READ,
            Command::COMBINATION_WRITE,
            Command::OPERATIONS_READ,
            Command::FREE_SIZES,
            Command::STATE,
            Command::PIN_WIDTH,
            Command::DOOR_STATE,
            Command::VERIFY_STYLE_READ,
            Command::VERIFY_STYLE_WRITE,
            Command::GET_TIME,
            Command::EVENT,
            Command::CONNECT,
            Command::EXIT,
            Command::ENABLE_DEVICE,
            Command::DISABLE_DEVICE,
            Command::REFRESH_DATA,
            Command::REFRESH_OPTIONS,
            Command::VERSION,
            Command::AUTH,
            Command::AUTH_EXTENDED,
            Command::FREE_DATA,
            Command::PREPARE_BUFFER,
            Command::READ_BUFFER,
        ];
        if HARMLESS.contains(&self) { Repetition::Harmless } else { Repetition::Never }
    }
}
