use std::collections::BTreeMap;
use std::collections::btree_map::Entry::{Occupied, Vacant};
use std::sync::Arc;

use chrono::{DateTime, NaiveDate, Utc};
use punch_normalize::timeline::{DirectionRule, Role, TimelineRules};
use punch_normalize::{
    Dated, DeviceZone, DuplicateKind, EventId, Hint, HoldReason, Normalizer, Observation, Person, Rules, TenantKey,
    Verdict,
};
use punch_protocol::{Pin, RawPunch, civil};
use punch_webhook::DeviceInfo;

use super::clock::Clockwork;
use super::identity::{Identity, Register};
use super::ledger::{Entry, Fate, Ledger, Place, Settled, Standing};
use super::periods::Periods;
use super::person::{Known, around};
use super::shifts::Shifts;
use super::tally::Tally;
use super::upload::{ByHand, Received, ReceivedRow};

/// What the gateway knows about the terminal of an upload.
#[derive(Debug, Clone)]
pub struct Directory {
    /// How its rows are judged.
    pub rules: Rules,
    /// What payloads say about it.
    pub device: DeviceInfo,
    /// Whether a badge nobody has registered is held: always, never, or (`None`) once anybody is registered.
    pub hold_unknown_badges: Option<bool>,
    /// What it is there for, if it has one direction.
    pub role: Option<Role>,
    /// What is known of its clock.
    pub clock: Option<Clockwork>,
    /// Which days are history, and which are closed.
    pub periods: Periods,
    /// The shifts, and whose they are.
    pub shifts: Arc<Shifts>,
}

/// Turns uploads into entries of a ledger: identity, time, duplicates, direction, quarantine.
#[derive(Debug)]
pub struct Intake {
    pub(super) key: TenantKey,
}

impl Intake {
    /// An intake for the tenant with this key.
    pub fn new(key: [u8; 32]) -> Self {
        Self { key: TenantKey::new(key) }
    }

    /// Enters every row of an upload into the ledger.
    ///
    /// Taking the same upload again changes nothing: rows are known by their identity.
    ///
    /// # Errors
    ///
    /// The ledger's own. The caller rolls back and does not acknowledge.
    pub fn take<L: Ledger>(
        &self,
        received: &Received,
        directory: &Directory,
        ledger: &mut L,
    ) -> Result<Tally, L::Error> {
        self.take_next(received, &mut Progress::default(), usize::MAX, directory, ledger)
    }

    /// Enters the next rows of an upload, at most `most`, so that others can have a turn between them. What is found of them
    /// is what [`Intake::take`] finds.
    ///
    /// # Errors
    ///
    /// The ledger's own. The caller rolls back, does not acknowledge, and begins anew.
    pub fn take_next<L: Ledger>(
        &self,
        received: &Received,
        progress: &mut Progress,
        most: usize,
        directory: &Directory,
        ledger: &mut L,
    ) -> Result<Tally, L::Error> {
        let Received { discarded, replayed, .. } = *received;
        let mut tally =
            if progress.next == 0 { Tally { discarded, replayed, ..Tally::default() } } else { Tally::default() };
        let mut punches = Vec::new();
        for row in received.rows.iter().skip(progress.next).take(most) {
            progress.next = progress.next.saturating_add(1);
            match row {
                ReceivedRow::Punch { punch, raw } => match ledger.settled(&self.key.event_id(punch))? {
                    Some(settled) if stays(settled, &received.by_hand) => {
                        tally.replayed = tally.replayed.saturating_add(1);
                    }
                    settled => punches.push(Unsettled { punch, raw, is_new: settled.is_none() }),
                },
                ReceivedRow::Broken { problem, raw } => {
                    tally.held = tally.held.saturating_add(1);
                    let fate = Fate::Held { reason: HoldReason::Malformed, problem: Some(problem), place: None };
                    self.enter_unread(received, raw, fate, ledger)?;
                }
                ReceivedRow::Record { raw, enrolled } => {
                    tally.recorded = tally.recorded.saturating_add(1);
                    match enrolled {
                        Some(enrolled) => self.enter_enrolled(received, raw, enrolled, directory, ledger)?,
                        None => {
                            let fate = Fate::Recorded { table: &received.table, told: None };
                            self.enter_unread(received, raw, fate, ledger)?;
                        }
                    }
                }
            }
        }
        if !punches.is_empty() {
            self.judge(received, progress, &punches, directory, ledger, &mut tally)?;
        }
        Ok(tally)
    }

    /// Takes out of an upload what is known already and stays as it is, and counts it. What is left can be known too by the
    /// time it is entered.
    ///
    /// # Errors
    ///
    /// Those of `settled`, which says what became of a row.
    pub fn pass_over_known<E>(
        &self,
        received: &mut Received,
        mut settled: impl FnMut(&EventId) -> Result<Option<Settled>, E>,
    ) -> Result<(), E> {
        let mut left = Vec::new();
        for row in core::mem::take(&mut received.rows) {
            match &row {
                ReceivedRow::Punch { punch, .. }
                    if settled(&self.key.event_id(punch))?.is_some_and(|it| stays(it, &received.by_hand)) =>
                {
                    received.replayed = received.replayed.saturating_add(1);
                }
                ReceivedRow::Punch { .. } | ReceivedRow::Broken { .. } | ReceivedRow::Record { .. } => left.push(row),
            }
        }
        received.rows = left;
        Ok(())
    }

    /// Judges punches that are not settled, each among the others of its person, and enters them with what they change.
    fn judge<L: Ledger>(
        &self,
        received: &Received,
        progress: &mut Progress,
        punches: &[Unsettled<'_>],
        directory: &Directory,
        ledger: &mut L,
        tally: &mut Tally,
    ) -> Result<(), L::Error> {
        let rules = directory.rules();
        let observations = observe(received, progress, punches, directory, ledger)?;
        let mut normalizer = Normalizer::new(self.key.clone());
        let mut dated = normalizer.date(&rules, observations);
        progress.passed(punches, &dated, rules.zone);
        let people = identify(&mut dated, received.by_hand.pin.as_ref(), directory, ledger)?;
        if !directory.shifts.is_empty() {
            for (row, identity) in dated.iter().zip(&people) {
                let named = identity.as_ref().map_or(&[][..], |identity| &identity.shifts);
                normalizer.assign(row.person.clone(), directory.shifts.of(row.person.as_str(), named));
            }
        }
        let standings: Vec<Standing> = dated.iter().map(Standing::from).collect();
        let known = recall(&mut normalizer, &dated, &rules.timeline, ledger)?;
        if let Some(complete_to) = ledger.complete_to(directory.device.site.as_deref().unwrap_or_default())? {
            // Nobody is waited for who should have left by then.
            normalizer.pass(complete_to, &rules.timeline);
        }
        for (index, verdict) in normalizer.settle(&rules.timeline, dated) {
            let (standing, identity) = (standings.get(index), people.get(index));
            if let (Some(&Unsettled { punch, raw, .. }), Some(standing), Some(identity)) =
                (punches.get(index), standing, identity)
            {
                let row = Row { received, punch, raw, standing, identity: identity.as_ref(), directory };
                self.enter(&row, &verdict, ledger, tally)?;
            }
        }
        for change in normalizer.revised() {
            match known.get(&change.event_id) {
                Some(known) if known.mark.is_published => {
                    self.correct(known, change, None, directory, received.received_at, ledger)?;
                }
                Some(known) => self.reconsider(known, change, directory, received.received_at, ledger)?,
                None => {}
            }
        }
        Ok(())
    }

    fn enter<L: Ledger>(
        &self,
        row: &Row<'_>,
        verdict: &Verdict,
        ledger: &mut L,
        tally: &mut Tally,
    ) -> Result<(), L::Error> {
        let &Row { received, punch, raw, standing, identity, directory } = row;
        let (employee, late);
        let (count, fate) = match verdict {
            Verdict::Fresh(fresh) => {
                employee = self.employee(&standing.person, identity);
                let is_sent = directory.sends(fresh.is_historic);
                late = self.late_id(fresh, directory, received.received_at);
                let (punch, device, employee, late) = (fresh, &directory.device, &employee, late.as_ref());
                (&mut tally.delivered, Fate::Delivered { punch, standing, device, employee, is_sent, late })
            }
            Verdict::Duplicate { kind: DuplicateKind::Replay, .. } => {
                tally.replayed = tally.replayed.saturating_add(1);
                return Ok(());
            }
            Verdict::Duplicate { of, punch, .. } => (&mut tally.suppressed, Fate::Suppressed { punch, standing, of }),
            Verdict::Held { reason, .. } => {
                (&mut tally.held, Fate::Held { reason: *reason, problem: None, place: Some(row.place()) })
            }
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
        let id = self.row_id(received, raw);
        let (serial, received_at) = (&received.serial, received.received_at);
        ledger.enter(&Entry { id: &id, serial, raw, punch: None, received_at, fate })
    }

    /// The identity of a row that is no punch: what it says, and where.
    pub(super) fn row_id(&self, received: &Received, raw: &[u8]) -> String {
        let name = [received.serial.as_str().as_bytes(), b"\0", received.table.as_bytes(), b"\0", raw].concat();
        self.key.opaque_id("row", "row", &name)
    }
}

/// Whether what is known of a row stays as it is when the row comes again.
fn stays(settled: Settled, by_hand: &ByHand) -> bool {
    match settled {
        Settled::Delivered | Settled::Suppressed | Settled::Discarded => true,
        // The terminal knows no better than whoever put it right.
        Settled::HeldByHand => *by_hand == ByHand::default(),
        Settled::Held => false,
    }
}

/// How far an upload is entered, and what of it the rest depends on.
#[derive(Debug, Clone, Copy, Default)]
pub struct Progress {
    /// The first row that is not entered.
    next: usize,
    /// Punches before it that were judged.
    judged: u64,
    /// The instant of the last of them: it tells in which of two repeated hours the rest begins.
    previous: Option<DateTime<Utc>>,
}

impl Progress {
    /// Whether nothing is left of the upload.
    pub fn is_over(&self, received: &Received) -> bool {
        self.next >= received.rows.len()
    }

    fn passed(&mut self, punches: &[Unsettled<'_>], dated: &[Dated], zone: DeviceZone) {
        self.judged = self.judged.saturating_add(u64::try_from(dated.len()).unwrap_or(u64::MAX));
        let known = punches.iter().zip(dated).rev().find(|(row, _)| !civil::is_unset_clock(row.punch.time));
        if let Some((Unsettled { punch, .. }, Dated { hint, .. })) = known {
            let shown = || zone.resolve(punch.time, *hint).instant;
            self.previous = Some(if punch.is_utc { punch.time.and_utc() } else { shown() });
        }
    }
}

/// A row of an upload whose fate is open.
#[derive(Clone, Copy)]
struct Unsettled<'a> {
    punch: &'a RawPunch,
    raw: &'a [u8],
    /// Whether it comes the first time; else it was held before.
    is_new: bool,
}

/// A row of an upload, and what is known about it.
#[derive(Clone, Copy)]
struct Row<'a> {
    received: &'a Received,
    punch: &'a RawPunch,
    raw: &'a [u8],
    standing: &'a Standing,
    identity: Option<&'a Identity>,
    directory: &'a Directory,
}

impl Row<'_> {
    fn place(&self) -> Place {
        Place { passed_by: self.received.passed.and_then(|passed| passed.role), ..self.standing.place }
    }
}

impl Directory {
    /// Whether the pay period of a day is closed at `now`.
    pub(super) fn has_closed(&self, day: NaiveDate, now: DateTime<Utc>) -> bool {
        let today = self.rules.zone.at(now).local.date_naive();
        self.periods.closed_through(today).is_some_and(|last| day <= last)
    }

    /// Whether receivers get a punch, or hear of one, that is history or not.
    pub(super) fn sends(&self, is_historic: bool) -> bool {
        !is_historic || self.periods.backfill
    }

    pub(super) fn rules(&self) -> Rules {
        let mut rules = self.rules.clone();
        if rules.timeline.direction == DirectionRule::Alternate {
            // What a terminal whose states do not count says counts nowhere, so people may use others beside it.
            rules.timeline.direction = DirectionRule::Declared;
        }
        rules
    }
}

/// What is known about each row beside what it says.
fn observe<L: Ledger>(
    received: &Received,
    progress: &Progress,
    punches: &[Unsettled<'_>],
    directory: &Directory,
    ledger: &mut L,
) -> Result<Vec<Observation>, L::Error> {
    let is_all = progress.judged == 0 && progress.is_over(received);
    let is_short = received.whole && is_all && punches.len() <= Received::LIVE_ROWS;
    let live = received.passed.map_or(is_short, |passed| passed.is_live);
    let passed_by = received.passed.and_then(|passed| passed.role);
    let role = passed_by.or(received.place.and_then(|place| place.passed_by)).or(directory.role);
    let offset_of = directory.clock.as_ref().map(|clockwork| clockwork.offsets(received));
    let is_trusted = trust(received, punches, directory, ledger)?;
    let mut observations = Vec::with_capacity(punches.len());
    // What the rows before told, if these are not the first.
    let mut follows = progress.previous.map(Hint::after);
    for (order, Unsettled { punch, .. }) in (progress.judged..).zip(punches) {
        let mut observation = Observation::new((*punch).clone(), received.received_at);
        (observation.live, observation.is_trusted, observation.role) = (live, is_trusted, role);
        observation.site = directory.device.site.as_deref().map(Into::into);
        observation.shift = received.by_hand.shift;
        observation.order = Some(received.place.map_or(order, |it| it.order));
        observation.hint = received.place.map(|it| it.hint).or(follows);
        // A dead clock is before everything: the row behind it follows what was before it.
        follows = follows.filter(|_| civil::is_unset_clock(punch.time));
        // Who that is, is found out with the others; here it says that somebody knows.
        observation.person = received.by_hand.pin.as_ref().map(Person::of_pin);
        observation.clock = offset_of.as_ref().and_then(|offset_of| offset_of(punch));
        observations.push(observation);
    }
    Ok(observations)
}

/// Whether the states of the terminal say something, these among them.
fn trust<L: Ledger>(
    received: &Received,
    punches: &[Unsettled<'_>],
    directory: &Directory,
    ledger: &mut L,
) -> Result<bool, L::Error> {
    if directory.rules.timeline.direction == DirectionRule::Alternate {
        return Ok(false);
    }
    if received.passed.is_some() {
        // A state is there only where somebody has said which way they went.
        return Ok(true);
    }
    let serial = &received.serial;
    let known = ledger.trust(serial)?;
    let mut trust = known.clone();
    for Unsettled { punch, .. } in punches.iter().filter(|row| row.is_new) {
        trust.observe(&punch.pin, punch.status);
    }
    if trust != known {
        ledger.keep_trust(serial, &trust)?;
    }
    Ok(trust.is_trusted())
}

/// Finds out whose each row is. Of nobody known it is held, if such are to be held.
fn identify<L: Ledger>(
    dated: &mut [Dated],
    by_hand: Option<&Pin<'static>>,
    directory: &Directory,
    ledger: &mut L,
) -> Result<Vec<Option<Identity>>, L::Error> {
    let hold_unknown = match directory.hold_unknown_badges {
        Some(hold) => hold,
        None => ledger.has_employees()?,
    };
    let site = directory.device.site.as_deref().unwrap_or_default();
    let mut registers = BTreeMap::<Pin<'static>, Register>::new();
    let mut found = Vec::with_capacity(dated.len());
    for row in dated {
        let pin = by_hand.unwrap_or(&row.punch.pin).clone();
        let register = match registers.entry(pin.clone()) {
            Vacant(entry) => entry.insert(ledger.register(&pin)?),
            Occupied(entry) => entry.into_mut(),
        };
        let identity = register.find(&row.punch.serial, site, &pin, row.punch.local_time);
        match identity {
            Some(identity) => row.person = Person::new(identity.person()),
            None if hold_unknown && row.hold.is_none() => row.hold = Some(HoldReason::UnregisteredBadge),
            None => {}
        }
        found.push(identity.cloned());
    }
    Ok(found)
}

impl From<&Dated> for Standing {
    fn from(row: &Dated) -> Self {
        let (person, site) = (row.person.clone(), row.site.as_deref().map(ToOwned::to_owned));
        let place = Place { order: row.order, hint: row.hint, passed_by: None };
        Self { person, site, place, role: row.role, is_trusted: row.is_trusted }
    }
}

/// A normaliser that knows a person, their shifts and their punches around a span of time; and these punches.
pub(super) fn of_person<L: Ledger>(
    key: &TenantKey,
    person: &Person,
    (first, last): (DateTime<Utc>, DateTime<Utc>),
    rules: &TimelineRules,
    directory: &Directory,
    ledger: &mut L,
) -> Result<(Normalizer, BTreeMap<EventId, Known>), L::Error> {
    let mut normalizer = Normalizer::new(key.clone());
    if !directory.shifts.is_empty() {
        let named = ledger.shifts_of(person)?;
        normalizer.assign(person.clone(), directory.shifts.of(person.as_str(), &named));
    }
    let mut found = BTreeMap::new();
    for known in around(person, first, last, rules, ledger)? {
        remember(&mut normalizer, known, &mut found);
    }
    Ok((normalizer, found))
}

/// Gives the normaliser back what the ledger knows around these rows.
fn recall<L: Ledger>(
    normalizer: &mut Normalizer,
    dated: &[Dated],
    rules: &TimelineRules,
    ledger: &mut L,
) -> Result<BTreeMap<EventId, Known>, L::Error> {
    let mut spans = BTreeMap::<&Person, (DateTime<Utc>, DateTime<Utc>)>::new();
    for row in dated.iter().filter(|row| row.hold.is_none()) {
        let at = row.punch.punched_at;
        let span = spans.entry(&row.person).or_insert((at, at));
        *span = (span.0.min(at), span.1.max(at));
    }
    let mut found = BTreeMap::new();
    for (person, (first, last)) in spans {
        for known in around(person, first, last, rules, ledger)? {
            remember(normalizer, known, &mut found);
        }
    }
    Ok(found)
}

/// An identity that another program made is no neighbour.
fn remember(normalizer: &mut Normalizer, known: Known, found: &mut BTreeMap<EventId, Known>) {
    if normalizer.recall(&known.person, &known.serial, known.site.as_deref(), known.mark.clone()).is_ok() {
        found.insert(known.mark.event_id.clone(), known);
    }
}
