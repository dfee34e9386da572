use core::fmt;

use super::codes::ProtocolVersion;
use super::configuration::NO_BIOMETRICS;
use super::session::Stamps;
use super::time_zone::TimeZoneMinutes;
use super::upload::Table;
use crate::SerialNumber;

/// The option block: a server's answer to the handshake of an attendance terminal.
///
/// Written as every firmware on record can read it: one `key=value` a line, every line terminated (an
/// unterminated last line is ignored by firmware), both spellings of each stamp, TABs inside `TransFlag`.
/// It asks for punches and the operation log, and for nothing biometric.
///
/// ```
/// use punch_protocol::SerialNumber;
/// use punch_protocol::push::{OptionBlock, TimeZoneMinutes};
///
/// let mut block = OptionBlock::new(SerialNumber::parse("CEZU202360241")?, "2.4.0");
/// block.time_zone = TimeZoneMinutes::new(330)?;
/// let text = block.to_string();
/// assert!(text.starts_with("GET OPTION FROM: CEZU202360241\n"));
/// assert!(text.contains("\nTimeZone=330\n") && text.ends_with('\n'));
/// # Ok::<(), Box<dyn std::error::Error>>(())
/// ```
#[derive(Debug, Clone, PartialEq, Eq)]
#[non_exhaustive]
pub struct OptionBlock {
    /// The terminal addressed.
    pub serial: SerialNumber,
    /// Protocol version: the lower of the terminal's and [`OptionBlock::SERVER_VERSION`].
    pub version: ProtocolVersion,
    /// Resume marks; a table without one is asked for from the beginning.
    pub stamps: Stamps,
    /// Seconds to wait after any failure, 30 to 300.
    pub error_delay: u32,
    /// Seconds between idle polls, 2 to 60 by the document; larger values are honoured too.
    pub delay: u32,
    /// The offset the terminal adds to the `Date` header to set its clock.
    pub time_zone: TimeZoneMinutes,
    /// Largest body the terminal should post, in bytes.
    pub max_post_size: u32,
}

impl OptionBlock {
    /// The newest protocol version offered; with it terminals still talk in the clear.
    pub const SERVER_VERSION: ProtocolVersion = ProtocolVersion::V2_4_1;

    /// A block with the defaults: everything from memory, 60 s after failures, 30 s between polls, UTC, 1 MiB.
    ///
    /// A terminal version that does not read counts as the oldest, 2.2.14.
    pub fn new(serial: SerialNumber, terminal_version: &str) -> Self {
        let terminal = ProtocolVersion::parse(terminal_version).unwrap_or(ProtocolVersion::V2_2_14);
        Self {
            serial,
            version: terminal.lower_of(Self::SERVER_VERSION),
            stamps: Stamps::default(),
            error_delay: 60,
            delay: 30,
            time_zone: TimeZoneMinutes::default(),
            max_post_size: 1 << 20,
        }
    }
}

impl fmt::Display for OptionBlock {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        writeln!(f, "GET OPTION FROM: {}", self.serial)?;
        let mark = |table| one_line(self.stamps.get(table).unwrap_or("0"));
        let (attlog, operlog) = (mark(Table::ATTLOG), mark(Table::OPERLOG));
        writeln!(f, "ATTLOGStamp={attlog}\nStamp={attlog}")?;
        writeln!(f, "OPERLOGStamp={operlog}\nOpStamp={operlog}")?;
        writeln!(f, "ErrorDelay={}", self.error_delay)?;
        writeln!(f, "Delay={}", self.delay)?;
        f.write_str("TransTimes=00:00;14:05\nTransInterval=1\n")?;
        f.write_str("TransFlag=TransData AttLog\tOpLog\n")?;
        f.write_str("Realtime=1\n")?;
        writeln!(f, "TimeZone={}", self.time_zone)?;
        f.write_str("Encrypt=0\n")?;
        writeln!(f, "ServerVer={0}\nPushProtVer={0}", self.version)?;
        f.write_str("PushOptionsFlag=0\nSupportPing=1\n")?;
        writeln!(f, "MaxPostSize={}", self.max_post_size)?;
        writeln!(f, "MultiBioDataSupport={NO_BIOMETRICS}\nMultiBioPhotoSupport={NO_BIOMETRICS}")
    }
}

/// Stamps are the terminal's own text; anything that could start another line is cut off.
pub(super) fn one_line(text: &str) -> &str {
    let end = text.find(|c: char| c.is_control()).unwrap_or(text.len());
    text.get(..end).filter(|text| !text.is_empty()).unwrap_or("0")
}
