//! `punch gateway`: how it starts, how it refuses to, and how it stops.

use std::net::{Ipv4Addr, SocketAddr, TcpListener, TcpStream};
use std::path::Path;
use std::time::Duration;

use punch_webhook::Secret;
use simulator::receiver::{Receiver, Reply, Script};

use crate::command::{Done, PATIENCE, Running, punch, run};

/// A gateway over a store in `folder`, and where it listens for terminals and for the API.
pub(crate) fn start(folder: &Path, more: &[&str]) -> (Running, SocketAddr, SocketAddr) {
    let store = format!("sqlite:{}", folder.join("punch.sqlite").display());
    let mut command = punch();
    // A proxy would look names up by itself, past the guard of private networks: nothing goes to it. Nobody is at port 9.
    for name in ["http_proxy", "https_proxy", "all_proxy"] {
        command.env(name, "http://127.0.0.1:9");
    }
    command
        .args(["gateway", "--device-addr", "127.0.0.1:0", "--api-addr", "127.0.0.1:0", "--store", &store])
        .args(more);
    let mut gateway = Running::start(&mut command);
    let mut addr = |before: &str, after: &str| -> SocketAddr {
        let mut line = gateway.line();
        if line.starts_with("api key (shown once") {
            assert!(line.contains("pk_"), "{line}");
            line = gateway.line();
        }
        let rest = line.strip_prefix(before).unwrap_or_else(|| panic!("expected `{before}…`, got `{line}`"));
        rest.strip_suffix(after).unwrap_or_else(|| panic!("expected `…{after}`, got `{line}`")).parse().unwrap()
    };
    let device = addr("device listener on http://", "");
    let api = addr("api on http://", "/v1");
    assert_eq!(addr("dashboard on http://", "/"), api);
    (gateway, device, api)
}

/// contracts.md: the three lines once ready, and a `SIGTERM` that ends with 0 whoever is still connected.
#[test]
fn a_started_gateway_says_where_it_listens_and_ends_with_0_on_sigterm() {
    let folder = tempfile::tempdir().unwrap();
    let (gateway, device, api) = start(folder.path(), &[]);
    // Connections that say nothing must not hold it up.
    let idle = [TcpStream::connect(device).unwrap(), TcpStream::connect(api).unwrap()];
    let Done { code, stdout, stderr } = gateway.terminate();
    assert_eq!((code, stdout.as_str()), (Some(0), ""), "{stderr}");
    drop(idle);
    assert!(TcpListener::bind(device).is_ok(), "the port is free again");
}

/// What is on its way when the signal comes ends first, and is written down.
#[tokio::test(flavor = "multi_thread", worker_threads = 2)]
async fn a_delivery_on_its_way_is_finished_before_the_end() {
    let folder = tempfile::tempdir().unwrap();
    let secret = Secret::from_random([9; 32]);
    let script = Script { replies: Vec::new(), delay: Duration::from_millis(1500) };
    let loopback = SocketAddr::from((Ipv4Addr::LOCALHOST, 0));
    let (receiver, mut arrivals) = Receiver::start(loopback, &secret, script).await.unwrap();
    let config = folder.path().join("punch.toml");
    let text = format!(
        "[delivery]\nallow_http = true\nallow_private_targets = true\n[[device]]\nserial = \"T1\"\n\
         [[endpoint]]\nurl = \"http://{}/\"\nsecret = \"{}\"\n",
        receiver.addr,
        secret.expose()
    );
    std::fs::write(&config, text).unwrap();
    let path = folder.path().to_owned();
    let (gateway, device, _) =
        tokio::task::spawn_blocking(move || start(&path, &["--config", config.to_str().unwrap()])).await.unwrap();
    let target = format!("http://{device}/iclock/cdata?SN=T1&table=ATTLOG&Stamp=1");
    let call = reqwest::Client::new().post(target).body("1001\t2026-03-28 08:47:12\t0\t1\n");
    assert_eq!(call.send().await.unwrap().text().await.unwrap(), "OK: 1");
    let done = tokio::task::spawn_blocking(|| gateway.terminate()).await.unwrap();
    assert_eq!(done.code, Some(0), "{}", done.stderr);
    let arrival = tokio::time::timeout(PATIENCE, arrivals.recv()).await.unwrap().unwrap();
    assert_eq!(arrival.reply, Reply::Status(200));
    let store = rusqlite::Connection::open(folder.path().join("punch.sqlite")).unwrap();
    let state: String = store.query_row("SELECT state FROM delivery", [], |row| row.get(0)).unwrap();
    assert_eq!(state, "delivered");
}

/// `punch terminal push` against `punch gateway`: the summary that scripts read.
#[test]
fn a_simulated_terminal_gets_every_row_acknowledged_and_says_so() {
    let folder = tempfile::tempdir().unwrap();
    let config = folder.path().join("punch.toml");
    std::fs::write(&config, "[[device]]\nserial = \"SIM1\"\n").unwrap();
    let recorded = folder.path().join("rows");
    std::fs::write(&recorded, "1001\t2026-03-28 08:47:12\t0\t1\r\njunk\r\n1002\t2026-03-28 08:47:13\t0\t1\r\n")
        .unwrap();
    let (gateway, device, _) = start(folder.path(), &["--config", config.to_str().unwrap()]);
    let server = format!("http://{device}");
    let push = ["terminal", "push", "--server", &server, "--serial", "SIM1"];
    let live = run(&[&push[..], &["--users", "5", "--rate", "200", "--count", "20", "--seed", "3"]].concat(), b"");
    assert_eq!(
        (live.code, live.stdout.as_str()),
        (Some(0), "20 rows sent, 20 acknowledged, 0 requests refused\n"),
        "{live:?}"
    );
    let replayed = run(&[&push[..], &["--replay", recorded.to_str().unwrap()]].concat(), b"");
    assert_eq!(replayed.stdout, "3 rows sent, 3 acknowledged, 0 requests refused\n", "{replayed:?}");
    assert_eq!(gateway.terminate().code, Some(0));
    let store = rusqlite::Connection::open(folder.path().join("punch.sqlite")).unwrap();
    let count = |fate: &str| {
        store.query_row("SELECT count(*) FROM row WHERE fate = ?1", [fate], |row| row.get::<_, i64>(0)).unwrap()
    };
    assert_eq!(count("held"), 1, "the junk is kept");
    assert_eq!(store.query_row("SELECT count(*) FROM row", [], |row| row.get::<_, i64>(0)).unwrap(), 23);
    // Five people, in and out within the window: other states are other events, repeated ones are not.
    assert!(count("delivered") >= 10 + 2, "{}", count("delivered"));
}

/// Old firmware, and one that misbehaves, end as well; `--json` is for scripts.
#[test]
fn old_and_hostile_terminals_are_played() {
    let folder = tempfile::tempdir().unwrap();
    let config = folder.path().join("punch.toml");
    std::fs::write(&config, "[[device]]\nserial = \"SIM1\"\n").unwrap();
    let (gateway, device, _) = start(folder.path(), &["--config", config.to_str().unwrap()]);
    let server = format!("http://{device}");
    let push = ["terminal", "push", "--server", &server, "--serial", "SIM1", "--rate", "200", "--json"];
    let modes = ["--hostile", "truncated-body", "--hostile", "lone-cr", "--hostile", "evil-serial", "--stay", "1"];
    for (profile, bent) in [("classic", false), ("attendance", true)] {
        let extra = if bent { &modes[..] } else { &[] };
        let done = run(&[&push[..], &["--profile", profile], extra].concat(), b"");
        assert_eq!(done.code, Some(0), "{done:?}");
        let summary: serde_json::Value = serde_json::from_str(&done.stdout).unwrap();
        assert_eq!((&summary["sent"], &summary["acknowledged"]), (&10.into(), &10.into()), "{summary}");
        assert!((summary["bent"].as_u64().unwrap() > 0) == bent && summary["unfair"] == serde_json::json!({}));
    }
    assert_eq!(gateway.terminate().code, Some(0));
    let stranger = run(&[&push[..], &["--once", "--count", "1"]].concat(), b"");
    assert_eq!(stranger.code, Some(1));
    assert!(stranger.stderr.contains("punch gateway --config punch.toml"), "{stranger:?}");
    assert!(run(&["terminal", "push", "--hostile", "list"], b"").stdout.contains("\nevil-serial"));
    for wrong in [&["--hostile", "nonsense"][..], &["--profile", "access", "--replay", "x"], &["--serial", "a b"]] {
        assert_eq!(run(&[&push[..], wrong].concat(), b"").code, Some(2), "{wrong:?}");
    }
}

#[test]
fn a_port_that_is_taken_ends_with_3_and_says_what_to_do() {
    let folder = tempfile::tempdir().unwrap();
    let taken = TcpListener::bind((Ipv4Addr::LOCALHOST, 0)).unwrap();
    let (addr, store) =
        (taken.local_addr().unwrap().to_string(), format!("sqlite:{}", folder.path().join("s").display()));
    for (flag, other) in [("--device-addr", "--api-addr"), ("--api-addr", "--device-addr")] {
        let done = run(&["gateway", "--store", &store, flag, &addr, other, "127.0.0.1:0"], b"");
        assert_eq!(done.code, Some(3), "{done:?}");
        assert!(done.stderr.contains(&addr) && done.stderr.contains(flag), "{}", done.stderr);
        assert!(done.stderr.contains("another program may have the port"), "{}", done.stderr);
        assert_eq!(done.stdout.lines().filter(|line| line.contains("listener on")).count(), 0);
    }
}

#[test]
fn a_wrong_configuration_ends_with_2_and_lists_every_error() {
    let folder = tempfile::tempdir().unwrap();
    let file = folder.path().join("punch.toml");
    std::fs::write(&file, "stor = \"x\"\n[listen]\napi = 8080\n[[device]]\nserial = \"BAD SN\"\n").unwrap();
    let file = file.to_str().unwrap();
    for arguments in [&["gateway", "--config", file][..], &["config", "check", file]] {
        let done = run(arguments, b"");
        assert_eq!(done.code, Some(2), "{done:?}");
        for key in ["`stor`", "`listen.api`", "`device[1].serial`"] {
            assert!(done.stderr.contains(key), "{key}: {}", done.stderr);
        }
        assert_eq!(done.stdout, "");
    }
    let done = run(&["config", "check", "/nonexistent/punch.toml"], b"");
    assert_eq!(done.code, Some(2), "{done:?}");
    for arguments in [&["gateway", "--store", "oracle:x"][..], &["gateway", "--nonsense"], &["nonsense"], &[]] {
        let done = run(arguments, b"");
        assert_eq!(done.code, Some(2), "{arguments:?}: {done:?}");
        assert!(!done.stderr.is_empty() && done.stdout.is_empty(), "{arguments:?}: {done:?}");
    }
}

#[test]
fn a_good_configuration_is_said_to_be_good() {
    let folder = tempfile::tempdir().unwrap();
    let file = folder.path().join("punch.toml");
    std::fs::write(&file, "[[device]]\nserial = \"T1\"\n").unwrap();
    let done = run(&["config", "check", file.to_str().unwrap()], b"");
    assert_eq!(done.code, Some(0), "{done:?}");
    assert!(done.stdout.contains("good") && done.stdout.contains("1 terminals"), "{}", done.stdout);
    assert_eq!(done.stderr, "");
}

/// What is hardly meant is said beside, and is no error.
#[test]
fn a_doubtful_configuration_is_good_with_a_warning() {
    let folder = tempfile::tempdir().unwrap();
    let file = folder.path().join("punch.toml");
    std::fs::write(&file, "[[device]]\nserial = \"T1\"\n[[device]]\nserial = \"T2\"\nrule = \"alternate\"\n").unwrap();
    let done = run(&["config", "check", file.to_str().unwrap()], b"");
    assert_eq!(done.code, Some(0), "{done:?}");
    assert!(done.stderr.starts_with("warning: `device[2]`: has another `rule` than T1"), "{}", done.stderr);
    assert!(done.stdout.contains("2 terminals") && !done.stdout.contains("warning"), "{}", done.stdout);
}

/// A store that is not ours, or not there, is no reason to panic.
#[test]
fn a_store_that_cannot_be_opened_ends_with_3() {
    let folder = tempfile::tempdir().unwrap();
    let not_ours = folder.path().join("text");
    std::fs::write(&not_ours, "this is no database, it is a text that is long enough to be looked at").unwrap();
    for store in [not_ours.to_str().unwrap(), "/nonexistent/folder/punch.sqlite"] {
        let done = run(&["gateway", "--store", &format!("sqlite:{store}"), "--api-addr", "127.0.0.1:0"], b"");
        assert_eq!(done.code, Some(3), "{done:?}");
        assert!(done.stderr.contains("store"), "{}", done.stderr);
        assert!(!done.stderr.contains("panicked"), "{}", done.stderr);
    }
}

/// contracts.md, first row: `--help` has an example.
#[test]
fn the_help_of_every_command_has_an_example() {
    let mut left = vec![Vec::new()];
    let mut seen = 0;
    while let Some(command) = left.pop() {
        let mut arguments: Vec<&str> = command.iter().map(String::as_str).collect();
        arguments.push("--help");
        let done = run(&arguments, b"");
        assert_eq!((done.code, done.stderr.as_str()), (Some(0), ""), "{command:?}");
        let listed = done.stdout.split_once("Commands:\n").map(|(_, rest)| rest.lines()).into_iter().flatten();
        let names = listed.take_while(|line| line.starts_with("  ")).filter_map(|line| line.strip_prefix("  "));
        let names: Vec<&str> =
            names.filter(|line| !line.starts_with(' ')).filter_map(|line| line.split(' ').next()).collect();
        if names.is_empty() {
            seen += 1;
            assert!(done.stdout.contains("Example: punch "), "punch {}: {}", command.join(" "), done.stdout);
        }
        for name in names.into_iter().filter(|name| *name != "help") {
            left.push([command.as_slice(), &[name.to_owned()]].concat());
        }
    }
    assert!(seen >= 8, "only {seen} commands found");
}
