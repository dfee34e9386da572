//! Comm keys, times, options and numbers.

use proptest::prelude::*;
use punch_protocol::civil;
use punch_protocol::tcp::{
    CommKey, Command, EncodedTime, EventTime, MachineState, OptionPair, ReplyNumber, Scramble, VerifyStyle, checksum,
};
use serde_json::Value;

use super::Vector;

fn of_kind(kind: &str) -> Vec<Vector> {
    Vector::of("value").into_iter().filter(|vector| vector.decode["kind"] == kind).collect()
}

#[test]
fn every_comm_key_is_scrambled_as_the_vectors_say() {
    let vectors = of_kind("commkey");
    assert_eq!(vectors.len(), 5);
    for vector in vectors {
        let number = |key: &str| u32::try_from(vector.decode[key].as_u64().unwrap()).unwrap();
        let (session, ticks) = (u16::try_from(number("session")).unwrap(), u8::try_from(number("ticks")).unwrap());
        let key = CommKey::new(number("key")).unwrap();
        let proof = Scramble::parse(&vector.bytes).unwrap();
        assert_eq!(key.scramble(session, ticks).to_bytes(), *vector.bytes, "{}", vector.id);
        assert!(key.matches(session, proof) && proof.ticks() == ticks, "{}", vector.id);
        assert_eq!(proof.key_number(session), Some(number("key")), "{}", vector.id);
    }
    let auth = Vector::named("tcp-auth-45");
    let proof = Scramble::parse(auth.packet().data).unwrap();
    assert_eq!(proof.key_number(auth.packet().session.0), Some(45));
}

/// The worked examples that are not in the file.
#[test]
fn published_comm_keys() {
    let scrambled = |key, session, ticks| CommKey::new(key).unwrap().scramble(session, ticks).to_bytes();
    assert_eq!(scrambled(0, 0, 50), [0x61, 0x7d, 0x32, 0x79]);
    assert_eq!(scrambled(123_456, 0x39, 50), [0x26, 0x7f, 0x32, 0xf9]);
    assert!(CommKey::new(CommKey::MAX).is_ok() && CommKey::new(CommKey::MAX + 1).is_err());
    assert!(CommKey::new(0).unwrap().is_none() && !CommKey::new(1).unwrap().is_none());
    assert!(Scramble::parse(&[0; 3]).is_err() && Scramble::parse(&[0; 5]).is_err());
}

#[test]
fn every_time_reads_as_the_vectors_say() {
    let vectors = of_kind("time");
    assert_eq!(vectors.len(), 3);
    for vector in vectors {
        let time = EncodedTime(u32::from_le_bytes(vector.bytes.as_slice().try_into().unwrap()));
        for (key, want) in vector.decode.as_object().unwrap() {
            let got: Value = match key.as_str() {
                "kind" => "time".into(),
                "value" => time.0.into(),
                "time" => time.civil().unwrap().format("%Y-%m-%dT%H:%M:%S").to_string().into(),
                "fields" => time.parts().to_vec().into(),
                "valid" => time.civil().is_some().into(),
                other => panic!("{other}"),
            };
            assert_eq!(*want, got, "{}: {key}", vector.id);
        }
    }
    let shown = |bytes| civil::Written(EncodedTime(u32::from_le_bytes(bytes)).civil().unwrap()).to_string();
    assert_eq!(shown([0x58, 0x0d, 0x04, 0x23]), "2018-04-11 09:35:20");
    assert_eq!(shown([0xd9, 0xc5, 0xa4, 0x2e]), "2024-05-06 07:08:09");
}

#[test]
fn every_option_reads_as_the_vectors_say() {
    let mut with_value = 0;
    for vector in Vector::packets() {
        let Some(name) = vector.decode["option"].as_str() else { continue };
        let pair = OptionPair::parse(vector.packet().data).unwrap();
        assert_eq!(pair.name(), name.as_bytes(), "{}", vector.id);
        assert_eq!(pair.value(), vector.decode["value"].as_str().map(str::as_bytes), "{}", vector.id);
        with_value += 1;
    }
    assert_eq!(with_value, 2);
    assert_eq!(OptionPair::parse(b"Key=a=b\0junk").unwrap().value(), Some(&b"a=b"[..]));
    assert_eq!(OptionPair::parse(b"Key=\0").unwrap().value(), Some(&b""[..]));
    assert!(OptionPair::parse(b"").is_none() && OptionPair::parse(b"=1\0").is_none());
}

/// Numbers without a name survive, and are not success.
#[test]
fn numbers_have_names() {
    let names: Vec<Command> = Command::named().collect();
    assert!(names.windows(2).all(|pair| pair[0] < pair[1]), "in order, each once");
    assert_eq!(names.iter().filter(|command| command.is_answer()).count(), 13);
    assert!(
        (0..=u16::MAX).map(Command).filter(|command| command.is_success()).eq([Command::ACK_OK, Command::ACK_DATA])
    );
    assert_eq!(Command(6001), Command::SECURE_PULL);
    assert_eq!(Vector::named("tcp-state-rsp").packet().session.state(), MachineState::IDENTIFYING);
    assert_eq!(VerifyStyle(0x8e).to_string(), "FP&RF+PIN");
    assert_eq!(ReplyNumber(65_535).next(), ReplyNumber(0));
    assert_eq!((0..65_535).map(ReplyNumber).filter(|number| number.next() == ReplyNumber::EVENT).count(), 1);
}

/// The sum as the protocol's notes write it: a word at a time.
fn word_by_word(packet: &[u8]) -> u16 {
    let words = packet.chunks(2).map(|word| u32::from(word[0]) | u32::from(*word.get(1).unwrap_or(&0)) << 8);
    let mut sum: u32 = words.enumerate().filter(|(at, _)| *at != 1).map(|(_, word)| word).sum();
    while sum > 0xffff {
        sum = (sum & 0xffff) + (sum >> 16);
    }
    u16::try_from(0xffff - sum).unwrap()
}

/// Packets that are summed in several blocks, of words that add up to the most.
#[test]
fn the_checksum_of_a_long_packet_is_the_sum_of_words() {
    for len in (65_534..65_544).chain([131_070, 131_071, 131_072]) {
        let mut packet = vec![0xff; len];
        assert_eq!(checksum(&packet), word_by_word(&packet), "{len}");
        packet.iter_mut().step_by(3).for_each(|byte| *byte = 0x5a);
        assert_eq!(checksum(&packet), word_by_word(&packet), "{len}");
    }
}

/// Every day that can be packed, in its first and its last second.
#[test]
fn a_packed_time_is_a_date_if_the_calendar_has_it() {
    let mut dates = 0;
    for day in 0..=u32::MAX / 86_400 {
        for second in [0, 86_399] {
            let Some(time) = (day * 86_400).checked_add(second).map(EncodedTime) else { continue };
            let [year, month, date, hour, minute, of_minute] = time.parts();
            assert_eq!([(year - 2000) * 12 + month - 1, date - 1], [day / 31, day % 31]);
            assert_eq!((hour * 60 + minute) * 60 + of_minute, second);
            let text = format!("{year}-{month:02}-{date:02} {hour:02}:{minute:02}:{of_minute:02}");
            assert_eq!(time.civil(), civil::parse(text.as_bytes()).ok(), "{text}");
            assert_eq!(time.is_date(), time.civil().is_some(), "{text}");
            dates += u32::from(time.is_date());
        }
    }
    // 133 years with 33 leap days, and 2133 up to 18 August, which has no last second.
    assert_eq!(dates, 2 * (133 * 365 + 33 + 230) - 1);
}

proptest! {
    #[test]
    fn the_checksum_is_the_sum_of_words(
        packet in prop_oneof![
            prop::collection::vec(any::<u8>(), 8..70),
            prop::collection::vec(prop::sample::select(vec![0_u8, 0xff]), 8..70),
        ],
    ) {
        prop_assert_eq!(checksum(&packet), word_by_word(&packet));
    }

    #[test]
    fn every_key_comes_back(key in 0..=CommKey::MAX, session in any::<u16>(), ticks in any::<u8>()) {
        let proof = CommKey::new(key).unwrap().scramble(session, ticks);
        prop_assert_eq!(proof.key_number(session), Some(key));
        prop_assert!(CommKey::new(key).unwrap().matches(session, proof));
    }

    #[test]
    fn every_time_comes_back(seconds in any::<u32>(), six in any::<[u8; 6]>()) {
        if let Some(time) = EncodedTime(seconds).civil() {
            prop_assert_eq!(EncodedTime::of(time), Some(EncodedTime(seconds)));
        }
        if let Some(time) = EventTime(six).civil() {
            prop_assert_eq!(EventTime::of(time), Some(EventTime(six)));
        }
    }
}
