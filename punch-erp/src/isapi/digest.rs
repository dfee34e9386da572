//! HTTP Digest, RFC 7616: MD5 as every terminal has it, SHA-256 as newer ones may.

use alloc::format;
use alloc::string::String;
use alloc::vec::Vec;
use core::fmt;
use core::fmt::Write as _;

use http::header::WWW_AUTHENTICATE;
use http::{HeaderMap, HeaderValue};
use md5::Md5;
use sha2::{Digest as _, Sha256};
use zeroize::Zeroizing;

use crate::Credential;

/// How a challenge wants to be answered.
#[derive(Debug, Clone, Copy, PartialEq, Eq, PartialOrd, Ord)]
#[non_exhaustive]
pub enum DigestAlgorithm {
    /// `MD5`, which is also meant where none is named.
    Md5,
    /// `SHA-256`.
    Sha256,
}

impl DigestAlgorithm {
    fn as_str(self) -> &'static str {
        match self {
            Self::Md5 => "MD5",
            Self::Sha256 => "SHA-256",
        }
    }

    fn hash(self, text: &str) -> Zeroizing<String> {
        let digest: Vec<u8> = match self {
            Self::Md5 => Md5::digest(text.as_bytes()).to_vec(),
            Self::Sha256 => Sha256::digest(text.as_bytes()).to_vec(),
        };
        let mut hex = Zeroizing::new(String::with_capacity(64));
        for byte in digest {
            // Writing to a String cannot fail.
            let _ = write!(hex, "{byte:02x}");
        }
        hex
    }
}

/// What a terminal asks whoever wants in.
#[derive(Debug, Clone, PartialEq, Eq)]
#[non_exhaustive]
pub struct DigestChallenge {
    /// Where one is.
    pub realm: String,
    /// The number to be hashed in.
    pub nonce: String,
    /// What is to be sent back, if anything.
    pub opaque: Option<String>,
    /// The algorithm.
    pub algorithm: DigestAlgorithm,
    /// Whether `qop=auth` is offered. Old firmware offers none.
    pub has_qop: bool,
    /// Whether only the number was too old: the password is right.
    pub is_stale: bool,
    is_session: bool,
}

impl DigestChallenge {
    /// The strongest challenge of an answer that can be met; `None` if there is none.
    pub fn of(headers: &HeaderMap) -> Option<Self> {
        let values = headers.get_all(WWW_AUTHENTICATE).iter().filter_map(|value| value.to_str().ok());
        let challenges: Vec<Self> = values.flat_map(challenges).filter_map(|text| Self::read(&text)).collect();
        challenges.into_iter().max_by_key(|challenge| challenge.algorithm)
    }

    fn read(parameters: &str) -> Option<Self> {
        let parameters = pairs(parameters);
        let get = |name: &str| parameters.iter().find(|(found, _)| found == name).map(|(_, value)| value.clone());
        let algorithm = get("algorithm").unwrap_or_else(|| "MD5".into()).to_ascii_uppercase();
        let (algorithm, is_session) = match algorithm.strip_suffix("-SESS") {
            Some(algorithm) => (algorithm.to_owned(), true),
            None => (algorithm, false),
        };
        let algorithm = match algorithm.as_str() {
            "MD5" => DigestAlgorithm::Md5,
            "SHA-256" => DigestAlgorithm::Sha256,
            _ => return None,
        };
        let qop = get("qop");
        let has_qop =
            qop.as_deref().is_some_and(|qop| qop.split(',').any(|one| one.trim().eq_ignore_ascii_case("auth")));
        // Only the whole body could be hashed in, and that was not asked for.
        if qop.is_some() && !has_qop {
            return None;
        }
        let is_stale = get("stale").is_some_and(|stale| stale.eq_ignore_ascii_case("true"));
        let (realm, nonce) = (get("realm")?, get("nonce")?);
        Some(Self { realm, nonce, opaque: get("opaque"), algorithm, has_qop, is_stale, is_session })
    }
}

/// A challenge that is being met, and how often it was. Keep it: one login serves many calls.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct DigestSession {
    challenge: DigestChallenge,
    count: u32,
}

impl DigestSession {
    /// Nothing was answered yet.
    pub fn new(challenge: DigestChallenge) -> Self {
        Self { challenge, count: 0 }
    }

    /// The session behind this one, for the challenge of a refusal. Of a number that comes again the count goes on: a terminal
    /// refuses whoever begins it anew.
    #[must_use]
    pub fn renewed(before: Option<&Self>, challenge: DigestChallenge) -> Self {
        let count = before.filter(|before| before.challenge.nonce == challenge.nonce).map_or(0, |before| before.count);
        Self { challenge, count }
    }

    /// The value of `Authorization` for one request; each has another one. `target` is path and query as they are sent.
    pub fn authorization(
        &mut self,
        method: &str,
        target: &str,
        user: &Credential,
        password: &Credential,
        cnonce: &str,
    ) -> Option<HeaderValue> {
        self.count = self.count.saturating_add(1);
        let DigestChallenge { realm, nonce, opaque, algorithm, has_qop, is_session, .. } = &self.challenge;
        let whole = Zeroizing::new(format!("{}:{realm}:{}", user.expose(), password.expose()));
        let mut secret = algorithm.hash(&whole);
        if *is_session {
            secret = algorithm.hash(&Zeroizing::new(format!("{}:{nonce}:{cnonce}", *secret)));
        }
        let asked = algorithm.hash(&format!("{method}:{target}"));
        let count = format!("{:08x}", self.count);
        let between = if *has_qop { format!("{nonce}:{count}:{cnonce}:auth") } else { nonce.clone() };
        let response = algorithm.hash(&Zeroizing::new(format!("{}:{between}:{}", *secret, *asked)));
        let session = if *is_session { "-sess" } else { "" };
        let mut text = format!(
            "Digest username=\"{}\", realm=\"{}\", nonce=\"{}\", uri=\"{}\", algorithm={}{session}, response=\"{}\"",
            user.expose(),
            quoted(realm),
            quoted(nonce),
            quoted(target),
            algorithm.as_str(),
            *response,
        );
        if *has_qop {
            text.push_str(&format!(", qop=auth, nc={count}, cnonce=\"{}\"", quoted(cnonce)));
        }
        if let Some(opaque) = opaque {
            text.push_str(&format!(", opaque=\"{}\"", quoted(opaque)));
        }
        let mut value = HeaderValue::from_str(&text).ok()?;
        value.set_sensitive(true);
        Some(value)
    }
}

fn quoted(text: &str) -> String {
    text.replace('\\', "\\\\").replace('"', "\\\"")
}

/// The parameters of each `Digest` in one header: several challenges may stand in it.
fn challenges(value: &str) -> Vec<String> {
    let mut challenges: Vec<String> = Vec::new();
    let mut is_digest = false;
    for item in items(value) {
        // A new challenge begins with a word and a blank before its first parameter.
        let (scheme, rest) = match item.split_once(' ') {
            Some((scheme, rest)) if !scheme.contains(['=', '"']) => (Some(scheme), rest),
            Some(_) | None if !item.contains('=') => (Some(item.as_str()), ""),
            Some(_) | None => (None, item.as_str()),
        };
        if let Some(scheme) = scheme {
            is_digest = scheme.eq_ignore_ascii_case("digest");
            if is_digest {
                challenges.push(String::new());
            }
        }
        if let Some(challenge) = challenges.last_mut().filter(|_| is_digest) {
            challenge.push_str(rest);
            challenge.push(',');
        }
    }
    challenges
}

fn pairs(text: &str) -> Vec<(String, String)> {
    let read = |item: String| {
        let (name, value) = item.split_once('=')?;
        let value = value.trim();
        let inner = value.strip_prefix('"').and_then(|value| value.strip_suffix('"'));
        let value = inner.map_or_else(|| value.to_owned(), unquoted);
        Some((name.trim().to_ascii_lowercase(), value))
    };
    items(text).into_iter().filter_map(read).collect()
}

fn unquoted(text: &str) -> String {
    let mut escaped = false;
    let keep = |letter: &char| {
        escaped = !escaped && *letter == '\\';
        !escaped
    };
    text.chars().filter(keep).collect()
}

/// What stands between commas that are not in quotes.
fn items(text: &str) -> Vec<String> {
    let (mut items, mut item, mut in_quotes, mut escaped) = (Vec::new(), String::new(), false, false);
    for letter in text.chars() {
        if letter == ',' && !in_quotes {
            items.push(core::mem::take(&mut item));
            continue;
        }
        in_quotes ^= letter == '"' && !escaped;
        escaped = letter == '\\' && !escaped && in_quotes;
        item.push(letter);
    }
    items.push(item);
    let items = items.into_iter().map(|item: String| item.trim().to_owned());
    items.filter(|item| !item.is_empty()).collect()
}

impl fmt::Display for DigestAlgorithm {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.write_str(self.as_str())
    }
}
