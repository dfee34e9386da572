//! The ERPNext half of the middleware: what the example program and the demo both run.

use std::pin::Pin;
use std::sync::{Arc, Mutex, PoisonError};

use chrono::{DateTime, TimeDelta, Utc};
use punch_erp::erpnext::{Employee, EmployeeDirectory, ErpNext, ErpNextSettings, WriteCheckin};
use punch_erp::{Failure, Outcome, ReqwestTransport, drive, drive_async, render_masked};
use punch_webhook::ReceivedPunch;

use crate::clock::now;
use crate::environment::{env, env_any, env_flag};

/// The site of the environment: `ERPNEXT_URL`, `API_KEY`, `API_SECRET` and `SITE_ZONE`, the zone in its System Settings.
/// `ERPNEXT_BADGE_FIELD` is where badges are; without it `attendance_device_id`, or `name` if there is a table of badges.
/// `ALLOW_HTTP` lets the address be plain http.
///
/// # Errors
///
/// A variable is missing or wrong; the text names it.
pub fn from_env() -> anyhow::Result<ErpNext> {
    let (url, key, secret) = (env("ERPNEXT_URL")?, env("API_KEY")?, env("API_SECRET")?);
    let mut settings = ErpNextSettings::new(url, key, secret, env("SITE_ZONE")?);
    let by_table = env_any(&["MAPPING_FILE"]).map(|_| MAPPED_FIELD.to_owned());
    settings.badge_field = env_any(&["ERPNEXT_BADGE_FIELD"]).or(by_table).unwrap_or(settings.badge_field);
    settings.allow_http = env_flag("ALLOW_HTTP");
    Ok(ErpNext::new(settings)?)
}

/// What a table of badges names employees by, unless it is told otherwise: the name of the record.
pub(crate) const MAPPED_FIELD: &str = "name";

/// A missing badge is not looked for again in an employee table that was read so recently: a burst of punches of somebody
/// unknown must not read it for each.
const TABLE_KEPT: TimeDelta = TimeDelta::seconds(2);

/// A write on its way.
pub type Writing = Pin<Box<dyn Future<Output = Outcome> + Send>>;

/// The employee table as it was read last, and when.
#[derive(Clone, Default)]
struct Table(Option<(Arc<EmployeeDirectory>, DateTime<Utc>)>);

/// Writes punches as Employee Checkins, reading the employee table once and again when a badge is missing.
pub fn writer(site: ErpNext, transport: ReqwestTransport) -> impl Fn(ReceivedPunch) -> Writing + Send + 'static {
    let employees = Arc::new(Mutex::new(Table::default()));
    move |punch| {
        let (transport, employees) = (transport.clone(), Arc::clone(&employees));
        let mut flow = WriteCheckin::new(&site, &punch, now());
        Box::pin(async move {
            let Table(known) = employees.lock().unwrap_or_else(PoisonError::into_inner).clone();
            if let Some((directory, read_at)) = &known {
                flow = flow.with_directory(Arc::clone(directory));
                if (now() - *read_at).abs() < TABLE_KEPT {
                    flow = flow.without_refresh();
                }
            }
            let outcome = drive_async(&mut flow, |request| transport.send(request)).await;
            let is_new = |read: &&Arc<EmployeeDirectory>| !known.is_some_and(|(known, _)| Arc::ptr_eq(&known, read));
            if let Some(read) = flow.directory().filter(is_new) {
                let read = Table(Some((Arc::clone(read), now())));
                *employees.lock().unwrap_or_else(PoisonError::into_inner) = read;
            }
            outcome
        })
    }
}

/// Shows the request that would be sent, secrets masked, and sends nothing. The employee is made up.
pub fn dry_run(
    site: ErpNext,
    show: impl Fn(String) + Send + 'static,
) -> impl Fn(ReceivedPunch) -> Writing + Send + 'static {
    move |punch| {
        let anybody = (punch.badge.clone(), Employee::active("the-employee-with-this-badge"));
        let mut flow =
            WriteCheckin::new(&site, &punch, now()).with_directory(Arc::new([anybody].into_iter().collect()));
        let outcome = drive(&mut flow, |request| {
            show(render_masked(&request));
            Err(Failure::not_reached("dry run"))
        });
        Box::pin(async { outcome })
    }
}
