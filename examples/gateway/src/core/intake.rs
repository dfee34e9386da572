use std::collections::BTreeMap;

use chrono::{DateTime, Utc};
use punch_normalize::timeline::{Change, DirectionRule, Mark, Role, TimelineRules};
use punch_normalize::{
    Dated, DuplicateKind, EventId, HoldReason, Normalizer, Observation, Person, Punch, Rules, TenantKey, Verdict,
};
use punch_protocol::{Pin, RawPunch, SerialNumber};
use punch_webhook::{DeviceInfo, EmployeeInfo};

use super::ledger::{Correction, Entry, Fate, Ledger, Settled, Standing, Telling};
use super::person::{Known, Told, around};
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
    /// What it is there for, if it has one direction.
    pub role: Option<Role>,
    /// Whether what is too old is delivered all the same.
    pub backfill: bool,
}

/// How directions are found at a terminal.
#[derive(Debug, Clone, Default)]
pub struct Directions {
    /// What the terminal is there for, if it has one direction.
    pub role: Option<Role>,
    /// What its punches, and those of the same people elsewhere, mean together.
    pub rules: TimelineRules,
}

/// Turns uploads into entries of a ledger: identity, time, duplicates, direction, quarantine.
#[derive(Debug)]
pub struct Intake {
    key: TenantKey,
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

/// Uploads this short come as they happen, so their receipt helps to date them.
const LIVE_ROWS: usize = 3;

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
        let mut tally = Tally { discarded: received.discarded, ..Tally::default() };
        let mut punches = Vec::new();
        for row in &received.rows {
            match row {
                ReceivedRow::Punch { punch, raw } => match ledger.settled(&self.key.event_id(punch))? {
                    Some(Settled::Delivered | Settled::Suppressed) => tally.replayed = tally.replayed.saturating_add(1),
                    Some(Settled::Held) | None => punches.push((punch, raw.as_slice())),
                },
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
        if !punches.is_empty() {
            self.judge(received, &punches, directory, ledger, &mut tally)?;
        }
        Ok(tally)
    }

    /// Judges punches that are not settled, each among the others of its person, and enters them with what they change.
    fn judge<L: Ledger>(
        &self,
        received: &Received,
        punches: &[(&RawPunch, &[u8])],
        directory: &Directory,
        ledger: &mut L,
        tally: &mut Tally,
    ) -> Result<(), L::Error> {
        let rules = directory.rules();
        let observations = observe(received, punches, directory, ledger)?;
        let standings: Vec<Standing> = observations.iter().zip(0..).map(standing).collect();
        let mut normalizer = Normalizer::new(self.key.clone());
        let dated = normalizer.date(&rules, observations);
        let known = recall(&mut normalizer, &dated, &rules.timeline, ledger)?;
        for (index, verdict) in normalizer.settle(&rules.timeline, dated) {
            if let (Some(&(punch, raw)), Some(standing)) = (punches.get(index), standings.get(index)) {
                let row = Row { received, punch, raw, standing, directory };
                self.enter(&row, &verdict, ledger, tally)?;
            }
        }
        for change in normalizer.revised() {
            match known.get(&change.event_id) {
                Some(known) if known.mark.is_published => {
                    self.correct(known, change, received.received_at, ledger)?;
                }
                Some(known) => self.reconsider(known, change, directory, received.received_at, ledger)?,
                None => {}
            }
        }
        Ok(())
    }

    /// A row was a second punch of another one, which stands no longer before it.
    fn reconsider<L: Ledger>(
        &self,
        known: &Known,
        change: &Change,
        directory: &Directory,
        received_at: DateTime<Utc>,
        ledger: &mut L,
    ) -> Result<(), L::Error> {
        let Some(mut punch) = ledger.punch(&change.event_id)? else { return Ok(()) };
        let Mark { order, role, is_trusted, .. } = known.mark;
        let (person, site) = (known.person.clone(), known.site.clone());
        let standing = Standing { person, site, order, role, is_trusted };
        let (employee, mut device) = (self.employee(&punch.pin, ledger)?, DeviceInfo::default());
        device.id = Some(self.key.opaque_id("dev", "device", known.serial.as_str().as_bytes()));
        device.site.clone_from(&known.site);
        let fate = match &change.new.duplicate_of {
            Some(of) => Fate::Suppressed { punch: &punch, standing: &standing, of },
            None => {
                punch.mean(&change.new);
                let device = if directory.device.id == device.id { &directory.device } else { &device };
                let is_sent = directory.sends(&punch);
                let (punch, standing, employee) = (&punch, &standing, &employee);
                Fate::Delivered { punch, standing, device, employee, is_sent }
            }
        };
        let id = change.event_id.as_str();
        ledger.enter(&Entry { id, serial: &known.serial, raw: &[], punch: None, received_at, fate })
    }

    /// The person of a PIN, for payloads.
    fn employee<L: Ledger>(&self, pin: &Pin<'_>, ledger: &mut L) -> Result<EmployeeInfo, L::Error> {
        let badge = pin.to_text();
        let mut employee = ledger.employee(&badge)?.unwrap_or_else(|| EmployeeInfo::new(badge));
        if employee.id.is_none() {
            employee.id = Some(self.key.opaque_id("emp", "employee", pin.as_bytes()));
        }
        Ok(employee)
    }

    /// Something else is found of a known punch than was told.
    fn correct<L: Ledger>(
        &self,
        known: &Known,
        change: &Change,
        at: DateTime<Utc>,
        ledger: &mut L,
    ) -> Result<(), L::Error> {
        let finding = &change.new;
        let now = Told::from(finding);
        let Some(told) = known.told.as_ref().filter(|told| **told != now) else { return Ok(()) };
        // Of how sure something is, or what is missing, receivers need not hear.
        let reason = told.misleads(&now).then_some(change.cause.as_str());
        let number = known.revision.saturating_add(1);
        let name = format!("{}\0{number}", change.event_id);
        let event_id = EventId::parse(&self.key.opaque_id("evt", "revision", name.as_bytes())).ok();
        let telling = reason.zip(event_id.as_ref());
        let telling = telling.map(|(reason, event_id)| Telling { event_id, number, reason, at });
        ledger.correct(&Correction { known, finding, telling })
    }

    fn enter<L: Ledger>(
        &self,
        row: &Row<'_>,
        verdict: &Verdict,
        ledger: &mut L,
        tally: &mut Tally,
    ) -> Result<(), L::Error> {
        let &Row { received, punch, raw, standing, directory } = row;
        let employee;
        let (count, fate) = match verdict {
            Verdict::Fresh(fresh) => {
                employee = self.employee(&punch.pin, ledger)?;
                let is_sent = directory.sends(fresh);
                let (device, employee) = (&directory.device, &employee);
                (&mut tally.delivered, Fate::Delivered { punch: fresh, standing, device, employee, is_sent })
            }
            Verdict::Duplicate { kind: DuplicateKind::Replay, .. } => {
                tally.replayed = tally.replayed.saturating_add(1);
                return Ok(());
            }
            Verdict::Duplicate { of, punch, .. } => (&mut tally.suppressed, Fate::Suppressed { punch, standing, of }),
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

/// A row of an upload, and what is known about it.
#[derive(Clone, Copy)]
struct Row<'a> {
    received: &'a Received,
    punch: &'a RawPunch,
    raw: &'a [u8],
    standing: &'a Standing,
    directory: &'a Directory,
}

impl Directory {
    /// Whether receivers get a punch now.
    fn sends(&self, punch: &Punch) -> bool {
        !punch.is_historic || self.backfill
    }

    fn rules(&self) -> Rules {
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
    punches: &[(&RawPunch, &[u8])],
    directory: &Directory,
    ledger: &mut L,
) -> Result<Vec<Observation>, L::Error> {
    let hold_unknown = match directory.hold_unknown_badges {
        Some(hold) => hold,
        None => ledger.has_employees()?,
    };
    let live = received.whole && punches.len() <= LIVE_ROWS;
    let is_trusted = trust(&received.serial, punches, directory, ledger)?;
    let mut observations = Vec::with_capacity(punches.len());
    for (punch, _) in punches {
        let mut observation = Observation::new((*punch).clone(), received.received_at);
        (observation.live, observation.is_trusted, observation.role) = (live, is_trusted, directory.role);
        observation.site = directory.device.site.as_deref().map(Into::into);
        observation.registered = !hold_unknown || ledger.employee(&punch.pin.to_text())?.is_some();
        observations.push(observation);
    }
    Ok(observations)
}

/// Whether the states of the terminal say something, these among them.
fn trust<L: Ledger>(
    serial: &SerialNumber,
    punches: &[(&RawPunch, &[u8])],
    directory: &Directory,
    ledger: &mut L,
) -> Result<bool, L::Error> {
    if directory.rules.timeline.direction == DirectionRule::Alternate {
        return Ok(false);
    }
    let known = ledger.trust(serial)?;
    let mut trust = known.clone();
    punches.iter().for_each(|(punch, _)| trust.observe(&punch.pin, punch.status));
    if trust != known {
        ledger.keep_trust(serial, &trust)?;
    }
    Ok(trust.is_trusted())
}

fn standing((observation, order): (&Observation, u64)) -> Standing {
    let person = observation.person.clone().unwrap_or_else(|| Person::of_pin(&observation.raw.pin));
    let site = observation.site.as_deref().map(ToOwned::to_owned);
    let (role, is_trusted) = (observation.role, observation.is_trusted);
    Standing { person, site, order, role, is_trusted }
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
            // An identity that another program made is no neighbour.
            if normalizer.recall(person, &known.serial, known.site.as_deref(), known.mark.clone()).is_ok() {
                found.insert(known.mark.event_id.clone(), known);
            }
        }
    }
    Ok(found)
}
