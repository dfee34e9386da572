use std::net::{Ipv4Addr, SocketAddr};
use std::sync::{Arc, Mutex};
use std::time::Duration;

use axum::Router;
use axum::body::Bytes;
use axum::http::{HeaderMap, StatusCode, header};
use axum::response::{IntoResponse as _, Response};
use serde_json::Value;
use tokio::net::TcpListener;

/// A receiver that records everything and answers as it is told. It verifies nothing.
pub(crate) struct Recorder {
    pub(crate) addr: SocketAddr,
    seen: Arc<Mutex<Vec<Seen>>>,
    crowd: Arc<Mutex<Crowd>>,
}

/// How many requests are being answered, and the most there were at once.
#[derive(Default)]
struct Crowd {
    now: usize,
    most: usize,
}

/// One request.
#[derive(Clone)]
pub(crate) struct Seen {
    pub(crate) headers: HeaderMap,
    pub(crate) body: Bytes,
}

impl Recorder {
    /// Answers every request with `answer`, which is given the number of the request from 0.
    pub(crate) async fn start<F>(answer: F) -> Self
    where
        F: Fn(usize) -> Response + Clone + Send + Sync + 'static,
    {
        Self::after(Duration::ZERO, move |number, _| answer(number)).await
    }

    /// Answers every request by what is in it.
    pub(crate) async fn judging<F>(answer: F) -> Self
    where
        F: Fn(&[u8]) -> Response + Clone + Send + Sync + 'static,
    {
        Self::after(Duration::ZERO, move |_, body| answer(body)).await
    }

    /// Answers everything with 200, and takes its time.
    pub(crate) async fn slow(time: Duration) -> Self {
        Self::after(time, |_, _| StatusCode::OK.into_response()).await
    }

    async fn after<F>(time: Duration, answer: F) -> Self
    where
        F: Fn(usize, &[u8]) -> Response + Clone + Send + Sync + 'static,
    {
        let listener = TcpListener::bind((Ipv4Addr::LOCALHOST, 0)).await.unwrap();
        let addr = listener.local_addr().unwrap();
        let seen = Arc::new(Mutex::new(Vec::new()));
        let record = Arc::clone(&seen);
        let crowd = Arc::<Mutex<Crowd>>::default();
        let count = Arc::clone(&crowd);
        let router = Router::new().fallback(move |headers: HeaderMap, body: Bytes| async move {
            {
                let mut crowd = count.lock().unwrap();
                crowd.now += 1;
                crowd.most = crowd.most.max(crowd.now);
            }
            let number = {
                let mut seen = record.lock().unwrap();
                seen.push(Seen { headers, body: body.clone() });
                seen.len() - 1
            };
            if !time.is_zero() {
                tokio::time::sleep(time).await;
            }
            count.lock().unwrap().now -= 1;
            answer(number, &body)
        });
        tokio::spawn(async move { axum::serve(listener, router).await });
        Self { addr, seen, crowd }
    }

    /// Answers everything with one status.
    pub(crate) async fn always(status: u16) -> Self {
        Self::start(move |_| StatusCode::from_u16(status).unwrap().into_response()).await
    }

    /// Answers everything with a redirect.
    pub(crate) async fn redirecting(to: SocketAddr) -> Self {
        let location = format!("http://{to}/stolen");
        Self::start(move |_| (StatusCode::FOUND, [(header::LOCATION, location.clone())]).into_response()).await
    }

    pub(crate) fn url(&self) -> String {
        format!("http://{}/webhook", self.addr)
    }

    pub(crate) fn seen(&self) -> Vec<Seen> {
        self.seen.lock().unwrap().clone()
    }

    /// The most requests that were here at once.
    pub(crate) fn most_at_once(&self) -> usize {
        self.crowd.lock().unwrap().most
    }

    /// Which events came, each once.
    pub(crate) fn event_ids(&self) -> std::collections::BTreeSet<String> {
        self.seen().iter().map(|seen| seen.json()["event_id"].as_str().unwrap().to_owned()).collect()
    }

    /// Whose punches came.
    pub(crate) fn badges(&self) -> std::collections::BTreeSet<String> {
        let badge = |seen: &Seen| seen.json()["employee"]["badge_number"].as_str().map(str::to_owned);
        self.seen().iter().filter_map(badge).collect()
    }
}

impl Seen {
    pub(crate) fn json(&self) -> Value {
        serde_json::from_slice(&self.body).unwrap()
    }

    pub(crate) fn header(&self, name: &str) -> &str {
        self.headers.get(name).unwrap_or_else(|| panic!("no header {name}")).to_str().unwrap()
    }
}
