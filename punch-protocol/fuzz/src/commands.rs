use core::hint::black_box;

use punch_protocol::push::{CommandLine, CommandResults, PollAnswer};

/// The answer to a poll, as a terminal reads it.
pub fn commands(body: &[u8]) {
    let text = String::from_utf8_lossy(body);
    let PollAnswer::Commands(commands) = PollAnswer::read(&text) else { return };
    assert!(!commands.is_empty());
    for command in &commands {
        assert_eq!(command.records().count(), command.continuation.len() + 1);
        let _read = black_box((command.pairs().count(), format!("{command:?}")));
    }
    let written: Vec<String> = commands.iter().map(write).collect();
    let written = written.join("\n");
    assert_eq!(PollAnswer::read(&written), PollAnswer::Commands(commands), "a command reads as another");
}

fn write(command: &CommandLine<'_>) -> String {
    let table = command.table.map(|table| format!("{table} ")).unwrap_or_default();
    let first = format!("C:{}:{} {table}{}", command.id, command.verb, command.detail);
    [&[first.as_str()], command.continuation.as_slice()].concat().join("\n")
}

/// The results of commands, in either form.
pub fn devicecmd(body: &[u8]) {
    check_results(&CommandResults::new(body));
}

pub(super) fn check_results(results: &CommandResults<'_>) {
    for result in results.read().into_iter().chain(results.read_leniently()) {
        assert!(!(result.is_pending() && result.success().is_some()));
        assert!(result.content.is_none_or(|content| results.body().ends_with(content)));
        let _read = black_box(format!("{result:?}"));
    }
    if results.is_newline_form() {
        return;
    }
    // What the line form says in its known keys reads back.
    for result in results.read() {
        let pair = |key: &str, value: Option<&str>| value.map(|value| format!("&{key}={value}")).unwrap_or_default();
        let (code, command) = (pair("Return", result.code_raw.as_deref()), pair("CMD", result.command.as_deref()));
        let line = format!("ID={}&{code}{command}\n", result.id);
        let read = CommandResults::new(line.as_bytes()).read();
        let [read] = read.as_slice() else { panic!("{} results", read.len()) };
        assert_eq!((&read.id, read.code, &read.command), (&result.id, result.code, &result.command));
        assert_eq!(read.success(), result.success());
    }
}
