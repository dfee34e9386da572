//! The gateway: listeners, a store and a delivery engine around the pure crates.
//!
//! [`start`] brings everything up; what decides anything lives in [`core`](mod@core) and in the crates below.
#![forbid(unsafe_code)]
#![allow(
    clippy::arithmetic_side_effects,
    clippy::exhaustive_enums,
    clippy::exhaustive_structs,
    clippy::std_instead_of_alloc,
    clippy::std_instead_of_core,
    clippy::wildcard_enum_match_arm,
    reason = "a shell: std is there, and nothing here is a published API"
)]

pub mod api;
pub mod chart;
pub mod config;
pub mod core;
mod dashboard;
pub mod delivery;
pub mod device;
mod doors;
mod export;
mod listen;
mod metrics;
mod named;
mod reload;
mod report;
mod source;
pub mod stage;
pub mod store;

use std::io;
use std::net::SocketAddr;
use std::sync::{Arc, Mutex};

use punch_erp::TransportError;
use tokio::sync::{Notify, watch};
use tokio::task::JoinHandle;

use api::{Api, ApiKey, Keys, hash_key};
pub use sinks::clock;

use clock::now;
use config::Config;
use core::{CallLimits, Deed, KeyScope, Outcome, Quota};
use dashboard::Dashboard;
use delivery::outages::Outages;
use delivery::{Engine, Sinks};
use device::Devices;
use doors::{Certificates, Doors};
use listen::Tls;
pub use reload::Reloaded;
use source::Sources;
use stage::Watch;
use store::{ApiKeyRow, DeviceRow, Store, StoreError, append_audit, restore_calls};

/// Why the gateway did not start.
#[derive(Debug, thiserror::Error)]
pub enum StartError {
    /// The store.
    #[error(transparent)]
    Store(#[from] StoreError),
    /// The way to an ERP.
    #[error(transparent)]
    Sink(#[from] TransportError),
    /// A listener.
    #[error("cannot listen on {addr}: {source}; another program may have the port, choose one with `{flag}`")]
    Listen {
        /// The address asked for.
        addr: SocketAddr,
        /// The flag that changes it.
        flag: &'static str,
        /// What the system said.
        source: io::Error,
    },
    /// A certificate.
    #[error("no TLS: {0}")]
    Tls(String),
    /// No random bytes for the keys.
    #[error("no random bytes from the system: {0}")]
    Random(getrandom::Error),
}

/// A gateway at work.
#[derive(Debug)]
pub struct Gateway {
    /// Where terminals connect: in plain HTTP, unless that is off.
    pub device_addr: SocketAddr,
    /// Where terminals connect over TLS, if they can.
    pub device_tls_addr: Option<SocketAddr>,
    /// Where the API listens.
    pub api_addr: SocketAddr,
    /// Whether the API speaks TLS.
    pub api_is_tls: bool,
    /// The API key, if this start made it. It is not shown again.
    pub new_api_key: Option<ApiKey>,
    /// Where punches are, for whoever watches.
    pub watch: Watch,
    /// The terminals.
    pub devices: Devices,
    store: Store,
    engine: Engine,
    certificates: Certificates,
    stop: watch::Sender<bool>,
    tasks: Vec<JoinHandle<()>>,
}

/// Brings a gateway up: store, engine, both listeners.
///
/// # Errors
///
/// [`StartError`] says what could not be opened, and what to do.
pub async fn start(mut config: Config) -> Result<Gateway, StartError> {
    let store = Store::open(&config.store)?;
    let (key, new_api_key, keys) = keys(&store, &config).await?;
    let dashboard_key = made_once(&store, "dashboard_key").await?;
    // Deliveries of what is told by it are found in the store when they begin to be made.
    drop(named::enter(&store, &mut config, key, "start").await?);
    let watch = Watch::default();
    let (stop, stopped) = watch::channel(false);
    let notify = config.notify.take();
    let post = notify.is_some().then(Arc::<Notify>::default);
    let sinks = Sinks::open(&config.sinks, &store)?;
    let engine = Engine::start(store.clone(), &config.delivery, sinks.clone(), watch.clone(), post.clone()).await?;
    delivery::replay::go_on(&store, &engine).await?;
    let rows = store.read(DeviceRow::all).await?;
    let devices = Devices::new(&config, &rows, key, store.clone(), watch.clone());
    devices.begin().await?;
    let sources = Sources::open(&config.sources, &devices, &store);
    let doors = Doors::open(&config, store.metrics()).await?;
    let (device_addr, device_tls_addr, api_addr) = doors.addresses();

    let certificates = doors.certificates();
    let api = Api::new(api::Inner {
        store: store.clone(),
        engine: engine.clone(),
        devices: devices.clone(),
        sources: sources.clone(),
        delivery: config.delivery.clone(),
        shifts: config.shifts.clone(),
        keys,
        quota: Mutex::new(quota(&store, config.calls).await?),
        idempotency: Mutex::default(),
        certificates: certificates.clone(),
        erased_punches: config.retention.erased_punches,
    });
    let key_task = tokio::spawn(api.clone().watch_keys(stopped.clone()));
    let dashboard = Dashboard::new(api.clone(), &dashboard_key, watch.clone(), stopped.clone());
    let router = api.router().merge(dashboard.router());
    let (after, post_too) = (config.delivery.failing_after, post.clone());
    let outages = Outages { store: store.clone(), after, post: post_too };
    outages.look().await?;
    let retention_task = tokio::spawn(delivery::retention::keep(store.clone(), config.retention, stopped.clone()));
    let mut tasks = vec![tokio::spawn(outages.watch(stopped.clone())), retention_task, key_task];
    tasks.extend(devices.attend(&stopped));
    let mail = |(notify, post)| tokio::spawn(delivery::mail::post(notify, store.clone(), post, stopped.clone()));
    tasks.extend(notify.zip(post).map(mail));
    tasks.extend(sinks.probes(&config.sinks, &stopped).into_iter().chain(sources.feed(&stopped)));
    tasks.extend(doors.serve(&devices, &sources.router(), router, &stopped));
    Ok(Gateway {
        device_addr,
        device_tls_addr,
        api_addr,
        api_is_tls: config.api_tls.is_some(),
        new_api_key,
        watch,
        devices,
        store,
        engine,
        certificates,
        stop,
        tasks,
    })
}

impl Gateway {
    /// The store, for reading.
    pub fn store(&self) -> &Store {
        &self.store
    }

    /// Stops listening, lets what is in flight end, and returns. What was not delivered stays in the store.
    pub async fn shut_down(self) {
        self.stop.send_replace(true);
        self.engine.drain().await;
        for task in self.tasks {
            drop(task.await);
        }
    }
}

/// The tenant's identity key and the keys to the API. If no key may do everything, one is made.
async fn keys(store: &Store, config: &Config) -> Result<([u8; 32], Option<ApiKey>, Keys), StartError> {
    let tenant = made_once(store, "tenant_key").await?;
    let mut api = [0; 32];
    getrandom::fill(&mut api).map_err(StartError::Random)?;
    let in_file = config.api_key.as_ref().map(|given| hash_key(given.expose()));
    let (key, is_needed) = (ApiKey::from_random(api), in_file.is_none());
    let hash = hash_key(key.expose());
    let work = move |tx: &mut store::Transaction<'_>| {
        let is_admin = |row: &ApiKeyRow| row.revoked_at.is_none() && row.scope == KeyScope::Admin;
        let is_new = is_needed && !ApiKeyRow::all(tx)?.iter().any(is_admin);
        if is_new {
            let id = ApiKeyRow::put(tx, "first start", &hash, KeyScope::Admin, now())?;
            let (via, action, target) = ("configuration".to_owned(), "first key".to_owned(), Some(id.to_string()));
            append_audit(tx, Deed { via, action, target, ..Deed::default() }, Outcome::Done, None, now())?;
        }
        Ok((ApiKeyRow::all(tx)?, is_new))
    };
    let (rows, is_new) = store.write(work).await?;
    Ok((tenant, is_new.then_some(key), Keys::new(in_file, &rows)))
}

/// How often the API was called with each key this day, over a restart.
async fn quota(store: &Store, limits: CallLimits) -> Result<Quota, StoreError> {
    let mut quota = Quota::new(limits);
    store.read(move |connection| restore_calls(connection, &mut quota).map(|()| quota)).await
}

/// A random key that is made at the first start and then kept.
async fn made_once(store: &Store, name: &'static str) -> Result<[u8; 32], StartError> {
    let mut key = [0; 32];
    getrandom::fill(&mut key).map_err(StartError::Random)?;
    let (key, _) = store.once(name, move || key.to_vec()).await?;
    Ok(<[u8; 32]>::try_from(key).unwrap_or_default())
}
