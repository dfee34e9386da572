use core::net::IpAddr;

use chrono::{DateTime, Utc};

/// Something that a terminal has said more than once in the same way, and what was made of it.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct Encounter {
    /// What it asked or sent, such as `handshake` or `upload ATTLOG`.
    pub what: String,
    /// What was made of it: `served`, or why not.
    pub outcome: &'static str,
    /// When first.
    pub first_at: DateTime<Utc>,
    /// When last.
    pub last_at: DateTime<Utc>,
    /// How often.
    pub count: u64,
    /// From which address last.
    pub last_from: IpAddr,
}

/// What was seen of one terminal since the start, by kind; the kinds that were seen longest ago make room for others.
#[derive(Debug, Clone, Default)]
pub struct Encounters(Vec<Encounter>);

impl Encounters {
    /// Kinds that are remembered.
    pub const MAX: usize = 32;

    /// Something was seen.
    pub fn note(&mut self, what: &str, outcome: &'static str, from: IpAddr, now: DateTime<Utc>) {
        let known = self.0.iter_mut().find(|seen| seen.outcome == outcome && seen.what == what);
        if let Some(seen) = known {
            (seen.last_at, seen.last_from, seen.count) = (now, from, seen.count.saturating_add(1));
            return;
        }
        if self.0.len() >= Self::MAX {
            let oldest = self.0.iter().enumerate().min_by_key(|(_, seen)| seen.last_at).map(|(index, _)| index);
            oldest.map(|oldest| self.0.swap_remove(oldest));
        }
        let what = what.to_owned();
        self.0.push(Encounter { what, outcome, first_at: now, last_at: now, count: 1, last_from: from });
    }

    /// All of them, the latest first.
    pub fn latest_first(&self) -> Vec<Encounter> {
        let mut all = self.0.clone();
        all.sort_by(|one, other| other.last_at.cmp(&one.last_at).then_with(|| one.what.cmp(&other.what)));
        all
    }
}

#[cfg(test)]
mod tests {
    use core::net::{IpAddr, Ipv4Addr};

    use chrono::{DateTime, TimeDelta};

    use super::Encounters;

    #[test]
    fn what_is_seen_again_is_counted_and_what_is_long_ago_makes_room() {
        let at = |seconds: i64| DateTime::UNIX_EPOCH + TimeDelta::seconds(seconds);
        let from = |last| IpAddr::V4(Ipv4Addr::new(192, 0, 2, last));
        let mut seen = Encounters::default();
        seen.note("poll", "served", from(1), at(0));
        seen.note("handshake", "pending", from(1), at(1));
        seen.note("poll", "served", from(2), at(2));
        assert_eq!(seen.latest_first()[0].last_from, from(2));
        let told: Vec<_> = seen.latest_first().into_iter().map(|seen| (seen.what, seen.outcome, seen.count)).collect();
        assert_eq!(told, [("poll".to_owned(), "served", 2), ("handshake".to_owned(), "pending", 1)]);
        for kind in 0..40 {
            seen.note(&format!("upload {kind}"), "served", from(1), at(3 + kind));
        }
        let told = seen.latest_first();
        assert_eq!((told.len(), told[0].what.as_str()), (Encounters::MAX, "upload 39"));
        assert!(told.iter().all(|seen| seen.what != "handshake"));
    }
}
