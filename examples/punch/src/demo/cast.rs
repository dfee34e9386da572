use core::time::Duration;
use std::collections::BTreeSet;
use std::net::{Ipv4Addr, SocketAddr};
use std::sync::{Arc, Mutex, PoisonError};

use anyhow::Context as _;
use chrono::{DateTime, NaiveDateTime, TimeDelta, Utc};
use gateway::clock::now;
use gateway::config::{Config, DeviceConfig, EndpointConfig, EndpointOptions, Profile};
use gateway::stage::Sighting;
use gateway::store::Place;
use middleware::{Inbox, Settings};
use punch_erp::ReqwestTransport;
use punch_erp::erpnext::{ErpNext, ErpNextSettings};
use punch_normalize::DeviceZone;
use punch_protocol::SerialNumber;
use punch_protocol::push::{Row, Rows, Terminal};
use punch_webhook::{PayloadFormat, ReceivedPunch, Secret};
use simulator::captures::{BOCK, Capture, SENSEFACE_3A};
use simulator::erp::{SharedErpNext, serve_erpnext};
use simulator::erpnext::{ErpNextConfig, ErpNextEmployee, ErpNextStandIn};
use simulator::terminal::{Behaviour, Happening, rows_of};
use simulator::world::Crowd;
use tempfile::TempDir;
use tokio::sync::{broadcast, mpsc};
use tokio::time::MissedTickBehavior;

/// The zone of the terminals and of the ERP.
const ZONE: &str = "America/Mexico_City";

/// Where terminals and people are, and how many people use each terminal.
const SITES: [(&str, &str, &[Capture]); 2] =
    [("Main entrance", "Headquarters", &SENSEFACE_3A), ("Warehouse", "Headquarters", &BOCK)];
const PEOPLE: u32 = 5;

/// One record of the ERP: employee and local time of the site. What the demo counts.
pub(super) type Checkin = (String, NaiveDateTime);

/// A punch that is in the ERP.
#[derive(Debug, Clone)]
pub(super) struct Written {
    pub(super) event_id: String,
    pub(super) badge: String,
    pub(super) device: String,
    pub(super) local: String,
    pub(super) at: DateTime<Utc>,
}

/// Everybody who plays in the demo.
pub(super) struct Cast {
    gateway: gateway::Gateway,
    erp: SharedErpNext,
    erp_addr: SocketAddr,
    inbox_addr: SocketAddr,
    expected: Vec<Checkin>,
    pub(super) sightings: broadcast::Receiver<Sighting>,
    pub(super) written: mpsc::UnboundedReceiver<Written>,
    /// Deleted with everything in it when the demo ends.
    _folder: TempDir,
}

impl Cast {
    /// Starts everybody. The punches are under way when this returns.
    pub(super) async fn assemble(punches: u32, rate: u32, seed: u64) -> anyhow::Result<Self> {
        let folder = tempfile::tempdir().context("a temporary folder")?;
        let loopback = SocketAddr::from((Ipv4Addr::LOCALHOST, 0));
        let zone = DeviceZone::parse(ZONE)?;

        let scripts: Vec<Script> = (0u32..)
            .zip(SITES)
            .map(|(number, site)| script(number, site.2, zone, &Live { punches, rate, seed }))
            .collect::<Result<_, _>>()?;
        let expected: BTreeSet<Checkin> = scripts.iter().flat_map(|script| script.checkins()).collect();
        let badges: BTreeSet<String> = expected.iter().map(|(employee, _)| badge_of(employee)).collect();

        let site = ErpNextConfig::new(ZONE, "demo", "demo-secret");
        let mut site = site.map_err(|error| anyhow::anyhow!("zone of the ERP: {error}"))?;
        site.employees =
            badges.iter().map(|badge| ErpNextEmployee::new(&employee_of(badge), "Demo Person", badge)).collect();
        let erp: SharedErpNext = Arc::new(Mutex::new(ErpNextStandIn::new(site)));
        let erp_addr = serve_erpnext(loopback, Arc::clone(&erp)).await.context("ERP stand-in")?;

        let secret = Secret::from_random([7; 32]);
        let settings = Settings {
            secret: Some(Secret::new(secret.expose())?),
            port: 0,
            path: folder.path().join("inbox.sqlite"),
            dry_run: false,
            sample_answers: false,
            mapping: None,
            trust: sinks::Trust::System,
        };
        let (inbox_addr, written) = start_middleware(&settings, erp_addr).await?;

        let mut config = Config { device_addr: loopback, api_addr: loopback, ..Config::default() };
        config.store = Place::File(folder.path().join("punch.sqlite"));
        config.delivery.allow_http = true;
        config.delivery.allow_private_targets = true;
        config.endpoints = vec![EndpointConfig {
            url: format!("http://127.0.0.1:{}/webhook", inbox_addr.port()),
            secret,
            format: PayloadFormat::Nested,
            schedule: "seed-002",
            events: EndpointConfig::default_events(),
            options: EndpointOptions::default(),
        }];
        config.devices = scripts.iter().zip(SITES).map(|(script, site)| script.device(site, zone)).collect();
        let gateway = gateway::start(config).await?;
        let sightings = gateway.watch.subscribe();
        let server = format!("http://{}", gateway.device_addr);
        for script in scripts {
            script.perform(&server, rate);
        }
        let expected = expected.into_iter().collect();
        Ok(Self { gateway, erp, erp_addr, inbox_addr, expected, sightings, written, _folder: folder })
    }

    /// What the ERP has to hold in the end.
    pub(super) fn expected(&self) -> Vec<Checkin> {
        self.expected.clone()
    }

    /// What the ERP holds.
    pub(super) fn checkins(&self) -> Vec<Checkin> {
        let erp = self.erp.lock().unwrap_or_else(PoisonError::into_inner);
        erp.checkins().iter().map(|checkin| (checkin.employee.clone(), checkin.time)).collect()
    }

    pub(super) fn print_addresses(&self) {
        crate::say(format_args!("device listener  http://{}", self.gateway.device_addr));
        crate::say(format_args!("api              http://{}/v1", self.gateway.api_addr));
        crate::say(format_args!("dashboard        http://{}/", self.gateway.api_addr));
        crate::say(format_args!("middleware       http://127.0.0.1:{}/webhook", self.inbox_addr.port()));
        crate::say(format_args!("erpnext stand-in http://{}", self.erp_addr));
        if let Some(key) = &self.gateway.new_api_key {
            crate::say(format_args!("api key          {}", key.expose()));
        }
        crate::say(format_args!(
            "more punches:    punch terminal push --server http://{} --serial {} --count 20",
            self.gateway.device_addr, BOCK[0].serial
        ));
        crate::say(format_args!("stop with Ctrl-C"));
    }

    pub(super) async fn dismiss(self) {
        // Nothing waits behind a demo that is over; a moment is enough.
        drop(tokio::time::timeout(Duration::from_secs(3), self.gateway.shut_down()).await);
    }
}

async fn start_middleware(
    settings: &Settings,
    erp: SocketAddr,
) -> anyhow::Result<(SocketAddr, mpsc::UnboundedReceiver<Written>)> {
    let site = ErpNext::new(ErpNextSettings::new(format!("http://{erp}"), "demo", "demo-secret", ZONE))?;
    let write = middleware::erpnext::writer(site, ReqwestTransport::new()?);
    let (report, written) = mpsc::unbounded_channel();
    let inbox = Inbox::open(settings).await?;
    let addr = inbox.addr;
    tokio::spawn(inbox.serve(move |punch: ReceivedPunch| {
        let (report, label, writing) = (report.clone(), label(&punch), write(punch));
        async move {
            let outcome = writing.await;
            if outcome.is_done() {
                // Nobody counts any more once the demo is over.
                drop(report.send(Written { at: now(), ..label }));
            }
            outcome
        }
    }));
    Ok((addr, written))
}

fn label(punch: &ReceivedPunch) -> Written {
    let local = punch.local_time.map(|local| local.format("%Y-%m-%d %H:%M:%S").to_string());
    Written {
        event_id: punch.event_id.to_string(),
        badge: punch.badge.clone(),
        device: punch.device_name.clone().unwrap_or_default(),
        local: local.unwrap_or_default(),
        at: now(),
    }
}

/// What one terminal is going to send, known before anything starts.
struct Script {
    serial: SerialNumber,
    recorded: Vec<Vec<u8>>,
    live: Vec<Happening>,
    checkins: BTreeSet<Checkin>,
}

/// The live punches of a terminal.
struct Live {
    punches: u32,
    rate: u32,
    seed: u64,
}

fn script(number: u32, captures: &[Capture], zone: DeviceZone, plan: &Live) -> anyhow::Result<Script> {
    let serial = SerialNumber::parse(captures.first().context("a recorded body")?.serial)?;
    let recorded: Vec<Vec<u8>> = captures.iter().flat_map(|capture| rows_of(capture.body.as_bytes())).collect();
    let mut checkins = BTreeSet::new();
    for body in &recorded {
        if let Some(Ok(Row::Punch(row))) = Rows::of("ATTLOG", body).next() {
            checkins.insert((employee_of(&row.pin().to_text()), row.time()?));
        }
    }
    let mut crowd = Crowd::new(serial.clone(), zone, PEOPLE, plan.seed.wrapping_add(u64::from(number)))
        .with_first_badge(1001 + 1000 * number);
    let mut live = Vec::new();
    let start = now();
    for index in 0..plan.punches {
        let punch = crowd.punch(start + TimeDelta::seconds(1) * i32::try_from(index / plan.rate)?);
        checkins.insert((employee_of(&punch.pin.to_text()), punch.time));
        live.push(Happening::Punch(Box::new(punch)));
    }
    Ok(Script { serial, recorded, live, checkins })
}

impl Script {
    fn checkins(&self) -> impl Iterator<Item = Checkin> {
        self.checkins.iter().cloned()
    }

    fn device(&self, (name, site, _): (&str, &str, &[Capture]), zone: DeviceZone) -> DeviceConfig {
        let (name, site) = (name.to_owned(), site.to_owned());
        let (serial, profile) = (self.serial.clone(), Profile { zone, ..Profile::default() });
        DeviceConfig { serial, name, site, role: None, profile, comm_key: None, allow: None, path_token: None }
    }

    /// Uploads the recorded rows, then punches at `rate` a second.
    fn perform(self, server: &str, rate: u32) {
        let (happenings, inbox) = mpsc::channel(1024);
        let terminal = Terminal::new(self.serial);
        tokio::spawn(simulator::terminal::run(terminal, Behaviour::new(server), inbox));
        tokio::spawn(async move {
            for row in self.recorded {
                if happenings.send(Happening::Row(row)).await.is_err() {
                    return;
                }
            }
            let mut tick = tokio::time::interval(Duration::from_secs(1) / rate);
            tick.set_missed_tick_behavior(MissedTickBehavior::Delay);
            for punch in self.live {
                tick.tick().await;
                if happenings.send(punch).await.is_err() {
                    return;
                }
            }
        });
    }
}

fn employee_of(badge: &str) -> String {
    format!("HR-EMP-{badge}")
}

fn badge_of(employee: &str) -> String {
    employee.trim_start_matches("HR-EMP-").to_owned()
}
