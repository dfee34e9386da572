//! ERP calls as typed endpoints and sans-IO flows: a punch becomes the right record in the ERP, once.
//!
//! A [`Flow`] says which request to send, reads the answer, and comes to one of four [`Outcome`]s; the caller brings
//! the HTTP client, the clock and the retry schedule.
//!
//! ```
//! use bytes::Bytes;
//! use punch_erp::erpnext::{ErpNext, ErpNextSettings, WriteCheckin};
//! use punch_erp::{HttpRequest, HttpResponse, Outcome, drive};
//! # use punch_webhook::{ReceivedEvent, ReceivedPunch, Secret, Signer, Verifier};
//! # fn received(now: chrono::DateTime<chrono::Utc>) -> Result<ReceivedPunch, Box<dyn std::error::Error>> {
//! #     let body = br#"{"event_id":"evt_1","employee_id":"0042","timestamp":"2026-03-28T08:47:12Z","punch_type":"in"}"#;
//! #     let secret = Secret::from_random([7; 32]);
//! #     let headers = Signer::new(&secret).headers(&punch_normalize::EventId::parse("evt_1")?, body, now);
//! #     match Verifier::new(&secret).verify(headers.iter(), body, now)?.event()? {
//! #         ReceivedEvent::Punch(punch) => Ok(punch),
//! #         _ => Err("not a punch".into()),
//! #     }
//! # }
//!
//! // Any client serves, if it follows no redirects and keeps no cookies. This one stands for the server.
//! let send = |request: HttpRequest| {
//!     let body = match request.uri().path() {
//!         "/api/resource/Employee" => {
//!             r#"{"data":[{"name":"HR-EMP-00001","attendance_device_id":"0042","status":"Active"}]}"#
//!         }
//!         "/api/v2/document/Employee%20Checkin" => {
//!             // Local time of the site; the record's name is the event's id.
//!             let sent = r#"{"name":"evt_1","employee":"HR-EMP-00001","time":"2026-03-28 14:47:12","device_id":"evt_1","log_type":"IN"}"#;
//!             assert_eq!(request.body(), sent);
//!             r#"{"data":{"name":"evt_1","employee":"HR-EMP-00001","employee_name":"Alice","time":"2026-03-28 14:47:12","log_type":"IN"}}"#
//!         }
//!         path => panic!("no request goes to {path}"),
//!     };
//!     Ok(HttpResponse::new(Bytes::from_static(body.as_bytes())))
//! };
//!
//! let site = ErpNext::new(ErpNextSettings::new("https://erp.example.com", "key", "secret", "Asia/Dhaka"))?;
//! let now = "2026-03-28T08:47:15Z".parse()?;
//! let punch = received(now)?; // from a verified webhook
//! let outcome = drive(&mut WriteCheckin::new(&site, &punch, now), send);
//! assert_eq!(outcome, Outcome::Applied { remote_id: "evt_1".into() });
//! # Ok::<(), Box<dyn std::error::Error>>(())
//! ```
//!
//! # Guarantees
//!
//! * No socket, clock or random number, unless the feature `reqwest` is on; `now` is an argument, and the last one.
//! * No answer panics. An answer that is not understood is kept, up to 2 KB of it, as [`Evidence`].
//! * A record counts as written only when the ERP showed it as it was sent.
//! * When a request may have arrived, the flow looks before it creates, or repeats to the byte what the ERP takes only once;
//!   repeating an attempt does no harm.
//! * A flow never sleeps, never sends a record twice, and never follows a redirect.
//! * Credentials are wiped when dropped. Credentials, badges and names appear in no `Debug` and in no error text.
//!
//! # Features
//!
//! * `reqwest`: `ReqwestTransport`, an HTTP client set up the way the flows expect it. Off by default.
#![forbid(unsafe_code)]

extern crate alloc;

mod address;
mod answer;
mod call_error;
#[cfg(feature = "reqwest")]
mod certificate_pin;
mod config;
mod credential;
mod endpoint;
pub mod erpnext;
mod flow;
pub mod hikcentral;
pub mod hrms;
pub mod humand;
pub mod isapi;
mod mapping;
mod mask;
pub mod odoo;
mod outcome;
mod park;
pub mod passage;
mod percent;
mod request;
pub mod successfactors;
#[cfg(feature = "reqwest")]
mod transport;
mod zone;

pub use call_error::{Blame, CallError, Evidence};
#[cfg(feature = "reqwest")]
pub use certificate_pin::CertificatePin;
pub use config::{ConfigError, ConfigErrors};
pub use credential::Credential;
pub use endpoint::{Endpoint, HttpRequest, HttpResponse};
pub use flow::{Failure, Flow, Reached, Step, drive, drive_async};
pub use mapping::{Mapping, MappingError, MappingLine};
pub use mask::{masked_path, render_masked};
pub use outcome::{Outcome, RetryReason};
pub use park::ParkReason;
#[cfg(feature = "reqwest")]
pub use transport::{OpenAnswer, ReqwestTransport, TransportError};

#[doc = include_str!("../ERRORS.md")]
pub mod errors {}
