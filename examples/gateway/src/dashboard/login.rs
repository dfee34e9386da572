use std::sync::PoisonError;

use axum::Extension;
use axum::extract::rejection::QueryRejection;
use axum::extract::{Form, Query, State};
use axum::http::StatusCode;
use axum::http::header::{HeaderValue, RETRY_AFTER};
use axum::response::{IntoResponse as _, Redirect, Response};
use maud::html;
use serde::Deserialize;

use super::Dashboard;
use super::language::Language;
use super::layout::page;
use super::seal::{SESSION, Session, random};
use super::text::{self, Text};
use super::visit::{LANGUAGE_COOKIE, Refusal, SESSION_COOKIE, Visit, set_cookie};
use super::widgets::token;
use crate::clock::now;
use crate::core::Deed;
use crate::listen::Client;
use crate::store::{Intent, end_session, keep_session};

/// How long a chosen language is remembered, in seconds: a year.
const LANGUAGE_SECONDS: i64 = 31_536_000;

#[derive(Default, Deserialize)]
#[serde(default)]
pub(super) struct Goal {
    to: String,
}

impl Goal {
    /// Only pages of ours: whoever logs in is not sent elsewhere.
    fn page(&self) -> &str {
        let is_ours =
            self.to == "/dashboard" || self.to.starts_with("/dashboard/") || self.to.starts_with("/dashboard?");
        if is_ours && self.to.bytes().all(|byte| byte.is_ascii_graphic()) { &self.to } else { "/dashboard" }
    }
}

/// The form that asks for the API key.
pub(super) async fn show(Extension(visit): Extension<Visit>, goal: Result<Query<Goal>, QueryRejection>) -> Response {
    let Query(goal) = goal.unwrap_or_default();
    if visit.session.is_some() {
        return Redirect::to(goal.page()).into_response();
    }
    ask(&visit, &goal, None)
}

fn ask(visit: &Visit, goal: &Goal, problem: Option<Text>) -> Response {
    let content = html! {
        form.card.narrow method="post" action="/dashboard/login" {
            (token(visit))
            input type="hidden" name="to" value=(goal.page());
            @if let Some(problem) = problem {
                p.notice.bad role="alert" id="problem" { (visit.say(problem)) }
            }
            label for="key" { (visit.say(text::API_KEY)) }
            input #key type="password" name="key" required autofocus autocomplete="current-password" spellcheck="false"
                aria-describedby=[problem.map(|_| "problem")];
            p.hint { (visit.say(text::API_KEY_HINT)) }
            button type="submit" { (visit.say(text::LOG_IN)) }
        }
    };
    page(visit, text::LOG_IN, &content)
}

#[derive(Deserialize)]
pub(super) struct Key {
    key: String,
    #[serde(flatten)]
    goal: Goal,
}

/// Lets somebody in who has the API key.
pub(super) async fn enter(
    State(dashboard): State<Dashboard>,
    Extension(visit): Extension<Visit>,
    Extension(client): Extension<Client>,
    Form(Key { key, goal }): Form<Key>,
) -> Result<Response, Refusal> {
    let from = client.address;
    let counted = dashboard.attempts.lock().unwrap_or_else(PoisonError::into_inner).count(from, now());
    if let Err(seconds) = counted {
        tracing::warn!(%from, "logins to the dashboard are refused for a while: too many wrong keys");
        let mut response = ask(&visit, &goal, Some(text::TOO_MANY_TRIES));
        *response.status_mut() = StatusCode::TOO_MANY_REQUESTS;
        response.headers_mut().insert(RETRY_AFTER, HeaderValue::from(seconds));
        return Ok(response);
    }
    let Some(hash) = dashboard.api.let_in(&key) else {
        tracing::warn!(%from, "a login to the dashboard with a wrong key");
        let mut response = ask(&visit, &goal, Some(text::WRONG_KEY));
        *response.status_mut() = StatusCode::UNAUTHORIZED;
        return Ok(response);
    };
    dashboard.attempts.lock().unwrap_or_else(PoisonError::into_inner).forget(from);
    let until = now().timestamp().saturating_add(SESSION.num_seconds());
    let session = Session { id: random().ok_or(Refusal::Unavailable)?, until, key: dashboard.seal.mark(&hash) };
    let deed = Deed {
        via: "dashboard".to_owned(),
        source: Some(from.to_string()),
        action: "POST /dashboard/login".to_owned(),
        ..Deed::default()
    };
    let (id, ends) = (session.kept_as(), now() + SESSION);
    let store = &dashboard.api.store;
    let keep = store.write(move |tx| keep_session(tx, &id, ends, now()));
    Intent::carry_out(store, dashboard.by(deed, Some(&session)), keep, |_| None).await?;
    let mut response = Redirect::to(goal.page()).into_response();
    let cookie = dashboard.seal.write(&session);
    set_cookie(&mut response, &visit, SESSION_COOKIE, &cookie, Some(SESSION.num_seconds()));
    Ok(response)
}

/// Ends the session, in the browser and at every gateway.
pub(super) async fn leave(
    State(dashboard): State<Dashboard>,
    Extension(visit): Extension<Visit>,
) -> Result<Response, Refusal> {
    let mut response = Redirect::to("/dashboard/login").into_response();
    set_cookie(&mut response, &visit, SESSION_COOKIE, "", Some(0));
    if let Some(session) = visit.session {
        let id = session.kept_as();
        dashboard.api.store.write(move |tx| end_session(tx, &id)).await?;
    }
    Ok(response)
}

#[derive(Deserialize)]
pub(super) struct Choice {
    language: String,
    #[serde(flatten)]
    goal: Goal,
}

/// Remembers a language, and goes back to the page.
pub(super) async fn speak(
    Extension(visit): Extension<Visit>,
    Form(Choice { language, goal }): Form<Choice>,
) -> Result<Response, Refusal> {
    let language = Language::of(&language).ok_or(Refusal::Missing)?;
    let mut response = Redirect::to(goal.page()).into_response();
    set_cookie(&mut response, &visit, LANGUAGE_COOKIE, language.code(), Some(LANGUAGE_SECONDS));
    Ok(response)
}
