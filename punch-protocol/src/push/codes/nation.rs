use crate::named::named_numbers;

/// The nation on a Chinese identity card (`Nation` of `IDCARD`), in the order of the national standard.
///
/// 18 to 55 follow that standard and have no text here.
///
/// ```
/// use punch_protocol::push::Nation;
///
/// assert_eq!(Nation(1), Nation::HAN);
/// assert_eq!(Nation(20).to_string(), "nation 20");
/// ```
#[derive(Debug, Clone, Copy, PartialEq, Eq, PartialOrd, Ord, Hash)]
#[expect(clippy::exhaustive_structs, reason = "an integer with names; it never grows a field")]
pub struct Nation(pub u16);

named_numbers! { Nation(u16), "nation":
    0 DECODE_ERROR "not decoded"
    1 HAN "Han"
    2 MONGOL "Mongol"
    3 HUI "Hui"
    4 TIBETAN "Tibetan"
    5 UYGHUR "Uyghur"
    6 MIAO "Miao"
    7 YI "Yi"
    8 ZHUANG "Zhuang"
    9 BOUYEI "Bouyei"
    10 KOREAN "Korean"
    11 MANCHU "Manchu"
    12 DONG "Dong"
    13 YAO "Yao"
    14 BAI "Bai"
    15 TUJIA "Tujia"
    16 HANI "Hani"
    17 KAZAKH "Kazakh"
    56 JINO "Jino"
    57 ENCODE_ERROR "not encoded"
    97 OTHER "other"
    98 FOREIGN "foreign origin"
}
