use alloc::borrow::ToOwned;
use alloc::string::String;

/// What a terminal tells about itself in a poll (`INFO=…`): positions by the vendor manual, all optional.
///
/// ```
/// use punch_protocol::push::Info;
///
/// let info = Info::parse("Ver 8.0.4.2-20190708,3,2,120,192.168.1.201,10,7,15,11,111");
/// assert_eq!((info.users, info.punches), (Some(3), Some(120)));
/// assert!(info.functions.unwrap().face);
/// ```
#[derive(Debug, Clone, Default, PartialEq, Eq)]
#[non_exhaustive]
pub struct Info {
    /// Firmware version.
    pub firmware: Option<String>,
    /// Registered users.
    pub users: Option<u32>,
    /// Enrolled fingers.
    pub fingerprints: Option<u32>,
    /// Punches in memory.
    pub punches: Option<u32>,
    /// Address in its own network.
    pub address: Option<String>,
    /// Version of the finger algorithm.
    pub finger_algorithm: Option<String>,
    /// Version of the face algorithm; `-1` if it has none.
    pub face_algorithm: Option<String>,
    /// Pictures one face takes.
    pub faces_per_user: Option<u32>,
    /// Enrolled faces.
    pub faces: Option<u32>,
    /// What the hardware can do.
    pub functions: Option<Functions>,
    /// Enrolled cards.
    pub cards: Option<u32>,
    /// Pictures of users.
    pub user_pictures: Option<u32>,
    /// Photos of punches.
    pub punch_photos: Option<u32>,
}

/// Function bits of [`Info`], leftmost first.
#[derive(Debug, Clone, Copy, Default, PartialEq, Eq)]
#[non_exhaustive]
pub struct Functions {
    /// Fingerprints.
    pub fingerprint: bool,
    /// Faces.
    pub face: bool,
    /// Pictures of users.
    pub user_picture: bool,
    /// Comparison photos; `None` if the firmware ends before the bit.
    pub comparison_photo: Option<bool>,
    /// Templates of faces in visible light; `None` if the firmware ends before the bit.
    pub visible_light: Option<bool>,
}

impl Info {
    /// Reads the value positionally; fields that do not read are `None`.
    pub fn parse(value: &str) -> Self {
        let mut fields = value.split(',');
        let mut text = || fields.next().filter(|field| !field.is_empty());
        let owned = |field: Option<&str>| field.map(ToOwned::to_owned);
        let number = |field: Option<&str>| field.and_then(|field| field.trim().parse().ok());
        Self {
            firmware: owned(text()),
            users: number(text()),
            fingerprints: number(text()),
            punches: number(text()),
            address: owned(text()),
            finger_algorithm: owned(text()),
            face_algorithm: owned(text()),
            faces_per_user: number(text()),
            faces: number(text()),
            functions: text().and_then(Functions::parse),
            cards: number(text()),
            user_pictures: number(text()),
            punch_photos: number(text()),
        }
    }
}

impl Functions {
    fn parse(bits: &str) -> Option<Self> {
        if !bits.bytes().all(|bit| matches!(bit, b'0' | b'1')) {
            return None;
        }
        let later = |index: usize| bits.as_bytes().get(index).map(|bit| *bit == b'1');
        let bit = |index: usize| later(index).unwrap_or(false);
        Some(Self {
            fingerprint: bit(0),
            face: bit(1),
            user_picture: bit(2),
            comparison_photo: later(3),
            visible_light: later(4),
        })
    }
}
