//! One row that is held, or was put away, with whatever can put it right.

use axum::Extension;
use axum::extract::{Form, Path, State};
use axum::response::{IntoResponse as _, Redirect, Response};
use chrono::NaiveDateTime;
use maud::{Markup, html};
use punch_normalize::HoldReason;
use serde::Deserialize;

use super::Dashboard;
use super::layout::page;
use super::notice::released;
use super::text::{self, Text};
use super::visit::{Refusal, Visit};
use super::widgets::{button, state, token, written};
use super::words;
use crate::api::ApiError;
use crate::api::employees::{NewEmployee, enter};
use crate::api::quarantine::{Fix, Reanchoring, discard_row, put_right, shift_all, take_again};
use crate::core::ByHand;
use crate::device::Released;
use crate::store::HeldRow;

/// How `device_local` stands in the store and in a field of a form, with or without seconds.
const LOCAL: [&str; 2] = ["%Y-%m-%dT%H:%M:%S", "%Y-%m-%dT%H:%M"];

pub(super) async fn show(
    State(dashboard): State<Dashboard>,
    Extension(visit): Extension<Visit>,
    Path(id): Path<String>,
) -> Result<Response, Refusal> {
    let row = find(&dashboard, &id).await?.ok_or(Refusal::Missing)?;
    let is_held = row.fate == "held";
    let content = html! {
        (facts(&visit, &row))
        @if is_held { (cures(&visit, &row)) }
        @else { (button(&visit, &path(&id, "retry"), text::TAKE_BACK, &[])) }
        p { a href="/dashboard/quarantine" { (visit.say(text::BACK)) } }
    };
    Ok(page(&visit, text::HELD_ROW, &content))
}

async fn find(dashboard: &Dashboard, id: &str) -> Result<Option<HeldRow>, Refusal> {
    let id = id.to_owned();
    Ok(dashboard.api.store.read(move |connection| HeldRow::of(connection, &id)).await?)
}

fn path(id: &str, verb: &str) -> String {
    format!("/dashboard/quarantine/{id}/{verb}")
}

fn facts(visit: &Visit, row: &HeldRow) -> Markup {
    html! {
        dl.facts {
            dt { (visit.say(text::STATE)) }
            dd { (state(visit, &row.fate)) " " (state(visit, &row.reason)) }
            dt { (visit.say(text::ROW)) }
            dd { span.code { (row.id) } }
            dt { (visit.say(text::DEVICE)) }
            dd { span.code { (row.device_serial) } }
            dt { (visit.say(text::RECEIVED)) }
            dd { (written(visit, &row.received_at)) }
            @if let Some(local) = &row.device_local { dt { (visit.say(text::CLOCK_SHOWED)) } dd { (local.replacen('T', " ", 1)) } }
            @if let Some(problem) = &row.problem { dt { (visit.say(text::PROBLEM)) } dd { (problem) } }
            @if let Some(why) = &row.put_away { dt { (visit.say(text::WHY_PUT_AWAY)) } dd { (why) } }
        }
        h2 { (visit.say(text::AS_SENT)) }
        pre tabindex="0" { (row.raw) }
        @if row.fate == "held" {
            @if let Some(advice) = words::advice(&row.reason) { p { (visit.say(advice)) } }
        }
    }
}

/// What can be done about a row, by why it is held.
fn cures(visit: &Visit, row: &HeldRow) -> Markup {
    let reason = HoldReason::from_code(&row.reason);
    let has_wrong_time = matches!(reason, Some(HoldReason::ClockReset | HoldReason::Future | HoldReason::ClockWrong));
    let fix = path(&row.id, "fix");
    html! {
        @match reason {
            Some(HoldReason::UnregisteredBadge) => (register_form(visit, &path(&row.id, "register"))),
            Some(HoldReason::Anonymous) => (form(visit, &fix, text::FIX_PIN, &field(visit, "pin", text::PIN_OF, text::PIN_HINT, &html! {
                input #pin name="pin" required maxlength="32" autocomplete="off" aria-describedby="pin-hint";
            }))),
            Some(HoldReason::Malformed) => (form(visit, &fix, text::FIX_TEXT, &field(visit, "text", text::RIGHT_ROW, text::ROW_HINT, &html! {
                textarea #text name="text" required rows="2" spellcheck="false" aria-describedby="text-hint" { (row.raw) }
            }))),
            _ => {}
        }
        @if has_wrong_time && let Some(local) = &row.device_local {
            (form(visit, &fix, text::FIX_TIME, &html! {
                (field(visit, "true-time", text::TRUE_TIME, text::TRUE_TIME_HINT, &html! {
                    input #true-time type="datetime-local" step="1" name="true_time" value=(local) required aria-describedby="true-time-hint";
                }))
                @if reason == Some(HoldReason::ClockReset) {
                    label.check { input type="checkbox" name="all" value="true"; " " (visit.say(text::FIX_ALL)) }
                }
            }))
        }
        @if reason != Some(HoldReason::Malformed) { (button(visit, &path(&row.id, "retry"), text::RETRY, &[])) }
        (form(visit, &path(&row.id, "discard"), text::PUT_AWAY, &field(visit, "reason", text::WHY, text::WHY_HINT, &html! {
            input #reason name="reason" required maxlength="500" autocomplete="off" aria-describedby="reason-hint";
        })))
    }
}

fn register_form(visit: &Visit, action: &str) -> Markup {
    form(
        visit,
        action,
        text::REGISTER,
        &html! {
            (field(visit, "badge", text::BADGE, text::BADGE_HINT, &html! {
                input #badge name="badge" required maxlength="32" autocomplete="off" aria-describedby="badge-hint";
            }))
            label for="name" { (visit.say(text::NAME)) }
            input #name name="name" maxlength="200" autocomplete="off";
        },
    )
}

/// A form of its own, named by what it does.
fn form(visit: &Visit, action: &str, name: Text, fields: &Markup) -> Markup {
    html! {
        form.card.narrow method="post" action=(action) {
            h2 { (visit.say(name)) }
            (token(visit))
            (fields)
            button type="submit" { (visit.say(name)) }
        }
    }
}

fn field(visit: &Visit, id: &str, label: Text, hint: Text, input: &Markup) -> Markup {
    html! {
        label for=(id) { (visit.say(label)) }
        (input)
        p.hint id=(format!("{id}-hint")) { (visit.say(hint)) }
    }
}

/// Takes a row once more, one that was put away too.
pub(super) async fn retry(State(dashboard): State<Dashboard>, Path(id): Path<String>) -> Result<Response, Refusal> {
    let done = take_again(&dashboard.api, id.clone(), ByHand::default()).await;
    after(&dashboard, &id, "taken", done).await
}

/// What somebody says of a row, as the fields of the forms have it: what is empty is not said.
#[derive(Default, Deserialize)]
#[serde(default)]
pub(super) struct Said {
    pin: String,
    text: String,
    true_time: String,
    all: String,
}

/// Takes a row once more as somebody says that it is right.
pub(super) async fn fix(
    State(dashboard): State<Dashboard>,
    Path(id): Path<String>,
    Form(said): Form<Said>,
) -> Result<Response, Refusal> {
    let row = find(&dashboard, &id).await?.ok_or(Refusal::Missing)?;
    let shift_seconds = match said.true_time.as_str() {
        "" => None,
        there => match shift(&row, there) {
            Some(seconds) => Some(seconds),
            None => return Ok(back(&id, "bad_shift")),
        },
    };
    let done = match shift_seconds.filter(|_| said.all == "true") {
        Some(shift_seconds) => {
            let whole = Reanchoring { shift_seconds, since: None, until: None };
            shift_all(&dashboard.api, &row.device_serial, whole).await
        }
        None => {
            let some = |text: String| Some(text).filter(|text| !text.is_empty());
            let fix = Fix { shift_seconds, pin: some(said.pin), text: some(said.text) };
            put_right(&dashboard.api, id.clone(), fix).await
        }
    };
    after(&dashboard, &id, "taken", done).await
}

/// By how many seconds what the clock showed has to be moved, to be what somebody says.
fn shift(row: &HeldRow, there: &str) -> Option<i64> {
    let read = |text: &str| LOCAL.iter().find_map(|form| NaiveDateTime::parse_from_str(text, form).ok());
    Some(read(there)?.signed_duration_since(read(row.device_local.as_deref()?)?).num_seconds())
}

#[derive(Deserialize)]
pub(super) struct Person {
    badge: String,
    name: String,
}

/// Registers a badge, and with it takes once more what was held for it. S2-070.
pub(super) async fn register(
    State(dashboard): State<Dashboard>,
    Path(id): Path<String>,
    Form(Person { badge, name }): Form<Person>,
) -> Result<Response, Refusal> {
    let name = Some(name.trim().to_owned()).filter(|name| !name.is_empty());
    let done = enter(&dashboard.api, NewEmployee::everywhere(badge, name)).await;
    match done {
        Err(error) if error.cause().0 == "conflict" => Ok(back(&id, "badge_taken")),
        done => after(&dashboard, &id, "registered", done).await,
    }
}

#[derive(Deserialize)]
pub(super) struct Why {
    reason: String,
}

/// Puts a row away: it stays, and nobody waits for it any more.
pub(super) async fn put_away(
    State(dashboard): State<Dashboard>,
    Path(id): Path<String>,
    Form(Why { reason }): Form<Why>,
) -> Result<Response, Refusal> {
    match discard_row(&dashboard.api, &id, reason).await {
        Ok(_) => Ok(back(&id, "put_away")),
        Err(error) => problem(&id, &error),
    }
}

/// Back to the row, if it is still there, and else to the others.
async fn after(
    dashboard: &Dashboard,
    id: &str,
    word: &str,
    done: Result<Released, ApiError>,
) -> Result<Response, Refusal> {
    let done = match done {
        Ok(done) => done,
        Err(error) => return problem(id, &error),
    };
    let notice = released(word, done);
    match find(dashboard, id).await? {
        Some(row) if row.fate == "held" => Ok(back(id, &notice)),
        Some(_) | None => Ok(Redirect::to(&format!("/dashboard/quarantine?notice={notice}")).into_response()),
    }
}

fn back(id: &str, notice: &str) -> Response {
    Redirect::to(&format!("/dashboard/quarantine/{id}?notice={notice}")).into_response()
}

fn problem(id: &str, error: &ApiError) -> Result<Response, Refusal> {
    let notice = match error.cause() {
        ("not_found", _) => return Ok(Redirect::to("/dashboard/quarantine?notice=gone").into_response()),
        ("conflict", _) => "unread",
        (_, Some("shift_seconds")) => "bad_shift",
        (_, Some("pin")) => "bad_pin",
        (_, Some("text")) => "bad_text",
        (_, Some("reason")) => "bad_reason",
        (_, Some("badge_number")) => "bad_badge",
        _ => "unavailable",
    };
    Ok(back(id, notice))
}
