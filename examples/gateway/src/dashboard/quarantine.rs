use std::collections::BTreeMap;

use axum::Extension;
use axum::extract::rejection::QueryRejection;
use axum::extract::{Form, Query, State};
use axum::response::{IntoResponse as _, Redirect, Response};
use maud::{Markup, html};
use punch_normalize::HoldReason;
use serde::Deserialize;

use super::Dashboard;
use super::layout::page;
use super::notice::released;
use super::text;
use super::visit::{Refusal, Visit};
use super::widgets::{PER_PAGE, address, button, cell, pager, shown, state, table, written};
use super::words;
use crate::store::{HeldRow, Quarantined};

/// Which rows, as the links and the form say it: what is empty is not asked for.
#[derive(Default, Deserialize)]
#[serde(default)]
pub(super) struct Which {
    reason: String,
    device: String,
    discarded: String,
    page: Option<u32>,
}

impl Which {
    fn is_discarded(&self) -> bool {
        self.discarded == "true"
    }

    fn rows(&self, reason: bool) -> Quarantined {
        let known = Some(self.reason.clone()).filter(|word| reason && HoldReason::from_code(word).is_some());
        Quarantined {
            discarded: self.is_discarded(),
            reason: known,
            device: Some(self.device.trim().to_owned()).filter(|device| !device.is_empty()),
            ..Quarantined::default()
        }
    }

    fn query(&self) -> [(&str, &str); 3] {
        [("reason", &self.reason), ("device", &self.device), ("discarded", &self.discarded)]
    }
}

/// Rows that are held aside, by reason; or those that somebody has put away.
pub(super) async fn list(
    State(dashboard): State<Dashboard>,
    Extension(visit): Extension<Visit>,
    which: Result<Query<Which>, QueryRejection>,
) -> Result<Response, Refusal> {
    let Query(which) = which.unwrap_or_default();
    let number = which.page.unwrap_or(1).max(1);
    let (rows, all) = (which.rows(true), which.rows(false));
    let read = dashboard.api.store.read(move |connection| {
        let page = rows.page(connection, PER_PAGE + 1, (number - 1).saturating_mul(PER_PAGE))?;
        Ok((page, all.counts(connection)?))
    });
    let (rows, counts) = read.await?;
    let (rows, has_more) = shown(rows);
    let content = html! {
        (reasons(&visit, &which, &counts))
        (filters(&visit, &which))
        @if !rows.is_empty() {
            (button(&visit, "/dashboard/quarantine/retry", text::RETRY_ALL, &which.query()))
            p.hint { (visit.say(text::RETRY_ALL_HINT)) }
        }
        (rows_of(&visit, &rows))
        (pager(&visit, "/dashboard/quarantine", &which.query(), number, has_more))
    };
    Ok(page(&visit, text::QUARANTINE, &content))
}

fn reasons(visit: &Visit, which: &Which, counts: &BTreeMap<String, u64>) -> Markup {
    let link = |reason: &str| {
        address(
            "/dashboard/quarantine",
            &[("reason", reason), ("device", &which.device), ("discarded", &which.discarded)],
        )
    };
    let all: u64 = counts.values().sum();
    html! {
        nav aria-label=(visit.say(text::REASONS)) {
            ul.chips {
                li {
                    a href=(link("")) aria-current=[which.reason.is_empty().then_some("true")] {
                        (visit.say(text::ALL_REASONS)) " " b { (all) }
                    }
                }
                @for (reason, count) in counts {
                    li {
                        a href=(link(reason)) aria-current=[(which.reason == *reason).then_some("true")] {
                            (words::of(visit.language, reason).0) " " b { (count) }
                        }
                    }
                }
            }
        }
    }
}

fn filters(visit: &Visit, which: &Which) -> Markup {
    html! {
        form.filters method="get" action="/dashboard/quarantine" {
            input type="hidden" name="reason" value=(which.reason);
            div {
                label for="device" { (visit.say(text::DEVICE)) }
                input #device name="device" value=(which.device) maxlength="64" autocomplete="off" spellcheck="false";
            }
            div {
                label for="discarded" { (visit.say(text::SHOW)) }
                select #discarded name="discarded" {
                    option value="" { (visit.say(text::HELD_ROWS)) }
                    option value="true" selected[which.is_discarded()] { (visit.say(text::DISCARDED_ROWS)) }
                }
            }
            button type="submit" { (visit.say(text::FILTER)) }
        }
    }
}

fn rows_of(visit: &Visit, rows: &[HeldRow]) -> Markup {
    let body = html! {
        tbody {
            @for row in rows {
                tr {
                    th scope="row" { a.code href=(format!("/dashboard/quarantine/{}", row.id)) { (row.id) } }
                    (cell(visit, text::REASON, &state(visit, &row.reason)))
                    (cell(visit, text::DEVICE, &html! { span.code { (row.device_serial) } }))
                    (cell(visit, text::CLOCK_SHOWED, &html! { (row.device_local.as_deref().unwrap_or("–").replacen('T', " ", 1)) }))
                    (cell(visit, text::RECEIVED, &written(visit, &row.received_at)))
                }
            }
            @if rows.is_empty() { tr { td colspan="5" { (visit.say(text::NO_ROWS)) } } }
        }
    };
    let heads = [text::ROW, text::REASON, text::DEVICE, text::CLOCK_SHOWED, text::RECEIVED];
    table(visit, text::QUARANTINE, &heads, &body)
}

/// Takes every such row once more: its cause may be gone.
pub(super) async fn retry_all(
    State(dashboard): State<Dashboard>,
    Form(which): Form<Which>,
) -> Result<Response, Refusal> {
    let done = dashboard.api.devices.release(which.rows(true)).await?;
    let back = address("/dashboard/quarantine", &which.query());
    let joint = if back.contains('?') { '&' } else { '?' };
    Ok(Redirect::to(&format!("{back}{joint}notice={}", released("taken", done))).into_response())
}
