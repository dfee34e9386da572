use bytes::Bytes;

use crate::CallError;

/// A request with its whole body, ready for any HTTP client.
pub type HttpRequest = http::Request<Bytes>;

/// An answer with its whole body.
pub type HttpResponse = http::Response<Bytes>;

/// One typed call: how it is asked, and what its answer means.
///
/// ```
/// use punch_erp::erpnext::{ErpNext, ErpNextSettings, LoggedUser};
/// use punch_erp::{Endpoint as _, HttpResponse};
///
/// let site = ErpNext::new(ErpNextSettings::new("https://erp.example.com", "key", "secret", "Asia/Dhaka"))?;
/// let probe = LoggedUser::new(&site);
/// assert_eq!(probe.request().uri(), "https://erp.example.com/api/method/frappe.auth.get_logged_user");
///
/// let answer = HttpResponse::new(br#"{"message":"gateway@example.com"}"#.as_slice().into());
/// assert_eq!(probe.response(&answer)?, "gateway@example.com");
/// # Ok::<(), Box<dyn std::error::Error>>(())
/// ```
pub trait Endpoint {
    /// What a good answer holds.
    type Output;

    /// The request. Equal for equal endpoints, so asking twice is harmless.
    fn request(&self) -> HttpRequest;

    /// Reads the answer, its status first: bodies of proxies and maintenance pages are not JSON.
    ///
    /// # Errors
    ///
    /// [`CallError`] says who has to act, and keeps status and body as evidence.
    fn response(&self, response: &HttpResponse) -> Result<Self::Output, CallError>;
}
