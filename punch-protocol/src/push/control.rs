use core::fmt;

use super::query::hex_pair;

/// `CONTROL DEVICE AABBCCDD[EE]`: what an access terminal has to do at once, as hex pairs without blanks.
///
/// The first byte is the action; what the others mean depends on it. The manual prints actions above 9 in
/// decimal, its examples in hex; hex is right.
///
/// ```
/// use punch_protocol::push::{ControlAction, ControlDevice, Output, OutputTime};
///
/// let control = ControlDevice::parse("01010105").expect("hex pairs");
/// assert_eq!((control.action, control.door()), (ControlAction::OUTPUT, Some(1)));
/// assert_eq!(control.output(), Some((Output::LOCK, OutputTime::Seconds(5))));
/// assert_eq!(control.to_string(), "01010105");
/// ```
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
#[non_exhaustive]
pub struct ControlDevice {
    /// What to do.
    pub action: ControlAction,
    /// The bytes behind the action: `BB`, `CC`, `DD`, `EE`; what is not written is `None`.
    pub arguments: [Option<u8>; 4],
}

/// The action byte of a [`ControlDevice`].
#[derive(Debug, Clone, Copy, PartialEq, Eq, PartialOrd, Ord, Hash)]
#[expect(clippy::exhaustive_structs, reason = "an integer with names; it never grows a field")]
pub struct ControlAction(pub u8);

impl ControlAction {
    /// Switch a lock or an auxiliary output.
    pub const OUTPUT: Self = Self(0x01);
    /// Cancel alarms.
    pub const CANCEL_ALARM: Self = Self(0x02);
    /// Restart the terminal.
    pub const REBOOT: Self = Self(0x03);
    /// Switch the normal-open rule of a door.
    pub const NORMAL_OPEN: Self = Self(0x04);
    /// Battery.
    pub const BATTERY: Self = Self(0x05);
    /// Lock or unlock a door.
    pub const LOCK_DOOR: Self = Self(0x06);
    /// Open or close every door, in an emergency.
    pub const EMERGENCY: Self = Self(0x07);
    /// Zigbee.
    pub const ZIGBEE: Self = Self(0x08);
    /// Wiegand test.
    pub const WIEGAND_TEST: Self = Self(0x09);
    /// RS-485 light.
    pub const RS485_LIGHT: Self = Self(0x0a);
    /// Change of the network interface.
    pub const NETWORK_SWITCH: Self = Self(0x0b);
    /// Registration of an identity card.
    pub const IDENTITY_CARD: Self = Self(0x0c);
    /// State of a sub-device.
    pub const SUB_DEVICE_STATE: Self = Self(0x0d);
    /// Network test.
    pub const NETWORK_TEST: Self = Self(0x0e);
    /// End of a lift emergency.
    pub const LIFT_EMERGENCY_END: Self = Self(0x0f);
    /// Reset of counters.
    pub const RESET_COUNTERS: Self = Self(0x10);

    const NAMES: [(Self, &'static str); 16] = [
        (Self::OUTPUT, "output"),
        (Self::CANCEL_ALARM, "cancel alarm"),
        (Self::REBOOT, "reboot"),
        (Self::NORMAL_OPEN, "normal open"),
        (Self::BATTERY, "battery"),
        (Self::LOCK_DOOR, "lock door"),
        (Self::EMERGENCY, "emergency"),
        (Self::ZIGBEE, "zigbee"),
        (Self::WIEGAND_TEST, "wiegand test"),
        (Self::RS485_LIGHT, "rs485 light"),
        (Self::NETWORK_SWITCH, "network switch"),
        (Self::IDENTITY_CARD, "identity card"),
        (Self::SUB_DEVICE_STATE, "sub-device state"),
        (Self::NETWORK_TEST, "network test"),
        (Self::LIFT_EMERGENCY_END, "lift emergency end"),
        (Self::RESET_COUNTERS, "reset counters"),
    ];
}

impl fmt::Display for ControlAction {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        match Self::NAMES.into_iter().find(|(action, _)| action == self) {
            Some((_, name)) => f.write_str(name),
            None => write!(f, "action {:02X}", self.0),
        }
    }
}

/// Which output [`ControlAction::OUTPUT`] switches.
#[derive(Debug, Clone, Copy, PartialEq, Eq, PartialOrd, Ord, Hash)]
#[expect(clippy::exhaustive_structs, reason = "an integer with names; it never grows a field")]
pub struct Output(pub u8);

impl Output {
    /// The lock of the door.
    pub const LOCK: Self = Self(1);
    /// The auxiliary output.
    pub const AUX: Self = Self(2);
}

impl fmt::Display for Output {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        match *self {
            Self::LOCK => f.write_str("lock"),
            Self::AUX => f.write_str("aux"),
            Self(other) => write!(f, "output {other}"),
        }
    }
}

/// How long an output stays on.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
#[non_exhaustive]
pub enum OutputTime {
    /// `00`: off.
    Off,
    /// `01` to `FE`: so many seconds.
    Seconds(u8),
    /// `FF`: until it is switched off.
    Open,
}

impl ControlDevice {
    /// An action with its first three arguments.
    pub(super) fn new(action: ControlAction, arguments: [u8; 3]) -> Self {
        let [second, third, fourth] = arguments.map(Some);
        Self { action, arguments: [second, third, fourth, None] }
    }

    /// Reads two to five hex pairs; `None` for anything else.
    pub fn parse(text: &str) -> Option<Self> {
        let digits = text.trim().as_bytes();
        if !(2..=10).contains(&digits.len()) {
            return None;
        }
        let mut bytes = digits.chunks(2).map(hex_pair);
        let action = ControlAction(bytes.next()??);
        let mut arguments = [None; 4];
        for (argument, byte) in arguments.iter_mut().zip(bytes) {
            *argument = Some(byte?);
        }
        Some(Self { action, arguments })
    }

    /// The door or output meant, from 1; 0 means all. `None` for actions that name none.
    pub fn door(&self) -> Option<u8> {
        let [door, ..] = self.arguments;
        let about_a_door = matches!(
            self.action,
            ControlAction::OUTPUT | ControlAction::CANCEL_ALARM | ControlAction::NORMAL_OPEN | ControlAction::LOCK_DOOR
        );
        door.filter(|_| about_a_door)
    }

    /// What is switched and for how long, for [`ControlAction::OUTPUT`].
    pub fn output(&self) -> Option<(Output, OutputTime)> {
        let [_, output, time, _] = self.arguments;
        let time = match time? {
            0 => OutputTime::Off,
            0xff => OutputTime::Open,
            seconds => OutputTime::Seconds(seconds),
        };
        (self.action == ControlAction::OUTPUT).then_some((Output(output?), time))
    }
}

impl fmt::Display for ControlDevice {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        write!(f, "{:02X}", self.action.0)?;
        self.arguments.iter().map_while(|argument| *argument).try_for_each(|byte| write!(f, "{byte:02X}"))
    }
}
