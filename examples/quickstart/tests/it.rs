//! The programs run and say what they should, and the documents say what is so.

use std::path::{Path, PathBuf};
use std::process::Command;

/// A file of the repository.
fn read(path: &str) -> String {
    std::fs::read_to_string(root().join(path)).unwrap_or_else(|error| panic!("{path}: {error}"))
}

fn root() -> PathBuf {
    Path::new(env!("CARGO_MANIFEST_DIR")).join("../..")
}

fn run(program: &str) -> Vec<String> {
    let output = Command::new(program).output().unwrap();
    assert!(output.status.success(), "{program}: {}", String::from_utf8_lossy(&output.stderr));
    String::from_utf8(output.stdout).unwrap().lines().map(ToOwned::to_owned).collect()
}

#[test]
fn protocol() {
    let lines = run(env!("CARGO_BIN_EXE_protocol"));
    assert_eq!(lines[0], "1042 2026-03-28 08:47:12 Some(Status(0))");
    assert!(lines[1].starts_with("PP-ROW-002 ATTLOG line 2, column 1"), "{}", lines[1]);
    assert_eq!(lines[2], "007 2026-03-28 08:47:15 Some(Status(255))");
    assert_eq!(lines[3..], ["200 OK: 3"]);
}

#[test]
fn port_4370() {
    assert_eq!(run(env!("CARGO_BIN_EXE_port_4370")), ["1042 2026-11-22 08:47:12 Status(0)"]);
}

#[test]
fn normalize() {
    let lines = run(env!("CARGO_BIN_EXE_normalize"));
    let id = "evt_0ary4x0xm4ygtzxxab6rj9b1gx";
    assert_eq!(lines[0], format!("fresh {id} 2026-03-28 08:47:12 -06:00 in"));
    assert_eq!(lines[1..3], [format!("bounce of {id}"), format!("replay of {id}")]);
    assert!(lines[3].starts_with("held: the terminal's clock was unset"), "{}", lines[3]);
}

#[test]
fn webhook() {
    let lines = run(env!("CARGO_BIN_EXE_webhook"));
    let names: Vec<&str> = lines[..4].iter().filter_map(|line| Some(line.split_once(": ")?.0)).collect();
    assert_eq!(names, ["X-PunchConnect-Signature", "webhook-id", "webhook-timestamp", "webhook-signature"]);
    assert_eq!(lines[4], "0042 2026-03-28 14:47:12 UTC in");
    assert!(lines[5].starts_with("PW-SIG-006") && lines[6].starts_with("PW-SIG-004"), "{lines:?}");
}

#[test]
fn erp() {
    let lines = run(env!("CARGO_BIN_EXE_erp"));
    let calls: Vec<&String> = lines.iter().filter(|line| line.contains(" https://erp.example.com/")).collect();
    assert_eq!(calls.len(), 2, "{lines:?}");
    assert!(calls[0].starts_with("GET ") && calls[1].starts_with("POST "), "{calls:?}");
    assert!(lines.iter().all(|line| !line.contains("s3cret")), "a secret is shown");
    assert_eq!(lines.last().map(String::as_str), Some("applied: evt_1"));
}

#[test]
fn whole_way() {
    let lines = run(env!("CARGO_BIN_EXE_whole_way"));
    assert_eq!(lines.len(), 3, "one event, its signature, the acknowledgement: {lines:?}");
    assert!(lines[0].contains(r#""timestamp":"2026-03-28T14:47:12Z""#), "{}", lines[0]);
    assert!(lines[1].starts_with("sha256=") && lines[1].len() == 71, "{}", lines[1]);
    assert_eq!(lines[2], "OK: 2");
}

#[test]
fn programs_are_short() {
    for name in ["protocol", "port_4370", "normalize", "webhook", "erp", "whole_way"] {
        let lines = read(&format!("examples/quickstart/src/bin/{name}.rs")).lines().count();
        assert!(lines <= 40, "{name}.rs has {lines} lines");
    }
}

const READMES: [&str; 2] = ["README.md", "README.es.md"];
const DOCUMENTS: [&str; 27] = [
    "README.md",
    "README.es.md",
    "ARCHITECTURE.md",
    "CONTRIBUTING.md",
    "CHANGELOG.md",
    "SECURITY.md",
    "docs/agent.md",
    "docs/api.md",
    "docs/backfill.md",
    "docs/clocks.md",
    "docs/biometric-data.md",
    "docs/container.md",
    "docs/dashboard.md",
    "docs/delivery.md",
    "docs/exports.md",
    "docs/hikcentral.md",
    "docs/load.md",
    "docs/metrics.md",
    "docs/quarantine.md",
    "docs/receivers.md",
    "docs/rules.md",
    "docs/security.md",
    "docs/sinks.md",
    "docs/sources.md",
    "docs/store.md",
    "examples/edge/README.md",
    "punch-protocol/README.md",
];

#[test]
fn the_example_of_the_readmes_is_the_program() {
    for (readme, program) in
        [("README.md", "whole_way"), ("README.es.md", "whole_way"), ("punch-protocol/README.md", "port_4370")]
    {
        let text = read(readme);
        let examples: Vec<&str> =
            text.split("\n```rust\n").skip(1).filter_map(|rest| rest.split("```").next()).collect();
        assert_eq!(examples, [read(&format!("examples/quickstart/src/bin/{program}.rs"))], "{readme}");
    }
}

/// S3-019: one command runs all tests.
#[test]
fn the_readmes_begin_with_the_two_commands() {
    for readme in READMES {
        let text = read(readme);
        let demo = text.find("\n$ cargo run --release --bin punch -- demo\n").unwrap_or_else(|| panic!("{readme}"));
        let test = text.find("\n$ cargo test --workspace\n").unwrap_or_else(|| panic!("{readme}"));
        assert_eq!(text.find("\n$ "), Some(demo), "{readme}: another command comes first");
        assert!(demo < test, "{readme}");
    }
}

/// Everything outside fenced code.
fn prose(text: &str) -> impl Iterator<Item = &str> {
    let mut code = false;
    text.lines().filter(move |line| {
        let fence = line.starts_with("```");
        code ^= fence;
        !code && !fence
    })
}

#[test]
fn the_readmes_have_the_same_shape() {
    let shape = |readme: &str| -> Vec<String> {
        let text = read(readme);
        let marks = prose(&text).filter_map(|line| {
            let mark = line.split(' ').next()?;
            let counts = mark.starts_with('#') || matches!(mark, "|" | "*" | "1." | "2." | "3." | "4." | "5." | "6.");
            counts.then(|| mark.to_owned())
        });
        marks.collect()
    };
    assert_eq!(shape(READMES[0]), shape(READMES[1]));
}

#[test]
fn both_readmes_name_the_same_tests() {
    let named = READMES.map(|readme| tests_named_in(&read(readme)));
    assert!(named[0].len() > 15, "{:?}", named[0]);
    assert_eq!(named[0], named[1]);
}

/// `path/to/file.rs::name` in code style.
fn tests_named_in(text: &str) -> Vec<(String, String)> {
    let tokens = text.split('`').filter(|token| !token.contains(char::is_whitespace));
    tokens
        .filter_map(|token| token.split_once(".rs::"))
        .map(|(file, test)| (format!("{file}.rs"), test.to_owned()))
        .collect()
}

#[test]
fn every_test_that_a_document_names_is_there() {
    for document in DOCUMENTS {
        for (file, test) in tests_named_in(&read(document)) {
            let source = read(&file);
            let place =
                source.find(&format!("fn {test}(")).unwrap_or_else(|| panic!("{document}: {file} has no {test}"));
            let above = source[..place].lines().rev().take(4);
            let attribute = above.map(str::trim_start).any(|line| line.starts_with("#[") && line.contains("test"));
            let is_test = attribute || source.contains("proptest!");
            assert!(is_test, "{document}: {test} in {file} is no test");
        }
    }
}

#[test]
fn every_link_into_the_repository_leads_somewhere() {
    for document in DOCUMENTS {
        let text = read(document);
        for link in text.split("](").skip(1).filter_map(|rest| rest.split(')').next()) {
            if !link.contains("://") {
                let folder = root().join(document);
                let folder = folder.parent().unwrap_or(&folder);
                assert!(folder.join(link).exists(), "{document}: {link}");
            }
        }
    }
}

/// S0-041, S1-022, S1-024: a terminal is pointed here in a few steps, by the names that its family has in its menu.
#[test]
fn a_terminal_is_set_up_in_six_steps_at_most() {
    for (readme, heading) in [("README.md", "## Point a terminal at it"), ("README.es.md", "## Conectar un terminal")] {
        let text = read(readme);
        let guide = text.split_once(heading).unwrap_or_else(|| panic!("{readme} has no {heading}")).1;
        let guide = guide.split("\n## ").next().unwrap();
        let steps =
            guide.lines().filter(|line| line.split_once(". ").is_some_and(|(number, _)| number.parse::<u8>().is_ok()));
        assert!((3..=6).contains(&steps.count()), "{readme}");
        for name in ["Cloud Server Setting", "ADMS", "T&A PUSH", "A&C PUSH"] {
            assert!(guide.contains(name), "{readme}: {name}");
        }
    }
}

/// S1-006, S2-003: whoever receives webhooks asks nobody, and has nothing of a terminal: no address, no serial, no key.
#[test]
fn no_receiver_polls_or_knows_a_terminal() {
    for name in ["odoo", "erpnext", "successfactors", "humand", "hrms"] {
        let text = read(&format!("examples/middleware/src/bin/{name}.rs")).to_lowercase();
        for word in ["comm_key", "4370", "iclock", "serial_number", "/v1/devices", "poll"] {
            assert!(!text.contains(word), "{name}.rs: {word}");
        }
    }
}

/// S1-046: whoever treats biometric data has to say how; a text to begin with is here.
#[test]
fn the_template_about_biometric_data_asks_what_the_law_asks() {
    let text = read("docs/biometric-data.md");
    for heading in
        ["Controller", "Purpose", "What is treated", "Where templates are", "Retention", "Rights", "Recipients"]
    {
        assert!(text.contains(&format!("### {heading}")), "{heading}");
    }
    assert!(text.contains("[…]"), "it has places to be filled in");
}

/// What no program can do is written down where it is looked for.
#[test]
fn what_only_a_document_can_do_is_written() {
    for (demand, document, words) in [
        ("S0-043", "docs/receivers.md", "an iFlow with an HTTPS sender"),
        ("S0-053", "docs/exports.md", "article 161 of the labour code of"),
        ("S0-077", "docs/receivers.md", "`ngrok http 3000`"),
        ("S3-037", "docs/hikcentral.md", "Not every face event is exposed by the OpenAPI"),
        ("S3-039", "docs/hikcentral.md", "Its database is not touched"),
        ("S3-041", "docs/hikcentral.md", "reachable from the middleware and from nobody else"),
    ] {
        assert!(read(document).contains(words), "{demand}: {document} does not say: {words}");
    }
}

/// Files of the repository, without what is built.
fn files(folder: &Path, found: &mut Vec<PathBuf>) {
    for entry in std::fs::read_dir(folder).unwrap() {
        let path = entry.unwrap().path();
        let name = path.file_name().unwrap_or_default().to_string_lossy().into_owned();
        if path.is_dir() {
            if !["target", ".git", "node_modules"].contains(&name.as_str()) {
                files(&path, found);
            }
        } else {
            found.push(path);
        }
    }
}

/// S3-016, S3-043: no file is one that programs read credentials from, and none holds a key of somebody. Keys of tests are
/// made up, and lie where tests read them.
#[test]
fn no_credential_is_in_the_repository() {
    let mut all = Vec::new();
    files(&root(), &mut all);
    assert!(all.len() > 500, "{} files", all.len());
    // Written so that this file does not hold them.
    let marks = ["AKIA", "ghp_", "github_pat_", "xoxb-", "sk_live_", "glpat-"];
    let private = ["PRIVATE", "KEY-----"].join(" ");
    for path in all {
        let name = path.file_name().unwrap_or_default().to_string_lossy().into_owned();
        assert!(!name.starts_with(".env") && name != "credentials.json", "{}", path.display());
        let Ok(text) = std::fs::read_to_string(&path) else { continue };
        let is_word = |letter: char| letter.is_ascii_alphanumeric() || letter == '_' || letter == '-';
        let tokens = text.split(|letter: char| !is_word(letter));
        let leaked = tokens.filter(|token| token.len() > 19 && marks.iter().any(|mark| token.starts_with(mark)));
        assert_eq!(leaked.count(), 0, "{} holds an access token", path.display());
        let may_hold = path.components().any(|part| part.as_os_str() == "tests");
        assert!(may_hold || !text.contains(&private), "{} holds a private key", path.display());
    }
}
