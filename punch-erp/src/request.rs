use alloc::string::String;
use core::str::FromStr as _;

use bytes::Bytes;
use http::header::ACCEPT;
use http::{HeaderValue, Method, Request, Uri};

use crate::HttpRequest;
use crate::percent::push_encoded;

/// A request below `base`, which was checked. Nothing in a segment or a value can end its place.
pub(crate) fn build(base: &str, method: Method, path: &[&str], query: &[(&str, &str)], body: Bytes) -> HttpRequest {
    let mut url = String::from(base);
    for segment in path {
        url.push('/');
        push_encoded(&mut url, segment);
    }
    for (index, (name, value)) in query.iter().enumerate() {
        url.push_str(if index == 0 { "?" } else { "&" });
        url.push_str(name);
        url.push('=');
        push_encoded(&mut url, value);
    }
    let mut request = Request::new(body);
    *request.method_mut() = method;
    // The base was checked and the rest is escaped, so this is a legal address; the length is the only limit
    // left, and an overlong one goes to the base, where nothing is stored.
    *request.uri_mut() = Uri::from_str(&url).or_else(|_| Uri::from_str(base)).unwrap_or_default();
    request.headers_mut().insert(ACCEPT, HeaderValue::from_static("application/json"));
    request
}
