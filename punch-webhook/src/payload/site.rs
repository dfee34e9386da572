//! The event of a site: everything is known up to a time.

use chrono::{DateTime, Utc};
use punch_normalize::EventId;
use punch_protocol::SerialNumber;

use super::json::Object;
use super::shapes::utc;
use super::{Detail, Event};

#[derive(Debug, Clone)]
pub(super) struct WatermarkDetail<'a> {
    pub(super) site: &'a str,
    complete_to: DateTime<Utc>,
    waiting_for: Option<&'a SerialNumber>,
}

impl<'a> Event<'a> {
    /// `site.watermark`: every punch of the site before `complete_to` was told, as far as anybody can know; found at
    /// `at`. `waiting_for` is the terminal that holds the watermark back, if one does.
    ///
    /// Whoever closes days may close what lies before it: it is the `last_sync_of_checkin` of an `ERPNext` shift type.
    pub fn site_watermark(
        id: &'a EventId,
        site: &'a str,
        complete_to: DateTime<Utc>,
        waiting_for: Option<&'a SerialNumber>,
        at: DateTime<Utc>,
    ) -> Self {
        Self { id, at, detail: Detail::Watermark(WatermarkDetail { site, complete_to, waiting_for }) }
    }
}

impl WatermarkDetail<'_> {
    /// The members are the same in every shape.
    pub(super) fn members(&self, event: &mut Object<'_>) {
        event.text("site", self.site);
        event.text("complete_to", &utc(self.complete_to));
        event.optional_text("waiting_for", self.waiting_for.map(SerialNumber::as_str));
    }
}
