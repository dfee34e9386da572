use core::fmt;

use chrono::{DateTime, TimeDelta, Utc};
use hmac::{Hmac, KeyInit as _, Mac as _};
use sha2::{Digest as _, Sha256};
use subtle::ConstantTimeEq as _;

/// How long somebody stays logged in.
pub(super) const SESSION: TimeDelta = TimeDelta::hours(12);

/// Somebody who is logged in.
#[derive(Debug, Clone, PartialEq, Eq)]
pub(super) struct Session {
    /// Random; it goes into the token of every form.
    pub(super) id: String,
    /// Until when, in seconds since 1970.
    pub(super) until: i64,
    /// The [mark](Seal::mark) of the API key that has let them in.
    pub(super) key: String,
}

impl Session {
    /// What the store keeps of it, which opens nothing.
    pub(super) fn kept_as(&self) -> [u8; 32] {
        Sha256::digest(self.id.as_bytes()).into()
    }

    /// The word for it in the audit log.
    pub(super) fn word(&self) -> String {
        hex(&self.kept_as()).chars().take(8).collect()
    }
}

/// What makes cookies and forms ours. It is keyed with a key that the store keeps for it.
#[derive(Clone)]
pub(super) struct Seal(Hmac<Sha256>);

impl Seal {
    pub(super) fn new(key: &[u8; 32]) -> Self {
        let mut padded = [0; 64];
        padded.iter_mut().zip(key).for_each(|(to, byte)| *to = *byte);
        // HMAC pads a key to its block with zeros, so this is the same key.
        Self(Hmac::new(&padded.into()))
    }

    /// The value of the cookie that says who is logged in.
    pub(super) fn write(&self, session: &Session) -> String {
        let Session { id, until, key } = session;
        let said = format!("{until}.{id}.{key}");
        format!("{said}.{}", self.sign("session", said.as_bytes()))
    }

    /// Who such a value says is logged in, if we wrote it and it has not run out.
    pub(super) fn read(&self, cookie: &str, now: DateTime<Utc>) -> Option<Session> {
        let (said, signature) = cookie.rsplit_once('.')?;
        if !bool::from(self.sign("session", said.as_bytes()).as_bytes().ct_eq(signature.as_bytes())) {
            return None;
        }
        let (until, rest) = said.split_once('.')?;
        let (id, key) = rest.split_once('.')?;
        let session = Session { id: id.to_owned(), until: until.parse().ok()?, key: key.to_owned() };
        (now.timestamp() < session.until).then_some(session)
    }

    /// What tells API keys apart, by what is stored of them, and says nothing about them.
    pub(super) fn mark(&self, key_hash: &[u8; 32]) -> String {
        self.sign("key", key_hash)
    }

    /// What a form of this visitor carries.
    pub(super) fn token(&self, visitor: &str) -> String {
        self.sign("form", visitor.as_bytes())
    }

    fn sign(&self, what: &str, said: &[u8]) -> String {
        let mut mac = self.0.clone();
        mac.update(what.as_bytes());
        mac.update(b"\0");
        mac.update(said);
        hex(&mac.finalize().into_bytes())
    }
}

impl fmt::Debug for Seal {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.write_str("Seal(..)")
    }
}

/// 128 random bits as text. `None` if the system has no random numbers.
pub(super) fn random() -> Option<String> {
    let mut bytes = [0; 16];
    getrandom::fill(&mut bytes).ok()?;
    Some(hex(&bytes))
}

fn hex(bytes: &[u8]) -> String {
    bytes.iter().map(|byte| format!("{byte:02x}")).collect()
}

#[cfg(test)]
mod tests {
    use chrono::DateTime;

    use super::{Seal, Session};

    #[test]
    fn a_session_is_believed_as_it_was_written_and_until_it_ends() {
        let at = |seconds| DateTime::from_timestamp(seconds, 0).unwrap();
        let seal = Seal::new(&[1; 32]);
        let session = Session { id: "a1".to_owned(), until: 100, key: seal.mark(&[7; 32]) };
        let cookie = seal.write(&session);
        assert_eq!(seal.read(&cookie, at(99)), Some(session.clone()));
        assert_eq!(seal.read(&cookie, at(100)), None, "it has ended");
        let longer = cookie.replace("100.", "999.");
        let other_key = cookie.replace(&session.key, &seal.mark(&[8; 32]));
        let token = format!("100.a1.{}.{}", session.key, seal.token(&format!("100.a1.{}", session.key)));
        for forged in ["", ".", "100.a1", "100.a1..", &longer, &other_key, &token, &cookie[..cookie.len() - 1]] {
            assert_eq!(seal.read(forged, at(99)), None, "{forged}");
        }
        assert_eq!(Seal::new(&[2; 32]).read(&cookie, at(99)), None, "written by another gateway");
    }
}
