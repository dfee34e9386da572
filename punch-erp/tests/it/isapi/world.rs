//! A terminal, a user, and a way to ask.

use chrono::{DateTime, FixedOffset};
use punch_erp::isapi::{AcsEventQuery, AcsEventsRead, IsapiRules, IsapiSettings, IsapiTerminal, SearchEvents};
use punch_erp::{RetryReason, drive};
use punch_protocol::SerialNumber;

use crate::isapi_server::{AcsEvent, Form, IsapiConfig, IsapiStandIn};

pub(crate) const PASSWORD: &str = "canary-password-3f";

pub(crate) fn settings() -> IsapiSettings {
    IsapiSettings::new("https://192.168.1.64", "admin", PASSWORD)
}

pub(crate) fn rules() -> IsapiRules {
    IsapiRules::new(SerialNumber::parse("DS-SN-1").unwrap())
}

/// A time of 28 March 2026, in the offset of the terminal.
pub(crate) fn local(time: &str) -> DateTime<FixedOffset> {
    DateTime::parse_from_rfc3339(&format!("2026-03-28T{time}+01:00")).unwrap()
}

pub(crate) struct World {
    pub(crate) terminal: IsapiTerminal,
    pub(crate) server: IsapiStandIn,
}

impl World {
    pub(crate) fn with(change: impl FnOnce(&mut IsapiConfig)) -> Self {
        let mut config = IsapiConfig::new("admin", PASSWORD);
        change(&mut config);
        Self { terminal: IsapiTerminal::new(settings()).unwrap(), server: IsapiStandIn::new(config, 914) }
    }

    /// A face every minute from 08:00.
    pub(crate) fn faces(&mut self, count: u32) {
        for number in 0..count {
            let at = local(&format!("{:02}:{:02}:00", 8 + number / 60, number % 60));
            self.server.happen(AcsEvent::face(at, &(1000 + number).to_string(), "checkIn"), Form::Json);
        }
    }

    pub(crate) fn flow(&self) -> SearchEvents {
        let query = AcsEventQuery::new(local("00:00:00"), local("23:59:59"), "b3b8c0b2");
        SearchEvents::new(&self.terminal, query, rules(), "0a4f113b")
    }

    pub(crate) fn run(&mut self, flow: &mut SearchEvents) -> Result<AcsEventsRead, RetryReason> {
        drive(flow, |request| Ok(self.server.answer(&request)))
    }

    pub(crate) fn search(&mut self) -> Result<AcsEventsRead, RetryReason> {
        let mut flow = self.flow();
        self.run(&mut flow)
    }
}
