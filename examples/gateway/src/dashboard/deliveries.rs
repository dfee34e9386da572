use axum::Extension;
use axum::extract::rejection::{PathRejection, QueryRejection};
use axum::extract::{Path, Query, State};
use axum::response::{IntoResponse as _, Redirect, Response};
use maud::{Markup, html};
use serde::Deserialize;

use super::Dashboard;
use super::layout::{page, titled};
use super::text;
use super::visit::{Refusal, Visit};
use super::widgets::{PER_PAGE, address, button, cell, pager, shown, state, table, written};
use super::words;
use crate::api::deliveries::make_again;
use crate::store::{Deliveries, DeliveryRow, EndpointRow, SentAttempt};

/// The states of a delivery.
const STATES: [&str; 3] = ["waiting", "delivered", "failed"];

/// Which deliveries, as the form says it: what is empty is not asked for.
#[derive(Default, Deserialize)]
#[serde(default)]
pub(super) struct Which {
    state: String,
    endpoint_id: String,
    event_id: String,
    page: Option<u32>,
}

/// Deliveries, newest first. S1-051, S1-054.
pub(super) async fn list(
    State(dashboard): State<Dashboard>,
    Extension(visit): Extension<Visit>,
    which: Result<Query<Which>, QueryRejection>,
) -> Result<Response, Refusal> {
    let Query(which) = which.unwrap_or_default();
    let number = which.page.unwrap_or(1).max(1);
    let wanted = Deliveries {
        state: Some(which.state.clone()).filter(|state| STATES.contains(&state.as_str())),
        endpoint: which.endpoint_id.parse().ok(),
        event_id: Some(which.event_id.trim().to_owned()).filter(|id| !id.is_empty()),
        ..Deliveries::default()
    };
    let read = dashboard.api.store.read(move |connection| {
        let rows = wanted.page(connection, PER_PAGE + 1, (number - 1).saturating_mul(PER_PAGE))?;
        Ok((rows, EndpointRow::all(connection)?))
    });
    let (rows, endpoints) = read.await?;
    let (rows, has_more) = shown(rows);
    let query = [("state", &*which.state), ("endpoint_id", &*which.endpoint_id), ("event_id", &*which.event_id)];
    let content = html! {
        (filters(&visit, &which, &endpoints))
        (rows_of(&visit, &rows))
        (pager(&visit, "/dashboard/deliveries", &query, number, has_more))
    };
    Ok(page(&visit, text::DELIVERIES, &content))
}

fn filters(visit: &Visit, which: &Which, endpoints: &[EndpointRow]) -> Markup {
    html! {
        form.filters method="get" action="/dashboard/deliveries" {
            div {
                label for="state" { (visit.say(text::STATE)) }
                select #state name="state" {
                    option value="" { (visit.say(text::ANY)) }
                    @for state in STATES {
                        option value=(state) selected[which.state == state] { (words::of(visit.language, state).0) }
                    }
                }
            }
            div {
                label for="endpoint" { (visit.say(text::ENDPOINT)) }
                select #endpoint name="endpoint_id" {
                    option value="" { (visit.say(text::ANY)) }
                    @for endpoint in endpoints {
                        @let id = endpoint.id.0.to_string();
                        option value=(id) selected[which.endpoint_id == id] { (id) " · " (endpoint.url) }
                    }
                }
            }
            div {
                label for="event" { (visit.say(text::EVENT)) }
                input #event name="event_id" value=(which.event_id) maxlength="128" autocomplete="off" spellcheck="false";
            }
            button type="submit" { (visit.say(text::FILTER)) }
        }
    }
}

fn rows_of(visit: &Visit, rows: &[DeliveryRow]) -> Markup {
    let body = html! {
        tbody {
            @for row in rows {
                tr {
                    th scope="row" { a href=(format!("/dashboard/deliveries/{}", row.id)) { (row.id) } }
                    (cell(visit, text::STATE, &state(visit, &row.state)))
                    (cell(visit, text::EVENT, &html! {
                        (row.event_type) " "
                        a.code href=(address("/dashboard/deliveries", &[("event_id", &row.event_id)])) { (row.event_id) }
                    }))
                    (cell(visit, text::ENDPOINT, &html! { span.code { (row.url) } }))
                    (cell(visit, text::ATTEMPTS, &html! { (row.attempts) }))
                    (cell(visit, text::CREATED, &written(visit, &row.created_at)))
                }
            }
            @if rows.is_empty() { tr { td colspan="6" { (visit.say(text::NO_DELIVERIES)) } } }
        }
    };
    let heads = [text::NUMBER, text::STATE, text::EVENT, text::ENDPOINT, text::ATTEMPTS, text::CREATED];
    table(visit, text::DELIVERIES, &heads, &body)
}

/// One delivery: what was sent, each time it was tried, and what was answered. S1-051 to S1-054.
pub(super) async fn show(
    State(dashboard): State<Dashboard>,
    Extension(visit): Extension<Visit>,
    id: Result<Path<u64>, PathRejection>,
) -> Result<Response, Refusal> {
    let Path(id) = id.map_err(|_| Refusal::Missing)?;
    let found = dashboard.api.store.read(move |connection| {
        let Some(row) = DeliveryRow::of(connection, id)? else { return Ok(None) };
        let (body, attempts) = row.details(connection)?;
        Ok(Some((row, body, attempts)))
    });
    let (row, body, attempts) = found.await?.ok_or(Refusal::Missing)?;
    let content = html! {
        (facts(&visit, &row))
        @if row.state != "waiting" {
            (button(&visit, &format!("/dashboard/deliveries/{id}/resend"), text::RESEND, &[]))
        }
        h2 { (visit.say(text::ATTEMPTS)) }
        @if attempts.is_empty() {
            p { (visit.say(text::NO_ATTEMPTS)) }
            @if let Some(body) = body {
                h3 { (visit.say(text::BODY)) }
                pre tabindex="0" { (body) }
            }
        }
        @for (age, sent) in attempts.iter().rev().enumerate() { (attempt(&visit, sent, age == 0)) }
    };
    Ok(titled(&visit, &format!("{} {id}", visit.say(text::DELIVERY)), &content))
}

fn facts(visit: &Visit, row: &DeliveryRow) -> Markup {
    html! {
        dl.facts {
            dt { (visit.say(text::STATE)) }
            dd { (state(visit, &row.state)) @if let Some(reason) = &row.reason { " " (reason) } }
            dt { (visit.say(text::EVENT)) }
            dd { (row.event_type) " " a.code href=(address("/dashboard/deliveries", &[("event_id", &row.event_id)])) { (row.event_id) } }
            dt { (visit.say(text::ENDPOINT)) }
            dd { span.code { (row.url) } }
            dt { (visit.say(text::CREATED)) }
            dd { (written(visit, &row.created_at)) }
            @if let Some(at) = &row.next_at { dt { (visit.say(text::NEXT_TRY)) } dd { (written(visit, at)) } }
            @if let Some(at) = &row.settled_at { dt { (visit.say(text::SETTLED)) } dd { (written(visit, at)) } }
        }
    }
}

fn attempt(visit: &Visit, sent: &SentAttempt, is_last: bool) -> Markup {
    let SentAttempt { attempt, body } = sent;
    let is_taken = attempt.status.is_some_and(|status| (200..300).contains(&status));
    let class = if is_taken { "state ok" } else { "state bad" };
    html! {
        article.card {
            h3 {
                (visit.say(text::ATTEMPT)) " " (attempt.number) " "
                span class=(class) {
                    @if let Some(status) = attempt.status { (status) } @else { (visit.say(text::NO_ANSWER)) }
                }
            }
            p { (written(visit, &attempt.at)) " · " (visit.say(text::TOOK)) " " (attempt.millis) " ms" }
            @if let Some(error) = &attempt.error { p { (error) } }
            @if let Some(response) = &attempt.response {
                h4 { (visit.say(text::ANSWER)) }
                pre tabindex="0" { (response) }
            }
            @if let Some(body) = body {
                details open[is_last] {
                    summary { (visit.say(text::REQUEST)) }
                    h4 { (visit.say(text::HEADERS)) }
                    dl.headers {
                        @for (name, value) in attempt.shown_headers() {
                            dt.code { (name) }
                            dd {
                                @match value { Some(value) => span.code { (value) }, None => i { (visit.say(text::NOT_SHOWN)) } }
                            }
                        }
                    }
                    h4 { (visit.say(text::BODY)) }
                    pre tabindex="0" { (body) }
                }
            }
        }
    }
}

/// Sends once more what was delivered or given up. S1-055.
pub(super) async fn send_again(
    State(dashboard): State<Dashboard>,
    id: Result<Path<u64>, PathRejection>,
) -> Result<Response, Refusal> {
    let Path(id) = id.map_err(|_| Refusal::Missing)?;
    let notice = match make_again(&dashboard.api, id).await {
        Ok(_) => "resent",
        Err(error) if error.cause().0 == "conflict" => "on_its_way",
        Err(error) => return Err(error.into()),
    };
    Ok(Redirect::to(&format!("/dashboard/deliveries/{id}?notice={notice}")).into_response())
}
