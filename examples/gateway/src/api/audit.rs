//! The audit log over the API: what is written into it, and how it is read.

use axum::Extension;
use axum::RequestExt as _;
use axum::body::Body;
use axum::extract::{MatchedPath, RawPathParams, Request, State};
use axum::http::header::CONTENT_TYPE;
use axum::http::{Method, StatusCode};
use axum::middleware::Next;
use axum::response::{IntoResponse as _, Response};
use bytes::Bytes;
use futures_util::stream;
use serde::Serialize;
use utoipa::ToSchema;

use super::Api;
use super::auth::Caller;
use super::envelope::{ApiError, One, Page, one};
use super::listing::{Asked, Pairs};
use super::terms::{Kind, Terms};
use crate::core::{Deed, Linked, Outcome};
use crate::listen::Client;
use crate::store::{Audited, Intent, StoreError, audit_after, audit_head};

/// Whatever changes something is written down: who asked for it, what it was about, and what came of it.
pub(super) async fn record(
    State(api): State<Api>,
    Extension(caller): Extension<Caller>,
    mut request: Request,
    next: Next,
) -> Response {
    let path = request.uri().path();
    // What a clock showed is a measurement, made every few minutes.
    if is_reading(request.method()) || (path.starts_with("/v1/devices/") && path.ends_with("/clock")) {
        return next.run(request).await;
    }
    // What an agent brings is written down with what it changes: most of it is known already.
    let is_brought = path.starts_with("/v1/devices/") && path.ends_with("/punches");
    let deed = caller.deed(&mut request).await;
    let status = |response: &Response| {
        let status = response.status().as_u16();
        (!is_brought || status >= 400).then_some(status)
    };
    Intent::carry_out(&api.store, deed, next.run(request), status).await
}

/// Writes down that a key was refused what it is not good for.
pub(super) async fn record_refusal(api: &Api, caller: Caller, mut request: Request) -> Response {
    let refusal = ApiError::forbidden(caller.scope).into_response();
    if is_reading(request.method()) {
        return refusal;
    }
    let deed = caller.deed(&mut request).await;
    Intent::carry_out(&api.store, deed, async { refusal }, |refusal| Some(refusal.status().as_u16())).await
}

pub(crate) fn is_reading(method: &Method) -> bool {
    matches!(*method, Method::GET | Method::HEAD | Method::OPTIONS)
}

impl Caller {
    async fn deed(self, request: &mut Request) -> Deed {
        let deed = asked(request, "api").await;
        Deed { key: Some(self.key), scope: Some(self.scope.as_str().to_owned()), ..deed }
    }
}

/// What a request asks: its method, its route, the first id in its path.
pub(crate) async fn asked(request: &mut Request, via: &str) -> Deed {
    let parameters = request.extract_parts::<RawPathParams>().await.ok();
    let route = request.extensions().get::<MatchedPath>().map(|path| path.as_str().to_owned()).unwrap_or_default();
    // Whoever somebody is, is not written down.
    let names_people = route.starts_with("/v1/employees");
    let target = parameters.as_ref().and_then(|parameters| parameters.iter().next());
    let target = target.map(|(_, id)| id.to_owned()).filter(|id| !names_people && is_id(id));
    let source = request.extensions().get::<Client>().map(|client| client.address.to_string());
    let action = format!("{} {route}", request.method());
    Deed { via: via.to_owned(), source, action, target, ..Deed::default() }
}

/// Longest id that is written down, in bytes.
const ID_MAX: usize = 64;

fn is_id(text: &str) -> bool {
    text.len() <= ID_MAX && text.bytes().all(|byte| byte.is_ascii_alphanumeric() || b"_-.:".contains(&byte))
}

pub(super) const TERMS: Terms = Terms {
    filters: &[
        ("via", Kind::Words(|| vec!["api", "dashboard", "configuration", "source", "retention"])),
        ("key_id", Kind::ID),
        ("action", Kind::Text),
        ("target", Kind::Text),
        ("outcome", Kind::Words(|| Outcome::ALL.map(Outcome::as_str).to_vec())),
        ("since", Kind::Moment),
        ("until", Kind::Moment),
    ],
    sorts: &[("seq", "seq"), ("at", "at"), ("action", "action")],
    newest_first: true,
};

/// Who changed what, when, and what came of it: entries of the audit log.
#[utoipa::path(get, path = "/v1/audit", operation_id = "list_audit", responses((status = 200, body = Page<Linked>)))]
pub(super) async fn list(State(api): State<Api>, query: Pairs) -> Result<Response, ApiError> {
    let asked = Asked::of(query, &TERMS)?;
    let texts = ["via", "outcome", "action", "target"].map(|column| (column, asked.text(column)));
    let which = Audited {
        texts: texts.into_iter().filter_map(|(column, text)| Some((column, text?))).collect(),
        key: asked.number("key_id"),
        since: asked.moment("since"),
        until: asked.moment("until"),
    };
    let part = asked.part()?;
    let (rows, total) = api.store.read(move |c| Ok((which.part(c, part)?, which.total(c)?))).await?;
    Ok(asked.page(rows.into_iter().map(|linked| (linked.entry.seq, linked)).collect(), total))
}

/// The end of the audit log.
#[derive(Serialize, ToSchema)]
pub(super) struct AuditHead {
    /// The number of the last entry; 0 if there is none.
    seq: u64,
    /// What to note elsewhere.
    head: String,
}

/// The end of the audit log: whoever notes it elsewhere notices when something before it is changed or taken away.
#[utoipa::path(get, path = "/v1/audit/head", operation_id = "show_audit_head",
    responses((status = 200, body = One<AuditHead>)))]
pub(super) async fn head(State(api): State<Api>) -> Result<Response, ApiError> {
    let head = api.store.read(audit_head).await?;
    Ok(one(StatusCode::OK, &AuditHead { seq: head.seq, head: head.to_string() }))
}

pub(super) const EXPORT: Terms = Terms { filters: &[("after", Kind::ID)], sorts: &[], newest_first: false };

/// Entries that are read from the store at once.
const SLICE: u32 = 500;

/// The audit log as it is, an entry a line, from the first one or from behind `after`.
#[utoipa::path(get, path = "/v1/audit/export", operation_id = "export_audit",
    responses((status = 200, content((String = "application/x-ndjson")))))]
pub(super) async fn export(State(api): State<Api>, query: Pairs) -> Result<Response, ApiError> {
    let after = Asked::of(query, &EXPORT)?.number("after").unwrap_or(0);
    let lines = stream::unfold(Some(after), move |after| {
        let api = api.clone();
        async move {
            let after = after?;
            match api.store.read(move |connection| audit_after(connection, after, SLICE)).await {
                Ok(slice) => slice.last().map(|last| last.entry.seq).map(|last| (written(&slice), Some(last))),
                // A part that cannot be read breaks the answer off, so that nobody takes it for the whole.
                Err(error) => Some((Err(error), None)),
            }
        }
    });
    Ok(([(CONTENT_TYPE, "application/x-ndjson")], Body::from_stream(lines)).into_response())
}

fn written(slice: &[Linked]) -> Result<Bytes, StoreError> {
    let mut lines = Vec::new();
    for linked in slice {
        serde_json::to_writer(&mut lines, linked).map_err(StoreError::Json)?;
        lines.push(b'\n');
    }
    Ok(lines.into())
}
