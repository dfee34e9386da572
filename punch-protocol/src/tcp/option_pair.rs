use super::fields::until_nul;

/// An option by name, and its value if one is there: `~Platform=ZEM760_TFT`.
///
/// Names are ASCII; a value may be text in the terminal's code page. An option that a terminal does not have comes back
/// refused, with an empty value, or as its bare name.
///
/// ```
/// use punch_protocol::tcp::OptionPair;
///
/// let option = OptionPair::parse(b"LockOn=5\0").expect("an option");
/// assert_eq!((option.name(), option.value()), (&b"LockOn"[..], Some(&b"5"[..])));
/// assert_eq!(OptionPair::parse(b"~OS").and_then(OptionPair::value), None);
/// assert!(OptionPair::parse(b"\0\x01").is_none());
/// ```
#[derive(Clone, Copy, PartialEq, Eq)]
pub struct OptionPair<'a> {
    name: &'a [u8],
    value: Option<&'a [u8]>,
}

impl<'a> OptionPair<'a> {
    /// Reads the data of an option's question, answer or change: up to the first NUL, split at the first `=`. `None` if
    /// there is no name of printable ASCII.
    pub fn parse(data: &'a [u8]) -> Option<Self> {
        let text = until_nul(data);
        let mut parts = text.splitn(2, |byte| *byte == b'=');
        let (name, value) = (parts.next()?, parts.next());
        let named = !name.is_empty() && name.iter().all(u8::is_ascii_graphic);
        named.then_some(Self { name, value })
    }

    /// The name.
    pub fn name(self) -> &'a [u8] {
        self.name
    }

    /// The value; empty is a value, `None` is a bare name.
    pub fn value(self) -> Option<&'a [u8]> {
        self.value
    }
}

impl core::fmt::Debug for OptionPair<'_> {
    fn fmt(&self, f: &mut core::fmt::Formatter<'_>) -> core::fmt::Result {
        // A value may be a comm key.
        f.debug_struct("OptionPair").field("name_len", &self.name.len()).finish_non_exhaustive()
    }
}
