use core::time::Duration;
use std::sync::Arc;

use axum::Router;
use hyper::server::conn::http1;
use hyper_util::rt::TokioTimer;
use tokio::sync::watch;

use crate::core::Networks;
use crate::listen::{Broken, Client, Listener, Places, Wire, answer};

/// How long a client may take for the headers of a request.
const HEADERS_DEADLINE: Duration = Duration::from_secs(30);

/// Connections served at once; a further one waits to be accepted.
const CONNECTIONS_MAX: u16 = 1024;

/// Serves the API and the dashboard until `stop` says so, and what was asked before to its end.
pub(crate) async fn serve(listener: Listener, router: Router, stop: watch::Receiver<bool>) {
    let (places, proxies) = (Places::new(CONNECTIONS_MAX), Arc::clone(&listener.proxies));
    let serve = move |wire, client, stop| serve_one(wire, client, Arc::clone(&proxies), router.clone(), stop);
    listener.serve(&places, stop, serve).await;
    places.all_free().await;
}

async fn serve_one(
    wire: Wire,
    client: Client,
    proxies: Arc<Networks>,
    router: Router,
    stop: watch::Receiver<bool>,
) -> Result<(), Broken> {
    let mut http = http1::Builder::new();
    http.timer(TokioTimer::new()).header_read_timeout(HEADERS_DEADLINE);
    answer(&http, wire, client, proxies, router, stop).await
}
