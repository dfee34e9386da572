//! A proxy in front of a real server, and the accidents that happen there.

use core::time::Duration;
use std::net::{Ipv4Addr, SocketAddr};
use std::sync::atomic::{AtomicU64, Ordering};
use std::sync::{Arc, Mutex, PoisonError};

use axum::Router;
use axum::body::Body;
use axum::extract::{Request, State};
use axum::http::StatusCode;
use axum::response::{IntoResponse as _, Response};
use tokio::net::TcpListener;

use crate::dice::Dice;

/// Largest request that goes through, in bytes.
const BODY_MAX: usize = 1 << 24;

/// What happens to one request.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub enum Accident {
    /// 502, and the server never heard of it.
    Before,
    /// The server carried it out, and the connection breaks in the middle of the answer.
    After,
    /// The connection breaks, and the server gets it so much later.
    Late(Duration),
}

/// The way to a server, with accidents in a part of the requests.
#[derive(Debug)]
pub struct Between {
    /// Where it listens.
    pub url: String,
    state: Arc<Shared>,
}

#[derive(Debug)]
struct Shared {
    server: String,
    http: reqwest::Client,
    /// How many of 100 requests have an accident, the accidents to choose from, and the dice.
    accidents: Mutex<(u64, Vec<Accident>, Dice)>,
    requests: AtomicU64,
    happened: AtomicU64,
}

impl Between {
    /// Passes everything on to the server at this address. It ends with the runtime.
    ///
    /// # Errors
    ///
    /// No port can be listened on.
    pub async fn start(server: &str, seed: u64) -> std::io::Result<Self> {
        let listener = TcpListener::bind(SocketAddr::from((Ipv4Addr::LOCALHOST, 0))).await?;
        let url = format!("http://{}", listener.local_addr()?);
        let state = Arc::new(Shared {
            server: server.to_owned(),
            http: reqwest::Client::new(),
            accidents: Mutex::new((0, Vec::new(), Dice::new(seed))),
            requests: AtomicU64::new(0),
            happened: AtomicU64::new(0),
        });
        let router = Router::new().fallback(pass).with_state(Arc::clone(&state));
        tokio::spawn(async move { axum::serve(listener, router).await });
        Ok(Self { url, state })
    }

    /// From now on so many of 100 requests have one of these accidents.
    pub fn accidents(&self, percent: u64, kinds: &[Accident]) {
        let mut accidents = self.state.accidents.lock().unwrap_or_else(PoisonError::into_inner);
        (accidents.0, accidents.1) = (percent, kinds.to_vec());
    }

    /// How many requests there were, and how many accidents.
    pub fn counts(&self) -> (u64, u64) {
        (self.state.requests.load(Ordering::Relaxed), self.state.happened.load(Ordering::Relaxed))
    }
}

impl Shared {
    fn accident(&self) -> Option<Accident> {
        self.requests.fetch_add(1, Ordering::Relaxed);
        let mut accidents = self.accidents.lock().unwrap_or_else(PoisonError::into_inner);
        let (percent, kinds, dice) = &mut *accidents;
        if dice.below(100) >= *percent || kinds.is_empty() {
            return None;
        }
        self.happened.fetch_add(1, Ordering::Relaxed);
        let number = dice.below(u64::try_from(kinds.len()).unwrap_or(1));
        kinds.get(usize::try_from(number).unwrap_or_default()).copied()
    }

    async fn send(&self, request: http::Request<bytes::Bytes>) -> Result<Response, reqwest::Error> {
        let (mut parts, body) = request.into_parts();
        parts.headers.remove(http::header::HOST);
        let path = parts.uri.path_and_query().map_or("/", |path| path.as_str());
        let request =
            self.http.request(parts.method, format!("{}{path}", self.server)).headers(parts.headers).body(body);
        let answer = request.send().await?;
        let (status, mut headers) = (answer.status(), answer.headers().clone());
        for name in ["transfer-encoding", "content-length", "connection"] {
            headers.remove(name);
        }
        let mut response = Response::new(Body::from(answer.bytes().await?));
        (*response.status_mut(), *response.headers_mut()) = (status, headers);
        Ok(response)
    }
}

async fn pass(State(state): State<Arc<Shared>>, request: Request) -> Response {
    let (parts, body) = request.into_parts();
    let Ok(body) = axum::body::to_bytes(body, BODY_MAX).await else {
        return StatusCode::PAYLOAD_TOO_LARGE.into_response();
    };
    let request = http::Request::from_parts(parts, body);
    let unreached = |_| StatusCode::BAD_GATEWAY.into_response();
    match state.accident() {
        None => state.send(request).await.unwrap_or_else(unreached),
        Some(Accident::Before) => StatusCode::BAD_GATEWAY.into_response(),
        Some(Accident::After) => {
            drop(state.send(request).await);
            broken()
        }
        Some(Accident::Late(delay)) => {
            tokio::spawn(async move {
                tokio::time::sleep(delay).await;
                // Nobody waits for the answer any more.
                drop(state.send(request).await);
            });
            broken()
        }
    }
}

/// An answer whose body never comes to its end.
fn broken() -> Response {
    let end = futures_util::stream::once(async { Err::<bytes::Bytes, _>(std::io::Error::other("broken on purpose")) });
    Response::new(Body::from_stream(end))
}
