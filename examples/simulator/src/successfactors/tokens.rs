//! Identity Authentication, the API server's own token service, and who may pass.

use std::collections::BTreeMap;

use base64::Engine as _;
use base64::engine::general_purpose::STANDARD;
use bytes::Bytes;
use chrono::{DateTime, TimeDelta, Utc};
use http::header::{AUTHORIZATION, CONTENT_TYPE};
use http::{Request, Response, StatusCode};
use serde_json::json;

use super::SuccessFactorsStandIn;
use super::reply::{json, page};

/// What a token is good for.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
enum Use {
    Api,
    Exchange,
}

/// The tokens given out.
#[derive(Debug, Default)]
pub(super) struct Tokens {
    given: BTreeMap<String, (Use, DateTime<Utc>)>,
    count: u32,
}

impl Tokens {
    pub(super) fn end_all(&mut self) {
        self.given.clear();
    }

    fn give(&mut self, kind: Use, until: DateTime<Utc>) -> String {
        self.count += 1;
        // As long as a JWT is not, and as opaque.
        let token = format!("canary-token.{:08}.{kind:?}", self.count);
        self.given.insert(token.clone(), (kind, until));
        token
    }

    fn is_good(&self, token: &str, kind: Use, now: DateTime<Utc>) -> bool {
        self.given.get(token).is_some_and(|(given, until)| *given == kind && now < *until)
    }
}

impl SuccessFactorsStandIn {
    /// `POST /oauth2/token` of Identity Authentication.
    pub(super) fn ias_token(&mut self, request: &Request<Bytes>, now: DateTime<Utc>) -> Response<Bytes> {
        let Some(form) = form(request) else { return error(400, "invalid_request") };
        let field = |name: &str| form.get(name).map_or("", String::as_str);
        let config = &self.config;
        if field("client_id") != config.client_id || field("client_secret") != config.client_secret {
            return error(401, "invalid_client");
        }
        if field("resource") != format!("urn:sap:identity:application:provider:name:{}", config.dependency) {
            return error(400, "unauthorized_client");
        }
        let (life, two_step) = (config.token_life_s, config.two_step);
        let until = now + TimeDelta::seconds(i64::from(life));
        match field("grant_type") {
            "client_credentials" if two_step => {
                let id_token = self.tokens.give(Use::Exchange, until);
                json(200, &json!({ "id_token": id_token, "token_type": "Bearer", "expires_in": life }))
            }
            "client_credentials" => self.api_token(until, &json!(life)),
            "urn:ietf:params:oauth:grant-type:jwt-bearer" if two_step => {
                if !self.tokens.is_good(field("assertion"), Use::Exchange, now) {
                    return error(400, "invalid_grant");
                }
                self.api_token(until, &json!(life))
            }
            _ => error(400, "unsupported_grant_type"),
        }
    }

    /// `POST /oauth/token` of the API server.
    pub(super) fn saml_token(&mut self, request: &Request<Bytes>, now: DateTime<Utc>) -> Response<Bytes> {
        let Some(form) = form(request) else { return error(400, "invalid_request") };
        let field = |name: &str| form.get(name).map_or("", String::as_str);
        let config = &mut self.config;
        let is_right = field("grant_type") == "urn:ietf:params:oauth:grant-type:saml2-bearer"
            && field("company_id") == config.company_id
            && field("client_id") == config.client_id;
        let found = config.assertions.iter().position(|known| *known == field("assertion"));
        let Some(found) = found.filter(|_| is_right) else { return error(401, "invalid_client") };
        config.assertions.remove(found);
        let life = config.token_life_s;
        // Digits as a text: both forms are seen.
        self.api_token(now + TimeDelta::seconds(i64::from(life)), &json!(life.to_string()))
    }

    fn api_token(&mut self, until: DateTime<Utc>, life: &serde_json::Value) -> Response<Bytes> {
        let token = self.tokens.give(Use::Api, until);
        json(200, &json!({ "access_token": token, "token_type": "Bearer", "expires_in": life }))
    }

    /// Why somebody may not pass, if so.
    pub(super) fn refusal(&self, request: &Request<Bytes>, now: DateTime<Utc>) -> Option<Response<Bytes>> {
        let header = request.headers().get(AUTHORIZATION).and_then(|value| value.to_str().ok());
        let is_known = match header.and_then(|header| header.split_once(' ')) {
            Some(("Bearer", token)) => self.tokens.is_good(token, Use::Api, now),
            Some(("Basic", sent)) => {
                self.config.basic.as_ref().is_some_and(|expected| STANDARD.encode(expected) == sent)
            }
            _ => false,
        };
        if !is_known {
            return Some(page(StatusCode::UNAUTHORIZED));
        }
        (!self.config.may_import).then(|| page(StatusCode::FORBIDDEN))
    }
}

fn error(status: u16, word: &str) -> Response<Bytes> {
    json(status, &json!({ "error": word }))
}

/// `None` if it is no form, or a value is not escaped as it must be.
fn form(request: &Request<Bytes>) -> Option<BTreeMap<String, String>> {
    let kind = request.headers().get(CONTENT_TYPE)?.to_str().ok()?;
    if kind != "application/x-www-form-urlencoded" {
        return None;
    }
    let text = core::str::from_utf8(request.body()).ok()?;
    text.split('&')
        .map(|pair| pair.split_once('=').and_then(|(name, value)| Some((name.into(), decode(value)?))))
        .collect()
}

/// A raw `+` is a blank, as servers read it.
pub(super) fn decode(text: &str) -> Option<String> {
    let mut bytes = Vec::new();
    let mut rest = text.bytes();
    while let Some(byte) = rest.next() {
        bytes.push(match byte {
            b'+' => b' ',
            b'%' => {
                let digits = [rest.next()?, rest.next()?];
                u8::from_str_radix(core::str::from_utf8(&digits).ok()?, 16).ok()?
            }
            other => other,
        });
    }
    String::from_utf8(bytes).ok()
}
