//! The container file, held to the repository and to the binary. No daemon is needed, and none builds the image here.

use std::path::{Path, PathBuf};

use crate::command::{Running, punch, run};

fn root() -> PathBuf {
    Path::new(env!("CARGO_MANIFEST_DIR")).join("../..")
}

/// The instructions, each with its continued lines.
fn instructions() -> Vec<(String, String)> {
    let text = std::fs::read_to_string(root().join("examples/punch/Dockerfile")).unwrap().replace("\\\n", " ");
    let lines = text.lines().filter(|line| !line.starts_with('#') && !line.trim().is_empty());
    lines
        .map(|line| line.split_once(' ').map(|(name, rest)| (name.to_owned(), rest.trim().to_owned())).unwrap())
        .collect()
}

fn all<'a>(instructions: &'a [(String, String)], name: &str) -> Vec<&'a str> {
    instructions.iter().filter(|(found, _)| found == name).map(|(_, rest)| rest.as_str()).collect()
}

fn only<'a>(instructions: &'a [(String, String)], name: &str) -> &'a str {
    let found = all(instructions, name);
    assert_eq!(found.len(), 1, "{name}");
    found[0]
}

/// S0-040, S3-013, S3-046: what it copies is there, what it builds is the binary, nobody is root, and what it says of ports, of the
/// environment and of health is what the binary does.
#[test]
fn the_container_file_names_what_is_there() {
    let instructions = instructions();
    // Everything that the workspace is made of is copied, and is in the repository.
    let copied: Vec<&str> = all(&instructions, "COPY").into_iter().filter(|rest| !rest.starts_with("--from")).collect();
    let sources: Vec<&str> = copied.iter().flat_map(|rest| rest.split(' ').rev().skip(1)).collect();
    for source in &sources {
        assert!(root().join(source).exists(), "{source}");
    }
    let workspace: toml::Table = std::fs::read_to_string(root().join("Cargo.toml")).unwrap().parse().unwrap();
    for member in workspace["workspace"]["members"].as_array().unwrap() {
        let folder = member.as_str().unwrap().trim_end_matches("/*");
        assert!(sources.contains(&folder), "{folder} is not copied, and cargo reads every member");
    }
    let rust = workspace["workspace"]["package"]["rust-version"].as_str().unwrap();
    let stages = all(&instructions, "FROM");
    assert_eq!(stages, [format!("rust:{rust}-alpine AS build").as_str(), "scratch"]);
    let build = all(&instructions, "RUN").into_iter().find(|run| run.starts_with("cargo build")).unwrap();
    assert!(build.ends_with("--release --locked --package punch --bin punch"), "{build}");
    assert!(all(&instructions, "COPY").contains(&"--from=build /src/target/release/punch /punch"));

    let user: Vec<u32> = only(&instructions, "USER").split(':').map(|id| id.parse().unwrap()).collect();
    assert!(user.len() == 2 && user.iter().all(|id| *id >= 1000), "{user:?}");
    assert_eq!(only(&instructions, "VOLUME"), "/data");
    assert_eq!(only(&instructions, "ENTRYPOINT"), "[\"/punch\"]");
    let command: Vec<String> = serde_json::from_str(only(&instructions, "CMD")).unwrap();
    let health = only(&instructions, "HEALTHCHECK").split_once(" CMD ").unwrap().1;
    let health: Vec<String> = serde_json::from_str(health).unwrap();
    assert_eq!(health[0], "/punch");
    // What is asked for is there, and what is set is read.
    for words in [&command[..], &health[1..]] {
        let words: Vec<&str> = words.iter().map(String::as_str).chain(["--help"]).collect();
        assert_eq!(run(&words, b"").code, Some(0), "{words:?}");
    }
    let help = run(&["gateway", "--help"], b"").stdout;
    let variables: Vec<(&str, &str)> =
        only(&instructions, "ENV").split_whitespace().map(|pair| pair.split_once('=').unwrap()).collect();
    let ports: Vec<&str> = only(&instructions, "EXPOSE").split(' ').collect();
    for (name, value) in variables {
        match name {
            "SQLITE_TMPDIR" => assert_eq!(value, "/data"),
            _ => assert!(help.contains(&format!("[env: {name}=]")), "{name} is read by nobody"),
        }
        if let Some((_, port)) = value.rsplit_once(":80").filter(|_| name.ends_with("_ADDR")) {
            assert!(ports.contains(&format!("80{port}").as_str()), "{value}");
        }
    }
    assert!(
        !std::fs::read_to_string(root().join(".dockerignore")).unwrap().lines().any(|line| sources.contains(&line))
    );
}

/// What the health check runs says how the gateway stands.
#[test]
fn the_health_of_a_gateway_is_an_exit_code() {
    let folder = tempfile::tempdir().unwrap();
    let store = format!("sqlite:{}", folder.path().join("punch.sqlite").display());
    let args = ["gateway", "--store", &store, "--device-addr", "127.0.0.1:0", "--api-addr", "127.0.0.1:0"];
    let mut gateway = Running::start(punch().args(args));
    let api = loop {
        let line = gateway.line();
        if let Some(api) = line.strip_prefix("api on ") {
            break api.to_owned();
        }
    };
    let url = api.strip_suffix("/v1").unwrap();
    let ready = run(&["doctor", "gateway", url], b"");
    assert_eq!((ready.code, ready.stdout.as_str()), (Some(0), "ready\n"));
    assert_eq!(gateway.terminate().code, Some(0));
    assert_eq!(run(&["doctor", "gateway", url], b"").code, Some(3));
}
