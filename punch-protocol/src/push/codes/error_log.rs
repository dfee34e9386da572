use core::fmt;

use crate::named::named_numbers;

/// The code of an error record (`ErrCode` of `ERRORLOG`): who, which module, which error.
///
/// Eight characters: `D` for the device or `S` for the server, two digits of the module, `E`, four digits. Eight zeros
/// are success.
///
/// ```
/// use punch_protocol::push::{ErrorLogCode, ErrorModule};
///
/// let code = ErrorLogCode::parse(b"D01E0001").expect("a code");
/// assert_eq!(code, ErrorLogCode::NO_FACE);
/// assert_eq!((code.producer(), code.module(), code.number()), ('D', ErrorModule::PUSH, 1));
/// assert_eq!(code.to_string(), "no face found");
///
/// let unknown = ErrorLogCode::parse(b"S07E0042").expect("a code");
/// assert_eq!(unknown.to_string(), "error S07E0042 (server, licence)");
/// assert_eq!(ErrorLogCode::parse(b"E0001"), None);
/// ```
#[derive(Debug, Clone, Copy, PartialEq, Eq, PartialOrd, Ord, Hash)]
pub struct ErrorLogCode {
    producer: char,
    module: ErrorModule,
    number: u16,
}

/// The part of a terminal or server that reports an error.
#[derive(Debug, Clone, Copy, PartialEq, Eq, PartialOrd, Ord, Hash)]
#[expect(clippy::exhaustive_structs, reason = "an integer with names; it never grows a field")]
pub struct ErrorModule(pub u16);

named_numbers! { ErrorModule(u16), "module":
    1 PUSH "push"
    2 TEMPLATE "template"
    3 HARDWARE "hardware"
    4 PULL "pull"
    5 OFFLINE "offline"
    6 RELAY "relay"
    7 LICENCE "licence"
}

impl ErrorLogCode {
    /// Nothing went wrong.
    pub const SUCCESS: Self = Self { producer: '0', module: ErrorModule(0), number: 0 };
    /// `D01E0001`: no face found.
    pub const NO_FACE: Self = Self::push(1);
    /// `D01E0002`: the face is covered.
    pub const FACE_COVERED: Self = Self::push(2);
    /// `D01E0003`: the picture is not sharp.
    pub const NOT_SHARP: Self = Self::push(3);
    /// `D01E0004`: the angle of the face.
    pub const FACE_ANGLE: Self = Self::push(4);
    /// `D01E0005`: not taken for alive.
    pub const LIVENESS_FAILED: Self = Self::push(5);
    /// `D01E0006`: no template could be made.
    pub const EXTRACTION_FAILED: Self = Self::push(6);

    const TEXTS: [(Self, &'static str); 7] = [
        (Self::SUCCESS, "success"),
        (Self::NO_FACE, "no face found"),
        (Self::FACE_COVERED, "face covered"),
        (Self::NOT_SHARP, "picture not sharp"),
        (Self::FACE_ANGLE, "wrong angle of the face"),
        (Self::LIVENESS_FAILED, "liveness check failed"),
        (Self::EXTRACTION_FAILED, "no template extracted"),
    ];

    const fn push(number: u16) -> Self {
        Self { producer: 'D', module: ErrorModule::PUSH, number }
    }

    /// Reads eight characters of the form above; `None` if they are not of it.
    pub fn parse(text: &[u8]) -> Option<Self> {
        if text == b"00000000" {
            return Some(Self::SUCCESS);
        }
        let [producer, module @ .., b'E' | b'e', a, b, c, d] = text else { return None };
        let two = module.len() == 2 && producer.is_ascii_alphabetic();
        let (module, number) = (digits(module)?, digits(&[*a, *b, *c, *d])?);
        let producer = char::from(*producer).to_ascii_uppercase();
        two.then_some(Self { producer, module: ErrorModule(module), number })
    }

    /// Who reports: `D` the device, `S` the server; others survive. `0` for success.
    pub fn producer(self) -> char {
        self.producer
    }

    /// The part that reports.
    pub fn module(self) -> ErrorModule {
        self.module
    }

    /// The number of the error in its module, 0 to 9999.
    pub fn number(self) -> u16 {
        self.number
    }

    /// Whether nothing went wrong.
    pub fn is_success(self) -> bool {
        self == Self::SUCCESS
    }

    /// What the code means, in a few words; `None` if that is not published.
    pub fn text(self) -> Option<&'static str> {
        Self::TEXTS.iter().find(|(code, _)| *code == self).map(|(_, text)| *text)
    }

    /// The codes that have a constant.
    pub fn named() -> impl Iterator<Item = Self> {
        Self::TEXTS.iter().map(|(code, _)| *code)
    }
}

fn digits(text: &[u8]) -> Option<u16> {
    let digits = text.iter().all(u8::is_ascii_digit);
    core::str::from_utf8(text).ok().filter(|_| digits)?.parse().ok()
}

impl fmt::Display for ErrorLogCode {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        if let Some(text) = self.text() {
            return f.write_str(text);
        }
        let Self { producer, module, number } = self;
        let who = match producer {
            'D' => "device",
            'S' => "server",
            _ => "unknown producer",
        };
        write!(f, "error {producer}{:02}E{number:04} ({who}, {module})", module.0)
    }
}
