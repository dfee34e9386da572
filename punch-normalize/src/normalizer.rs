use alloc::borrow::Cow;
use alloc::collections::{BTreeMap, BTreeSet};
use alloc::format;
use alloc::vec::Vec;
use core::fmt;

use chrono::{DateTime, Utc};
use punch_protocol::SerialNumber;

use crate::dating::{self, Dated};
use crate::saved::{Numbers, SavedNormalizer, SavedNormalizerError};
use crate::timeline::{Change, Finding, ForeignId, History, Mark, Place, Schedule, TimelineRules};
use crate::{DuplicateKind, EventId, Observation, Person, Rules, TenantKey, Verdict};

/// Turns rows into verdicts. It never fails and always explains.
///
/// It remembers each person's punches until [`forget_before`](Self::forget_before). A store can keep all of it with
/// [`save`](Self::save), or give it back the punches around a row with [`recall`](Self::recall). Its verdicts depend on
/// nothing but the key, what it remembers, and the arguments.
///
/// A row can change what was found of others: [`revised`](Self::revised) says so.
pub struct Normalizer {
    key: TenantKey,
    people: BTreeMap<Person, History>,
    schedules: BTreeMap<Person, Schedule>,
    devices: Numbers,
    sites: Numbers,
    revised: Vec<Change>,
}

impl Normalizer {
    /// Terminals, and sites, that are told apart. Those beyond count as one.
    pub const PLACES_MAX: u16 = u16::MAX;

    /// Starts with an empty memory.
    pub fn new(key: TenantKey) -> Self {
        Self {
            key,
            people: BTreeMap::new(),
            schedules: BTreeMap::new(),
            devices: Numbers::default(),
            sites: Numbers::default(),
            revised: Vec::new(),
        }
    }

    /// Judges one row that came alone.
    ///
    /// A row of an upload with several belongs in [`observe_all`](Self::observe_all), where its neighbours
    /// help to date it.
    pub fn observe(&mut self, rules: &Rules, observation: Observation) -> Verdict {
        let row = dating::date_alone(&self.key, rules, observation);
        let mut taken = self.take(&rules.timeline, core::slice::from_ref(&row));
        verdict(row, 0, &mut taken)
    }

    /// Judges the rows of one upload, given in the order the terminal sent them.
    ///
    /// The verdicts come in time order, ties in the order given; each carries the index of its row. The order
    /// of the rows decides nothing else than which of two repeated hours a row belongs to, and which of two rows of one
    /// second is the first.
    pub fn observe_all(&mut self, rules: &Rules, observations: Vec<Observation>) -> Vec<(usize, Verdict)> {
        let dated = self.date(rules, observations);
        self.settle(&rules.timeline, dated)
    }

    /// The first half of [`observe_all`](Self::observe_all): identities and instants, in the order given. A store that
    /// recalls punches learns from them which.
    pub fn date(&self, rules: &Rules, observations: Vec<Observation>) -> Vec<Dated> {
        dating::date(&self.key, rules, observations)
    }

    /// The second half of [`observe_all`](Self::observe_all): verdicts, in time order, with the index of each row.
    pub fn settle(&mut self, rules: &TimelineRules, rows: Vec<Dated>) -> Vec<(usize, Verdict)> {
        let mut taken = self.take(rules, &rows);
        let mut rows: Vec<(usize, Dated)> = rows.into_iter().enumerate().collect();
        rows.sort_by_key(|(index, row)| (row.punch.punched_at, *index));
        rows.into_iter().map(|(index, row)| (index, verdict(row, index, &mut taken))).collect()
    }

    /// What the last call changed about punches that were known before it, in time order for each person.
    pub fn revised(&self) -> &[Change] {
        &self.revised
    }

    /// Gives a person shifts of their own, for [`DirectionRule::Schedule`](crate::timeline::DirectionRule::Schedule), in
    /// the place of those of the rules.
    pub fn assign(&mut self, person: Person, schedule: Schedule) {
        self.schedules.insert(person, schedule);
    }

    /// Recalls a punch that was judged in an earlier life, in any order, any number of times: the last time counts. Its
    /// place is made of the terminal and the site.
    ///
    /// To judge a row, what has to be recalled are the person's punches as far around it as one can say something of
    /// another: back to a pause longer than [`TimelineRules::max_shift`], and forward to the first behind such a pause.
    ///
    /// # Errors
    ///
    /// [`ForeignId`] if the identity has another form than those made here.
    pub fn recall(
        &mut self,
        person: &Person,
        serial: &SerialNumber,
        site: Option<&str>,
        mut mark: Mark,
    ) -> Result<(), ForeignId> {
        mark.place = self.place(serial, site);
        self.people.entry(person.clone()).or_default().recall(&mark)
    }

    /// Dates rows anew that became punches of this person: another zone applies, or the clock is known better. What is
    /// found of each now, in the order given; `None` of one that is not remembered. [`revised`](Self::revised) has what is
    /// different, of these and of those around them.
    pub fn redate(&mut self, person: &Person, rows: &[Dated], rules: &TimelineRules) -> Vec<Option<Finding>> {
        self.revised.clear();
        let marks: Vec<Mark> = rows.iter().map(|row| self.mark(row)).collect();
        let rules = of_person(&self.schedules, person, rules);
        let Some(history) = self.people.get_mut(person) else { return Vec::new() };
        let was_published = |mark: Mark| Mark { is_published: history.is_published(&mark.event_id), ..mark };
        let marks: Vec<Mark> = marks.into_iter().map(was_published).collect();
        // Whoever has another form of identity is not remembered.
        self.revised = history.redate(marks, &rules).unwrap_or_default();
        let found: BTreeMap<EventId, Finding> = history.findings(&rules).into_iter().collect();
        rows.iter().map(|row| found.get(&row.punch.event_id).cloned()).collect()
    }

    /// Time goes by: nothing more from before `instant` is waited for, so whoever has not left for longer than any shift
    /// has forgotten to say so. [`revised`](Self::revised) has what that changes.
    pub fn pass(&mut self, instant: DateTime<Utc>, rules: &TimelineRules) {
        self.revised.clear();
        for (person, history) in &mut self.people {
            self.revised.extend(history.pass(instant, &of_person(&self.schedules, person, rules)));
        }
    }

    /// [Passes](Self::pass) the time, and forgets what can no longer change, which bounds the memory: see
    /// [`History::forget_before`].
    ///
    /// A forgotten row that is sent again counts as fresh, so the store must catch it by its id.
    pub fn forget_before(&mut self, instant: DateTime<Utc>, rules: &TimelineRules) {
        self.revised.clear();
        for (person, history) in &mut self.people {
            self.revised.extend(history.forget_before(instant, &of_person(&self.schedules, person, rules)));
        }
        self.people.retain(|_, history| !history.is_empty());
    }

    /// How many rows are remembered, kept and suppressed ones together.
    pub fn len(&self) -> usize {
        self.people.values().map(History::len).fold(0, usize::saturating_add)
    }

    /// Whether nothing is remembered.
    pub fn is_empty(&self) -> bool {
        self.people.is_empty()
    }

    /// All that is remembered, for a store. Shifts of people are not: they are [assigned](Self::assign) again.
    pub fn save(&self) -> SavedNormalizer {
        SavedNormalizer::new(self.devices.clone(), self.sites.clone(), self.people.clone())
    }

    /// Goes on where another life left off.
    ///
    /// # Errors
    ///
    /// [`SavedNormalizerError`] if it was saved by another version.
    pub fn restore(key: TenantKey, saved: SavedNormalizer) -> Result<Self, SavedNormalizerError> {
        let (devices, sites, people) = saved.open()?;
        Ok(Self { devices, sites, people, ..Self::new(key) })
    }

    fn place(&mut self, serial: &SerialNumber, site: Option<&str>) -> Place {
        let device = self.devices.of(serial.as_str());
        // A terminal without a site is at none with others.
        let own = format!("\0{serial}");
        Place { device, site: self.sites.of(site.unwrap_or(&own)) }
    }

    fn mark(&mut self, row: &Dated) -> Mark {
        let Dated { punch, site, role, is_trusted, manual, order, .. } = row;
        Mark {
            place: self.place(&punch.serial, site.as_deref()),
            order: *order,
            status: punch.status,
            is_trusted: *is_trusted,
            role: *role,
            manual: *manual,
            ..Mark::new(punch.event_id.clone(), punch.punched_at, punch.local_time.naive_local())
        }
    }

    /// Takes the rows into the histories, and says what is found of each. Those of one person are taken together.
    fn take(&mut self, rules: &TimelineRules, rows: &[Dated]) -> Taken {
        self.revised.clear();
        let mut taken = Taken::default();
        let mut fresh = BTreeMap::<EventId, usize>::new();
        let mut people = BTreeMap::<&Person, Vec<Mark>>::new();
        for (index, row) in rows.iter().enumerate() {
            let id = &row.punch.event_id;
            let is_known = self.people.get(&row.person).is_some_and(|history| history.has(id));
            // A settled row stays settled, even if its badge has been withdrawn since.
            if is_known || fresh.contains_key(id) {
                taken.replays.insert(index);
            } else if row.hold.is_none() {
                fresh.insert(id.clone(), index);
                let mark = self.mark(row);
                people.entry(&row.person).or_default().push(mark);
            }
        }
        for (person, marks) in people {
            let rules = of_person(&self.schedules, person, rules);
            let history = self.people.entry(person.clone()).or_default();
            // The identities were made here, in the one form that a history takes.
            for change in history.take(marks, &rules).unwrap_or_default() {
                match fresh.get(&change.event_id) {
                    Some(&index) => drop(taken.found.insert(index, change.new)),
                    None => self.revised.push(change),
                }
            }
        }
        taken
    }
}

/// What became of the rows of one call, by their places.
#[derive(Default)]
struct Taken {
    found: BTreeMap<usize, Finding>,
    replays: BTreeSet<usize>,
}

fn verdict(row: Dated, index: usize, taken: &mut Taken) -> Verdict {
    let Dated { mut punch, hold, .. } = row;
    let event_id = punch.event_id.clone();
    if let Some(reason) = hold.filter(|_| !taken.replays.contains(&index)) {
        return Verdict::Held { event_id, reason };
    }
    match taken.found.remove(&index) {
        Some(finding) => match finding.duplicate_of.clone() {
            Some(of) => {
                punch.exceptions = finding.exceptions;
                Verdict::Duplicate { event_id, of, kind: DuplicateKind::Bounce, punch }
            }
            None => {
                punch.mean(&finding);
                Verdict::Fresh(punch)
            }
        },
        None => Verdict::Duplicate { of: event_id.clone(), event_id, kind: DuplicateKind::Replay, punch },
    }
}

/// Everybody's rules, with the shifts of this person.
fn of_person<'r>(
    schedules: &BTreeMap<Person, Schedule>,
    person: &Person,
    rules: &'r TimelineRules,
) -> Cow<'r, TimelineRules> {
    match schedules.get(person) {
        None => Cow::Borrowed(rules),
        Some(schedule) => Cow::Owned(TimelineRules { schedule: schedule.clone(), ..rules.clone() }),
    }
}

impl fmt::Debug for Normalizer {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.debug_struct("Normalizer").field("people", &self.people.len()).finish_non_exhaustive()
    }
}
