use core::str::FromStr as _;

use chrono_tz::Tz;

use crate::ConfigError;

/// Reads the setting `key` as a time zone.
pub(crate) fn read_zone(key: &'static str, zone: &str) -> Result<Tz, ConfigError> {
    if zone.is_empty() {
        return Err(ConfigError::Missing { key, cure: "copy the time zone of the ERP's System Settings" });
    }
    Tz::from_str(zone).map_err(|_| ConfigError::UnknownZone { key, found: zone.chars().take(16).collect() })
}
