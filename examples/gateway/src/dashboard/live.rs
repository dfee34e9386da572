//! Punches as they come: a plain list, and a stream that brings the same list anew.

use core::convert::Infallible;
use core::time::Duration;

use axum::Extension;
use axum::extract::State;
use axum::response::sse::{Event, KeepAlive, Sse};
use axum::response::{IntoResponse as _, Response};
use futures_util::stream;
use maud::{Markup, html};
use serde_json::Value;
use tokio::sync::broadcast::error::RecvError;
use tokio::sync::{OwnedSemaphorePermit, broadcast, watch};

use super::Dashboard;
use super::layout::page;
use super::text;
use super::visit::{Refusal, Visit};
use super::widgets::{PER_PAGE, address, cell, state, table};
use crate::clock::now;
use crate::stage::{Sighting, Stage};
use crate::store::AttendanceRow;

/// The list is brought anew once in this time at most, however many punches come.
const PAUSE: Duration = Duration::from_secs(1);

/// Where several gateways work with one store, it is also looked this often for what came in at another one.
const LOOK: Duration = Duration::from_secs(5);

/// The last punches, newest first.
pub(super) async fn list(
    State(dashboard): State<Dashboard>,
    Extension(visit): Extension<Visit>,
) -> Result<Response, Refusal> {
    let rows = dashboard.rows(&visit).await?;
    let body = html! { tbody #punches { (rows) } };
    let heads = [text::LOCAL_TIME, text::PERSON, text::DEVICE, text::DIRECTION, text::METHOD, text::EVENT];
    let content = html! {
        p #live role="status" data-open=(visit.say(text::LIVE_OPEN)) data-lost=(visit.say(text::LIVE_LOST)) {
            (visit.say(text::LIVE_PLAIN))
        }
        (table(&visit, text::PUNCHES, &heads, &body))
        script src="/dashboard/live.js" defer { }
    };
    Ok(page(&visit, text::PUNCHES, &content))
}

impl Dashboard {
    async fn rows(&self, visit: &Visit) -> Result<Markup, Refusal> {
        let rows = self.api.store.read(|connection| AttendanceRow::page(connection, PER_PAGE, 0)).await?;
        Ok(html! {
            @for AttendanceRow(punch) in &rows { (line(visit, punch)) }
            @if rows.is_empty() { tr { td colspan="6" { (visit.say(text::NO_PUNCHES)) } } }
        })
    }
}

fn line(visit: &Visit, punch: &Value) -> Markup {
    let text = |pointer: &str| punch.pointer(pointer).and_then(Value::as_str).unwrap_or_default();
    let (name, badge) = (text("/employee/name"), text("/employee/badge_number"));
    let exceptions = punch.pointer("/metadata/exceptions").and_then(Value::as_array);
    let exceptions = exceptions.into_iter().flatten().filter_map(Value::as_str);
    let id = text("/event_id");
    html! {
        tr {
            th scope="row" { time datetime=(text("/timestamp")) { (text("/punch/local_time").replacen('T', " ", 1)) } }
            (cell(visit, text::PERSON, &html! { @if !name.is_empty() { (name) " " } span.code { (badge) } }))
            (cell(visit, text::DEVICE, &html! { (text("/device/name")) " " span.code { (text("/device/serial_number")) } }))
            (cell(visit, text::DIRECTION, &html! {
                (state(visit, text("/punch/direction")))
                @for exception in exceptions { " " (state(visit, exception)) }
            }))
            (cell(visit, text::METHOD, &state(visit, text("/punch/method"))))
            (cell(visit, text::EVENT, &html! { a.code href=(address("/dashboard/deliveries", &[("event_id", id)])) { (id) } }))
        }
    }
}

/// The same list as events, each time there are new punches. It ends with the session, and when the gateway stops.
pub(super) async fn events(
    State(dashboard): State<Dashboard>,
    Extension(visit): Extension<Visit>,
) -> Result<Response, Refusal> {
    let permit = dashboard.streams.clone().try_acquire_owned().map_err(|_| Refusal::Unavailable)?;
    let (watch, stopped) = (dashboard.watch.subscribe(), dashboard.stopped.clone());
    let feed = Feed { dashboard, visit, watch, stopped, has_begun: false, _permit: permit };
    let events = stream::unfold(feed, |mut feed| async move { Some((Ok::<_, Infallible>(feed.next().await?), feed)) });
    Ok(Sse::new(events).keep_alive(KeepAlive::default()).into_response())
}

struct Feed {
    dashboard: Dashboard,
    visit: Visit,
    watch: broadcast::Receiver<Sighting>,
    stopped: watch::Receiver<bool>,
    has_begun: bool,
    _permit: OwnedSemaphorePermit,
}

impl Feed {
    async fn next(&mut self) -> Option<Event> {
        if self.has_begun {
            self.news().await?;
        }
        self.has_begun = true;
        // What comes from here on is news again; what came until now is in the list.
        self.watch = self.watch.resubscribe();
        let rows = self.dashboard.rows(&self.visit).await.ok()?;
        Event::default().event("punches").json_data(rows.into_string()).ok()
    }

    /// Waits for a punch, and a moment longer for those that come with it.
    async fn news(&mut self) -> Option<()> {
        let session = self.visit.session.as_ref()?;
        let left = u64::try_from(session.until.saturating_sub(now().timestamp())).unwrap_or(0);
        let end = async {
            tokio::select! {
                () = tokio::time::sleep(Duration::from_secs(left)) => {}
                _ = self.stopped.wait_for(|&stop| stop) => {}
            }
        };
        let is_shared = self.dashboard.api.store.replica().is_some();
        let news = async {
            let news = tokio::select! {
                news = stored(&mut self.watch) => news,
                () = tokio::time::sleep(LOOK), if is_shared => Some(()),
            };
            tokio::time::sleep(PAUSE).await;
            news
        };
        let news = tokio::select! {
            () = end => None,
            news = news => news,
        };
        news?;
        self.dashboard.goes_on(session).await.ok()?.then_some(())
    }
}

/// Ends when a punch is on disk. Whoever was too slow to hear of one has missed some.
async fn stored(watch: &mut broadcast::Receiver<Sighting>) -> Option<()> {
    loop {
        match watch.recv().await {
            Ok(sighting) if sighting.stage == Stage::Durable => return Some(()),
            Ok(_) => {}
            Err(RecvError::Lagged(_)) => return Some(()),
            Err(RecvError::Closed) => return None,
        }
    }
}
