use std::collections::BTreeMap;

use chrono::{DateTime, NaiveDateTime, TimeDelta};
use punch_normalize::{DuplicateKind, HoldReason, Normalizer, Observation, Rules, TenantKey, Verdict};
use punch_protocol::{Pin, RawPunch};
use punch_webhook::{DeviceInfo, EmployeeInfo};

use super::ledger::{Entry, Fate, Ledger, Settled};
use super::upload::{Received, ReceivedRow};

/// What the gateway knows about the terminal of an upload.
#[derive(Debug, Clone)]
pub struct Directory {
    /// How its rows are judged.
    pub rules: Rules,
    /// What payloads say about it.
    pub device: DeviceInfo,
    /// Whether a badge nobody has registered is held: always, never, or (`None`) once anybody is registered.
    pub hold_unknown_badges: Option<bool>,
}

/// Turns uploads into entries of a ledger: identity, time, duplicates, quarantine.
#[derive(Debug)]
pub struct Intake {
    key: TenantKey,
    normalizer: Normalizer,
}

/// How many rows of an upload met which fate. The sum is the number of rows received.
#[derive(Debug, Clone, Copy, Default, PartialEq, Eq)]
pub struct Tally {
    /// Punches to be delivered.
    pub delivered: u32,
    /// Second punches within the window.
    pub suppressed: u32,
    /// Rows kept aside.
    pub held: u32,
    /// Rows seen before.
    pub replayed: u32,
    /// Rows that are no punches.
    pub recorded: u32,
    /// Rows counted and not kept.
    pub discarded: u32,
}

/// A clock change moves an instant by at most this much against its civil time.
const FOLD_ROOM: TimeDelta = TimeDelta::hours(3);

/// Uploads this short come as they happen, so their receipt helps to date them.
const LIVE_ROWS: usize = 3;

impl Intake {
    /// An intake for the tenant with this key.
    pub fn new(key: [u8; 32]) -> Self {
        Self { key: TenantKey::new(key), normalizer: Normalizer::new(TenantKey::new(key)) }
    }

    /// Enters every row of an upload into the ledger.
    ///
    /// Taking the same upload again changes nothing: rows are known by their identity.
    ///
    /// # Errors
    ///
    /// The ledger's own. The caller rolls back and does not acknowledge.
    pub fn take<L: Ledger>(
        &mut self,
        received: &Received,
        directory: &Directory,
        ledger: &mut L,
    ) -> Result<Tally, L::Error> {
        let mut tally = Tally { discarded: received.discarded, ..Tally::default() };
        let mut punches = Vec::new();
        for row in &received.rows {
            match row {
                ReceivedRow::Punch { punch, raw } => punches.push((punch, raw.as_slice())),
                ReceivedRow::Broken { problem, raw } => {
                    tally.held = tally.held.saturating_add(1);
                    let fate = Fate::Held { reason: HoldReason::Malformed, problem: Some(problem) };
                    self.enter_unread(received, raw, fate, ledger)?;
                }
                ReceivedRow::Record { raw } => {
                    tally.recorded = tally.recorded.saturating_add(1);
                    self.enter_unread(received, raw, Fate::Recorded { table: &received.table }, ledger)?;
                }
            }
        }
        // What is remembered beyond this upload is the ledger's to remember.
        self.normalizer.forget_before(DateTime::<chrono::Utc>::MAX_UTC);
        self.recall(&punches, directory, ledger)?;
        let observations = observe(received, &punches, directory, ledger)?;
        for (index, verdict) in self.normalizer.observe_all(&directory.rules, observations) {
            if let Some(&(punch, raw)) = punches.get(index) {
                self.enter(received, punch, raw, &verdict, directory, ledger, &mut tally)?;
            }
        }
        Ok(tally)
    }

    /// Gives the normaliser back what the ledger knows about these rows and their neighbours.
    fn recall<L: Ledger>(
        &mut self,
        punches: &[(&RawPunch, &[u8])],
        directory: &Directory,
        ledger: &mut L,
    ) -> Result<(), L::Error> {
        let mut spans = BTreeMap::<&Pin<'static>, (NaiveDateTime, NaiveDateTime)>::new();
        for (punch, _) in punches {
            let span = spans.entry(&punch.pin).or_insert((punch.time, punch.time));
            *span = (span.0.min(punch.time), span.1.max(punch.time));
            let event_id = self.key.event_id(punch);
            match ledger.settled(&event_id)? {
                Some(Settled::Delivered(kept)) => self.normalizer.remember(kept),
                Some(Settled::Suppressed(instant)) => {
                    let (serial, pin) = (punch.serial.clone(), punch.pin.clone());
                    self.normalizer.remember_suppressed(event_id, serial, pin, instant);
                }
                Some(Settled::Held) | None => {}
            }
        }
        let room = FOLD_ROOM.checked_add(&directory.rules.window).unwrap_or(FOLD_ROOM);
        let Some((first, _)) = punches.first() else { return Ok(()) };
        for (pin, (from, to)) in spans {
            let from = from.checked_sub_signed(room).unwrap_or(NaiveDateTime::MIN);
            let to = to.checked_add_signed(room).unwrap_or(NaiveDateTime::MAX);
            for kept in ledger.kept(&first.serial, pin, from, to)? {
                self.normalizer.remember(kept);
            }
        }
        Ok(())
    }

    #[expect(clippy::too_many_arguments, reason = "one row with everything that was decided about it")]
    fn enter<L: Ledger>(
        &self,
        received: &Received,
        punch: &RawPunch,
        raw: &[u8],
        verdict: &Verdict,
        directory: &Directory,
        ledger: &mut L,
        tally: &mut Tally,
    ) -> Result<(), L::Error> {
        let mut employee;
        let (count, fate) = match verdict {
            Verdict::Fresh(fresh) => {
                let badge = punch.pin.to_text();
                employee = ledger.employee(&badge)?.unwrap_or_else(|| EmployeeInfo::new(badge));
                if employee.id.is_none() {
                    employee.id = Some(self.key.opaque_id("emp", "employee", punch.pin.as_bytes()));
                }
                let fate = Fate::Delivered { punch: fresh, device: &directory.device, employee: &employee };
                (&mut tally.delivered, fate)
            }
            Verdict::Duplicate { kind: DuplicateKind::Replay, .. } => {
                tally.replayed = tally.replayed.saturating_add(1);
                return Ok(());
            }
            Verdict::Duplicate { of, punch, .. } => (&mut tally.suppressed, Fate::Suppressed { punch, of }),
            Verdict::Held { reason, .. } => (&mut tally.held, Fate::Held { reason: *reason, problem: None }),
        };
        *count = count.saturating_add(1);
        let id = verdict.event_id().as_str();
        let (serial, received_at) = (&received.serial, received.received_at);
        ledger.enter(&Entry { id, serial, raw, punch: Some(punch), received_at, fate })
    }

    fn enter_unread<L: Ledger>(
        &self,
        received: &Received,
        raw: &[u8],
        fate: Fate<'_>,
        ledger: &mut L,
    ) -> Result<(), L::Error> {
        let name = [received.serial.as_str().as_bytes(), b"\0", received.table.as_bytes(), b"\0", raw].concat();
        let id = self.key.opaque_id("row", "row", &name);
        let (serial, received_at) = (&received.serial, received.received_at);
        ledger.enter(&Entry { id: &id, serial, raw, punch: None, received_at, fate })
    }
}

fn observe<L: Ledger>(
    received: &Received,
    punches: &[(&RawPunch, &[u8])],
    directory: &Directory,
    ledger: &mut L,
) -> Result<Vec<Observation>, L::Error> {
    let hold_unknown = match directory.hold_unknown_badges {
        Some(hold) => hold,
        None => ledger.has_employees()?,
    };
    let live = received.whole && punches.len() <= LIVE_ROWS;
    let mut observations = Vec::with_capacity(punches.len());
    for (punch, _) in punches {
        let mut observation = Observation::new((*punch).clone(), received.received_at);
        observation.live = live;
        observation.registered = !hold_unknown || ledger.employee(&punch.pin.to_text())?.is_some();
        observations.push(observation);
    }
    Ok(observations)
}
