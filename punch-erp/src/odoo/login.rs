use serde_json::Value;

use super::{Odoo, Protocol, Version, fault};
use crate::{CallError, Endpoint, Evidence, HttpRequest, HttpResponse};

/// What a server has to be told with every call, found out once and kept. It holds no secret.
#[derive(Debug, Clone, PartialEq, Eq)]
#[non_exhaustive]
pub struct Login {
    /// How the server is spoken to.
    pub protocol: Protocol,
    /// The number of our user; 0 with [`Protocol::Json2`], where the key says who we are.
    pub uid: i64,
    /// The version of the server.
    pub version: Version,
}

impl Login {
    /// A login by [`Protocol::Json2`]: there is nothing to log in to.
    pub fn json2(version: Version) -> Self {
        Self { protocol: Protocol::Json2, uid: 0, version }
    }

    /// A login by one of the older protocols, with the user's number that [`Authenticate`] gives.
    pub fn rpc(protocol: Protocol, uid: i64, version: Version) -> Self {
        Self { protocol, uid, version }
    }

    /// Whether attendances say who closed them. Asking a server for a field it does not have is an error.
    pub fn knows_out_mode(&self) -> bool {
        self.version.major >= 18
    }
}

/// Logs in. It costs the server a good part of a second, so it is done once, and again when the login is refused.
#[derive(Debug, Clone)]
pub struct Authenticate {
    odoo: Odoo,
    protocol: Protocol,
}

impl Authenticate {
    /// `common.authenticate` with database, user and secret.
    pub fn new(odoo: &Odoo, protocol: Protocol) -> Self {
        Self { odoo: odoo.clone(), protocol }
    }
}

impl Endpoint for Authenticate {
    /// The number of the user.
    type Output = i64;

    fn request(&self) -> HttpRequest {
        self.odoo.authenticate(self.protocol)
    }

    fn response(&self, response: &HttpResponse) -> Result<i64, CallError> {
        let expected = "the number of a user";
        let answer: Value = fault::read_by(self.protocol, response, expected)?;
        match answer.as_i64() {
            Some(uid) => Ok(uid),
            // A wrong password and an unknown user look the same, and neither is an error to the server.
            None if answer == false => Err(CallError::Unauthorized(Evidence::of(response))),
            None => Err(CallError::Unreadable { expected, evidence: Evidence::of(response) }),
        }
    }
}
