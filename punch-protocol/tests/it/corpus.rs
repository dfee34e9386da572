//! The fuzz corpora: written from the samples, and run through the same functions on every test run.

use std::fs;
use std::path::{Path, PathBuf};

use crate::fuzzed;
use crate::samples::Sample;

/// Samples of the request corpus; bodies whose shape matters more than their query are in the rows corpus.
const REQUESTS: [&str; 14] =
    ["A01", "A06", "A08", "A10", "A28", "A29", "A35", "A36", "O01", "O20", "O24", "O25", "B01", "B03"];

fn folder(target: &str) -> PathBuf {
    Path::new(env!("CARGO_MANIFEST_DIR")).join("fuzz/corpus").join(target)
}

fn seeds() -> Vec<(PathBuf, Vec<u8>)> {
    let mut seeds = Vec::new();
    for sample in Sample::all() {
        let id = sample.id.as_str();
        if !sample.from_terminal {
            let head = format!("{}\n", sample.status);
            seeds.push((folder("server_answer").join(id), [head.as_bytes(), &sample.body].concat()));
            continue;
        }
        if id.starts_with(['H', 'I', 'P', 'R', 'D', 'X']) || REQUESTS.contains(&id) {
            let head = format!("{} {}?{}\n", sample.method, sample.path, sample.query);
            seeds.push((folder("request").join(id), [head.as_bytes(), &sample.body].concat()));
        }
        if id.starts_with(['A', 'O', 'B']) {
            let table = if id.starts_with('A') { b"0" } else { b"1" };
            seeds.push((folder("rows").join(id), [&table[..], &sample.body].concat()));
        }
    }
    seeds
}

#[test]
fn the_corpora_are_the_samples() {
    for (path, seed) in seeds() {
        if std::env::var_os("BLESS").is_some() {
            fs::write(&path, &seed).unwrap();
        }
        assert_eq!(fs::read(&path).unwrap_or_default(), seed, "{}: run with BLESS=1", path.display());
    }
}

#[test]
fn every_corpus_file_keeps_every_promise() {
    type Target = (&'static str, fn(&[u8]));
    let targets: [Target; 3] =
        [("request", fuzzed::request), ("rows", fuzzed::rows), ("server_answer", fuzzed::server_answer)];
    for (target, run) in targets {
        let mut files = 0;
        for entry in fs::read_dir(folder(target)).unwrap() {
            run(&fs::read(entry.unwrap().path()).unwrap());
            files += 1;
        }
        let seeds = seeds().iter().filter(|(path, _)| path.parent() == Some(&folder(target))).count();
        assert!(files >= seeds && seeds > 10, "{target}: {files} files");
    }
}
