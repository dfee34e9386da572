//! Who looks at a page, in which language, and whether they may.

use axum::Extension;
use axum::body::{Body, to_bytes};
use axum::extract::{Form, FromRequest as _, Query, Request, State};
use axum::http::header::{ACCEPT_LANGUAGE, CONTENT_LANGUAGE, COOKIE, HeaderValue, ORIGIN, SET_COOKIE};
use axum::http::{HeaderMap, Method, StatusCode};
use axum::middleware::Next;
use axum::response::{IntoResponse, Redirect, Response};
use serde::Deserialize;
use subtle::ConstantTimeEq as _;

use super::Dashboard;
use super::language::Language;
use super::layout::page;
use super::notice::Notice;
use super::seal::{Session, random};
use super::text::{self, Text};
use super::widgets::address;
use crate::api::ApiError;
use crate::core::KeyScope;
use crate::listen::Client;
use crate::store::StoreError;

/// The longest form, in bytes.
const FORM_MAX: usize = 16 << 10;

/// Says who is logged in.
pub(super) const SESSION_COOKIE: &str = "punch_session";

/// Tells visitors apart that are not logged in, so that their forms have tokens too.
const VISITOR_COOKIE: &str = "punch_visitor";

/// Says which language somebody has chosen.
pub(super) const LANGUAGE_COOKIE: &str = "punch_language";

/// Somebody who looks at a page.
#[derive(Debug, Clone)]
pub(super) struct Visit {
    pub(super) language: Language,
    /// `None` if they are not logged in.
    pub(super) session: Option<Session>,
    /// What the key allows that has let them in.
    scope: Option<KeyScope>,
    /// What each of their forms carries.
    pub(super) token: String,
    /// The page they look at, to come back to.
    pub(super) here: String,
    /// What they are told of what they did last.
    pub(super) notice: Option<Notice>,
    /// Whether they came by https, as far as is said.
    pub(super) is_secure: bool,
}

impl Visit {
    pub(super) fn say(&self, text: Text) -> &'static str {
        self.language.say(text)
    }

    /// Whether their key lets them look at a page, or do what a form there does: what it allows over the API.
    pub(super) fn may(&self, reads: bool, path: &str) -> bool {
        self.scope.is_some_and(|scope| scope.allows(reads, route_of(path)))
    }
}

/// Why there is no page. It becomes one on its way out, in the language of whoever asked.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub(super) enum Refusal {
    /// There is no such thing.
    Missing,
    /// A form without its token, or with that of somebody else.
    Token,
    /// The key does not allow it.
    Scope,
    /// The store cannot be read or written, or something has stopped.
    Unavailable,
}

impl Refusal {
    fn status(self) -> StatusCode {
        match self {
            Self::Missing => StatusCode::NOT_FOUND,
            Self::Token | Self::Scope => StatusCode::FORBIDDEN,
            Self::Unavailable => StatusCode::SERVICE_UNAVAILABLE,
        }
    }

    fn text(self) -> (Text, Text) {
        match self {
            Self::Missing => (text::MISSING, text::MISSING_LONG),
            Self::Token => (text::FORM_REFUSED, text::FORM_REFUSED_LONG),
            Self::Scope => (text::NOT_ALLOWED, text::NOT_ALLOWED_LONG),
            Self::Unavailable => (text::UNAVAILABLE, text::UNAVAILABLE_LONG),
        }
    }
}

impl IntoResponse for Refusal {
    fn into_response(self) -> Response {
        (self.status(), Extension(self)).into_response()
    }
}

impl From<StoreError> for Refusal {
    fn from(error: StoreError) -> Self {
        tracing::error!(%error, "a page of the dashboard cannot be shown");
        Self::Unavailable
    }
}

impl From<ApiError> for Refusal {
    fn from(error: ApiError) -> Self {
        if error.cause().0 == "not_found" { Self::Missing } else { Self::Unavailable }
    }
}

/// Finds out who it is. What was refused on the way becomes a page here.
pub(super) async fn enter(
    State(dashboard): State<Dashboard>,
    Extension(client): Extension<Client>,
    mut request: Request,
    next: Next,
) -> Response {
    let headers = request.headers();
    let known = cookie(headers, VISITOR_COOKIE).map(ToOwned::to_owned);
    let Some(visitor) = known.clone().or_else(random) else { return Refusal::Unavailable.into_response() };
    let session = match cookie(headers, SESSION_COOKIE) {
        Some(cookie) => dashboard.session(cookie).await,
        None => Ok(None),
    };
    let Ok(session) = session else { return Refusal::Unavailable.into_response() };
    let chosen = cookie(headers, LANGUAGE_COOKIE).and_then(Language::of);
    let accepted = || headers.get(ACCEPT_LANGUAGE).and_then(|value| value.to_str().ok()).map(Language::preferred);
    // What a form leads to is no page to come back to.
    let is_page = request.method() == Method::GET;
    let here = request.uri().path_and_query().filter(|_| is_page).map_or("/dashboard", |here| here.as_str());
    let visit = Visit {
        language: chosen.or_else(accepted).unwrap_or_default(),
        token: dashboard.seal.token(session.as_ref().map_or(&visitor, |session| &session.id)),
        scope: session.as_ref().and_then(|session| dashboard.caller(session)).map(|caller| caller.scope),
        session,
        here: here.to_owned(),
        notice: Query::try_from_uri(request.uri()).ok().and_then(|Query(query)| Notice::of(query)),
        is_secure: client.is_tls || is_secure(headers),
    };
    request.extensions_mut().insert(visit.clone());
    let mut response = next.run(request).await;
    if let Some(refusal) = response.extensions().get::<Refusal>() {
        let (title, text) = refusal.text();
        let content = maud::html! { p { (visit.say(text)) } };
        response = (refusal.status(), page(&visit, title, &content)).into_response();
    }
    response.headers_mut().insert(CONTENT_LANGUAGE, HeaderValue::from_static(visit.language.code()));
    if known.is_none() {
        set_cookie(&mut response, &visit, VISITOR_COOKIE, &visitor, None);
    }
    response
}

/// The route of the API that tells or does the same as a page, as far as scopes tell routes apart.
fn route_of(path: &str) -> &str {
    match path.strip_prefix("/dashboard/").unwrap_or_default().split('/').next().unwrap_or_default() {
        "punches" | "events" => "/v1/attendance",
        "devices" => "/v1/devices",
        "sites" => "/v1/sites",
        _ => "/v1/deliveries",
    }
}

/// Lets those in whose key allows it, and sends everybody else to the login.
pub(super) async fn members_only(Extension(visit): Extension<Visit>, request: Request, next: Next) -> Response {
    if visit.session.is_some() {
        let (path, reads) = (request.uri().path(), matches!(*request.method(), Method::GET | Method::HEAD));
        // Whoever is in can leave.
        return match path {
            _ if path == "/dashboard/logout" || visit.may(reads, path) => next.run(request).await,
            // Whoever inspects working time begins there.
            "/dashboard" => Redirect::to("/dashboard/punches").into_response(),
            _ => Refusal::Scope.into_response(),
        };
    }
    let is_page = request.method() == Method::GET && visit.here != "/dashboard";
    if !is_page {
        return Redirect::to("/dashboard/login").into_response();
    }
    Redirect::to(&address("/dashboard/login", &[("to", &visit.here)])).into_response()
}

#[derive(Deserialize)]
struct Token {
    token: String,
}

/// Lets a form pass that carries the token of its visitor. Another site can send a form from here, but not read that.
pub(super) async fn with_token(Extension(visit): Extension<Visit>, request: Request, next: Next) -> Response {
    if matches!(*request.method(), Method::GET | Method::HEAD) {
        return next.run(request).await;
    }
    let (parts, body) = request.into_parts();
    let Ok(body) = to_bytes(body, FORM_MAX).await else { return Refusal::Token.into_response() };
    let copy = Request::from_parts(parts.clone(), Body::from(body.clone()));
    match Form::<Token>::from_request(copy, &()).await {
        Ok(Form(Token { token })) if bool::from(token.as_bytes().ct_eq(visit.token.as_bytes())) => {
            next.run(Request::from_parts(parts, Body::from(body))).await
        }
        Ok(_) | Err(_) => Refusal::Token.into_response(),
    }
}

/// What is not there.
pub(super) async fn nowhere() -> Refusal {
    Refusal::Missing
}

fn cookie<'a>(headers: &'a HeaderMap, name: &str) -> Option<&'a str> {
    let lines = headers.get_all(COOKIE).iter().filter_map(|value| value.to_str().ok());
    let mut pairs = lines.flat_map(|line| line.split(';')).filter_map(|pair| pair.trim().split_once('='));
    pairs.find(|(known, _)| *known == name).map(|(_, value)| value)
}

/// Makes the browser keep a value for this dashboard: until it is closed, or for so many seconds.
pub(super) fn set_cookie(response: &mut Response, visit: &Visit, name: &str, value: &str, seconds: Option<i64>) {
    let age = seconds.map(|seconds| format!("; Max-Age={seconds}")).unwrap_or_default();
    let secure = if visit.is_secure { "; Secure" } else { "" };
    let text = format!("{name}={value}; Path=/dashboard; HttpOnly; SameSite=Strict{age}{secure}");
    // All of it is ours and ASCII.
    if let Ok(value) = HeaderValue::from_str(&text) {
        response.headers_mut().append(SET_COOKIE, value);
    }
}

/// Whether the browser speaks https: its form says so, or the proxy before us. Who lies about it only harms himself.
fn is_secure(headers: &HeaderMap) -> bool {
    let text = |name: &str| headers.get(name).and_then(|value| value.to_str().ok()).unwrap_or_default();
    text(ORIGIN.as_str()).starts_with("https://") || text("x-forwarded-proto").eq_ignore_ascii_case("https")
}
