use core::time::Duration;
use std::collections::BTreeMap;
use std::io;
use std::net::SocketAddr;

use tokio::net::UdpSocket;
use tokio::time::Instant;

use crate::world::Dice;

/// What happens to datagrams, in either direction. Probabilities are from 0 to 1.
#[derive(Debug, Clone, Copy, PartialEq, Default)]
pub struct Mishaps {
    /// Probability that a datagram is lost.
    pub loss: f64,
    /// Probability that a datagram comes twice.
    pub duplicate: f64,
    /// Probability that a datagram which the terminal sends is overtaken by those behind it.
    pub reorder: f64,
    /// How long a datagram that the terminal sends is under way.
    pub delay: Duration,
}

/// Datagrams of one client, with mishaps. Answers go where the last datagram came from.
pub(super) struct Datagrams<'a> {
    socket: &'a UdpSocket,
    mishaps: Mishaps,
    dice: Dice,
    client: Option<SocketAddr>,
    /// Datagrams under way, by the time they arrive and the order they were sent in.
    under_way: BTreeMap<(Instant, u64), (Vec<u8>, SocketAddr)>,
    sent: u64,
    /// When the last datagram that was not held back left.
    paced: Instant,
    received: Vec<u8>,
}

/// How long an overtaken datagram is held back at most, in milliseconds.
const HELD_BACK_MAX: u64 = 20;
/// A burst of datagrams goes out at this pace, or the client's socket would have no room for it.
const PACE: Duration = Duration::from_micros(50);

impl<'a> Datagrams<'a> {
    pub(super) fn new(socket: &'a UdpSocket, mishaps: Mishaps, seed: u64) -> Self {
        Self {
            socket,
            mishaps,
            dice: Dice::new(seed),
            client: None,
            under_way: BTreeMap::new(),
            sent: 0,
            paced: Instant::now(),
            received: vec![0; 64 << 10],
        }
    }

    /// Sends what is due, and waits for the next datagram: none if it is lost, two if it is doubled.
    ///
    /// Nothing is lost if the wait is given up.
    pub(super) async fn receive(&mut self) -> io::Result<Vec<Vec<u8>>> {
        loop {
            let due = self.under_way.first_key_value().map(|((at, _), _)| *at);
            tokio::select! {
                received = self.socket.recv_from(&mut self.received) => {
                    // An answer to a port that is closed by now comes back as an error of the next call.
                    let Ok((len, from)) = received else { continue };
                    self.client = Some(from);
                    let copies = self.copies();
                    return Ok(vec![self.received.get(..len).unwrap_or_default().to_vec(); copies]);
                }
                () = super::sleep_until(due) => self.deliver(),
            }
        }
    }

    /// Puts a datagram under way.
    pub(super) fn send(&mut self, datagram: Vec<u8>) {
        // Nobody is told anything who has not asked.
        let Some(client) = self.client else { return };
        for _ in 0..self.copies() {
            self.paced = self.paced.max(Instant::now()) + PACE;
            let mut arrives = self.paced + self.mishaps.delay;
            if self.happens(self.mishaps.reorder) {
                arrives += Duration::from_millis(self.dice.below(HELD_BACK_MAX) + 1);
            }
            self.sent += 1;
            self.under_way.insert((arrives, self.sent), (datagram.clone(), client));
        }
    }

    /// Sends whatever has arrived by now.
    fn deliver(&mut self) {
        let later = self.under_way.split_off(&(Instant::now(), u64::MAX));
        for (datagram, client) in core::mem::replace(&mut self.under_way, later).into_values() {
            if let Err(error) = self.socket.try_send_to(&datagram, client) {
                tracing::debug!("datagram: {error}");
            }
        }
    }

    fn copies(&mut self) -> usize {
        if self.happens(self.mishaps.loss) {
            0
        } else if self.happens(self.mishaps.duplicate) {
            2
        } else {
            1
        }
    }

    fn happens(&mut self, probability: f64) -> bool {
        /// As many steps as a probability is told in.
        const STEPS: u32 = 1 << 20;
        let roll = u32::try_from(self.dice.below(STEPS.into())).unwrap_or(0);
        f64::from(roll) < probability * f64::from(STEPS)
    }
}
