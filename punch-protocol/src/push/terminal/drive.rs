//! When a terminal calls: what is next, and how long it waits.

use chrono::{DateTime, TimeDelta, Utc};

use super::errand::{Errand, Store};
use super::memory::Log;
use super::{HttpAnswer, Terminal, TerminalRequest};

/// How far the connection has come.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub(super) enum Phase {
    Disconnected,
    /// Access control: known to be there, not registered.
    Unregistered,
    /// Access control: registered, not configured.
    Registered,
    Connected,
}

/// A request on its way, or about to be sent again.
#[derive(Clone)]
pub(super) struct Flight {
    pub(super) errand: Errand,
    /// Kept by firmware that sends the same request again at once.
    pub(super) request: Option<TerminalRequest>,
    pub(super) sent: DateTime<Utc>,
    /// Quick retries before this.
    pub(super) retries: i32,
}

impl Terminal {
    /// Quick retries of old firmware, 300 ms further apart each time.
    const QUICK_RETRIES: i32 = 3;
    /// Uploads without a pause after which a terminal shows that it is alive.
    const UPLOADS_PER_PING: u32 = 10;

    /// The next request, if it is time for one and none is on its way.
    pub fn poll_request(&mut self, now: DateTime<Utc>) -> Option<TerminalRequest> {
        if self.in_flight.is_some() || self.wake.is_some_and(|at| now < at) {
            return None;
        }
        self.wake = None;
        if let Some(flight) = self.retry.take() {
            let request = flight.request.clone();
            self.in_flight = Some(Flight { sent: now, ..flight });
            return request;
        }
        let Some((errand, request)) = self.next(now) else {
            self.idle_until = self.next_poll.into_iter().chain(self.next_transfer(now)).min();
            return None;
        };
        let again = self.profile.is_classic() && request.method == "POST";
        self.in_flight = Some(Flight { errand, request: again.then(|| request.clone()), sent: now, retries: 0 });
        Some(request)
    }

    /// Takes the answer to the request on its way, as if it had come under `text/plain` and without a `Date`.
    pub fn handle_answer(&mut self, status: u16, body: &[u8], now: DateTime<Utc>) {
        self.handle_response(HttpAnswer::new(status, body), now);
    }

    /// Takes the answer to the request on its way.
    pub fn handle_response(&mut self, answer: HttpAnswer<'_>, now: DateTime<Utc>) {
        let Some(flight) = self.in_flight.take() else { return };
        self.idle_until = None;
        if self.is_connected() && answer.disowns() {
            self.disown();
        } else if !self.settle(&flight, &answer, now) {
            self.fail(flight, now);
        }
    }

    /// No answer came, or not all of it. The rows stay in memory; some of them may have arrived.
    pub fn handle_failure(&mut self, now: DateTime<Utc>) {
        self.handle_answer(0, b"", now);
    }

    /// When [`Terminal::poll_request`] will next give something; `None` means now, unless an answer is awaited.
    pub fn poll_timeout(&self) -> Option<DateTime<Utc>> {
        self.wake.or(self.idle_until)
    }

    fn next(&mut self, now: DateTime<Utc>) -> Option<(Errand, TerminalRequest)> {
        match self.phase {
            Phase::Disconnected => Some((Errand::Handshake, self.get("cdata", &self.profile.greeting()))),
            Phase::Unregistered => {
                let body = self.parameter_list(&[]).into_bytes();
                Some((Errand::Registry, self.post("registry", "", body)))
            }
            Phase::Registered => Some((Errand::Configuration, self.post("push", "", [].into()))),
            Phase::Connected => {
                let next = self.formalities(now).or_else(|| self.uploads(now)).or_else(|| self.answers());
                next.or_else(|| self.poll(now))
            }
        }
    }

    /// What follows a connection once, and shows of life during a long upload.
    fn formalities(&self, now: DateTime<Utc>) -> Option<(Errand, TerminalRequest)> {
        if self.options_due {
            let body = self.parameter_list(&self.orders.option_keys).into_bytes();
            return Some((Errand::Options, self.post("cdata", "&table=options", body)));
        }
        if self.time_due {
            return Some((Errand::Time, self.get("rtdata", "&type=time")));
        }
        if self.state_due {
            return Some((Errand::State, self.post("cdata", "&table=rtstate", self.state_row(self.wall_clock(now)))));
        }
        let ping = self.orders.ping && self.uploads_in_a_row >= Self::UPLOADS_PER_PING;
        ping.then(|| (Errand::Ping, self.get("ping", "")))
    }

    fn uploads(&mut self, now: DateTime<Utc>) -> Option<(Errand, TerminalRequest)> {
        if !self.transfers(now) {
            return None;
        }
        let upload = [Store::Punches, Store::Operations, Store::Errors, Store::Photos]
            .into_iter()
            .filter(|store| self.serves(*store))
            .find_map(|store| self.upload(store));
        if upload.is_none() {
            // Everything is sent: the next transfer is a transfer of its own.
            self.transfer_asked = false;
            self.last_transfer = Some(now);
        }
        upload
    }

    /// Errors are part of the protocol from 2.4.1 (3.1.2 in access control) on.
    fn serves(&self, store: Store) -> bool {
        store != Store::Errors || self.orders.speaks([2, 4, 1], &self.profile)
    }

    fn answers(&self) -> Option<(Errand, TerminalRequest)> {
        if let Some(parcel) = self.parcels.front() {
            return Some((Errand::Page, self.post(parcel.endpoint, &parcel.query, parcel.body.clone())));
        }
        let results = self.results.first().filter(|_| !self.results_wait)?;
        Some((Errand::Results, self.post("devicecmd", "", results.as_bytes().to_vec())))
    }

    fn poll(&mut self, now: DateTime<Utc>) -> Option<(Errand, TerminalRequest)> {
        if self.next_poll.is_some_and(|at| now < at) {
            return None;
        }
        self.results_wait = false;
        Some((Errand::Poll, self.get("getrequest", &self.poll_query())))
    }

    /// Whether rows may be uploaded now.
    fn transfers(&self, now: DateTime<Utc>) -> bool {
        self.orders.realtime || self.transfer_asked || self.next_transfer(now).is_some_and(|at| at <= now)
    }

    /// When the next transfer begins, if rows are not sent in real time.
    fn next_transfer(&self, now: DateTime<Utc>) -> Option<DateTime<Utc>> {
        if self.orders.realtime || !self.is_connected() {
            return None;
        }
        let last = self.wall_clock(self.last_transfer.unwrap_or(now));
        let wait = self.orders.next_transfer(last)?.signed_duration_since(self.wall_clock(now));
        now.checked_add_signed(wait)
    }

    /// The wait after an idle poll: old firmware grows it by a fifth of `Delay` a poll.
    pub(super) fn idle_wait(&self) -> TimeDelta {
        let delay = self.poll_delay.unwrap_or(self.orders.delay).max(TimeDelta::seconds(1));
        let fifths = i32::try_from(self.idle_polls).unwrap_or(5).clamp(1, 5);
        let grown = delay.checked_mul(fifths).and_then(|wait| wait.checked_div(5)).unwrap_or(delay);
        if self.profile.is_classic() { grown } else { delay }
    }

    fn fail(&mut self, flight: Flight, now: DateTime<Utc>) {
        self.refused = self.refused.saturating_add(u64::from(flight.errand != Errand::Poll));
        self.upload_failed |= matches!(flight.errand, Errand::Upload { .. });
        self.uploads_in_a_row = 0;
        if flight.request.is_some() && flight.retries < Self::QUICK_RETRIES {
            let retries = flight.retries.saturating_add(1);
            self.wake = TimeDelta::milliseconds(300).checked_mul(retries).and_then(|wait| now.checked_add_signed(wait));
            self.retry = Some(Flight { retries, ..flight });
            return;
        }
        self.wait_out_error(now);
        if flight.errand == Errand::Results {
            self.results_wait = true;
            self.restart_if_due(now);
        }
    }

    pub(super) fn wait_out_error(&mut self, now: DateTime<Utc>) {
        // A server that says 0 would otherwise be asked without a pause.
        let told = self.orders.error_delay.max(TimeDelta::seconds(1));
        self.wake = now.checked_add_signed(self.error_delay.unwrap_or(told));
    }

    pub(super) fn log(&self, store: Store) -> &Log {
        match store {
            Store::Punches => &self.punches,
            Store::Operations => &self.operations,
            Store::Errors => &self.errors,
            Store::Photos => &self.photos,
        }
    }

    pub(super) fn log_mut(&mut self, store: Store) -> &mut Log {
        match store {
            Store::Punches => &mut self.punches,
            Store::Operations => &mut self.operations,
            Store::Errors => &mut self.errors,
            Store::Photos => &mut self.photos,
        }
    }
}
