//! What is written down of whatever a form changes.

use axum::Extension;
use axum::extract::{Request, State};
use axum::middleware::Next;
use axum::response::Response;

use super::Dashboard;
use super::seal::Session;
use super::visit::Visit;
use crate::api::audit::{asked, is_reading};
use crate::core::Deed;
use crate::store::Intent;

/// Whatever a form changes is written down: who sent it, what it was about, and what came of it.
pub(super) async fn record(
    State(dashboard): State<Dashboard>,
    Extension(visit): Extension<Visit>,
    mut request: Request,
    next: Next,
) -> Response {
    if is_reading(request.method()) {
        return next.run(request).await;
    }
    let deed = asked(&mut request, "dashboard").await;
    let deed = dashboard.by(deed, visit.session.as_ref());
    Intent::carry_out(&dashboard.api.store, deed, next.run(request), |response| Some(response.status().as_u16())).await
}

impl Dashboard {
    /// The deed of somebody who is logged in.
    pub(super) fn by(&self, deed: Deed, session: Option<&Session>) -> Deed {
        let caller = session.and_then(|session| self.caller(session));
        Deed {
            key: caller.map(|caller| caller.key),
            scope: caller.map(|caller| caller.scope.as_str().to_owned()),
            session: session.map(Session::word),
            ..deed
        }
    }
}
