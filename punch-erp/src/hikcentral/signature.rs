//! Who may call: an HMAC over the lines of a request.

use alloc::string::{String, ToString as _};
use alloc::vec::Vec;

use base64::Engine as _;
use base64::engine::general_purpose::STANDARD;
use hmac::{Hmac, KeyInit as _, Mac as _};
use http::header::{ACCEPT, CONTENT_TYPE, DATE, HeaderName};
use http::{HeaderMap, HeaderValue};
use sha2::Sha256;
use subtle::ConstantTimeEq as _;

use crate::percent::decoded;
use crate::{Credential, HttpRequest};

const CONTENT_MD5: HeaderName = HeaderName::from_static("content-md5");
const SIGNATURE: &str = "x-ca-signature";
const SIGNED: &str = "x-ca-signature-headers";

/// Headers that are never in the list of signed ones. Four of them have lines of their own.
const NEVER_SIGNED: [&str; 13] = [
    SIGNATURE,
    SIGNED,
    "accept",
    "content-md5",
    "content-type",
    "date",
    "content-length",
    "server",
    "connection",
    "host",
    "transfer-encoding",
    "x-application-context",
    "content-encoding",
];

/// The text that is signed: the method, a line for each of `Accept`, `Content-MD5`, `Content-Type` and `Date` that is there, a
/// line for each signed header, and the path with the parameters of query and form, sorted by name and not escaped.
///
/// `signed` may be in any order and any letters.
pub fn string_to_sign(request: &HttpRequest, signed: &[&str]) -> String {
    let mut text = request.method().to_string();
    text.push('\n');
    for name in [ACCEPT, CONTENT_MD5, CONTENT_TYPE, DATE] {
        if let Some(value) = request.headers().get(name) {
            text.push_str(&shown(value));
            text.push('\n');
        }
    }
    for name in names(signed) {
        text.push_str(&name);
        text.push(':');
        text.push_str(&request.headers().get(&name).map(shown).unwrap_or_default());
        text.push('\n');
    }
    text.push_str(&resource(request));
    text
}

/// Signs a request with everything else in it: adds `X-Ca-Signature-Headers` and `X-Ca-Signature`. An empty list signs no header,
/// and then key, nonce and time are not protected.
pub fn sign(request: &mut HttpRequest, signed: &[&str], secret: &Credential) {
    let signature = STANDARD.encode(mac(&string_to_sign(request, signed), secret));
    let headers = request.headers_mut();
    let signed = names(signed).join(",");
    // Names of headers and base64 are legal values.
    if let Some(signed) = HeaderValue::from_str(&signed).ok().filter(|_| !signed.is_empty()) {
        headers.insert(HeaderName::from_static(SIGNED), signed);
    }
    if let Ok(mut signature) = HeaderValue::from_str(&signature) {
        signature.set_sensitive(true);
        headers.insert(HeaderName::from_static(SIGNATURE), signature);
    }
}

/// Checks the signature of a request, in constant time.
///
/// # Errors
///
/// [`SignatureFault`] if there is none, or another one.
pub fn verify(request: &HttpRequest, secret: &Credential) -> Result<(), SignatureFault> {
    let found = header(request.headers(), SIGNATURE).ok_or(SignatureFault::Missing)?;
    let signed = header(request.headers(), SIGNED).unwrap_or_default();
    let signed: Vec<&str> = signed.split(',').map(str::trim).filter(|name| !name.is_empty()).collect();
    let found = STANDARD.decode(found.trim()).map_err(|_| SignatureFault::Wrong)?;
    let right = mac(&string_to_sign(request, &signed), secret);
    if bool::from(found.ct_eq(&right)) { Ok(()) } else { Err(SignatureFault::Wrong) }
}

/// Why a signature is not accepted.
#[derive(Debug, Clone, Copy, PartialEq, Eq, thiserror::Error)]
#[non_exhaustive]
pub enum SignatureFault {
    /// There is none.
    #[error("PE-SRC-005: the request has no signature; sign it with the secret of the partner user")]
    Missing,
    /// It is another one.
    #[error(
        "PE-SRC-006: the signature is another one; check the secret, and that nothing changed `Accept` or `Content-Type` behind the signing"
    )]
    Wrong,
}

impl SignatureFault {
    /// Every code, in order.
    pub const CODES: [&'static str; 2] = ["PE-SRC-005", "PE-SRC-006"];

    /// The stable code the text begins with; [`errors`](crate::errors) has its paragraph.
    pub fn code(&self) -> &'static str {
        match self {
            Self::Missing => "PE-SRC-005",
            Self::Wrong => "PE-SRC-006",
        }
    }
}

fn mac(text: &str, secret: &Credential) -> Vec<u8> {
    // HMAC takes a key of any length, so there is no other case.
    let Ok(mut mac) = Hmac::<Sha256>::new_from_slice(secret.expose().as_bytes()) else { return Vec::new() };
    mac.update(text.as_bytes());
    mac.finalize().into_bytes().to_vec()
}

/// The names that are signed, in the order of the lines.
fn names(signed: &[&str]) -> Vec<String> {
    let mut names: Vec<String> = signed.iter().map(|name| name.to_ascii_lowercase()).collect();
    names.retain(|name| !NEVER_SIGNED.contains(&name.as_str()));
    names.sort_unstable();
    names.dedup();
    names
}

fn header(headers: &HeaderMap, name: &str) -> Option<String> {
    headers.get(name).map(shown)
}

fn shown(value: &HeaderValue) -> String {
    String::from_utf8_lossy(value.as_bytes()).into_owned()
}

/// Path and parameters. The parameters of a form count like those of the query; any other body counts by its digest only.
fn resource(request: &HttpRequest) -> String {
    let mut parameters = pairs(request.uri().query().unwrap_or_default());
    let kind = request.headers().get(CONTENT_TYPE).map(shown).unwrap_or_default();
    if kind.trim_start().to_ascii_lowercase().starts_with("application/x-www-form-urlencoded") {
        parameters.extend(pairs(&String::from_utf8_lossy(request.body())));
    }
    parameters.sort_by(|one, other| one.0.cmp(&other.0));
    let mut text = String::from(request.uri().path());
    for (index, (name, value)) in parameters.iter().enumerate() {
        text.push(if index == 0 { '?' } else { '&' });
        text.push_str(name);
        if !value.is_empty() {
            text.push('=');
            text.push_str(value);
        }
    }
    text
}

fn pairs(text: &str) -> Vec<(String, String)> {
    let pairs = text.split('&').filter(|pair| !pair.is_empty());
    let pairs = pairs.map(|pair| pair.split_once('=').unwrap_or((pair, "")));
    pairs.map(|(name, value)| (decoded(name), decoded(value))).collect()
}
