use core::time::Duration;
use std::sync::Arc;

use axum::Router;
use hyper::server::conn::http1;
use hyper_util::rt::TokioTimer;
use tokio::sync::watch;

use super::handler::Devices;
use super::request_line;
use crate::core::Networks;
use crate::listen::{Broken, Client, Listener, Places, Wire, answer};

/// How long a terminal may take for its headers, and again for a whole request.
const REQUEST_DEADLINE: Duration = Duration::from_secs(30);

/// Connections served at once; a further one waits to be accepted.
pub(crate) const CONNECTIONS_MAX: u16 = 4096;

/// Serves terminals until `stop` says so.
pub(crate) async fn serve(
    listener: Listener,
    places: Places,
    devices: Devices,
    pushed: Router,
    stop: watch::Receiver<bool>,
) {
    let proxies = Arc::clone(&listener.proxies);
    // Made once: a terminal opens a connection for every request.
    let router = devices.router(pushed, REQUEST_DEADLINE);
    let serve = move |wire, client, stop| serve_one(wire, client, Arc::clone(&proxies), router.clone(), stop);
    listener.serve(&places, stop, serve).await;
}

async fn serve_one(
    mut wire: Wire,
    client: Client,
    proxies: Arc<Networks>,
    router: Router,
    stop: watch::Receiver<bool>,
) -> Result<(), Broken> {
    let opening = tokio::time::timeout(REQUEST_DEADLINE, request_line::read(&mut wire)).await??;
    wire.put_back(opening.bytes);
    let mut http = http1::Builder::new();
    // Firmware searches for `Content-Length:` and `Date:` in exactly this spelling.
    http.title_case_headers(true)
        // A client that says it will send no more still waits for its answer.
        .half_close(true)
        .timer(TokioTimer::new())
        .header_read_timeout(REQUEST_DEADLINE)
        .keep_alive(!opening.repaired);
    answer(&http, wire, client, proxies, router, stop).await
}
