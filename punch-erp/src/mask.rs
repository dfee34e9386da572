use alloc::string::String;
use alloc::vec::Vec;
use core::fmt::Write as _;

use bytes::Bytes;
use http::HeaderValue;
use http::header::{AUTHORIZATION, COOKIE, HeaderName, PROXY_AUTHORIZATION};

use crate::HttpRequest;

/// The body of a request that carries a secret, as it may be shown. An extension of the request.
#[derive(Clone)]
pub(crate) struct MaskedBody(pub(crate) Bytes);

/// The path of a request that names a person, as it may be logged. An extension of the request.
#[derive(Clone)]
pub(crate) struct MaskedPath(pub(crate) String);

/// The path of a request without the people in it, for logs. Of nearly all requests that is the path as it is sent.
///
/// ```
/// use punch_erp::humand::{GetUser, Humand, HumandSettings};
/// use punch_erp::{Endpoint as _, masked_path};
///
/// let humand = Humand::new(HumandSettings::new("key"))?;
/// assert_eq!(masked_path(&GetUser::new(&humand, "0042").request()), "/public/api/v1/users/***");
/// # Ok::<(), punch_erp::ConfigErrors>(())
/// ```
pub fn masked_path(request: &HttpRequest) -> &str {
    request.extensions().get::<MaskedPath>().map_or(request.uri().path(), |masked| &masked.0)
}

/// A request as text, for a dry run: method and address, headers by name, a blank line, the body.
///
/// Of credentials only the scheme stays, and `***` of one in the body. Address and body are shown as they would be sent,
/// with the people in them: print it for the one who asked, do not log it.
///
/// ```
/// use punch_erp::erpnext::{ErpNext, ErpNextSettings, LoggedUser};
/// use punch_erp::{Endpoint as _, render_masked};
///
/// let site = ErpNext::new(ErpNextSettings::new("https://erp.example.com", "key", "s3cret", "Asia/Dhaka"))?;
/// let text = render_masked(&LoggedUser::new(&site).request());
/// assert_eq!(
///     text,
///     "GET https://erp.example.com/api/method/frappe.auth.get_logged_user\n\
///      accept: application/json\n\
///      accept-language: en\n\
///      authorization: token ***\n"
/// );
/// # Ok::<(), punch_erp::ConfigErrors>(())
/// ```
pub fn render_masked(request: &HttpRequest) -> String {
    let mut text = String::new();
    // Writing to a String cannot fail.
    let _ = writeln!(text, "{} {}", request.method(), request.uri());
    let mut headers: Vec<_> = request.headers().iter().collect();
    // The map has no promised order, and a dry run is compared as text.
    headers.sort_by_key(|(name, _)| name.as_str());
    for (name, value) in headers {
        let _ = writeln!(text, "{name}: {}", shown(name, value));
    }
    let body = request.extensions().get::<MaskedBody>().map_or(request.body(), |masked| &masked.0);
    if !body.is_empty() {
        let _ = match core::str::from_utf8(body) {
            Ok(body) => writeln!(text, "\n{body}"),
            Err(_) => writeln!(text, "\n({} bytes, not text)", body.len()),
        };
    }
    text
}

fn shown(name: &HeaderName, value: &HeaderValue) -> String {
    let text = String::from_utf8_lossy(value.as_bytes());
    if !value.is_sensitive() && ![AUTHORIZATION, PROXY_AUTHORIZATION, COOKIE].contains(name) {
        return text.into_owned();
    }
    match text.split_once(' ') {
        Some((scheme, _)) => alloc::format!("{scheme} ***"),
        None => String::from("***"),
    }
}
