use std::collections::BTreeMap;

use axum::Extension;
use axum::extract::State;
use axum::response::Response;
use maud::{Markup, html};
use punch_protocol::SerialNumber;

use super::Dashboard;
use super::charts;
use super::layout::page;
use super::text::{self, Text};
use super::visit::{Refusal, Visit};
use super::widgets::{address, moment};
use crate::clock::now;
use crate::core::Identity;
use crate::listen::is_soon;
use crate::store::{Activity, DeviceRow, EndpointLoad, Hour, Snapshot};

/// How the gateway stands, in numbers that lead to where each can be looked at.
pub(super) async fn show(
    State(dashboard): State<Dashboard>,
    Extension(visit): Extension<Visit>,
) -> Result<Response, Refusal> {
    let api = &dashboard.api;
    let at = now();
    let read = api.store.read(move |connection| {
        let devices = DeviceRow::all(connection)?;
        let (loads, snapshot) = (EndpointLoad::all(connection)?, Snapshot::read(connection)?);
        Ok((devices, loads, snapshot, Identity::count(connection)?, Activity::read(connection, at)?))
    });
    let (devices, loads, snapshot, employees, activity) = read.await?;
    let held = snapshot.held.values().sum();
    let day = |count: &dyn Fn(&Hour) -> u64| activity.hours.iter().map(count).sum();
    let queue = api.engine.status().await.ok_or(Refusal::Unavailable)?;
    let tiles = [
        devices_tiles(&dashboard, &devices),
        delivery_tiles(&loads, &snapshot, day(&Hour::delivered)),
        [
            tile(text::HELD_ROWS, held, "/dashboard/quarantine", held > 0),
            tile(text::PUNCHES_ACCEPTED, day(&|hour| hour.punches), "/dashboard/punches", false),
            Tile { name: text::EMPLOYEES, count: employees, link: None, is_trouble: false },
        ]
        .into(),
    ];
    let expiries = api.certificates.iter().filter_map(|(name, tls)| Some((*name, tls.expires_at()?)));
    let expiring: Vec<_> = expiries.filter(|(_, at)| is_soon(*at)).collect();
    let content = html! {
        @for (name, at) in &expiring {
            p.trouble role="status" { strong { (name) } ": " (visit.say(text::EXPIRES_SOON)) " " (moment(&visit, *at)) }
        }
        @for tiles in &tiles { (row(&visit, tiles)) }
        @if let Some(oldest) = queue.oldest_created_at {
            p { (visit.say(text::OLDEST_WAITING)) " " (moment(&visit, oldest)) }
        }
        div.charts {
            (charts::punches(&visit, &activity))
            (charts::latency(&visit, &activity))
        }
    };
    Ok(page(&visit, text::OVERVIEW, &content))
}

struct Tile {
    name: Text,
    count: u64,
    link: Option<String>,
    is_trouble: bool,
}

fn tile(name: Text, count: u64, link: &str, is_trouble: bool) -> Tile {
    Tile { name, count, link: Some(link.to_owned()), is_trouble }
}

fn devices_tiles(dashboard: &Dashboard, devices: &[DeviceRow]) -> Vec<Tile> {
    let mut counts = BTreeMap::<&str, u64>::new();
    for row in devices {
        let standing = SerialNumber::parse(&row.serial).ok();
        let standing = standing.and_then(|serial| dashboard.api.devices.standing(&serial, now()));
        *counts.entry(standing.map_or("unheard", |standing| standing.status)).or_default() += 1;
    }
    let of = |status| counts.get(status).copied().unwrap_or_default();
    let (late, pending) = (of("offline"), of("pending"));
    let link = "/dashboard/devices";
    vec![
        tile(text::DEVICES_ONLINE, of("online"), link, false),
        tile(text::DEVICES_LATE, late, link, late > 0),
        tile(text::DEVICES_NEVER, of("unheard"), link, false),
        tile(text::DEVICES_PENDING, pending, link, pending > 0),
    ]
}

fn delivery_tiles(loads: &BTreeMap<u64, EndpointLoad>, snapshot: &Snapshot, delivered: u64) -> Vec<Tile> {
    let list = |state| address("/dashboard/deliveries", &[("state", state)]);
    let waiting = loads.values().map(|load| load.waiting).sum();
    let failed = loads.values().map(|load| load.failed).sum();
    let troubled = snapshot.endpoints.iter().filter(|(state, _)| *state != "healthy").map(|(_, count)| count).sum();
    vec![
        tile(text::DELIVERIES_WAITING, waiting, &list("waiting"), false),
        tile(text::DELIVERIES_FAILED, failed, &list("failed"), failed > 0),
        tile(text::DELIVERIES_MADE, delivered, &list("delivered"), false),
        tile(text::ENDPOINTS_TROUBLED, troubled, "/dashboard/endpoints", troubled > 0),
    ]
}

fn row(visit: &Visit, tiles: &[Tile]) -> Markup {
    html! {
        dl.tiles {
            @for Tile { name, count, link, is_trouble } in tiles {
                div.tile.trouble[*is_trouble] {
                    dt {
                        @match link {
                            Some(link) => a href=(link) { (visit.say(*name)) },
                            None => (visit.say(*name)),
                        }
                    }
                    dd { (count) }
                }
            }
        }
    }
}
