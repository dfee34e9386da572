use alloc::string::String;
use alloc::vec::Vec;

use serde_json::json;

use super::{HikCentral, Stamp, envelope};
use crate::passage::{fields, text};
use crate::{CallError, Endpoint, Evidence, HttpRequest, HttpResponse};

/// A door, as the partner user sees it.
#[derive(Debug, Clone, PartialEq, Eq)]
#[non_exhaustive]
pub struct Door {
    /// The code that lists of doors go by.
    pub code: String,
    /// What people call it.
    pub name: Option<String>,
}

/// Lists the doors, a page of them: to write the list of doors, and to see which ones the partner user may not see.
#[derive(Debug, Clone)]
pub struct ListDoors {
    site: HikCentral,
    page: u32,
    stamp: Stamp,
}

impl ListDoors {
    /// Doors a page.
    pub const PAGE_SIZE: usize = 500;

    /// `POST …/resource/v1/acsDoor/acsDoorList`. Pages count from 1; a page that is not full is the last.
    pub fn new(site: &HikCentral, page: u32, stamp: Stamp) -> Self {
        Self { site: site.clone(), page, stamp }
    }
}

impl Endpoint for ListDoors {
    type Output = Vec<Door>;

    fn request(&self) -> HttpRequest {
        let body = json!({ "pageNo": self.page, "pageSize": Self::PAGE_SIZE });
        self.site.post(&["resource", "v1", "acsDoor", "acsDoorList"], &body, &self.stamp)
    }

    fn response(&self, response: &HttpResponse) -> Result<Vec<Door>, CallError> {
        let expected = "a list of doors";
        let data = envelope::read(response, expected)?;
        let rows = envelope::list(&data, &["list", "rows"]);
        let rows = rows.ok_or_else(|| CallError::Unreadable { expected, evidence: Evidence::of(response) })?;
        let door = |row| {
            let members = fields(Some(row));
            let code = text(&members, "doorIndexCode").or_else(|| text(&members, "indexCode"))?;
            Some(Door { code, name: text(&members, "doorName").or_else(|| text(&members, "name")) })
        };
        Ok(rows.iter().filter_map(door).collect())
    }
}
