use axum::extract::{FromRequest, FromRequestParts, Request};
use axum::http::request::Parts;
use serde::de::DeserializeOwned;
use serde_json::value::RawValue;

use super::envelope::ApiError;

/// What the path of a call names; what cannot be is refused with the error object, as everything is.
#[derive(Debug)]
pub(super) struct Path<T>(pub(super) T);

impl<S: Send + Sync, T: DeserializeOwned + Send> FromRequestParts<S> for Path<T> {
    type Rejection = ApiError;

    async fn from_request_parts(parts: &mut Parts, state: &S) -> Result<Self, ApiError> {
        let named = axum::extract::Path::from_request_parts(parts, state).await;
        let problem = "in the path cannot be one, expected a number where that is asked for, and UTF-8";
        named.map(|axum::extract::Path(named)| Self(named)).map_err(|_| ApiError::invalid("id", problem))
    }
}

/// The object that a call sends. A list of its values, in their order, is none.
#[derive(Debug)]
pub(super) struct Json<T>(pub(super) T);

impl<S: Send + Sync, T: DeserializeOwned> FromRequest<S> for Json<T> {
    type Rejection = ApiError;

    async fn from_request(request: Request, state: &S) -> Result<Self, ApiError> {
        let axum::Json(body) = axum::Json::<Box<RawValue>>::from_request(request, state).await?;
        if !body.get().starts_with('{') {
            return Err(ApiError::invalid("body", "is JSON and no object, expected an object with named members"));
        }
        let axum::Json(value) = axum::Json::from_bytes(body.get().as_bytes())?;
        Ok(Self(value))
    }
}
