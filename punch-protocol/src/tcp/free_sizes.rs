use alloc::vec::Vec;

use super::fields::u32_at;

/// How many of everything a terminal holds, and how many it has room for.
///
/// Answers have 80, 92 or 112 bytes; some units send 4, and some say 0 records when there are some. What is not there is
/// `None`, and no count is a reason not to read.
///
/// ```
/// use punch_protocol::tcp::FreeSizes;
///
/// assert_eq!(FreeSizes::new(&[0; 4]).records(), None);
/// assert_eq!(FreeSizes::new(&[7; 80]).records(), Some(0x0707_0707));
/// ```
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub struct FreeSizes<'a>(&'a [u8]);

macro_rules! counts {
    ($($at:literal $name:ident $text:literal)+) => {
        $(
            #[doc = $text]
            pub fn $name(self) -> Option<u32> {
                u32_at(self.0, $at)
            }
        )+
    };
}

impl<'a> FreeSizes<'a> {
    /// Takes the data of the answer, of any length.
    pub fn new(data: &'a [u8]) -> Self {
        Self(data)
    }

    counts! {
        16 users "Users."
        24 fingers "Fingerprint templates."
        32 records "Attendance records."
        40 operations "Lines of the operation log."
        48 administrators "Administrators. Some programs take the number for cards."
        52 passwords "Users with a password."
        56 finger_capacity "Room for fingerprint templates."
        60 user_capacity "Room for users."
        64 record_capacity "Room for attendance records."
        68 fingers_free "Room left for fingerprint templates."
        72 users_free "Room left for users."
        76 records_free "Room left for attendance records."
        80 faces "Face templates, from 84 bytes on."
        88 face_capacity "Room for face templates, from 92 bytes on."
    }
}

/// The counts and capacities of a terminal, to be written as the answer that [`FreeSizes`] reads.
///
/// ```
/// use punch_protocol::tcp::{FreeSizes, Sizes};
///
/// let sizes = Sizes { records: 1200, record_capacity: 100_000, ..Sizes::default() };
/// let mut out = Vec::new();
/// sizes.write(80, &mut out);
/// let read = FreeSizes::new(&out);
/// assert_eq!((read.records(), read.records_free(), read.faces()), (Some(1200), Some(98_800), None));
/// ```
#[derive(Debug, Clone, Copy, PartialEq, Eq, Default)]
#[expect(clippy::exhaustive_structs, reason = "built with struct update syntax")]
pub struct Sizes {
    /// Users.
    pub users: u32,
    /// Fingerprint templates.
    pub fingers: u32,
    /// Attendance records.
    pub records: u32,
    /// Lines of the operation log.
    pub operations: u32,
    /// Administrators.
    pub administrators: u32,
    /// Users with a password.
    pub passwords: u32,
    /// Face templates.
    pub faces: u32,
    /// Room for users.
    pub user_capacity: u32,
    /// Room for fingerprint templates.
    pub finger_capacity: u32,
    /// Room for attendance records.
    pub record_capacity: u32,
    /// Room for face templates.
    pub face_capacity: u32,
}

impl Sizes {
    /// Appends an answer of `len` bytes, whole words of it. What is free is computed; words of unknown meaning are 0.
    pub fn write(&self, len: usize, out: &mut Vec<u8>) {
        let fingers_free = self.finger_capacity.saturating_sub(self.fingers);
        let users_free = self.user_capacity.saturating_sub(self.users);
        let records_free = self.record_capacity.saturating_sub(self.records);
        let counts = [self.users, 0, self.fingers, 0, self.records, 0, self.operations, 0, self.administrators];
        let room = [self.finger_capacity, self.user_capacity, self.record_capacity];
        let rest = [fingers_free, users_free, records_free, self.faces, 0, self.face_capacity];
        let words = [0; 4].into_iter().chain(counts).chain([self.passwords]).chain(room).chain(rest);
        let words = words.chain(core::iter::repeat(0)).take(len / 4);
        out.extend(words.flat_map(u32::to_le_bytes));
    }
}
