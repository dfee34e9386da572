//! The ERPNext half of the middleware: what the example program and the demo both run.

use std::pin::Pin;
use std::sync::{Arc, Mutex, PoisonError};

use gateway::clock::now;
use punch_erp::erpnext::{Employee, EmployeeDirectory, ErpNext, WriteCheckin};
use punch_erp::{Failure, Outcome, ReqwestTransport, drive, drive_async, render_masked};
use punch_webhook::ReceivedPunch;

/// A write on its way.
pub type Writing = Pin<Box<dyn Future<Output = Outcome> + Send>>;

/// Writes punches as Employee Checkins, reading the employee table once and again when a badge is missing.
pub fn writer(site: ErpNext, transport: ReqwestTransport) -> impl Fn(ReceivedPunch) -> Writing + Send + 'static {
    let employees = Arc::new(Mutex::new(None::<Arc<EmployeeDirectory>>));
    move |punch| {
        let (transport, employees) = (transport.clone(), Arc::clone(&employees));
        let mut flow = WriteCheckin::new(&site, &punch, now());
        Box::pin(async move {
            if let Some(known) = employees.lock().unwrap_or_else(PoisonError::into_inner).clone() {
                flow = flow.with_directory(known);
            }
            let outcome = drive_async(&mut flow, |request| transport.send(request)).await;
            *employees.lock().unwrap_or_else(PoisonError::into_inner) = flow.directory().cloned();
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
