//! ZKTeco's HTTP push protocol (`iclock`, "ADMS"): what the terminal posts and what a server may answer.
//!
//! The terminal is the HTTP client. A shell reads one request, hands its parts to [`Request::parse`], asks the
//! terminal's [`Session`] what to do, makes rows durable where it must, and writes the answer back:
//!
//! ```
//! use punch_protocol::push::{Limits, Parts, Request, Session, Settings, Turn};
//!
//! let body = b"1042\t2026-03-28 08:47:12\t0\t1\t\t0\t0\n";
//! let parts = Parts::new("POST", "/iclock/cdata", "SN=CZKE2241600045&table=ATTLOG&Stamp=9999", body);
//! let (serial, request) = Request::parse(parts, &Limits::default())?;
//!
//! let now = chrono::DateTime::from_timestamp(1_774_684_033, 0).expect("in range");
//! let mut session = Session::approved(serial, Settings::default());
//! match session.handle(&request, now) {
//!     Turn::Store(receipt) => {
//!         let Request::Upload(upload) = &request else { unreachable!() };
//!         for row in upload.rows() {
//!             assert!(row.is_ok()); // make each row, or the bytes of a row in error, durable here
//!         }
//!         assert_eq!(receipt.stored().body(), b"OK: 1");
//!     }
//!     Turn::Reply(response) => println!("{}", response.status()),
//!     other => println!("{other:?}"),
//! }
//! # Ok::<(), Box<dyn std::error::Error>>(())
//! ```
//!
//! [`Receipt::stored`] is the only function that makes an `OK` for an upload, and it consumes the receipt:
//! acknowledging before storing does not compile into a program that has nothing to call it on.
//!
//! # Long bodies
//!
//! A shell that would rather not hold a body of templates reads it while it arrives: [`Request::streamed`] gives what
//! stands before the body, [`Session::receive`] decides about it, [`RowStream`] finds the rows, and
//! [`Reception::complete`] makes the receipt.
//!
//! # Commands
//!
//! A [`Command`] waits in the session until the terminal polls. What goes out is written down first, and followed until
//! the terminal has said what became of it:
//!
//! ```
//! use punch_protocol::SerialNumber;
//! use punch_protocol::push::{
//!     Command, CommandChange, CommandId, Limits, Parts, Request, ReturnCode, Session, Settings, Ticket, Turn,
//! };
//!
//! let now = chrono::DateTime::from_timestamp(1_774_684_033, 0).expect("in range");
//! let mut session = Session::approved(SerialNumber::parse("T1")?, Settings::default());
//! session.submit(Ticket::new(CommandId::numbered(7), Command::open_door(1, 5)?, now))?;
//!
//! let poll = Parts::new("GET", "/iclock/getrequest", "SN=T1", b"");
//! let (_, request) = Request::parse(poll, &Limits::default())?;
//! let Turn::Dispatch(dispatch) = session.handle(&request, now) else { panic!("a command waits") };
//! // Make it durable that `dispatch.commands()` are sent; a door must not be opened twice.
//! assert_eq!(dispatch.recorded().body(), b"C:7:AC_UNLOCK\n");
//!
//! let posted = Parts::new("POST", "/iclock/devicecmd", "SN=T1", b"ID=7&Return=0&CMD=AC_UNLOCK\n");
//! let (_, request) = Request::parse(posted, &Limits::default())?;
//! let (Turn::Store(receipt), Request::Results(results)) = (session.handle(&request, now), &request) else { panic!() };
//! let updates = session.outcomes(results); // make these durable
//! assert_eq!(updates[0].change, CommandChange::Succeeded { code: ReturnCode::OK });
//! session.settled(&updates);
//! assert_eq!(receipt.stored().body(), b"OK");
//! # Ok::<(), Box<dyn std::error::Error>>(())
//! ```

mod access;
mod access_answer;
mod attlog;
mod background_check;
mod codes;
mod command;
mod commands;
mod configuration;
mod control;
mod deviation;
mod error_row;
pub mod errors;
mod event_keys;
mod file_part;
mod handshake;
mod info;
mod keyed;
mod lenient;
mod limits;
mod line;
mod operation;
mod options;
mod package;
mod photo;
mod query;
mod request;
mod response;
mod results;
mod rows;
mod server_options;
mod session;
mod stream;
mod tagged;
mod target;
mod template_row;
mod terminal;
mod terminal_options;
mod time_interval;
mod time_zone;
mod transaction;
mod upload;
mod user_row;

pub use crate::encoded_time::EncodedTime;
pub use access::{PackageHeader, QueryPage, RecordRow, VerifyBits};
pub use access_answer::{AuthVerdict, Configuration, RegistrationAnswer, ServerTime};
pub use attlog::{AttlogRow, Fields, IdentityCard};
pub use background_check::BackgroundCheck;
pub use codes::{
    AccessEvent, AccessFunction, AccessFunctions, AlarmReason, BiometricType, CardNumber, ErrorLogCode, ErrorModule,
    EventBand, EventSet, Language, Nation, Operation, Privilege, ProtocolVersion, ReturnCode, TemplateValidity,
};
pub use command::{CommandEnvelope, CommandLine, PollAnswer};
pub use commands::{
    Command, CommandChange, CommandError, CommandId, CommandLimits, CommandQueue, CommandState, CommandUpdate,
    Dangerous, DataRecord, DataTable, Enrolment, TextEncoding, Ticket, UserRecord,
};
pub use configuration::ConfigurationBlock;
pub use control::{ControlAction, ControlDevice, Output, OutputTime};
pub use deviation::Deviation;
pub use error_row::ErrorRow;
pub use errors::{ParseError, RowError, RowErrorKind};
pub use file_part::FilePart;
pub use handshake::{Dialect, Handshake};
pub use info::{Functions, Info};
pub use keyed::{DoorSensor, DoorState, KeyedRow};
pub use lenient::{GuessedEvent, GuessedForm, GuessedPunch, GuessedTime};
pub use limits::Limits;
pub use operation::OperationRow;
pub use options::OptionBlock;
pub use package::{Entry, Package, PackageError, PackageLimits};
pub use photo::{IdentityPhoto, PhotoHeader, PhotoKind};
pub use query::Query;
pub use request::{FingerImage, Parts, Ping, Poll, Request};
pub use response::{Dispatch, Receipt, Reception, Response};
pub use results::{CommandResult, CommandResults};
pub use rows::{Row, Rows};
pub use server_options::{ServerAnswer, ServerOptions, TableAck, TransFlag, TransFlagForm};
pub use session::{Admission, CommKey, Session, Settings, Stamps, Turn};
pub use stream::{Finished, RowStream, Streamed};
pub use tagged::{Doubt, Pair, Pairs, TaggedRow};
pub use target::{Endpoint, RequestLine, Target};
pub use template_row::TemplateRow;
pub use terminal::{
    Deserves, Exchange, Hostile, HttpAnswer, Mischief, Pace, Profile, Terminal, TerminalEvent, TerminalRequest,
    TerminalUser,
};
pub use terminal_options::TerminalOptions;
pub use time_interval::TimeInterval;
pub use time_zone::{TimeZoneError, TimeZoneMinutes, TimeZoneReading};
pub use transaction::TransactionRow;
pub use upload::{Ack, Table, Upload, UploadHead};
pub use user_row::UserRow;
