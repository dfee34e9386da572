use axum::extract::State;
use axum::http::StatusCode;
use axum::response::Response;
use punch_protocol::{Pin, SerialNumber};
use serde::{Deserialize, Serialize};
use serde_json::json;
use utoipa::ToSchema;
use utoipa::openapi::schema::{KnownFormat, ObjectBuilder, OneOfBuilder, Schema, SchemaFormat, Type};

use super::Api;
use super::envelope::{ApiError, One, Page, one};
use super::extract::Json;
use super::listing::{Asked, Pairs};
use super::terms::{Kind, Terms};
use crate::core::{Bound, Clash, Identity, Scope, Validity};
use crate::device::{Devices, Released};
use crate::store::register;

/// Somebody who is to be registered.
#[derive(Default, Deserialize, ToSchema)]
#[serde(deny_unknown_fields)]
pub(crate) struct NewEmployee {
    /// The PIN as the terminal sends it, with its zeros.
    #[schema(min_length = 1, pattern = r"[^ \u0000]", example = "1042")]
    badge_number: String,
    /// A key that stays the person's.
    #[schema(pattern = r"\S")]
    id: Option<String>,
    name: Option<String>,
    /// At this terminal only.
    #[schema(min_length = 1, max_length = 64, pattern = r"^[A-Za-z0-9_-][A-Za-z0-9_.-]*$")]
    device: Option<String>,
    /// At this site only.
    site: Option<String>,
    /// A day, or a moment.
    #[schema(schema_with = bound, required = false)]
    valid_from: Option<String>,
    /// The last day, or the moment of the end.
    #[schema(schema_with = bound, required = false)]
    valid_to: Option<String>,
    /// Names of `[[shift]]` in `punch.toml`.
    #[serde(default)]
    shifts: Vec<String>,
}

fn bound() -> Schema {
    let text = |format| ObjectBuilder::new().schema_type(Type::String).format(Some(SchemaFormat::KnownFormat(format)));
    let none = ObjectBuilder::new().schema_type(Type::Null);
    OneOfBuilder::new().item(none).item(text(KnownFormat::Date)).item(text(KnownFormat::DateTime)).build().into()
}

/// Somebody who was registered.
#[derive(Serialize, ToSchema)]
pub(super) struct Registered {
    badge_number: String,
    /// Rows that were held for them and are punches now.
    released_rows: u64,
}

/// Somebody who is registered.
#[derive(Serialize, ToSchema)]
pub(super) struct Employee {
    badge_number: String,
    id: Option<String>,
    name: Option<String>,
    /// At this terminal only.
    device: Option<String>,
    /// At this site only.
    site: Option<String>,
    valid_from: Option<String>,
    valid_to: Option<String>,
    shifts: Vec<String>,
}

impl NewEmployee {
    /// Somebody who has this badge everywhere and for ever.
    pub(crate) fn everywhere(badge_number: String, name: Option<String>) -> Self {
        Self { badge_number, name, ..Self::default() }
    }
}

pub(super) const TERMS: Terms = Terms {
    filters: &[("badge_number", Kind::Text), ("id", Kind::Text), ("site", Kind::Text), ("device", Kind::Text)],
    sorts: &[("badge_number", "badge"), ("name", "name"), ("id", "id"), ("site", "site"), ("valid_from", "valid_from")],
    newest_first: false,
};

/// Registers a badge and releases the rows that were held for it.
// S2-070
#[utoipa::path(post, path = "/v1/employees", request_body = NewEmployee,
    responses((status = 201, body = One<Registered>)))]
pub(super) async fn add_employee(
    State(api): State<Api>,
    body: Result<Json<NewEmployee>, ApiError>,
) -> Result<Response, ApiError> {
    let Json(new) = body?;
    let badge = new.badge_number.clone();
    let released = enter(&api, new).await?;
    Ok(one(StatusCode::CREATED, &Registered { badge_number: badge, released_rows: released.delivered }))
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
#[utoipa::path(get, path = "/v1/employees", responses((status = 200, body = Page<Employee>)))]
pub(super) async fn list_employees(State(api): State<Api>, query: Pairs) -> Result<Response, ApiError> {
    let asked = Asked::of(query, &TERMS)?;
    let [badge, id, site, device] = ["badge_number", "id", "site", "device"].map(|name| asked.text(name));
    let known = api.store.read(Identity::all).await?;
    let is = |wanted: &Option<String>, text: Option<&str>| wanted.is_none() || wanted.as_deref() == text;
    let fits = |row: &Employee| {
        is(&badge, Some(&row.badge_number))
            && is(&id, row.id.as_deref())
            && is(&site, row.site.as_deref())
            && is(&device, row.device.as_deref())
    };
    let rows = known.iter().map(shown).filter(fits).map(|row| json!(row));
    asked.arrange(rows.collect(), &["badge_number", "device", "site", "valid_from"])
}

fn shown(identity: &Identity) -> Employee {
    let (device, site) = match &identity.scope {
        Scope::Tenant => (None, None),
        Scope::Site(name) => (None, Some(name.clone())),
        Scope::Device(serial) => (Some(serial.to_string()), None),
    };
    let bound = |bound: Option<Bound>| bound.map(|bound| bound.to_string());
    Employee {
        badge_number: identity.pin.to_text().into_owned(),
        id: identity.id.clone(),
        name: identity.name.clone(),
        device,
        site,
        valid_from: bound(identity.validity.from),
        valid_to: bound(identity.validity.to),
        shifts: identity.shifts.clone(),
    }
}
