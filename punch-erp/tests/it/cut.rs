//! An attempt that is cut off: the program dies, and nothing of the flow is left.

use punch_erp::{Failure, Flow, HttpRequest, HttpResponse, Step};

/// Where the program dies.
#[derive(Debug, Clone, Copy, PartialEq)]
pub(crate) enum Cut {
    /// The request is made up, and never sent.
    BeforeRequest,
    /// The server carries it out; nobody hears the answer.
    AfterRequest,
    /// The answer was read, and nothing was written down.
    AfterAnswer,
}

impl Cut {
    pub(crate) const ALL: [Self; 3] = [Self::BeforeRequest, Self::AfterRequest, Self::AfterAnswer];
}

/// One attempt that dies at its step `at`. Whether it got that far.
pub(crate) fn attempt(
    mut flow: impl Flow,
    cut: Cut,
    at: usize,
    mut send: impl FnMut(&HttpRequest) -> Result<HttpResponse, Failure>,
) -> bool {
    for step in 0.. {
        let Step::Send(request) = flow.poll() else { break };
        let is_here = step == at;
        if is_here && cut == Cut::BeforeRequest {
            return true;
        }
        let answer = send(&request);
        if is_here && cut == Cut::AfterRequest {
            return true;
        }
        flow.handle(answer);
        if is_here {
            return true;
        }
    }
    false
}
