use alloc::collections::VecDeque;
use alloc::vec::Vec;

use super::{ArtemisClass, ArtemisCode, DoorEventPage, DoorEventQuery, DoorEvents, HikCentral, HikCentralRules, Stamp};
use crate::answer::answer;
use crate::passage::Reading;
use crate::{CallError, Endpoint as _, Evidence, Failure, Flow, HttpResponse, RetryReason, Step};

/// Reads all door events of a time: every type, every door, every page.
///
/// It gives everything or an error, never a part, so a mark that moves after it can leave no gap. Its events may have come
/// before: take each once, by its id and by its natural key.
#[derive(Debug)]
pub struct ReadDoorEvents {
    site: HikCentral,
    rules: HikCentralRules,
    calls: VecDeque<DoorEventQuery>,
    page: u32,
    page_size: u16,
    seen: u64,
    stamp: Stamp,
    read: DoorEventsRead,
    end: Option<Result<DoorEventsRead, RetryReason>>,
}

/// What a [`ReadDoorEvents`] came to.
#[derive(Debug, Clone, Default, PartialEq, Eq)]
#[non_exhaustive]
pub struct DoorEventsRead {
    /// What the events say, by type, door and page.
    pub readings: Vec<Reading>,
    /// How many requests it took.
    pub requests: u32,
}

impl ReadDoorEvents {
    /// The most requests for one time. A server that repeats its pages ends here, and a time with more events is to be cut.
    pub const MAX_REQUESTS: u32 = 2000;

    /// Nothing happens before the first [`poll`](Flow::poll).
    pub fn new(site: &HikCentral, query: &DoorEventQuery, rules: HikCentralRules, stamp: Stamp) -> Self {
        Self {
            calls: query.calls(site.dialect()).into(),
            site: site.clone(),
            rules,
            page: 1,
            page_size: site.page_size(),
            seen: 0,
            stamp,
            read: DoorEventsRead::default(),
            end: None,
        }
    }

    fn call(&self) -> Option<DoorEvents> {
        let query = self.calls.front()?.clone();
        Some(DoorEvents::new(&self.site, query, self.page, self.page_size, self.stamp.clone()))
    }

    fn take(&mut self, page: &DoorEventPage) {
        let rows = u64::try_from(page.len()).unwrap_or(u64::MAX);
        self.seen = self.seen.saturating_add(rows);
        self.read.readings.extend(page.readings(&self.rules));
        if let Some(next) = page.next_page(self.page, self.page_size, self.seen) {
            self.page = next;
        } else {
            self.calls.pop_front();
            (self.page, self.seen) = (1, 0);
        }
    }

    /// Whether the answer was too long and half of it may not be. Pages count anew then.
    fn halve(&mut self, reply: &Result<HttpResponse, Failure>) -> bool {
        let code = reply.as_ref().ok().and_then(|response| ArtemisCode::of(response.body()));
        let is_too_long = code.is_some_and(|code| code.class() == ArtemisClass::TooLong) && self.page_size > 1;
        if is_too_long {
            (self.page, self.seen) = (1, 0);
            self.page_size /= 2;
        }
        is_too_long
    }
}

impl Flow for ReadDoorEvents {
    type Output = Result<DoorEventsRead, RetryReason>;

    fn poll(&mut self) -> Step<Self::Output> {
        if let Some(end) = &self.end {
            return Step::Done(end.clone());
        }
        match self.call() {
            Some(call) => Step::Send(call.request()),
            None => Step::Done(Ok(self.read.clone())),
        }
    }

    fn handle(&mut self, reply: Result<HttpResponse, Failure>) {
        let Some(call) = self.call().filter(|_| self.end.is_none()) else { return };
        self.stamp = self.stamp.next();
        self.read.requests = self.read.requests.saturating_add(1);
        if self.halve(&reply) {
            return;
        }
        let is_over = self.read.requests >= Self::MAX_REQUESTS;
        let page = answer(reply, |response| {
            let page = call.response(response)?;
            let evidence = Evidence::of(response);
            if is_over {
                Err(CallError::Unreadable { expected: "a list of door events that ends", evidence })
            } else {
                Ok(page)
            }
        });
        match page {
            Ok(page) => self.take(&page),
            Err(reason) => self.end = Some(Err(reason)),
        }
    }
}
