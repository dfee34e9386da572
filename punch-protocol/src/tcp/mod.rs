//! ZKTeco's binary protocol on TCP and UDP port 4370: frames, numbers and records, both ways.
//!
//! Here are the codec's pure functions of bytes: nothing waits, retries or decides what to ask next. A TCP stream is cut
//! into frames by [`Frame::parse`], a UDP datagram is one [`Packet`]:
//!
//! ```
//! use punch_protocol::tcp::{Command, Frame, Framed, Limits, OptionPair};
//!
//! let mut received = b"\x50\x50\x82\x7d\x1d\0\0\0\xd0\x07\x71\x4c\xf3\x8d\x0c\0~Platform=ZEM760_TFT\0".to_vec();
//! received.extend_from_slice(b"\x50\x50"); // the next frame has begun
//!
//! let Framed::Complete { frame, used } = Frame::parse(&received, &Limits::default())? else { panic!() };
//! assert_eq!((frame.packet.command, used), (Command::ACK_OK, 37));
//! assert_eq!(OptionPair::parse(frame.packet.data).and_then(OptionPair::value), Some(&b"ZEM760_TFT"[..]));
//! let rest = &received[used..];
//! assert_eq!(Frame::parse(rest, &Limits::default())?, Framed::Partial { needed: 6 });
//! # Ok::<(), punch_protocol::tcp::FrameError>(())
//! ```
//!
//! Everything is little-endian. The facts come from published captures and notes of people who run such terminals, and
//! from the vendor's communication manual of 2006; where one of them is alone, the item says so.

mod access;
mod attendance;
mod attendance_records;
mod attendance_stream;
mod auth;
mod carrier;
mod checksum;
mod client;
mod codes;
mod dialogue;
mod error;
mod event;
mod event_time;
mod fields;
mod frame;
mod free_sizes;
mod layout;
mod limits;
mod operation_record;
mod option_pair;
mod packet;
mod person;
mod tail;
mod template;
mod terminal;
mod transfer;
mod user;

pub use crate::encoded_time::EncodedTime;
pub use crate::operation::{AlarmReason, Operation};
pub use crate::privilege::Privilege;
pub use access::{Combination, DaySpan, GroupZones, TimeZoneTable, UserVerifyStyle};
pub use attendance::{AttendanceLayout, AttendanceRecord};
pub use attendance_stream::AttendanceStream;
pub use auth::{CommKey, Scramble};
pub use carrier::{Carrier, ChecksumPolicy};
pub use checksum::checksum;
pub use client::{
    Anomalies, Answer, AttendanceLog, Client, ClientConfig, ClientEvent, Download, Ending, Happening, PersonChange,
    ReadPath, Reply, Request, RequestError, Shortfall, SubmitError, Ticket, Timing, UserList, UserTable, Wanted,
};
pub use codes::{Command, DatasetKind, EventCode, EventMask, MachineState, VerifyStyle};
pub use dialogue::{AnswerForm, Breach, Dialogue, Heard, Phase, Repetition, Said};
pub use error::{DataError, FrameError, WriteError};
pub use event::{Alarm, Event, FingerEnrolled, LivePunch};
pub use event_time::EventTime;
pub use frame::{Frame, Framed};
pub use free_sizes::{FreeSizes, Sizes};
pub use layout::{LayoutChoice, LayoutFit, Surroundings};
pub use limits::Limits;
pub use operation_record::OperationRecord;
pub use option_pair::OptionPair;
pub use packet::{Packet, ReplyNumber, SessionField};
pub use person::Person;
pub use tail::Tail;
pub use template::TemplateHead;
pub use terminal::{Closing, FinalAck, Terminal, TerminalEvent, TerminalMemory, TerminalProfile};
pub use transfer::{Announcement, BufferPiece, BufferReady, BufferRequest, Dataset};
pub use user::{Password, Rights, User, UserLayout, UserZones};
