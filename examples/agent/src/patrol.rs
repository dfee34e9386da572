use core::time::Duration;

use chrono::{DateTime, NaiveDateTime, TimeDelta, Utc};
use gateway::clock::now;
use punch_protocol::tcp::{Carrier, Event, EventCode, EventMask, Happening, LivePunch, Request, Shortfall};
use punch_protocol::{RawPunch, SerialNumber};
use tokio::sync::{Notify, watch};
use tokio::time::{Instant, sleep, sleep_until, timeout};

use crate::carrying::{Attempt, Hands, told_of};
use crate::config::TerminalConfig;
use crate::errands::{Errand, Told};
use crate::rounds::Pace;
use crate::row::Row;
use crate::terminal::{
    ClockReading, Link, LinkError, ReadingError, Span, latest, read_about, read_attendance, read_clock, read_serial,
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
    /// The gateway wants something done.
    called: Notify,
    /// What it wanted was looked at.
    answered: Notify,
    /// Something was carried out.
    carried: Notify,
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
    #[error("the terminal went away while it was asked to do something; it is called again")]
    Gone,
}

/// A terminal that can pick what is new is asked for this much of what is known too: its clock may have been set back.
const OVERLAP: TimeDelta = TimeDelta::days(1);

/// A punch that does not say enough is looked up in the log, after others had time to come too.
const LOOK_UP: Duration = Duration::from_secs(5);

impl Patrol {
    /// A patrol that has not begun.
    pub fn new(spool: Spool, terminal: TerminalConfig, pace: Pace) -> Self {
        Self {
            spool,
            terminal,
            pace,
            forwarder: None,
            standing: watch::Sender::default(),
            called: Notify::new(),
            answered: Notify::new(),
            carried: Notify::new(),
        }
    }

    /// Tells the gateway what the terminal's clock shows and what it is, and carries out what the gateway wants done.
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
        let work = async {
            tokio::join!(self.patrol(), self.look_out(), self.report());
        };
        crate::until_stopped(stop, work).await;
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
            tokio::select! {
                () = sleep(pause) => {}
                () = self.called.notified() => {}
            }
        }
    }

    /// Listens to the gateway. It says when something waits; what that is, is asked when the terminal is there.
    async fn look_out(&self) {
        let Some(forwarder) = &self.forwarder else { return };
        let Some(serial) = self.known_serial().await else { return };
        let mut failures = 0;
        loop {
            match forwarder.await_errands(&serial).await {
                Ok(false) => failures = 0,
                Ok(true) => {
                    failures = 0;
                    self.called.notify_one();
                    // Dropped when it takes too long: the terminal may be gone, and is called again then.
                    drop(timeout(LOOK_UP, self.answered.notified()).await);
                }
                Err(trouble) => {
                    failures += 1;
                    tracing::debug!(%serial, trouble, "the gateway was not asked for commands");
                    sleep(self.pace.after(failures)).await;
                }
            }
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
        self.probe(&mut link, &serial, live).await?;
        // Somebody may stand at a door; a log may be long.
        self.carry_out(&mut link, &serial).await?;
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
                () = self.called.notified() => self.carry_out(link, serial).await?,
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

    /// Tells the gateway what the terminal is, so that it knows what can be asked of it.
    async fn probe(&self, link: &mut Link, serial: &SerialNumber, live: bool) -> Result<(), VisitError> {
        let Some(forwarder) = self.forwarder.clone() else { return Ok(()) };
        let mut probe = told_of(&read_about(link).await?);
        // It goes on, and would be news each time.
        probe.remove("clock");
        probe.insert("tells_live".to_owned(), live.into());
        probe.insert(
            "carrier".to_owned(),
            if self.terminal.client.carrier == Carrier::Udp { "udp" } else { "tcp" }.into(),
        );
        if let Err(trouble) = forwarder.tell_probe(serial, &probe).await {
            tracing::debug!(%serial, trouble, "the gateway was not told what the terminal is");
        }
        Ok(())
    }

    /// Carries out what the gateway wants done. An error ends the visit; what was not begun is given out again.
    async fn carry_out(&self, link: &mut Link, serial: &SerialNumber) -> Result<(), VisitError> {
        let Some(forwarder) = &self.forwarder else { return Ok(()) };
        loop {
            let errands = match forwarder.take_errands(serial).await {
                Ok(errands) => errands,
                Err(trouble) => {
                    tracing::debug!(%serial, trouble, "no commands were taken");
                    return Ok(());
                }
            };
            if errands.is_empty() {
                self.answered.notify_one();
                return Ok(());
            }
            let (told, rows, is_last) = self.carry_all(link, serial, &errands).await;
            self.keep(rows).await?;
            tracing::info!(%serial, taken = errands.len(), told = told.len(), "commands carried out");
            let results: Vec<_> = told.iter().map(Told::result).collect();
            self.spool.put_results(serial, &results).await?;
            self.carried.notify_one();
            if is_last {
                return Err(VisitError::Gone);
            }
        }
    }

    async fn carry_all(
        &self,
        link: &mut Link,
        serial: &SerialNumber,
        errands: &[Errand],
    ) -> (Vec<Told>, Vec<Row>, bool) {
        let mut hands = Hands::new(link, serial, self.terminal.unlock_in_tenths);
        let mut told = Vec::new();
        for errand in errands {
            match hands.carry(errand).await {
                Attempt::Told(one) => told.push(one),
                Attempt::Last(last) => {
                    told.extend(last);
                    return (told, hands.rows, true);
                }
            }
        }
        (told, hands.rows, false)
    }

    /// Tells the gateway what became of commands, as often as it takes, and what an earlier life had no time to tell.
    /// Meanwhile nothing is done twice that must not be.
    async fn report(&self) {
        let Some(forwarder) = &self.forwarder else { return };
        let Some(serial) = self.known_serial().await else { return };
        let mut failures = 0;
        loop {
            match self.tell_results(forwarder, &serial).await {
                Ok(true) => failures = 0,
                Ok(false) => {
                    failures = 0;
                    self.carried.notified().await;
                }
                Err(trouble) => {
                    failures += 1;
                    tracing::warn!(%serial, failures, trouble, "the gateway was not told what became of commands; they wait");
                    sleep(self.pace.after(failures)).await;
                }
            }
        }
    }

    /// Tells some of what waits. Whether anything waited.
    async fn tell_results(&self, forwarder: &Forwarder, serial: &SerialNumber) -> Result<bool, String> {
        let results = self.spool.results(serial).await.map_err(|error| error.to_string())?;
        if results.is_empty() {
            return Ok(false);
        }
        forwarder.tell_results(serial, &results.told).await?;
        self.spool.settle_results(serial, &results).await.map_err(|error| error.to_string())?;
        Ok(true)
    }

    async fn known_serial(&self) -> Option<SerialNumber> {
        let mut standing = self.standing.subscribe();
        let known = standing.wait_for(|watch| watch.serial.is_some()).await;
        known.ok().and_then(|watch| watch.serial.clone())
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
