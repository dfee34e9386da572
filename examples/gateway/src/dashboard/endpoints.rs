use axum::Extension;
use axum::extract::rejection::PathRejection;
use axum::extract::{Form, Path, State};
use axum::response::{IntoResponse as _, Redirect, Response};
use maud::{Markup, html};
use punch_webhook::Health;
use serde::Deserialize;

use super::Dashboard;
use super::layout::page;
use super::text;
use super::visit::{Refusal, Visit};
use super::widgets::{address, button, moment, state, written};
use crate::api::webhooks::{find, send_test};
use crate::delivery::Wish;
use crate::store::{EndpointLoad, EndpointRow};

/// Endpoints: how each stands, what waits for it, and what it answered last when it took nothing.
pub(super) async fn list(
    State(dashboard): State<Dashboard>,
    Extension(visit): Extension<Visit>,
) -> Result<Response, Refusal> {
    let read =
        dashboard.api.store.read(|connection| Ok((EndpointRow::all(connection)?, EndpointLoad::all(connection)?)));
    let (rows, loads) = read.await?;
    let nothing = EndpointLoad::default();
    let content = html! {
        @for row in rows.iter().filter(|row| !row.is_removed) {
            (card(&visit, row, loads.get(&row.id.0).unwrap_or(&nothing)))
        }
        @if rows.iter().all(|row| row.is_removed) { p { (visit.say(text::NO_ENDPOINTS)) } }
    };
    Ok(page(&visit, text::ENDPOINTS, &content))
}

fn card(visit: &Visit, row: &EndpointRow, load: &EndpointLoad) -> Markup {
    let id = row.id.0.to_string();
    let list = |state| address("/dashboard/deliveries", &[("state", state), ("endpoint_id", &id)]);
    let is_stopped = matches!(row.state.health, Health::Paused | Health::Disabled);
    let (label, to) = if is_stopped { (text::RESUME, "active") } else { (text::PAUSE, "paused") };
    html! {
        article.card {
            h2.code { (row.url) }
            dl.facts {
                dt { (visit.say(text::STATE)) }
                dd {
                    (state(visit, row.state.health.as_str()))
                    @if let Some(since) = row.state.since { " " (moment(visit, since)) }
                }
                dt { (visit.say(text::DELIVERIES_WAITING)) }
                dd { a href=(list("waiting")) { (load.waiting) } }
                dt { (visit.say(text::DELIVERIES_FAILED)) }
                dd { a href=(list("failed")) { (load.failed) } }
                @if row.state.failures > 0 { dt { (visit.say(text::FAILURES)) } dd { (row.state.failures) } }
                @if let Some(at) = row.state.next_probe_at { dt { (visit.say(text::NEXT_TRY)) } dd { (moment(visit, at)) } }
                @if let Some(error) = &load.last_error {
                    dt { (visit.say(text::LAST_ERROR)) }
                    dd {
                        @if let Some(status) = error.status { (status) " " }
                        @if let Some(error) = &error.error { (error) " " }
                        (written(visit, &error.at))
                    }
                }
                dt { (visit.say(text::EVENTS)) }
                dd { (row.events.join(", ")) }
                dt { (visit.say(text::FORM)) }
                dd { (row.format.as_str()) " · " (row.schedule_name) }
                @if !row.options.sites.is_empty() {
                    dt { (visit.say(text::SITES)) }
                    dd { (row.options.sites.iter().map(String::as_str).collect::<Vec<_>>().join(", ")) }
                }
                @if !row.options.headers.is_empty() {
                    dt { (visit.say(text::HEADERS)) }
                    // Their values may be keys.
                    dd { (row.options.headers.keys().map(String::as_str).collect::<Vec<_>>().join(", ")) }
                }
            }
            div.actions {
                (button(visit, &format!("/dashboard/endpoints/{id}/state"), label, &[("state", to)]))
                (button(visit, &format!("/dashboard/endpoints/{id}/test"), text::SEND_TEST, &[]))
            }
        }
    }
}

#[derive(Deserialize)]
pub(super) struct Wanted {
    state: String,
}

/// Stops an endpoint, or lets it go on. What waits for it is kept.
pub(super) async fn set_state(
    State(dashboard): State<Dashboard>,
    id: Result<Path<u64>, PathRejection>,
    Form(Wanted { state }): Form<Wanted>,
) -> Result<Response, Refusal> {
    let Path(id) = id.map_err(|_| Refusal::Missing)?;
    let (wish, notice) = match state.as_str() {
        "paused" => (Wish::Pause, "paused"),
        "active" => (Wish::Resume, "resumed"),
        _ => return Err(Refusal::Missing),
    };
    let row = find(&dashboard.api, id).await?;
    dashboard.api.engine.wish(row.id, wish).await;
    Ok(Redirect::to(&format!("/dashboard/endpoints?notice={notice}")).into_response())
}

/// Sends an event of no meaning, and shows what becomes of it.
pub(super) async fn test(
    State(dashboard): State<Dashboard>,
    id: Result<Path<u64>, PathRejection>,
) -> Result<Response, Refusal> {
    let Path(id) = id.map_err(|_| Refusal::Missing)?;
    let (_, delivery) = send_test(&dashboard.api, id).await?;
    let delivery = delivery.ok_or(Refusal::Missing)?;
    Ok(Redirect::to(&format!("/dashboard/deliveries/{delivery}?notice=test_sent")).into_response())
}
