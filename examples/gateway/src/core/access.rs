//! From where, and under which path, a terminal may call.

use core::fmt;
use core::net::IpAddr;

use sha2::{Digest as _, Sha256};
use subtle::ConstantTimeEq as _;

use super::Networks;

/// From where, and under which path, a terminal may call. A serial number is printed on the case; these are not.
#[derive(Debug, Clone, Default, PartialEq, Eq)]
pub struct Access {
    /// The networks it calls from. Without any it may call from everywhere.
    pub allow: Networks,
    /// What its path begins with. Without one it may be anything.
    pub token: Option<PathToken>,
}

/// What the path of a terminal has to begin with: `/TOKEN/iclock/…`. Only its hash is kept, and `Debug` shows nothing.
#[derive(Clone, Copy, PartialEq, Eq)]
pub struct PathToken([u8; 32]);

impl PathToken {
    /// Shortest token, in bytes: one that is guessed keeps nobody out.
    pub const MIN: usize = 16;

    /// Longest token, in bytes.
    pub const MAX: usize = 64;

    /// Takes a token.
    ///
    /// # Errors
    ///
    /// What is wrong, without the text.
    pub fn new(text: &str) -> Result<Self, &'static str> {
        let is_plain = text.bytes().all(|byte| byte.is_ascii_alphanumeric() || matches!(byte, b'-' | b'_'));
        if !is_plain || !(Self::MIN..=Self::MAX).contains(&text.len()) {
            return Err("expected 16 to 64 letters, digits, `-` and `_`, which a terminal's menu can take as a path");
        }
        Ok(Self::of(text))
    }

    /// One that was kept.
    pub fn from_hash(hash: [u8; 32]) -> Self {
        Self(hash)
    }

    /// What is kept of it.
    pub fn hash(&self) -> &[u8; 32] {
        &self.0
    }

    /// Whether a text is it. How long that takes does not tell how much of it was right.
    pub fn is(&self, text: &str) -> bool {
        Self::of(text).0.ct_eq(&self.0).into()
    }

    fn of(text: &str) -> Self {
        Self(Sha256::digest(text.as_bytes()).into())
    }

    /// Whether a path begins with it.
    fn opens(&self, path: &str) -> bool {
        let first = path.strip_prefix('/').and_then(|rest| rest.split('/').next()).unwrap_or_default();
        self.is(first)
    }
}

impl fmt::Debug for PathToken {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.write_str("PathToken(..)")
    }
}

impl Access {
    /// Why a call is turned away, by the word for it; `None` if it is let in.
    pub fn bars(&self, from: IpAddr, path: &str) -> Option<&'static str> {
        if !self.allow.is_empty() && !self.allow.contain(from) {
            return Some("wrong_source");
        }
        self.token.filter(|token| !token.opens(path)).map(|_| "wrong_path")
    }
}

#[cfg(test)]
mod tests {
    use super::{Access, PathToken};
    use crate::core::Networks;

    const TOKEN: &str = "Zx9_fourteen-and-more";

    #[test]
    fn a_call_is_let_in_from_its_networks_and_under_its_path() {
        let ip = |text: &str| text.parse().unwrap();
        let everywhere = Access::default();
        assert_eq!(everywhere.bars(ip("203.0.113.1"), "/iclock/cdata"), None);
        let token = PathToken::new(TOKEN).unwrap();
        let access = Access { allow: Networks::parse(&["10.1.0.0/16"]).unwrap(), token: Some(token) };
        let good = format!("/{TOKEN}/iclock/cdata");
        assert_eq!(access.bars(ip("10.1.2.3"), &good), None);
        assert_eq!(access.bars(ip("10.2.0.1"), &good), Some("wrong_source"));
        let short = &TOKEN[1..];
        for path in ["/iclock/cdata", "", "/", TOKEN, &format!("/x/{TOKEN}/iclock/cdata"), &format!("/{short}/iclock")]
        {
            assert_eq!(access.bars(ip("10.1.2.3"), path), Some("wrong_path"), "{path}");
        }
        assert!(!format!("{access:?}").contains(TOKEN));
    }

    #[test]
    fn a_token_that_is_guessed_or_that_no_menu_takes_is_refused() {
        for wrong in ["", "fifteen-letters", "sixteen letters.", "with/a/slash-in-it", &"x".repeat(65)] {
            assert!(PathToken::new(wrong).unwrap_err().contains("16 to 64"), "{wrong}");
        }
        assert_eq!(PathToken::from_hash(*PathToken::new(TOKEN).unwrap().hash()), PathToken::new(TOKEN).unwrap());
    }
}
