//! The one place that reads a clock.

use chrono::{DateTime, Utc};

/// The time now.
#[expect(clippy::disallowed_methods, reason = "the shell's clock; everything below takes `now` as an argument")]
pub fn now() -> DateTime<Utc> {
    Utc::now()
}
