//! What can be wrong with the settings.

use alloc::vec::Vec;

use super::tenant::{Zone, read_zone};
use super::{Auth, Mode, SuccessFactorsSettings};
use crate::address::{check_address, check_host};
use crate::{ConfigError, ConfigErrors, Credential};

/// The longest time type, in characters.
const MAX_TIME_TYPE_LEN: usize = 128;

pub(super) fn check(settings: &SuccessFactorsSettings) -> Result<Zone, ConfigErrors> {
    let cure = "give the API server of the tenant's data centre, such as `https://api55.sapsf.eu`";
    let mut errors = Vec::new();
    // A gateway of one's own may have a path.
    let check_server = if settings.mode == Mode::Seed { check_address } else { check_host };
    errors.extend(check_server("api_server", &settings.api_server, cure, settings.allow_http).err());
    check_login(settings, &mut errors);
    errors.extend(settings.codes.check(settings.mode == Mode::TimeEvents));
    let zone = read_zone(&settings.time_zone);
    if zone.is_none() {
        let (problem, cure) = ("is no zone of the IANA database", "write `device`, or a name such as `Europe/Berlin`");
        errors.push(ConfigError::Unfit { key: "time_zone", problem, cure });
    }
    check_time_type(settings, &mut errors);
    check_numbers(settings, &mut errors);
    if settings.duplicate_texts.iter().any(|text| text.trim().is_empty()) {
        let problem = "holds an empty text, which is in every refusal";
        let cure = "copy what the tenant says of an event that is there already";
        errors.push(ConfigError::Unfit { key: "duplicate_texts", problem, cure });
    }
    ConfigErrors::check(errors)?;
    Ok(zone.unwrap_or(Zone::Device))
}

fn check_login(settings: &SuccessFactorsSettings, errors: &mut Vec<ConfigError>) {
    let required = |key, value: &str, cure| value.is_empty().then_some(ConfigError::Missing { key, cure });
    match settings.auth {
        Auth::Ias => {
            let cure = "give the address of the Identity Authentication tenant";
            errors.extend(check_host("ias_url", &settings.ias_url, cure, settings.allow_http).err());
            let cure = "copy the client id of the OIDC application";
            errors.extend(required("ias_client_id", &settings.ias_client_id, cure));
            let cure = "make a client secret in the OIDC application";
            errors.extend(check_secret("ias_client_secret", &settings.ias_client_secret, cure).err());
            let cure = "copy the name of the dependency with API `sf_technical_access`";
            errors.extend(required("ias_dependency", &settings.ias_dependency, cure));
        }
        Auth::Saml => {
            errors.extend(required("company_id", &settings.company_id, "give the company id of the tenant"));
            let cure = "copy the API key of Manage OAuth2 Client Applications";
            errors.extend(required("saml_client_id", &settings.saml_client_id, cure));
        }
        Auth::BearerCommand => {}
        Auth::Basic if !settings.force_basic => {
            let key = if settings.mode == Mode::Seed { "mode" } else { "auth" };
            errors.push(ConfigError::BasicRetired { key });
        }
        Auth::Basic => {
            let cure = "give the API user, without `@company`";
            errors.extend(required("user", &settings.user, cure));
            // A colon would end the user's name.
            if settings.user.contains(':') || settings.user.chars().any(char::is_control) {
                errors.push(ConfigError::BadCredential { key: "user" });
            }
            errors.extend(required("company_id", &settings.company_id, "give the company id of the tenant"));
            errors.extend(check_secret("password", &settings.password, "give the API user's password").err());
        }
    }
}

/// What stands at an end, or is invisible, came from copying.
fn check_secret(key: &'static str, secret: &Credential, cure: &'static str) -> Result<(), ConfigError> {
    let text = secret.expose();
    if text.is_empty() {
        return Err(ConfigError::Missing { key, cure });
    }
    let is_clean = text.trim().len() == text.len() && !text.chars().any(char::is_control);
    if is_clean { Ok(()) } else { Err(ConfigError::BadCredential { key }) }
}

fn check_time_type(settings: &SuccessFactorsSettings, errors: &mut Vec<ConfigError>) {
    let key = "time_type";
    if settings.mode == Mode::ExternalTimeData && settings.time_type.is_empty() {
        errors.push(ConfigError::Missing { key, cure: "copy a time type of the tenant, such as `WORKING_TIME`" });
    }
    if settings.time_type.chars().count() > MAX_TIME_TYPE_LEN {
        let (problem, cure) = ("has more than 128 characters", "copy the external code of a time type");
        errors.push(ConfigError::Unfit { key, problem, cure });
    }
}

fn check_numbers(settings: &SuccessFactorsSettings, errors: &mut Vec<ConfigError>) {
    let (problem, cure) = ("is 0", "leave it out for the default");
    let numbers = [
        ("flush_interval_s", settings.flush_interval_s),
        ("daily_call_cap", settings.daily_call_cap),
        ("max_open_hours", u32::from(settings.max_open_hours)),
    ];
    let zeros = numbers.into_iter().filter(|(_, number)| *number == 0);
    errors.extend(zeros.map(|(key, _)| ConfigError::Unfit { key, problem, cure }));
}
