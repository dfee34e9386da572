//! Every oddity of firmware on record has a name, and is found where it is.

use alloc::collections::BTreeSet;

use punch_protocol::push::{Deviation, Limits, Parts, Request};

use crate::samples::Sample;

fn names(parts: &Parts<'_>) -> BTreeSet<&'static str> {
    let (_, request) = Request::parse(*parts, &Limits::default()).unwrap();
    Deviation::of(parts, &request).into_iter().map(Deviation::name).collect()
}

fn of_sample(id: &str) -> BTreeSet<&'static str> {
    let sample = Sample::all().into_iter().find(|sample| sample.id == id).unwrap_or_else(|| panic!("{id}"));
    names(&sample.parts())
}

/// Captures and reports, and what of them is not as the manual has it.
const SAMPLES: [(&str, &[&str]); 30] = [
    ("H01", &[]),
    ("H03", &["marketing_device_type"]),
    ("H05", &["options_flag_two"]),
    ("H07", &[]),
    ("H08", &["access_version_without_type"]),
    ("H18", &["aspx_suffix"]),
    ("I05", &["raw_blanks"]),
    ("A01", &[]),
    ("A03", &["unsigned_time_offset"]),
    ("A04", &["counter_in_mask_field"]),
    ("A08", &["events_among_punches"]),
    ("A16", &["stranger_rows"]),
    ("A20", &["impossible_time"]),
    ("A27", &[]),
    ("A28", &[]),
    ("A32", &["unset_clock"]),
    ("A35", &["upload_to_edata"]),
    ("O01", &[]),
    ("O05", &["operation_without_time"]),
    ("O12", &["blank_separator"]),
    ("O20", &["names_in_gb18030"]),
    ("B01", &["operation_mark_elsewhere"]),
    ("R06", &["multi_user_pass"]),
    ("R07", &["index_zero"]),
    ("R13", &["comma_separated_events"]),
    ("R17", &[]),
    ("R39", &["count_of_another_body"]),
    ("D01", &["result_named_data_only"]),
    ("D02", &[]),
    ("D11", &["result_named_data_only", "result_without_code"]),
];

/// S1-056: the families of terminals differ, and each difference has a name.
#[test]
fn samples_show_what_is_known_of_them() {
    for (id, expected) in SAMPLES {
        assert_eq!(of_sample(id), expected.iter().copied().collect(), "{id}");
    }
}

/// Those no sample shows, made by the rule that describes them.
#[test]
fn the_others_are_found_too() {
    let request = |method, path, query, body| names(&Parts::new(method, path, query, body));
    let upload = |path, query, body: &'static [u8]| request("POST", path, query, body);
    let row = b"1\t2026-03-28 08:47:12\t0\t1\n";
    for (found, expected) in [
        (request("GET", "/cdata", "SN=T1", b""), "no_base_path"),
        (request("GET", "/iclock/iclock/cdata", "SN=T1", b""), "repeated_base_path"),
        (upload("/iclock/devicemd.aspx", "SN=T1", b"ID=1&Return=0&CMD=INFO\n"), "misspelled_endpoint"),
        (request("GET", "/iclock/FileName=x", "SN=T1", b""), "file_in_path"),
        (upload("/iclock/fdata", "SN=T1&table=ATTPHOTO&PhotoStamp=1", b"PIN=x\0"), "photos_to_fdata"),
        (upload("/iclock/cdata", "SN=T1", row), "no_table"),
        (
            upload("/iclock/cdata", "SN=T1&table=ATTLOG", b"OPLOG 4\t0\t2026-03-28 08:00:00\n"),
            "tagged_rows_among_punches",
        ),
        (upload("/iclock/cdata", "SN=T1&table=USERINFO", b"PIN=1\tName=A\n"), "untagged_rows"),
        (upload("/iclock/cdata", "SN=T1&table=ATTLOG", b"1\t2026-03-28 08:47:12\tin\t1\n"), "text_for_code"),
        (
            upload("/iclock/cdata", "SN=T1&table=ATTLOG", b"1\t2026-03-28 08:47:12\r2\t2026-03-28 08:47:13\r"),
            "lone_carriage_returns",
        ),
        (upload("/iclock/cdata", "SN=T1&table=ATTLOG", b"1\t2026-03-28 08:47:12\t0\t1\n\0\0\0\n"), "nul_bytes"),
        (
            upload("/iclock/cdata", "SN=T1&table=OPERLOG", b"FP PIN=1\tFID=1\tSize=3\tValid=1\tTMP=QUJD\n"),
            "size_of_another_count",
        ),
    ] {
        assert!(found.contains(expected), "{expected}: {found:?}");
    }
}

/// Each has its own name and says something, and every one is found in this file.
#[test]
fn every_deviation_is_named_explained_and_found() {
    let names: BTreeSet<&str> = Deviation::all().map(Deviation::name).collect();
    assert_eq!(names.len(), Deviation::all().len());
    let file = include_str!("deviations.rs");
    for deviation in Deviation::all() {
        let name = deviation.name();
        assert!(!deviation.text().is_empty() && !deviation.seen_on().is_empty() && name != "unknown", "{deviation:?}");
        assert!(name.bytes().all(|byte| byte.is_ascii_lowercase() || byte.is_ascii_digit() || byte == b'_'), "{name}");
        assert!(file.contains(&format!("\"{name}\"")), "no test shows {name}");
    }
}
