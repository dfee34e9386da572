//! The SuccessFactors half of the middleware: punches are gathered, because calls are few.

use std::path::{Path, PathBuf};
use std::pin::Pin;
use std::sync::Arc;

use crate::clock::now;
use chrono::{DateTime, Utc};
use punch_erp::successfactors::{
    CallBudget, CreateTimeEvents, Session, SuccessFactors, SuccessFactorsSettings, WriteTimeEvents,
};
use punch_erp::{
    Failure, Flow as _, HttpRequest, HttpResponse, Outcome, ReqwestTransport, RetryReason, Step, drive, render_masked,
};
use punch_webhook::ReceivedPunch;
use tokio::sync::{Mutex, mpsc, oneshot};

use crate::environment::{env, env_any, env_flag, env_parsed};

/// A write on its way.
pub type Writing = Pin<Box<dyn Future<Output = Outcome> + Send>>;

/// How many punches wait for one call at most.
pub const GATHERED: usize = CreateTimeEvents::MAX_EVENTS;

/// Reads the environment: `SF_API_SERVER`, `SF_IAS_URL`, `SF_IAS_CLIENT_ID`, `SF_IAS_SECRET`, `SF_IAS_DEPENDENCY`,
/// `SF_CODE_IN`, `SF_CODE_OUT`, and if they are there `SF_TIME_ZONE`, `SF_FLUSH_INTERVAL_S`, `SF_MIN_CALL_GAP_S` and
/// `ALLOW_HTTP`.
///
/// # Errors
///
/// A variable is missing or no number; the text names it.
pub fn settings_from_env() -> anyhow::Result<SuccessFactorsSettings> {
    let plain = SuccessFactorsSettings::new(env("SF_API_SERVER")?, env("SF_CODE_IN")?, env("SF_CODE_OUT")?);
    let (url, client) = (env("SF_IAS_URL")?, env("SF_IAS_CLIENT_ID")?);
    let mut settings = plain.with_ias(url, client, env("SF_IAS_SECRET")?, env("SF_IAS_DEPENDENCY")?);
    settings.time_zone = env_any(&["SF_TIME_ZONE"]).unwrap_or(settings.time_zone);
    settings.allow_http = env_flag("ALLOW_HTTP");
    let numbers =
        [("SF_FLUSH_INTERVAL_S", &mut settings.flush_interval_s), ("SF_MIN_CALL_GAP_S", &mut settings.min_call_gap_s)];
    for (name, number) in numbers {
        *number = env_parsed(name, *number, "a number of seconds")?;
    }
    Ok(settings)
}

/// Writes punches as time events, as many as wait in one call, as often as calls are allowed. The count of the day's calls
/// is kept in the file `calls`. It needs a tokio runtime around it.
pub fn writer(
    tenant: SuccessFactors,
    transport: ReqwestTransport,
    calls: PathBuf,
) -> impl Fn(ReceivedPunch) -> Writing + Send + 'static {
    let (waiting, inbox) = mpsc::unbounded_channel();
    let caller = Caller::new(tenant, transport, calls);
    tokio::spawn(Gatherer { caller, waiting: Vec::new(), hold_until: DateTime::UNIX_EPOCH }.run(inbox));
    move |punch| {
        let (tell, told) = oneshot::channel();
        // If nobody gathers any more the punch is still in the table, for the next start.
        drop(waiting.send(Waiting { punch, tell, attempts: 0 }));
        Box::pin(async { told.await.unwrap_or(Outcome::Retry { after: None, reason: RetryReason::Unconfirmed }) })
    }
}

struct Waiting {
    punch: ReceivedPunch,
    tell: oneshot::Sender<Outcome>,
    attempts: u32,
}

/// How many calls in a row may fail before the queue is told. It would count one that fails as a failure of each punch in
/// it, and then trust the tenant with a few at a time, which takes many of the day's calls.
const ATTEMPTS: u32 = 3;

/// Writes punches as time events where all of them are at hand: a call as soon as one is allowed, and of each punch what became
/// of it, `held_back` of those that the call had no room for.
pub fn caller(
    tenant: SuccessFactors,
    transport: ReqwestTransport,
    calls: PathBuf,
) -> impl Fn(Vec<ReceivedPunch>) -> Calling + Send + 'static {
    let caller = Arc::new(Mutex::new(Caller::new(tenant, transport, calls)));
    move |punches| {
        let caller = Arc::clone(&caller);
        Box::pin(async move { caller.lock().await.call(&punches).await })
    }
}

/// A call on its way.
pub type Calling = Pin<Box<dyn Future<Output = Vec<Outcome>> + Send>>;

/// The one way to a tenant, so that its calls are counted.
struct Caller {
    tenant: SuccessFactors,
    transport: ReqwestTransport,
    /// Where the count of calls is kept.
    calls: PathBuf,
    session: Session,
}

impl Caller {
    fn new(tenant: SuccessFactors, transport: ReqwestTransport, calls: PathBuf) -> Self {
        let session = Session::default().with_budget(read_calls(&calls));
        Self { tenant, transport, calls, session }
    }

    /// One attempt.
    async fn call(&mut self, punches: &[ReceivedPunch]) -> Vec<Outcome> {
        let mut flow = WriteTimeEvents::new(&self.tenant, punches, now()).with_session(self.session.clone());
        let outcomes = loop {
            match flow.poll() {
                Step::Send(request) => {
                    // Before the call, or a crash would make the day longer.
                    write_calls(&self.calls, flow.session().budget());
                    flow.handle(self.transport.send(request).await);
                }
                Step::Done(outcomes) => break outcomes,
            }
        };
        self.session = flow.session().clone();
        if flow.without_zone() > 0 {
            tracing::warn!(punches = flow.without_zone(), "written in UTC, their zone is not known; set SF_TIME_ZONE");
        }
        outcomes
    }
}

struct Gatherer {
    caller: Caller,
    waiting: Vec<Waiting>,
    /// The tenant asked for patience until then.
    hold_until: DateTime<Utc>,
}

impl Gatherer {
    async fn run(mut self, mut inbox: mpsc::UnboundedReceiver<Waiting>) {
        let rules = self.caller.tenant.call_rules();
        loop {
            let due = self.caller.session.budget().due_at(self.waiting.len(), &rules, now()).max(self.hold_until);
            let pause = due.signed_duration_since(now()).to_std().unwrap_or_default();
            tokio::select! {
                // What has arrived is taken along.
                biased;
                one = inbox.recv() => match one {
                    Some(one) => self.waiting.push(one),
                    None => return,
                },
                () = tokio::time::sleep(pause), if !self.waiting.is_empty() => self.write().await,
            }
        }
    }

    /// One attempt. What it had no room for goes on waiting, and for some calls what had no luck.
    async fn write(&mut self) {
        let punches: Vec<ReceivedPunch> = self.waiting.iter().map(|waiting| waiting.punch.clone()).collect();
        let outcomes = self.caller.call(&punches).await;
        for (one, outcome) in std::mem::take(&mut self.waiting).into_iter().zip(outcomes) {
            self.settle(one, outcome);
        }
    }

    fn settle(&mut self, mut one: Waiting, outcome: Outcome) {
        let Outcome::Retry { after, reason } = &outcome else {
            // Who asked may be gone; the outcome is found out again after the next start.
            return drop(one.tell.send(outcome));
        };
        // A call that was refused as a whole is narrowed down, one call after the other.
        let is_progress = *reason == RetryReason::HeldBack || reason.code() == "refused";
        one.attempts += u32::from(!is_progress);
        if one.attempts >= ATTEMPTS {
            return drop(one.tell.send(outcome));
        }
        self.hold_until = self.hold_until.max(now() + after.unwrap_or_default());
        self.waiting.push(one);
    }
}

/// A file that cannot be read is a day that begins.
fn read_calls(path: &Path) -> CallBudget {
    std::fs::read(path).ok().and_then(|text| serde_json::from_slice(&text).ok()).unwrap_or_default()
}

fn write_calls(path: &Path, budget: &CallBudget) {
    let new = path.with_extension("new");
    let text = serde_json::to_vec(budget).unwrap_or_default();
    if let Err(error) = std::fs::write(&new, text).and_then(|()| std::fs::rename(&new, path)) {
        tracing::warn!(%error, "the count of calls is not kept; after a restart the day's last calls may be refused");
    }
}

/// Shows the requests that would be sent, secrets masked, and sends nothing. The token is made up.
pub fn dry_run(
    tenant: SuccessFactors,
    show: impl Fn(String) + Send + 'static,
) -> impl Fn(ReceivedPunch) -> Writing + Send + 'static {
    let call = dry_caller(tenant, show);
    move |punch| {
        let calling = call(vec![punch]);
        let unanswered = Outcome::Retry { after: None, reason: RetryReason::Unconfirmed };
        Box::pin(async { calling.await.into_iter().next().unwrap_or(unanswered) })
    }
}

/// The same for punches that are all at hand.
pub fn dry_caller(
    tenant: SuccessFactors,
    show: impl Fn(String) + Send + 'static,
) -> impl Fn(Vec<ReceivedPunch>) -> Calling + Send + 'static {
    move |punches| {
        let outcomes = drive(&mut WriteTimeEvents::new(&tenant, &punches, now()), |request: HttpRequest| {
            show(render_masked(&request));
            let is_token = request.uri().path() == "/oauth2/token";
            let token = || HttpResponse::new(r#"{"access_token":"dry-run"}"#.into());
            is_token.then(token).ok_or(Failure::not_reached("dry run"))
        });
        Box::pin(async { outcomes })
    }
}
