//! Every code in the sources has a paragraph in `ERRORS.md`, every paragraph a code, every text its code in front.

use alloc::collections::BTreeSet;
use std::fs;
use std::path::Path;

use punch_protocol::SerialError;
use punch_protocol::push::{
    CommandError, Dialect, Limits, PackageError, ParseError, Parts, Request, RowErrorKind, Rows,
};
use punch_protocol::tcp::{Command, DataError, Ending, FrameError, RequestError, Shortfall, SubmitError, WriteError};

#[test]
fn codes_and_paragraphs_match() {
    let root = Path::new(env!("CARGO_MANIFEST_DIR"));
    let mut used = BTreeSet::new();
    collect(&root.join("src"), &mut used);
    let page = fs::read_to_string(root.join("ERRORS.md")).unwrap();
    let explained: BTreeSet<String> =
        page.lines().filter_map(|line| line.strip_prefix("#### ")).map(str::to_owned).collect();
    assert_eq!(used, explained);
    assert_eq!(
        explained.len(),
        parse_errors().len()
            + RowErrorKind::ALL.len()
            + command_errors().len()
            + package_errors().len()
            + tcp_errors().len()
    );
    for paragraph in page.split("#### ").skip(1) {
        assert!(paragraph.lines().count() > 2, "a heading without a text: {paragraph}");
    }
}

fn collect(folder: &Path, used: &mut BTreeSet<String>) {
    for entry in fs::read_dir(folder).unwrap() {
        let path = entry.unwrap().path();
        if path.is_dir() {
            collect(&path, used);
            continue;
        }
        let source = fs::read_to_string(&path).unwrap();
        for (start, _) in source.match_indices("PP-") {
            used.insert(source[start..].chars().take_while(|c| c.is_ascii_alphanumeric() || *c == '-').collect());
        }
    }
}

fn parse_errors() -> Vec<ParseError> {
    vec![
        ParseError::MissingSerial,
        ParseError::BadSerial(SerialError::Empty),
        ParseError::DuplicateSerial { count: 2 },
        ParseError::UnknownEndpoint,
        ParseError::BodyTooLarge { len: 2, limit: 1 },
        ParseError::TruncatedBody { declared: 2, got: 1 },
        ParseError::QueryTooLong { len: 2, limit: 1 },
        ParseError::PackedBody { plain_len: 64 },
        ParseError::UnsafePath,
    ]
}

fn command_errors() -> Vec<CommandError> {
    vec![
        CommandError::Separator { key: "the name", at: 0 },
        CommandError::BadId { len: 36 },
        CommandError::Unsupported { command: "check", dialect: Dialect::AccessControl },
        CommandError::TooLong { len: 2, limit: 1 },
        CommandError::Unencodable { key: "a text", encoding: "windows-1256" },
        CommandError::OutOfRange { key: "the door", expected: "1 to 16" },
        CommandError::QueueFull { limit: 1 },
        CommandError::DuplicateId,
    ]
}

#[test]
fn command_errors_begin_with_their_code() {
    for error in command_errors() {
        let text = error.to_string();
        let rest = text.strip_prefix(error.code()).unwrap_or_else(|| panic!("{text}"));
        assert!(rest.starts_with(' ') && rest[1..].starts_with(|c: char| !c.is_uppercase()), "{text}");
        assert_eq!(error.is_retryable(), matches!(error, CommandError::QueueFull { .. }));
    }
}

fn package_errors() -> Vec<PackageError> {
    vec![
        PackageError::NotPacked,
        PackageError::UnknownCoding,
        PackageError::BadBase64,
        PackageError::BadHeader,
        PackageError::Truncated,
        PackageError::BadData,
        PackageError::BadChecksum,
        PackageError::TooLarge { limit: 1 },
        PackageError::BehindEnd { len: 1 },
        PackageError::BadEntry { entry: 1 },
        PackageError::EntryBeyondEnd { entry: 1 },
        PackageError::TooManyEntries { limit: 1 },
    ]
}

fn tcp_errors() -> Vec<(&'static str, String)> {
    let frames = [
        FrameError::NoMagic,
        FrameError::SecurePull,
        FrameError::AccessPanel,
        FrameError::Http,
        FrameError::TooShort { len: 7 },
        FrameError::TooLong { len: 2, limit: 1 },
        FrameError::Checksum { found: 1, computed: 2 },
        FrameError::HeaderCut { len: 7 },
    ];
    let data = [
        DataError::Length { what: "comm key", len: 3, expected: "4" },
        DataError::DatasetTooLong { len: 2, limit: 1 },
        DataError::TemplateSize { size: 5 },
        DataError::NoLayout { len: 120 },
        DataError::AmbiguousLayout { len: 80, layouts: 2 },
        DataError::ShortForm,
    ];
    let written = [
        WriteError::PacketTooLong { len: 2, limit: 1 },
        WriteError::CommKeyRange,
        WriteError::Field { field: "the name", expected: "a text without NUL that fits its field" },
    ];
    let mut all: Vec<_> = frames.map(|error| (error.code(), error.to_string())).into();
    all.extend(data.map(|error| (error.code(), error.to_string())));
    all.extend(written.map(|error| (error.code(), error.to_string())));
    all.extend(client_errors());
    all
}

fn client_errors() -> Vec<(&'static str, String)> {
    let command = Command::ATTENDANCE_READ;
    let requests = [
        RequestError::Refused { command, code: Command::ACK_ERROR },
        RequestError::Unanswered { command, waited: core::time::Duration::from_secs(10), sent: 8 },
        RequestError::Short { command, got: 1, want: 2 },
        RequestError::SessionLost { command },
        RequestError::Ended { command, sent: true, ending: Ending::Closed },
    ];
    let endings = [
        Ending::Left,
        Ending::Closed,
        Ending::Unreachable,
        Ending::KeyNeeded,
        Ending::KeyRefused,
        Ending::KeyLocked,
        Ending::SecurePull,
        Ending::Refused { code: Command(4711) },
    ];
    let (full, shortfall) = (SubmitError::Full { waiting: 1024 }, Shortfall { received: 1, counted: 2, cut: 0 });
    let mut all: Vec<_> = requests.map(|error| (error.code(), error.to_string())).into();
    all.extend(endings.map(|error| (error.code(), error.to_string())));
    all.extend([(full.code(), full.to_string()), (shortfall.code(), shortfall.to_string())]);
    all
}

#[test]
fn tcp_errors_begin_with_their_own_code() {
    let codes: BTreeSet<&str> = tcp_errors().iter().map(|(code, _)| *code).collect();
    assert_eq!(codes.len(), tcp_errors().len());
    for (code, text) in tcp_errors() {
        let rest = text.strip_prefix(code).unwrap_or_else(|| panic!("{text} does not begin with {code}"));
        assert!(rest.starts_with(' ') && rest[1..].starts_with(|c: char| !c.is_uppercase()), "{text}");
    }
}

#[test]
fn request_errors_begin_with_their_code_and_have_their_own_word() {
    let mut words = BTreeSet::new();
    let requests = parse_errors().into_iter().map(|error| (error.code(), error.reason(), error.to_string()));
    let packages = package_errors().into_iter().map(|error| (error.code(), error.reason(), error.to_string()));
    for (code, reason, text) in requests.chain(packages) {
        let rest = text.strip_prefix(code).unwrap_or_else(|| panic!("{text} does not begin with {code}"));
        assert!(rest.starts_with(' ') && rest[1..].starts_with(|c: char| !c.is_uppercase()), "{text}");
        assert!(words.insert(code) && words.insert(reason), "{text}");
    }
}

/// One body for each kind, so that a kind no row can have is noticed too.
#[test]
fn row_errors_begin_with_their_code() {
    let long = vec![b'x'; (1 << 20) + 1];
    let bodies: [(&str, &[u8]); 8] = [
        ("ATTLOG", b"1001 2026-08-06"),
        ("ATTLOG", b"junk"),
        ("ATTLOG", b"1\tnoon"),
        ("ATTLOG", b"1\t1704096000"),
        ("ATTLOG", b"PIN=1\tName=a"),
        ("OPERLOG", b"basura"),
        ("OPERLOG", b"OPLOG\t6"),
        ("OPERLOG", &long),
    ];
    for ((table, body), kind) in bodies.into_iter().zip(RowErrorKind::ALL) {
        let error = Rows::of(table, body).next().unwrap().unwrap_err();
        assert_eq!(error.kind, kind);
        let text = error.to_string();
        assert!(text.starts_with(&format!("{} {table} line 1, column ", kind.code())), "{text}");
        assert!(kind.to_string().starts_with(|c: char| !c.is_uppercase()));
    }
    let reasons: BTreeSet<&str> = RowErrorKind::ALL.into_iter().map(RowErrorKind::reason).collect();
    assert_eq!(reasons.len(), RowErrorKind::ALL.len());
}

/// The name of a table is what a stranger put into a query: it breaks no line of a log.
#[test]
fn a_table_name_cannot_forge_a_log_line() {
    let parts = Parts::new("POST", "/iclock/cdata", "SN=T1&table=USERINFO%0Afatal", b"USER");
    let Ok((_, Request::Upload(upload))) = Request::parse(parts, &Limits::default()) else { panic!() };
    assert!(!format!("{upload:?}").contains('\n'));
    // Only tables the crate knows have rows in error, and none has a line end in its name; a caller may hand one in.
    let mut error = Rows::of("OPERLOG", b"x").next().unwrap().unwrap_err();
    error.table = "OPERLOG\nfatal";
    assert!(!error.to_string().contains('\n') && !format!("{error:?}").contains('\n'));
}
