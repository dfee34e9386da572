use core::str::FromStr as _;

use http::Uri;

use crate::ConfigError;

/// Checks the setting `key`: scheme and host name, perhaps a path, and https unless told otherwise. `cure` says where to
/// get a missing one.
pub(crate) fn check_address(
    key: &'static str,
    address: &str,
    cure: &'static str,
    allow_http: bool,
) -> Result<(), ConfigError> {
    let bad = |problem| Err(ConfigError::BadAddress { key, problem });
    if address.is_empty() {
        return Err(ConfigError::Missing { key, cure });
    }
    let Ok(uri) = Uri::from_str(address) else { return bad("is not an address") };
    let (Some(scheme), Some(authority)) = (uri.scheme_str(), uri.authority()) else {
        return bad("has no `https://` and host name");
    };
    if authority.as_str().contains('@') {
        return bad("holds a user name or password");
    }
    if address.contains(['?', '#']) {
        return bad("goes on behind the path");
    }
    match scheme {
        "https" => Ok(()),
        "http" if allow_http || is_this_machine(authority.host()) => Ok(()),
        "http" => Err(ConfigError::PlainHttp { key }),
        _ => bad("is neither https nor http"),
    }
}

/// The same for an address that ends with the host name.
pub(crate) fn check_host(
    key: &'static str,
    base: &str,
    cure: &'static str,
    allow_http: bool,
) -> Result<(), ConfigError> {
    check_address(key, base, cure, allow_http)?;
    let has_path = Uri::from_str(base).is_ok_and(|uri| !matches!(uri.path(), "" | "/"));
    if has_path { Err(ConfigError::BadAddress { key, problem: "goes on behind the host name" }) } else { Ok(()) }
}

/// Checks the setting `key`: the name of a field of the ERP, as its programs spell it.
pub(crate) fn check_field(key: &'static str, field: &str, cure: &'static str) -> Result<(), ConfigError> {
    if field.is_empty() {
        return Err(ConfigError::Missing { key, cure });
    }
    let is_name = field.bytes().all(|byte| byte.is_ascii_alphanumeric() || byte == b'_');
    let unfit = ConfigError::Unfit { key, problem: "is no name of a field", cure: "use its letters, digits and `_`" };
    if is_name { Ok(()) } else { Err(unfit) }
}

fn is_this_machine(host: &str) -> bool {
    matches!(host, "localhost" | "127.0.0.1" | "[::1]")
}
