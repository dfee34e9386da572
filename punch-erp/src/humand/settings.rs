use alloc::string::String;

use serde::Deserialize;

use crate::Credential;

/// The settings of one Humand community, as written in a configuration file. [`Humand::new`](super::Humand::new) checks
/// them.
///
/// ```
/// use punch_erp::humand::{Humand, HumandSettings};
///
/// // Every error is listed at once.
/// let mut settings = HumandSettings::new("key\n");
/// (settings.base, settings.rate_per_minute) = ("humand.example.com".into(), 600);
/// let errors = Humand::new(settings).unwrap_err();
/// let keys: Vec<_> = errors.iter().map(|error| error.key()).collect();
/// assert_eq!(keys, ["base", "api_key", "rate_per_minute"]);
/// ```
#[derive(Debug, Clone, Deserialize)]
#[serde(deny_unknown_fields)]
#[non_exhaustive]
pub struct HumandSettings {
    /// Address of the interface. Default `https://api-prod.humand.co/public/api/v1`.
    #[serde(default = "production", alias = "base_url")]
    pub base: String,
    /// The API key, as Humand shows it. It is sent as it is; `Basic ` before it is dropped.
    pub api_key: Credential,
    /// Which addresses clock in and clock out. Default: the documented ones.
    #[serde(default)]
    pub path_style: PathStyle,
    /// The whole address of clocking in, for [`PathStyle::Custom`].
    #[serde(default)]
    pub clock_in_url: String,
    /// The whole address of clocking out, for [`PathStyle::Custom`].
    #[serde(default)]
    pub clock_out_url: String,
    /// Whether `employeeId` is written as a number, for communities that refuse texts. Default no: `0042` is not `42`.
    #[serde(default)]
    pub employee_id_as_number: bool,
    /// `device`: the offset that comes with a punch, UTC if none does. Or an IANA name, such as
    /// `America/Argentina/Buenos_Aires`, for all of them. It says how times are written and where days begin.
    #[serde(default = "device")]
    pub time_zone: String,
    /// What becomes of a punch that would not alternate. Default: it is parked.
    #[serde(default)]
    pub on_violation: OnViolation,
    /// What becomes of a punch whose direction is unknown. Default: it is parked.
    #[serde(default)]
    pub infer_unknown: InferUnknown,
    /// How long a punch is kept back for earlier ones of other terminals, in seconds. Default 0; 300 suits a site with
    /// several terminals.
    #[serde(default)]
    pub reorder_window_s: u16,
    /// How many requests go out in a minute, 1 to 50. Default 45, of the 50 that Humand allows a key.
    #[serde(default = "rate")]
    pub rate_per_minute: u16,
    /// Lets addresses be plain http on a host other than this machine. Default: no, the key is in every request.
    #[serde(default)]
    pub allow_http: bool,
}

impl HumandSettings {
    /// The one setting without a default.
    pub fn new(api_key: impl Into<Credential>) -> Self {
        Self {
            base: production(),
            api_key: api_key.into(),
            path_style: PathStyle::default(),
            clock_in_url: String::new(),
            clock_out_url: String::new(),
            employee_id_as_number: false,
            time_zone: device(),
            on_violation: OnViolation::default(),
            infer_unknown: InferUnknown::default(),
            reorder_window_s: 0,
            rate_per_minute: rate(),
            allow_http: false,
        }
    }
}

fn production() -> String {
    "https://api-prod.humand.co/public/api/v1".into()
}

pub(super) fn device() -> String {
    "device".into()
}

fn rate() -> u16 {
    45
}

/// Which addresses clock in and clock out.
#[derive(Debug, Clone, Copy, Default, PartialEq, Eq, Deserialize)]
#[serde(rename_all = "snake_case")]
#[non_exhaustive]
pub enum PathStyle {
    /// `{base}/time-tracking/entries/clockIn` and `…/clockOut`, as Humand documents them.
    #[default]
    Entries,
    /// `/time-tracking/clock-in` and `/time-tracking/clock-out` at the root of the host, as the published sample prints.
    Seed,
    /// The two addresses of the settings.
    Custom,
}

/// What becomes of a punch that repeats the direction of the one before it, more than a minute later.
#[derive(Debug, Clone, Copy, Default, PartialEq, Eq, Deserialize)]
#[serde(rename_all = "snake_case")]
#[non_exhaustive]
pub enum OnViolation {
    /// It is parked.
    #[default]
    Park,
    /// It counts as the other direction if its own was inferred; what somebody pressed or a door says is parked.
    Fix,
}

/// What becomes of a punch whose direction is unknown.
#[derive(Debug, Clone, Copy, Default, PartialEq, Eq, Deserialize)]
#[serde(rename_all = "snake_case")]
#[non_exhaustive]
pub enum InferUnknown {
    /// It is parked.
    #[default]
    Park,
    /// It is the other direction than the entry before it on that day; the first of a day is an arrival.
    Alternate,
}
