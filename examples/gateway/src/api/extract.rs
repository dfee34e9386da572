use axum::extract::FromRequestParts;
use axum::http::request::Parts;
use serde::de::DeserializeOwned;

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
