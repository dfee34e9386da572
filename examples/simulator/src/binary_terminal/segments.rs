use core::time::Duration;
use std::io;

use punch_protocol::tcp::Terminal;
use tokio::io::AsyncWriteExt as _;
use tokio::net::TcpStream;

use crate::world::Dice;

/// How the bytes of a connection are cut into segments. A client must not mind.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub enum Segments {
    /// A frame each, with a pause between two: what the weakest clients need.
    Frame,
    /// All that is ready at once.
    Coalesce,
    /// 1,460 bytes each, as a network cuts a stream.
    Mss,
    /// 1 to 7 bytes each.
    Drip,
}

/// The shortest pause, long enough for a client that waits to have read what was written.
const PAUSE: Duration = Duration::from_millis(1);
/// A byte on a line of 50 Mbit/s. Clients that copy all they have for every frame need the time that a long one takes.
const BYTE: Duration = Duration::from_nanos(160);
/// A client that takes nothing for so long is gone.
const PATIENCE: Duration = Duration::from_secs(30);
/// Bytes that are gathered before they are written.
const GATHERED_MAX: usize = 1 << 20;
const MSS: usize = 1460;

impl Segments {
    /// Sends all that the terminal has to say.
    pub(super) async fn send(self, terminal: &mut Terminal, to: &mut TcpStream, dice: &mut Dice) -> io::Result<()> {
        let mut ready = Vec::new();
        loop {
            ready.clear();
            while terminal.poll_transmit(&mut ready) && self != Self::Frame && ready.len() < GATHERED_MAX {}
            if ready.is_empty() {
                return Ok(());
            }
            self.write(&ready, to, dice).await?;
            if self == Self::Frame {
                // Behind the last one too: a client may have asked for the next piece by now.
                tokio::time::sleep(PAUSE.max(BYTE * u32::try_from(ready.len()).unwrap_or(0))).await;
            }
        }
    }

    async fn write(self, mut bytes: &[u8], to: &mut TcpStream, dice: &mut Dice) -> io::Result<()> {
        while !bytes.is_empty() {
            let len = match self {
                Self::Frame | Self::Coalesce => bytes.len(),
                Self::Mss => MSS,
                Self::Drip => usize::try_from(dice.below(7)).unwrap_or(0) + 1,
            };
            let (segment, rest) = bytes.split_at(len.min(bytes.len()));
            tokio::time::timeout(PATIENCE, to.write_all(segment)).await.map_err(|_| io::ErrorKind::TimedOut)??;
            bytes = rest;
            if !bytes.is_empty() {
                // Whoever reads gets a turn between two segments.
                tokio::task::yield_now().await;
            }
        }
        Ok(())
    }
}
