use crate::named::named_numbers;

/// The language of a terminal's menus (`language` of the handshake): the character code of a letter.
///
/// The text is the language tag (BCP 47).
///
/// ```
/// use punch_protocol::push::Language;
///
/// assert_eq!(Language(97), Language::SPANISH);
/// assert_eq!(Language(97).text(), Some("es"));
/// assert_eq!(Language(88).to_string(), "language 88");
/// ```
#[derive(Debug, Clone, Copy, PartialEq, Eq, PartialOrd, Ord, Hash)]
#[expect(clippy::exhaustive_structs, reason = "an integer with names; it never grows a field")]
pub struct Language(pub u32);

named_numbers! { Language(u32), "language":
    65 PERSIAN "fa"
    66 ARABIC "ar"
    68 DUTCH "nl"
    69 ENGLISH "en"
    70 FRENCH "fr"
    71 GERMAN "de"
    72 HEBREW "he"
    73 INDONESIAN "id"
    74 JAPANESE "ja"
    75 KOREAN "ko"
    76 THAI "th"
    80 PORTUGUESE "pt"
    82 RUSSIAN "ru"
    83 SIMPLIFIED_CHINESE "zh-CN"
    84 TRADITIONAL_CHINESE "zh-TW"
    86 VIETNAMESE "vi"
    89 SLOVAK "sk"
    90 CZECH "cs"
    97 SPANISH "es"
    103 GREEK "el"
    105 ITALIAN "it"
    112 POLISH "pl"
    116 TURKISH "tr"
}

impl Language {
    /// Whether names come in the Chinese code page unless they read as UTF-8.
    pub fn is_chinese(self) -> bool {
        matches!(self, Self::SIMPLIFIED_CHINESE | Self::TRADITIONAL_CHINESE)
    }
}
