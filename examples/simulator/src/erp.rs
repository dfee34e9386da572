//! Stand-in ERPs behind a real socket.

use core::time::Duration;
use std::net::SocketAddr;
use std::sync::{Arc, Mutex, PoisonError};

use axum::Router;
use axum::body::Body;
use axum::extract::{Request, State};
use axum::http::StatusCode;
use axum::response::{IntoResponse as _, Response};
use bytes::Bytes;
use chrono::{DateTime, Utc};
use gateway::clock::now;
use tokio::net::TcpListener;

use crate::erpnext::ErpNextStandIn;
use crate::hikcentral::HikCentralStandIn;
use crate::humand::HumandStandIn;
use crate::isapi::IsapiStandIn;
use crate::odoo::OdooStandIn;
use crate::successfactors::SuccessFactorsStandIn;

/// Largest request a stand-in reads, in bytes.
const BODY_MAX: usize = 1 << 20;

/// A site that others can look into while it serves.
pub type SharedErpNext = Arc<Mutex<ErpNextStandIn>>;

/// A database that others can look into while it serves.
pub type SharedOdoo = Arc<Mutex<OdooStandIn>>;

/// A community that others can look into while it serves.
pub type SharedHumand = Arc<Mutex<HumandStandIn>>;

/// A tenant that others can look into while it serves.
pub type SharedSuccessFactors = Arc<Mutex<SuccessFactorsStandIn>>;

/// A HikCentral that others can look into while it serves.
pub type SharedHikCentral = Arc<Mutex<HikCentralStandIn>>;

/// A terminal that others can look into while it serves.
pub type SharedIsapi = Arc<Mutex<IsapiStandIn>>;

/// Serves a stand-in ERPNext on `addr`; it ends with the runtime.
///
/// # Errors
///
/// The address cannot be listened on.
pub async fn serve_erpnext(addr: SocketAddr, site: SharedErpNext) -> std::io::Result<SocketAddr> {
    serve(addr, site).await
}

/// Serves a stand-in Odoo on `addr`; it ends with the runtime.
///
/// # Errors
///
/// The address cannot be listened on.
pub async fn serve_odoo(addr: SocketAddr, database: SharedOdoo) -> std::io::Result<SocketAddr> {
    serve(addr, database).await
}

/// Serves a stand-in Humand on `addr`; it ends with the runtime.
///
/// # Errors
///
/// The address cannot be listened on.
pub async fn serve_humand(addr: SocketAddr, community: SharedHumand) -> std::io::Result<SocketAddr> {
    serve(addr, community).await
}

/// Serves a stand-in SuccessFactors tenant, with its Identity Authentication, on `addr`; it ends with the runtime.
///
/// # Errors
///
/// The address cannot be listened on.
pub async fn serve_successfactors(addr: SocketAddr, tenant: SharedSuccessFactors) -> std::io::Result<SocketAddr> {
    serve(addr, tenant).await
}

/// Serves a stand-in HikCentral on `addr`; it ends with the runtime.
///
/// # Errors
///
/// The address cannot be listened on.
pub async fn serve_hikcentral(addr: SocketAddr, server: SharedHikCentral) -> std::io::Result<SocketAddr> {
    serve(addr, server).await
}

/// Serves a stand-in terminal without HikCentral on `addr`; it ends with the runtime.
///
/// # Errors
///
/// The address cannot be listened on.
pub async fn serve_isapi(addr: SocketAddr, terminal: SharedIsapi) -> std::io::Result<SocketAddr> {
    serve(addr, terminal).await
}

/// Posts what a HikCentral has to push, in order. What is not answered with a status of 200 is gone, and its statuses are
/// given back; 0 is no answer.
pub async fn push_hikcentral(server: &SharedHikCentral) -> Vec<u16> {
    let pushes = server.lock().unwrap_or_else(PoisonError::into_inner).take_pushes();
    let (client, mut statuses) = (reqwest::Client::new(), Vec::new());
    for push in pushes {
        let status = match reqwest::Request::try_from(push) {
            Ok(push) => client.execute(push).await.map_or(0, |response| response.status().as_u16()),
            Err(_) => 0,
        };
        statuses.push(status);
    }
    statuses
}

/// What answers requests. An answer marked with [`NoAnswer`](crate::stand_in::NoAnswer) is not to be sent.
pub trait StandIn: Send + 'static {
    /// Answers one request.
    fn answer(&mut self, request: &http::Request<Bytes>, now: DateTime<Utc>) -> http::Response<Bytes>;
}

impl StandIn for ErpNextStandIn {
    fn answer(&mut self, request: &http::Request<Bytes>, now: DateTime<Utc>) -> http::Response<Bytes> {
        self.answer(request, now)
    }
}

impl StandIn for OdooStandIn {
    fn answer(&mut self, request: &http::Request<Bytes>, now: DateTime<Utc>) -> http::Response<Bytes> {
        self.answer(request, now)
    }
}

impl StandIn for HumandStandIn {
    fn answer(&mut self, request: &http::Request<Bytes>, now: DateTime<Utc>) -> http::Response<Bytes> {
        self.answer(request, now)
    }
}

impl StandIn for SuccessFactorsStandIn {
    fn answer(&mut self, request: &http::Request<Bytes>, now: DateTime<Utc>) -> http::Response<Bytes> {
        self.answer(request, now)
    }
}

impl StandIn for HikCentralStandIn {
    fn answer(&mut self, request: &http::Request<Bytes>, now: DateTime<Utc>) -> http::Response<Bytes> {
        self.answer(request, now)
    }
}

impl StandIn for IsapiStandIn {
    fn answer(&mut self, request: &http::Request<Bytes>, _: DateTime<Utc>) -> http::Response<Bytes> {
        self.answer(request)
    }
}

/// Serves a stand-in on `addr` as if it were far away: each answer takes so much longer. It ends with the runtime.
///
/// # Errors
///
/// The address cannot be listened on.
pub async fn serve_far<S: StandIn>(
    addr: SocketAddr,
    server: Arc<Mutex<S>>,
    latency: Duration,
) -> std::io::Result<SocketAddr> {
    let listener = TcpListener::bind(addr).await?;
    let addr = listener.local_addr()?;
    let router = Router::new().fallback(answer::<S>).with_state((server, latency));
    tokio::spawn(async move { axum::serve(listener, router).await });
    Ok(addr)
}

async fn serve<S: StandIn>(addr: SocketAddr, server: Arc<Mutex<S>>) -> std::io::Result<SocketAddr> {
    serve_far(addr, server, Duration::ZERO).await
}

async fn answer<S: StandIn>(State((server, latency)): State<(Arc<Mutex<S>>, Duration)>, request: Request) -> Response {
    let (parts, body) = request.into_parts();
    let Ok(body) = axum::body::to_bytes(body, BODY_MAX).await else {
        return StatusCode::PAYLOAD_TOO_LARGE.into_response();
    };
    let request = http::Request::from_parts(parts, body);
    let response = server.lock().unwrap_or_else(PoisonError::into_inner).answer(&request, now());
    if !latency.is_zero() {
        tokio::time::sleep(latency).await;
    }
    // Where nothing is to be sent it says what a proxy in front would.
    response.map(Body::from)
}
