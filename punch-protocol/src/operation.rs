use crate::named::named_numbers;

/// What an administrator or the terminal did (first number of `OPLOG`).
///
/// 121 to 123 are about finger veins by the newer manual; an older list has palm veins there.
///
/// ```
/// use punch_protocol::push::Operation;
///
/// assert_eq!(Operation(6), Operation::FINGER_ENROLLED);
/// assert_eq!(Operation(6).to_string(), "finger enrolled");
/// assert_eq!(Operation(99).to_string(), "operation 99");
/// ```
#[derive(Debug, Clone, Copy, PartialEq, Eq, PartialOrd, Ord, Hash)]
#[expect(clippy::exhaustive_structs, reason = "an integer with names; it never grows a field")]
pub struct Operation(pub u16);

named_numbers! { Operation(u16), "operation":
    0 POWER_ON "power on"
    1 POWER_OFF "power off"
    2 VERIFICATION_FAILED "verification failed"
    3 ALARM "alarm"
    4 MENU_ENTERED "menu entered"
    5 SETTING_CHANGED "setting changed"
    6 FINGER_ENROLLED "finger enrolled"
    7 PASSWORD_ENROLLED "password enrolled"
    8 HID_CARD_ENROLLED "HID card enrolled"
    9 USER_DELETED "user deleted"
    10 FINGER_DELETED "finger deleted"
    11 PASSWORD_DELETED "password deleted"
    12 RF_CARD_DELETED "RF card deleted"
    13 DATA_CLEARED "data cleared"
    14 MF_CARD_CREATED "MF card created"
    15 MF_CARD_ENROLLED "MF card enrolled"
    16 MF_CARD_REGISTERED "MF card registered"
    17 MF_REGISTRATION_DELETED "MF card registration deleted"
    18 MF_CARD_CLEARED "MF card cleared"
    19 DATA_MOVED_TO_CARD "data moved to a card"
    20 DATA_COPIED_FROM_CARD "data of a card copied to the device"
    21 TIME_SET "time set"
    22 FACTORY_RESET "factory reset"
    23 RECORDS_DELETED "attendance records deleted"
    24 ADMINISTRATORS_CLEARED "administrator rights cleared"
    25 ACCESS_GROUP_CHANGED "access group changed"
    26 USER_ACCESS_CHANGED "access settings of a user changed"
    27 ACCESS_PERIOD_CHANGED "access time zone changed"
    28 COMBINATION_CHANGED "unlock combination changed"
    29 UNLOCKED "unlocked"
    30 USER_ADDED "user added"
    31 FINGER_CHANGED "finger attributes changed"
    32 DURESS_ALARM "duress alarm"
    33 DOOR_BELL "door bell"
    34 ANTI_PASSBACK "anti-passback"
    35 PHOTOS_DELETED "punch photos deleted"
    36 USER_CHANGED "other data of a user changed"
    37 HOLIDAY_CHANGED "holiday changed"
    38 DATA_RESTORED "data restored"
    39 DATA_BACKED_UP "data backed up"
    40 USB_UPLOAD "uploaded from USB"
    41 USB_DOWNLOAD "downloaded to USB"
    42 USB_ENCRYPTION "encryption of records on USB"
    43 RECORDS_DELETED_AFTER_USB "records deleted after the download to USB"
    53 EXIT_BUTTON "exit button"
    54 DOOR_SENSOR "door sensor"
    55 DOOR_ALARM "door alarm"
    56 PARAMETERS_RESTORED "parameters restored"
    68 USER_PHOTO_ADDED "user photo added"
    69 USER_PHOTO_CHANGED "user photo changed"
    70 USER_NAME_CHANGED "user name changed"
    71 USER_PRIVILEGE_CHANGED "user privilege changed"
    76 IP_CHANGED "IP address changed"
    77 NETMASK_CHANGED "netmask changed"
    78 GATEWAY_CHANGED "gateway changed"
    79 DNS_CHANGED "DNS changed"
    80 COMM_PASSWORD_CHANGED "communication password changed"
    81 DEVICE_ID_CHANGED "device id changed"
    82 SERVER_ADDRESS_CHANGED "cloud server address changed"
    83 SERVER_PORT_CHANGED "cloud server port changed"
    87 RECORD_SETTINGS_CHANGED "access record settings changed"
    88 FACE_FLAG_CHANGED "face flag changed"
    89 FINGER_FLAG_CHANGED "finger flag changed"
    90 FINGER_VEIN_FLAG_CHANGED "finger vein flag changed"
    91 PALM_FLAG_CHANGED "palm flag changed"
    92 USB_UPGRADE "firmware upgraded from USB"
    100 RF_CARD_CHANGED "RF card changed"
    101 FACE_ENROLLED "face enrolled"
    102 PERMISSION_CHANGED "permission of a person changed"
    103 PERMISSION_DELETED "permission deleted"
    104 PERMISSION_ADDED "permission added"
    105 ACCESS_RECORDS_DELETED "access records deleted"
    106 FACE_DELETED "face deleted"
    107 PERSON_PHOTO_DELETED "photo of a person deleted"
    108 PARAMETERS_CHANGED "parameters changed"
    109 WIFI_CHOSEN "Wi-Fi network chosen"
    110 PROXY_SWITCHED "proxy switched"
    111 PROXY_IP_CHANGED "proxy IP address changed"
    112 PROXY_PORT_CHANGED "proxy port changed"
    113 PERSON_PASSWORD_CHANGED "password of a person changed"
    114 FACE_CHANGED "face changed"
    115 OPERATOR_PASSWORD_CHANGED "operator password changed"
    116 ACCESS_RESTORED "access settings restored"
    117 OPERATOR_PASSWORD_WRONG "operator password wrong"
    118 OPERATOR_PASSWORD_LOCKED "operator password locked"
    120 LEGIC_LENGTH_CHANGED "length of Legic cards changed"
    121 FINGER_VEIN_ENROLLED "finger vein enrolled"
    122 FINGER_VEIN_CHANGED "finger vein changed"
    123 FINGER_VEIN_DELETED "finger vein deleted"
    124 PALM_ENROLLED "palm enrolled"
    125 PALM_CHANGED "palm changed"
    126 PALM_DELETED "palm deleted"
}

/// Why a terminal raised [`Operation::ALARM`]; one of the objects of that operation.
///
/// ```
/// use punch_protocol::push::AlarmReason;
///
/// assert_eq!(AlarmReason(55).to_string(), "device tampered");
/// assert_eq!(AlarmReason(1).to_string(), "alarm reason 1");
/// ```
#[derive(Debug, Clone, Copy, PartialEq, Eq, PartialOrd, Ord, Hash)]
#[expect(clippy::exhaustive_structs, reason = "an integer with names; it never grows a field")]
pub struct AlarmReason(pub u16);

named_numbers! { AlarmReason(u16), "alarm reason":
    50 DOOR_CLOSED "door closed"
    51 DOOR_OPEN "door open"
    53 EXIT_BUTTON "exit button"
    54 DOOR_BROKEN_OPEN "door broken open"
    55 TAMPERED "device tampered"
    58 REPEATED_FAILURE "verification failed repeatedly"
    65535 CANCELLED "alarm cancelled"
}
