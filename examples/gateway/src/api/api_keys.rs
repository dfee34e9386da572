use axum::Json;
use axum::extract::rejection::JsonRejection;
use axum::extract::{Path, State};
use axum::http::StatusCode;
use axum::response::Response;
use serde::Deserialize;
use serde_json::{Value, json};

use super::Api;
use super::auth::{ApiKey, hash_key};
use super::envelope::{ApiError, one};
use super::idempotent::KeptInstead;
use super::listing::{Asked, Pairs, Terms};
use crate::clock::now;
use crate::core::KeyScope;
use crate::store::{ApiKeyRow, Intent};

#[derive(Deserialize)]
#[serde(deny_unknown_fields)]
pub(super) struct NewKey {
    name: String,
    scope: String,
}

/// Longest name of a key, in bytes.
const NAME_MAX: usize = 100;

const TERMS: Terms = Terms {
    filters: &["scope", "state"],
    sorts: &[("id", "id"), ("name", "name"), ("scope", "scope"), ("created_at", "created_at")],
    newest_first: false,
};

/// Makes a key and shows it once.
pub(super) async fn add(
    State(api): State<Api>,
    body: Result<Json<NewKey>, JsonRejection>,
) -> Result<Response, ApiError> {
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
    if let Some(members) = shown.as_object_mut() {
        members.insert("key".to_owned(), key.expose().into());
    }
    let mut response = one(StatusCode::CREATED, &shown);
    // What is kept for a repetition of the call is kept in clear, so the key is not.
    response.extensions_mut().insert(KeptInstead::of(without).await?);
    Ok(response)
}

/// The keys, without the keys.
pub(super) async fn list(State(api): State<Api>, query: Pairs) -> Result<Response, ApiError> {
    let asked = Asked::of(query, &TERMS)?;
    let scope = asked.one_of("scope", &KeyScope::WORDS)?;
    let state = asked.one_of("state", &["active", "revoked"])?;
    let rows = api.store.read(ApiKeyRow::all).await?;
    let rows = rows.iter().filter(|row| scope.is_none_or(|scope| row.scope.as_str() == scope));
    let rows = rows.filter(|row| state.is_none_or(|state| row.revoked_at.is_some() == (state == "revoked")));
    asked.arrange(rows.map(described).collect(), &["id"])
}

/// Takes a key back. Calls with it are refused from now on.
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

fn described(row: &ApiKeyRow) -> Value {
    json!({
        "id": row.id, "name": row.name, "scope": row.scope.as_str(), "created_at": row.created_at.to_rfc3339(),
        "revoked_at": row.revoked_at.map(|at| at.to_rfc3339()),
    })
}
