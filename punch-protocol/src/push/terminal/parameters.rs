use alloc::borrow::ToOwned as _;
use alloc::format;
use alloc::string::{String, ToString as _};
use alloc::vec::Vec;

use super::Terminal;

impl Terminal {
    /// What the terminal knows about itself: for `table=options`, for registration and for `INFO`.
    ///
    /// It can do fingers and passwords, and offers no template of any kind.
    pub(super) fn parameters(&self) -> Vec<(String, String)> {
        let own =
            if self.profile.is_access_control() { self.access_parameters() } else { self.attendance_parameters() };
        let own = own.into_iter().map(|(key, value)| (key.to_owned(), value));
        let set = self.settings.iter().map(|(key, value)| (key.clone(), value.clone()));
        own.filter(|(key, _)| !self.settings.contains_key(key)).chain(set).collect()
    }

    /// One parameter, whatever its letter case.
    pub(super) fn parameter(&self, key: &str) -> Option<String> {
        self.parameters().into_iter().find(|(name, _)| name.eq_ignore_ascii_case(key)).map(|(_, value)| value)
    }

    /// `key=value,key=value`, all of them or those that the server asked for.
    pub(super) fn parameter_list(&self, keys: &[String]) -> String {
        let asked = |key: &str| keys.is_empty() || keys.iter().any(|wanted| wanted.eq_ignore_ascii_case(key));
        let pairs = self.parameters().into_iter().filter(|(key, _)| asked(key));
        pairs.map(|(key, value)| format!("{key}={}", value.replace(',', " "))).collect::<Vec<_>>().join(",")
    }

    fn attendance_parameters(&self) -> Vec<(&'static str, String)> {
        let profile = &self.profile;
        let text = |text: &str| text.to_owned();
        Vec::from([
            ("~DeviceName", profile.name.clone()),
            ("MAC", text("00:17:61:00:00:01")),
            ("~Platform", text("ZMM220_TFT")),
            ("~OEMVendor", text("ZKTeco Inc.")),
            ("FWVersion", profile.firmware.clone()),
            ("PushVersion", format!("Ver {}", profile.version())),
            ("IPAddress", profile.address.clone()),
            ("Language", profile.language.to_string()),
            ("UserCount", self.users.len().to_string()),
            ("~MaxUserCount", Self::USERS_MAX.to_string()),
            ("TransactionCount", self.punches.len().to_string()),
            ("~MaxAttLogCount", profile.memory.to_string()),
            ("FingerFunOn", text("1")),
            ("FPVersion", text("10")),
            ("FPCount", text("0")),
            ("FaceFunOn", text("0")),
            ("BioDataFun", text("0")),
            ("BioPhotoFun", text("0")),
            ("MultiBioDataSupport", text("0:0:0:0:0:0:0:0:0:0")),
            ("MultiBioPhotoSupport", text("0:0:0:0:0:0:0:0:0:0")),
        ])
    }

    fn access_parameters(&self) -> Vec<(&'static str, String)> {
        let profile = &self.profile;
        let text = |text: &str| text.to_owned();
        Vec::from([
            ("DeviceType", text("acc")),
            ("~SerialNumber", self.serial.to_string()),
            ("~DeviceName", profile.name.clone()),
            ("FirmVer", profile.firmware.clone()),
            ("PushVersion", text("Ver 3.1.2S-20210901")),
            ("MAC", text("00:17:61:00:00:02")),
            ("CommType", text("ethernet")),
            ("MaxPackageSize", text("2048000")),
            ("LockCount", text("1")),
            ("ReaderCount", text("2")),
            ("AuxInCount", text("0")),
            ("AuxOutCount", text("0")),
            ("MachineType", text("101")),
            ("~MaxUserCount", Self::USERS_MAX.to_string()),
            ("~MaxAttLogCount", profile.memory.to_string()),
            ("~MaxUserFingerCount", text("10")),
            ("IPAddress", profile.address.clone()),
            ("NetMask", text("255.255.255.0")),
            ("GATEIPAddress", text("192.168.1.1")),
            ("~ZKFPVersion", text("10")),
            ("IclockSvrFun", text("1")),
            ("VerifyStyles", text("ff7f0000")),
            ("EventTypes", text("BF0FE03D3000010000000000700000000000000000000000007700200100000")),
            ("MultiBioDataSupport", text("0:0:0:0:0:0:0:0:0:0")),
            ("MultiBioPhotoSupport", text("0:0:0:0:0:0:0:0:0:0")),
        ])
    }
}
