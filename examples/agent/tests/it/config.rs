//! `agent.toml`: the file that people copy names every key there is.

use std::collections::BTreeSet;
use std::path::Path;
use std::time::Duration;

use agent::config::Config;
use punch_protocol::tcp::Carrier;

const EXAMPLE: &str = include_str!("../../agent.toml");
const SOURCE: &str = include_str!("../../src/config.rs");
const GUIDE: &str = include_str!("../../../../docs/agent.md");
const READMES: [&str; 2] = [include_str!("../../../../README.md"), include_str!("../../../../README.es.md")];

/// A folder with the files that the example names.
fn folder() -> tempfile::TempDir {
    let folder = tempfile::tempdir().unwrap();
    std::fs::write(folder.path().join("gateway.key"), "pk_canary\n").unwrap();
    std::fs::write(folder.path().join("main_entrance.comm"), "4711\n").unwrap();
    std::fs::write(folder.path().join("root.pem"), "canary of a root").unwrap();
    folder
}

#[test]
fn the_example_file_is_read_as_written_and_names_the_defaults() {
    let folder = folder();
    let config = Config::parse(EXAMPLE, folder.path()).unwrap_or_else(|errors| panic!("agent.toml:\n{errors}"));
    assert_eq!(config.spool, folder.path().join("agent.sqlite"));
    assert_eq!((config.gateway.url.as_str(), config.gateway.plain_http), ("https://punch.example.com", false));
    assert_eq!(config.gateway.api_key.expose(), "pk_canary");
    let [named, default] = config.terminals.as_slice() else { panic!("{:?}", config.terminals) };
    assert_eq!(named.address.to_string(), "192.168.1.201:4370");
    assert_eq!(named.serial.as_ref().map(ToString::to_string).as_deref(), Some("CZKE2241600045"));
    assert_eq!((default.address.to_string().as_str(), default.serial.as_ref()), ("192.168.1.202:4370", None));
    // What the comments call a default is one.
    for terminal in [named, default] {
        assert_eq!((terminal.every, terminal.whole_every), (Duration::from_secs(300), Duration::from_secs(86_400)));
        assert_eq!((terminal.live, terminal.client.carrier), (true, Carrier::Tcp));
        assert_eq!(terminal.client.timing.patience, Duration::from_secs(10));
        assert!(terminal.client.comm_key.is_none());
    }
}

#[test]
fn the_example_file_names_every_key_and_those_in_comments_are_keys() {
    // Lines of the form `key = …`, also behind a comment sign.
    let named: BTreeSet<&str> = EXAMPLE
        .lines()
        .filter_map(|line| line.trim_start_matches("# ").split_once(" = ").map(|(key, _)| key))
        .filter(|key| !key.contains(' '))
        .collect();
    let folder = folder();
    let commented = EXAMPLE.replace("# api_key = ", "api_key = ").replace("# comm_key_file", "comm_key_file");
    let commented = commented.replace("# ca_file", "ca_file");
    let config = Config::parse(&commented, folder.path()).unwrap_or_else(|errors| panic!("agent.toml:\n{errors}"));
    assert_eq!(config.gateway.api_key.expose(), "pk_canary", "the file wins");
    assert!(!config.terminals[0].client.comm_key.is_none(), "the file wins");
    assert_eq!(config.gateway.roots.as_deref(), Some(&b"canary of a root"[..]));
    // Every key that the program asks for is text in quotes in its source; a secret has a file beside it.
    let quoted = SOURCE.split('"').skip(1).step_by(2);
    let words = quoted.filter(|text| text.bytes().all(|byte| byte.is_ascii_lowercase() || byte == b'_'));
    let sections = ["gateway", "terminal"];
    let secrets = ["api_key_file", "comm_key_file"];
    let known: BTreeSet<&str> = words.chain(secrets).filter(|word| !sections.contains(word)).collect();
    assert_eq!(named, known);
    let guide: Vec<&str> = GUIDE.split('`').skip(1).step_by(2).collect();
    assert!(known.iter().all(|key| guide.contains(key)), "docs/agent.md names every key too");
}

#[test]
fn the_readmes_show_files_that_work() {
    let folder = folder();
    for readme in READMES {
        let text = readme.split("```toml\n").nth(1).and_then(|rest| rest.split("```").next()).unwrap();
        let config = Config::parse(text, folder.path()).unwrap_or_else(|errors| panic!("{errors}"));
        assert_eq!(config.terminals.len(), 2);
    }
}

#[test]
fn values_are_taken_within_their_limits_and_no_further() {
    let parse = |line: &str| {
        let text = format!("[gateway]\nurl = \"https://h\"\napi_key = \"k\"\n[[terminal]]\nhost = \"h\"\n{line}\n");
        Config::parse(&text, Path::new(""))
    };
    for (key, least, most) in [
        ("port", 1, 65_535),
        ("comm_key", 0, 999_999),
        ("every_seconds", 5, 86_400),
        ("whole_every_seconds", 5, 2_592_000),
        ("patience_seconds", 5, 120),
    ] {
        for (value, is_taken) in [(least - 1, false), (least, true), (most, true), (most + 1, false)] {
            assert_eq!(parse(&format!("{key} = {value}")).is_ok(), is_taken, "{key} = {value}");
        }
    }
}
