//! `[[source]]`: who passes a door of another maker's system is a punch like any other, once, whatever happens on the way.

mod hikcentral;
mod isapi;

use std::net::{Ipv4Addr, SocketAddr};

use chrono::{DateTime, FixedOffset, TimeDelta};
use gateway::config::Config;
use serde_json::Value;
use sources::Settings;

use crate::harness::Site;

const SECRET: &str = "canary-of-the-api";
const LOCAL: SocketAddr = SocketAddr::new(std::net::IpAddr::V4(Ipv4Addr::LOCALHOST), 0);

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

/// What stands in a section is read whole, secrets from files too; what is wrong is named, and no secret is ever shown.
#[test]
fn a_section_is_read_whole_and_says_what_is_wrong() {
    let folder = tempfile::tempdir().unwrap();
    let file = |name: &str| {
        let path = folder.path().join(name);
        std::fs::write(&path, format!("canary-{name}-0123456789abcdef0123456789\n")).unwrap();
        format!("{:?}", path.display().to_string())
    };
    let hik = format!(
        "[[source]]\nname = \"hik\"\nkind = \"hikcentral\"\nurl = \"https://hik.example.com\"\napp_key_file = {}\n\
         app_secret_file = {}\ntoken_file = {}\nreceive_at = \"https://punch.example.com:8082/\"\ndoors = {{ 7 = \"in\" }}\n\
         attendance_doors = [\"7\"]\nbegin = 2026-01-27T00:00:00Z\nevent_types = [196893]\n",
        file("key"),
        file("secret"),
        file("token")
    );
    let gate = format!(
        "[[source]]\nname = \"gate\"\nkind = \"isapi\"\nserial = \"DS-1\"\nurl = \"https://192.0.2.7\"\nuser = \"admin\"\n\
         password_file = {}\npath_token_file = {}\nreceive_at = \"https://punch.example.com\"\nslot = 2\nstream = true\n",
        file("password"),
        file("path")
    );
    let config = Config::parse(&format!("{hik}{gate}[[site]]\nname = \"Plant\"\n")).unwrap();
    assert!(!format!("{config:?} {config:#?}").contains("canary"), "{config:?}");
    let Settings::HikCentral(settings) = &config.sources[0].settings else { panic!("{config:?}") };
    let destination = &settings.subscription.as_ref().unwrap().destination;
    assert_eq!(destination, "https://punch.example.com:8082/hik/events/hik");
    assert_eq!((settings.poll.interval, settings.begin.is_some()), (TimeDelta::minutes(30), true));
    let Settings::Isapi(settings, token) = &config.sources[1].settings else { panic!("{config:?}") };
    assert!(settings.streams && settings.host.as_ref().is_some_and(|(_, slot)| *slot == 2) && token.is_some());
    for (wrong, key, cure) in [
        (hik.replace("\"hik\"", "\"hik.1\""), "source[1].name", "letters"),
        (hik.replace("hikcentral", "hik"), "source[1].kind", "hikcentral, isapi"),
        (hik.replace("https://hik", "http://hik"), "source[1].url", "allow_http"),
        (hik.replace("token_file", "tokenfile"), "source[1]", "tokenfile"),
        (hik.replace("7 = \"in\"", "7 = \"inn\""), "source[1]", "inn"),
        (format!("{hik}poll_seconds = 5\n"), "source[1].poll_seconds", "60 to 3600"),
        (format!("{hik}late_sweep_days = 40\n"), "source[1].late_sweep_days", "31"),
        (format!("{hik}employee_field = \"name\"\n"), "source[1].employee_field", "person_code"),
        (
            hik.lines().filter(|line| !line.starts_with("token")).collect::<Vec<_>>().join("\n"),
            "source[1].token",
            "random",
        ),
        (format!("{hik}{hik}"), "source.name", "repeats"),
        (format!("{hik}{}", hik.replace("\"hik\"", "\"hik-2\"")), "source[2].name", "another source"),
        (format!("{gate}{}", gate.replace("\"gate\"", "\"door\"")), "source[2].serial", "another source"),
        (gate.replace("path_token_file", "# "), "source[1].receive_at", "path_token"),
        (format!("{gate}employee_field = \"person_code\"\n"), "source[1].employee_field", "employee_no"),
        (gate.replace("DS-1", "DS 1"), "source[1].serial", "serial"),
        (gate.replace("path_token_file", "path_token = \"short\"\n# "), "source[1].path_token", "32 to 64"),
    ] {
        let errors = Config::parse(&wrong).unwrap_err();
        let found = errors.0.iter().find(|error| error.key == key);
        assert!(found.is_some_and(|error| error.problem.contains(cure)), "{key}: {errors}\n{wrong}");
        assert!(!errors.to_string().contains("canary"), "{errors}");
    }
}
