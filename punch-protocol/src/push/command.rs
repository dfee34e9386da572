use alloc::vec::Vec;
use core::fmt;

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
const VERBS: [&str; 32] = [
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
    "SHELL",
    "REBOOT",
];

impl<'a> PollAnswer<'a> {
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
        let (id, text) = line.strip_prefix("C:")?.split_once(':')?;
        let text = text.trim_start_matches(' ');
        let known = VERBS.into_iter().find(|verb| begins_with_word(text, verb));
        let length = known.map_or_else(|| text.find(' ').unwrap_or(text.len()), str::len);
        let (verb, rest) = text.split_at_checked(length)?;
        let rest = rest.strip_prefix(' ').unwrap_or(rest);
        let (table, detail) = if has_table(verb, rest) { split_word(rest) } else { (None, rest) };
        Some(Self { id, verb, table, detail, continuation: Vec::new() })
    }

    /// The pairs of the detail: TAB-separated, or comma-separated where a verb writes them so.
    pub fn pairs(&self) -> impl Iterator<Item = (&'a str, &'a str)> {
        let separator = if self.is_comma_separated() { ',' } else { '\t' };
        self.detail.split(separator).filter_map(|pair| pair.split_once('='))
    }

    /// Every record of the command: the detail, then one a line.
    pub fn records(&self) -> impl Iterator<Item = Vec<(&'a str, &'a str)>> {
        let lines = core::iter::once(self.detail).chain(self.continuation.iter().copied());
        lines.map(|line| line.split('\t').filter_map(|pair| pair.split_once('=')).collect())
    }

    fn is_comma_separated(&self) -> bool {
        let listed = ["SET OPTIONS", "DATA QUERY", "UPGRADE"];
        !self.detail.contains('\t') && listed.iter().any(|verb| self.verb.eq_ignore_ascii_case(verb))
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
