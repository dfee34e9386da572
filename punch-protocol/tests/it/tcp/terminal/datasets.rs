//! Datasets come back byte for byte, however a terminal's firmware sends them.

use punch_protocol::tcp::{
    AttendanceLayout, BufferPiece, BufferRequest, Carrier, Command, DatasetKind, EncodedTime, FinalAck, FreeSizes,
    TerminalMemory, TerminalProfile, UserLayout,
};

use super::{Line, record, terminal};

const CARRIERS: [Carrier; 2] = [Carrier::Tcp, Carrier::Udp];

fn attendance() -> BufferRequest {
    BufferRequest::new(Command::ATTENDANCE_READ, DatasetKind(0))
}

fn users() -> BufferRequest {
    BufferRequest::new(Command::TEMPLATE_READ, DatasetKind::USERS)
}

/// A dataset of these records: their length, what stands in front of them, and they.
fn dataset(noise: usize, records: &[u8]) -> Vec<u8> {
    let body = [b"\xff255\0\0\0\0\0".repeat(noise), records.to_vec()].concat();
    [&u32::try_from(body.len()).unwrap().to_le_bytes()[..], &body].concat()
}

fn user_records(memory: &TerminalMemory, layout: UserLayout) -> Vec<u8> {
    let mut records = Vec::new();
    memory.users().for_each(|user| user.write(layout, &mut records).unwrap());
    records
}

/// The ways in which units send what a client asks for.
fn habits(usual: TerminalProfile) -> [TerminalProfile; 8] {
    [
        usual,
        TerminalProfile { packet_max: 1008, ..usual },
        TerminalProfile { packet_max: 7, ..usual },
        TerminalProfile { final_ack: FinalAck::ByteCount, ..usual },
        TerminalProfile { final_ack: FinalAck::None, ..usual },
        TerminalProfile { transfers_at_once: true, ..usual },
        TerminalProfile { plain_pieces: true, ..usual },
        TerminalProfile { noise_blocks: 2, ..usual },
    ]
}

#[test]
fn every_layout_comes_back_byte_for_byte() {
    for layout in AttendanceLayout::ALL {
        for profile in habits(TerminalProfile::of(layout)) {
            for carrier in CARRIERS {
                for records in [0, 1, 700, 3000] {
                    let mut line = Line::open(terminal(profile, 60, records), carrier);
                    let want = dataset(profile.noise_blocks, line.terminal.memory().records());
                    assert_eq!(want.len() - 4 - 9 * profile.noise_blocks, layout.size() * records as usize);
                    assert_eq!(line.read(attendance()), want, "{profile:?} {carrier:?}");
                    let want = dataset(0, &user_records(line.terminal.memory(), profile.users));
                    assert_eq!(line.read(users()), want, "{profile:?} {carrier:?}");
                }
            }
        }
    }
}

/// The longest dataset that comes in one packet, and the shortest that does not.
#[test]
fn a_small_dataset_comes_at_once() {
    for (records, command) in [(127, Command::DATA), (128, Command::ACK_OK)] {
        let profile = TerminalProfile::of(AttendanceLayout::Packed8);
        let mut line = Line::open(terminal(profile, 5, records), Carrier::Tcp);
        let told = line.ask(Command::PREPARE_BUFFER, &attendance().to_bytes());
        assert_eq!((told.command, told.session), (command, line.session), "{records}");
    }
}

#[test]
fn a_transfer_ends_as_the_unit_ends_it() {
    let len = 4 + 8 * 700;
    for (final_ack, field) in [(FinalAck::LastIndex, Some(5)), (FinalAck::ByteCount, Some(len)), (FinalAck::None, None)]
    {
        let profile = TerminalProfile { final_ack, packet_max: 1008, ..TerminalProfile::of(AttendanceLayout::Packed8) };
        let mut line = Line::open(terminal(profile, 5, 700), Carrier::Tcp);
        let heard = line.ask_all(Command::ATTENDANCE_READ, b"");
        let commands: Vec<Command> = heard.iter().map(|told| told.command).collect();
        let middle = vec![Command::DATA; 6];
        let end = vec![Command::ACK_OK; usize::from(field.is_some())];
        assert_eq!(commands, [vec![Command::PREPARE_DATA], middle, end].concat());
        assert_eq!(heard.get(7).map(|told| told.session), field);
    }
}

#[test]
fn plain_commands_send_the_same_datasets() {
    let profile = TerminalProfile { serves_buffer: false, ..TerminalProfile::default() };
    let mut line = Line::open(terminal(profile, 40, 300), Carrier::Udp);
    assert_eq!(line.ask(Command::PREPARE_BUFFER, &attendance().to_bytes()).command, Command::ACK_NO_BUFFER);
    let heard = line.ask_all(Command::ATTENDANCE_READ, b"");
    assert_eq!(line.transferred(&heard), dataset(0, line.terminal.memory().records()));
    for (command, data) in [(Command::TEMPLATE_READ, [5]), (Command::DATASET_READ, [5])] {
        let heard = line.ask_all(command, &data);
        let want = dataset(0, &user_records(line.terminal.memory(), UserLayout::Text72));
        assert_eq!(line.transferred(&heard), want, "{command}");
    }
    let heard = line.ask_all(Command::OPERATIONS_READ, b"");
    assert_eq!(line.transferred(&heard), [0; 4]);
}

#[test]
fn no_template_is_ever_there() {
    let mut line = Line::open(terminal(TerminalProfile::default(), 5, 5), Carrier::Tcp);
    assert_eq!(line.read(BufferRequest::new(Command::DATASET_READ, DatasetKind::TEMPLATES)), [0; 4]);
    assert_eq!(line.ask(Command::USER_TEMPLATE_READ, &[1, 0, 0]).command, Command::ACK_ERROR);
    assert_eq!(line.ask(Command::TEMPLATE_READ, &[1, 0, 0]).command, Command::ACK_ERROR);
    assert_eq!(line.ask(Command::TEMPLATE_WRITE, &[0; 64]).command, Command::ACK_UNKNOWN);
}

#[test]
fn records_between_two_times_are_those_and_both_ends() {
    let mut line = Line::open(terminal(TerminalProfile::default(), 5, 500), Carrier::Tcp);
    let [from, to] = [800_000_000 + 60 * 100, 800_000_000 + 60 * 300];
    let mut between = BufferRequest::new(Command::ATTENDANCE_BY_TIME, DatasetKind(from));
    between.extra = to;
    let got = line.read(between);
    let all = line.terminal.memory().records();
    assert_eq!(got, dataset(0, &all[40 * 100..40 * 301]));
    let profile = TerminalProfile { serves_range: false, ..TerminalProfile::default() };
    let mut line = Line::open(terminal(profile, 5, 500), Carrier::Tcp);
    assert_eq!(line.ask(Command::PREPARE_BUFFER, &between.to_bytes()).command, Command::ACK_UNKNOWN);
}

/// What happens between the request for a buffer and its last piece is not in the buffer.
#[test]
fn a_buffer_stays_as_it_was_prepared() {
    let mut line = Line::open(terminal(TerminalProfile::default(), 5, 100), Carrier::Tcp);
    let before = dataset(0, line.terminal.memory().records());
    let told = line.ask(Command::PREPARE_BUFFER, &attendance().to_bytes());
    assert_eq!(told.command, Command::ACK_OK);
    line.terminal.submit(&record(AttendanceLayout::Text40, 1, EncodedTime(810_000_000))).unwrap();
    line.ask(Command::CLEAR_ATTENDANCE, b"");
    let size = u32::try_from(before.len()).unwrap();
    let heard = line.ask_all(Command::READ_BUFFER, &BufferPiece::of(0, size, size).unwrap().to_bytes());
    assert_eq!(line.transferred(&heard), before);
    assert_eq!(line.terminal.memory().records(), b"");
}

#[test]
fn there_is_no_piece_without_a_buffer_or_behind_its_end() {
    let mut line = Line::open(terminal(TerminalProfile::default(), 5, 100), Carrier::Tcp);
    let piece = |offset, len| BufferPiece::of(offset, offset + len, len).unwrap().to_bytes();
    assert_eq!(line.ask(Command::READ_BUFFER, &piece(0, 10)).command, Command::ACK_ERROR);
    line.ask(Command::PREPARE_BUFFER, &attendance().to_bytes());
    assert_eq!(line.ask(Command::READ_BUFFER, &piece(4004, 1)).command, Command::ACK_ERROR);
    assert_eq!(line.ask(Command::READ_BUFFER, &piece(0, 1)[..7]).command, Command::ACK_ERROR);
    // What is asked for beyond the end is not there.
    let heard = line.ask_all(Command::READ_BUFFER, &piece(4000, u32::MAX - 4000));
    assert_eq!(line.transferred(&heard).len(), 4);
    line.ask(Command::FREE_DATA, b"");
    assert_eq!(line.ask(Command::READ_BUFFER, &piece(0, 10)).command, Command::ACK_ERROR);
}

#[test]
fn counts_are_told_in_every_length_and_may_be_off() {
    for len in [4, 80, 92, 112] {
        for count_off in [-3, 0, 2, -200] {
            let profile = TerminalProfile { free_sizes: len, count_off, ..TerminalProfile::default() };
            let mut line = Line::open(terminal(profile, 12, 100), Carrier::Tcp);
            let told = line.ask(Command::FREE_SIZES, b"");
            assert_eq!(told.data.len(), len);
            let sizes = FreeSizes::new(&told.data);
            let records = u32::try_from(100 + count_off).unwrap_or(0);
            assert_eq!(sizes.records(), (len > 4).then_some(records));
            assert_eq!(sizes.users(), (len > 4).then_some(12));
            assert_eq!(sizes.users_free(), (len > 4).then_some(9988));
            assert_eq!(sizes.record_capacity(), (len > 4).then_some(200_000));
            assert_eq!(sizes.face_capacity(), (len > 88).then_some(0));
        }
    }
}
