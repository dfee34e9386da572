use alloc::borrow::Cow;
use alloc::vec::Vec;
use core::fmt;

use super::tagged::decode_text;

/// One command, as a terminal reads it: `C:<id>:<verb> <detail>`.
///
/// Verbs have one to three words. `Debug` shows the id and the verb; details hold names and templates.
#[derive(Clone, PartialEq, Eq)]
#[non_exhaustive]
pub struct CommandLine<'a> {
    /// What the terminal repeats in the result.
    pub id: &'a str,
    /// The verb in the server's spelling.
    pub verb: &'a str,
    /// The table a `DATA` command is about.
    pub table: Option<&'a str>,
    /// What follows verb and table, first line only.
    pub detail: &'a str,
    /// Further records of an access-control command, one a line.
    pub continuation: Vec<&'a str>,
    /// What stands around the command for terminals that registered with `CmdFormat=1`.
    pub envelope: Option<CommandEnvelope<'a>>,
}

/// `DataType=1,SN=…,Priority=0,CmdID=…,CmdDesc=` in front of a command.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
#[non_exhaustive]
pub struct CommandEnvelope<'a> {
    /// The terminal meant: a master controller hands commands on.
    pub serial: Option<&'a str>,
    /// Urgency.
    pub priority: Option<u32>,
    /// The command's id once more.
    pub id: Option<&'a str>,
}

/// What a poll for commands was answered with.
#[derive(Debug, Clone, PartialEq, Eq)]
#[non_exhaustive]
pub enum PollAnswer<'a> {
    /// Nothing to do.
    Idle,
    /// The terminal considers the server gone: the body is empty.
    Offline,
    /// Something to do.
    Commands(Vec<CommandLine<'a>>),
    /// A line that is neither; old firmware then waits `ErrorDelay`.
    Misread,
}

/// The verbs, longest first where one begins another.
const VERBS: [&str; 42] = [
    "CLEAR ALL USERINFO",
    "SET ADSCREEN_OPTIONS",
    "CONTROL DEVICE",
    "RELOAD OPTIONS",
    "CLEAR MEETINFO",
    "CLEAR PERSMEET",
    "CLEAR BIODATA",
    "CLEAR ADMIN",
    "CLEAR PHOTO",
    "CLEAR DATA",
    "CLEAR LOG",
    "DATA DEL_USER",
    "DATA DEL_FP",
    "DATA USER",
    "DATA FP",
    "DATA UPDATE",
    "DATA DELETE",
    "DATA QUERY",
    "DATA COUNT",
    "VERIFY SUM",
    "SET OPTIONS",
    "SET OPTION",
    "GET OPTIONS",
    "GET OPTION",
    "Test Host",
    "ENROLL_BIO",
    "ENROLL_FP",
    "ENROLL_MF",
    "AC_UNLOCK",
    "AC_UNALARM",
    "ACCOUNT",
    "GetFile",
    "PutFile",
    "UPGRADE",
    "PutAdvFile",
    "DelAdvFile",
    "SHELL",
    "REBOOT",
    "CHECK",
    "INFO",
    "SYNC",
    "LOG",
];

impl<'a> PollAnswer<'a> {
    /// The text of a body to [`PollAnswer::read`]: names are written in the terminal's encoding, which is UTF-8 or
    /// the code page of Chinese firmware.
    pub fn text(body: &[u8]) -> Cow<'_, str> {
        decode_text(body)
    }

    /// Reads an answer.
    ///
    /// ```
    /// use punch_protocol::push::PollAnswer;
    ///
    /// let PollAnswer::Commands(commands) = PollAnswer::read("C:7:DATA DELETE USERINFO PIN=7\n") else { panic!() };
    /// assert_eq!((commands[0].id, commands[0].table, commands[0].detail), ("7", Some("USERINFO"), "PIN=7"));
    /// assert_eq!(PollAnswer::read("OK"), PollAnswer::Idle);
    /// ```
    pub fn read(body: &'a str) -> Self {
        if body.is_empty() {
            return Self::Offline;
        }
        let mut commands: Vec<CommandLine<'a>> = Vec::new();
        for line in body.split(['\n', '\r']).filter(|line| !line.is_empty()) {
            match (CommandLine::read(line), commands.last_mut()) {
                (Some(command), _) => commands.push(command),
                (None, Some(last)) => last.continuation.push(line),
                (None, None) if body == "OK" => return Self::Idle,
                (None, None) => return Self::Misread,
            }
        }
        if commands.is_empty() { Self::Misread } else { Self::Commands(commands) }
    }
}

impl<'a> CommandLine<'a> {
    fn read(line: &'a str) -> Option<Self> {
        let (envelope, line) = CommandEnvelope::open(line);
        let (id, text) = line.strip_prefix("C:")?.split_once(':')?;
        let text = text.trim_start_matches(' ');
        let known = VERBS.into_iter().find(|verb| begins_with_word(text, verb));
        let (verb, rest) = text.split_at_checked(known.map_or_else(|| words_before_pairs(text), str::len))?;
        let rest = rest.strip_prefix(' ').unwrap_or(rest);
        let (table, detail) = if has_table(verb, rest) { split_word(rest) } else { (None, rest) };
        Some(Self { id, verb, table, detail, continuation: Vec::new(), envelope })
    }

    /// Whether firmware knows the verb. What it does not know it answers with `-22` or `-1002`.
    pub fn is_known(&self) -> bool {
        VERBS.iter().any(|verb| self.verb.eq_ignore_ascii_case(verb))
    }

    /// The pairs of the detail: TAB-separated, or comma-separated where a verb writes them so.
    pub fn pairs(&self) -> impl Iterator<Item = (&'a str, &'a str)> {
        let mut rest = Some(self.detail);
        let (named, commas) = (self.is_named_query(), self.is_comma_separated());
        let fields = core::iter::from_fn(move || {
            let text = rest?;
            let end = if named { named_end(text) } else { text.find(if commas { ',' } else { '\t' }) };
            let (field, tail) = end.map_or((text, None), |end| (text.get(..end).unwrap_or(text), text.get(end..)));
            rest = tail.and_then(|tail| tail.get(1..));
            Some(field)
        });
        fields.filter_map(|pair| pair.split_once('='))
    }

    /// Every record of the command: the detail, then one a line.
    pub fn records(&self) -> impl Iterator<Item = Vec<(&'a str, &'a str)>> {
        let lines = core::iter::once(self.detail).chain(self.continuation.iter().copied());
        lines.map(|line| line.split('\t').filter_map(|pair| pair.split_once('=')).collect())
    }

    fn is_comma_separated(&self) -> bool {
        let listed = ["SET OPTIONS", "DATA QUERY", "DATA COUNT", "UPGRADE"];
        !self.detail.contains('\t') && listed.iter().any(|verb| self.verb.eq_ignore_ascii_case(verb))
    }

    /// `tablename=…,fielddesc=…,filter=…`, where the filter may hold TABs and `=`.
    fn is_named_query(&self) -> bool {
        self.detail.get(..10).is_some_and(|key| key.eq_ignore_ascii_case("tablename="))
    }
}

impl<'a> CommandEnvelope<'a> {
    /// Takes the envelope off a line; a line without one is handed back as it is.
    fn open(line: &'a str) -> (Option<Self>, &'a str) {
        let Some((head, command)) = line.split_once("CmdDesc=").filter(|_| line.starts_with("DataType=")) else {
            return (None, line);
        };
        let value = |wanted: &str| {
            let mut pairs = head.split(',').filter_map(|pair| pair.split_once('='));
            pairs.find(|(key, _)| key.eq_ignore_ascii_case(wanted)).map(|(_, value)| value)
        };
        let priority = value("Priority").and_then(|priority| priority.parse().ok());
        (Some(Self { serial: value("SN"), priority, id: value("CmdID") }), command)
    }
}

impl fmt::Debug for CommandLine<'_> {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.debug_struct("CommandLine").field("id", &self.id).field("verb", &self.verb).finish_non_exhaustive()
    }
}

fn begins_with_word(text: &str, verb: &str) -> bool {
    let (head, tail) = text.split_at_checked(verb.len()).unwrap_or(("", "x"));
    head.eq_ignore_ascii_case(verb) && (tail.is_empty() || tail.starts_with([' ', '\t']))
}

/// Length of the words in capitals that begin an unknown command.
fn words_before_pairs(text: &str) -> usize {
    let capitals = |word: &str| !word.is_empty() && !word.bytes().any(|byte| byte.is_ascii_lowercase() || byte == b'=');
    let words = text.split([' ', '\t']).take_while(|word| capitals(word));
    let length: usize = words.map(|word| word.len().saturating_add(1)).sum();
    let first = text.find([' ', '\t']).unwrap_or(text.len());
    length.saturating_sub(1).max(first)
}

/// Where the first part of a named query ends.
fn named_end(text: &str) -> Option<usize> {
    [",fielddesc=", ",filter="].iter().filter_map(|key| text.find(key)).min()
}

/// `DATA` and `VERIFY SUM` name a table, unless the access-control form `tablename=…` follows.
fn has_table(verb: &str, rest: &str) -> bool {
    let named = ["DATA UPDATE", "DATA DELETE", "DATA QUERY", "DATA COUNT", "VERIFY SUM"];
    let first = rest.split([' ', '\t']).next().unwrap_or_default();
    named.iter().any(|name| verb.eq_ignore_ascii_case(name)) && !first.is_empty() && !first.contains('=')
}

fn split_word(text: &str) -> (Option<&str>, &str) {
    match text.split_once(' ') {
        Some((word, rest)) => (Some(word), rest),
        None => (Some(text), ""),
    }
}
