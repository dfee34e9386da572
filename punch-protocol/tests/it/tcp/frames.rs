//! Frames and packets: exact, whole or not at all.

use proptest::prelude::*;
use punch_protocol::tcp::{
    Command, Frame, FrameError, Framed, Limits, Packet, ReplyNumber, SessionField, WriteError, checksum,
};

use super::{Vector, frames};

/// What stands in the bytes of a vector: a packet, or nothing yet.
fn read(transport: &str, bytes: &[u8]) -> Result<Option<Vec<u8>>, FrameError> {
    let limits = Limits::default();
    let mut written = Vec::new();
    let packet = if transport == "tcp" {
        match Frame::parse(bytes, &limits)? {
            Framed::Complete { frame, used } => {
                assert_eq!(used, bytes.len());
                frame.packet
            }
            Framed::Partial { .. } => return Ok(None),
        }
    } else {
        Packet::parse(bytes, &limits)?
    };
    packet.write(&mut written, &limits).unwrap();
    Ok(Some(written))
}

/// Both transports, both directions: what is printed reads and writes as it was, and what was edited is refused.
#[test]
fn every_packet_reads_as_the_vectors_say() {
    for vector in Vector::packets() {
        let (id, decode, packet) = (&vector.id, &vector.decode, vector.packet());
        let bare = &vector.bytes[if vector.transport == "tcp" { Frame::WRAPPER } else { 0 }..];
        match (vector.expect.as_str(), read(&vector.transport, &vector.bytes)) {
            ("ok", Ok(Some(written))) => assert_eq!(written, bare, "{id}"),
            ("bad_checksum", Err(FrameError::Checksum { .. })) | ("incomplete", Ok(None)) => {}
            (expect, other) => panic!("{id}: {expect}, {other:?}"),
        }
        assert_eq!(decode["cmd"], packet.command.0, "{id}");
        assert_eq!(decode["reply"], packet.reply.0, "{id}");
        for key in ["session", "session_field", "state", "event", "index"] {
            // In an event, the state is the punch's.
            if decode.get(key).is_some() && !(key == "state" && packet.command == Command::EVENT) {
                assert_eq!(decode[key], packet.session.0, "{id}: {key}");
            }
        }
        if let Some(sum) = decode["checksum"].as_u64() {
            assert_eq!(u64::from(checksum(bare)), sum, "{id}");
        }
    }
}

#[test]
fn every_stream_reads_as_the_vectors_say() {
    for vector in Vector::of("stream") {
        let (packets, left) = frames(&vector.bytes).unwrap();
        assert_eq!((vector.decode["frames"].as_u64(), left), (Some(packets.len() as u64), 0), "{}", vector.id);
        if let Some(commands) = vector.decode["cmds"].as_array() {
            let found: Vec<u16> = packets.iter().map(|packet| packet.command.0).collect();
            assert!(commands.iter().eq(found.iter()), "{}", vector.id);
        } else {
            assert!(packets.iter().all(|packet| vector.decode["event"] == packet.session.0), "{}", vector.id);
        }
    }
}

/// Every truncation of every vector waits for the rest, or is refused as a datagram; none is taken for a packet.
#[test]
fn a_cut_packet_never_passes() {
    let limits = Limits::default();
    for vector in Vector::packets().into_iter().filter(|vector| vector.expect != "bad_checksum") {
        for end in 0..vector.bytes.len() {
            let cut = &vector.bytes[..end];
            if vector.transport == "tcp" {
                let Ok(Framed::Partial { needed }) = Frame::parse(cut, &limits) else { panic!("{} {end}", vector.id) };
                assert!(needed > 0 && (vector.expect == "incomplete" || end + needed <= vector.bytes.len()));
            } else if let Ok(packet) = Packet::parse(cut, &limits) {
                // A datagram has no length of its own, and the sum cannot tell how many zeros there were.
                assert!(vector.bytes[end..].iter().all(|byte| *byte == 0), "{} {end}", vector.id);
                assert_eq!(packet.command, vector.packet().command);
            }
        }
    }
}

/// Every single bit of every vector: a flipped one behind the length is always found; one in the length never makes a
/// packet of other bytes; one in the mark is no mark.
#[test]
fn a_flipped_bit_never_passes() {
    for vector in Vector::packets().into_iter().filter(|vector| vector.expect == "ok") {
        for bit in 0..vector.bytes.len() * 8 {
            let mut bytes = vector.bytes.clone();
            bytes[bit / 8] ^= 1 << (bit % 8);
            let result = if vector.transport == "tcp" {
                Frame::parse(&bytes, &Limits::default())
            } else {
                Packet::parse(&bytes, &Limits::default())
                    .map(|packet| Framed::Complete { frame: Frame::new(packet), used: bytes.len() })
            };
            match result {
                Err(_) | Ok(Framed::Partial { .. }) => {}
                // A shorter length that leaves out nothing but zeros sums to the same.
                Ok(Framed::Complete { used, frame }) => {
                    assert!((4..8).contains(&(bit / 8)) && vector.transport == "tcp", "{} {bit}", vector.id);
                    assert!(vector.bytes[used..].iter().all(|byte| *byte == 0), "{} {bit}", vector.id);
                    // What is left over is no frame, so the stream ends here all the same.
                    assert!(frames(&bytes[used..]).is_err() || bytes.len() - used < 8, "{} {bit}", vector.id);
                    assert_eq!(frame.packet.command, vector.packet().command);
                }
            }
        }
    }
}

#[test]
fn other_protocols_are_named() {
    let parse = |bytes: &[u8]| Frame::parse(bytes, &Limits::default()).unwrap_err();
    assert_eq!(parse(&Vector::named("own-secure-magic").bytes), FrameError::SecurePull);
    assert_eq!(parse(&Vector::named("own-secure-frame").bytes), FrameError::SecurePull);
    assert_eq!(parse(b"\xaa\x01\x76\x04\x00\x00"), FrameError::AccessPanel);
    assert_eq!(parse(b"GET /iclock/cdata"), FrameError::Http);
    assert_eq!(parse(b"POST"), FrameError::Http);
    assert_eq!(parse(b"HTTP/1.1 400"), FrameError::Http);
    assert_eq!(parse(b"\xaa\x02\x00\x00"), FrameError::NoMagic);
    assert_eq!(parse(b"\x50\x50\x7d\x82"), FrameError::NoMagic);
}

/// The limit holds at its edge, in both directions, and a length alone allocates nothing.
#[test]
fn a_packet_is_as_long_as_the_limit_and_no_longer() {
    let limits = Limits { packet: 16, ..Limits::default() };
    let packet = |data| Packet::new(Command::DATA, SessionField(0), ReplyNumber(1), data);
    let mut out = Vec::new();
    Frame::new(packet(&[7; 8])).write(&mut out, &limits).unwrap();
    assert!(matches!(Frame::parse(&out, &limits), Ok(Framed::Complete { used: 24, .. })));
    let shorter = Limits { packet: 15, ..limits };
    assert_eq!(Frame::parse(&out, &shorter), Err(FrameError::TooLong { len: 16, limit: 15 }));
    assert_eq!(Packet::parse(&out[8..], &shorter), Err(FrameError::TooLong { len: 16, limit: 15 }));
    let before = out.clone();
    assert_eq!(
        Frame::new(packet(&[7; 9])).write(&mut out, &limits),
        Err(WriteError::PacketTooLong { len: 17, limit: 16 })
    );
    assert_eq!(out, before, "nothing is appended");

    let announced = |length: u32| {
        let stream = [Frame::MAGIC, length.to_le_bytes()].concat();
        Frame::parse(&stream, &Limits::default()).map(|framed| format!("{framed:?}"))
    };
    assert!(matches!(announced(u32::MAX), Err(FrameError::TooLong { .. })));
    assert!(matches!(announced((1 << 20) + 9), Err(FrameError::TooLong { .. })));
    assert_eq!(announced((1 << 20) + 8).as_deref(), Ok("Partial { needed: 1048584 }"));
    assert_eq!(announced(7), Err(FrameError::TooShort { len: 7 }));
}

/// The words of a header and some data.
fn parts() -> impl Strategy<Value = (u16, u16, u16, Vec<u8>)> {
    (any::<u16>(), any::<u16>(), any::<u16>(), prop::collection::vec(any::<u8>(), 0..300))
}

proptest! {
    /// What is written reads the same.
    #[test]
    fn a_packet_comes_back((command, session, reply, data) in parts()) {
        let limits = Limits::default();
        let packet = Packet::new(Command(command), SessionField(session), ReplyNumber(reply), &data);
        let mut out = Vec::new();
        Frame::new(packet).write(&mut out, &limits).unwrap();
        prop_assert_eq!(Packet::parse(&out[8..], &limits), Ok(packet));
        prop_assert_eq!(Frame::parse(&out, &limits), Ok(Framed::Complete { frame: Frame::new(packet), used: out.len() }));
    }

    /// A stream cut anywhere, as often as one likes, holds the same frames.
    #[test]
    fn any_chunking_gives_the_same_frames(
        packets in prop::collection::vec(parts(), 1..6),
        cuts in prop::collection::vec(any::<prop::sample::Index>(), 0..40),
    ) {
        let limits = Limits::default();
        let mut stream = Vec::new();
        for (command, session, reply, data) in &packets {
            let packet = Packet::new(Command(*command), SessionField(*session), ReplyNumber(*reply), data);
            Frame::new(packet).write(&mut stream, &limits).unwrap();
        }
        let mut ends: Vec<usize> = cuts.iter().map(|cut| cut.index(stream.len())).collect();
        ends.push(stream.len());
        ends.sort_unstable();
        let (mut held, mut from, mut found) = (Vec::new(), 0, Vec::new());
        for end in ends {
            held.extend_from_slice(&stream[from..end]);
            from = end;
            let (whole, left) = frames(&held).unwrap();
            found.extend(whole.iter().map(|packet| (packet.command.0, packet.session.0, packet.reply.0, packet.data.to_vec())));
            held.drain(..held.len() - left);
        }
        prop_assert_eq!((found, held.len()), (packets, 0));
    }

    /// Whatever comes, nothing panics, and what is taken is what was there.
    #[test]
    fn noise_does_not_panic(noise in prop::collection::vec(any::<u8>(), 0..200), marked in any::<bool>()) {
        let stream = if marked { [&Frame::MAGIC[..], &noise].concat() } else { noise };
        if let Ok(Framed::Complete { used, .. }) = Frame::parse(&stream, &Limits::default()) {
            prop_assert!(used <= stream.len());
        }
        if let Ok(packet) = Packet::parse_unverified(&stream) {
            prop_assert_eq!(packet.len(), stream.len());
        }
    }
}
