use core::hint::black_box;
use punch_protocol::civil;
use punch_protocol::tcp::{
    Announcement, AttendanceLayout, AttendanceStream, BufferPiece, BufferReady, BufferRequest, Dataset, Event, Frame,
    Framed, FreeSizes, Limits, OperationRecord, OptionPair, Packet, Surroundings, TemplateHead, UserLayout,
};

/// What a terminal sends on a connection.
pub fn tcp_stream(data: &[u8]) {
    let limits = Limits::default();
    let mut rest = data;
    while let Ok(framed) = Frame::parse(rest, &limits) {
        match framed {
            Framed::Partial { needed } => {
                assert!(needed > 0, "a stream waits for nothing");
                break;
            }
            Framed::Complete { frame, used } => {
                check_frame(&frame, &rest[..used], &limits);
                rest = &rest[used..];
            }
        }
    }
    if let Ok(packet) = Packet::parse_unverified(data) {
        read_data(&packet, &limits);
    }
}

fn check_frame(frame: &Frame<'_>, bytes: &[u8], limits: &Limits) {
    let mut written = Vec::new();
    frame.write(&mut written, limits).expect("what was read can be written");
    // A sum of zero has two forms on the wire, all zeros and all ones; the rest is the same.
    assert_eq!(written.len(), bytes.len());
    assert_eq!(Frame::parse(&written, limits), Ok(Framed::Complete { frame: *frame, used: bytes.len() }));
    for end in [0, 1, 7, 8, 15, bytes.len() - 1] {
        let cut = Frame::parse(&bytes[..end.min(bytes.len() - 1)], limits);
        assert!(matches!(cut, Ok(Framed::Partial { .. })), "cut at {end}: {cut:?}");
    }
    read_data(&frame.packet, limits);
}

/// Everything that can stand in a packet: read or refused, never a panic.
fn read_data(packet: &Packet<'_>, limits: &Limits) {
    let data = packet.data;
    let sizes = FreeSizes::new(data);
    let _read = black_box((OptionPair::parse(data), sizes.records(), sizes.face_capacity()));
    let _read = black_box((OperationRecord::parse(data), TemplateHead::list(data).count()));
    let _read = black_box((Announcement::parse(data, limits), BufferReady::parse(data)));
    for round_trip in [
        BufferRequest::parse(data).map(|request| request.to_bytes().to_vec()),
        BufferPiece::parse(data).map(|piece| piece.to_bytes().to_vec()),
    ] {
        // The first byte of a request says nothing, so it is not compared.
        assert!(round_trip.is_err() || round_trip.is_ok_and(|bytes| bytes.get(1..) == data.get(1..)));
    }
    match Event::parse(packet.session.event(), data) {
        Event::Unknown { code, body } => assert_eq!((code, body), (packet.session.event(), data)),
        event => drop(black_box(format!("{event:?}"))),
    }
}

/// A dataset of a terminal, with its length in front.
pub fn tcp_records(data: &[u8]) {
    let limits = Limits::default();
    let Ok(dataset) = Dataset::parse(data, &limits) else { return };
    assert_eq!(4 + dataset.records.len() + dataset.surplus, data.len(), "every byte is accounted for");
    let now = civil::parse(b"2026-11-24 08:00:00").expect("a time");
    if let Ok(choice) = AttendanceLayout::choose(dataset.records, Surroundings::default(), &limits, now) {
        let records = &dataset.records[choice.noise..];
        let read = choice.layout.records(records).count();
        assert_eq!(read * choice.layout.size() + choice.trailing, records.len(), "every byte is accounted for");
    }
    for layout in AttendanceLayout::ALL {
        check_attendance(layout, dataset.records);
    }
    if let Ok(choice) = UserLayout::choose(dataset.records, Surroundings::default(), &limits) {
        let read = choice.layout.records(dataset.records).count();
        assert_eq!(read * choice.layout.size() + choice.trailing, dataset.records.len(), "every byte is accounted for");
    }
    for layout in UserLayout::ALL {
        for user in layout.records(dataset.records) {
            let mut written = Vec::new();
            user.write(layout, &mut written).expect("what was read can be written");
            let again = layout.record(&written).expect("a whole record");
            assert!(again.person == user.person && again.name == user.name && again.zones == user.zones);
        }
    }
}

fn check_attendance(layout: AttendanceLayout, records: &[u8]) {
    let (mut stream, mut whole) = (AttendanceStream::new(layout), layout.records(records));
    for piece in records.chunks(17) {
        assert!(stream.records(piece).all(|record| whole.next() == Some(record)), "{layout:?}");
    }
    assert!(whole.next().is_none() && stream.trailing() == records.len() % layout.size(), "{layout:?}");
    for record in layout.records(records) {
        let mut written = Vec::new();
        record.write(layout, &mut written).expect("what was read can be written");
        let again = layout.record(&written).expect("a whole record");
        let facts = |record: &punch_protocol::tcp::AttendanceRecord<'_>| (record.time, record.state, record.verify);
        assert!(again.person == record.person && facts(&again) == facts(&record), "{layout:?}");
    }
}
