use alloc::string::String;
use alloc::vec::Vec;

use serde::Deserialize;

use super::TypeCodes;
use crate::Credential;

/// The settings of one SuccessFactors tenant, as written in a configuration file.
/// [`SuccessFactors::new`](super::SuccessFactors::new) checks them.
///
/// ```
/// use punch_erp::successfactors::{SuccessFactors, SuccessFactorsSettings};
///
/// // Every error is listed at once.
/// let errors = SuccessFactors::new(SuccessFactorsSettings::new("api55.sapsf.eu", "P10", "")).unwrap_err();
/// let keys: Vec<_> = errors.iter().map(|error| error.key()).collect();
/// assert_eq!(keys, ["api_server", "ias_url", "ias_client_id", "ias_client_secret", "ias_dependency", "codes.out"]);
/// ```
#[derive(Debug, Clone, Deserialize)]
#[serde(deny_unknown_fields)]
#[non_exhaustive]
pub struct SuccessFactorsSettings {
    /// The API server of the tenant's data centre, such as `https://api55.sapsf.eu`. There is no default.
    pub api_server: String,
    /// What a punch becomes. Default: a time event.
    #[serde(default)]
    pub mode: Mode,
    /// How the API server is told who we are. Default: a token of Identity Authentication.
    #[serde(default)]
    pub auth: Auth,
    /// The company id. Needed by [`Auth::Saml`] and [`Auth::Basic`].
    #[serde(default)]
    pub company_id: String,
    /// The Identity Authentication tenant, such as `https://acme.accounts.ondemand.com`.
    #[serde(default)]
    pub ias_url: String,
    /// Client id of the OIDC application there.
    #[serde(default)]
    pub ias_client_id: String,
    /// Client secret of the OIDC application there.
    #[serde(default = "no_credential")]
    pub ias_client_secret: Credential,
    /// Name of the application's dependency on SuccessFactors, with API `sf_technical_access`.
    #[serde(default)]
    pub ias_dependency: String,
    /// Whether the token is got in two steps, an id token first. Default no; which one a tenant wants is not documented.
    #[serde(default)]
    pub ias_two_step: bool,
    /// The API key of *Manage OAuth2 Client Applications*. Needed by [`Auth::Saml`].
    #[serde(default)]
    pub saml_client_id: String,
    /// The API user, without `@company`. Needed by [`Auth::Basic`].
    #[serde(default)]
    pub user: String,
    /// The API user's password. Needed by [`Auth::Basic`].
    #[serde(default = "no_credential")]
    pub password: Credential,
    /// Lets Basic be used although SAP ended it on 2026-11-20. [`Mode::Seed`] needs it. Default no.
    #[serde(default)]
    pub force_basic: bool,
    /// The tenant's codes for arrivals, departures and the rest. [`Mode::TimeEvents`] needs the first two.
    #[serde(default)]
    pub codes: TypeCodes,
    /// What becomes of breaks that have no code. Default: the end of work and its begin.
    #[serde(default)]
    pub break_fallback: BreakFallback,
    /// Whether overtime without a code counts as arrival and departure. Default yes; otherwise it is parked.
    #[serde(default = "yes")]
    pub overtime_as_normal: bool,
    /// Which field of a punch is the assignment id. Default: the badge.
    #[serde(default)]
    pub employee_field: EmployeeField,
    /// The zone that times are written in: `device`, which is what the sender says of each punch, or an IANA name. Default
    /// `device`. A punch without a zone is then written in UTC, and [counted](super::WriteTimeEvents::without_zone).
    #[serde(default = "device")]
    pub time_zone: String,
    /// Whether the terminal's serial number is sent, its first 30 characters. Default yes.
    #[serde(default = "yes")]
    pub send_terminal_id: bool,
    /// The time type of arrivals, at most 128 characters. Default: the tenant derives it. [`Mode::ExternalTimeData`] needs one.
    #[serde(default)]
    pub time_type: String,
    /// Further texts by which a tenant says that an event is there already, if it does not speak English. Default none.
    #[serde(default)]
    pub duplicate_texts: Vec<String>,
    /// Seconds between two calls while fewer than a whole call's events wait. Default 300: 288 calls a day.
    #[serde(default = "flush_interval")]
    pub flush_interval_s: u32,
    /// Calls a UTC day. Default 300, which SAP publishes and does not raise.
    #[serde(default = "daily_call_cap")]
    pub daily_call_cap: u32,
    /// Seconds between two calls in any case. Default 6: ten calls a minute.
    #[serde(default = "min_call_gap")]
    pub min_call_gap_s: u32,
    /// Goes on calling when the day's calls are used up. Default no.
    #[serde(default)]
    pub ignore_daily_cap: bool,
    /// The longest time between an arrival and its departure in hours, for [`Mode::ExternalTimeData`]. Default 16.
    #[serde(default = "max_open")]
    pub max_open_hours: u16,
    /// Lets the addresses be plain http on a host other than this machine. Default: no, secrets travel there.
    #[serde(default)]
    pub allow_http: bool,
}

impl SuccessFactorsSettings {
    /// Time events on this API server, with the tenant's codes for arrivals and departures. How to log in is missing still.
    pub fn new(api_server: impl Into<String>, arrival: impl Into<String>, departure: impl Into<String>) -> Self {
        Self {
            api_server: api_server.into(),
            mode: Mode::default(),
            auth: Auth::default(),
            company_id: String::new(),
            ias_url: String::new(),
            ias_client_id: String::new(),
            ias_client_secret: no_credential(),
            ias_dependency: String::new(),
            ias_two_step: false,
            saml_client_id: String::new(),
            user: String::new(),
            password: no_credential(),
            force_basic: false,
            codes: TypeCodes::new(arrival, departure),
            break_fallback: BreakFallback::default(),
            overtime_as_normal: true,
            employee_field: EmployeeField::default(),
            time_zone: device(),
            send_terminal_id: true,
            time_type: String::new(),
            duplicate_texts: Vec::new(),
            flush_interval_s: flush_interval(),
            daily_call_cap: daily_call_cap(),
            min_call_gap_s: min_call_gap(),
            ignore_daily_cap: false,
            max_open_hours: max_open(),
            allow_http: false,
        }
    }

    /// The same with tokens of Identity Authentication.
    #[must_use]
    pub fn with_ias(
        mut self,
        url: impl Into<String>,
        client_id: impl Into<String>,
        client_secret: impl Into<Credential>,
        dependency: impl Into<String>,
    ) -> Self {
        self.auth = Auth::Ias;
        (self.ias_url, self.ias_client_id) = (url.into(), client_id.into());
        (self.ias_client_secret, self.ias_dependency) = (client_secret.into(), dependency.into());
        self
    }

    /// The same with tokens of the API server, got for SAML assertions that are made elsewhere.
    #[must_use]
    pub fn with_saml(mut self, company_id: impl Into<String>, client_id: impl Into<String>) -> Self {
        self.auth = Auth::Saml;
        (self.company_id, self.saml_client_id) = (company_id.into(), client_id.into());
        self
    }

    /// The same with user and password. [`force_basic`](Self::force_basic) has to be set as well.
    #[must_use]
    pub fn with_basic(
        mut self,
        user: impl Into<String>,
        company_id: impl Into<String>,
        password: impl Into<Credential>,
    ) -> Self {
        self.auth = Auth::Basic;
        (self.user, self.company_id, self.password) = (user.into(), company_id.into(), password.into());
        self
    }
}

fn no_credential() -> Credential {
    "".into()
}

fn yes() -> bool {
    true
}

fn device() -> String {
    "device".into()
}

fn flush_interval() -> u32 {
    300
}

fn daily_call_cap() -> u32 {
    300
}

fn min_call_gap() -> u32 {
    6
}

fn max_open() -> u16 {
    16
}

/// What a punch becomes.
#[derive(Debug, Clone, Copy, Default, PartialEq, Eq, Deserialize)]
#[serde(rename_all = "snake_case")]
#[non_exhaustive]
pub enum Mode {
    /// A time event of *Clock In Clock Out*, see [`WriteTimeEvents`](super::WriteTimeEvents).
    #[default]
    TimeEvents,
    /// With the punch that closes it, a record of `ExternalTimeData`: for customers without *Clock In Clock Out*, see
    /// [`WriteExternalTimes`](super::WriteExternalTimes).
    ExternalTimeData,
    /// The request of the published sample, see [`WriteSeedRecord`](super::WriteSeedRecord). A tenant refuses it; it is for
    /// gateways that were built after the sample.
    Seed,
}

/// How the API server is told who we are.
#[derive(Debug, Clone, Copy, Default, PartialEq, Eq, Deserialize)]
#[serde(rename_all = "snake_case")]
#[non_exhaustive]
pub enum Auth {
    /// A token of Identity Authentication (OIDC, client credentials and a dependency).
    #[default]
    Ias,
    /// A token of the API server, for a SAML assertion that a command of one's own makes:
    /// [`Session::with_assertion`](super::Session::with_assertion).
    Saml,
    /// A token that a command of one's own makes: [`Session::with_token`](super::Session::with_token).
    BearerCommand,
    /// User and password. SAP ended it.
    Basic,
}

/// What becomes of the begin and the end of a break, if the tenant has no code for it.
#[derive(Debug, Clone, Copy, Default, PartialEq, Eq, Deserialize)]
#[serde(rename_all = "snake_case")]
#[non_exhaustive]
pub enum BreakFallback {
    /// The begin is a departure, the end an arrival.
    #[default]
    InOut,
    /// It is parked as [`no_type_code`](crate::ParkReason::NoTypeCode).
    Park,
    /// It is not meant for the ERP: parked as [`left_out`](crate::ParkReason::LeftOut), so that it stays visible.
    Drop,
}

/// The field of a punch that names the work assignment.
#[derive(Debug, Clone, Copy, Default, PartialEq, Eq, Deserialize)]
#[serde(rename_all = "snake_case")]
#[non_exhaustive]
pub enum EmployeeField {
    /// The badge.
    #[default]
    Badge,
    /// The sender's own id of the employee.
    EmployeeRef,
}
