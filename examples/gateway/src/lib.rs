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
pub mod clock;
pub mod config;
pub mod core;
mod dashboard;
pub mod delivery;
pub mod device;
mod export;
mod metrics;
mod report;
pub mod stage;
pub mod store;

use std::io;
use std::net::SocketAddr;
use std::sync::{Arc, Mutex};

use tokio::net::{TcpListener, TcpSocket};
use tokio::sync::{Notify, watch};
use tokio::task::JoinHandle;

use api::{Api, ApiKey, Keys, hash_key};
use clock::now;
use config::Config;
use core::{KeyScope, Quota};
use dashboard::Dashboard;
use delivery::Engine;
use delivery::outages::Outages;
use device::Devices;
use stage::Watch;
use store::{ApiKeyRow, DeviceRow, EndpointRow, Store, StoreError, restore_calls};

/// Why the gateway did not start.
#[derive(Debug, thiserror::Error)]
pub enum StartError {
    /// The store.
    #[error(transparent)]
    Store(#[from] StoreError),
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
    /// No random bytes for the keys.
    #[error("no random bytes from the system: {0}")]
    Random(getrandom::Error),
}

/// A gateway at work.
#[derive(Debug)]
pub struct Gateway {
    /// Where terminals connect.
    pub device_addr: SocketAddr,
    /// Where the API listens.
    pub api_addr: SocketAddr,
    /// The API key, if this start made it. It is not shown again.
    pub new_api_key: Option<ApiKey>,
    /// Where punches are, for whoever watches.
    pub watch: Watch,
    /// The terminals.
    pub devices: Devices,
    store: Store,
    engine: Engine,
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
    write_config(&store, &mut config).await?;
    let watch = Watch::default();
    let (stop, stopped) = watch::channel(false);
    let notify = config.notify.take();
    let post = notify.is_some().then(Arc::<Notify>::default);
    let engine = Engine::start(store.clone(), &config.delivery, watch.clone(), post.clone()).await?;
    delivery::replay::go_on(&store, &engine).await?;
    let rows = store.read(DeviceRow::all).await?;
    let devices = Devices::new(&config, &rows, key, store.clone(), engine.clone(), watch.clone());
    devices.keep_zones().await?;
    devices.find_commands().await?;
    let (device_listener, device_addr) = listen(config.device_addr, "--device-addr")?;
    let (api_listener, api_addr) = listen(config.api_addr, "--api-addr")?;

    let mut quota = Quota::new(config.calls);
    let quota = store.read(move |connection| restore_calls(connection, &mut quota).map(|()| quota)).await?;
    let api = Api::new(api::Inner {
        store: store.clone(),
        engine: engine.clone(),
        devices: devices.clone(),
        delivery: config.delivery.clone(),
        shifts: config.shifts.clone(),
        keys,
        quota: Mutex::new(quota),
        idempotency: Mutex::default(),
    });
    let key_task = tokio::spawn(api.clone().watch_keys(stopped.clone()));
    let dashboard = Dashboard::new(api.clone(), &dashboard_key, watch.clone(), stopped.clone());
    let router = api.router().merge(dashboard.router());
    let mut api_stop = stopped.clone();
    let api_task = tokio::spawn(async move {
        let until = async move { drop(api_stop.wait_for(|&stop| stop).await) };
        let service = router.into_make_service_with_connect_info::<SocketAddr>();
        if let Err(error) = axum::serve(api_listener, service).with_graceful_shutdown(until).await {
            tracing::error!(%error, "the API has stopped");
        }
    });
    let site_task = tokio::spawn(devices.clone().watch_sites(stopped.clone()));
    let release_task = tokio::spawn(devices.clone().release_by_file(stopped.clone()));
    let (after, post_too) = (config.delivery.failing_after, post.clone());
    let outages = Outages { store: store.clone(), engine: engine.clone(), after, post: post_too };
    outages.look().await?;
    let outage_task = tokio::spawn(outages.watch(stopped.clone()));
    let retention_task = tokio::spawn(delivery::retention::keep(store.clone(), config.retention, stopped.clone()));
    let command_task = tokio::spawn(devices.clone().watch_commands(stopped.clone()));
    let expansion_task = tokio::spawn(devices.clone().expand_commands(stopped.clone()));
    let replica_task = tokio::spawn(devices.clone().follow_replicas(stopped.clone()));
    let mut tasks = vec![api_task, site_task, release_task, outage_task, retention_task, replica_task];
    tasks.extend([command_task, expansion_task, key_task]);
    if let (Some(notify), Some(post)) = (notify, post) {
        tasks.push(tokio::spawn(delivery::mail::post(notify, store.clone(), post, stopped.clone())));
    }
    tasks.push(tokio::spawn(device::serve(device_listener, devices.clone(), stopped)));
    Ok(Gateway { device_addr, api_addr, new_api_key, watch, devices, store, engine, stop, tasks })
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

fn listen(addr: SocketAddr, flag: &'static str) -> Result<(TcpListener, SocketAddr), StartError> {
    let refused = |source| StartError::Listen { addr, flag, source };
    let listener = wait_on(addr).map_err(refused)?;
    let bound = listener.local_addr().map_err(refused)?;
    Ok((listener, bound))
}

/// Connections that may wait to be accepted: all of a fleet that comes back at once, as far as the system allows it.
const ACCEPTED_LATER: u32 = 4096;

fn wait_on(addr: SocketAddr) -> io::Result<TcpListener> {
    let socket = if addr.is_ipv4() { TcpSocket::new_v4()? } else { TcpSocket::new_v6()? };
    // A port is free again as soon as its last owner has ended.
    socket.set_reuseaddr(true)?;
    socket.bind(addr)?;
    socket.listen(ACCEPTED_LATER)
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
            ApiKeyRow::put(tx, "first start", &hash, KeyScope::Admin, now())?;
        }
        Ok((ApiKeyRow::all(tx)?, is_new))
    };
    let (rows, is_new) = store.write(work).await?;
    Ok((tenant, is_new.then_some(key), Keys::new(in_file, &rows)))
}

/// A random key that is made at the first start and then kept.
async fn made_once(store: &Store, name: &'static str) -> Result<[u8; 32], StartError> {
    let mut key = [0; 32];
    getrandom::fill(&mut key).map_err(StartError::Random)?;
    let (key, _) = store.once(name, move || key.to_vec()).await?;
    Ok(<[u8; 32]>::try_from(key).unwrap_or_default())
}

/// What the file names is approved, registered and subscribed before anybody is served.
async fn write_config(store: &Store, config: &mut Config) -> Result<(), StoreError> {
    let serials: Vec<String> = config.devices.iter().map(|device| device.serial.to_string()).collect();
    let employees = config.employees.clone();
    let endpoints = std::mem::take(&mut config.endpoints);
    store
        .write(move |tx| {
            for serial in &serials {
                DeviceRow::approve_unless_blocked(tx, serial, now())?;
            }
            for employee in &employees {
                store::put_employee(tx, employee)?;
            }
            for endpoint in &endpoints {
                EndpointRow::put(tx, endpoint, now())?;
            }
            Ok(())
        })
        .await
}
