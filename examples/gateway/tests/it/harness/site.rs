use std::net::{Ipv4Addr, SocketAddr};
use std::path::{Path, PathBuf};

use chrono::{DateTime, Utc};
use gateway::api::ApiKey;
use gateway::config::{Config, DeviceConfig, EndpointConfig, Profile};
use gateway::core::CallLimits;
use gateway::store::{FromValue, Place, Store};
use gateway::{Gateway, StartError};
use punch_protocol::SerialNumber;
use punch_webhook::{EventType, PayloadFormat, Secret};
use serde_json::Value;
use tempfile::TempDir;

use super::{Answer, Contract, Heard, Recorder, eventually, post};

pub(crate) const API_KEY: &str = "pk_of_the_tests";
/// Serves both signature schemes.
pub(crate) const SECRET: &str = "whsec_BwcHBwcHBwcHBwcHBwcHBwcHBwcHBwcHBwcHBwcHBwc=";

/// A gateway in this process, on loopback, with the approved terminal `T1` and a store in a folder of its own.
pub(crate) struct Site {
    pub(crate) gateway: Gateway,
    pub(crate) folder: TempDir,
    http: reqwest::Client,
}

/// The store of a site: a file in its folder, or a schema named after the folder on the server of
/// `PUNCH_TEST_STORE=postgres`.
pub(crate) async fn place(folder: &Path) -> Place {
    if std::env::var_os("PUNCH_TEST_STORE").is_some_and(|kind| kind == "postgres") {
        let url = std::env::var("PUNCH_TEST_POSTGRES_URL").expect("PUNCH_TEST_POSTGRES_URL says where the server is");
        let name = folder.file_name().unwrap().to_str().unwrap();
        let name: String = name.bytes().map(|byte| format!("{byte:02x}")).collect();
        return schema(&url, &format!("t{name}")).await;
    }
    Place::File(folder.join("punch.sqlite"))
}

/// A schema of a server, made if it is not there.
pub(crate) async fn schema(url: &str, name: &str) -> Place {
    let (client, connection) = tokio_postgres::connect(url, tokio_postgres::NoTls).await.unwrap();
    tokio::spawn(connection);
    client.batch_execute(&format!("CREATE SCHEMA IF NOT EXISTS {name}")).await.unwrap();
    let separator = if url.contains('?') { '&' } else { '?' };
    Place::parse(&format!("{url}{separator}options=-csearch_path%3D{name}")).unwrap()
}

/// An approved terminal on UTC with the default window.
pub(crate) fn device(serial: &str) -> DeviceConfig {
    DeviceConfig {
        serial: SerialNumber::parse(serial).unwrap(),
        name: format!("Door {serial}"),
        site: "Plant".to_owned(),
        role: None,
        profile: Profile::default(),
        comm_key: None,
    }
}

/// An endpoint for punches, signed with [`SECRET`].
pub(crate) fn endpoint(url: &str, format: PayloadFormat) -> EndpointConfig {
    let events = vec![EventType::ATTENDANCE_PUNCH.to_string()];
    let secret = Secret::new(SECRET).unwrap();
    EndpointConfig { url: url.to_owned(), secret, format, schedule: "seed-002", events, options: Default::default() }
}

impl Site {
    pub(crate) async fn start(change: impl FnOnce(&mut Config)) -> Self {
        Self::start_in(tempfile::tempdir().unwrap(), change).await.unwrap()
    }

    /// A site that delivers to one receiver.
    pub(crate) async fn delivering_to(receiver: &Recorder) -> Self {
        Self::start(|config| config.endpoints.push(endpoint(&receiver.url(), PayloadFormat::Nested))).await
    }

    pub(crate) async fn start_in(folder: TempDir, change: impl FnOnce(&mut Config)) -> Result<Self, StartError> {
        let mut config = Config::default();
        let loopback = SocketAddr::from((Ipv4Addr::LOCALHOST, 0));
        (config.device_addr, config.api_addr) = (loopback, loopback);
        config.store = place(folder.path()).await;
        config.api_key = Some(ApiKey::new(API_KEY.to_owned()));
        (config.delivery.allow_http, config.delivery.allow_private_targets) = (true, true);
        config.devices = vec![device("T1")];
        // Tests look again and again.
        config.calls = CallLimits { per_device_and_day: 1_000_000, per_minute: 1_000_000 };
        change(&mut config);
        let gateway = gateway::start(config).await?;
        Ok(Self { gateway, folder, http: reqwest::Client::new() })
    }

    /// Stops and starts over the same store.
    pub(crate) async fn restart(self, change: impl FnOnce(&mut Config)) -> Self {
        self.gateway.shut_down().await;
        Self::start_in(self.folder, change).await.unwrap()
    }

    pub(crate) fn store_path(&self) -> PathBuf {
        self.folder.path().join("punch.sqlite")
    }

    /// Uploads rows as a terminal does.
    pub(crate) async fn upload(&self, serial: &str, table: &str, body: impl AsRef<[u8]>) -> Answer {
        let target = format!("/iclock/cdata?SN={serial}&table={table}&Stamp=9999");
        post(self.gateway.device_addr, &target, body.as_ref()).await
    }

    /// Uploads punches of `T1`, which must be acknowledged.
    pub(crate) async fn punch(&self, rows: &str) {
        let answer = self.upload("T1", "ATTLOG", rows).await;
        assert_eq!(answer.body, format!("OK: {}", rows.lines().count()), "{rows}");
    }

    pub(crate) async fn get(&self, path: &str) -> (u16, Value) {
        self.call(self.request("GET", path).bearer_auth(API_KEY)).await
    }

    pub(crate) async fn post(&self, path: &str, body: Value) -> (u16, Value) {
        let request = self.request("POST", path).bearer_auth(API_KEY).header("Content-Type", "application/json");
        self.call(request.body(body.to_string())).await
    }

    /// A request to the API without a key.
    pub(crate) fn request(&self, method: &str, path: &str) -> reqwest::RequestBuilder {
        self.http.request(method.parse().unwrap(), format!("http://{}{path}", self.gateway.api_addr))
    }

    /// Status and body of an answer that is JSON, which is held to the document of the API.
    pub(crate) async fn call(&self, request: reqwest::RequestBuilder) -> (u16, Value) {
        let request = request.build().unwrap();
        let (method, path) = (request.method().to_string(), request.url().path().to_owned());
        let sent = request.body().and_then(|body| body.as_bytes()).map(<[u8]>::to_vec);
        let response = self.http.execute(request).await.unwrap();
        let (status, headers) = (response.status().as_u16(), response.headers().clone());
        let text = response.text().await.unwrap();
        let body = serde_json::from_str(&text).unwrap_or_else(|error| panic!("{error}: {text:?}"));
        let heard =
            Heard { method: &method, path: &path, sent: sent.as_deref(), status, headers: &headers, body: &body };
        self.contract().await.check(&heard);
        (status, body)
    }

    /// The document of the API.
    pub(crate) async fn contract(&self) -> &'static Contract {
        Contract::of(self.gateway.api_addr).await
    }

    /// The first column of the first row of a query.
    pub(crate) async fn ask<T: FromValue + Send + 'static>(&self, sql: &'static str) -> T {
        let read = self.gateway.store().read(move |connection| connection.value(sql, &[]));
        read.await.unwrap_or_else(|error| panic!("{sql}: {error}"))
    }

    /// Changes the store as nobody else does. How many rows.
    pub(crate) async fn edit(&self, sql: &'static str) -> usize {
        let write = self.gateway.store().write(move |tx| tx.execute(sql, &[]));
        write.await.unwrap_or_else(|error| panic!("{sql}: {error}"))
    }

    /// Stops, changes the store and starts over it.
    pub(crate) async fn restart_edited(self, sql: String) -> Self {
        self.gateway.shut_down().await;
        let store = Store::open(&place(self.folder.path()).await).unwrap();
        assert!(store.write(move |tx| tx.execute(&sql, &[])).await.unwrap() > 0);
        drop(store);
        Self::start_in(self.folder, |_| ()).await.unwrap()
    }

    pub(crate) async fn ask_all(&self, sql: &'static str) -> Vec<String> {
        let read = self.gateway.store().read(move |connection| connection.all(sql, &[], |row| row.get(0)));
        read.await.unwrap_or_else(|error| panic!("{sql}: {error}"))
    }

    /// Rows as they came, of a query for them.
    pub(crate) async fn raw(&self, sql: &'static str) -> Vec<String> {
        let read = self.gateway.store().read(move |connection| connection.all(sql, &[], |row| row.get::<Vec<u8>>(0)));
        let rows = read.await.unwrap_or_else(|error| panic!("{sql}: {error}"));
        rows.into_iter().map(|raw| String::from_utf8(raw).unwrap()).collect()
    }

    /// Instants, of a query for seconds since 1970.
    pub(crate) async fn instants(&self, sql: &'static str) -> Vec<DateTime<Utc>> {
        let read = self.gateway.store().read(move |connection| connection.all(sql, &[], |row| row.get::<i64>(0)));
        let seconds = read.await.unwrap_or_else(|error| panic!("{sql}: {error}"));
        seconds.into_iter().map(|seconds| DateTime::from_timestamp(seconds, 0).unwrap()).collect()
    }

    /// Waits until no delivery waits any more.
    pub(crate) async fn delivered_all(&self) {
        eventually("every delivery is made", async || {
            let waiting: i64 = self.ask("SELECT count(*) FROM delivery WHERE state <> 'delivered'").await;
            (waiting == 0).then_some(())
        })
        .await;
    }

    /// Waits until as many attempts are written down.
    pub(crate) async fn attempts(&self, at_least: i64) {
        eventually("an attempt is written down", async || {
            let made: i64 = self.ask("SELECT count(*) FROM attempt").await;
            (made >= at_least).then_some(())
        })
        .await;
    }

    /// What became of each row, in the order of arrival: `fate/reason`.
    pub(crate) async fn fates(&self) -> Vec<String> {
        self.ask_all("SELECT fate || coalesce('/' || reason, '') FROM row ORDER BY seq").await
    }
}
