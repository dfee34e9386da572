use std::path::{Path, PathBuf};
use std::sync::Arc;

use punch_erp::erpnext::{ErpNext, ErpNextSettings};
use punch_erp::hrms::{Hrms, HrmsSettings};
use punch_erp::humand::{Humand, HumandSettings};
use punch_erp::odoo::{Odoo, OdooSettings};
use punch_erp::successfactors::{SuccessFactors, SuccessFactorsSettings};
use punch_erp::{ConfigErrors, Mapping};
use serde::de::DeserializeOwned;
use toml::{Table, Value};

use crate::hrms::{Database, dialect};
use crate::{Erp, KINDS, SinkSettings, Trust, erpnext, odoo, read_mapping};

/// What is wrong with a section: the key, if one is to blame, and the problem with its cure.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct SectionError {
    /// The key; empty for the section as a whole.
    pub key: String,
    /// What is wrong and what to do. It repeats no secret.
    pub problem: String,
}

/// Keys that hold secrets. Each may stand in a file that the key with `_file` behind it names.
const SECRETS: [&str; 6] = ["key", "secret", "api_key", "ias_client_secret", "password", "url"];

/// Reads the keys of an ERP: those of its settings, `url` for the address whatever that calls it, and `mapping_file`.
///
/// # Errors
///
/// Everything that is wrong, one [`SectionError`] a thing.
pub fn read_section(kind: &str, mut table: Table) -> Result<SinkSettings, Vec<SectionError>> {
    read_secrets(&mut table, &SECRETS)?;
    let trust = Trust::take(&mut table)?;
    let mapping = take_mapping(&mut table)?;
    let mut rename = |to: &str| {
        if let Some(url) = table.remove("url") {
            table.insert(to.to_owned(), url);
        }
    };
    match kind {
        "odoo" | "erpnext" | "humand" => rename("base"),
        "successfactors" => rename("api_server"),
        _ => {}
    }
    let mut badges_are_in = |field: &str| {
        if mapping.is_some() && !table.contains_key("badge_field") {
            table.insert("badge_field".to_owned(), field.into());
        }
    };
    let erp = match kind {
        "odoo" => {
            badges_are_in(odoo::MAPPED_FIELD);
            Erp::Odoo(checked(Odoo::new(settings::<OdooSettings>(table)?))?)
        }
        "erpnext" => {
            badges_are_in(erpnext::MAPPED_FIELD);
            Erp::ErpNext(checked(ErpNext::new(settings::<ErpNextSettings>(table)?))?)
        }
        "humand" => Erp::Humand(checked(Humand::new(settings::<HumandSettings>(table)?))?),
        "successfactors" => {
            let calls = take_text(&mut table, "calls_file")?.unwrap_or_else(|| "successfactors.calls".to_owned());
            let tenant = checked(SuccessFactors::new(settings::<SuccessFactorsSettings>(table)?))?;
            Erp::SuccessFactors(tenant, PathBuf::from(calls))
        }
        "hrms" => own_tables(table)?,
        other => return Err(one("kind", format!("is `{other}`, expected one of: {}", KINDS.join(", ")))),
    };
    if matches!(erp, Erp::Hrms(..)) && trust != Trust::System {
        return Err(one(
            "kind",
            "`hrms` is no server with a certificate; take out `ca_file` and what is like it".to_owned(),
        ));
    }
    Ok(SinkSettings { erp, mapping, trust })
}

fn own_tables(mut table: Table) -> Result<Erp, Vec<SectionError>> {
    let missing = || one("url", "is missing; write postgres://user:password@host/database or sqlite:/path".to_owned());
    let url = take_text(&mut table, "url")?.ok_or_else(missing)?;
    let create_tables = match table.remove("create_tables") {
        None => false,
        Some(Value::Boolean(create)) => create,
        Some(_) => return Err(one("create_tables", "is neither true nor false".to_owned())),
    };
    let word = match dialect(&url) {
        punch_erp::hrms::Dialect::Postgres => "postgres",
        punch_erp::hrms::Dialect::Sqlite => "sqlite",
    };
    table.insert("dialect".to_owned(), word.into());
    let hrms = checked(Hrms::new(settings::<HrmsSettings>(table)?))?;
    let database = Database::at(&url, &hrms, create_tables).map_err(|error| one("url", format!("{error:#}")))?;
    Ok(Erp::Hrms(hrms, database))
}

/// Puts what stands in files in the place of the keys that name them: `password_file` of `password`, and so on.
///
/// # Errors
///
/// A file cannot be read, stands beside its key, or the key is no text.
pub fn read_secrets(table: &mut Table, keys: &[&str]) -> Result<(), Vec<SectionError>> {
    for key in keys {
        // A number that is quoted by an error would be a secret that is shown.
        if table.get(*key).is_some_and(|value| !value.is_str()) {
            return Err(one(key, "expected text in quotes".to_owned()));
        }
        let file_key = format!("{key}_file");
        let Some(path) = take_text(table, &file_key)? else { continue };
        if table.contains_key(*key) {
            return Err(one(&file_key, format!("and `{key}` are both there; keep one")));
        }
        let text = std::fs::read_to_string(&path);
        let text = text.map_err(|error| one(&file_key, format!("cannot read `{path}`: {error}")))?;
        table.insert((*key).to_owned(), text.trim_end().into());
    }
    Ok(())
}

fn take_mapping(table: &mut Table) -> Result<Option<Arc<Mapping>>, Vec<SectionError>> {
    let Some(path) = take_text(table, "mapping_file")? else { return Ok(None) };
    read_mapping(Path::new(&path)).map(Some).map_err(|error| one("mapping_file", format!("{error:#}")))
}

/// A text, if it is there.
///
/// # Errors
///
/// It is something else.
pub fn take_text(table: &mut Table, key: &str) -> Result<Option<String>, Vec<SectionError>> {
    match table.remove(key) {
        None => Ok(None),
        Some(Value::String(text)) => Ok(Some(text)),
        Some(_) => Err(one(key, "expected text in quotes".to_owned())),
    }
}

/// Settings, of the keys that are left.
///
/// # Errors
///
/// A key is unknown, missing, or holds something else.
pub fn settings<T: DeserializeOwned>(table: Table) -> Result<T, Vec<SectionError>> {
    Value::Table(table).try_into().map_err(|error: toml::de::Error| one("", error.message().to_owned()))
}

/// What was made of settings, or everything that is wrong with them, the address called `url`.
///
/// # Errors
///
/// What is wrong.
pub fn checked<T>(made: Result<T, ConfigErrors>) -> Result<T, Vec<SectionError>> {
    made.map_err(|errors| {
        let one = |error: &punch_erp::ConfigError| {
            // The address has one name here, whatever it is called there.
            let key = if matches!(error.key(), "base" | "api_server") { "url" } else { error.key() };
            SectionError { key: key.to_owned(), problem: error.to_string() }
        };
        errors.iter().map(one).collect()
    })
}

/// One thing that is wrong.
pub fn one(key: &str, problem: String) -> Vec<SectionError> {
    vec![SectionError { key: key.to_owned(), problem }]
}
