use alloc::collections::BTreeMap;
use alloc::string::{String, ToString as _};
use alloc::vec::Vec;
use core::fmt;

use serde::Deserialize;

use super::entry::read_id_if_any;
use super::page::{LIMIT, Page};
use super::{Humand, fault};
use crate::mask::MaskedPath;
use crate::{CallError, Endpoint, HttpRequest, HttpResponse, ParkReason};

/// A user of the community, as far as punches need one: names, phones and dates of birth are not read.
///
/// `Debug` shows no id.
#[derive(Clone, PartialEq, Eq, Deserialize)]
#[serde(rename_all = "camelCase")]
#[non_exhaustive]
pub struct User {
    /// The `employeeInternalId`; empty of somebody who has none.
    #[serde(rename = "employeeInternalId", default, deserialize_with = "read_id_if_any")]
    pub employee: String,
    /// `ACTIVE`, `DEACTIVATED`, `UNCLAIMED` or another word.
    #[serde(default)]
    pub status: String,
    /// Whether the user was deleted.
    #[serde(default)]
    pub deleted: bool,
}

impl User {
    /// Whether punches can be written for the user.
    pub fn is_active(&self) -> bool {
        self.status == "ACTIVE" && !self.deleted
    }
}

impl fmt::Debug for User {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.debug_struct("User").field("status", &self.status).finish_non_exhaustive()
    }
}

/// Reads the users of the community, a page of them. [`ReadUsers`](super::ReadUsers) reads all.
#[derive(Debug, Clone)]
pub struct ListUsers {
    humand: Humand,
    page: u32,
}

impl ListUsers {
    /// `GET …/users`. Pages count from 1.
    pub fn new(humand: &Humand, page: u32) -> Self {
        Self { humand: humand.clone(), page }
    }
}

impl Endpoint for ListUsers {
    type Output = Page<User>;

    fn request(&self) -> HttpRequest {
        self.humand.get(&["users"], &[("page", &self.page.to_string()), ("limit", &LIMIT.to_string())])
    }

    fn response(&self, response: &HttpResponse) -> Result<Page<User>, CallError> {
        #[derive(Deserialize)]
        struct Answer {
            users: Vec<User>,
            #[serde(default)]
            count: Option<usize>,
        }
        let Answer { users, count } = fault::read(response, "a list of users")?;
        Ok(Page { items: users, count })
    }
}

/// Reads one user.
#[derive(Clone)]
pub struct GetUser {
    humand: Humand,
    employee: String,
}

impl GetUser {
    /// `GET …/users/{employeeInternalId}`
    pub fn new(humand: &Humand, employee: impl Into<String>) -> Self {
        Self { humand: humand.clone(), employee: employee.into() }
    }
}

impl Endpoint for GetUser {
    /// `None` if there is no such user.
    type Output = Option<User>;

    fn request(&self) -> HttpRequest {
        let mut request = self.humand.get(&["users", &self.employee], &[]);
        // The only path with a person in it.
        let masked = [self.humand.get(&["users"], &[]).uri().path(), "/***"].concat();
        request.extensions_mut().insert(MaskedPath(masked));
        request
    }

    fn response(&self, response: &HttpResponse) -> Result<Option<User>, CallError> {
        match fault::read(response, "a user") {
            Ok(user) => Ok(Some(user)),
            Err(CallError::NotFound(_)) => Ok(None),
            Err(error) => Err(error),
        }
    }
}

impl fmt::Debug for GetUser {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.debug_struct("GetUser").finish_non_exhaustive()
    }
}

/// Who is a user, and active. Compared with `==` it tells whether anything changed, and with that whether parked punches
/// of unknown people are worth another attempt.
#[derive(Clone, Default, PartialEq, Eq)]
pub struct UserDirectory {
    is_active: BTreeMap<String, bool>,
}

impl UserDirectory {
    /// Whether punches can be written for this `employeeInternalId`, letter by letter.
    ///
    /// # Errors
    ///
    /// [`ParkReason::UnknownEmployee`] or [`ParkReason::EmployeeInactive`].
    pub fn check(&self, employee: &str) -> Result<(), ParkReason> {
        match self.is_active.get(employee) {
            None => Err(ParkReason::UnknownEmployee),
            Some(false) => Err(ParkReason::EmployeeInactive),
            Some(true) => Ok(()),
        }
    }

    /// Number of users.
    pub fn len(&self) -> usize {
        self.is_active.len()
    }

    /// Whether there is nobody.
    pub fn is_empty(&self) -> bool {
        self.is_active.is_empty()
    }
}

impl Extend<User> for UserDirectory {
    fn extend<I: IntoIterator<Item = User>>(&mut self, users: I) {
        for user in users.into_iter().filter(|user| !user.employee.is_empty()) {
            // An id may be used anew after its first owner was deleted.
            *self.is_active.entry(user.employee.clone()).or_default() |= user.is_active();
        }
    }
}

impl FromIterator<User> for UserDirectory {
    fn from_iter<I: IntoIterator<Item = User>>(users: I) -> Self {
        let mut directory = Self::default();
        directory.extend(users);
        directory
    }
}

impl fmt::Debug for UserDirectory {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.debug_struct("UserDirectory").field("users", &self.is_active.len()).finish_non_exhaustive()
    }
}
