use axum::Extension;
use axum::extract::State;
use axum::response::Response;
use maud::html;

use super::Dashboard;
use super::layout::page;
use super::text;
use super::visit::{Refusal, Visit};
use super::widgets::{cell, moment, table};
use crate::store::SiteRow;

/// Sites, each with up to when everything of it is known.
pub(super) async fn list(
    State(dashboard): State<Dashboard>,
    Extension(visit): Extension<Visit>,
) -> Result<Response, Refusal> {
    let sites = dashboard.api.store.read(SiteRow::all).await?;
    let rows = html! {
        tbody {
            @for (name, site) in &sites {
                tr {
                    th scope="row" { @if name.is_empty() { (visit.say(text::NO_SITE_NAME)) } @else { (name) } }
                    (cell(&visit, text::COMPLETE_TO, &moment(&visit, site.complete_to)))
                    (cell(&visit, text::WAITING_FOR, &html! {
                        @match &site.waiting_for { Some(serial) => span.code { (serial.as_str()) }, None => "–" }
                    }))
                }
            }
            @if sites.is_empty() { tr { td colspan="3" { (visit.say(text::NO_SITES)) } } }
        }
    };
    let heads = [text::SITE, text::COMPLETE_TO, text::WAITING_FOR];
    let content = html! {
        (table(&visit, text::SITES, &heads, &rows))
        p.hint { (visit.say(text::SITES_HINT)) }
    };
    Ok(page(&visit, text::SITES, &content))
}
