use alloc::borrow::ToOwned;
use alloc::string::String;
use core::fmt;

use super::codes::ProtocolVersion;
use super::options::one_line;

/// The configuration of an access terminal: the answer to `push`, and to the handshake of a registered one.
///
/// It asks for stored events and live events, and for nothing biometric.
///
/// ```
/// use punch_protocol::push::{ConfigurationBlock, ProtocolVersion};
///
/// let block = ConfigurationBlock::new("30BFB04B2C8AECC7", ProtocolVersion::V3_0_1).to_string();
/// assert!(block.contains("TransTables=Transaction\n") && block.ends_with('\n'));
/// ```
#[derive(Clone, PartialEq, Eq)]
#[non_exhaustive]
pub struct ConfigurationBlock {
    /// Protocol version: the lower of the terminal's and [`ConfigurationBlock::SERVER_VERSION`].
    pub version: ProtocolVersion,
    /// Seconds to wait after any failure.
    pub error_delay: u32,
    /// Seconds between idle polls.
    pub request_delay: u32,
    /// What the terminal mixes into its session token. Opaque.
    pub session_id: String,
    /// `NewVFStyles` as the terminal registered it; it is repeated so that verification comes as a bit string.
    pub verification_styles: Option<String>,
}

impl ConfigurationBlock {
    /// The newest protocol version offered.
    pub const SERVER_VERSION: ProtocolVersion = ProtocolVersion::V3_1_2;

    /// A block with the defaults: 30 s after failures and between polls.
    pub fn new(session_id: &str, version: ProtocolVersion) -> Self {
        Self {
            version,
            error_delay: 30,
            request_delay: 30,
            session_id: session_id.to_owned(),
            verification_styles: None,
        }
    }
}

impl fmt::Display for ConfigurationBlock {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        let version = self.version;
        // The manual names the version `PushVersion` in one place and `PushProtVer` in another.
        writeln!(f, "ServerVersion={version}\nServerName=Punch\nPushVersion={version}\nPushProtVer={version}")?;
        writeln!(f, "ErrorDelay={}\nRequestDelay={}", self.error_delay, self.request_delay)?;
        f.write_str("TransTimes=00:00;14:05\nTransInterval=1\nTransTables=Transaction\nRealtime=1\n")?;
        writeln!(f, "SessionID={}\nTimeoutSec=10", one_line(&self.session_id))?;
        writeln!(f, "BioPhotoFun=0\nBioDataFun=0")?;
        writeln!(f, "MultiBioDataSupport={NO_BIOMETRICS}\nMultiBioPhotoSupport={NO_BIOMETRICS}")?;
        match &self.verification_styles {
            Some(styles) => writeln!(f, "NewVFStyles={}", one_line(styles)),
            None => Ok(()),
        }
    }
}

impl fmt::Debug for ConfigurationBlock {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.debug_struct("ConfigurationBlock").field("version", &self.version).finish_non_exhaustive()
    }
}

/// One slot a kind of template, all off: what both sides support counts, so nothing biometric is sent.
pub(super) const NO_BIOMETRICS: &str = "0:0:0:0:0:0:0:0:0:0:0";
