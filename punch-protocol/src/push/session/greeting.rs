use alloc::format;
use alloc::string::String;

use chrono::{DateTime, Utc};

use super::super::codes::ProtocolVersion;
use super::super::configuration::ConfigurationBlock;
use super::super::handshake::{Dialect, Handshake};
use super::super::options::OptionBlock;
use super::super::response::Response;
use super::super::terminal_options::TerminalOptions;
use super::Session;
use crate::SerialNumber;

/// Versions without encryption, for terminals that would use it.
const ATTENDANCE_PLAIN: ProtocolVersion = ProtocolVersion::V2_3_0;
const ACCESS_PLAIN: ProtocolVersion = ProtocolVersion::V3_0_1;

/// Polls are spread by up to a tenth of their delay.
pub(super) const DELAY_PARTS: u32 = 10;

impl Session {
    /// Begins a connection epoch: what the terminal is, and what it is told.
    pub(super) fn shake_hands(&mut self, handshake: &Handshake, now: DateTime<Utc>) -> Response {
        let key_matches = |key: &super::CommKey| key.matches(handshake.comm_key.as_deref());
        self.key_shown = self.settings.comm_key.as_ref().is_none_or(key_matches);
        if !self.key_shown {
            return Response::retry_later();
        }
        self.wants_handshake = false;
        self.dialect = Some(handshake.dialect());
        self.version.clone_from(&handshake.push_version);
        self.commands.reconnected();
        match handshake.dialect() {
            Dialect::Attendance => {
                self.clock_told_at = Some(now);
                Response::text(format!("{}", self.option_block()))
            }
            Dialect::AccessControl if self.registered => {
                let code = registration_code(&self.serial);
                Response::text(format!("registry=ok\nRegistryCode={code}\n{}", self.configuration()))
            }
            // Two bytes make an access terminal register. Only such terminals announce 3.x and no type.
            Dialect::AccessControl | Dialect::Undecided => Response::idle(),
        }
    }

    pub(super) fn register(&mut self, options: &TerminalOptions<'_>) -> Response {
        self.registered = true;
        self.verification_styles = options.value("NewVFStyles").map(alloc::borrow::Cow::into_owned);
        Response::text(format!("RegistryCode={}", registration_code(&self.serial)))
    }

    pub(super) fn configure(&mut self) -> Response {
        Response::text(format!("{}", self.configuration()))
    }

    fn option_block(&self) -> OptionBlock {
        let mut block = OptionBlock::new(self.serial.clone(), self.version.as_deref().unwrap_or_default());
        if self.settings.declines_encryption {
            block.version = block.version.lower_of(ATTENDANCE_PLAIN);
        }
        block.time_zone = self.settings.time_zone;
        block.delay = spread(&self.serial, self.settings.delay, DELAY_PARTS);
        block.error_delay = spread(&self.serial, self.settings.error_delay, 2);
        block.stamps.clone_from(&self.settings.stamps);
        block
    }

    fn configuration(&self) -> ConfigurationBlock {
        let server = if self.settings.declines_encryption { ACCESS_PLAIN } else { ConfigurationBlock::SERVER_VERSION };
        let announced = self.version.as_deref().and_then(ProtocolVersion::parse);
        let version = announced.unwrap_or(ProtocolVersion::V3_0_1).lower_of(server);
        let mut block = ConfigurationBlock::new(&session_id(&self.serial), version);
        block.request_delay = spread(&self.serial, self.settings.delay, DELAY_PARTS);
        block.error_delay = spread(&self.serial, self.settings.error_delay, 2);
        block.verification_styles.clone_from(&self.verification_styles);
        block
    }
}

/// What a terminal registers under. It proves nothing to us, so it may follow from the serial: how terminals mix it
/// into their token is not public.
fn registration_code(serial: &SerialNumber) -> String {
    format!("{:016x}", hash(serial, 0))
}

fn session_id(serial: &SerialNumber) -> String {
    format!("{:016X}{:016X}", hash(serial, 1), hash(serial, 2))
}

/// Adds up to one part in `parts` to `seconds`, always the same for one serial.
pub(super) fn spread(serial: &SerialNumber, seconds: u32, parts: u32) -> u32 {
    let room = seconds.checked_div(parts).unwrap_or(0).saturating_add(1);
    let share = hash(serial, 0).checked_rem(room.into()).unwrap_or(0);
    seconds.saturating_add(u32::try_from(share).unwrap_or(0))
}

/// FNV-1a: any even spread will do, and this one is the same on every machine.
fn hash(serial: &SerialNumber, salt: u64) -> u64 {
    let mix = |hash: u64, byte: u8| (hash ^ u64::from(byte)).wrapping_mul(0x0000_0100_0000_01b3);
    serial.as_str().bytes().fold(0xcbf2_9ce4_8422_2325 ^ salt, mix)
}
