//! Who is let in at the device listener: from where, under which path, through which proxy, and how many that are new.

use std::net::SocketAddr;

use gateway::core::{Networks, PathToken};
use serde_json::{Value, json};

use crate::api::check_error;
use crate::harness::{API_KEY, Answer, Site, Visitor, device, exchange, get, post};

const TOKEN: &str = "Kd93_path-of-this-terminal";
const ROW: &[u8] = b"7\t2026-03-28 08:47:12\t0\t1\n";

/// What the timeline of a terminal counts, and from where it was last.
async fn timeline(site: &Site, serial: &str) -> Vec<(String, u64, String)> {
    let (_, answer) = site.get(&format!("/v1/devices/{serial}/timeline")).await;
    let text = |seen: &Value, name: &str| seen[name].as_str().unwrap().to_owned();
    let seen = answer["data"]["since_start"].as_array().unwrap();
    seen.iter().map(|seen| (text(seen, "outcome"), seen["count"].as_u64().unwrap(), text(seen, "last_from"))).collect()
}

fn proxied(preface: &[u8], headers: &str) -> Vec<u8> {
    let head =
        format!("POST /iclock/cdata?SN=T1&table=ATTLOG HTTP/1.0\r\n{headers}Content-Length: {}\r\n\r\n", ROW.len());
    [preface, head.as_bytes(), ROW].concat()
}

async fn send(addr: SocketAddr, preface: &[u8], headers: &str) -> String {
    let answer = exchange(addr, &proxied(preface, headers)).await;
    if answer.is_empty() { "closed".to_owned() } else { Answer::of(&answer).body }
}

#[tokio::test]
async fn a_terminal_is_let_in_from_its_networks_and_under_its_path() {
    let site = Site::start(|config| {
        let mut elsewhere = device("T2");
        elsewhere.allow = Some(Networks::parse(&["192.0.2.0/24"]).unwrap());
        let mut hidden = device("T3");
        hidden.path_token = Some(PathToken::new(TOKEN).unwrap());
        config.devices.extend([elsewhere, hidden]);
    })
    .await;
    let addr = site.gateway.device_addr;
    let upload = async |prefix: &str, serial: &str| {
        let answer = post(addr, &format!("{prefix}/iclock/cdata?SN={serial}&table=ATTLOG"), ROW).await;
        (answer.status, answer.body)
    };
    let unknown = upload("", "T9").await;
    assert_eq!(unknown.0, 503);
    assert_eq!(upload("", "T1").await, (200, "OK: 1".to_owned()));
    assert_eq!(upload("", "T2").await, unknown, "nobody learns that it is the address");
    assert_eq!(upload("", "T3").await, unknown, "nobody learns that it is the path");
    assert_eq!(upload(&format!("/{}x", &TOKEN[..TOKEN.len() - 1]), "T3").await, unknown);
    assert_eq!(get(addr, "/iclock/cdata?SN=T3&options=all").await.status, 503, "nor the handshake");
    assert_eq!(upload(&format!("/{TOKEN}"), "T3").await, (200, "OK: 1".to_owned()));
    let here = "127.0.0.1".to_owned();
    assert_eq!(timeline(&site, "T2").await, [("wrong_source".to_owned(), 1, here.clone())]);
    let told = timeline(&site, "T3").await;
    assert!(
        told.contains(&("wrong_path".to_owned(), 2, here.clone())) && told.contains(&("served".to_owned(), 1, here))
    );
    let (_, shown) = site.get("/v1/devices/T3").await;
    assert_eq!((&shown["data"]["has_path_token"], &shown["data"]["allow"]), (&json!(true), &json!([])));
    assert!(!site.get("/v1/devices").await.1.to_string().contains(TOKEN));
    let page = Visitor::logged_in(&site).await.read("/dashboard/devices").await;
    assert!(page.contains("from its own networks only") && page.contains("under a secret path"), "{page}");
    assert!(!page.contains(TOKEN));
}

#[tokio::test]
async fn from_where_and_under_which_path_is_changed_over_the_api_and_kept() {
    let site = Site::start(|_| ()).await;
    let change = async |site: &Site, body: Value| {
        let request = site.request("PATCH", "/v1/devices/T1").bearer_auth(API_KEY);
        site.call(request.header("Content-Type", "application/json").body(body.to_string())).await
    };
    for (body, field) in [
        (json!({ "allow": ["10.0.0.0/33"] }), "allow"),
        (json!({ "path_token": "short" }), "path_token"),
        (json!({}), "admission"),
        (json!({ "admission": "x", "allow": [] }), "admission"),
    ] {
        let (status, refused) = change(&site, body).await;
        assert_eq!((status, &refused["error"]["field"]), (400, &json!(field)), "{refused}");
        check_error(&refused, "validation_failed");
        assert!(!refused.to_string().contains("short"), "a token is not repeated: {refused}");
    }
    let (status, changed) = change(&site, json!({ "allow": ["192.0.2.7"], "path_token": TOKEN })).await;
    assert_eq!((status, &changed["data"]["allow"]), (200, &json!(["192.0.2.7/32"])), "{changed}");
    assert_eq!(site.upload("T1", "ATTLOG", ROW).await.status, 503);
    let site = site.restart(|_| ()).await;
    assert_eq!(site.upload("T1", "ATTLOG", ROW).await.status, 503, "after a restart too");
    assert_eq!(change(&site, json!({ "allow": [] })).await.0, 200);
    assert_eq!(site.upload("T1", "ATTLOG", ROW).await.status, 503, "the path is still asked for");
    assert_eq!(change(&site, json!({ "path_token": "" })).await.1["data"]["has_path_token"], false);
    site.punch("7\t2026-03-28 08:47:12\t0\t1\n").await;
    let bytes = site.ask_all("SELECT detail FROM audit WHERE action = 'PATCH /v1/devices/{serial}'").await.concat();
    assert!(bytes.contains("192.0.2.7/32") && bytes.contains("set") && !bytes.contains(TOKEN), "{bytes}");
}

#[tokio::test]
async fn whose_connection_it_is_is_believed_of_a_proxy_of_ours_alone() {
    let v1 = b"PROXY TCP4 192.0.2.9 10.0.0.1 56324 8081\r\n";
    let v2 = [&b"\r\n\r\n\0\r\nQUIT\n\x21\x11\0\x0c"[..], &[192, 0, 2, 9, 10, 0, 0, 1, 1, 2, 3, 4]].concat();
    let plain = "X-Forwarded-For: 203.0.113.5, 192.0.2.9\r\n";
    let start = async |trusted: &'static [&'static str]| {
        Site::start(move |config| {
            config.trusted_proxies = Networks::parse(trusted).unwrap();
            config.devices[0].allow = Some(Networks::parse(&["192.0.2.0/24"]).unwrap());
        })
        .await
    };
    let site = start(&["127.0.0.0/8"]).await;
    let addr = site.gateway.device_addr;
    for (preface, headers) in [(&v1[..], ""), (&v2[..], ""), (b"", plain), (b"", "Forwarded: for=192.0.2.9\r\n")] {
        assert_eq!(send(addr, preface, headers).await, "OK: 1", "{headers}");
    }
    assert_eq!(timeline(&site, "T1").await[0].2, "192.0.2.9");
    // The proxy is none of the terminal's networks, and says so itself.
    for (preface, headers) in [
        (&b""[..], ""),
        (b"PROXY UNKNOWN\r\n", ""),
        (b"PROXY TCP4 203.0.113.5 10.0.0.1 1 2\r\n", plain),
        (b"", "X-Forwarded-For: 192.0.2.9, 203.0.113.5\r\n"),
        (b"", "X-Forwarded-For: 203.0.113.5\r\nForwarded: for=192.0.2.9\r\n"),
    ] {
        assert_ne!(send(addr, preface, headers).await, "OK: 1", "{headers}");
    }
    assert_eq!(send(addr, b"PROXY TCP4 nobody 10.0.0.1 1 2\r\n", "").await, "closed");
    // Of others a header is not looked at, and the PROXY protocol is no HTTP.
    let site = start(&["10.0.0.0/8"]).await;
    let addr = site.gateway.device_addr;
    for (preface, headers) in [(&v1[..], ""), (&v2[..], ""), (b"", plain), (b"", "Forwarded: for=192.0.2.9\r\n")] {
        assert_ne!(send(addr, preface, headers).await, "OK: 1", "{headers}");
    }
    assert_eq!(site.fates().await, [""; 0]);
}

#[tokio::test]
async fn behind_a_proxy_of_ours_wrong_keys_are_counted_by_who_tries_them() {
    let site = Site::start(|config| config.trusted_proxies = Networks::parse(&["127.0.0.1"]).unwrap()).await;
    let tries = async |from: &'static str, count: usize| {
        let mut visitor = Visitor::of(&site);
        visitor.headers.insert("x-forwarded-for", from.parse().unwrap());
        let mut status = 0;
        for _ in 0..count {
            status = visitor.log_in("wrong").await.status;
        }
        status
    };
    assert_eq!(tries("203.0.113.5", 11).await, 429);
    assert_eq!(tries("203.0.113.6", 1).await, 401, "the others behind the proxy go on");
}

#[tokio::test]
async fn made_up_serial_numbers_are_written_down_at_a_rate_and_known_ones_go_on() {
    let site = Site::start(|config| config.unknown_serials_per_minute = 5).await;
    for number in 0..40 {
        let answer = get(site.gateway.device_addr, &format!("/iclock/cdata?SN=MADEUP{number}&options=all")).await;
        assert_eq!((answer.status, answer.body.contains("OK")), (503, false));
    }
    assert_eq!(site.ask::<i64>("SELECT count(*) FROM device WHERE admission = 'pending'").await, 5);
    site.punch("7\t2026-03-28 08:47:12\t0\t1\n").await;
    let metrics = site.request("GET", "/metrics").send().await.unwrap().text().await.unwrap();
    assert!(metrics.contains("punch_terminals_unknown_total 40"), "all are counted");
}

#[test]
fn a_file_says_from_where_and_under_which_path_a_terminal_may_call() {
    let folder = tempfile::tempdir().unwrap();
    let file = folder.path().join("token");
    std::fs::write(&file, format!("{TOKEN}\n")).unwrap();
    let text = format!(
        "[listen]\ntrusted_proxies = [\"10.0.0.0/8\"]\n[rate_limit]\nunknown_serials_per_minute = 7\n[[device]]\n\
         serial = \"T1\"\nallow = [\"10.1.0.0/16\"]\npath_token_file = {:?}\n[[device]]\nserial = \"T2\"\n",
        file.display().to_string()
    );
    let config = gateway::config::Config::parse(&text).unwrap();
    assert_eq!(config.devices[0].path_token, Some(PathToken::new(TOKEN).unwrap()));
    assert_eq!(config.devices[0].allow.as_ref().unwrap().texts(), ["10.1.0.0/16"]);
    assert_eq!((config.devices[1].path_token, &config.devices[1].allow), (None, &None));
    assert_eq!((config.trusted_proxies.texts(), config.unknown_serials_per_minute), (vec!["10.0.0.0/8".to_owned()], 7));
    let wrong =
        "[listen]\ntrusted_proxies = [\"door\"]\n[[device]]\nserial = \"T1\"\nallow = [\"x\"]\npath_token = \"a b\"\n";
    let wrong = gateway::config::Config::parse(wrong).unwrap_err().to_string();
    for expected in ["listen.trusted_proxies", "device[1].allow", "device[1].path_token"] {
        assert!(wrong.contains(expected) && !wrong.contains("a b"), "{wrong}");
    }
}
