use alloc::string::String;
use core::fmt;
use core::str::FromStr as _;

use bytes::Bytes;
use chrono::TimeDelta;
use http::header::{ACCEPT, CONTENT_TYPE};
use http::{HeaderValue, Method, Request, Uri};
use serde::Deserialize;
use serde_json::Value;

use super::{Access, SuccessFactors, SuccessFactorsSettings, Token, fault};
use crate::mask::MaskedBody;
use crate::percent::push_encoded;
use crate::{CallError, Credential, Endpoint, Evidence, HttpRequest, HttpResponse};

const DEPENDENCY: &str = "urn:sap:identity:application:provider:name:";
const SAML_BEARER: &str = "urn:ietf:params:oauth:grant-type:saml2-bearer";
const JWT_BEARER: &str = "urn:ietf:params:oauth:grant-type:jwt-bearer";

/// Asks for a token. `Debug` shows the way, no credential.
#[derive(Clone)]
pub struct RequestToken {
    tenant: SuccessFactors,
    grant: Grant,
}

#[derive(Clone)]
enum Grant {
    Client,
    IdToken,
    Exchange(Credential),
    Saml(Credential),
}

impl RequestToken {
    /// Identity Authentication, in one step: client credentials and the dependency.
    pub fn ias(tenant: &SuccessFactors) -> Self {
        Self { tenant: tenant.clone(), grant: Grant::Client }
    }

    /// Identity Authentication, first of two steps: the same question, and the id token of its answer.
    pub fn ias_id_token(tenant: &SuccessFactors) -> Self {
        Self { tenant: tenant.clone(), grant: Grant::IdToken }
    }

    /// Identity Authentication, second of two steps: an id token becomes a token for the API.
    pub fn ias_exchange(tenant: &SuccessFactors, id_token: impl Into<Credential>) -> Self {
        Self { tenant: tenant.clone(), grant: Grant::Exchange(id_token.into()) }
    }

    /// The API server's own: a signed SAML assertion in base64 becomes a token.
    pub fn saml(tenant: &SuccessFactors, assertion: impl Into<Credential>) -> Self {
        Self { tenant: tenant.clone(), grant: Grant::Saml(assertion.into()) }
    }

    pub(super) fn is_first_of_two(&self) -> bool {
        matches!(self.grant, Grant::IdToken)
    }

    /// The body, with each credential as `shown` has it.
    fn body(&self, shown: fn(&Credential) -> &str) -> Bytes {
        let SuccessFactorsSettings { company_id, saml_client_id, .. } = self.tenant.settings();
        let SuccessFactorsSettings { ias_client_id, ias_client_secret, ias_dependency, .. } = self.tenant.settings();
        let mut form = String::new();
        let mut field = |name: &str, value: &str| {
            form.push_str(if form.is_empty() { "" } else { "&" });
            form.push_str(name);
            form.push('=');
            push_encoded(&mut form, value);
        };
        match &self.grant {
            Grant::Saml(assertion) => {
                field("company_id", company_id);
                field("client_id", saml_client_id);
                field("grant_type", SAML_BEARER);
                // Its `+` would arrive as a blank if it were not escaped.
                field("assertion", shown(assertion));
            }
            Grant::Client | Grant::IdToken | Grant::Exchange(_) => {
                let is_exchange = matches!(self.grant, Grant::Exchange(_));
                field("grant_type", if is_exchange { JWT_BEARER } else { "client_credentials" });
                field("client_id", ias_client_id);
                field("client_secret", shown(ias_client_secret));
                if let Grant::Exchange(id_token) = &self.grant {
                    field("assertion", shown(id_token));
                }
                field("resource", &[DEPENDENCY, ias_dependency].concat());
            }
        }
        Bytes::from(form)
    }
}

impl Endpoint for RequestToken {
    type Output = Token;

    fn request(&self) -> HttpRequest {
        let SuccessFactorsSettings { api_server, ias_url, .. } = self.tenant.settings();
        let url = match self.grant {
            Grant::Saml(_) => [api_server, "/oauth/token"].concat(),
            Grant::Client | Grant::IdToken | Grant::Exchange(_) => [ias_url, "/oauth2/token"].concat(),
        };
        let mut request = Request::new(self.body(Credential::expose));
        request.extensions_mut().insert(MaskedBody(self.body(|_| "***")));
        *request.method_mut() = Method::POST;
        // Both addresses were checked.
        *request.uri_mut() = Uri::from_str(&url).unwrap_or_default();
        let headers = request.headers_mut();
        headers.insert(CONTENT_TYPE, HeaderValue::from_static("application/x-www-form-urlencoded"));
        headers.insert(ACCEPT, HeaderValue::from_static("application/json"));
        request
    }

    fn response(&self, response: &HttpResponse) -> Result<Token, CallError> {
        #[derive(Deserialize)]
        struct Answer {
            #[serde(default)]
            access_token: Option<Credential>,
            #[serde(default)]
            id_token: Option<Credential>,
            #[serde(default)]
            token_type: Option<String>,
            #[serde(default)]
            expires_in: Value,
        }
        check(response)?;
        let read = |answer: Answer| {
            let is_bearer = answer.token_type.is_none_or(|kind| kind.eq_ignore_ascii_case("bearer"));
            let text = match self.grant {
                Grant::IdToken => answer.id_token.or(answer.access_token),
                Grant::Client | Grant::Exchange(_) | Grant::Saml(_) => answer.access_token.filter(|_| is_bearer),
            }?;
            // It goes into a header.
            let is_whole = !text.expose().is_empty() && text.expose().bytes().all(|byte| byte.is_ascii_graphic());
            is_whole.then(|| Token::new(text, life(&answer.expires_in)))
        };
        let token = serde_json::from_slice(response.body()).ok().and_then(read);
        token.ok_or_else(|| CallError::Unreadable { expected: "a token", evidence: without_body(response) })
    }
}

/// A number, or its digits as a text. What lives longer than can be counted lives for a day.
fn life(expires_in: &Value) -> Option<TimeDelta> {
    let digits = || expires_in.as_str().and_then(|digits| digits.parse().ok());
    let seconds = expires_in.as_i64().or_else(digits)?;
    Some(TimeDelta::try_seconds(seconds).unwrap_or(TimeDelta::days(1)))
}

/// OAuth says with 400 what others say with 401.
fn check(response: &HttpResponse) -> Result<(), CallError> {
    let Err(error) = fault::check(response) else { return Ok(()) };
    let CallError::Refused { evidence, .. } = error else { return Err(error) };
    Err(CallError::Unauthorized(evidence))
}

/// What could not be read may hold a token all the same.
fn without_body(response: &HttpResponse) -> Evidence {
    let mut bare = HttpResponse::new(Bytes::new());
    *bare.status_mut() = response.status();
    Evidence::of(&bare)
}

impl fmt::Debug for RequestToken {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        let grant = match self.grant {
            Grant::Client => "client_credentials",
            Grant::IdToken => "id_token",
            Grant::Exchange(_) => "jwt-bearer",
            Grant::Saml(_) => "saml2-bearer",
        };
        f.debug_struct("RequestToken").field("grant", &grant).finish_non_exhaustive()
    }
}

/// Asks the API server whether a token is good. It costs a call.
#[derive(Debug, Clone)]
pub struct ValidateToken {
    tenant: SuccessFactors,
    access: Access,
}

impl ValidateToken {
    /// `GET /oauth/validate`
    pub fn new(tenant: &SuccessFactors, access: &Access) -> Self {
        Self { tenant: tenant.clone(), access: access.clone() }
    }
}

impl Endpoint for ValidateToken {
    /// Nothing: that it is answered well is the answer.
    type Output = ();

    fn request(&self) -> HttpRequest {
        self.tenant.get(&self.access, "/oauth/validate")
    }

    fn response(&self, response: &HttpResponse) -> Result<(), CallError> {
        fault::check(response)
    }
}
