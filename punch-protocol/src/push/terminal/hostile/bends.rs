//! What each mischief does to a request.

use alloc::borrow::ToOwned as _;
use alloc::format;
use alloc::string::String;
use alloc::vec::Vec;

use super::{Exchange, Hostile, Mischief};
use crate::push::TerminalRequest;

/// A small generator of numbers (splitmix64), the same on every machine.
#[derive(Debug, Clone)]
pub(super) struct Dice(u64);

impl Dice {
    pub(super) fn new(seed: u64) -> Self {
        Self(seed)
    }

    fn roll(&mut self) -> u64 {
        self.0 = self.0.wrapping_add(0x9e37_79b9_7f4a_7c15);
        let mixed = (self.0 ^ (self.0 >> 30)).wrapping_mul(0xbf58_476d_1ce4_e5b9);
        let mixed = (mixed ^ (mixed >> 27)).wrapping_mul(0x94d0_49bb_1331_11eb);
        mixed ^ (mixed >> 31)
    }

    fn below(&mut self, limit: usize) -> usize {
        let limit = u64::try_from(limit).unwrap_or(u64::MAX);
        usize::try_from(self.roll().checked_rem(limit).unwrap_or(0)).unwrap_or(0)
    }
}

/// Serials that no terminal has.
const EVIL_SERIALS: [&str; 6] = [
    "%27%20OR%20%271%27%3D%271",
    "1%3BDROP%20TABLE%20device--",
    "..%2F..%2Fetc%2Fpasswd",
    "%00",
    "%3Cscript%3E",
    "A%0D%0AX-Injected%3A%201",
];

/// Polls have a target to bend, uploads of punches all the rest.
pub(super) fn applies(kind: Mischief, request: &TerminalRequest) -> bool {
    let table = |name: &str| request.target.contains(&format!("table={name}"));
    let attendance = table("ATTLOG");
    match kind {
        Mischief::RawBlanks => request.target.contains("getrequest"),
        Mischief::ForeignNames | Mischief::Photo | Mischief::Template => attendance,
        Mischief::UnknownEndpoint | Mischief::EvilSerial => request.method == "POST",
        Mischief::TruncatedBody
        | Mischief::LengthTooLarge
        | Mischief::LengthTooSmall
        | Mischief::Garbage
        | Mischief::HugeBody
        | Mischief::SlowDrip
        | Mischief::Reupload
        | Mischief::Twice
        | Mischief::CrLf
        | Mischief::LoneCr
        | Mischief::NoFinalNewline
        | Mischief::NulBytes
        | Mischief::WrongTable => !request.body.is_empty() && (attendance || table("rtlog")),
    }
}

/// Changes the honest request, or says that it is sent in a way of its own. `false` if the mischief stands beside it.
pub(super) fn bend(kind: Mischief, request: &mut TerminalRequest, dice: &mut Dice) -> bool {
    let body = &mut request.body;
    match kind {
        Mischief::CrLf => *body = with_line_ends(body, b"\r\n"),
        Mischief::LoneCr => *body = with_line_ends(body, b"\r"),
        Mischief::NoFinalNewline => {
            while matches!(body.last(), Some(b'\n' | b'\r')) {
                body.pop();
            }
        }
        Mischief::NulBytes => *body = with_lines_between(body, |_| Vec::from([0; 16])),
        Mischief::Garbage => *body = with_lines_between(body, |_| noise(dice)),
        Mischief::RawBlanks => request.target = with_blanks(&request.target),
        Mischief::SlowDrip | Mischief::Twice => {}
        Mischief::TruncatedBody
        | Mischief::LengthTooLarge
        | Mischief::LengthTooSmall
        | Mischief::ForeignNames
        | Mischief::HugeBody
        | Mischief::Reupload
        | Mischief::WrongTable
        | Mischief::Photo
        | Mischief::Template
        | Mischief::UnknownEndpoint
        | Mischief::EvilSerial => return false,
    }
    true
}

/// Requests that go out before the honest one; none if the mischief bends that one.
pub(super) fn beside(kind: Mischief, request: &TerminalRequest, host: &str, dice: &mut Dice) -> Vec<Exchange> {
    let exchange = |bytes: Vec<u8>, hangs_up| Exchange { mischief: [kind].into(), bytes, pace: None, hangs_up };
    let whole = |request: &TerminalRequest| Vec::from([exchange(request.to_bytes(host), false)]);
    let len = request.body.len();
    match kind {
        Mischief::TruncatedBody => {
            let mut bytes = request.to_bytes(host);
            let missing = dice.below(len).saturating_add(1);
            bytes.truncate(bytes.len().saturating_sub(missing));
            [exchange(bytes, true)].into()
        }
        Mischief::LengthTooLarge => {
            let declared = len.saturating_add(dice.below(1000)).saturating_add(1);
            [exchange(request.with_declared_length(host, declared), true)].into()
        }
        Mischief::LengthTooSmall => [exchange(request.with_declared_length(host, len / 2), true)].into(),
        Mischief::HugeBody => {
            let times = Hostile::HUGE_BYTES.checked_div(len).unwrap_or(0).saturating_add(1);
            whole(&with_body(request, request.body.repeat(times)))
        }
        Mischief::Reupload => reupload(request).iter().flat_map(whole).collect(),
        Mischief::WrongTable => whole(&retargeted(request, "NOSUCHTABLE", request.body.clone())),
        Mischief::ForeignNames => whole(&retargeted(request, "OPERLOG", foreign_users())),
        Mischief::Photo => whole(&retargeted(request, "ATTPHOTO", picture())),
        Mischief::Template => whole(&retargeted(request, "OPERLOG", templates())),
        Mischief::UnknownEndpoint => {
            let path = request.target.split('?').next().unwrap_or_default();
            let base = path.rfind('/').and_then(|end| path.get(..=end)).unwrap_or("/");
            let query = request.target.split_once('?').map_or("", |(_, query)| query);
            whole(&TerminalRequest { target: format!("{base}nosuchthing?{query}"), ..request.clone() })
        }
        Mischief::EvilSerial => {
            let serial = EVIL_SERIALS.get(dice.below(EVIL_SERIALS.len())).copied().unwrap_or_default();
            whole(&TerminalRequest { target: with_serial(&request.target, serial), ..request.clone() })
        }
        Mischief::Garbage
        | Mischief::SlowDrip
        | Mischief::Twice
        | Mischief::CrLf
        | Mischief::LoneCr
        | Mischief::NoFinalNewline
        | Mischief::NulBytes
        | Mischief::RawBlanks => Vec::new(),
    }
}

fn with_body(request: &TerminalRequest, body: Vec<u8>) -> TerminalRequest {
    TerminalRequest { body, ..request.clone() }
}

fn retargeted(request: &TerminalRequest, table: &str, body: Vec<u8>) -> TerminalRequest {
    let target = request.target.replace("table=ATTLOG", &format!("table={table}"));
    let target = target.replace("table=rtlog", &format!("table={table}"));
    TerminalRequest { target, ..with_body(request, body) }
}

fn with_serial(target: &str, serial: &str) -> String {
    let (head, rest) = target.split_once("SN=").unwrap_or((target, ""));
    let tail = rest.find('&').and_then(|at| rest.get(at..)).unwrap_or_default();
    format!("{head}SN={serial}{tail}")
}

/// The rows of one upload over and over, in bodies of at most 1 MiB.
fn reupload(request: &TerminalRequest) -> Vec<TerminalRequest> {
    let rows = request.body.iter().filter(|byte| **byte == b'\n').count().max(1);
    let times = Hostile::REUPLOADED_ROWS.div_ceil(rows);
    let each = (1_usize << 20).checked_div(request.body.len()).unwrap_or(0).clamp(1, times);
    (0..times.div_ceil(each)).map(|_| with_body(request, request.body.repeat(each))).collect()
}

fn with_line_ends(body: &[u8], end: &[u8]) -> Vec<u8> {
    let lines = body.split(|byte| matches!(byte, b'\n' | b'\r')).filter(|line| !line.is_empty());
    lines.flat_map(|line| [line, end]).flatten().copied().collect()
}

/// A line of something before every row and behind the last.
fn with_lines_between(body: &[u8], mut line: impl FnMut(usize) -> Vec<u8>) -> Vec<u8> {
    let mut bent = line(0);
    bent.push(b'\n');
    for (number, row) in (1_usize..).zip(body.split_inclusive(|byte| *byte == b'\n')) {
        bent.extend_from_slice(row);
        bent.extend_from_slice(&line(number));
        bent.push(b'\n');
    }
    bent
}

/// 8 to 39 bytes without a TAB, a line end or a `=`, so that they can be no row.
fn noise(dice: &mut Dice) -> Vec<u8> {
    let len = dice.below(32).saturating_add(8);
    let byte = |dice: &mut Dice| u8::try_from(dice.below(256)).unwrap_or(0);
    let separates = |byte: &u8| matches!(byte, b'\t' | b'\n' | b'\r' | b'=');
    let noise: Vec<u8> = (0..len).map(|_| byte(dice)).filter(|byte| !separates(byte)).collect();
    if noise.is_empty() { b"noise".to_vec() } else { noise }
}

fn with_blanks(target: &str) -> String {
    if target.contains("INFO=") {
        return target.replace("%20", " ");
    }
    format!("{target}&INFO=Ver 6.60 Jul 12 2012,1,0,1,192.168.1.201,10,-1,0,0,100")
}

/// Two names in the Chinese code page.
fn foreign_users() -> Vec<u8> {
    let names: [&[u8]; 2] = [b"\xd5\xc5\xc8\xfd", b"\xc0\xee\xcb\xc4"];
    let user = |(number, name): (usize, &[u8])| {
        [format!("USER PIN=990{number}\tName=").as_bytes(), name, b"\tPri=0\tPasswd=\tCard=\tGrp=1\n"].concat()
    };
    names.into_iter().enumerate().flat_map(user).collect()
}

/// The head of a photo and filler that looks like a picture.
fn picture() -> Vec<u8> {
    let head = b"PIN=20260328084712-9901.jpg\nSN=0\nsize=1024\nCMD=uploadphoto\0\xff\xd8\xff\xe0".to_vec();
    head.into_iter().chain([b'\n'; 1020]).collect()
}

/// Filler of the form of a finger and of a face.
fn templates() -> Vec<u8> {
    let filler = "QUJD".repeat(64);
    let rows = format!(
        "FP PIN=9901\tFID=0\tSize=256\tValid=1\tTMP={filler}\n\
         BIODATA Pin=9901\tNo=0\tIndex=0\tValid=1\tDuress=0\tType=9\tMajorVer=58\tMinorVer=0\tFormat=0\tTmp={filler}\n"
    );
    rows.as_bytes().to_owned()
}
