use super::error::DataError;
use super::fields::{array_at, u16_at};

/// What stands in front of a template in a list of templates. The template itself is counted, never given out.
///
/// ```
/// use punch_protocol::tcp::TemplateHead;
///
/// let head = TemplateHead::parse(&[0xc4, 0x04, 0x0e, 0, 4, 1])?;
/// assert_eq!((head.slot, head.finger, head.template_len()), (14, 4, 1214));
/// # Ok::<(), punch_protocol::tcp::DataError>(())
/// ```
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
#[non_exhaustive]
pub struct TemplateHead {
    /// Bytes of the entry, this head included.
    pub size: u16,
    /// The person's place in the table of users.
    pub slot: u16,
    /// The finger, 0 to 9.
    pub finger: u8,
    /// 0 invalid, 1 valid, 3 duress.
    pub validity: u8,
}

impl TemplateHead {
    /// Bytes of the head.
    pub const LEN: usize = 6;

    /// Reads the head of the entry at the beginning of `bytes`.
    ///
    /// # Errors
    ///
    /// [`DataError::Length`] if there are fewer than six bytes, [`DataError::TemplateSize`] if the entry says that it is
    /// shorter than its own head.
    pub fn parse(bytes: &[u8]) -> Result<Self, DataError> {
        let read = || {
            let [finger, validity] = array_at(bytes, 4)?;
            Some(Self { size: u16_at(bytes, 0)?, slot: u16_at(bytes, 2)?, finger, validity })
        };
        let cut = DataError::Length { what: "template entry", len: bytes.len(), expected: "6 at least" };
        let head = read().ok_or(cut)?;
        if usize::from(head.size) < Self::LEN {
            return Err(DataError::TemplateSize { size: head.size });
        }
        Ok(head)
    }

    /// Bytes of the template.
    pub fn template_len(self) -> usize {
        usize::from(self.size).saturating_sub(Self::LEN)
    }

    /// The heads of a list of templates, without its length in front. An entry that does not read is the last.
    pub fn list(mut entries: &[u8]) -> impl Iterator<Item = Result<Self, DataError>> {
        core::iter::from_fn(move || {
            if entries.is_empty() {
                return None;
            }
            let head = Self::parse(entries).and_then(|head| {
                entries = entries.get(usize::from(head.size)..).ok_or(DataError::Length {
                    what: "template entry",
                    len: entries.len(),
                    expected: "as many as it says",
                })?;
                Ok(head)
            });
            if head.is_err() {
                entries = &[];
            }
            Some(head)
        })
    }
}
