//! P07 to P09: pictures, which are measured and never kept.

use punch_protocol::civil::Written;
use punch_protocol::push::{PhotoHeader, PhotoKind, Request};
use serde_json::json;

use super::{Sample, assert_fields};

#[test]
fn every_picture_is_measured_as_the_samples_say() {
    for sample in Sample::of('P', true) {
        match sample.request() {
            Request::Upload(upload) => {
                assert_eq!(upload.rows().count(), 0, "{}: a picture is no rows", sample.id);
                assert_header(&sample, &PhotoHeader::parse(upload.body()).unwrap());
            }
            Request::FingerImage(image) => assert_fields(&sample.id, &sample.expected, |key| match key {
                "kind" => "fpimage".into(),
                "pin" => image.pin.as_str().into(),
                "fid" => image.finger.into(),
                "len" => image.len.into(),
                "ack" => sample.expected["ack"].clone(),
                unknown => panic!("nothing reads {unknown}"),
            }),
            other => panic!("{}: {other:?}", sample.id),
        }
        sample.assert_answer("ack");
    }
}

fn assert_header(sample: &Sample, header: &PhotoHeader<'_>) {
    let whole = header.size == u64::try_from(header.picture_len).ok();
    assert_fields(&sample.id, &sample.expected, |key| match key {
        "kind" => "attphoto".into(),
        "file_name" => header.file_name.into(),
        "pin" => header.pin().into(),
        "time" => header.time().map(|time| Written(time).to_string()).into(),
        "size" => header.size.into(),
        "image_len" => header.picture_len.into(),
        "warnings" => {
            if whole {
                json!([])
            } else {
                json!(["size_mismatch"])
            }
        }
        "ack" => sample.expected["ack"].clone(),
        unknown => panic!("nothing reads {unknown}"),
    });
}

fn header(name: &str) -> Vec<u8> {
    [b"PIN=", name.as_bytes(), b"\nSN=T1\nsize=9\nCMD=realupload\0\xff\xd8\n\0PIN=\xff\xd9"].concat()
}

/// Everything behind the first NUL is the picture, whatever bytes it holds; only the first `-` ends the time.
#[test]
fn the_name_of_a_picture_says_when_and_who() {
    let names = [
        ("20181003143617-22.jpg", Some("22")),
        ("20181003143617-22.JPG", Some("22")),
        ("20181003143617-A-77-b.jpg", Some("A-77-b")),
        ("20181003143617-7.8.jpg", Some("7.8")),
        ("20181003143617.jpg", None),
        ("20181003143617", None),
    ];
    for (name, pin) in names {
        let body = header(name);
        let header = PhotoHeader::parse(&body).unwrap();
        assert_eq!((header.pin(), header.picture_len), (pin, 10), "{name}");
        assert_eq!((header.command, header.serial), (Some("realupload"), Some("T1")));
        assert_eq!(header.time().map(|time| Written(time).to_string()).as_deref(), Some("2018-10-03 14:36:17"));
        assert_eq!(header.identity(), None, "{name}");
    }
}

/// An identity terminal puts a kind and a card number around the PIN, which may itself hold a `-`.
#[test]
fn the_picture_of_an_identity_terminal_names_a_card() {
    let read = |name: &str| {
        let body = header(name);
        let header = PhotoHeader::parse(&body).unwrap();
        header.identity().map(|photo| (photo.kind, photo.pin.to_owned(), photo.number.to_owned()))
    };
    let number = "11010119900307001X";
    assert_eq!(
        read(&format!("20181003143617-1-A-7-{number}.jpg")),
        Some((PhotoKind::REFUSED, "A-7".to_owned(), number.to_owned()))
    );
    for other in ["20181003143617-x-7-11010119900307001X.jpg", "20181003143617-1-7-110101.jpg", "20181003143617-1.jpg"]
    {
        assert_eq!(read(other), None, "{other}");
    }
}

/// S0-019 holds for pictures too: the PIN is text, and a kind no manual has survives.
#[test]
fn an_unknown_kind_of_picture_survives() {
    let body = header("20181003143617-9-007-110101199003070011.jpg");
    let photo = PhotoHeader::parse(&body).unwrap().identity().unwrap();
    assert_eq!((photo.kind, photo.pin), (PhotoKind(9), "007"));
    assert_eq!(photo.kind.to_string(), "kind 9");
}
