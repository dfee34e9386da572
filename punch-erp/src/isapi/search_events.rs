use alloc::boxed::Box;
use alloc::vec::Vec;

use http::StatusCode;

use super::{AcsEventPage, AcsEventQuery, DigestChallenge, DigestSession, FindAcsEvents, IsapiRules, IsapiTerminal};
use crate::answer::answer;
use crate::passage::Reading;
use crate::{CallError, Endpoint as _, Evidence, Failure, Flow, HttpRequest, HttpResponse, RetryReason, Step};

/// Finds all events of a time in a terminal: every page, logging in on the way.
///
/// It gives everything or an error, never a part. Begin ten minutes before what was seen last; events may have come before, so
/// take each once, by its id.
#[derive(Debug)]
pub struct SearchEvents {
    terminal: IsapiTerminal,
    rules: IsapiRules,
    query: AcsEventQuery,
    position: u32,
    without_offset: bool,
    cnonce: Box<str>,
    session: Option<DigestSession>,
    /// The request on its way, made once: a login counts.
    sent: Option<HttpRequest>,
    logins: u8,
    read: AcsEventsRead,
    end: Option<Result<AcsEventsRead, RetryReason>>,
}

/// What a [`SearchEvents`] came to.
#[derive(Debug, Clone, Default, PartialEq, Eq)]
#[non_exhaustive]
pub struct AcsEventsRead {
    /// What the events say, in the order of the terminal.
    pub readings: Vec<Reading>,
    /// How many pages it took.
    pub pages: u32,
}

impl SearchEvents {
    /// The most pages of a search: the 100,000 events that a terminal counts.
    pub const MAX_PAGES: u32 = 3400;

    /// Nothing happens before the first [`poll`](Flow::poll). `cnonce` is random text of the caller's, letters and digits.
    pub fn new(terminal: &IsapiTerminal, query: AcsEventQuery, rules: IsapiRules, cnonce: impl Into<Box<str>>) -> Self {
        Self {
            terminal: terminal.clone(),
            rules,
            query,
            position: 0,
            without_offset: false,
            cnonce: cnonce.into(),
            session: None,
            sent: None,
            logins: 0,
            read: AcsEventsRead::default(),
            end: None,
        }
    }

    /// Goes on with a login of an earlier flow.
    #[must_use]
    pub fn with_session(mut self, session: DigestSession) -> Self {
        self.session = Some(session);
        self
    }

    /// Writes times without an offset from the first request on, see [`needs_no_offset`](Self::needs_no_offset).
    #[must_use]
    pub fn without_offset(mut self) -> Self {
        self.without_offset = true;
        self
    }

    /// The login, for the next flow.
    pub fn session(&self) -> Option<&DigestSession> {
        self.session.as_ref()
    }

    /// Whether the terminal refused times with an offset. Remember it for the next flow.
    pub fn needs_no_offset(&self) -> bool {
        self.without_offset
    }

    fn call(&self) -> FindAcsEvents {
        FindAcsEvents::new(&self.terminal, self.query.clone(), self.position).without_offset(self.without_offset)
    }

    /// Whether the answer is a challenge that can be met: once without a login or with one of an earlier flow, and once more
    /// for one that became too old. A terminal locks whoever tries often.
    fn meets(&mut self, response: &HttpResponse) -> bool {
        if response.status() != StatusCode::UNAUTHORIZED {
            return false;
        }
        let Some(challenge) = DigestChallenge::of(response.headers()) else { return false };
        let may = self.logins == 0 || (challenge.is_stale && self.logins < 2);
        if may {
            self.logins = self.logins.saturating_add(1);
            self.session = Some(DigestSession::renewed(self.session.as_ref(), challenge));
        }
        may
    }

    fn take(&mut self, page: &AcsEventPage) {
        // The login of a later page may become too old again.
        self.logins = 0;
        self.read.pages = self.read.pages.saturating_add(1);
        self.read.readings.extend(page.readings(&self.rules));
        self.position = self.position.saturating_add(page.count());
        if !page.has_more() {
            self.end = Some(Ok(core::mem::take(&mut self.read)));
        }
    }
}

impl Flow for SearchEvents {
    type Output = Result<AcsEventsRead, RetryReason>;

    fn poll(&mut self) -> Step<Self::Output> {
        if let Some(end) = &self.end {
            return Step::Done(end.clone());
        }
        if let Some(sent) = &self.sent {
            return Step::Send(sent.clone());
        }
        let mut request = self.call().request();
        if let Some(session) = &mut self.session {
            self.terminal.log_in(&mut request, session, &self.cnonce);
        }
        self.sent = Some(request.clone());
        Step::Send(request)
    }

    fn handle(&mut self, reply: Result<HttpResponse, Failure>) {
        if self.end.is_some() {
            return;
        }
        self.sent = None;
        if let Ok(response) = &reply {
            if self.meets(response) {
                return;
            }
            if response.status() == StatusCode::BAD_REQUEST && !self.without_offset && self.read.pages == 0 {
                self.without_offset = true;
                return;
            }
        }
        let (call, is_over) = (self.call(), self.read.pages >= Self::MAX_PAGES);
        let page = answer(reply, |response| {
            let page = call.response(response)?;
            let evidence = Evidence::of(response);
            if is_over { Err(CallError::Unreadable { expected: "a search that ends", evidence }) } else { Ok(page) }
        });
        match page {
            Ok(page) => self.take(&page),
            Err(reason) => self.end = Some(Err(reason)),
        }
    }
}
