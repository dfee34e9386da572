//! What encrypted sessions say before they are encrypted. One public implementation is all there is to go by.

use hmac::{Hmac, KeyInit as _, Mac as _};
use md5::{Digest as _, Md5};
use punch_protocol::tcp::{CommKey, Command, DataError, FrameError};
use serde_json::json;
use sha2::Sha256;

use super::{Facts, Refusal, hex, put_all};

/// The key of an encrypted session is a text of three numbers, from which the two secrets behind it can be computed.
pub(super) fn put_session_key(facts: &mut Facts, bytes: &[u8]) -> Result<(), Refusal> {
    let shown = super::text(bytes);
    let mut numbers = shown.split('.').map(|number| number.parse::<u32>());
    let (Some(Ok(both)), Some(Ok(shifted))) = (numbers.next(), numbers.next()) else {
        let length = DataError::Length { what: "session key", len: bytes.len(), expected: "32, three numbers" };
        return Err(length.into());
    };
    // With c ^ s and (s << 8) ^ c known, c ^ (c << 8) is, and each byte of c follows from the one below it.
    let mixed = shifted ^ (both << 8);
    let client = mixed ^ (mixed << 8) ^ (mixed << 16) ^ (mixed << 24);
    put_all(facts, json!({ "client": client, "server": client ^ both, "text": shown }));
    Ok(())
}

/// Bytes behind the hash of a password.
const PASSWORD_END: [u8; 4] = [0xb3, 0xf6, 0x00, 0x01];

/// The password is a comm key in decimal, a million at most: whoever has the hash has the key.
pub(super) fn put_password(facts: &mut Facts, bytes: &[u8]) -> Result<(), Refusal> {
    let length = DataError::Length { what: "hashed password", len: bytes.len(), expected: "36" };
    let hash = bytes.strip_suffix(&PASSWORD_END).filter(|hash| hash.len() == 32).ok_or(length)?;
    let keyed = hashed(b"ZKTeco-secret-key").map(|mac| mac.chain_update(b"StandalongComm").finalize().into_bytes());
    let keyed = keyed.and_then(|key| hashed(hex(&key).as_bytes())).ok_or(FrameError::SecurePull)?;
    let fits = |password: &String| {
        let digest = hex(&Md5::digest(password.as_bytes()));
        keyed.clone().chain_update(digest.as_bytes()).verify_slice(hash).is_ok()
    };
    let password = (0..=CommKey::MAX).map(|key| key.to_string()).find(fits).ok_or(FrameError::SecurePull)?;
    put_all(facts, json!({ "cmd": Command::AUTH_EXTENDED.0, "password": password }));
    Ok(())
}

fn hashed(key: &[u8]) -> Option<Hmac<Sha256>> {
    Hmac::new_from_slice(key).ok()
}
