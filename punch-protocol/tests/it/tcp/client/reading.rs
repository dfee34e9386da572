//! Datasets: every kind of answer, every way it comes apart, and what is asked again.

use core::time::Duration;

use chrono::NaiveDateTime;
use proptest::prelude::*;
use punch_protocol::tcp::{
    Answer, AttendanceLayout, AttendanceRecord, Carrier, ClientConfig, ClientEvent, Command, DataError, Download,
    EncodedTime, Limits, Person, ReadPath, Request, RequestError, Shortfall, Timing, Wanted,
};
use punch_protocol::{Pin, Status, Verify, civil};

use super::{SESSION, Script, Sent};
use crate::tcp::Vector;

fn now() -> NaiveDateTime {
    civil::parse(b"2026-11-22 12:00:00").unwrap()
}

/// `count` records of 40 bytes with their length in front.
fn dataset(count: u32) -> Vec<u8> {
    let mut records = Vec::new();
    let first = civil::parse(b"2026-01-05 08:00:00").unwrap();
    for number in 0..count {
        let pin = (1001 + number % 50).to_string();
        let time = first + chrono::TimeDelta::minutes(i64::from(number));
        let person = Person::Pin(Pin::new(pin.as_bytes()));
        let record =
            AttendanceRecord::new(person, EncodedTime::of(time).unwrap(), Status::CHECK_IN, Verify::FINGERPRINT);
        record.write(AttendanceLayout::Text40, &mut records).unwrap();
    }
    let length = u32::try_from(records.len()).unwrap().to_le_bytes();
    [length.to_vec(), records].concat()
}

fn sizes(records: u32) -> Vec<u8> {
    let mut words = [0u32; 23];
    words[8] = records;
    words.into_iter().flat_map(u32::to_le_bytes).collect()
}

fn ready(size: usize) -> Vec<u8> {
    let size = u32::try_from(size).unwrap().to_le_bytes();
    [&[0][..], &size, &size, &[0xcd, 0xef, 0x23, 0]].concat()
}

/// Begins to read attendance records that the terminal counts, up to the question for a buffer.
fn prepare(carrier: Carrier, counted: u32) -> Script {
    let mut script = Script::open(carrier);
    script.submit(Request::Read(Wanted::Attendance));
    script.asked(Command::FREE_SIZES);
    script.ok(&sizes(counted));
    let prepare = script.asked(Command::PREPARE_BUFFER);
    assert_eq!(prepare.data, [1, 13, 0, 0, 0, 0, 0, 0, 0, 0, 0]);
    script
}

/// Begins to fetch a buffer of these bytes.
fn fetch(carrier: Carrier, counted: u32, bytes: &[u8]) -> (Script, Sent) {
    let mut script = prepare(carrier, counted);
    script.ok(&ready(bytes.len()));
    let piece = script.asked(Command::READ_BUFFER);
    (script, piece)
}

/// What a question for a piece asks for.
fn span(piece: &Sent) -> core::ops::Range<usize> {
    let word = |at: usize| u32::from_le_bytes(piece.data[at..at + 4].try_into().unwrap()) as usize;
    word(0)..word(0) + word(4)
}

/// Releases the buffer and counts again.
fn finish(script: &mut Script, counted: u32) -> Download {
    script.asked(Command::FREE_DATA);
    script.ok(b"");
    script.asked(Command::FREE_SIZES);
    script.ok(&sizes(counted));
    match script.result() {
        Ok(Answer::Dataset(download)) => download,
        other => panic!("{other:?}"),
    }
}

fn announce(script: &mut Script, size: usize, packet: u32) {
    let data = [u32::try_from(size).unwrap().to_le_bytes(), packet.to_le_bytes()].concat();
    script.say(Command::PREPARE_DATA, SESSION, &data);
}

/// Sends a piece in packets of at most `packet` bytes.
fn transfer(script: &mut Script, bytes: &[u8], packet: usize) {
    announce(script, bytes.len(), packet.try_into().unwrap());
    for (index, part) in bytes.chunks(packet).enumerate() {
        script.say(Command::DATA, index.try_into().unwrap(), part);
    }
}

fn is_whole(download: &Download, count: usize) {
    assert_eq!(download.bytes, dataset(count.try_into().unwrap()));
    let log = download.attendance(&Limits::default(), now()).unwrap();
    assert_eq!((log.count(), log.rows().count()), (count, count));
    assert_eq!(log.reconcile(true), Ok(()));
}

#[test]
fn a_short_dataset_comes_at_once() {
    let mut script = prepare(Carrier::Tcp, 20);
    script.say(Command::DATA, SESSION, &dataset(20));
    let download = finish(&mut script, 20);
    assert_eq!(download.path, ReadPath::Direct);
    is_whole(&download, 20);
}

#[test]
fn no_records_are_no_error() {
    for answer in [&b""[..], &ready(0)] {
        let mut script = prepare(Carrier::Tcp, 0);
        script.ok(answer);
        let download = finish(&mut script, 0);
        assert_eq!(download.path, if answer.is_empty() { ReadPath::Empty } else { ReadPath::Buffer });
        assert_eq!(download.attendance(&Limits::default(), now()).unwrap().count(), 0);
    }
    // Empty is not what a terminal may say that counts some.
    let mut script = prepare(Carrier::Tcp, 7);
    script.ok(b"");
    let download = finish(&mut script, 7);
    let log = download.attendance(&Limits::default(), now()).unwrap();
    assert_eq!(log.reconcile(true), Err(Shortfall { received: 0, counted: 7, cut: 0 }));
}

// K20: 5,044 bytes in five packets of 1,008 and one of 4, and no acknowledgement at the end
#[test]
fn a_buffer_is_fetched_by_count_of_bytes_with_or_without_a_last_word() {
    for last_word in [false, true] {
        for packet in [1008, 65_536, 4, 997] {
            let bytes = dataset(126);
            let (mut script, piece) = fetch(Carrier::Tcp, 126, &bytes);
            assert_eq!(span(&piece), 0..bytes.len());
            transfer(&mut script, &bytes, packet);
            if last_word {
                // It comes late, and answers nothing any more.
                let late = script.packet(Command::ACK_OK, 5, piece.reply, b"");
                script.client.handle_input(&late, script.now);
            }
            let download = finish(&mut script, 126);
            assert_eq!((download.path, download.repeats, download.surplus), (ReadPath::Buffer, 0, 0));
            is_whole(&download, 126);
        }
    }
}

#[test]
fn long_buffers_are_fetched_in_pieces_of_the_carrier() {
    for (carrier, max, packet) in [(Carrier::Tcp, 0xffc0, 65_536), (Carrier::Udp, 16 << 10, 1024)] {
        let bytes = dataset(5000);
        let (mut script, mut piece) = fetch(carrier, 5000, &bytes);
        let mut at = 0;
        while at < bytes.len() {
            assert_eq!(span(&piece), at..bytes.len().min(at + max));
            transfer(&mut script, &bytes[span(&piece)], packet);
            at = span(&piece).end;
            if at < bytes.len() {
                piece = script.asked(Command::READ_BUFFER);
            }
        }
        is_whole(&finish(&mut script, 5000), 5000);
    }
}

#[test]
fn pieces_come_as_data_too() {
    let bytes = dataset(126);
    for (code, session) in [(Command::DATA, SESSION), (Command::DATA, 0), (Command::ACK_DATA, SESSION)] {
        let (mut script, _) = fetch(Carrier::Tcp, 126, &bytes);
        script.say(code, session, &bytes);
        is_whole(&finish(&mut script, 126), 126);
    }
    // Every packet may carry the session, or any number, where others have an index.
    for field in [SESSION, 0, 7] {
        for carrier in [Carrier::Tcp, Carrier::Udp] {
            if (field, carrier) == (7, Carrier::Udp) {
                continue; // a datagram that overtook seven others looks like this
            }
            let (mut script, _) = fetch(carrier, 126, &bytes);
            announce(&mut script, bytes.len(), 1008);
            bytes.chunks(1008).for_each(|part| script.say(Command::DATA, field, part));
            is_whole(&finish(&mut script, 126), 126);
        }
    }
}

#[test]
fn a_transfer_that_begins_without_a_buffer_is_read() {
    let bytes = dataset(126);
    let mut script = prepare(Carrier::Tcp, 126);
    transfer(&mut script, &bytes, 1008);
    let download = finish(&mut script, 126);
    assert_eq!(download.path, ReadPath::Announced);
    is_whole(&download, 126);
}

#[test]
fn a_piece_that_ends_early_is_asked_for_again_from_where_it_broke() {
    let bytes = dataset(126);
    let (mut script, _) = fetch(Carrier::Tcp, 126, &bytes);
    announce(&mut script, bytes.len(), 1008);
    script.say(Command::DATA, 0, &bytes[..1008]);
    script.say(Command::ACK_OK, 0, b"");
    let rest = script.asked(Command::READ_BUFFER);
    assert_eq!(span(&rest), 1008..bytes.len());
    transfer(&mut script, &bytes[1008..], 1008);
    let download = finish(&mut script, 126);
    assert_eq!(download.repeats, 1);
    is_whole(&download, 126);
}

#[test]
fn a_packet_missing_in_the_middle_of_a_stream_is_noticed_by_its_index() {
    let bytes = dataset(126);
    let (mut script, _) = fetch(Carrier::Tcp, 126, &bytes);
    announce(&mut script, bytes.len(), 1008);
    script.say(Command::DATA, 0, &bytes[..1008]);
    script.say(Command::DATA, 0, &bytes[..1008]); // twice is once
    script.say(Command::DATA, 2, &bytes[2016..3024]);
    assert_eq!(span(&script.asked(Command::READ_BUFFER)), 1008..bytes.len());
    transfer(&mut script, &bytes[1008..], 1008);
    is_whole(&finish(&mut script, 126), 126);
}

#[test]
fn a_terminal_that_never_sends_all_of_it_is_an_error_with_numbers() {
    let bytes = dataset(126);
    let (mut script, _) = fetch(Carrier::Tcp, 126, &bytes);
    announce(&mut script, bytes.len(), 1008);
    script.say(Command::DATA, 0, &bytes[..1008]);
    for _ in 0..7 {
        script.say(Command::ACK_OK, 0, b"");
        script.asked(Command::READ_BUFFER);
    }
    script.say(Command::ACK_OK, 0, b"");
    script.asked(Command::FREE_DATA);
    script.ok(b"");
    let error = script.result().unwrap_err();
    assert_eq!(error, RequestError::Short { command: Command::ATTENDANCE_READ, got: 1008, want: bytes.len() });
    assert!(error.is_retryable());
    // The session lives.
    script.submit(Request::Version);
    script.asked(Command::VERSION);
}

#[test]
fn what_comes_behind_the_last_byte_is_no_record() {
    let bytes = dataset(126);
    let (mut script, _) = fetch(Carrier::Tcp, 126, &bytes);
    announce(&mut script, bytes.len(), 65_536);
    let more = [bytes.as_slice(), &[7; 40]].concat();
    script.say(Command::DATA, 0, &more);
    let download = finish(&mut script, 126);
    assert_eq!(download.surplus, 40);
    is_whole(&download, 126);
}

#[test]
fn lengths_are_refused_before_anything_is_allocated() {
    let mut script = prepare(Carrier::Tcp, 126);
    script.ok(&[&[0][..], &[0xff; 12]].concat());
    script.asked(Command::FREE_DATA);
    script.ok(b"");
    let refused = DataError::DatasetTooLong { len: u32::MAX as usize, limit: 16 << 20 };
    assert_eq!(script.result(), Err(RequestError::Data(refused)));

    let mut script = prepare(Carrier::Tcp, 126);
    script.say(Command::PREPARE_DATA, SESSION, &[0xff; 8]);
    script.asked(Command::FREE_DATA);
    script.ok(b"");
    assert_eq!(script.result(), Err(RequestError::Data(refused)));
}

#[test]
fn people_who_punch_meanwhile_are_read_too_but_not_for_ever() {
    let mut script = prepare(Carrier::Tcp, 20);
    script.say(Command::DATA, SESSION, &dataset(20));
    script.asked(Command::FREE_DATA);
    script.ok(b"");
    script.asked(Command::FREE_SIZES);
    script.ok(&sizes(21));
    script.asked(Command::PREPARE_BUFFER);
    script.say(Command::DATA, SESSION, &dataset(21));
    is_whole(&finish(&mut script, 21), 21);

    let mut script = prepare(Carrier::Tcp, 20);
    for count in 20..22 {
        script.say(Command::DATA, SESSION, &dataset(count));
        script.asked(Command::FREE_DATA);
        script.ok(b"");
        script.asked(Command::FREE_SIZES);
        script.ok(&sizes(count + 1));
        script.asked(Command::PREPARE_BUFFER);
    }
    script.say(Command::DATA, SESSION, &dataset(22));
    let download = finish(&mut script, 23);
    assert_eq!(download.counts_after().and_then(|counts| counts.records()), Some(23));
    is_whole(&download, 22);
}

#[test]
fn fewer_rows_than_the_terminal_counts_are_no_success() {
    let mut script = prepare(Carrier::Tcp, 21);
    script.say(Command::DATA, SESSION, &dataset(20));
    let download = finish(&mut script, 21);
    let log = download.attendance(&Limits::default(), now()).unwrap();
    assert_eq!((log.count(), log.counter()), (20, Some(21)));
    assert_eq!(log.reconcile(true), Err(Shortfall { received: 20, counted: 21, cut: 0 }));
    assert_eq!(log.reconcile(false), Ok(()), "of a part nobody knows how many there are");

    // The dataset says it is longer than it is.
    let mut script = prepare(Carrier::Tcp, 0);
    let mut bytes = dataset(20);
    bytes.truncate(bytes.len() - 3);
    script.say(Command::DATA, SESSION, &bytes);
    let download = finish(&mut script, 0);
    let log = download.attendance(&Limits::default(), now()).unwrap();
    assert_eq!(log.reconcile(true), Err(Shortfall { received: 19, counted: 0, cut: 40 }));
}

#[test]
fn units_without_a_buffer_are_asked_plainly() {
    let mut script = prepare(Carrier::Tcp, 126);
    script.say(Command::ACK_NO_BUFFER, SESSION, b"");
    assert_eq!(script.asked(Command::ATTENDANCE_READ).data, b"");
    transfer(&mut script, &dataset(126), 1024);
    let download = finish(&mut script, 126);
    assert_eq!(download.path, ReadPath::Plain);
    is_whole(&download, 126);

    // The first refusal is the one to tell.
    let mut script = prepare(Carrier::Tcp, 126);
    script.say(Command::ACK_NO_BUFFER, SESSION, b"");
    script.asked(Command::ATTENDANCE_READ);
    script.say(Command::ACK_ERROR, SESSION, b"");
    script.asked(Command::FREE_DATA);
    script.ok(b"");
    let refused = RequestError::Refused { command: Command::ATTENDANCE_READ, code: Command::ACK_NO_BUFFER };
    assert_eq!(script.result(), Err(refused));

    let mut script = Script::open(Carrier::Tcp);
    script.submit(Request::Read(Wanted::Users));
    script.asked(Command::FREE_SIZES);
    script.say(Command::ACK_ERROR, SESSION, b"");
    assert_eq!(script.asked(Command::PREPARE_BUFFER).data, [1, 9, 0, 5, 0, 0, 0, 0, 0, 0, 0]);
    script.say(Command::ACK_UNKNOWN, SESSION, b"");
    assert_eq!(script.asked(Command::TEMPLATE_READ).data, [5]);
}

#[test]
fn a_range_that_firmware_does_not_know_becomes_the_whole() {
    let [from, to] = [EncodedTime(0x580d_0423), EncodedTime(0x680d_0423)];
    for knows in [true, false] {
        let mut script = Script::open(Carrier::Tcp);
        script.submit(Request::Read(Wanted::AttendanceBetween(from, to)));
        script.asked(Command::FREE_SIZES);
        script.ok(&sizes(126));
        let asked = script.asked(Command::PREPARE_BUFFER);
        assert_eq!(asked.data, [&[1, 0x14, 0x27][..], &from.0.to_le_bytes(), &to.0.to_le_bytes()].concat());
        if !knows {
            script.say(Command::ACK_ERROR_COMMAND, SESSION, b"");
            assert_eq!(script.asked(Command::PREPARE_BUFFER).data[1..3], [13, 0]);
        }
        script.say(Command::DATA, SESSION, &dataset(20));
        let download = finish(&mut script, 126);
        assert_eq!(download.is_ranged, knows);
        let log = download.attendance(&Limits::default(), now()).unwrap();
        assert_eq!(log.reconcile(!download.is_ranged).is_ok(), knows);
    }
}

#[test]
fn templates_are_measured_and_not_fetched() {
    let mut script = Script::open(Carrier::Tcp);
    script.submit(Request::Read(Wanted::TemplatesSize));
    assert_eq!(script.asked(Command::PREPARE_BUFFER).data, [1, 7, 0, 2, 0, 0, 0, 0, 0, 0, 0]);
    script.ok(&ready(1_220_004));
    script.asked(Command::FREE_DATA);
    script.ok(b"");
    assert_eq!(script.result(), Ok(Answer::Size(1_220_000)));
}

#[test]
fn datagrams_may_overtake_each_other_come_twice_or_not_at_all() {
    let bytes = dataset(126);
    let parts: Vec<&[u8]> = bytes.chunks(1024).collect();
    let (mut script, _) = fetch(Carrier::Udp, 126, &bytes);
    // The announcement is lost.
    for index in [1, 0, 0, 4, 3, 2] {
        script.say(Command::DATA, index, parts[usize::from(index)]);
    }
    is_whole(&finish(&mut script, 126), 126);

    // One is lost for good: the last word says so at once, and the rest is asked for.
    let (mut script, _) = fetch(Carrier::Udp, 126, &bytes);
    announce(&mut script, bytes.len(), 1024);
    for index in [0, 1, 3, 4] {
        script.say(Command::DATA, index, parts[usize::from(index)]);
    }
    script.say(Command::ACK_OK, 4, b"");
    let rest = script.asked(Command::READ_BUFFER);
    assert_eq!(span(&rest), 2048..bytes.len());
    transfer(&mut script, &bytes[2048..], 1024);
    let download = finish(&mut script, 126);
    assert_eq!(download.repeats, 1);
    is_whole(&download, 126);

    // The last ones are lost, the last word too: time passes, and the rest is asked for.
    let (mut script, _) = fetch(Carrier::Udp, 126, &bytes);
    announce(&mut script, bytes.len(), 1024);
    script.say(Command::DATA, 0, parts[0]);
    script.pass();
    assert_eq!(span(&script.asked(Command::READ_BUFFER)), 1024..bytes.len());
    transfer(&mut script, &bytes[1024..], 1024);
    is_whole(&finish(&mut script, 126), 126);
}

#[test]
fn a_question_for_a_piece_that_is_lost_is_asked_again_and_the_answers_are_one() {
    let bytes = dataset(126);
    let (mut script, first) = fetch(Carrier::Udp, 126, &bytes);
    script.pass();
    let again = script.asked(Command::READ_BUFFER);
    assert_eq!(again, first);
    transfer(&mut script, &bytes, 1024);
    script.asked(Command::FREE_DATA);
    // The other answer.
    let strays = script.client.anomalies().strays;
    for (index, part) in bytes.chunks(1024).enumerate() {
        let late = script.packet(Command::DATA, index.try_into().unwrap(), again.reply, part);
        script.client.handle_input(&late, script.now);
    }
    assert_eq!(script.client.anomalies().strays, strays + 5);
    script.ok(b"");
    script.asked(Command::FREE_SIZES);
    script.ok(&sizes(126));
    let Ok(Answer::Dataset(download)) = script.result() else { panic!() };
    is_whole(&download, 126);
}

#[test]
fn a_terminal_that_dies_while_it_sends_is_given_up_in_time() {
    let timing = Timing { patience: Duration::from_secs(5), attempts: 3, ..Timing::default() };
    for carrier in [Carrier::Tcp, Carrier::Udp] {
        let config = ClientConfig { timing, announce_sdk: false, ..ClientConfig::new(carrier) };
        let mut script = Script::connected(config);
        script.submit(Request::Read(Wanted::Users));
        script.sent();
        script.ok(&sizes(1));
        script.sent();
        script.ok(&ready(5000));
        script.sent();
        script.pass_all();
        let error = script.result().unwrap_err();
        assert!(matches!(error, RequestError::Unanswered { command: Command::READ_BUFFER, .. }), "{error}");
        assert!(script.now < Duration::from_secs(120), "{:?}", script.now);
    }
}

#[test]
fn garbage_in_answer_to_the_plain_question_is_not_believed() {
    let garbage = Vector::named("tcp-data-k40-garbage");
    let mut script = prepare(Carrier::Tcp, 3);
    script.say(Command::ACK_NO_BUFFER, SESSION, b"");
    script.asked(Command::ATTENDANCE_READ);
    script.say(Command::DATA, 0, garbage.packet().data);
    let download = finish(&mut script, 3);
    let read = download.attendance(&Limits::default(), now());
    assert_eq!(read.unwrap_err(), DataError::NoLayout { len: 120 });
}

proptest! {
    /// Frames may be cut anywhere and share segments: the answer is the same.
    #[test]
    fn any_segmentation_gives_the_same_rows(cuts in proptest::collection::vec(1..900usize, 1..60), packet in 1..2000usize) {
        let bytes = dataset(126);
        let (mut script, piece) = fetch(Carrier::Tcp, 126, &bytes);
        let mut stream = Vec::new();
        let body = [0xef, 3, 0, 0, 1, 0, 26, 11, 22, 8, 30, 15];
        let size = u32::try_from(bytes.len()).unwrap().to_le_bytes();
        stream.extend(script.packet(Command::EVENT, 1, 0, &body));
        stream.extend(script.packet(Command::PREPARE_DATA, SESSION, piece.reply, &size));
        for (index, part) in bytes.chunks(packet).enumerate() {
            stream.extend(script.packet(Command::DATA, index.try_into().unwrap(), piece.reply, part));
        }
        stream.extend(script.packet(Command::ACK_OK, 9, piece.reply, b""));
        let mut rest = stream.as_slice();
        for cut in cuts.iter().cycle() {
            let (now, later) = rest.split_at(rest.len().min(*cut));
            script.client.handle_input(now, Duration::ZERO);
            rest = later;
            if rest.is_empty() {
                break;
            }
        }
        let happened = matches!(script.event(), ClientEvent::Happened(_));
        prop_assert!(happened);
        is_whole(&finish(&mut script, 126), 126);
    }
}

/// Every vector, cut anywhere and with any bit flipped, in the middle of a read: the client waits, asks again or gives up,
/// and what it then calls a log is the log.
#[test]
fn no_cut_and_no_flipped_bit_of_any_vector_makes_a_wrong_log() {
    let bytes = dataset(30);
    for vector in Vector::all().into_iter().filter(|vector| ["tcp", "stream"].contains(&vector.transport.as_str())) {
        let whole = vector.bytes.len();
        let cuts = (0..whole).map(|end| vector.bytes[..end].to_vec());
        let flips = (0..whole * 8).map(|bit| {
            let mut flipped = vector.bytes.clone();
            flipped[bit / 8] ^= 1 << (bit % 8);
            flipped
        });
        for bent in cuts.chain(flips.step_by(3)) {
            let (mut script, _) = fetch(Carrier::Tcp, 30, &bytes);
            script.client.handle_input(&bent, script.now);
            if script.client.ending().is_some() {
                continue;
            }
            // What the terminal goes on to say, as if nothing had happened.
            announce(&mut script, bytes.len(), 1008);
            bytes.chunks(1008).enumerate().for_each(|(index, part)| {
                script.say(Command::DATA, index.try_into().unwrap(), part);
            });
            script.ok(b"");
            script.client.handle_closed(script.now);
            while let Some(event) = script.client.poll_event() {
                if let ClientEvent::Done { result: Ok(Answer::Dataset(download)), .. } = event {
                    assert_eq!(download.bytes, bytes, "{}", vector.id);
                }
            }
        }
    }
}
