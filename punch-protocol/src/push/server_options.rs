use alloc::vec::Vec;

/// What a server said, as a terminal hears it. Firmware looks for very little, and so does this.
#[derive(Debug, Clone, PartialEq, Eq)]
#[non_exhaustive]
pub enum ServerAnswer<'a> {
    /// The option block of a handshake.
    Options(ServerOptions<'a>),
    /// The server does not know this serial and wants a new handshake.
    UnknownDevice,
    /// Rows were accepted. The count, if there is one, is compared by no firmware on record.
    Accepted {
        /// The number behind `OK:`.
        count: Option<u32>,
    },
    /// Anything else: the rows stay on the terminal and are sent again.
    Refused,
}

impl<'a> ServerAnswer<'a> {
    /// Reads an answer: status 200 and the text the firmware searches for, in the order it searches.
    ///
    /// ```
    /// use punch_protocol::push::ServerAnswer;
    ///
    /// assert_eq!(ServerAnswer::of(200, b"OK: 2"), ServerAnswer::Accepted { count: Some(2) });
    /// assert_eq!(ServerAnswer::of(503, b"OK"), ServerAnswer::Refused);
    /// assert_eq!(ServerAnswer::of(200, b"UNKNOWN DEVICE"), ServerAnswer::UnknownDevice);
    /// ```
    pub fn of(status: u16, body: &'a [u8]) -> Self {
        if status != 200 {
            return Self::Refused;
        }
        let named = body.get(..DISOWNED.len()).is_some_and(|head| head.eq_ignore_ascii_case(DISOWNED));
        if named || disowns(body) {
            return Self::UnknownDevice;
        }
        if let Some(options) = ServerOptions::parse(body) {
            return Self::Options(options);
        }
        match place_of_ok(body) {
            Some(at) => {
                let tail = body.get(at.saturating_add(2)..).unwrap_or_default();
                let digits = tail.strip_prefix(b":").map(<[u8]>::trim_ascii).unwrap_or_default();
                Self::Accepted { count: core::str::from_utf8(digits).ok().and_then(|text| text.parse().ok()) }
            }
            None => Self::Refused,
        }
    }
}

const DISOWNED: &[u8] = b"UNKNOWN DEVICE";

/// Whether a terminal takes the body for a server that does not know it: the words in capitals within the first 20
/// bytes.
pub(super) fn disowns(body: &[u8]) -> bool {
    let head = body.get(..20).unwrap_or(body);
    head.windows(DISOWNED.len()).any(|window| window == DISOWNED)
}

/// Where the `OK` stands that attendance firmware looks for, anywhere in a body.
pub(super) fn place_of_ok(body: &[u8]) -> Option<usize> {
    body.windows(2).position(|pair| pair == b"OK")
}

/// The answer that access terminals want for stored records: `user=3`, the table and the number they announced.
///
/// A plain `OK` makes them send the same records for ever.
///
/// ```
/// use punch_protocol::push::TableAck;
///
/// assert_eq!(TableAck::parse(b"user=3"), Some(TableAck { table: "user", count: 3 }));
/// assert_eq!(TableAck::parse(b"OK"), None);
/// ```
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
#[expect(clippy::exhaustive_structs, reason = "the whole answer")]
pub struct TableAck<'a> {
    /// The table, as the terminal spelled it.
    pub table: &'a str,
    /// The number of records.
    pub count: u32,
}

impl<'a> TableAck<'a> {
    /// Reads an answer; `None` if it is not one word, `=` and a number.
    pub fn parse(body: &'a [u8]) -> Option<Self> {
        let (table, count) = core::str::from_utf8(body).ok()?.trim_end().split_once('=')?;
        let word = !table.is_empty() && table.bytes().all(|byte| byte.is_ascii_alphanumeric() || byte == b'_');
        Some(Self { table, count: count.parse().ok().filter(|_| word)? })
    }
}

/// An option block, read line by line.
#[derive(Debug, Clone, PartialEq, Eq)]
#[non_exhaustive]
pub struct ServerOptions<'a> {
    /// The serial in the first line.
    pub serial: &'a str,
    /// Every `key=value` line, in order. Keys repeat if the server repeats them.
    pub pairs: Vec<(&'a str, &'a str)>,
    /// Lines without `=`, the empty ones included. Firmware skips them.
    pub ignored: Vec<&'a str>,
    /// Key of an unterminated last line. Firmware acts on a line when it meets its end, so this one is lost.
    pub unterminated: Option<&'a str>,
}

impl<'a> ServerOptions<'a> {
    /// Reads a block; `None` if the text is none.
    pub fn parse(body: &'a [u8]) -> Option<Self> {
        let text = core::str::from_utf8(body).ok()?;
        let rest = text.strip_prefix("GET OPTION FROM:")?;
        let terminated = text.ends_with(['\n', '\r']);
        let whole = |line: &'a str| line.strip_suffix('\r').unwrap_or(line).split('\r');
        let mut lines = rest.split('\n').flat_map(whole).collect::<Vec<_>>();
        if text.ends_with('\n') {
            lines.pop();
        }
        let (serial, lines) = lines.split_first()?;
        let mut options = Self { serial: serial.trim(), pairs: Vec::new(), ignored: Vec::new(), unterminated: None };
        for line in lines {
            match line.split_once('=') {
                Some(pair) => options.pairs.push(pair),
                None => options.ignored.push(line),
            }
        }
        if !terminated && lines.last().is_some_and(|line| line.contains('=')) {
            options.unterminated = options.pairs.last().map(|(key, _)| *key);
        }
        Some(options)
    }

    /// The resume marks and whom they are for: `ATTLOG` for `ATTLOGStamp`, the legacy names as they stand.
    ///
    /// Names that only look like one (`OPStamp`, in one server) are not among them; no firmware reads those.
    pub fn stamps(&self) -> impl Iterator<Item = (&'a str, &'a str)> {
        self.pairs.iter().filter_map(|(key, value)| Some((stamp_name(key)?, *value)))
    }

    /// The last value of `key`, exactly as spelled.
    pub fn value(&self, key: &str) -> Option<&'a str> {
        self.pairs.iter().rev().find(|(name, _)| *name == key).map(|(_, value)| *value)
    }

    /// What the terminal may upload unasked.
    pub fn trans_flag(&self) -> Option<TransFlag<'a>> {
        self.value("TransFlag").map(TransFlag::parse)
    }
}

fn stamp_name(key: &str) -> Option<&str> {
    const LEGACY: [&str; 6] = ["Stamp", "OpStamp", "PhotoStamp", "BioDataStamp", "IdCardStamp", "ErrorLogStamp"];
    if LEGACY.contains(&key) {
        return Some(key);
    }
    let table = key.strip_suffix("Stamp")?;
    (table.len() > 2 && table.bytes().all(|byte| byte.is_ascii_uppercase())).then_some(table)
}

/// `TransFlag` in either of its forms.
#[derive(Debug, Clone, PartialEq, Eq)]
#[non_exhaustive]
pub struct TransFlag<'a> {
    /// How it is written.
    pub form: TransFlagForm<'a>,
    /// Table words that are on.
    pub tables: Vec<&'a str>,
    /// The words are separated by blanks: 3.x firmware then sends punches only.
    pub space_separated: bool,
}

/// How a [`TransFlag`] is written.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
#[non_exhaustive]
pub enum TransFlagForm<'a> {
    /// One character a table, leftmost first.
    Bits(&'a str),
    /// `TransData` and words.
    List,
}

impl<'a> TransFlag<'a> {
    /// Tables by bit position.
    pub const WORDS: [&'static str; 12] = [
        "AttLog",
        "OpLog",
        "AttPhoto",
        "EnrollFP",
        "EnrollUser",
        "FPImag",
        "ChgUser",
        "ChgFP",
        "FACE",
        "UserPic",
        "WORKCODE",
        "BioPhoto",
    ];

    fn parse(value: &'a str) -> Self {
        let Some(list) = value.strip_prefix("TransData").map(|list| list.strip_prefix(' ').unwrap_or(list)) else {
            return Self::from_bits(value);
        };
        let words = list.split(['\t', ' ']).filter(|word| !word.is_empty());
        Self { form: TransFlagForm::List, tables: words.collect(), space_separated: list.contains(' ') }
    }

    fn from_bits(bits: &'a str) -> Self {
        // All zeros means photos only, and a table behind the last bit is on; that is what the firmware does.
        if !bits.contains('1') {
            return Self { form: TransFlagForm::Bits(bits), tables: Vec::from(["AttPhoto"]), space_separated: false };
        }
        let mut bit = bits.chars();
        let tables = Self::WORDS.into_iter().filter(|_| bit.next().is_none_or(|bit| bit == '1')).collect();
        Self { form: TransFlagForm::Bits(bits), tables, space_separated: false }
    }
}
