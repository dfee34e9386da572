//! `docs/rules.md`: what it shows is what is printed, and its files are read.

use std::path::Path;

use gateway::config::{Config, read_shifts};
use serde_json::Value;

use crate::command::run;

const PAGE: &str = include_str!("../../../../docs/rules.md");

/// The fenced blocks of a kind: what stands behind the kind, and the text.
fn blocks(kind: &str) -> Vec<(&'static str, &'static str)> {
    let blocks = PAGE.split("\n```").skip(1).step_by(2);
    blocks
        .filter_map(|block| {
            let (head, text) = block.split_once('\n')?;
            Some((head.strip_prefix(kind)?.trim(), text))
        })
        .collect()
}

/// Runs `punch normalize … | jq -r '[.a, .b[]] | join(" ")'` with the files of a folder.
fn printed(command: &str, folder: &Path) -> String {
    let (punch, jq) = command.split_once(" | ").unwrap();
    let arguments: Vec<String> = punch
        .split(' ')
        .skip(1)
        .map(|word| if word.contains('.') { folder.join(word).to_str().unwrap().to_owned() } else { word.to_owned() })
        .collect();
    let done = run(&arguments.iter().map(String::as_str).collect::<Vec<_>>(), b"");
    assert_eq!(done.code, Some(0), "{command}: {done:?}");
    let members = jq.strip_prefix("jq -r '[").and_then(|rest| rest.strip_suffix("] | join(\" \")'")).unwrap();
    let line = |line: &str| {
        let row: Value = serde_json::from_str(line).unwrap();
        let words = members.split(", ").flat_map(|member| match member.strip_suffix("[]") {
            Some(list) => row[&list[1..]].as_array().unwrap().clone(),
            None => vec![row[&member[1..]].clone()],
        });
        words.map(|word| word.as_str().unwrap_or_default().to_owned()).collect::<Vec<_>>().join(" ")
    };
    done.stdout.lines().map(line).map(|line| format!("{}\n", line.trim_end())).collect()
}

#[test]
fn every_command_of_the_page_prints_what_the_page_shows() {
    let folder = tempfile::tempdir().unwrap();
    for (name, text) in blocks("csv").into_iter().chain(blocks("toml")) {
        std::fs::write(folder.path().join(name), text).unwrap();
    }
    let mut count = 0;
    for (_, block) in blocks("console") {
        for example in block.split("$ ").skip(1) {
            let (command, shown) = example.split_once('\n').unwrap();
            assert_eq!(printed(command, folder.path()).trim_end(), shown.trim_end(), "{command}");
            count += 1;
        }
    }
    assert!(count >= 11, "{count}");
}

#[test]
fn every_file_of_the_page_is_read() {
    let mut count = 0;
    for (name, text) in blocks("toml") {
        if name == "punch.toml" {
            let config = Config::parse(text).unwrap_or_else(|errors| panic!("{errors}"));
            assert_eq!(config.warnings(), []);
            count += 1;
        }
        assert!(name == "punch.toml" || read_shifts(text).is_ok(), "{name}");
    }
    assert_eq!(count, 2);
}
