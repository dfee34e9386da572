use core::fmt;
use core::time::Duration;
use std::collections::BTreeMap;
use std::sync::{Arc, Mutex};

use axum::body::Body;
use axum::extract::State;
use axum::http::{HeaderMap, HeaderValue, Method, StatusCode, Uri, header};
use axum::response::Response as HttpResponse;
use axum::{Extension, Router};
use bytes::Bytes;
use chrono::{DateTime, TimeDelta, Utc};
use punch_normalize::{ClockPolicy, TenantKey};
use punch_protocol::SerialNumber;
use punch_protocol::push::{
    Admission, Limits, PackageError, ParseError, Parts, Receipt, Request, Response, Turn, UploadHead,
};
use punch_webhook::DeviceStatus;
use tokio::sync::{Notify, Semaphore};
use tokio::time::Instant;
use tower_http::limit::RequestBodyLimitLayer;
use tower_http::timeout::TimeoutLayer;

use super::clocks::{Attended, announce};
use super::encounters::{kind_of, upload_of};
use super::reception::drain;
use super::registry::Registry;
use super::turns::Reached;
use crate::clock::now;
use crate::config::{Config, DeviceConfig};
use crate::core::{Attempts, Directory, Intake, Reach, Received, ReceivedRow, Tally};
use crate::listen::Client;
use crate::stage::{Stage, Watch};
use crate::store::{Connection, DeviceRow, Store, StoreError, Transaction, settled, tell_decision};

/// Rows from which on an upload is looked through before it is entered, and entered in turns.
const LONG_UPLOAD: usize = 100;

/// Everything the device listener needs; cheap to clone. `Debug` shows nothing of what terminals have said.
#[derive(Clone)]
pub struct Devices(pub(super) Arc<Inner>);

#[derive(Debug)]
pub(super) struct Inner {
    pub(super) registry: Registry,
    pub(super) store: Store,
    pub(super) intake: Arc<Intake>,
    pub(super) key: TenantKey,
    pub(super) limits: Limits,
    /// Serial numbers that nobody has heard of, by where they came from.
    pub(super) unknown: Mutex<Attempts>,
    /// Wakes whoever turns what was asked into commands.
    pub(super) unexpanded: Notify,
    /// Wakes whoever waits for steps of a terminal.
    pub(super) commanded: Notify,
    /// What was told of terminals last, if that was read since somebody decided about one.
    pub(super) told: Mutex<Option<BTreeMap<String, Reach>>>,
    /// How often it is looked who came and who went.
    pub(super) look_every: Duration,
    /// Places for uploads of what happened before.
    pub(super) backlogs: Semaphore,
    watch: Watch,
    /// The terminals that the configuration names.
    pub(super) named: BTreeMap<SerialNumber, DeviceConfig>,
}

/// What entering rows has led to; true once the transaction is committed.
#[derive(Default)]
pub(super) struct Entered {
    pub(super) tally: Tally,
    pub(super) is_new: bool,
    pub(super) attended: Attended,
}

/// Uploads of what happened before that are made durable at a time. The others wait in the order in which they came, each
/// terminal with one, so that what happens now waits for so many at most, however many terminals come back from an outage.
const BACKLOGS: usize = 2;

impl fmt::Debug for Devices {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.write_str("Devices(..)")
    }
}

impl Devices {
    /// A listener over this store, with the terminals that it and the configuration know.
    pub(crate) fn new(config: &Config, rows: &[DeviceRow], key: [u8; 32], store: Store, watch: Watch) -> Self {
        Self(Arc::new(Inner {
            registry: Registry::new(config, rows, key),
            store,
            intake: Arc::new(Intake::new(key)),
            key: TenantKey::new(key),
            limits: config.limits,
            unknown: Mutex::new(Attempts::new(config.unknown_serials_per_minute, TimeDelta::minutes(1))),
            unexpanded: Notify::new(),
            commanded: Notify::new(),
            told: Mutex::default(),
            look_every: config.look_every,
            backlogs: Semaphore::new(BACKLOGS),
            watch,
            named: config.devices.iter().map(|device| (device.serial.clone(), device.clone())).collect(),
        }))
    }

    /// Finds out what has to be known of terminals before the first of them calls.
    pub(crate) async fn begin(&self) -> Result<(), StoreError> {
        self.keep_zones().await?;
        self.find_commands().await
    }

    /// One route for every terminal: the path is the operator's, only its last segment is ours. Sources have paths of their own.
    pub(super) fn router(&self, pushed: Router, deadline: Duration) -> Router {
        Router::new()
            .fallback(answer)
            .with_state(self.clone())
            .merge(pushed)
            .layer(RequestBodyLimitLayer::new(self.0.limits.stream))
            .layer(TimeoutLayer::with_status_code(StatusCode::SERVICE_UNAVAILABLE, deadline))
    }

    /// Lets a terminal in from now on.
    ///
    /// # Errors
    ///
    /// The store cannot be written; the terminal stays out.
    pub async fn approve(&self, serial: SerialNumber) -> Result<(), StoreError> {
        self.approve_model(serial, None).await
    }

    /// The same, of a terminal whose model somebody tells.
    pub(crate) async fn approve_model(&self, serial: SerialNumber, model: Option<String>) -> Result<(), StoreError> {
        let (of, about, intake) = (serial.clone(), self.0.registry.about(&serial), Arc::clone(&self.0.intake));
        let work = move |tx: &mut Transaction<'_>| {
            let is_new = DeviceRow::admission(tx, of.as_str())? != Some(Admission::Approved);
            DeviceRow::approve(tx, of.as_str(), now())?;
            model.map_or(Ok(()), |model| DeviceRow::keep_model(tx, of.as_str(), &model))?;
            if !is_new {
                return Ok(());
            }
            tell_decision(tx, &intake, (&of, &about), DeviceStatus::Approved, now())
        };
        self.0.store.write(work).await?;
        self.0.registry.admit(serial, Admission::Approved, None, None);
        self.forget_told();
        Ok(())
    }

    /// When each terminal was last heard.
    pub fn last_seen(&self) -> BTreeMap<String, DateTime<Utc>> {
        self.0.registry.last_seen()
    }

    /// Takes an upload, or rows that were read before.
    ///
    /// # Errors
    ///
    /// The store cannot be written.
    pub async fn take(&self, received: Received) -> Result<Tally, StoreError> {
        let Some(directory) = self.0.registry.directory(&received.serial) else { return Ok(Tally::default()) };
        let received = self.look_through(received).await?;
        let adjusts = matches!(directory.rules.clock, ClockPolicy::Adjust | ClockPolicy::AdjustWrong);
        let (serial, probe) = (received.serial.clone(), received.contact.and_then(|contact| contact.probe));
        let is_backlog = received.rows.len() > Received::LIVE_ROWS;
        // It is never closed; without a place nothing would be lost but the order.
        let _place = if is_backlog { self.0.backlogs.acquire().await.ok() } else { None };
        let entered = if received.rows.len() >= LONG_UPLOAD {
            self.enter_in_turns(received, directory).await?
        } else {
            let devices = self.clone();
            let work = move |tx: &mut Transaction<'_>| devices.enter(tx, &received, directory.clone());
            self.0.store.write_repeatable(work).await?
        };
        announce(entered.attended.notice.as_ref());
        if entered.attended.is_known_again && adjusts {
            self.adjust_outage(serial.clone());
        }
        if let Some(probe) = probe.filter(|_| entered.is_new) {
            self.probe_written(&serial, probe);
        }
        Ok(entered.tally)
    }

    /// Passes over what is known of a long upload before the rest waits for the writer: most of a log that is sent once more.
    async fn look_through(&self, mut received: Received) -> Result<Received, StoreError> {
        if received.rows.len() < LONG_UPLOAD {
            return Ok(received);
        }
        let intake = Arc::clone(&self.0.intake);
        let look = move |connection: &Connection| {
            intake.pass_over_known(&mut received, |event_id| settled(connection, event_id))?;
            Ok(received)
        };
        self.0.store.read(look).await
    }

    /// Enters rows, what they say of the clock of their terminal, and its resume mark.
    pub(super) fn enter(
        &self,
        tx: &mut Transaction<'_>,
        received: &Received,
        directory: Directory,
    ) -> Result<Entered, StoreError> {
        self.enter_next(tx, received, &mut Reached::default(), usize::MAX, directory)
    }

    async fn turn(&self, serial: SerialNumber, request: &Request<'_>) -> Response {
        if matches!(request, Request::Poll(_) | Request::Results(_)) {
            self.load_commands(&serial).await;
        }
        let contact = self.0.registry.called(&serial, now());
        let Some((contact, turn)) = contact.zip(self.0.registry.handle(&serial, request, now())) else {
            return self.refuse_unknown(serial).await;
        };
        if matches!(request, Request::Poll(_) | Request::Ping(_) | Request::Alive) {
            self.0.registry.polled(&serial, &contact, now());
        }
        self.keep_speech(&serial).await;
        self.keep_told(&serial).await;
        match (turn, request) {
            (Turn::Reply(response), _) => response,
            (Turn::Dispatch(dispatch), _) => self.send_commands(&serial, dispatch).await,
            (Turn::Store(receipt), Request::Upload(upload)) => {
                let received = Received::read(serial, upload, now()).by(contact);
                self.store_upload(receipt, received, upload.head()).await
            }
            (Turn::Store(receipt), Request::Results(results)) => self.take_results(serial, receipt, results).await,
            (Turn::Store(receipt), Request::QueryPage(page)) => {
                self.keep_answer(&serial, page).await;
                let received = Received::page(serial, page, now());
                self.store_opened(receipt, received.map(|received| received.by(contact))).await
            }
            (Turn::Store(receipt), Request::Package(upload)) => {
                let received = Received::package(serial, upload, now());
                self.store_opened(receipt, received.map(|received| received.by(contact))).await
            }
            (Turn::Store(receipt), _) => receipt.refused(),
            (_, _) => Response::retry_later(),
        }
    }

    /// A dialect that is not kept costs a wrong first guess after a restart, so a failure is only logged.
    pub(super) async fn keep_speech(&self, serial: &SerialNumber) {
        let Some((dialect, declines_encryption)) = self.0.registry.new_speech(serial) else { return };
        let text = serial.to_string();
        let work = move |tx: &mut Transaction<'_>| DeviceRow::keep_speech(tx, &text, dialect, declines_encryption);
        if let Err(error) = self.0.store.write(work).await {
            tracing::error!(%serial, %error, "dialect not remembered");
        }
    }

    /// What cannot be opened is refused, and stays on the terminal.
    async fn store_opened(&self, receipt: Receipt, received: Result<Received, PackageError>) -> Response {
        match received {
            Ok(received) => self.store(receipt, received).await,
            Err(error) => {
                tracing::warn!(code = error.code(), %error, "package refused");
                receipt.refused()
            }
        }
    }

    /// The resume mark moves only behind rows that are on disk.
    pub(super) async fn store_upload(&self, receipt: Receipt, received: Received, head: &UploadHead) -> Response {
        let serial = received.serial.clone();
        let response = self.store(receipt, received).await;
        if response.status() == 200 {
            self.0.registry.advance(&serial, head);
        }
        response
    }

    /// Rows first, the acknowledgement only for what is on disk.
    pub(super) async fn store(&self, receipt: Receipt, received: Received) -> Response {
        let (serial, rows, whole) = (received.serial.clone(), received.attendance_rows(), received.whole);
        let kept = self.keep(received).await;
        self.uploaded(&serial, rows, whole, kept.is_ok());
        if kept.is_ok() { receipt.stored() } else { receipt.refused() }
    }

    /// Makes rows durable and tells whoever watches and whoever reads the log.
    ///
    /// # Errors
    ///
    /// The store cannot be written; nothing was taken.
    pub(crate) async fn keep(&self, received: Received) -> Result<Tally, StoreError> {
        let serial = received.serial.clone();
        let sightings = self.sightings(&received);
        let (metrics, began) = (self.0.store.metrics(), Instant::now());
        match self.take(received).await {
            Ok(tally) => {
                metrics.stored(tally, began.elapsed());
                tracing::info!(%serial, ?tally, "upload stored");
                let stored_at = now();
                sightings.iter().for_each(|id| self.0.watch.announce(id, Stage::Durable, stored_at));
                Ok(tally)
            }
            Err(error) => {
                metrics.refused();
                tracing::error!(%serial, %error, "upload refused");
                Err(error)
            }
        }
    }

    /// The ids of the punches, if anybody watches.
    fn sightings(&self, received: &Received) -> Vec<String> {
        if !self.0.watch.is_watched() {
            return Vec::new();
        }
        let mut ids = Vec::new();
        for row in &received.rows {
            if let ReceivedRow::Punch { punch, .. } = row {
                let id = self.0.key.event_id(punch).to_string();
                self.0.watch.announce(&id, Stage::Received, received.received_at);
                ids.push(id);
            }
        }
        ids
    }

    pub(super) async fn refuse_unknown(&self, serial: SerialNumber) -> Response {
        self.note_unknown(serial).await;
        Response::retry_later()
    }

    /// Whether punches of a terminal may come from somebody who has read them: the rule is that of the terminal itself.
    /// An unknown one is remembered as pending.
    pub(crate) async fn meet(&self, serial: &SerialNumber) -> Admission {
        self.0.registry.heard_through_somebody(serial, now());
        self.admission_of(serial).await
    }

    /// The same of somebody who only asks whether there is something to do: of the terminal that tells nothing.
    pub(crate) async fn admission_of(&self, serial: &SerialNumber) -> Admission {
        match self.0.registry.admission(serial) {
            Some(admission) => admission,
            None => {
                self.note_unknown(serial.clone()).await;
                Admission::Pending
            }
        }
    }

    /// Whether a terminal is let in; `None` if nobody has named it.
    pub(crate) fn admission(&self, serial: &SerialNumber) -> Option<Admission> {
        self.0.registry.admission(serial)
    }

    /// How many terminals are let in.
    pub(crate) fn approved(&self) -> usize {
        self.0.registry.approved()
    }

    /// The terminal with this serial number, or with this id in payloads.
    pub(crate) fn find(&self, id: &str) -> Option<SerialNumber> {
        self.0.registry.find(id)
    }

    /// The id that payloads have of a terminal.
    pub(crate) fn id_of(&self, serial: &SerialNumber) -> Option<String> {
        self.0.registry.directory(serial)?.device.id
    }

    /// The terminals of a site that are let in and call by themselves.
    pub(crate) fn of_site(&self, site: &str) -> Vec<SerialNumber> {
        self.0.registry.of_site(site)
    }

    /// Remembers a serial nobody has approved, so that somebody can.
    async fn note_unknown(&self, serial: SerialNumber) {
        self.0.store.metrics().met_unknown();
        tracing::warn!(%serial, "unknown terminal refused; approve its serial to let it in");
        let text = serial.to_string();
        if let Err(error) = self.0.store.write(move |tx| DeviceRow::note_pending(tx, &text, now())).await {
            tracing::error!(%error, "pending terminal not remembered");
        }
        self.0.registry.admit(serial, Admission::Pending, None, None);
    }
}

async fn answer(
    State(devices): State<Devices>,
    Extension(Client { address: from, .. }): Extension<Client>,
    method: Method,
    uri: Uri,
    headers: HeaderMap,
    body: Body,
) -> HttpResponse {
    let limits = devices.0.limits;
    let text = |name| headers.get(name).and_then(|value: &HeaderValue| value.to_str().ok());
    let mut parts = Parts::new(method.as_str(), uri.path(), uri.query().unwrap_or_default(), b"");
    parts.declared_length = text(header::CONTENT_LENGTH).and_then(|length| length.parse().ok());
    parts.cookie = text(header::COOKIE);
    let chunked = headers.contains_key(header::TRANSFER_ENCODING);
    match Request::streamed(parts, &limits) {
        Err(error) => to_http(refusal(&error)),
        // A body without an announced length may be none, which is another request.
        Ok(Some((serial, head))) if parts.declared_length.is_some() || chunked => {
            let what = upload_of(head.table().as_str());
            if let Some(refusal) = devices.turn_away(&serial, from, uri.path(), &what) {
                drain(&mut body.into_data_stream(), limits.body).await;
                return to_http(refusal);
            }
            let response = devices.receive(serial.clone(), &head, body).await;
            devices.note_seen(&serial, &what, &response, from);
            to_http(response)
        }
        Ok(_) => {
            // A body cut short ends in an error here, so it never reaches the parser.
            let Ok(body) = axum::body::to_bytes(body, limits.body).await else {
                return to_http(Response::retry_later());
            };
            parts.body = &body;
            match Request::parse(parts, &limits) {
                Ok((serial, request)) => {
                    if let Some(refusal) = devices.turn_away(&serial, from, uri.path(), &kind_of(&request)) {
                        return to_http(refusal);
                    }
                    let response = devices.turn(serial.clone(), &request).await;
                    devices.note_seen(&serial, &kind_of(&request), &response, from);
                    devices.keep_said(&serial, &request, text(header::USER_AGENT)).await;
                    to_http(response)
                }
                Err(error) => to_http(refusal(&error)),
            }
        }
    }
}

pub(super) fn refusal(error: &ParseError) -> Response {
    tracing::warn!(code = error.code(), %error, "request refused");
    Response::rejection(error)
}

fn to_http(response: Response) -> HttpResponse {
    let status = StatusCode::from_u16(response.status()).unwrap_or(StatusCode::INTERNAL_SERVER_ERROR);
    let mut builder = HttpResponse::builder().status(status);
    for (name, value) in Response::HEADERS {
        builder = builder.header(name, value);
    }
    let body: Bytes = response.into_body();
    builder.body(Body::from(body)).unwrap_or_else(|_| HttpResponse::new(Body::empty()))
}
