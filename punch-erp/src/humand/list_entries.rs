use alloc::string::{String, ToString as _};
use alloc::vec::Vec;
use core::fmt;

use chrono::NaiveDate;
use serde::Deserialize;

use super::page::{LIMIT, Page};
use super::{Entry, Humand, fault};
use crate::{CallError, Endpoint, HttpRequest, HttpResponse};

/// Reads the entries of a person, a page of them.
#[derive(Clone)]
pub struct ListEntries {
    humand: Humand,
    employee: String,
    days: (NaiveDate, NaiveDate),
    page: u32,
}

impl ListEntries {
    /// `GET …/time-tracking/entries` of these days, the last one included. Pages count from 1.
    pub fn new(humand: &Humand, employee: impl Into<String>, days: (NaiveDate, NaiveDate), page: u32) -> Self {
        Self { humand: humand.clone(), employee: employee.into(), days, page }
    }
}

impl Endpoint for ListEntries {
    type Output = Page<Entry>;

    fn request(&self) -> HttpRequest {
        let (from, to) = (self.days.0.to_string(), self.days.1.to_string());
        let (page, limit) = (self.page.to_string(), LIMIT.to_string());
        let query = [
            ("employeeId", self.employee.as_str()),
            ("startDate", &from),
            ("endDate", &to),
            ("page", &page),
            ("limit", &limit),
        ];
        self.humand.get(&["time-tracking", "entries"], &query)
    }

    fn response(&self, response: &HttpResponse) -> Result<Page<Entry>, CallError> {
        #[derive(Deserialize)]
        struct Answer {
            items: Vec<Entry>,
            #[serde(default)]
            count: Option<usize>,
        }
        let Answer { items, count } = fault::read(response, "a list of entries")?;
        Ok(Page { items, count })
    }
}

impl fmt::Debug for ListEntries {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.debug_struct("ListEntries").field("days", &self.days).field("page", &self.page).finish_non_exhaustive()
    }
}
