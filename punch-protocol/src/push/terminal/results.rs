use alloc::collections::VecDeque;
use alloc::format;
use alloc::string::String;
use alloc::vec::Vec;

/// What became of a command, before it is written down.
pub(super) struct Outcome {
    pub(super) code: i32,
    /// What the firmware calls the command.
    pub(super) name: String,
    /// Further pairs: behind the name, or one a line.
    pub(super) pairs: Vec<(String, String)>,
    pub(super) form: Form,
}

/// How a result is written.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub(super) enum Form {
    /// `ID=…&Return=…&CMD=…`, and the pairs behind it.
    Line,
    /// The same with the pairs one a line below, as `INFO` is answered.
    LineAndInfo,
    /// One key a line. `Content=` swallows the rest, so such a result is posted alone.
    Alone,
}

impl Outcome {
    pub(super) fn new(code: i32, name: impl Into<String>) -> Self {
        Self { code, name: name.into(), pairs: Vec::new(), form: Form::Line }
    }

    pub(super) fn with(mut self, form: Form, pairs: Vec<(String, String)>) -> Self {
        (self.form, self.pairs) = (form, pairs);
        self
    }

    fn write(&self, id: &str) -> String {
        let (code, name) = (self.code, &self.name);
        let pairs = |before: &str, after: &str| -> String {
            self.pairs.iter().map(|(key, value)| format!("{before}{key}={value}{after}")).collect()
        };
        match self.form {
            Form::Line => format!("ID={id}&Return={code}&CMD={name}{}\n", pairs("&", "")),
            Form::LineAndInfo => format!("ID={id}&Return={code}&CMD={name}\n{}", pairs("", "\n")),
            Form::Alone => format!("ID={id}\nReturn={code}\nCMD={name}\n{}Content=", pairs("", "\n")),
        }
    }
}

/// Results that the server has not taken yet: bodies to post, oldest first.
///
/// They are kept through restarts, and the first is posted until the server takes it.
#[derive(Clone, Default)]
pub(super) struct Results {
    posts: VecDeque<String>,
    /// Whether the last body is lines, so that more can follow.
    open: bool,
}

impl Results {
    /// Bytes of results kept. Commands beyond are not carried out; the server gives them again.
    pub(super) const BYTES_MAX: usize = 256 << 10;

    pub(super) fn add(&mut self, id: &str, outcome: &Outcome) {
        let text = outcome.write(id);
        let alone = outcome.form == Form::Alone;
        match self.posts.back_mut().filter(|_| self.open && !alone) {
            Some(last) => last.push_str(&text),
            None => self.posts.push_back(text),
        }
        self.open = !alone;
    }

    pub(super) fn first(&self) -> Option<&str> {
        self.posts.front().map(String::as_str)
    }

    pub(super) fn taken(&mut self) {
        self.posts.pop_front();
    }

    pub(super) fn is_full(&self) -> bool {
        self.posts.iter().map(String::len).sum::<usize>() >= Self::BYTES_MAX
    }
}
