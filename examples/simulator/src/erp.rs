//! Stand-in ERPs behind a real socket.

use std::net::SocketAddr;
use std::sync::{Arc, Mutex, PoisonError};

use axum::Router;
use axum::body::Body;
use axum::extract::{Request, State};
use axum::http::StatusCode;
use axum::response::{IntoResponse as _, Response};
use gateway::clock::now;
use tokio::net::TcpListener;

use crate::erpnext::{ErpNextStandIn, NoAnswer};

/// Largest request a stand-in reads, in bytes.
const BODY_MAX: usize = 1 << 20;

/// A site that others can look into while it serves.
pub type SharedErpNext = Arc<Mutex<ErpNextStandIn>>;

/// Serves a stand-in ERPNext on `addr`; it ends with the runtime.
///
/// # Errors
///
/// The address cannot be listened on.
pub async fn serve_erpnext(addr: SocketAddr, site: SharedErpNext) -> std::io::Result<SocketAddr> {
    let listener = TcpListener::bind(addr).await?;
    let addr = listener.local_addr()?;
    let router = Router::new().fallback(answer).with_state(site);
    tokio::spawn(async move { axum::serve(listener, router).await });
    Ok(addr)
}

async fn answer(State(site): State<SharedErpNext>, request: Request) -> Response {
    let (parts, body) = request.into_parts();
    let Ok(body) = axum::body::to_bytes(body, BODY_MAX).await else {
        return StatusCode::PAYLOAD_TOO_LARGE.into_response();
    };
    let request = http::Request::from_parts(parts, body);
    let response = site.lock().unwrap_or_else(PoisonError::into_inner).answer(&request, now());
    if response.extensions().get::<NoAnswer>().is_some() {
        // The site was told to go silent; what a proxy in front of it would say.
        return StatusCode::GATEWAY_TIMEOUT.into_response();
    }
    response.map(Body::from)
}
