//! Posts of access systems, on the listener of the terminals.

use axum::Router;
use axum::body::{Body, BodyDataStream};
use axum::extract::{Extension, Path, State};
use axum::http::header::CONTENT_TYPE;
use axum::http::{HeaderMap, StatusCode};
use axum::response::{IntoResponse as _, Response};
use axum::routing::post;
use bytes::Bytes;
use futures_util::StreamExt as _;
use punch_erp::hikcentral::NOTIFICATION_BODY_MAX;
use sources::Answer;
use sources::isapi::Pieces;

use super::{Feed, Sources, System};
use crate::listen::Client;

impl Sources {
    /// The paths that are posted to.
    pub(crate) fn router(&self) -> Router {
        Router::new()
            .route("/hik/events/{name}", post(hikcentral))
            .route("/isapi/events/{token}", post(isapi))
            .with_state(self.clone())
    }
}

impl Feed {
    fn lets_in(&self, client: Client) -> bool {
        let is_in = self.config.allow.is_empty() || self.config.allow.contain(client.address);
        if !is_in {
            tracing::warn!(source = self.config.name, client = %client.address, "a post from an address that is not in `allow`");
        }
        is_in
    }
}

async fn hikcentral(
    State(sources): State<Sources>,
    Extension(client): Extension<Client>,
    Path(name): Path<String>,
    headers: HeaderMap,
    body: Body,
) -> Response {
    let feed = sources.0.iter().find(|feed| feed.config.name == name);
    let Some((feed, System::HikCentral(hikcentral))) = feed.map(|feed| (feed, &feed.system)) else {
        return StatusCode::NOT_FOUND.into_response();
    };
    if !feed.lets_in(client) {
        hikcentral.refused();
        return StatusCode::FORBIDDEN.into_response();
    }
    // Before anything of the body is read.
    if let Err(refusal) = hikcentral.admit(&headers) {
        return respond(refusal);
    }
    match axum::body::to_bytes(body, NOTIFICATION_BODY_MAX).await {
        Ok(body) => respond(hikcentral.receive(feed, &body).await),
        Err(_) => StatusCode::PAYLOAD_TOO_LARGE.into_response(),
    }
}

async fn isapi(
    State(sources): State<Sources>,
    Extension(client): Extension<Client>,
    Path(token): Path<String>,
    headers: HeaderMap,
    body: Body,
) -> Response {
    // Every token is looked at, so that time tells nothing.
    let is_of = |feed: &&Feed| feed.config.path_token.is_some_and(|known| known.is(&token));
    let found: Vec<&Feed> = sources.0.iter().filter(is_of).collect();
    let Some((feed, System::Isapi(isapi))) = found.first().map(|feed| (*feed, &feed.system)) else {
        tracing::warn!(client = %client.address, "a post to a path that is no terminal's");
        return StatusCode::NOT_FOUND.into_response();
    };
    if !feed.lets_in(client) {
        isapi.refused();
        return StatusCode::FORBIDDEN.into_response();
    }
    let content_type = headers.get(CONTENT_TYPE).and_then(|kind| kind.to_str().ok()).unwrap_or_default();
    respond(isapi.receive(feed, content_type, &mut Stream(body.into_data_stream())).await)
}

struct Stream(BodyDataStream);

impl Pieces for Stream {
    async fn next_piece(&mut self) -> Option<Result<Bytes, ()>> {
        Some(self.0.next().await?.map_err(|_| ()))
    }
}

fn respond(Answer { status, body }: Answer) -> Response {
    (status, [(CONTENT_TYPE, "application/json")], body).into_response()
}
