use alloc::string::String;

use serde::Deserialize;

use crate::Credential;

/// The settings of one ERPNext site, as written in a configuration file. [`ErpNext::new`](super::ErpNext::new)
/// checks them.
///
/// ```
/// use punch_erp::erpnext::{ErpNext, ErpNextSettings};
///
/// // Every error is listed at once.
/// let errors = ErpNext::new(ErpNextSettings::new("erp.example.com", "", "s3cret", "Dhaka")).unwrap_err();
/// let keys: Vec<_> = errors.iter().map(|error| error.key()).collect();
/// assert_eq!(keys, ["base", "key", "zone"]);
/// ```
#[derive(Debug, Clone, Deserialize)]
#[serde(deny_unknown_fields)]
#[non_exhaustive]
pub struct ErpNextSettings {
    /// Address of the site, such as `https://erp.example.com`. The host name picks the site on a shared server.
    pub base: String,
    /// The API key of the user the punches are written as.
    pub key: Credential,
    /// The API secret that belongs to the key.
    pub secret: Credential,
    /// The time zone in the site's *System Settings*, an IANA name such as `Asia/Dhaka`.
    ///
    /// The API method `frappe.client.get_time_zone` gives a *user's* zone, which is another thing.
    pub zone: String,
    /// The field of *Employee* that holds the badge. Default `attendance_device_id`. With `name` badges are the names of the
    /// records, such as `HR-EMP-00001`, as a [mapping](crate::Mapping) may give them.
    #[serde(default = "attendance_device_id")]
    pub badge_field: String,
    /// What is written for a punch without a direction. Default: nothing.
    #[serde(default)]
    pub unknown_direction: UnknownDirection,
    /// What is written into the field `device_id`. Default: the event's id.
    #[serde(default)]
    pub device_id: DeviceIdField,
    /// Lets `base` be plain http on a host other than this machine. Default: no, the secret is in every request.
    #[serde(default)]
    pub allow_http: bool,
}

impl ErpNextSettings {
    /// The four settings without a default.
    pub fn new(
        base: impl Into<String>,
        key: impl Into<Credential>,
        secret: impl Into<Credential>,
        zone: impl Into<String>,
    ) -> Self {
        Self {
            base: base.into(),
            key: key.into(),
            secret: secret.into(),
            zone: zone.into(),
            badge_field: attendance_device_id(),
            unknown_direction: UnknownDirection::default(),
            device_id: DeviceIdField::default(),
            allow_http: false,
        }
    }
}

/// Where every site has badges.
pub(super) const ATTENDANCE_DEVICE_ID: &str = "attendance_device_id";

fn attendance_device_id() -> String {
    ATTENDANCE_DEVICE_ID.into()
}

/// What is written as `log_type` for a punch whose direction is unknown.
#[derive(Debug, Clone, Copy, Default, PartialEq, Eq, Deserialize)]
#[serde(rename_all = "snake_case")]
#[non_exhaustive]
pub enum UnknownDirection {
    /// Nothing. Shift types with *alternating entries* then decide; those *strictly based on log type* pass it over.
    #[default]
    Omit,
    /// `OUT`, as the published sample does. It forces an unknown into a statement; choose it knowingly.
    Out,
}

/// What is written into the field `device_id`, which the ERP only shows.
#[derive(Debug, Clone, Copy, Default, PartialEq, Eq, Deserialize)]
#[serde(rename_all = "snake_case")]
#[non_exhaustive]
pub enum DeviceIdField {
    /// The event's id: on servers that ignore our names it is what tells a repeated punch from another one.
    #[default]
    EventId,
    /// The terminal's serial number, or nothing if the event has none.
    Serial,
}
