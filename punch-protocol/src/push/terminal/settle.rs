//! What a terminal makes of an answer.

use alloc::borrow::ToOwned as _;
use alloc::string::String;

use chrono::{DateTime, NaiveDateTime, TimeDelta, Utc};

use super::commands::Heard;
use super::drive::{Flight, Phase};
use super::errand::{Errand, Store};
use super::event::TerminalEvent;
use super::orders::Orders;
use super::{HttpAnswer, Terminal, rows};
use crate::push::{EncodedTime, ServerTime, server_options};

impl Terminal {
    /// Takes an answer; `false` if the errand failed.
    pub(super) fn settle(&mut self, flight: &Flight, answer: &HttpAnswer<'_>, now: DateTime<Utc>) -> bool {
        // An endpoint that is not served is no reason to stop.
        let heard = self.is_accepted(answer, None) || answer.status == 404;
        match &flight.errand {
            Errand::Handshake if self.profile.is_access_control() => self.greeted(answer, now),
            Errand::Handshake => self.configured(answer, flight.sent, now),
            Errand::Registry => self.registered(answer, now),
            Errand::Configuration => self.access_configured(answer, now),
            Errand::Options => Self::clear_if(heard, &mut self.options_due),
            Errand::State => Self::clear_if(heard, &mut self.state_due),
            Errand::Time => self.timed(answer, now),
            Errand::Ping => {
                self.uploads_in_a_row = 0;
                heard
            }
            Errand::Upload { store, numbers, expects } => {
                let accepted = self.is_accepted(answer, expects.as_deref());
                if accepted {
                    self.uploaded(*store, numbers);
                }
                accepted
            }
            Errand::Page => {
                let expects = self.parcels.front().and_then(|parcel| parcel.expects.as_deref());
                let accepted = self.is_accepted(answer, expects);
                if accepted {
                    self.parcels.pop_front();
                }
                accepted
            }
            Errand::Results => self.reported(answer, now),
            Errand::Poll => self.polled(answer, flight.sent, now),
        }
    }

    /// Status 200, and the text that the firmware looks for: `OK` anywhere, `OK` in front, or exactly `X=n`.
    ///
    /// Whether newer firmware takes an `OK` in the middle of a page is not known; it is the safer reading that it
    /// does not.
    fn is_accepted(&self, answer: &HttpAnswer<'_>, expects: Option<&str>) -> bool {
        let Some(body) = answer.success() else { return false };
        match expects {
            Some(expected) => body == expected.as_bytes(),
            None if self.profile.is_classic() => server_options::place_of_ok(body).is_some(),
            None => body.trim_ascii_start().starts_with(b"OK"),
        }
    }

    fn clear_if(done: bool, due: &mut bool) -> bool {
        *due = *due && !done;
        done
    }

    /// An attendance handshake.
    fn configured(&mut self, answer: &HttpAnswer<'_>, sent: DateTime<Utc>, now: DateTime<Utc>) -> bool {
        let orders = answer.success().and_then(|body| Orders::of_block(&self.profile, body));
        let Some(orders) = orders else { return false };
        self.connect(orders, now);
        self.options_due = self.orders.push_options && !self.profile.is_classic();
        self.follow_date(answer, sent, now);
        self.follow_marks();
        true
    }

    /// An access-control handshake: `registry=ok` has the configuration with it, anything else means registration.
    fn greeted(&mut self, answer: &HttpAnswer<'_>, now: DateTime<Utc>) -> bool {
        let Some(body) = answer.success().filter(|_| !answer.disowns()) else { return false };
        let head = body.get(..11).unwrap_or(body);
        if head.eq_ignore_ascii_case(b"registry=ok") {
            return self.access_configured(answer, now);
        }
        self.phase = Phase::Unregistered;
        // An attendance block is harmless as long as registration is served.
        let known = self.is_accepted(answer, None) || body.starts_with(b"GET OPTION FROM:");
        if !known {
            self.phase = Phase::Disconnected;
        }
        known
    }

    fn registered(&mut self, answer: &HttpAnswer<'_>, now: DateTime<Utc>) -> bool {
        let text = String::from_utf8_lossy(answer.success().unwrap_or_default());
        let code = text.trim().strip_prefix("RegistryCode=").filter(|code| (1..=32).contains(&code.len()));
        let Some(code) = code else {
            self.phase = Phase::Disconnected;
            if answer.status == 406 {
                self.report(TerminalEvent::RegistrationRefused);
            }
            self.wait_out_error(now);
            return false;
        };
        self.registry_code = Some(code.to_owned());
        self.phase = Phase::Registered;
        self.report(TerminalEvent::Registered);
        true
    }

    fn access_configured(&mut self, answer: &HttpAnswer<'_>, now: DateTime<Utc>) -> bool {
        let Some(body) = answer.success().filter(|body| body.contains(&b'=') && !answer.disowns()) else {
            return false;
        };
        let orders = Orders::of_configuration(&self.profile, body);
        self.registry_code = orders.registry_code.clone().or_else(|| self.registry_code.take());
        self.connect(orders, now);
        (self.options_due, self.time_due, self.state_due) = (true, true, true);
        true
    }

    fn connect(&mut self, orders: Orders, now: DateTime<Utc>) {
        self.orders = orders;
        self.phase = Phase::Connected;
        (self.next_poll, self.idle_polls, self.told) = (None, 0, None);
        self.last_transfer = Some(now);
        self.check_due = false;
        self.report(TerminalEvent::Connected);
    }

    /// A mark in the option block can make the terminal send again. It never makes it skip a row that was not
    /// acknowledged, as marks of real firmware do when the clock was set.
    fn follow_marks(&mut self) {
        let marks = self.orders.marks.clone();
        for (store, mark) in [Store::Punches, Store::Operations, Store::Photos].into_iter().zip(marks) {
            let Some(mark) = mark.and_then(|mark| mark.trim().parse::<u32>().ok()) else { continue };
            if mark == 0 {
                self.log_mut(store).send_again(|_| true);
            } else if self.profile.is_classic() {
                let later = |time: NaiveDateTime| EncodedTime::of(time).is_some_and(|EncodedTime(at)| at > mark);
                self.log_mut(store).send_again(|row| rows::time_of(row).is_some_and(later));
            }
        }
    }

    fn follow_date(&mut self, answer: &HttpAnswer<'_>, sent: DateTime<Utc>, now: DateTime<Utc>) {
        let Some((date, zone)) = answer.date.filter(|_| answer.is_plain_text()).zip(self.orders.zone) else { return };
        let summer = TimeDelta::hours(i64::from(self.profile.daylight_saving));
        let Some(east) = zone.checked_add(&summer) else { return };
        if let Some(by) = self.clock.follow(date, east, sent, now) {
            self.report(TerminalEvent::ClockSet { by });
        }
    }

    /// `DateTime=<packed GMT>,ServerTZ=±hhmm`. Without it the clock stays as it is.
    fn timed(&mut self, answer: &HttpAnswer<'_>, now: DateTime<Utc>) -> bool {
        self.time_due = false;
        let text = String::from_utf8_lossy(answer.success().unwrap_or_default());
        if let Some(ServerTime { utc, offset_minutes: Some(east), .. }) = ServerTime::parse(&text) {
            let east = TimeDelta::minutes(east.into());
            self.orders.zone = Some(east);
            if let Some(wall) = utc.checked_add_signed(east) {
                let by = self.clock.set(wall, now);
                self.report(TerminalEvent::ClockSet { by });
            }
        }
        answer.status != 0
    }

    fn uploaded(&mut self, store: Store, numbers: &[u64]) {
        self.log_mut(store).acknowledge(numbers);
        self.uploads_in_a_row = self.uploads_in_a_row.saturating_add(1);
        self.idle_polls = 0;
        if core::mem::take(&mut self.upload_failed) && self.profile.live_first {
            self.punches.put_new_rows_first();
        }
    }

    /// Results are forgotten on 200, `text/plain` and `OK`; on anything less all of them are posted again.
    fn reported(&mut self, answer: &HttpAnswer<'_>, now: DateTime<Utc>) -> bool {
        let taken = self.is_accepted(answer, None) && answer.is_plain_text();
        if taken {
            self.results.taken();
            self.restart_if_due(now);
            if self.results.first().is_none() && self.check_due {
                self.phase = Phase::Disconnected;
            }
        }
        taken
    }

    fn polled(&mut self, answer: &HttpAnswer<'_>, sent: DateTime<Utc>, now: DateTime<Utc>) -> bool {
        let Some(body) = answer.success() else { return false };
        self.follow_date(answer, sent, now);
        self.told = Some(self.counters());
        self.uploads_in_a_row = 0;
        let wait = match self.hear(body, now) {
            Heard::Nonsense => return false,
            Heard::Orders => {
                self.idle_polls = 0;
                TimeDelta::seconds(1)
            }
            Heard::Nothing => {
                self.idle_polls = self.idle_polls.saturating_add(1);
                self.idle_wait()
            }
        };
        self.next_poll = now.checked_add_signed(wait);
        true
    }

    /// The server does not know this serial: from the start again, at once, with everything still in memory.
    pub(super) fn disown(&mut self) {
        self.phase = Phase::Disconnected;
        self.registry_code = None;
        self.report(TerminalEvent::Disowned);
    }

    /// Off it goes, whether or not the server has heard that it obeys.
    pub(super) fn restart_if_due(&mut self, now: DateTime<Utc>) {
        if core::mem::take(&mut self.restart_due) {
            self.phase = Phase::Disconnected;
            self.wake = now.checked_add_signed(self.profile.boot_time);
            self.report(TerminalEvent::Restarted);
        }
    }
}
