//! The maker's rule, written a second time, and without looking at the first.

use base64::Engine as _;
use bytes::Bytes;
use hmac::{Hmac, KeyInit as _, Mac as _};
use http::Request;
use sha2::Sha256;

/// Whether the signature of a request is the one its other parts give.
pub(super) fn is_right(request: &Request<Bytes>, secret: &str) -> bool {
    let header =
        |name: &str| request.headers().get(name).map(|value| String::from_utf8_lossy(value.as_bytes()).into_owned());
    let Some(signature) = header("x-ca-signature") else { return false };
    let mut lines = vec![request.method().to_string()];
    lines.extend(["accept", "content-md5", "content-type", "date"].iter().filter_map(|name| header(name)));
    let mut signed: Vec<String> =
        header("x-ca-signature-headers").unwrap_or_default().split(',').map(str::to_lowercase).collect();
    signed.retain(|name| !name.is_empty());
    signed.sort();
    lines.extend(signed.iter().map(|name| format!("{name}:{}", header(name).unwrap_or_default())));
    lines.push(request.uri().path().to_owned());
    let mut mac =
        Hmac::<Sha256>::new_from_slice(secret.as_bytes()).unwrap_or_else(|_| unreachable!("any length serves"));
    mac.update(lines.join("\n").as_bytes());
    base64::engine::general_purpose::STANDARD.encode(mac.finalize().into_bytes()) == signature
}
