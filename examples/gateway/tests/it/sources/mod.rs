//! `[[source]]`: who passes a door of another maker's system is a punch like any other, once, whatever happens on the way.

mod hikcentral;
mod isapi;

use std::net::{Ipv4Addr, SocketAddr, TcpListener};

use chrono::{DateTime, FixedOffset, TimeDelta};
use gateway::config::Config;
use serde_json::Value;

use crate::harness::{Site, eventually};

const SECRET: &str = "canary-of-the-api";
const LOCAL: SocketAddr = SocketAddr::new(std::net::IpAddr::V4(Ipv4Addr::LOCALHOST), 0);

/// An address where nobody listens yet.
fn quiet_addr() -> SocketAddr {
    TcpListener::bind(LOCAL).unwrap().local_addr().unwrap()
}

/// Midnight before yesterday in Lima, from where on events are read.
fn begin() -> DateTime<FixedOffset> {
    let zone = FixedOffset::west_opt(5 * 3600).unwrap();
    let yesterday = (gateway::clock::now().with_timezone(&zone) - TimeDelta::days(1)).date_naive();
    yesterday.and_hms_opt(0, 0, 0).unwrap().and_local_timezone(zone).unwrap()
}

/// Takes over the sources of a file, the sites with them.
fn with_sources(config: &mut Config, file: &str) {
    let parsed = Config::parse(file).unwrap_or_else(|errors| panic!("{errors}"));
    config.sources.extend(parsed.sources);
}

/// What became of each passage: `hik-7 1001 08:00 in delivered`, by door, person and time in UTC.
async fn passages(site: &Site) -> Vec<String> {
    let sql = "SELECT serial || ' ' || CAST(pin AS TEXT) || ' ' || substr(device_local, 12, 5) || ' '
                   || coalesce(direction, '-') || ' ' || fate || coalesce('/' || reason, '')
               FROM row WHERE pin IS NOT NULL ORDER BY punched_at, serial, pin";
    let sqlite = site.ask_all(sql).await;
    sqlite.into_iter().collect()
}

async fn until_passages(site: &Site, wanted: &[String]) {
    let seen = tokio::time::timeout(crate::harness::PATIENCE, async {
        while passages(site).await != wanted {
            tokio::time::sleep(std::time::Duration::from_millis(20)).await;
        }
    });
    if seen.await.is_err() {
        panic!("never:\n{wanted:#?}\nbut\n{:#?}\n{:#?}", passages(site).await, status(site).await);
    }
}

/// How the only source stands.
async fn status(site: &Site) -> Value {
    let (_, status) = site.get("/status").await;
    status["data"]["sources"][0].clone()
}

async fn until_status(site: &Site, what: &str, is: impl Fn(&Value) -> bool) -> Value {
    eventually(what, async || Some(status(site).await).filter(&is)).await
}

/// The store as bytes holds none of these.
fn never_stored(site: &Site, texts: &[&[u8]]) {
    for entry in std::fs::read_dir(site.folder.path()).unwrap() {
        // A file that is gone by now holds nothing.
        let Ok(bytes) = std::fs::read(entry.unwrap().path()) else { continue };
        for text in texts {
            let found = bytes.windows(text.len()).any(|window| window == *text);
            assert!(!found, "{} is in the store", String::from_utf8_lossy(text));
        }
    }
}
