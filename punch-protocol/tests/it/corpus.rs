//! The fuzz corpora: written from the samples, and run through the same functions on every test run.

use std::fs;
use std::path::{Path, PathBuf};

use punch_protocol::tcp::Command;

use crate::fuzzed;
use crate::samples::Sample;
use crate::tcp::Vector;

type Target = (&'static str, fn(&[u8]));

const TARGETS: [Target; 15] = [
    ("attlog", fuzzed::attlog),
    ("commands", fuzzed::commands),
    ("devicecmd", fuzzed::devicecmd),
    ("operlog", fuzzed::operlog),
    ("options", fuzzed::options),
    ("request", fuzzed::request),
    ("rows", fuzzed::rows),
    ("rtlog", fuzzed::rtlog),
    ("server_answer", fuzzed::server_answer),
    ("stream", fuzzed::stream),
    ("tabledata", fuzzed::tabledata),
    ("tcp_client", fuzzed::tcp_client),
    ("tcp_records", fuzzed::tcp_records),
    ("tcp_stream", fuzzed::tcp_stream),
    ("tcp_terminal", fuzzed::tcp_terminal),
];

fn folder(target: &str) -> PathBuf {
    Path::new(env!("CARGO_MANIFEST_DIR")).join("fuzz/corpus").join(target)
}

/// The targets that have something to do with a sample, each with its input.
fn inputs(sample: &Sample) -> Vec<(&'static str, Vec<u8>)> {
    let body = sample.body.clone();
    if !sample.from_terminal {
        let answer = [format!("{}\n", sample.status).as_bytes(), &body].concat();
        let polled = sample.path.contains("getrequest");
        return [("server_answer", answer)].into_iter().chain(polled.then_some(("commands", body))).collect();
    }
    let head = format!("{} {}?{}\n", sample.method, sample.path, sample.query);
    let mut inputs = vec![("request", [head.as_bytes(), &body].concat())];
    // The byte that picks the table in `rows`, and the three that begin a stream: table, pieces, limits.
    let (target, rows, stream) = match sample.expected["kind"].as_str().unwrap_or_default() {
        "attlog" | "attlog_idcard" => ("attlog", Some(b'0'), [0, 6, 0]),
        "operlog" | "idcard" | "errorlog" => ("operlog", Some(b'1'), [1, 9, 0]),
        "biodata" => ("operlog", Some(b'1'), [9, 9, 0]),
        "rtlog" | "rtstate" => ("rtlog", Some(b'2'), [2, 30, 0]),
        "tabledata" => ("tabledata", None, [6, 12, 0]),
        "attphoto" => ("stream", None, [5, 10, 0]),
        "querydata" => return inputs.into_iter().chain([("tabledata", body)]).collect(),
        "devicecmd" => return inputs.into_iter().chain([("devicecmd", body)]).collect(),
        "options" | "registry" => return inputs.into_iter().chain([("options", body)]).collect(),
        _ => return inputs,
    };
    inputs.push(("stream", [&stream[..], &body].concat()));
    inputs.extend(rows.map(|table| ("rows", [&[table], body.as_slice()].concat())));
    inputs.extend((target != "stream").then_some((target, body)));
    inputs
}

/// Inputs of no sample: what a target needs to begin with, by the rules of the forms it reads.
const MADE: [(&str, &str, &[u8]); 10] = [
    ("commands", "idle", b"OK"),
    ("commands", "two", b"C:7:DATA UPDATE USERINFO PIN=7\tName=A\nC:8:REBOOT\n"),
    ("commands", "empty_lines", b"\r"),
    ("commands", "records", b"C:9:DATA UPDATE user pin=7\tname=A\r\npin=8\tname=B\r\n"),
    ("devicecmd", "lines", b"ID=1&Return=0&CMD=INFO\n~DeviceName=A\nID=2&Return=-1002&CMD=DATA\n"),
    ("devicecmd", "keys", b"ID=3\nSN=T1\nFILENAME=a.txt\nCMD=GetFile\nReturn=5\nContent=a\nb=c\n"),
    ("stream", "two_templates", b"\x01\x02\x00FP PIN=1\tValid=1 TMP=TG9y\tX=1\nFACE PIN=1\tTMP=TG9y\r\n"),
    ("stream", "line_too_long", b"\x01\x04\x10USER PIN=1\tName=aaaaaaaaa\nUSER PIN=2\n"),
    ("stream", "packed", b"\x00\x01\x00LZO1\x40\x00\x00\x00packed"),
    ("tabledata", "records", b"user uid=1\tpin=7\r\nbiophoto pin=7\tcontent=TG9y\r\npin=8\tname=B\r\n"),
];

fn seeds() -> Vec<(PathBuf, Vec<u8>)> {
    let seeds = |sample: &Sample| {
        let path = |target| folder(target).join(&sample.id);
        inputs(sample).into_iter().map(|(target, input)| (path(target), input)).collect::<Vec<_>>()
    };
    let made = MADE.map(|(target, name, input)| (folder(target).join(name), input.to_vec()));
    Sample::all().iter().flat_map(seeds).chain(made).chain(binary_seeds()).chain(client_seeds()).collect()
}

/// What was sent on port 4370 as it is; a record of it as the dataset that a terminal would send it in.
fn binary_seeds() -> Vec<(PathBuf, Vec<u8>)> {
    let seed = |vector: Vector| match vector.transport.as_str() {
        "record" => {
            let length = u32::try_from(vector.bytes.len()).unwrap().to_le_bytes();
            Some((folder("tcp_records").join(&vector.id), [&length, vector.bytes.as_slice()].concat()))
        }
        "value" => None,
        _ => Some((folder("tcp_stream").join(&vector.id), vector.bytes)),
    };
    Vector::all().into_iter().filter_map(seed).chain(asked_seeds()).collect()
}

/// What a client asks on a connection, behind a `CONNECT`, with one of the terminals that the target can be.
fn asked_seeds() -> Vec<(PathBuf, Vec<u8>)> {
    let connect = Vector::named("tcp-connect-req").bytes;
    let from_terminal = [Command::PREPARE_DATA, Command::DATA];
    let is_asked = |vector: &Vector| {
        let command = vector.packet().command;
        vector.expect == "ok" && !command.is_answer() && !from_terminal.contains(&command)
    };
    let asked = Vector::of("tcp").into_iter().filter(is_asked);
    let seed = |(number, vector): (usize, Vector)| {
        let kind = u8::try_from(number * 37 % 128).unwrap() & !1;
        (folder("tcp_terminal").join(&vector.id), [&[kind, 7], &connect[..], &vector.bytes].concat())
    };
    asked.enumerate().map(seed).collect()
}

/// What happens, and the bytes of it.
type Move<'a> = (u8, &'a [u8]);

/// Conversations with a client, as moves: how it is set, then what happens and the bytes of it.
fn client_seeds() -> Vec<(PathBuf, Vec<u8>)> {
    let play = |name: &str, settings: u8, moves: &[Move<'_>]| {
        let step = |(what, bytes): &Move<'_>| [&[u8::try_from(bytes.len() / 2).unwrap() << 3 | what], *bytes].concat();
        let moves: Vec<u8> = moves.iter().flat_map(step).collect();
        (folder("tcp_client").join(name), [&[settings], moves.as_slice()].concat())
    };
    let (hello, ok, counts): (_, _, Move<'_>) = ((2, &[7, 0][..]), (2, &[7, 0][..]), (2, &[7, 0, 0, 0, 0, 0]));
    let ready: Move<'_> = (2, &[7, 0, 44, 0, 0, 0, 44, 0, 0, 0, 1, 2, 3, 4]);
    let announced: Move<'_> = (4, &[44, 0, 0, 0, 0, 4, 0, 0]);
    let records = [&[0, 40, 0, 0, 0][..], &[b'1'; 41]].concat();
    let (first, second): (Move<'_>, Move<'_>) = ((3, &records[..24]), (3, &[1; 22]));
    let proof: Move<'_> = (1, &[0xd5, 7, 7, 0]);
    let event: Move<'_> = (5, &[1, 0, 0xef, 3, 0, 0, 1, 0, 26, 11, 22, 8, 30, 15]);
    vec![
        play("buffer", 0, &[hello, counts, ready, announced, first, second, ok, counts]),
        play("datagrams", 1, &[hello, counts, ready, second, first, (6, &[]), announced, first, second, ok, counts]),
        play("direct", 16, &[hello, counts, (3, &records), ok]),
        play("key", 2 | 64, &[proof, hello, event, ok, (7, &[5, 0]), (6, &[])]),
        play("refused", 0, &[hello, counts, (1, &[0x7d, 0x13, 7, 0]), announced, first, second, ok, counts]),
        play("again", 8 | 96, &[hello, proof, proof, hello, ok, (7, &[3, 0]), ready, ok]),
        play("raw", 112, &[(0, b"\x50\x50\x82\x7d\x08\0\0\0\xd0\x07\x28\xf8\x07\0\0\0"), (0, b"HTTP/1.1")]),
    ]
}

/// The files are being written: nothing else can be said about them.
fn is_blessing() -> bool {
    std::env::var_os("BLESS").is_some()
}

#[test]
fn the_corpora_are_the_samples() {
    for (path, seed) in seeds() {
        if is_blessing() {
            fs::create_dir_all(path.parent().unwrap()).unwrap();
            fs::write(&path, &seed).unwrap();
        }
        assert_eq!(fs::read(&path).unwrap_or_default(), seed, "{}: run with BLESS=1", path.display());
    }
}

#[test]
fn every_corpus_file_keeps_every_promise() {
    for (target, run) in TARGETS.into_iter().filter(|_| !is_blessing()) {
        let mut files = 0;
        for entry in fs::read_dir(folder(target)).unwrap() {
            run(&fs::read(entry.unwrap().path()).unwrap());
            files += 1;
        }
        let seeds = seeds().iter().filter(|(path, _)| path.parent() == Some(&folder(target))).count();
        assert!(files >= seeds && files > 0, "{target}: {files} files");
    }
}

/// A target that no test replays, or a folder that no target reads, is noticed here.
#[test]
fn every_target_has_a_corpus_and_a_test() {
    let root = Path::new(env!("CARGO_MANIFEST_DIR")).join("fuzz");
    let names = |folder: &str| -> Vec<String> {
        let entries = fs::read_dir(root.join(folder)).unwrap();
        let stem = |path: PathBuf| path.file_stem().unwrap().to_string_lossy().into_owned();
        let mut names: Vec<String> = entries.map(|entry| stem(entry.unwrap().path())).collect();
        names.sort();
        names
    };
    let targets: Vec<&str> = TARGETS.iter().map(|(name, _)| *name).collect();
    assert_eq!(names("fuzz_targets"), targets);
    assert!(is_blessing() || names("corpus") == targets, "{:?}", names("corpus"));
}
