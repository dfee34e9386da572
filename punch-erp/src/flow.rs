use core::fmt;
use core::future::Future;

use crate::{HttpRequest, HttpResponse, masked_path};

/// Several calls that belong together, as a state machine without a socket.
///
/// Ask [`poll`](Self::poll) what to do; send what it says; hand the answer to [`handle`](Self::handle); repeat until
/// [`Step::Done`]. [`drive`] and [`drive_async`] are that loop. A flow is one attempt: it never sleeps and never
/// sends a record a second time.
pub trait Flow {
    /// What the flow comes to.
    type Output;

    /// The next step. Asking again before [`handle`](Self::handle) gives the same step.
    fn poll(&mut self) -> Step<Self::Output>;

    /// Takes the answer to the request that [`poll`](Self::poll) gave, or the reason why there is none.
    fn handle(&mut self, reply: Result<HttpResponse, Failure>);
}

/// What a [`Flow`] wants next. `Debug` shows method and [masked path](masked_path) of a request, never its query, headers or
/// body.
#[derive(Clone)]
#[expect(clippy::exhaustive_enums, reason = "a driver must know every step")]
#[expect(clippy::large_enum_variant, reason = "a step is taken apart at once")]
pub enum Step<T> {
    /// Send this and hand the answer back.
    Send(HttpRequest),
    /// The flow is over.
    Done(T),
}

impl<T: fmt::Debug> fmt::Debug for Step<T> {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        match self {
            Self::Send(request) => write!(f, "Send({} {})", request.method(), masked_path(request)),
            Self::Done(output) => f.debug_tuple("Done").field(output).finish(),
        }
    }
}

/// Runs a flow with a function that sends one request.
pub fn drive<F: Flow>(flow: &mut F, mut send: impl FnMut(HttpRequest) -> Result<HttpResponse, Failure>) -> F::Output {
    loop {
        match flow.poll() {
            Step::Send(request) => flow.handle(send(request)),
            Step::Done(output) => return output,
        }
    }
}

/// Runs a flow with an asynchronous function that sends one request.
pub async fn drive_async<F, S, R>(flow: &mut F, mut send: S) -> F::Output
where
    F: Flow,
    S: FnMut(HttpRequest) -> R,
    R: Future<Output = Result<HttpResponse, Failure>>,
{
    loop {
        match flow.poll() {
            Step::Send(request) => flow.handle(send(request).await),
            Step::Done(output) => return output,
        }
    }
}

/// A request that got no answer.
///
/// ```
/// use punch_erp::{Failure, Reached};
///
/// assert_eq!(Failure::unknown("timed out").reached(), Reached::Unknown);
/// ```
#[derive(Debug, Clone, PartialEq, Eq, thiserror::Error)]
#[error("{}: {what}, {}", self.code(), self.advice())]
pub struct Failure {
    reached: Reached,
    what: &'static str,
}

impl Failure {
    /// Every code, in order.
    pub const CODES: [&'static str; 2] = ["PE-NET-001", "PE-NET-002"];

    /// Nothing of the request can have arrived: no connection, no such host, a certificate that was refused.
    /// `what` says so in a few fixed words.
    #[must_use]
    pub fn not_reached(what: &'static str) -> Self {
        Self { reached: Reached::No, what }
    }

    /// The request, or a part of it, was sent, and the answer did not come or did not end.
    #[must_use]
    pub fn unknown(what: &'static str) -> Self {
        Self { reached: Reached::Unknown, what }
    }

    /// Whether the server may have acted.
    pub fn reached(&self) -> Reached {
        self.reached
    }

    /// The stable code the text begins with; [`errors`](crate::errors) has its paragraph.
    pub fn code(&self) -> &'static str {
        match self.reached {
            Reached::No => "PE-NET-001",
            Reached::Unknown => "PE-NET-002",
        }
    }

    /// One word for machines.
    pub fn reason(&self) -> &'static str {
        match self.reached {
            Reached::No => "not_reached",
            Reached::Unknown => "no_answer",
        }
    }

    fn advice(&self) -> &'static str {
        match self.reached {
            Reached::No => "the request did not arrive; check address and network",
            Reached::Unknown => "the request may have arrived; look before sending it again",
        }
    }
}

/// Whether a request without an answer may have had an effect.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
#[expect(clippy::exhaustive_enums, reason = "there is no third answer")]
pub enum Reached {
    /// It had none.
    No,
    /// It may have had one. When in doubt, this.
    Unknown,
}
