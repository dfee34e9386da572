use super::{Humand, ListUsers, UserDirectory};
use crate::answer::answer;
use crate::{CallError, Endpoint as _, Evidence, Failure, Flow, HttpResponse, RetryReason, Step};

/// Reads all users, page by page: which ids are known, before anything is sent for them. Once a night is enough.
#[derive(Debug)]
pub struct ReadUsers {
    humand: Humand,
    directory: UserDirectory,
    page: u32,
    rows: usize,
    end: Option<Result<UserDirectory, RetryReason>>,
}

impl ReadUsers {
    /// The most pages read: 200,000 users. A server that repeats its pages ends here.
    pub const MAX_PAGES: u32 = 4000;

    /// Nothing happens before the first [`poll`](Flow::poll).
    pub fn new(humand: &Humand) -> Self {
        Self { humand: humand.clone(), directory: UserDirectory::default(), page: 1, rows: 0, end: None }
    }
}

impl Flow for ReadUsers {
    type Output = Result<UserDirectory, RetryReason>;

    fn poll(&mut self) -> Step<Self::Output> {
        match &self.end {
            Some(end) => Step::Done(end.clone()),
            None => Step::Send(ListUsers::new(&self.humand, self.page).request()),
        }
    }

    fn handle(&mut self, reply: Result<HttpResponse, Failure>) {
        if self.end.is_some() {
            return;
        }
        let call = ListUsers::new(&self.humand, self.page);
        let too_many = |response: &HttpResponse| CallError::Unreadable {
            expected: "a list of users that ends",
            evidence: Evidence::of(response),
        };
        let is_over = self.page >= Self::MAX_PAGES;
        let total = &mut self.rows;
        let page = answer(reply, |response| {
            let page = call.response(response)?;
            *total = total.saturating_add(page.items.len());
            if is_over && !page.is_last(*total) { Err(too_many(response)) } else { Ok(page) }
        });
        match page {
            Ok(page) => {
                let is_last = page.is_last(self.rows);
                self.directory.extend(page.items);
                self.page = self.page.saturating_add(1);
                self.end = is_last.then(|| Ok(core::mem::take(&mut self.directory)));
            }
            Err(reason) => self.end = Some(Err(reason)),
        }
    }
}
