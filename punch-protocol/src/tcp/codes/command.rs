use crate::named::named_numbers;

/// The first word of a packet: what is asked, or how it is answered.
///
/// ```
/// use punch_protocol::tcp::Command;
///
/// assert_eq!(Command(1503), Command::PREPARE_BUFFER);
/// assert_eq!(Command(1503).to_string(), "prepare a buffer");
/// assert_eq!(Command(4711).to_string(), "command 4711");
/// ```
#[derive(Debug, Clone, Copy, PartialEq, Eq, PartialOrd, Ord, Hash)]
#[expect(clippy::exhaustive_structs, reason = "an integer with names; it never grows a field")]
pub struct Command(pub u16);

named_numbers! { Command(u16), "command":
    7 DATASET_READ "read a dataset"
    8 USER_WRITE "write a user"
    9 TEMPLATE_READ "read a template or the users"
    10 TEMPLATE_WRITE "write a template"
    11 OPTIONS_READ "read an option"
    12 OPTIONS_WRITE "write an option"
    13 ATTENDANCE_READ "read attendance records"
    14 CLEAR_DATA "clear data"
    15 CLEAR_ATTENDANCE "clear attendance records"
    18 DELETE_USER "delete a user"
    19 DELETE_TEMPLATE "delete a template"
    20 CLEAR_ADMINISTRATORS "clear administrators"
    21 USER_GROUP_READ "read a user's group"
    22 USER_GROUP_WRITE "write a user's group"
    23 USER_TIME_ZONES_READ "read a user's time zones"
    24 USER_TIME_ZONES_WRITE "write a user's time zones"
    25 GROUP_TIME_ZONES_READ "read a group's time zones"
    26 GROUP_TIME_ZONES_WRITE "write a group's time zones"
    27 TIME_ZONE_READ "read a time zone"
    28 TIME_ZONE_WRITE "write a time zone"
    29 COMBINATION_READ "read an unlock combination"
    30 COMBINATION_WRITE "write an unlock combination"
    31 UNLOCK "unlock the door"
    32 CLEAR_ACCESS "clear access settings"
    33 CLEAR_OPERATIONS "clear the operation log"
    34 OPERATIONS_READ "read the operation log"
    50 FREE_SIZES "counts and capacities"
    57 ENABLE_CLOCK "show or hide the clock"
    60 START_VERIFY "back to identifying"
    61 START_ENROLL "enrol a finger"
    62 CANCEL_CAPTURE "cancel a capture"
    64 STATE "state of the terminal"
    66 WRITE_LCD "write on the display"
    67 CLEAR_LCD "clear the display"
    69 PIN_WIDTH "width of a PIN"
    70 SMS_WRITE "write a short message"
    71 SMS_READ "read a short message"
    72 SMS_DELETE "delete a short message"
    73 USER_SMS_WRITE "give a user a short message"
    74 USER_SMS_DELETE "take a short message from a user"
    75 DOOR_STATE "state of the door"
    76 WRITE_MIFARE "write a Mifare card"
    78 EMPTY_MIFARE "empty a Mifare card"
    79 VERIFY_STYLE_WRITE "write a user's way to verify"
    80 VERIFY_STYLE_READ "read a user's way to verify"
    87 TEMPLATE_STORE "store an uploaded template"
    88 USER_TEMPLATE_READ "read a user's template"
    110 SAVE_USER_TEMPLATES "store uploaded users and templates"
    119 CHECKSUM_BUFFER "checksum of the buffer"
    134 DELETE_USER_TEMPLATE "delete a template by user id"
    201 GET_TIME "read the clock"
    202 SET_TIME "set the clock"
    500 EVENT "register for events, or an event"
    1000 CONNECT "connect"
    1001 EXIT "disconnect"
    1002 ENABLE_DEVICE "enable the terminal"
    1003 DISABLE_DEVICE "disable the terminal"
    1004 RESTART "restart"
    1005 POWER_OFF "power off"
    1006 SLEEP "sleep"
    1007 RESUME "wake up"
    1009 CAPTURE_FINGER "capture a finger"
    1011 TEST_TEMPLATE "look for a template"
    1012 CAPTURE_IMAGE "capture a picture"
    1013 REFRESH_DATA "apply changed data"
    1014 REFRESH_OPTIONS "apply changed options"
    1017 TEST_VOICE "play a voice"
    1100 VERSION "firmware version"
    1101 CHANGE_SPEED "change the speed"
    1102 AUTH "authenticate with the comm key"
    1106 AUTH_EXTENDED "authenticate after a key exchange"
    1500 PREPARE_DATA "data follows"
    1501 DATA "data"
    1502 FREE_DATA "free the buffer"
    1503 PREPARE_BUFFER "prepare a buffer"
    1504 READ_BUFFER "read from the buffer"
    1700 UPDATE_FILE "update a file"
    1702 READ_FILE "read a file"
    2000 ACK_OK "accepted"
    2001 ACK_ERROR "refused"
    2002 ACK_DATA "accepted, with data"
    2003 ACK_RETRY "try again"
    2004 ACK_REPEAT "send again"
    2005 ACK_UNAUTH "not authenticated"
    2013 PHOTO_COUNT "count photos"
    2014 PHOTO_LIST "list photos"
    2015 PHOTO_READ "read a photo"
    2016 PHOTO_DELETE "delete a photo"
    2032 ACK_LOCKED "authentication locked"
    4989 ACK_NO_BUFFER "no buffer, or not supported"
    6001 SECURE_PULL "encryption demanded"
    10004 ATTENDANCE_BY_TIME "read attendance records between two times"
    10010 USER_PHOTO "read a user's photo"
    10063 KEY_EXCHANGE "exchange public keys"
    10064 SECRET_EXCHANGE "exchange secrets"
    10065 ENCRYPT "encrypt from here on"
    65531 ACK_ERROR_DATA "data refused"
    65532 ACK_ERROR_INIT "not connected"
    65533 ACK_ERROR_COMMAND "command refused"
    65535 ACK_UNKNOWN "command unknown"
}

impl Command {
    /// Whether a terminal that answers so has done what was asked, with or without data.
    ///
    /// Numbers that nobody has named are not success.
    ///
    /// ```
    /// use punch_protocol::tcp::Command;
    ///
    /// assert!(Command::ACK_OK.is_success() && Command::ACK_DATA.is_success());
    /// assert!(!Command::ACK_RETRY.is_success() && !Command(4711).is_success());
    /// ```
    pub fn is_success(self) -> bool {
        matches!(self, Self::ACK_OK | Self::ACK_DATA)
    }

    /// Whether only answers have this number.
    pub fn is_answer(self) -> bool {
        const ANSWERS: [Command; 13] = [
            Command::ACK_OK,
            Command::ACK_ERROR,
            Command::ACK_DATA,
            Command::ACK_RETRY,
            Command::ACK_REPEAT,
            Command::ACK_UNAUTH,
            Command::ACK_LOCKED,
            Command::ACK_NO_BUFFER,
            Command::SECURE_PULL,
            Command::ACK_ERROR_DATA,
            Command::ACK_ERROR_INIT,
            Command::ACK_ERROR_COMMAND,
            Command::ACK_UNKNOWN,
        ];
        ANSWERS.contains(&self)
    }
}
