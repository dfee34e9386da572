use crate::named::named_numbers;

/// What happened at a door (`event` of `rtlog`, `eventtype` of stored transactions).
///
/// Numbers up to 255 are one table, those from 4000 on an extension of it. What the manuals do not explain keeps its
/// number and has no text.
///
/// ```
/// use punch_protocol::push::{AccessEvent, EventBand};
///
/// assert_eq!(AccessEvent(27), AccessEvent::UNREGISTERED);
/// assert_eq!(AccessEvent(27).to_string(), "unregistered person or card");
/// assert_eq!(AccessEvent(27).band(), EventBand::Abnormal);
/// assert_eq!(AccessEvent(34).merged(), AccessEvent::UNREGISTERED);
/// assert!(AccessEvent(3).is_pass() && !AccessEvent(27).is_pass());
/// assert_eq!(AccessEvent(67).to_string(), "event 67");
/// ```
#[derive(Debug, Clone, Copy, PartialEq, Eq, PartialOrd, Ord, Hash)]
#[expect(clippy::exhaustive_structs, reason = "an integer with names; it never grows a field")]
pub struct AccessEvent(pub u16);

/// How serious an [`AccessEvent`] is, by the range of its number.
#[derive(Debug, Clone, Copy, PartialEq, Eq, PartialOrd, Ord, Hash)]
#[non_exhaustive]
pub enum EventBand {
    /// 0 to 19, 200 to 253, 4000 to 4999.
    Normal,
    /// Refused or out of order: 20 to 99, 5000 to 5999.
    Abnormal,
    /// 100 to 199, and from 6000 on.
    Alarm,
    /// 254 and 255, which mark a row and report nothing.
    Marker,
    /// 256 to 3999, which no table has.
    Unassigned,
}

impl AccessEvent {
    /// How serious the event is.
    pub fn band(self) -> EventBand {
        match self.0 {
            0..=19 | 200..=253 | 4000..=4999 => EventBand::Normal,
            20..=99 | 5000..=5999 => EventBand::Abnormal,
            100..=199 | 6000.. => EventBand::Alarm,
            254 | 255 => EventBand::Marker,
            256..=3999 => EventBand::Unassigned,
        }
    }

    /// Whether the number belongs to the extended tables, from 4000 on.
    pub fn is_extended(self) -> bool {
        self.0 >= 4000
    }

    /// Whether a person passed or proved who they are: the events that make a punch.
    ///
    /// 0 to 3, 14 to 19, 203, 207, 222 and 232. Event 3 is among them because face terminals send it for an ordinary
    /// punch.
    pub fn is_pass(self) -> bool {
        matches!(self.0, 0..=3 | 14..=19 | 203 | 207 | 222 | 232)
    }

    /// The number newer firmware sends for the same thing. Older firmware splits some events by the method of
    /// verification; `SimpleEventType=1` in a registration announces the merged numbers.
    #[must_use]
    pub fn merged(self) -> Self {
        Self(match self.0 {
            14 | 17 => 0,
            16 => 1,
            18 | 19 => 2,
            15 | 203 => 3,
            31 | 50 => 20,
            35 | 49 => 21,
            32 | 51 => 26,
            30 | 34 => 27,
            33 | 53 => 29,
            48 | 52 => 40,
            number => number,
        })
    }
}

named_numbers! { AccessEvent(u16), "event":
    0 OPENED "opened by verification"
    1 VERIFIED_WHILE_OPEN "verification during the normal-open period"
    2 FIRST_USER_OPENED "opened by the first user"
    3 SEVERAL_USERS_OPENED "opened by several users; on face terminals an ordinary punch"
    4 EMERGENCY_PASSWORD "opened by the emergency password"
    5 NORMAL_OPEN_BEGAN "normal-open period began"
    6 LINKAGE "linkage triggered"
    7 ALARM_CANCELLED "alarm cancelled"
    8 REMOTELY_OPENED "opened remotely"
    9 REMOTELY_CLOSED "closed remotely"
    10 INTRADAY_OPEN_OFF "intraday normal-open switched off"
    11 INTRADAY_OPEN_ON "intraday normal-open switched on"
    12 AUX_OUTPUT_ON "auxiliary output switched on remotely"
    13 AUX_OUTPUT_OFF "auxiliary output switched off remotely"
    14 FINGER_OPENED "opened by finger"
    15 SEVERAL_FINGERS_OPENED "opened by several users with fingers"
    16 FINGER_WHILE_OPEN "finger during the normal-open period"
    17 CARD_AND_FINGER_OPENED "opened by card and finger"
    18 FIRST_FINGER_OPENED "opened by the first user with a finger"
    19 FIRST_CARD_AND_FINGER_OPENED "opened by the first user with card and finger"
    20 INTERVAL_TOO_SHORT "interval between verifications too short"
    21 DOOR_INACTIVE "verification while the door is inactive"
    22 WRONG_TIME "user not allowed at this time"
    23 NO_PERMISSION "no permission"
    24 ANTI_PASSBACK "anti-passback"
    25 INTERLOCK "interlock"
    26 WAITING_FOR_NEXT_USER "several users needed, waiting for the next"
    27 UNREGISTERED "unregistered person or card"
    28 DOOR_OPEN_TOO_LONG "door open for too long"
    29 EXPIRED "validity expired"
    30 UNREGISTERED_30 "unregistered, or wrong password on some lists"
    31 FINGER_INTERVAL_TOO_SHORT "interval between fingers too short"
    32 FINGER_WAITING_FOR_NEXT_USER "several users needed with fingers, waiting for the next"
    33 FINGER_EXPIRED "validity of the finger expired"
    34 FINGER_UNREGISTERED "unregistered finger"
    35 FINGER_DOOR_INACTIVE "finger while the door is inactive"
    36 EXIT_BUTTON_INACTIVE "exit button while the door is inactive"
    37 CANNOT_CLOSE "cannot close during the normal-open period"
    38 CARD_LOST "card reported lost"
    39 BLACKLISTED "blacklisted"
    40 SEVERAL_USERS_FAILED "verification of several users failed"
    41 WRONG_VERIFICATION_MODE "wrong verification mode"
    42 WIEGAND_FORMAT "Wiegand format error"
    43 WATCHED_USER "watched user"
    44 BACKGROUND_FAILED "background verification failed"
    45 BACKGROUND_TIMED_OUT "background verification timed out"
    47 COMMAND_NOT_SENT "sending a command failed"
    48 SEVERAL_USERS_FAILED_48 "verification of several users failed (older number)"
    49 DOOR_INACTIVE_49 "verification while the door is inactive (older number)"
    50 INTERVAL_TOO_SHORT_50 "interval between verifications too short (older number)"
    51 WAITING_FOR_NEXT_USER_51 "several users needed, waiting for the next (older number)"
    52 SEVERAL_USERS_FAILED_52 "verification of several users failed (older number)"
    53 EXPIRED_53 "validity expired (older number)"
    54 BATTERY_54 "battery warning (54)"
    55 BATTERY_55 "battery warning (55)"
    56 UNAUTHORISED_OPERATION "unauthorised operation"
    57 BACKUP_POWER "backup power"
    58 NORMAL_OPEN_ALARM "normal-open alarm"
    59 ILLEGAL_ADMINISTRATOR "illegal administrator"
    60 LOCKED_FROM_INSIDE "locked from inside"
    61 REPEATED_VERIFICATION "repeated verification"
    62 FORBIDDEN_USER "forbidden user"
    63 DOOR_LOCKED "door locked"
    64 EXIT_BUTTON_OUTSIDE_PERIOD "exit button outside its period"
    65 AUX_INPUT_OUTSIDE_PERIOD "auxiliary input outside its period"
    66 READER_UPGRADE_FAILED "upgrade of a reader failed"
    68 BODY_TEMPERATURE_HIGH "body temperature too high"
    69 NO_MASK "no mask"
    70 FACE_SERVER_70 "trouble with the face server (70)"
    71 FACE_SERVER_71 "trouble with the face server (71)"
    72 CALL_NOT_ANSWERED "call not answered"
    73 QR_INVALID "QR code invalid"
    74 QR_EXPIRED "QR code expired"
    75 COMBINED_TIMED_OUT "combined verification timed out"
    100 TAMPER "tamper alarm"
    101 DURESS_PASSWORD "duress password"
    102 DOOR_FORCED "door forced open"
    103 DURESS_FINGER "duress finger"
    104 INVALID_CARD_REPEATED "invalid card shown repeatedly"
    105 SERVER_UNREACHABLE "server unreachable"
    106 MAINS_FAILED "mains failure"
    107 BATTERY_FAILED "battery failure"
    108 CONTROLLER_UNREACHABLE "controller unreachable"
    109 READER_REMOVED "reader removed"
    110 READER_OFFLINE "reader offline"
    111 POE "power over Ethernet alarm"
    112 EXPANSION_BOARD "expansion board alarm"
    200 DOOR_OPENED "door opened correctly"
    201 DOOR_CLOSED "door closed correctly"
    202 EXIT_BUTTON_OPENED "opened by the exit button"
    203 SEVERAL_USERS_OPENED_203 "opened by several users with card and finger"
    204 NORMAL_OPEN_ENDED "normal-open period ended"
    205 REMOTE_NORMAL_OPEN "set to normal-open remotely"
    206 DEVICE_STARTED "device started"
    207 PASSWORD_OPENED "opened by password"
    208 SUPER_USER_OPENED "opened by a super user"
    209 EXIT_BUTTON_WHILE_LOCKED "exit button pressed while locked"
    210 FIRE_ALARM_OPENED "opened by the fire alarm"
    211 SUPER_USER_CLOSED "closed by a super user"
    214 SERVER_CONNECTED "connected to the server"
    218 IDENTITY_CARD_PASSED "passed with an identity card"
    220 AUX_INPUT_CUT "auxiliary input cut"
    221 AUX_INPUT_SHORT "auxiliary input short-circuited"
    222 BACKGROUND_PASSED "background verification passed"
    223 BACKGROUND_VERIFICATION "background verification"
    224 DOOR_BELL "door bell"
    225 AUX_INPUT_NORMAL "auxiliary input normal"
    226 AUX_INPUT_TRIGGERED "auxiliary input triggered"
    227 EMERGENCY_DOUBLE_OPEN "emergency double open"
    228 EMERGENCY_DOUBLE_CLOSE "emergency double close"
    229 AUX_OUTPUT_SCHEDULED_ON "auxiliary output switched on by schedule"
    230 AUX_OUTPUT_SCHEDULED_OFF "auxiliary output switched off by schedule"
    231 IPC_LINKAGE "camera linkage triggered"
    232 VERIFIED "verification passed, no door"
    233 REMOTELY_LOCKED "locked remotely"
    234 REMOTELY_UNLOCKED "unlocked remotely"
    239 VIDEO_CALL_239 "video call (239)"
    240 VIDEO_CALL_240 "video call (240)"
    243 FIRE_LINE_243 "fire line (243)"
    244 FIRE_LINE_244 "fire line (244)"
    254 EXTENDED_MARKER "marks an extended event"
    255 DOOR_STATE_MARKER "marks a door state"
    groups:
    114 to 121 "line short or cut"
    132 to 134 "lift control"
    150 to 155 "lift control"
    212 to 213 "lift"
    235 to 237 "reader"
    245 to 248 "network changed"
    249 to 252 "lift"
    4000 to 4013 "extended event"
    5000 to 5016 "extended abnormal event"
    6000 to 6010 "extended alarm"
}
