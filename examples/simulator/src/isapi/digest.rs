//! Digest from the other side, written without looking at the client.

use bytes::Bytes;
use http::Request;
use http::header::AUTHORIZATION;
use md5::Md5;
use sha2::{Digest as _, Sha256};

use super::IsapiConfig;

/// Who is let in: the number of the current challenge and how often it was used.
#[derive(Debug)]
pub(super) struct Guard {
    /// Which life of the terminal it is: it knows no number of an earlier one.
    life: u32,
    nonce: u32,
    counts: Vec<u32>,
}

impl Guard {
    pub(super) fn new(life: u32) -> Self {
        Self { life, nonce: 0, counts: Vec::new() }
    }

    /// The challenge, unless the request is let in.
    pub(super) fn refuses(&mut self, request: &Request<Bytes>, config: &IsapiConfig) -> Option<String> {
        let given = request.headers().get(AUTHORIZATION).and_then(|value| value.to_str().ok());
        let Some(given) = given.and_then(|given| given.strip_prefix("Digest ")) else {
            self.nonce += 1;
            self.counts.clear();
            return Some(self.challenge(config, false));
        };
        let get = |name: &str| {
            let items = given.split(", ").filter_map(|item| item.split_once('='));
            items.into_iter().find(|(found, _)| *found == name).map(|(_, value)| value.trim_matches('"').to_owned())
        };
        let target = request.uri().path_and_query().map_or("/", |target| target.as_str());
        let nonce = get("nonce").unwrap_or_default();
        let right = response(request.method().as_str(), target, &nonce, &get, config);
        let is_right = get("response") == Some(right) && get("username").as_deref() == Some(config.user.as_str());
        if !is_right || get("uri").as_deref() != Some(target) || get("opaque").as_deref() != Some("of the terminal") {
            return Some(self.challenge(config, false));
        }
        if nonce != self.current() || self.counts.len() >= usize::try_from(config.nonce_serves).unwrap_or(usize::MAX) {
            let is_stale = nonce.starts_with(&format!("nonce-{}-", self.life));
            self.nonce += 1;
            self.counts.clear();
            return Some(self.challenge(config, is_stale));
        }
        let count = get("nc").and_then(|count| u32::from_str_radix(&count, 16).ok()).unwrap_or(0);
        // A count that came before is a request that somebody repeats.
        if config.has_qop && (get("nc").is_none_or(|count| count.len() != 8) || self.counts.contains(&count)) {
            return Some(self.challenge(config, false));
        }
        self.counts.push(count);
        None
    }

    fn current(&self) -> String {
        format!("nonce-{}-{}", self.life, self.nonce)
    }

    fn challenge(&self, config: &IsapiConfig, is_stale: bool) -> String {
        let qop = if config.has_qop { "qop=\"auth,auth-int\", " } else { "" };
        let stale = if is_stale { ", stale=true" } else { "" };
        format!(
            "Digest realm=\"DS-K1T, door\", {qop}nonce=\"{}\", opaque=\"of the terminal\", algorithm={}{stale}",
            self.current(),
            config.algorithm
        )
    }
}

fn response(
    method: &str,
    target: &str,
    nonce: &str,
    get: &impl Fn(&str) -> Option<String>,
    config: &IsapiConfig,
) -> String {
    let hash = |text: String| match config.algorithm {
        "SHA-256" => hex(&Sha256::digest(text)),
        _ => hex(&Md5::digest(text)),
    };
    let secret = hash(format!("{}:DS-K1T, door:{}", config.user, config.password));
    let asked = hash(format!("{method}:{target}"));
    let part = |name: &str| get(name).unwrap_or_default();
    if config.has_qop {
        hash(format!("{secret}:{nonce}:{}:{}:auth:{asked}", part("nc"), part("cnonce")))
    } else {
        hash(format!("{secret}:{nonce}:{asked}"))
    }
}

fn hex(bytes: &[u8]) -> String {
    bytes.iter().map(|byte| format!("{byte:02x}")).collect()
}
