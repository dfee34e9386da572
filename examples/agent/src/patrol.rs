use core::time::Duration;

use chrono::{DateTime, NaiveDateTime, TimeDelta, Utc};
use gateway::clock::now;
use punch_protocol::tcp::{Event, EventCode, EventMask, Happening, LivePunch, Request, Shortfall};
use punch_protocol::{RawPunch, SerialNumber};
use tokio::sync::watch;
use tokio::time::{Instant, sleep, sleep_until};

use crate::config::TerminalConfig;
use crate::rounds::Pace;
use crate::row::Row;
use crate::terminal::{
    ClockReading, Link, LinkError, ReadingError, Span, latest, read_attendance, read_clock, read_serial,
};
use crate::{Forwarder, Spool, SpoolError};

/// Reads one terminal again and again into a spool, and listens to it in between.
#[derive(Debug)]
pub struct Patrol {
    spool: Spool,
    terminal: TerminalConfig,
    pace: Pace,
    forwarder: Option<Forwarder>,
    standing: watch::Sender<Watch>,
}

/// How a terminal stands.
#[derive(Debug, Clone, Default)]
pub struct Watch {
    /// Its serial number, once it has told it.
    pub serial: Option<SerialNumber>,
    /// When its log was last read without anything missing.
    pub read_at: Option<DateTime<Utc>>,
    /// Rows that were new, since the start.
    pub new: u64,
    /// Whether it is listened to now.
    pub is_live: bool,
    /// Attempts without success in a row.
    pub failures: u32,
    /// Why the last one had none.
    pub trouble: Option<String>,
}

/// Why a visit ended.
#[derive(Debug, thiserror::Error)]
enum VisitError {
    #[error(transparent)]
    Link(#[from] LinkError),
    #[error(transparent)]
    Reading(#[from] ReadingError),
    #[error(transparent)]
    Spool(#[from] SpoolError),
    #[error(transparent)]
    Shortfall(#[from] Shortfall),
}

/// A terminal that can pick what is new is asked for this much of what is known too: its clock may have been set back.
const OVERLAP: TimeDelta = TimeDelta::days(1);

/// A punch that does not say enough is looked up in the log, after others had time to come too.
const LOOK_UP: Duration = Duration::from_secs(5);

impl Patrol {
    /// A patrol that has not begun.
    pub fn new(spool: Spool, terminal: TerminalConfig, pace: Pace) -> Self {
        Self { spool, terminal, pace, forwarder: None, standing: watch::Sender::default() }
    }

    /// Tells the gateway what the terminal's clock shows at each reading.
    #[must_use]
    pub fn telling(self, forwarder: Forwarder) -> Self {
        Self { forwarder: Some(forwarder), ..self }
    }

    /// How it stands, for whoever shows it.
    pub fn standing(&self) -> watch::Receiver<Watch> {
        self.standing.subscribe()
    }

    /// Goes on until `stop` is true or its sender is gone. What is on disk by then stays there.
    pub async fn run(self, stop: watch::Receiver<bool>) {
        crate::until_stopped(stop, self.patrol()).await;
    }

    async fn patrol(&self) {
        // At the first visit nobody knows what was missed.
        let mut whole_at = Instant::now();
        loop {
            let visited = self.visit(&mut whole_at).await;
            self.standing.send_modify(|watch| watch.is_live = false);
            let pause = match visited {
                Ok(()) => self.terminal.every,
                Err(error) => {
                    let failures = self.fail(&error);
                    // A terminal that is only read need not be tried more often than it is read.
                    self.pace.after(failures).min(self.terminal.every)
                }
            };
            sleep(pause).await;
        }
    }

    fn fail(&self, error: &VisitError) -> u32 {
        let address = &self.terminal.address;
        self.standing.send_modify(|watch| {
            watch.failures = watch.failures.saturating_add(1);
            watch.trouble = Some(error.to_string());
        });
        let failures = self.standing.borrow().failures;
        tracing::warn!(%address, failures, %error, "the terminal was not read; it keeps its punches");
        failures
    }

    async fn visit(&self, whole_at: &mut Instant) -> Result<(), VisitError> {
        let mut link = Link::open(self.terminal.address.clone(), self.terminal.client).await?;
        let told = read_serial(&mut link).await?;
        let serial = self.terminal.serial.clone().or(told).ok_or(ReadingError::NoSerial)?;
        self.standing.send_modify(|watch| watch.serial = Some(serial.clone()));
        // First listening, then reading: a punch in between is in the log or told, or both.
        let live = self.terminal.live && self.listen(&mut link).await?;
        self.read(&mut link, &serial, whole_at).await?;
        if live {
            self.stay(&mut link, &serial, whole_at).await?;
        }
        link.close().await;
        Ok(())
    }

    /// Asks to be told of punches; `false` if this unit does not tell.
    async fn listen(&self, link: &mut Link) -> Result<bool, VisitError> {
        match link.ask(Request::Register(EventMask(EventCode::PUNCH.0.into()))).await {
            Ok(_) => {
                self.standing.send_modify(|watch| watch.is_live = true);
                Ok(true)
            }
            Err(LinkError::Request { source, address }) if !source.is_retryable() => {
                tracing::warn!(%address, %source, "this terminal tells nothing as it happens; its log is read instead");
                Ok(false)
            }
            Err(error) => Err(error.into()),
        }
    }

    /// Listens, and reads when it is time to.
    async fn stay(&self, link: &mut Link, serial: &SerialNumber, whole_at: &mut Instant) -> Result<(), VisitError> {
        let mut untold: Vec<Happening> = Vec::new();
        let mut read_at = Instant::now() + self.terminal.every;
        loop {
            tokio::select! {
                happening = link.happening() => {
                    let happening = happening?;
                    match punch_of(&happening, serial) {
                        Some(punch) => {
                            self.keep([Row::Punch(punch)]).await?;
                            link.stored(happening).await?;
                        }
                        None if matches!(happening.event(), Event::Punch(_)) => {
                            untold.push(happening);
                            read_at = read_at.min(Instant::now() + LOOK_UP);
                        }
                        // Something else, that nobody asked for and nothing depends on.
                        None => link.stored(happening).await?,
                    }
                }
                () = sleep_until(read_at) => {
                    self.read(link, serial, whole_at).await?;
                    for happening in untold.drain(..) {
                        link.stored(happening).await?;
                    }
                    read_at = Instant::now() + self.terminal.every;
                }
            }
        }
    }

    /// Reads the log into the spool: what is new, or all of it if that is due or nobody can say what is new.
    async fn read(&self, link: &mut Link, serial: &SerialNumber, whole_at: &mut Instant) -> Result<(), VisitError> {
        let asked = now();
        let clock = read_clock(link).await?;
        self.tell_clock(serial, clock.map(|shown| ClockReading { asked, answered: now(), shown }));
        let mark = self.spool.mark(serial).await?;
        let whole = Instant::now() >= *whole_at;
        let span = if whole { Span::default() } else { since(mark, clock) };
        let reading = read_attendance(link, serial, span, latest(clock, now()), |_, _| {}).await?;
        let (received, counter, broken) = (reading.received, reading.counter, reading.broken().count());
        let new = self.keep(reading.rows).await?;
        tracing::info!(%serial, received, counter, new, broken, "the log was read");
        if let Some(shortfall) = reading.shortfall {
            return Err(shortfall.into());
        }
        if let Some(clock) = clock {
            self.spool.set_mark(serial, clock).await?;
        }
        self.spool.completed(serial, asked);
        if whole || !reading.is_ranged {
            *whole_at = Instant::now() + self.terminal.whole_every;
        }
        self.standing.send_modify(|watch| {
            (watch.read_at, watch.failures, watch.trouble) = (Some(now()), 0, None);
        });
        Ok(())
    }

    /// The terminal does not wait until the gateway knows.
    fn tell_clock(&self, serial: &SerialNumber, reading: Option<ClockReading>) {
        let Some((forwarder, reading)) = self.forwarder.clone().zip(reading) else { return };
        let serial = serial.clone();
        tokio::spawn(async move {
            if let Err(trouble) = forwarder.tell_clock(&serial, reading).await {
                tracing::debug!(%serial, trouble, "the gateway was not told what the clock shows");
            }
        });
    }

    /// Puts rows into the spool, and counts those that were new.
    async fn keep(&self, rows: impl IntoIterator<Item = Row>) -> Result<u64, VisitError> {
        let put = self.spool.put(rows).await?;
        self.standing.send_modify(|watch| watch.new += put.new);
        Ok(put.new)
    }
}

/// From a while before the mark on. Without a mark, or with a clock that shows less than the mark, everything.
fn since(mark: Option<NaiveDateTime>, clock: Option<NaiveDateTime>) -> Span {
    let since =
        mark.zip(clock).filter(|(mark, clock)| clock >= mark).and_then(|(mark, _)| mark.checked_sub_signed(OVERLAP));
    Span { since, until: None }
}

/// The punch, if the event says all that the log would. Short events of old units have a state in half a byte, whose
/// other values nobody has described, and a place in the table of users; the log says it better.
fn punch_of(happening: &Happening, serial: &SerialNumber) -> Option<RawPunch> {
    let Event::Punch(LivePunch { person, verify, state, valid_and_state: None, time, .. }) = happening.event() else {
        return None;
    };
    let mut punch = RawPunch::new(serial.clone(), person.pin()?.into_owned(), time.civil()?);
    (punch.status, punch.verify) = (Some(state), Some(verify));
    Some(punch)
}
