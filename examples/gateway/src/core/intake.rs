use std::collections::BTreeMap;

use chrono::{DateTime, NaiveDateTime, TimeDelta, Utc};
use punch_normalize::timeline::{DirectionRule, Finding, Mark, Role, TimelineRules};
use punch_normalize::{DuplicateKind, EventId, HoldReason, Normalizer, Observation, Punch, Rules, TenantKey, Verdict};
use punch_protocol::{Pin, RawPunch, SerialNumber};
use punch_webhook::{DeviceInfo, EmployeeInfo};

use super::ledger::{Correction, Entry, Fate, Ledger, Settled, Telling};
use super::person::{Changed, judge};
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
    /// How the directions of its punches are found.
    pub directions: Directions,
}

/// How directions are found at a terminal.
#[derive(Debug, Clone, Default)]
pub struct Directions {
    /// What the terminal is there for, if it has one direction.
    pub role: Option<Role>,
    /// What its punches, and those of the same people elsewhere, mean together. What is one punch was decided before:
    /// their bounce rules do not count.
    pub rules: TimelineRules,
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
        self.normalizer.forget_before(DateTime::<Utc>::MAX_UTC);
        self.recall(&punches, directory, ledger)?;
        let observations = observe(received, &punches, directory, ledger)?;
        let verdicts = self.normalizer.observe_all(&directory.rules, observations);
        let meaning = self.interpret(&received.serial, &verdicts, directory, ledger)?;
        for (index, verdict) in &verdicts {
            if let Some(&(punch, raw)) = punches.get(*index) {
                self.enter(received, punch, raw, verdict, directory, &meaning, ledger, &mut tally)?;
            }
        }
        for changed in &meaning.changed {
            self.correct(changed, &meaning, received.received_at, ledger)?;
        }
        Ok(tally)
    }

    /// Says what the fresh punches mean, each among the others of its person.
    fn interpret<L: Ledger>(
        &self,
        serial: &SerialNumber,
        verdicts: &[(usize, Verdict)],
        directory: &Directory,
        ledger: &mut L,
    ) -> Result<Meaning, L::Error> {
        let Directions { role, rules } = &directory.directions;
        let mut meaning = Meaning::default();
        let fresh = || verdicts.iter().filter_map(|(_, verdict)| verdict.fresh());
        if fresh().next().is_none() {
            return Ok(meaning);
        }
        meaning.is_trusted = rules.direction != DirectionRule::Alternate && {
            let known = ledger.trust(serial)?;
            let mut trust = known.clone();
            fresh().for_each(|punch| trust.observe(&punch.pin, punch.status));
            if trust != known {
                ledger.keep_trust(serial, &trust)?;
            }
            trust.is_trusted()
        };
        // What a terminal whose states do not count says counts nowhere, so people may use others beside it.
        let mut rules = rules.clone();
        if rules.direction == DirectionRule::Alternate {
            rules.direction = DirectionRule::Declared;
        }
        rules.bounce.window = TimeDelta::zero();
        let mut people = BTreeMap::<&Pin<'static>, Vec<Mark>>::new();
        for punch in fresh() {
            people.entry(&punch.pin).or_default().push(mark(punch, *role, meaning.is_trusted));
        }
        for (pin, marks) in people {
            let judgement = judge(pin, &marks, &rules, ledger)?;
            meaning.findings.extend(judgement.findings);
            meaning.changed.extend(judgement.changed);
        }
        Ok(meaning)
    }

    fn correct<L: Ledger>(
        &self,
        changed: &Changed,
        meaning: &Meaning,
        at: DateTime<Utc>,
        ledger: &mut L,
    ) -> Result<(), L::Error> {
        let Changed { known, reason } = changed;
        let id = &known.mark.event_id;
        let Some(finding) = meaning.findings.get(id) else { return Ok(()) };
        let number = known.revision.saturating_add(1);
        let name = format!("{id}\0{number}");
        let event_id = EventId::parse(&self.key.opaque_id("evt", "revision", name.as_bytes())).ok();
        let telling = reason.zip(event_id.as_ref());
        let telling = telling.map(|(reason, event_id)| Telling { event_id, number, reason, at });
        ledger.correct(&Correction { known, finding, telling })
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
        meaning: &Meaning,
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
                let finding = meaning.findings.get(&fresh.event_id);
                let (role, is_trusted) = (directory.directions.role, meaning.is_trusted);
                let (punch, device, employee) = (fresh, &directory.device, &employee);
                let fate = Fate::Delivered { punch, finding, role, is_trusted, device, employee };
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

/// What the fresh punches of an upload mean.
#[derive(Debug, Default)]
struct Meaning {
    /// Whether the terminal's states say something.
    is_trusted: bool,
    /// What was found of them and of those around them.
    findings: BTreeMap<EventId, Finding>,
    /// What of those that were delivered is found differently.
    changed: Vec<Changed>,
}

fn mark(punch: &Punch, role: Option<Role>, is_trusted: bool) -> Mark {
    let status = punch.status;
    Mark { status, role, is_trusted, ..Mark::new(punch.event_id.clone(), punch.punched_at, punch.device_local) }
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
