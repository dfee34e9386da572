use alloc::borrow::Cow;
use alloc::string::String;
use alloc::vec::Vec;
use core::fmt;

use super::codes::ReturnCode;
use super::line::{Line, Lines, cut};

/// The results of commands, as a terminal posts them to `devicecmd`.
///
/// Two forms share the endpoint. Most commands are answered with `ID=…&Return=…&CMD=…` lines; `Shell`,
/// `GetFile` and `PutFile` with one key a line, where `Content=` swallows the rest of the body, whatever it
/// looks like.
///
/// ```
/// use punch_protocol::push::CommandResults;
///
/// let results = CommandResults::new(b"ID=1&Return=0&CMD=INFO\nID=2&Return=-1002&CMD=DATA\n").read();
/// assert_eq!(results[1].id, "2");
/// assert_eq!((results[0].success(), results[1].success()), (Some(true), Some(false)));
/// ```
#[derive(Clone, Copy)]
pub struct CommandResults<'a>(&'a [u8]);

impl<'a> CommandResults<'a> {
    /// Takes a body. Nothing is read yet.
    pub fn new(body: &'a [u8]) -> Self {
        Self(body)
    }

    /// The body as received.
    pub fn body(&self) -> &'a [u8] {
        self.0
    }

    /// Whether the body has one key a line.
    pub fn is_newline_form(&self) -> bool {
        Lines::new(self.0).next().is_some_and(|line| !line.bytes.contains(&b'&') && starts_with_id(line.bytes))
    }

    /// The results, in the order sent. Lines that belong to no result are passed over.
    pub fn read(&self) -> Vec<CommandResult<'a>> {
        if self.is_newline_form() { self.newline_form() } else { self.line_form(|byte| byte == b'&') }
    }

    /// The results of lines that separate their pairs by TABs, which one server's tests show and no terminal on
    /// record sends.
    pub fn read_leniently(&self) -> Vec<CommandResult<'a>> {
        self.line_form(|byte| matches!(byte, b'&' | b'\t'))
    }

    fn newline_form(&self) -> Vec<CommandResult<'a>> {
        let mut result = CommandResult::default();
        for line in Lines::new(self.0) {
            let Line { start, bytes, .. } = line;
            if let Some(first) = bytes.strip_prefix(b"Content=") {
                let begin = start.saturating_add(bytes.len().saturating_sub(first.len()));
                result.content = self.0.get(begin..);
                break;
            }
            result.take(bytes);
        }
        // A lone `ID=` line is no result; one key a line means that more keys follow.
        let told = result.code_raw.is_some() || result.command.is_some();
        if result.id.is_empty() || !told { Vec::new() } else { Vec::from([result]) }
    }

    fn line_form(&self, separates: impl Fn(u8) -> bool) -> Vec<CommandResult<'a>> {
        let mut results: Vec<CommandResult<'a>> = Vec::new();
        for line in Lines::new(self.0) {
            if starts_with_id(line.bytes) && line.bytes.iter().any(|&byte| separates(byte)) {
                let mut result = CommandResult::default();
                line.bytes.split(|&byte| separates(byte)).for_each(|pair| result.take(pair));
                results.push(result);
            } else if let (Some(last), (key, Some(value))) = (results.last_mut(), cut(line.bytes, b'=')) {
                // The answer to INFO: key lines behind the result they belong to.
                last.info.push((text(key), text(value)));
            }
        }
        results
    }
}

impl fmt::Debug for CommandResults<'_> {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        write!(f, "CommandResults({} bytes)", self.0.len())
    }
}

fn starts_with_id(line: &[u8]) -> bool {
    let (key, value) = cut(line, b'=');
    value.is_some() && key.trim_ascii().eq_ignore_ascii_case(b"ID")
}

fn text(bytes: &[u8]) -> Cow<'_, str> {
    String::from_utf8_lossy(bytes)
}

/// What became of one command. `Debug` shows the id and the outcome, never contents.
#[derive(Clone, Default, PartialEq, Eq)]
#[non_exhaustive]
pub struct CommandResult<'a> {
    /// The command's id, as the server gave it; unique for one terminal only.
    pub id: Cow<'a, str>,
    /// The return code, unless it is missing or not a number.
    pub code: Option<ReturnCode>,
    /// The return code as written.
    pub code_raw: Option<Cow<'a, str>>,
    /// What the firmware calls the command. Never use it to tell commands apart.
    pub command: Option<Cow<'a, str>>,
    /// The terminal meant, if a master controller answers for another.
    pub serial: Option<Cow<'a, str>>,
    /// Name of the file transferred.
    pub file_name: Option<Cow<'a, str>>,
    /// Contents of a file or of a shell's output.
    pub content: Option<&'a [u8]>,
    /// Pairs beyond the known ones, in the order sent.
    pub extra: Vec<(Cow<'a, str>, Cow<'a, str>)>,
    /// Key lines behind the result, as `INFO` answers.
    pub info: Vec<(Cow<'a, str>, Cow<'a, str>)>,
}

impl<'a> CommandResult<'a> {
    /// Whether the command worked; `None` if that is not known, or not yet.
    ///
    /// Firmware may shorten the command it names; who knows the command sent asks [`ReturnCode::success`] with that.
    pub fn success(&self) -> Option<bool> {
        self.code?.success(self.command.as_deref().unwrap_or_default())
    }

    /// Whether the answer is only a promise.
    pub fn is_pending(&self) -> bool {
        self.code.is_some_and(ReturnCode::is_pending)
    }

    fn take(&mut self, pair: &'a [u8]) {
        let (key, value) = cut(pair, b'=');
        let (key, value) = (text(key.trim_ascii()), text(value.unwrap_or_default().trim_ascii()));
        match key.to_ascii_uppercase().as_str() {
            "ID" => self.id = value,
            "RETURN" => {
                self.code = value.parse().ok().map(ReturnCode);
                self.code_raw = Some(value);
            }
            "CMD" => self.command = Some(value),
            "SN" => self.serial = Some(value),
            "FILENAME" => self.file_name = Some(value),
            _ => self.extra.push((key, value)),
        }
    }
}

impl fmt::Debug for CommandResult<'_> {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.debug_struct("CommandResult").field("id", &self.id).field("code", &self.code).finish_non_exhaustive()
    }
}
