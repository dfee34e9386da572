//! What a terminal on port 4370 has in its memory: the same seed gives the same people and the same punches.

use chrono::{NaiveDate, NaiveDateTime, TimeDelta};
use punch_protocol::tcp::{
    AttendanceLayout, AttendanceRecord, EncodedTime, Operation, OperationRecord, Person, Rights, Terminal, User,
    UserLayout, WriteError,
};
use punch_protocol::{Status, Verify};

use crate::world::Dice;

/// How much is in a memory.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub struct Backlog {
    /// People; their PINs count from 1001, their slots from 1.
    pub users: u16,
    /// Punches, of these people.
    pub records: u32,
    /// Seed of everything random.
    pub seed: u64,
}

/// One punch.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub struct Punched {
    /// The person's place in the table of users, from 1.
    pub slot: u16,
    /// The terminal's wall clock.
    pub time: NaiveDateTime,
    /// 0 in, 1 out.
    pub state: Status,
    /// Finger, password, card or face, by the numbers of newer units; finger or password in two bits.
    pub verify: Verify,
}

/// Names in two code pages, as they come in the field: none is longer than 8 bytes. `\xd5\xc5\xce\xb0` is 张伟 in GBK.
const NAMES: [&[u8]; 8] = [
    b"Ana",
    "Ñandú".as_bytes(),
    b"\xd5\xc5\xce\xb0",
    b"Omar",
    "José".as_bytes(),
    "李娜".as_bytes(),
    b"M. Silva",
    "Zoë".as_bytes(),
];

/// PIN of the person in a slot.
pub fn pin(slot: u16) -> u32 {
    1000 + u32::from(slot)
}

/// Name of the person in a slot, in whatever code page it was typed.
pub fn name(slot: u16) -> &'static [u8] {
    let place = usize::from(slot.saturating_sub(1)) % NAMES.len();
    NAMES.get(place).copied().unwrap_or_default()
}

/// When the last punch of every backlog was made.
pub fn end() -> NaiveDateTime {
    let day = NaiveDate::from_ymd_opt(2025, 10, 31).unwrap_or_default();
    day.and_hms_opt(18, 0, 0).unwrap_or_default()
}

impl Backlog {
    /// The punches in the order they were made, as a layout can hold them; the last one at [`end`].
    pub fn punches(self, layout: AttendanceLayout) -> impl Iterator<Item = Punched> {
        let verifies = match layout {
            AttendanceLayout::Flags8 => [Verify(1), Verify(3), Verify(1), Verify(1)],
            _ => [Verify(1), Verify(3), Verify(4), Verify(15)],
        };
        // The gaps are rolled once for their sum and once to be used, so that the last punch has a fixed time.
        let mut ahead = Dice::new(self.seed);
        let past: i64 = (0..self.records).skip(1).map(|_| gap(&mut ahead)).sum();
        let (mut gaps, mut dice) = (Dice::new(self.seed), Dice::new(!self.seed));
        let mut time = end() - TimeDelta::seconds(past);
        let users = u64::from(self.users.max(1));
        (0..self.records).map(move |number| {
            time += TimeDelta::seconds(if number == 0 { 0 } else { gap(&mut gaps) });
            let slot = u16::try_from(dice.below(users) + 1).unwrap_or(1);
            let state = if dice.below(2) == 0 { Status::CHECK_IN } else { Status::CHECK_OUT };
            let verify = usize::try_from(dice.below(4)).ok().and_then(|place| verifies.get(place));
            let verify = verify.copied().unwrap_or(Verify::FINGERPRINT);
            Punched { slot, time, state, verify }
        })
    }

    /// Puts people and punches into a terminal's memory.
    ///
    /// # Errors
    ///
    /// The terminal's profile has no room for them.
    pub fn fill(self, terminal: &mut Terminal) -> Result<(), WriteError> {
        let profile = *terminal.profile();
        let memory = terminal.memory_mut();
        for slot in 1..=self.users {
            let mut user = User::new(slot, person(slot, profile.users == UserLayout::Number28));
            user.name = name(slot);
            // Somebody has to hold the key of the menu.
            user.rights = Rights(if slot == 1 { 14 } else { 0 });
            memory.write_user(&user)?;
        }
        if let Some(time) = EncodedTime::of(end()) {
            memory.log(&OperationRecord::new(Operation::POWER_ON, time))?;
        }
        for punch in self.punches(profile.attendance) {
            memory.keep(&punch.record(profile.attendance))?;
        }
        Ok(())
    }
}

impl Punched {
    /// The record of this punch.
    pub fn record(&self, layout: AttendanceLayout) -> AttendanceRecord<'static> {
        let who = match layout {
            AttendanceLayout::Packed8 | AttendanceLayout::Flags8 => Person::Slot(self.slot),
            _ => person(self.slot, layout == AttendanceLayout::Number16),
        };
        let time = EncodedTime::of(self.time).unwrap_or(EncodedTime(0));
        let mut record = AttendanceRecord::new(who, time, self.state, self.verify);
        record.slot = Some(self.slot);
        record
    }
}

fn person(slot: u16, as_number: bool) -> Person<'static> {
    let number = Person::Number(pin(slot));
    if as_number { number } else { number.pin().map_or(number, Person::Pin) }
}

/// Seconds between two punches.
fn gap(dice: &mut Dice) -> i64 {
    i64::try_from(dice.below(89)).unwrap_or(0) + 1
}
