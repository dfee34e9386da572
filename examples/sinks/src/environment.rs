//! Variables of the environment.

use std::env::VarError;
use std::str::FromStr;

use anyhow::Context as _;

/// A variable of the environment that has to be there, or what stands in the file that `NAME_FILE` names: a file keeps a
/// secret out of what shows environments.
///
/// # Errors
///
/// Neither is there, or the file cannot be read; the text names it.
pub fn env(name: &str) -> anyhow::Result<String> {
    let file_of = format!("{name}_FILE");
    match (std::env::var(name), std::env::var(&file_of)) {
        (Err(VarError::NotPresent), Ok(file)) => {
            let text = std::fs::read_to_string(&file).with_context(|| format!("{file_of}: cannot read {file}"))?;
            Ok(text.trim_end().to_owned())
        }
        (found, _) => found.with_context(|| format!("set the environment variable {name}, or {file_of}")),
    }
}

/// The first of these variables that is there and not empty, or whose file is.
pub fn env_any(names: &[&str]) -> Option<String> {
    names.iter().find_map(|name| env(name).ok().filter(|text| !text.is_empty()))
}

/// Whether a variable is `true` or `1`.
pub fn env_flag(name: &str) -> bool {
    std::env::var(name).is_ok_and(|text| text.eq_ignore_ascii_case("true") || text == "1")
}

/// A variable that reads as something else; `default` if it is not there.
///
/// # Errors
///
/// It does not read; the text names it and what is expected.
pub fn env_parsed<T: FromStr>(name: &str, default: T, expected: &str) -> anyhow::Result<T> {
    match std::env::var(name) {
        Ok(text) => text.parse().ok().with_context(|| format!("{name} is `{text}`, expected {expected}")),
        Err(VarError::NotPresent) => Ok(default),
        Err(error) => Err(error).context(name.to_owned()),
    }
}
