use alloc::boxed::Box;
use core::time::Duration;

use bytes::{Bytes, BytesMut};
use reqwest::redirect::Policy;

use crate::certificate_pin::trusting_only;
use crate::{CertificatePin, Failure, HttpRequest, HttpResponse};

/// Sends requests with `reqwest`, set up the way the flows expect it: no redirect is followed, no cookie is kept,
/// nothing is sent a second time, and the answer has a limit in time and size.
///
/// It needs a tokio runtime around it. A clone shares its connections.
///
/// ```no_run
/// # async fn write(mut flow: punch_erp::erpnext::WriteCheckin) -> Result<(), Box<dyn std::error::Error>> {
/// use punch_erp::{ReqwestTransport, drive_async};
///
/// let transport = ReqwestTransport::new()?;
/// let outcome = drive_async(&mut flow, |request| transport.send(request)).await;
/// # Ok(())
/// # }
/// ```
#[derive(Debug, Clone)]
pub struct ReqwestTransport {
    client: reqwest::Client,
    max_body: usize,
}

impl ReqwestTransport {
    /// From the first byte sent to the last received: 60 s. A database waits 50 s for a lock.
    pub const TIMEOUT: Duration = Duration::from_secs(60);

    /// The longest answer read, in bytes: 32 MiB, an employee table of some 200,000.
    pub const MAX_BODY: usize = 33_554_432;

    /// A client with [`TIMEOUT`](Self::TIMEOUT) and [`MAX_BODY`](Self::MAX_BODY).
    ///
    /// # Errors
    ///
    /// [`TransportError`] if TLS cannot be set up.
    pub fn new() -> Result<Self, TransportError> {
        Self::with_limits(Self::TIMEOUT, Self::MAX_BODY)
    }

    /// A client with limits of one's own: the time of a whole call, and the length of an answer in bytes.
    ///
    /// # Errors
    ///
    /// [`TransportError`] if TLS cannot be set up.
    pub fn with_limits(timeout: Duration, max_body: usize) -> Result<Self, TransportError> {
        Self::build(reqwest::Client::builder(), timeout, max_body)
    }

    /// A client that also trusts these roots, PEM, one or several: of a server with a certificate of its own making. The name
    /// in the certificate still has to be the server's.
    ///
    /// # Errors
    ///
    /// [`TransportError`] if they are no certificates.
    pub fn trusting(roots: &[u8]) -> Result<Self, TransportError> {
        let roots = reqwest::Certificate::from_pem_bundle(roots).map_err(TransportError::of)?;
        Self::build(reqwest::Client::builder().tls_certs_merge(roots), Self::TIMEOUT, Self::MAX_BODY)
    }

    /// A client for servers that show one of these certificates, whoever signed it and whatever name stands in it. Several are
    /// for the time in which a server gets a new one.
    ///
    /// # Errors
    ///
    /// [`TransportError`] if TLS cannot be set up.
    pub fn pinned(pins: &[CertificatePin]) -> Result<Self, TransportError> {
        let tls = trusting_only(pins).map_err(TransportError::of)?;
        Self::build(reqwest::Client::builder().tls_backend_preconfigured(tls), Self::TIMEOUT, Self::MAX_BODY)
    }

    /// A client that checks no certificate. Whoever is in between can read and change everything: for a test, never for work.
    ///
    /// # Errors
    ///
    /// [`TransportError`] if TLS cannot be set up.
    pub fn trusting_anybody() -> Result<Self, TransportError> {
        let builder = reqwest::Client::builder().tls_danger_accept_invalid_certs(true);
        Self::build(builder, Self::TIMEOUT, Self::MAX_BODY)
    }

    fn build(builder: reqwest::ClientBuilder, timeout: Duration, max_body: usize) -> Result<Self, TransportError> {
        let client = builder
            // A POST that becomes a GET is answered 200 and stores nothing; and the secret must not go elsewhere.
            .redirect(Policy::none())
            .referer(false)
            .retry(reqwest::retry::never())
            .timeout(timeout)
            .build()
            .map_err(TransportError::of)?;
        Ok(Self { client, max_body })
    }

    /// Sends one request whose answer does not end, and hands the answer over as it comes. It breaks off after `longest`.
    ///
    /// # Errors
    ///
    /// [`Failure`], as [`send`](Self::send).
    pub async fn open(&self, request: HttpRequest, longest: Duration) -> Result<OpenAnswer, Failure> {
        let request = reqwest::Request::try_from(request);
        let mut request = request.map_err(|_| Failure::not_reached("not a legal request"))?;
        *request.timeout_mut() = Some(longest);
        let mut response = self.client.execute(request).await.map_err(|error| failure(&error))?;
        let mut head = HttpResponse::new(Bytes::new());
        *head.status_mut() = response.status();
        *head.headers_mut() = core::mem::take(response.headers_mut());
        Ok(OpenAnswer { head, response })
    }

    /// Sends one request and reads the whole answer, whatever its status.
    ///
    /// # Errors
    ///
    /// [`Failure`], with [`Reached::No`](crate::Reached::No) if no connection was made and
    /// [`Reached::Unknown`](crate::Reached::Unknown) in every other case.
    pub async fn send(&self, request: HttpRequest) -> Result<HttpResponse, Failure> {
        let request = reqwest::Request::try_from(request).map_err(|_| Failure::not_reached("not a legal request"))?;
        let mut response = self.client.execute(request).await.map_err(|error| failure(&error))?;
        let mut answer = HttpResponse::new(Bytes::new());
        *answer.status_mut() = response.status();
        *answer.headers_mut() = core::mem::take(response.headers_mut());
        let mut body = BytesMut::new();
        while let Some(chunk) = response.chunk().await.map_err(|error| failure(&error))? {
            if body.len().saturating_add(chunk.len()) > self.max_body {
                return Err(Failure::unknown("the answer is too long"));
            }
            body.extend_from_slice(&chunk);
        }
        *answer.body_mut() = body.freeze();
        Ok(answer)
    }
}

/// An answer that goes on. `Debug` shows its status.
pub struct OpenAnswer {
    head: HttpResponse,
    response: reqwest::Response,
}

impl OpenAnswer {
    /// Status and headers, without a body.
    pub fn head(&self) -> &HttpResponse {
        &self.head
    }

    /// The next bytes; `None` behind the last.
    ///
    /// # Errors
    ///
    /// [`Failure`] if the connection broke or its time was over.
    pub async fn piece(&mut self) -> Result<Option<Bytes>, Failure> {
        self.response.chunk().await.map_err(|error| failure(&error))
    }
}

impl core::fmt::Debug for OpenAnswer {
    fn fmt(&self, f: &mut core::fmt::Formatter<'_>) -> core::fmt::Result {
        f.debug_struct("OpenAnswer").field("status", &self.head.status()).finish_non_exhaustive()
    }
}

/// Fixed words only: the client's own texts hold addresses.
fn failure(error: &reqwest::Error) -> Failure {
    if is_about_certificate(error) {
        Failure::not_reached("the server's certificate is not trusted")
    } else if error.is_connect() {
        Failure::not_reached("no connection")
    } else if error.is_builder() {
        Failure::not_reached("not a legal request")
    } else if error.is_timeout() {
        Failure::unknown("timed out")
    } else {
        Failure::unknown("the connection broke")
    }
}

/// Whether the certificate of the server is why there is no connection.
fn is_about_certificate(error: &reqwest::Error) -> bool {
    let mut next: Option<&(dyn core::error::Error + 'static)> = Some(error);
    while let Some(cause) = next {
        if let Some(rustls::Error::InvalidCertificate(_)) = cause.downcast_ref::<rustls::Error>() {
            return true;
        }
        // What an error of I/O holds is not what it calls its source, but that one's.
        next = match cause.downcast_ref::<std::io::Error>() {
            Some(error) => error.get_ref().map(|held| held as _),
            None => cause.source(),
        };
    }
    false
}

/// The HTTP client could not be set up.
#[derive(Debug, thiserror::Error)]
#[error("PE-NET-003: the HTTP client could not be set up; check the system's certificates")]
pub struct TransportError(#[source] Box<dyn core::error::Error + Send + Sync>);

impl TransportError {
    fn of(error: impl core::error::Error + Send + Sync + 'static) -> Self {
        Self(Box::new(error))
    }

    /// The stable code the text begins with; [`errors`](crate::errors) has its paragraph.
    pub fn code(&self) -> &'static str {
        "PE-NET-003"
    }
}
