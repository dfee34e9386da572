use axum::Extension;
use axum::extract::rejection::QueryRejection;
use axum::extract::{Form, Query, State};
use axum::response::{IntoResponse as _, Redirect, Response};
use chrono::{DateTime, Utc};
use maud::{Markup, html};
use punch_protocol::SerialNumber;
use punch_protocol::push::Admission;
use serde::Deserialize;

use super::Dashboard;
use super::layout::page;
use super::text;
use super::visit::{Refusal, Visit};
use super::widgets::{PER_PAGE, button, cell, moment, pager, shown, state, table, token};
use super::words;
use crate::api::devices::with_clocks;
use crate::clock::now;
use crate::core::{ClockReport, Clockwork};
use crate::device::Standing;
use crate::store::{DeviceRow, Intent};

/// Which page of a list.
#[derive(Default, Deserialize)]
#[serde(default)]
pub(super) struct Place {
    page: Option<u32>,
}

/// Terminals: whether each is there, how right its clock is, whether it has told everything; and those that want in.
pub(super) async fn list(
    State(dashboard): State<Dashboard>,
    Extension(visit): Extension<Visit>,
    place: Result<Query<Place>, QueryRejection>,
) -> Result<Response, Refusal> {
    let number = place.map_or(None, |Query(place)| place.page).unwrap_or(1).max(1);
    let rows = dashboard.api.store.read(DeviceRow::all).await?;
    let (pending, known): (Vec<_>, Vec<_>) = rows.into_iter().partition(|row| row.admission == Admission::Pending);
    let skipped = usize::try_from((number - 1).saturating_mul(PER_PAGE)).unwrap_or(usize::MAX);
    let most = usize::try_from(PER_PAGE).unwrap_or(usize::MAX);
    let (known, has_more) = shown(known.into_iter().skip(skipped).take(most.saturating_add(1)).collect());
    let known = with_clocks(&dashboard.api, known).await?;
    let standing = |row: &DeviceRow| {
        SerialNumber::parse(&row.serial).ok().and_then(|serial| dashboard.api.devices.standing(&serial, now()))
    };
    let known: Vec<_> = known.into_iter().map(|(row, clockwork)| (standing(&row), row, clockwork)).collect();
    let content = html! {
        @if !pending.is_empty() { (waiting_list(&visit, &pending)) }
        (known_list(&visit, &known))
        (pager(&visit, "/dashboard/devices", &[], number, has_more))
        @if visit.may(false, "/dashboard/devices") { (approval(&visit)) }
    };
    Ok(page(&visit, text::DEVICES, &content))
}

/// Most terminals that are named while they wait: whoever makes serials up must not make the page long.
const PENDING_SHOWN: usize = 100;

fn waiting_list(visit: &Visit, pending: &[DeviceRow]) -> Markup {
    let rows = html! {
        tbody {
            @for row in pending.iter().take(PENDING_SHOWN) {
                tr {
                    th scope="row" { (row.serial) }
                    (cell(visit, text::FIRST_SEEN, &moment(visit, row.first_seen)))
                    (cell(visit, text::ACTION, &button(visit, "/dashboard/devices/approve", text::APPROVE, &[("serial", &row.serial)])))
                }
            }
        }
    };
    let heads = [text::SERIAL, text::FIRST_SEEN, text::ACTION];
    html! {
        section {
            (table(visit, text::DEVICES_PENDING, &heads, &rows))
            p.hint { (visit.say(text::PENDING_HINT)) }
        }
    }
}

fn known_list(visit: &Visit, known: &[(Option<Standing>, DeviceRow, Clockwork)]) -> Markup {
    let rows = html! {
        tbody {
            @for (standing, row, clockwork) in known { (line(visit, row, clockwork, standing.as_ref())) }
            @if known.is_empty() { tr { td colspan="8" { (visit.say(text::NO_DEVICES)) } } }
        }
    };
    let heads = [
        text::DEVICE,
        text::SITE,
        text::STATE,
        text::LAST_SEEN,
        text::CLOCK,
        text::BACKLOG,
        text::COMPLETE_TO,
        text::ACTION,
    ];
    table(visit, text::DEVICES, &heads, &rows)
}

fn line(visit: &Visit, row: &DeviceRow, clockwork: &Clockwork, standing: Option<&Standing>) -> Markup {
    let name = standing.and_then(|standing| standing.name.as_deref()).filter(|name| *name != row.serial);
    let status = standing.map_or("unheard", |standing| standing.status);
    let site = standing.and_then(|standing| standing.site.as_deref()).unwrap_or_default();
    let last_seen = standing.and_then(|standing| standing.last_seen);
    let backlog = standing.filter(|_| last_seen.is_some()).map(|standing| standing.is_behind);
    let or_dash = |at: Option<DateTime<Utc>>| {
        html! { @match at { Some(at) => (moment(visit, at)), None => "–" } }
    };
    let backlog = html! {
        @match backlog {
            Some(true) => (state(visit, "behind")),
            Some(false) => (state(visit, "level")),
            None => "–",
        }
    };
    let (to, label) = match row.admission {
        Admission::Approved => ("block", text::BLOCK),
        Admission::Pending | Admission::Blocked => ("approve", text::APPROVE),
    };
    let action = button(visit, &format!("/dashboard/devices/{to}"), label, &[("serial", &row.serial)]);
    html! {
        tr {
            th scope="row" {
                @if let Some(name) = name { (name) " " }
                span.code { (row.serial) }
                @if let Some(source) = &row.source { p.hint { (visit.say(text::TOLD_BY)) " " span.code { (source) } } }
                @if !row.access.allow.is_empty() { p.hint { (visit.say(text::SOURCE_SET)) } }
                @if row.access.token.is_some() { p.hint { (visit.say(text::PATH_SET)) } }
            }
            (cell(visit, text::SITE, &html! { (site) }))
            (cell(visit, text::STATE, &state(visit, status)))
            (cell(visit, text::LAST_SEEN, &or_dash(last_seen)))
            (cell(visit, text::CLOCK, &clock(visit, &clockwork.report(now()), &clockwork.zone_at(now()).to_string())))
            (cell(visit, text::BACKLOG, &backlog))
            (cell(visit, text::COMPLETE_TO, &or_dash(standing.and_then(|standing| standing.complete_to))))
            (cell(visit, text::ACTION, &action))
        }
    }
}

fn clock(visit: &Visit, report: &ClockReport, zone: &str) -> Markup {
    html! {
        (state(visit, report.health))
        @if let Some(offset) = report.offset_s { " " (format!("{offset:+} s")) }
        " " span.ago { (zone) }
        @if let Some(advice) = words::clock_advice(report.health) { p.hint { (visit.say(advice)) } }
        @else if report.alarm_cause == Some("row_ahead") { p.hint { (visit.say(text::ADVICE_AHEAD)) } }
    }
}

fn approval(visit: &Visit) -> Markup {
    html! {
        section {
            h2 { (visit.say(text::ADD_DEVICE)) }
            form.card.narrow method="post" action="/dashboard/devices/approve" {
                (token(visit))
                label for="serial" { (visit.say(text::SERIAL)) }
                input #serial name="serial" required maxlength="64" autocomplete="off" spellcheck="false" aria-describedby="serial-hint";
                p.hint #serial-hint { (visit.say(text::SERIAL_HINT)) }
                button type="submit" { (visit.say(text::APPROVE)) }
            }
        }
    }
}

#[derive(Deserialize)]
pub(super) struct Named {
    serial: String,
}

/// Lets a terminal in. S1-020.
pub(super) async fn approve(
    State(dashboard): State<Dashboard>,
    Form(Named { serial }): Form<Named>,
) -> Result<Response, Refusal> {
    let notice = match SerialNumber::parse(serial.trim()) {
        Ok(serial) => {
            Intent::current().about(&serial);
            dashboard.api.devices.approve(serial).await?;
            "approved"
        }
        Err(_) => "bad_serial",
    };
    Ok(Redirect::to(&format!("/dashboard/devices?notice={notice}")).into_response())
}

/// Keeps a terminal out.
pub(super) async fn block(
    State(dashboard): State<Dashboard>,
    Form(Named { serial }): Form<Named>,
) -> Result<Response, Refusal> {
    let serial = SerialNumber::parse(&serial).map_err(|_| Refusal::Missing)?;
    if !dashboard.api.devices.knows(&serial) {
        return Err(Refusal::Missing);
    }
    Intent::current().about(&serial);
    dashboard.api.devices.block(&serial).await?;
    Ok(Redirect::to("/dashboard/devices?notice=blocked").into_response())
}
