//! Who receives events: counts them, and notes when whose came if asked to.

use core::time::Duration;
use std::net::{Ipv4Addr, SocketAddr};
use std::sync::atomic::{AtomicBool, AtomicU64, Ordering};
use std::sync::{Arc, Mutex, PoisonError};
use std::time::Instant;

use anyhow::{Context as _, ensure};
use axum::Router;
use axum::extract::State;
use axum::http::HeaderMap;
use bytes::Bytes;
use serde_json::Value;
use tokio::net::TcpListener;

use crate::process::now;

/// How long something may take before it is believed lost.
const PATIENCE: Duration = Duration::from_secs(120);

#[derive(Clone)]
pub(crate) struct Receiver(Arc<Inner>);

struct Inner {
    addr: SocketAddr,
    delay: Duration,
    seen: AtomicU64,
    notes: AtomicBool,
    arrivals: Mutex<Vec<(u32, Instant)>>,
}

impl Receiver {
    /// Answers 200, after `delay`.
    pub(crate) async fn start(delay: Duration) -> anyhow::Result<Self> {
        let listener = TcpListener::bind((Ipv4Addr::LOCALHOST, 0)).await?;
        let (seen, notes, arrivals) = (AtomicU64::new(0), AtomicBool::new(false), Mutex::default());
        let receiver = Self(Arc::new(Inner { addr: listener.local_addr()?, delay, seen, notes, arrivals }));
        let router = Router::new().fallback(take).with_state(receiver.clone());
        tokio::spawn(async move { axum::serve(listener, router).await });
        Ok(receiver)
    }

    pub(crate) fn url(&self) -> String {
        format!("http://{}/hook", self.0.addr)
    }

    /// How many events have come.
    pub(crate) fn seen(&self) -> u64 {
        self.0.seen.load(Ordering::Relaxed)
    }

    pub(crate) async fn wait_for(&self, events: u32) -> anyhow::Result<()> {
        let began = now();
        while self.seen() < u64::from(events) {
            ensure!(began.elapsed() < PATIENCE, "{} events of {events} have come", self.seen());
            tokio::time::sleep(Duration::from_millis(1)).await;
        }
        Ok(())
    }

    /// Notes from now on whose punches come.
    pub(crate) fn note_arrivals(&self) {
        self.0.notes.store(true, Ordering::Relaxed);
    }

    /// When what came, of which PIN, once there is so much of it.
    pub(crate) async fn arrivals(&self, events: usize) -> anyhow::Result<Vec<(u32, Instant)>> {
        let began = now();
        loop {
            let arrivals = self.0.arrivals.lock().unwrap_or_else(PoisonError::into_inner).clone();
            if arrivals.len() >= events {
                return Ok(arrivals);
            }
            ensure!(began.elapsed() < PATIENCE, "{} events of {events} have come", arrivals.len());
            tokio::time::sleep(Duration::from_millis(5)).await;
        }
    }

    fn note(&self, body: &[u8]) -> anyhow::Result<()> {
        let event: Value = serde_json::from_slice(body)?;
        let badge = event.pointer("/employee/badge_number").and_then(Value::as_str).context("a badge")?;
        let arrived = (badge.parse()?, now());
        self.0.arrivals.lock().unwrap_or_else(PoisonError::into_inner).push(arrived);
        Ok(())
    }
}

async fn take(State(receiver): State<Receiver>, headers: HeaderMap, body: Bytes) -> &'static str {
    if !receiver.0.delay.is_zero() {
        tokio::time::sleep(receiver.0.delay).await;
    }
    let listed = headers.get("webhook-batch").and_then(|events| events.to_str().ok()?.parse().ok());
    receiver.0.seen.fetch_add(listed.unwrap_or(1), Ordering::Relaxed);
    if receiver.0.notes.load(Ordering::Relaxed) {
        // What is not a punch is not looked for.
        drop(receiver.note(&body));
    }
    "ok"
}
