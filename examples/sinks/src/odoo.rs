//! The Odoo half of the middleware.

use std::pin::Pin;
use std::sync::{Arc, Mutex, PoisonError};

use crate::clock::now;
use punch_erp::odoo::{Odoo, OdooSettings, Session, WriteAttendances};
use punch_erp::{Failure, HttpRequest, HttpResponse, Outcome, ReqwestTransport, drive, drive_async, render_masked};
use punch_webhook::ReceivedPunch;
use serde_json::{Value, json};

use crate::environment::{env, env_any, env_flag};

/// The database of the environment: `ODOO_URL`, `ODOO_DB`, `ODOO_USER` and `ODOO_PASS`. `ODOO_BADGE_FIELD` is where badges
/// are; without it `barcode`, or `id` if there is a table of badges. `ALLOW_HTTP` lets the address be plain http.
///
/// # Errors
///
/// A variable is missing or wrong; the text names it.
pub fn from_env() -> anyhow::Result<Odoo> {
    let (url, database, user) = (env("ODOO_URL")?, env("ODOO_DB")?, env("ODOO_USER")?);
    let mut settings = OdooSettings::new(url, database, user, env("ODOO_PASS")?);
    let by_table = env_any(&["MAPPING_FILE"]).map(|_| MAPPED_FIELD.to_owned());
    settings.badge_field = env_any(&["ODOO_BADGE_FIELD"]).or(by_table).unwrap_or(settings.badge_field);
    settings.allow_http = env_flag("ALLOW_HTTP");
    Ok(Odoo::new(settings)?)
}

/// What a table of badges names employees by, unless it is told otherwise: the number of the record.
pub(crate) const MAPPED_FIELD: &str = "id";

/// A write on its way.
pub type Writing = Pin<Box<dyn Future<Output = Vec<Outcome>> + Send>>;

/// Brings a person's attendances in line with their punches. Logs in once, and again when the login is refused.
pub fn writer(odoo: Odoo, transport: ReqwestTransport) -> impl Fn(Vec<ReceivedPunch>) -> Writing + Send + 'static {
    let kept = Arc::new(Mutex::new(Session::default()));
    move |punches| {
        let (transport, kept) = (transport.clone(), Arc::clone(&kept));
        let session = kept.lock().unwrap_or_else(PoisonError::into_inner).clone();
        let mut flow = WriteAttendances::new(&odoo, &punches, now()).with_session(session);
        Box::pin(async move {
            let outcomes = drive_async(&mut flow, |request| transport.send(request)).await;
            *kept.lock().unwrap_or_else(PoisonError::into_inner) = flow.session().clone();
            outcomes
        })
    }
}

/// Shows the requests that would be sent, secrets masked, and sends nothing. The answers are made up: Odoo 18, everybody
/// known, and no attendance yet.
pub fn dry_run(
    odoo: Odoo,
    show: impl Fn(String) + Send + 'static,
) -> impl Fn(Vec<ReceivedPunch>) -> Writing + Send + 'static {
    let field = odoo.badge_field().to_owned();
    move |punches| {
        let outcomes = drive(&mut WriteAttendances::new(&odoo, &punches, now()), |request| {
            show(render_masked(&request));
            let result = assumed(&field, &request).ok_or_else(|| Failure::not_reached("dry run"))?;
            Ok(HttpResponse::new(json!({ "jsonrpc": "2.0", "id": 1, "result": result }).to_string().into()))
        });
        Box::pin(async { outcomes })
    }
}

/// The answer to a call that changes nothing.
fn assumed(field: &str, request: &HttpRequest) -> Option<Value> {
    let body: Value = serde_json::from_slice(request.body()).ok()?;
    let text = |place: &str| body.pointer(place).and_then(Value::as_str);
    match (text("/params/method")?, text("/params/args/3"), text("/params/args/4")) {
        ("version", ..) => Some(json!({ "server_version_info": [18, 0] })),
        ("authenticate", ..) => Some(json!(2)),
        (_, Some("hr.employee"), _) => {
            let badges = body.pointer("/params/args/5/0/0/2")?;
            let badges = badges.as_array().map_or_else(|| vec![badges], |several| several.iter().collect());
            // Where the badge is the number of the record, it stays that.
            let somebody = |(id, badge): (usize, &Value)| {
                let mut row = json!({ "id": id + 1, "active": true });
                if let Some(row) = row.as_object_mut() {
                    row.insert(field.to_owned(), badge.clone());
                }
                row
            };
            Some(badges.into_iter().enumerate().map(somebody).collect())
        }
        (_, Some("hr.attendance"), Some("search_read")) => Some(json!([])),
        _ => None,
    }
}
