//! A terminal that misbehaves: honest requests, bent on purpose.

mod bends;
mod mischief;

use alloc::collections::BTreeMap;
use alloc::vec::Vec;
use core::fmt;

use chrono::TimeDelta;

pub use self::mischief::{Deserves, Mischief};

use self::bends::Dice;
use super::TerminalRequest;
use crate::push::server_options;

/// Bends the requests of an honest [`Terminal`](super::Terminal) in the ways asked for. The same seed bends the
/// same requests in the same way.
///
/// What must not be acknowledged is sent beside the honest request, so no row of the terminal depends on it.
///
/// ```
/// use punch_protocol::SerialNumber;
/// use punch_protocol::push::{Hostile, Mischief, Terminal};
///
/// let now = chrono::DateTime::from_timestamp(1_774_684_033, 0).expect("in range");
/// let mut terminal = Terminal::new(SerialNumber::parse("SIM1")?);
/// terminal.remember(b"1042\t2026-03-28 08:47:12\t0\t1".to_vec());
/// terminal.poll_request(now);
/// terminal.handle_answer(200, b"GET OPTION FROM: SIM1\n", now);
/// let upload = terminal.poll_request(now).expect("an upload");
///
/// let mut hostile = Hostile::new([Mischief::TruncatedBody, Mischief::CrLf], 7);
/// let exchanges = hostile.bend(upload, "127.0.0.1:8081");
/// let [cut, whole] = exchanges.as_slice() else { panic!() };
/// assert!(cut.hangs_up && !cut.is_fair(200, b"OK: 1"));
/// assert!(whole.bytes.ends_with(b"\r\n") && whole.is_fair(200, b"OK: 1"));
/// # Ok::<(), Box<dyn std::error::Error>>(())
/// ```
#[derive(Debug, Clone)]
pub struct Hostile {
    /// Every kind asked for, and how often it had the chance.
    kinds: BTreeMap<Mischief, u32>,
    dice: Dice,
}

/// Bytes to send over a connection. The answer to the last one of a request is the terminal's; the others are only
/// judged.
#[derive(Clone, PartialEq, Eq)]
#[non_exhaustive]
pub struct Exchange {
    /// What is wrong with it; nothing for an honest request.
    pub mischief: Vec<Mischief>,
    /// Everything from the request line to the end of the body.
    pub bytes: Vec<u8>,
    /// How fast to write; as fast as it goes if there is none.
    pub pace: Option<Pace>,
    /// Nothing more comes: close the writing side, then read what the server says.
    pub hangs_up: bool,
}

/// How fast to write.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
#[non_exhaustive]
pub struct Pace {
    /// Bytes in one piece.
    pub bytes: usize,
    /// Time between two pieces.
    pub every: TimeDelta,
}

impl Exchange {
    fn honest(request: &TerminalRequest, host: &str) -> Self {
        Self { mischief: Vec::new(), bytes: request.to_bytes(host), pace: None, hangs_up: false }
    }

    /// Whether a correct server may answer so. A failure of the server (5xx) or of the network (0) is always fair.
    pub fn is_fair(&self, status: u16, body: &[u8]) -> bool {
        let acknowledged = status == 200 && server_options::place_of_ok(body).is_some();
        self.mischief.iter().all(|mischief| match mischief.deserves() {
            Deserves::Acknowledgement => acknowledged || status == 0 || status >= 500,
            Deserves::Refusal => !acknowledged,
            Deserves::Either => true,
        })
    }
}

impl fmt::Debug for Exchange {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        write!(f, "Exchange({:?}, {} bytes)", self.mischief, self.bytes.len())
    }
}

impl Hostile {
    /// Requests between two of the kinds that add a request; kinds that bend one bend every one.
    pub const EVERY: u32 = 10;
    /// Rows of [`Mischief::Reupload`].
    pub const REUPLOADED_ROWS: usize = 100_000;
    /// Bytes of [`Mischief::HugeBody`].
    pub const HUGE_BYTES: usize = 10 << 20;

    /// Misbehaves in these ways.
    pub fn new(kinds: impl IntoIterator<Item = Mischief>, seed: u64) -> Self {
        Self { kinds: kinds.into_iter().map(|kind| (kind, 0)).collect(), dice: Dice::new(seed) }
    }

    /// What to send for `request`, in this order, each over a connection of its own if it is mischief.
    pub fn bend(&mut self, mut request: TerminalRequest, host: &str) -> Vec<Exchange> {
        let mut exchanges = Vec::new();
        for kind in self.kinds.keys().copied().collect::<Vec<_>>() {
            if bends::applies(kind, &request) && self.has_its_turn(kind) {
                exchanges.extend(bends::beside(kind, &request, host, &mut self.dice));
            }
        }
        let mut mischief = Vec::new();
        for kind in self.kinds.keys().copied().collect::<Vec<_>>() {
            if bends::applies(kind, &request) && bends::bend(kind, &mut request, &mut self.dice) {
                mischief.push(kind);
            }
        }
        let pace =
            mischief.contains(&Mischief::SlowDrip).then(|| Pace { bytes: 64, every: TimeDelta::milliseconds(100) });
        let bent = Exchange { mischief, pace, ..Exchange::honest(&request, host) };
        if bent.mischief.contains(&Mischief::Twice) {
            exchanges.push(bent.clone());
        }
        exchanges.push(bent);
        exchanges
    }

    /// Small ones come at every tenth chance, big ones once.
    fn has_its_turn(&mut self, kind: Mischief) -> bool {
        let Some(chances) = self.kinds.get_mut(&kind) else { return false };
        let big = matches!(kind, Mischief::HugeBody | Mischief::Reupload);
        let turn = if big { *chances == 0 } else { chances.is_multiple_of(Self::EVERY) };
        *chances = chances.saturating_add(1);
        turn
    }
}
