use axum::Json;
use axum::extract::State;
use axum::extract::rejection::JsonRejection;
use axum::http::StatusCode;
use axum::response::Response;
use punch_protocol::{Pin, SerialNumber};
use serde::Deserialize;
use serde_json::{Value, json};

use super::Api;
use super::envelope::{ApiError, one};
use super::listing::{Asked, Pairs, Terms};
use crate::core::{Bound, Clash, Identity, Scope, Validity};
use crate::device::{Devices, Released};
use crate::store::register;

#[derive(Default, Deserialize)]
#[serde(deny_unknown_fields)]
pub(crate) struct NewEmployee {
    badge_number: String,
    id: Option<String>,
    name: Option<String>,
    device: Option<String>,
    site: Option<String>,
    valid_from: Option<String>,
    valid_to: Option<String>,
    #[serde(default)]
    shifts: Vec<String>,
}

impl NewEmployee {
    /// Somebody who has this badge everywhere and for ever.
    pub(crate) fn everywhere(badge_number: String, name: Option<String>) -> Self {
        Self { badge_number, name, ..Self::default() }
    }
}

const TERMS: Terms = Terms {
    filters: &["badge_number", "id", "site", "device"],
    sorts: &[("badge_number", "badge"), ("name", "name"), ("id", "id"), ("site", "site"), ("valid_from", "valid_from")],
    newest_first: false,
};

/// Registers a badge and releases the rows that were held for it. S2-070.
pub(super) async fn add_employee(
    State(api): State<Api>,
    body: Result<Json<NewEmployee>, JsonRejection>,
) -> Result<Response, ApiError> {
    let Json(new) = body?;
    let badge = new.badge_number.clone();
    let released = enter(&api, new).await?;
    Ok(one(StatusCode::CREATED, &json!({ "badge_number": badge, "released_rows": released.delivered })))
}

/// Registers a badge and takes the rows once more that were held for it.
pub(crate) async fn enter(api: &Api, new: NewEmployee) -> Result<Released, ApiError> {
    let identity = identity(new)?;
    let names = api.shifts.names();
    if let Some(unknown) = identity.shifts.iter().find(|name| !names.contains(name.as_str())) {
        return Err(ApiError::invalid("shifts", &format!("`{unknown}` is the `name` of no `[[shift]]` in punch.toml")));
    }
    let (pin, entry) = (identity.pin.clone(), identity);
    api.store.write(move |tx| register(tx, &entry)).await?.map_err(refused)?;
    Ok(api.devices.release(Devices::held_for(pin)).await?)
}

fn refused(clash: Clash) -> ApiError {
    match clash {
        Clash::Taken => ApiError::conflict(
            "badge_number",
            "is somebody else's there and then; let theirs end by `valid_to` first, or send their `id`",
        ),
        Clash::Unnamed => ApiError::conflict(
            "id",
            "is missing, and the badge is registered without one elsewhere or for another time; say who this is",
        ),
    }
}

fn identity(new: NewEmployee) -> Result<Identity, ApiError> {
    let pin = Pin::parse_text(&new.badge_number);
    let pin = pin.map_err(|error| ApiError::invalid("badge_number", &error.to_string()))?.into_owned();
    if pin.is_empty() {
        return Err(ApiError::invalid("badge_number", "is empty, expected the PIN as the terminal sends it"));
    }
    if new.id.as_ref().is_some_and(|id| id.trim().is_empty()) {
        return Err(ApiError::invalid("id", "is empty, expected a key that stays the person's; or leave it out"));
    }
    let scope = match (new.device, new.site) {
        (None, None) => Scope::Tenant,
        (None, Some(site)) => Scope::Site(site),
        (Some(serial), None) => Scope::Device(
            SerialNumber::parse(&serial).map_err(|error| ApiError::invalid("device", &error.to_string()))?,
        ),
        (Some(_), Some(_)) => {
            return Err(ApiError::invalid("site", "is beside `device`, which has a site; send one of them"));
        }
    };
    let bound = |field: &str, text: Option<String>| {
        let read = |text: String| text.parse::<Bound>().map_err(|error| ApiError::invalid(field, &error.to_string()));
        text.map(read).transpose()
    };
    let validity = Validity { from: bound("valid_from", new.valid_from)?, to: bound("valid_to", new.valid_to)? };
    if validity.is_empty() {
        let problem = "is before `valid_from`; it is the last day, or the moment of the end";
        return Err(ApiError::invalid("valid_to", problem));
    }
    Ok(Identity { pin, id: new.id, name: new.name, scope, validity, shifts: new.shifts })
}

/// Who is registered, by badge.
pub(super) async fn list_employees(State(api): State<Api>, query: Pairs) -> Result<Response, ApiError> {
    let asked = Asked::of(query, &TERMS)?;
    let wanted = ["badge_number", "id", "site", "device"].map(|name| (name, asked.text(name)));
    let known = api.store.read(Identity::all).await?;
    let fits = |row: &Value| {
        let is = |name: &str, text: &str| row.get(name).and_then(Value::as_str) == Some(text);
        wanted.iter().all(|(name, text)| text.as_ref().is_none_or(|text| is(name, text)))
    };
    asked.arrange(known.iter().map(shown).filter(fits).collect(), &["badge_number", "device", "site", "valid_from"])
}

fn shown(identity: &Identity) -> Value {
    let (device, site) = match &identity.scope {
        Scope::Tenant => (None, None),
        Scope::Site(name) => (None, Some(name.as_str())),
        Scope::Device(serial) => (Some(serial.as_str()), None),
    };
    let bound = |bound: Option<Bound>| bound.map(|bound| bound.to_string());
    json!({
        "badge_number": identity.pin.to_text(),
        "id": identity.id,
        "name": identity.name,
        "device": device,
        "site": site,
        "valid_from": bound(identity.validity.from),
        "valid_to": bound(identity.validity.to),
        "shifts": identity.shifts,
    })
}
