use std::net::{Ipv4Addr, SocketAddr};
use std::time::Duration;

use agent::{Courier, Forwarder, Pace, Spool, SpoolLimits, Standing};
use gateway::Gateway;
use gateway::api::ApiKey;
use gateway::config::{Config, DeviceConfig, Profile};
use tempfile::TempDir;
use tokio::sync::watch;
use tokio::task::JoinHandle;

use super::{eventually, serial};

pub(crate) const KEY: &str = "pk_of_the_tests";

/// A gateway in this process with the approved terminals `T1` and `T2`, and a spool beside it.
pub(crate) struct Site {
    pub(crate) gateway: Option<Gateway>,
    pub(crate) api_addr: SocketAddr,
    pub(crate) spool: Spool,
    folder: TempDir,
}

/// A courier at work.
pub(crate) struct Running {
    pub(crate) standing: watch::Receiver<Standing>,
    stop: watch::Sender<bool>,
    task: JoinHandle<()>,
}

impl Running {
    pub(crate) async fn stop(self) {
        self.stop.send_replace(true);
        self.task.await.unwrap();
    }
}

/// Waits that a test can wait for.
pub(crate) fn brisk() -> Pace {
    let moment = Duration::from_millis(20);
    Pace { first: moment, most: 4 * moment, refused: moment, asked: moment }
}

impl Site {
    pub(crate) async fn start() -> Self {
        let folder = tempfile::tempdir().unwrap();
        let spool = Spool::open(&folder.path().join("spool.sqlite"), SpoolLimits::default()).unwrap();
        let gateway = start(&folder).await;
        Self { api_addr: gateway.api_addr, gateway: Some(gateway), spool, folder }
    }

    /// Takes the gateway down.
    pub(crate) async fn go_down(&mut self) {
        self.gateway.take().unwrap().shut_down().await;
    }

    /// Brings it up again with what it had, on another port: the old one may be somebody else's by now.
    pub(crate) async fn come_up(&mut self) {
        let gateway = start(&self.folder).await;
        self.api_addr = gateway.api_addr;
        self.gateway = Some(gateway);
    }

    pub(crate) fn url(&self) -> String {
        format!("http://{}", self.api_addr)
    }

    /// Forwards what is in the spool to this address.
    pub(crate) fn forward_to(&self, url: &str, key: &str, pace: Pace) -> Running {
        let forwarder = Forwarder::new(url, &ApiKey::new(key.to_owned())).unwrap();
        let courier = Courier::new(self.spool.clone(), forwarder, pace);
        let (stop, stopped) = watch::channel(false);
        let standing = courier.standing();
        Running { standing, stop, task: tokio::spawn(courier.run(stopped)) }
    }

    pub(crate) async fn waiting(&self) -> u64 {
        self.spool.counts().await.unwrap().values().map(|counts| counts.waiting).sum()
    }

    /// Waits until no row waits any more.
    pub(crate) async fn forwarded_all(&self) {
        eventually("every row is forwarded", async || (self.waiting().await == 0).then_some(())).await;
    }

    /// How many rows and events the gateway has.
    pub(crate) async fn stored(&self) -> (i64, i64) {
        let read = self.gateway.as_ref().unwrap().store().read(|connection| {
            let count = |table| connection.value(&format!("SELECT count(*) FROM {table}"), &[]);
            Ok((count("row")?, count("event")?))
        });
        read.await.unwrap()
    }

    /// The terminal and PIN of every event, in the order in which they were taken.
    pub(crate) async fn order(&self) -> Vec<String> {
        let read = self.gateway.as_ref().unwrap().store().read(|connection| {
            let sql = "SELECT serial || ' ' || CAST(pin AS TEXT) FROM row WHERE fate = 'delivered' ORDER BY seq";
            connection.all(sql, &[], |row| row.get(0))
        });
        read.await.unwrap()
    }

    /// Approves a terminal as the operator does.
    pub(crate) async fn approve(&self, terminal: &str) {
        let body = format!("{{\"serial_number\":\"{terminal}\"}}");
        let request = reqwest::Client::new().post(format!("{}/v1/devices", self.url())).bearer_auth(KEY);
        let answer = request.header("Content-Type", "application/json").body(body).send().await.unwrap();
        assert_eq!(answer.status(), 201);
    }
}

async fn start(folder: &TempDir) -> Gateway {
    let any = SocketAddr::from((Ipv4Addr::LOCALHOST, 0));
    let config = Config {
        device_addr: any,
        api_addr: any,
        store: gateway::store::Place::File(folder.path().join("punch.sqlite")),
        api_key: Some(ApiKey::new(KEY.to_owned())),
        devices: vec![device("T1"), device("T2")],
        ..Config::default()
    };
    gateway::start(config).await.unwrap()
}

fn device(terminal: &str) -> DeviceConfig {
    DeviceConfig {
        serial: serial(terminal),
        name: format!("Door {terminal}"),
        site: "Plant".to_owned(),
        role: None,
        profile: Profile::default(),
        comm_key: None,
        allow: None,
        path_token: None,
    }
}
