use memchr::memchr_iter;

/// Where the values lie that every reader of an access event asks for: found in one pass over the row.
///
/// Start and end of each, as four bytes, so that an event is no larger than a punch. No value starts at 0.
#[derive(Clone, Copy)]
pub(super) struct EventKeys([(u32, u32); 5]);

/// A key that is looked for, by its place in [`EventKeys`].
#[derive(Clone, Copy)]
pub(super) enum EventKey {
    Time,
    Pin,
    Event,
    Side,
    Verify,
}

impl EventKey {
    const ALL: [Self; 5] = [Self::Time, Self::Pin, Self::Event, Self::Side, Self::Verify];

    fn name(self) -> &'static [u8] {
        match self {
            Self::Time => b"time",
            Self::Pin => b"pin",
            Self::Event => b"event",
            Self::Side => b"inoutstatus",
            Self::Verify => b"verifytype",
        }
    }

    /// The key of a field, and the bytes before its value.
    fn of(field: &[u8]) -> Option<(Self, usize)> {
        // As terminals spell them; comparing with constants costs next to nothing.
        match field {
            [b't', b'i', b'm', b'e', b'=', ..] => Some((Self::Time, 5)),
            [b'p', b'i', b'n', b'=', ..] => Some((Self::Pin, 4)),
            [b'e', b'v', b'e', b'n', b't', b'=', ..] => Some((Self::Event, 6)),
            [b'i', b'n', b'o', ..] if field.starts_with(b"inoutstatus=") => Some((Self::Side, 12)),
            [b'v', b'e', b'r', ..] if field.starts_with(b"verifytype=") => Some((Self::Verify, 11)),
            [b't' | b'T' | b'p' | b'P' | b'e' | b'E' | b'i' | b'I' | b'v' | b'V', ..] => Self::of_any_case(field),
            _ => None,
        }
    }

    fn of_any_case(field: &[u8]) -> Option<(Self, usize)> {
        Self::ALL.into_iter().find_map(|key| {
            let (start, tail) = field.split_at_checked(key.name().len())?;
            let ends = tail.first().is_none_or(|byte| *byte == b'=');
            let skip = key.name().len().saturating_add(1);
            (ends && start.eq_ignore_ascii_case(key.name())).then_some((key, skip))
        })
    }
}

impl EventKeys {
    /// Finds the first pair of each key. `None` if the line is longer than four bytes can say.
    pub(super) fn find(line: &[u8], separator: u8) -> Option<Self> {
        u32::try_from(line.len()).ok()?;
        let mut keys = Self([(0, 0); 5]);
        let mut missing = EventKey::ALL.len();
        let mut start = 0;
        for end in memchr_iter(separator, line).chain([line.len()]) {
            let found = EventKey::of(line.get(start..end).unwrap_or_default());
            let place = found.and_then(|(key, skip)| Some((keys.0.get_mut(key as usize)?, skip)));
            if let Some((place, skip)) = place.filter(|(place, _)| place.0 == 0) {
                // Behind the key, or at the end of a key without a value.
                let value = start.saturating_add(skip).min(end);
                *place = (u32::try_from(value).ok()?, u32::try_from(end).ok()?);
                missing = missing.saturating_sub(1);
                if missing == 0 {
                    break;
                }
            }
            start = end.saturating_add(1);
        }
        Some(keys)
    }

    /// The value of `key` in the line that was searched.
    pub(super) fn value<'a>(&self, key: EventKey, line: &'a [u8]) -> Option<&'a [u8]> {
        let (start, end) = self.0.get(key as usize).copied().filter(|(start, _)| *start > 0)?;
        line.get(usize::try_from(start).ok()?..usize::try_from(end).ok()?)
    }
}
