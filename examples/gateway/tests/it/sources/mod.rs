//! `[[source]]`: who passes a door of another maker's system is a punch like any other, once, whatever happens on the way.

mod hikcentral;
mod isapi;

use std::net::{Ipv4Addr, SocketAddr, TcpListener};

use chrono::{DateTime, FixedOffset, TimeDelta};
use gateway::config::Config;
use serde_json::Value;

use crate::harness::Site;

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
    let sql = "SELECT serial, pin, device_local, coalesce(direction, '-'), fate || coalesce('/' || reason, '')
               FROM row WHERE pin IS NOT NULL ORDER BY punched_at, serial, pin";
    let read = site.gateway.store().read(move |connection| {
        connection.all(sql, &[], |row| {
            let (serial, pin, at): (String, Vec<u8>, String) = (row.get(0)?, row.get(1)?, row.get(2)?);
            let (direction, fate): (String, String) = (row.get(3)?, row.get(4)?);
            Ok(format!("{serial} {} {} {direction} {fate}", String::from_utf8_lossy(&pin), &at[11..16]))
        })
    });
    read.await.unwrap()
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
    let seen = async {
        loop {
            let status = status(site).await;
            if is(&status) {
                return status;
            }
            tokio::time::sleep(std::time::Duration::from_millis(20)).await;
        }
    };
    match tokio::time::timeout(crate::harness::PATIENCE, seen).await {
        Ok(status) => status,
        Err(_) => panic!("never: {what}: {:#?}", status(site).await),
    }
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
