use axum::extract::State;
use axum::http::StatusCode;
use axum::response::Response;
use serde::{Deserialize, Serialize};
use serde_json::json;
use utoipa::ToSchema;
use utoipa::openapi::schema::Object;

use super::Api;
use super::auth::{ApiKey, hash_key};
use super::envelope::{ApiError, One, Page, one};
use super::extract::{Json, Path};
use super::idempotent::KeptInstead;
use super::listing::{Asked, Pairs};
use super::terms::{Kind, Terms, words};
use crate::clock::now;
use crate::core::KeyScope;
use crate::store::{ApiKeyRow, Intent, written};

/// A key that is to be made.
#[derive(Deserialize, ToSchema)]
#[serde(deny_unknown_fields)]
pub(super) struct NewKey {
    /// Whose it is.
    #[schema(min_length = 1, max_length = 100, pattern = r"\S", example = "payroll")]
    name: String,
    #[schema(schema_with = scopes)]
    scope: String,
}

/// A key, without the key.
#[derive(Serialize, ToSchema)]
pub(super) struct ShownKey {
    id: i64,
    name: String,
    #[schema(schema_with = scopes)]
    scope: &'static str,
    created_at: String,
    revoked_at: Option<String>,
    /// The key itself: in the answer to the call that made it, and nowhere else.
    #[serde(skip_serializing_if = "Option::is_none")]
    #[schema(nullable = false)]
    key: Option<String>,
}

fn scopes() -> Object {
    words(KeyScope::WORDS)
}

/// Longest name of a key, in bytes.
const NAME_MAX: usize = 100;

pub(super) const TERMS: Terms = Terms {
    filters: &[
        ("scope", Kind::Words(|| KeyScope::WORDS.to_vec())),
        ("state", Kind::Words(|| vec!["active", "revoked"])),
    ],
    sorts: &[("id", "id"), ("name", "name"), ("scope", "scope"), ("created_at", "created_at")],
    newest_first: false,
};

/// Makes a key and shows it once.
#[utoipa::path(post, path = "/v1/api-keys", operation_id = "add_api_key", request_body = NewKey,
    responses((status = 201, body = One<ShownKey>)))]
pub(super) async fn add(State(api): State<Api>, body: Result<Json<NewKey>, ApiError>) -> Result<Response, ApiError> {
    let Json(NewKey { name, scope }) = body?;
    let expected = || format!("expected one of: {}", KeyScope::WORDS.join(", "));
    let scope = KeyScope::of(&scope).ok_or_else(|| ApiError::invalid("scope", &expected()))?;
    if name.trim().is_empty() || name.len() > NAME_MAX {
        return Err(ApiError::invalid("name", "expected whose it is, in 1 to 100 bytes"));
    }
    let mut bytes = [0; 32];
    getrandom::fill(&mut bytes).map_err(|error| ApiError::unavailable(&error.to_string()))?;
    let key = ApiKey::from_random(bytes);
    let hash = hash_key(key.expose());
    let intent = Intent::current();
    intent.detail("scope", scope.as_str());
    let put = api.store.write(move |tx| {
        let id = ApiKeyRow::put(tx, name.trim(), &hash, scope, now())?;
        intent.about(id);
        Ok((id, ApiKeyRow::all(tx)?))
    });
    let (id, rows) = put.await?;
    api.keys.renew(&rows);
    let row = rows.iter().find(|row| row.id == id).ok_or_else(|| ApiError::not_found("API key"))?;
    let mut shown = described(row);
    let without = one(StatusCode::CREATED, &shown);
    shown.key = Some(key.expose().to_owned());
    let mut response = one(StatusCode::CREATED, &shown);
    // What is kept for a repetition of the call is kept in clear, so the key is not.
    response.extensions_mut().insert(KeptInstead::of(without).await?);
    Ok(response)
}

/// The keys, without the keys.
#[utoipa::path(get, path = "/v1/api-keys", operation_id = "list_api_keys",
    responses((status = 200, body = Page<ShownKey>)))]
pub(super) async fn list(State(api): State<Api>, query: Pairs) -> Result<Response, ApiError> {
    let asked = Asked::of(query, &TERMS)?;
    let (scope, state) = (asked.word("scope"), asked.word("state"));
    let rows = api.store.read(ApiKeyRow::all).await?;
    let rows = rows.iter().filter(|row| scope.is_none_or(|scope| row.scope.as_str() == scope));
    let rows = rows.filter(|row| state.is_none_or(|state| row.revoked_at.is_some() == (state == "revoked")));
    asked.arrange(rows.map(|row| json!(described(row))).collect(), &["id"])
}

/// Takes a key back. Calls with it are refused from now on.
#[utoipa::path(delete, path = "/v1/api-keys/{id}", operation_id = "revoke_api_key",
    responses((status = 200, body = One<ShownKey>)))]
pub(super) async fn revoke(State(api): State<Api>, Path(id): Path<i64>) -> Result<Response, ApiError> {
    let is_spare = api.keys.has_one_in_file();
    let work = api.store.write(move |tx| Ok((ApiKeyRow::revoke(tx, id, is_spare, now())?, ApiKeyRow::all(tx)?)));
    let (is_done, rows) = work.await?;
    api.keys.renew(&rows);
    let row = rows.iter().find(|row| row.id == id).ok_or_else(|| ApiError::not_found("API key"))?;
    match (is_done, row.revoked_at) {
        (true, _) => Ok(one(StatusCode::OK, &described(row))),
        (false, Some(_)) => Err(ApiError::conflict("id", "is of a key that was taken back already")),
        (false, None) => {
            Err(ApiError::conflict("id", "is of the last key with the scope `admin`; make another one first"))
        }
    }
}

fn described(row: &ApiKeyRow) -> ShownKey {
    ShownKey {
        id: row.id,
        name: row.name.clone(),
        scope: row.scope.as_str(),
        created_at: written(row.created_at),
        revoked_at: row.revoked_at.map(written),
        key: None,
    }
}
