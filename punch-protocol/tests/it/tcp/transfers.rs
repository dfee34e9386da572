//! What moves datasets, and the small answers.

use punch_protocol::tcp::{
    Announcement, BufferPiece, BufferReady, BufferRequest, Combination, Command, DataError, Dataset, FreeSizes,
    GroupZones, Limits, TimeZoneTable, UserVerifyStyle,
};
use serde_json::json;

use super::Vector;

fn number(vector: &Vector, key: &str) -> u64 {
    vector.decode[key].as_u64().unwrap_or_else(|| panic!("{}: {key}", vector.id))
}

#[test]
fn every_transfer_reads_as_the_vectors_say() {
    let mut read = [0; 4];
    for vector in Vector::packets() {
        let packet = vector.packet();
        match packet.command {
            Command::PREPARE_DATA => {
                let announced = Announcement::parse(packet.data, &Limits::default()).unwrap();
                assert_eq!(number(&vector, "size"), u64::from(announced.size));
                assert_eq!(vector.decode["max_data"], json!(announced.packet_max));
                read[0] += 1;
            }
            Command::PREPARE_BUFFER => {
                let request = BufferRequest::parse(packet.data).unwrap();
                assert_eq!(number(&vector, "sub"), u64::from(request.command.0));
                assert_eq!(
                    (number(&vector, "fct"), number(&vector, "ext")),
                    (request.kind.0.into(), request.extra.into())
                );
                assert_eq!(request.to_bytes(), packet.data);
                read[1] += 1;
            }
            Command::READ_BUFFER => {
                let piece = BufferPiece::parse(packet.data).unwrap();
                assert_eq!(
                    (number(&vector, "offset"), number(&vector, "length")),
                    (piece.offset.into(), piece.len.into())
                );
                assert_eq!(piece.to_bytes(), packet.data);
                read[2] += 1;
            }
            _ if vector.decode.get("word3").is_some() => {
                let ready = BufferReady::parse(packet.data).unwrap();
                let words = ["flag", "size", "size2", "word3"].map(|key| number(&vector, key));
                assert_eq!(
                    words,
                    [u64::from(ready.flag), ready.size.into(), ready.size_again.into(), ready.unknown.into()]
                );
                assert_eq!(ready.to_bytes(), packet.data);
                read[3] += 1;
            }
            _ => {}
        }
    }
    assert_eq!(read, [5, 2, 1, 1]);
}

/// Data of any other length is refused, and too much is refused before there is room for it.
#[test]
fn lengths_are_exact() {
    let data = [1; 40];
    let limits = Limits::default();
    for len in 0..data.len() {
        let data = &data[..len];
        assert_eq!(BufferRequest::parse(data).is_ok(), len == 11);
        assert_eq!(BufferReady::parse(data).is_ok(), len == 13);
        assert_eq!(BufferPiece::parse(data).is_ok(), len == 8);
        assert_eq!(Announcement::parse(data, &Limits { dataset: usize::MAX, ..limits }).is_ok(), matches!(len, 4 | 8));
        assert_eq!(TimeZoneTable::parse(data).is_ok(), len == 32);
        assert_eq!(Combination::parse(data).is_ok(), len == 8);
        assert_eq!(GroupZones::parse(data).is_ok(), len == 8);
        assert_eq!(UserVerifyStyle::parse(data).is_ok(), len == 24);
        assert_eq!(Dataset::parse(data, &limits).is_ok(), len >= 4);
    }
    let announced = |size: u32| Announcement::parse(&size.to_le_bytes(), &limits).map(|announced| announced.size);
    assert_eq!(announced(16 << 20), Ok(16 << 20));
    let limit = limits.dataset;
    assert_eq!(announced((16 << 20) + 1), Err(DataError::DatasetTooLong { len: limit + 1, limit }));
    let small = Limits { dataset: 8, ..limits };
    assert!(Dataset::parse(&data[..8], &small).is_ok());
    assert_eq!(Dataset::parse(&data[..9], &small), Err(DataError::DatasetTooLong { len: 9, limit: 8 }));
}

#[test]
fn a_dataset_is_what_is_there_and_was_announced() {
    let parse = |bytes| Dataset::parse(bytes, &Limits::default()).unwrap();
    let exact = parse(&[2, 0, 0, 0, 7, 8]);
    assert_eq!((exact.records, exact.missing(), exact.surplus), (&[7, 8][..], 0, 0));
    let more = parse(&[1, 0, 0, 0, 7, 8]);
    assert_eq!((more.records, more.missing(), more.surplus), (&[7][..], 0, 1));
    let less = parse(&[0xff, 0xff, 0xff, 0xff, 7]);
    assert_eq!((less.records, less.missing(), less.surplus), (&[7][..], 0xffff_fffe, 0));
}

#[test]
fn counts_read_as_the_vectors_say() {
    let mut read = 0;
    for vector in Vector::packets().into_iter().filter(|vector| vector.id.starts_with("tcp-freesizes")) {
        let sizes = FreeSizes::new(vector.packet().data);
        for (key, want) in vector.decode.as_object().unwrap() {
            let got = match key.as_str() {
                "cmd" | "session" | "reply" => continue,
                "users" => sizes.users(),
                "fingers" => sizes.fingers(),
                "records" => sizes.records(),
                "oplog" => sizes.operations(),
                "admins" => sizes.administrators(),
                "passwords" => sizes.passwords(),
                "fp_cap" => sizes.finger_capacity(),
                "user_cap" => sizes.user_capacity(),
                "rec_cap" => sizes.record_capacity(),
                "fp_free" => sizes.fingers_free(),
                "user_free" => sizes.users_free(),
                "rec_free" => sizes.records_free(),
                other => panic!("{other}"),
            };
            assert_eq!(*want, json!(got), "{}: {key}", vector.id);
        }
        assert_eq!((sizes.faces().is_some(), sizes.face_capacity()), (vector.packet().data.len() >= 84, None));
        read += 1;
    }
    assert_eq!(read, 3);
}

#[test]
fn access_settings_read_as_the_vectors_say() {
    let vector = Vector::named("tcp-tz-rsp");
    let table = TimeZoneTable::parse(vector.packet().data).unwrap();
    assert_eq!((table.index, table.trailer), (48, [0xa7, 0x1c]));
    assert_eq!((table.days[0].from, table.days[0].to), ([17, 12], [17, 13]));
    assert_eq!((table.days[6].from, table.days[6].to), ([17, 35], [17, 36]));

    let vector = Vector::named("tcp-ulg-rsp");
    let combination = Combination::parse(vector.packet().data).unwrap();
    assert_eq!((combination.number, combination.groups, combination.valid), (7, [1, 2, 0, 0, 0], 2));
    assert!(combination.is_consistent());
    let zones = [5, 1, 0, 2, 0, 0, 0, 0x83];
    assert!(!Combination::parse(&zones).unwrap().is_consistent());
    let zones = GroupZones::parse(&zones).unwrap();
    assert_eq!((zones.group, zones.zones, zones.on_holidays(), zones.style()), (5, [1, 2, 0], true, 3));

    let vector = Vector::named("tcp-verify-write");
    let style = UserVerifyStyle::parse(vector.packet().data).unwrap();
    assert_eq!((style.slot, style.style.0, style.style.to_string().as_str()), (13, 141, "PIN&FP&PW"));
}
