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
