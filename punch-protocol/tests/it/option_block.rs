//! The option block is read by its own reader, whatever a terminal made the server put into it.

use proptest::prelude::*;
use punch_protocol::SerialNumber;
use punch_protocol::push::{
    Limits, OptionBlock, Parts, Request, ServerOptions, Session, Settings, TimeZoneMinutes, TimeZoneReading,
    TransFlagForm, Turn,
};

use crate::random::at;

fn zones() -> impl Strategy<Value = TimeZoneMinutes> {
    (-720_i32..=840).prop_filter_map("not sayable", |minutes| TimeZoneMinutes::new(minutes).ok())
}

/// Text up to the first control character; a resume mark that is not one means "from the start".
fn first_line_of(text: &str) -> &str {
    text.split(char::is_control).next().filter(|text| !text.is_empty()).unwrap_or("0")
}

fn assert_block(text: &str) -> ServerOptions<'_> {
    assert!(text.ends_with('\n') && !text.contains('\r'));
    let options = ServerOptions::parse(text.as_bytes()).unwrap();
    assert_eq!((options.unterminated, options.ignored.len(), options.pairs.len()), (None, 0, 19), "{text}");
    let flag = options.trans_flag().unwrap();
    assert_eq!((flag.form, flag.space_separated), (TransFlagForm::List, false));
    assert_eq!(flag.tables, ["AttLog", "OpLog"], "nothing biometric is asked for");
    assert!(text.contains("\nTransFlag=TransData AttLog\tOpLog\n"));
    for key in ["MultiBioDataSupport", "MultiBioPhotoSupport"] {
        assert!(
            options.value(key).unwrap().split(':').all(|slot| slot == "0"),
            "templates follow this key, not the flag"
        );
    }
    options
}

fn versions() -> impl Strategy<Value = String> {
    prop_oneof![any::<String>(), "[0-3]\\.[0-9]\\.([0-9]|\n|\r|\t|TransFlag=1|OK){0,6}"]
}

proptest! {
    #[test]
    fn a_block_reads_back(
        serial in "[A-Za-z0-9_-][A-Za-z0-9_.-]{0,63}",
        zone in zones(),
        attlog: String,
        operlog in "([0-9: -]|\n|\r|\t|[A-Z]=){0,20}",
        version in "([0-9.]|\n|\r|TransFlag=|[A-Z]){0,12}",
        delay: u32,
        error_delay: u32,
    ) {
        let mut block = OptionBlock::new(SerialNumber::parse(&serial).unwrap(), &version);
        block.time_zone = zone;
        block.stamps.set("ATTLOG", &attlog);
        block.stamps.set("OPERLOG", &operlog);
        (block.delay, block.error_delay) = (delay, error_delay);
        let text = block.to_string();
        let options = assert_block(&text);
        prop_assert_eq!(options.serial, serial);
        let value = |key: &str| options.value(key).unwrap();
        prop_assert_eq!(TimeZoneReading::of(value("TimeZone")), TimeZoneReading::Minutes(zone.minutes()));
        for (keys, stamp) in [(["ATTLOGStamp", "Stamp"], &attlog), (["OPERLOGStamp", "OpStamp"], &operlog)] {
            prop_assert_eq!(keys.map(value), [first_line_of(stamp); 2]);
        }
        prop_assert_eq!([value("Delay"), value("ErrorDelay")], [delay.to_string(), error_delay.to_string()]);
    }

    /// What the terminal says in its handshake adds no line to the answer.
    #[test]
    fn a_handshake_cannot_write_into_its_answer(version in versions(), device in "(\\PC|\n){0,8}") {
        let encode = |text: &str| text.bytes().map(|byte| format!("%{byte:02x}")).collect::<String>();
        let query = format!("SN=T1&options=all&pushver={}&DeviceType={}", encode(&version), encode(&device));
        let (serial, request) =
            Request::parse(Parts::new("GET", "/iclock/cdata", &query, b""), &Limits::default()).unwrap();
        let Turn::Reply(reply) = Session::approved(serial, Settings::default()).handle(&request, at(0)) else { panic!() };
        assert_block(core::str::from_utf8(reply.body()).unwrap());
    }
}

/// Every offset is either refused, or said in a text that firmware reads as that offset.
#[test]
fn every_time_zone_is_sayable_or_refused() {
    let mut sayable = 0;
    for minutes in -2000..=2000 {
        let Ok(zone) = TimeZoneMinutes::new(minutes) else {
            let ambiguous = minutes % 60 != 0 && minutes.abs() < 25;
            assert!(ambiguous || !(-720..=840).contains(&minutes), "{minutes} refused");
            continue;
        };
        assert_eq!(zone.minutes(), minutes);
        assert_eq!(TimeZoneReading::of(&zone.to_string()), TimeZoneReading::Minutes(minutes));
        sayable += 1;
    }
    assert_eq!(sayable, 1561 - 48, "-720 to 840, without 1 to 24 east and west");
}

#[test]
fn a_version_without_a_line_end_goes_through_whole() {
    let block = |version: &str| OptionBlock::new(SerialNumber::parse("T1").unwrap(), version).to_string();
    assert!(block("2.4.0").contains("\nServerVer=2.4.0\n"));
    assert!(block("3.1.2").contains("\nServerVer=2.4.1\n"));
    assert!(block("").contains("\nServerVer=2.2.14\n"));
    assert!(block("2.4.0\nTransFlag=1111111111").contains("\nServerVer=2.4.0\n"));
}
