//! C01 to C22: what a terminal makes of the answer to its poll.

use punch_protocol::civil::Written;
use punch_protocol::push::{CommandLine, EncodedTime, PollAnswer, TimeInterval};
use serde_json::{Map, Value, json};

use super::{Sample, assert_fields};

#[test]
fn every_answer_to_a_poll_reads_as_the_samples_say() {
    let mut kinds = [0; 5];
    for sample in Sample::of('C', false) {
        let body = core::str::from_utf8(&sample.body).unwrap();
        let (id, expected) = (&sample.id, &sample.expected);
        match (PollAnswer::read(body), expected["kind"].as_str().unwrap()) {
            (PollAnswer::Idle, "commands") => {
                assert_eq!((&expected["idle"], &expected["commands"]), (&json!(true), &json!([])), "{id}");
                kinds[0] += 1;
            }
            (PollAnswer::Offline, "device_goes_offline") => kinds[1] += 1,
            (PollAnswer::Misread, "bad_command_line") => kinds[2] += 1,
            (PollAnswer::Commands(commands), "commands") => {
                assert_commands(id, &commands, expected);
                kinds[3] += 1;
            }
            (PollAnswer::Commands(commands), "serializer_must_refuse") => {
                // C19: on the wire a line end inside a name is the end of the command. A reader cannot tell; the
                // writer must not let it happen.
                assert_eq!(commands.len(), 2, "{id}");
                assert!(expected["input"]["Name"].as_str().unwrap().contains('\n'));
                kinds[4] += 1;
            }
            (answer, kind) => panic!("{id}: {answer:?} is no {kind}"),
        }
    }
    assert_eq!(kinds, [1, 1, 1, 11, 1]);
}

fn assert_commands(id: &str, commands: &[CommandLine<'_>], expected: &Value) {
    assert_fields(id, expected, |key| match key {
        "kind" => "commands".into(),
        "commands" => {
            let wanted = expected["commands"].as_array().unwrap();
            assert_eq!(commands.len(), wanted.len(), "{id}");
            for (command, wanted) in commands.iter().zip(wanted) {
                assert!(command.is_known(), "{id}: {command:?}");
                assert_fields(id, wanted, |key| command_field(command, key));
            }
            expected["commands"].clone()
        }
        "decoded_time" => {
            let (_, packed) = commands[0].pairs().find(|(key, _)| *key == "DateTime").unwrap();
            Written(EncodedTime(packed.parse().unwrap()).civil().unwrap()).to_string().into()
        }
        // C10 names one interval more than the command holds.
        "decoded" => {
            let intervals = expected["decoded"].as_object().unwrap().keys();
            let spelled = |key: &String| {
                let hours = TimeInterval(key.parse().unwrap()).to_string();
                (key.clone(), Value::from(hours))
            };
            intervals.map(spelled).collect::<Map<_, _>>().into()
        }
        unknown => panic!("{id}: nothing reads {unknown}"),
    });
}

fn command_field(command: &CommandLine<'_>, key: &str) -> Value {
    let pairs = |pairs: Vec<(&str, &str)>| -> Value {
        pairs.into_iter().map(|(key, value)| (key.to_owned(), Value::from(value))).collect::<Map<_, _>>().into()
    };
    match key {
        "id" => command.id.into(),
        "verb" => command.verb.into(),
        "table" => command.table.into(),
        "args" => pairs(command.pairs().collect()),
        "records" => command.records().map(pairs).collect(),
        "text" => command.detail.into(),
        unknown => panic!("nothing reads {unknown}"),
    }
}

fn only(body: &str) -> CommandLine<'_> {
    match PollAnswer::read(body) {
        PollAnswer::Commands(mut commands) if commands.len() == 1 => commands.remove(0),
        other => panic!("{body:?}: {other:?}"),
    }
}

/// C11: a named query keeps TABs and commas inside its filter.
#[test]
fn a_filter_keeps_its_separators() {
    let command = only("C:9:DATA QUERY tablename=biodata,fielddesc=*,filter=Type=9\tPin=1,2\n");
    let pairs: Vec<_> = command.pairs().collect();
    assert_eq!(pairs, [("tablename", "biodata"), ("fielddesc", "*"), ("filter", "Type=9\tPin=1,2")]);
    let command = only("C:9:UPGRADE checksum=ab,size=3,url=/files/emfw.cfg\n");
    assert_eq!(command.pairs().collect::<Vec<_>>(), [("checksum", "ab"), ("size", "3"), ("url", "/files/emfw.cfg")]);
}

/// Terminals that register with `CmdFormat=1` get each command in an envelope.
#[test]
fn an_envelope_is_taken_off() {
    let command = only("DataType=1,SN=T2,Priority=0,CmdID=295,CmdDesc=C:295:DATA UPDATE user Pin=1\tName=a,b\n");
    let envelope = command.envelope.unwrap();
    assert_eq!((envelope.serial, envelope.priority, envelope.id), (Some("T2"), Some(0), Some("295")));
    assert_eq!((command.id, command.table, command.detail), ("295", Some("user"), "Pin=1\tName=a,b"));
    assert_eq!(PollAnswer::read("DataType=1,SN=T2\n"), PollAnswer::Misread);
}

/// Verbs that look plausible and that firmware does not know keep their words and are told apart.
#[test]
fn an_invented_verb_is_not_known() {
    for (line, verb, detail) in [
        ("C:1:USER ADD PIN=1\tName=a\n", "USER ADD", "PIN=1\tName=a"),
        ("C:1:POWEROFF\n", "POWEROFF", ""),
        ("C:1:Frobnicate x\n", "Frobnicate", "x"),
        ("C:1:CLEAR EVERYTHING\n", "CLEAR EVERYTHING", ""),
    ] {
        let command = only(line);
        assert_eq!((command.verb, command.detail, command.is_known()), (verb, detail, false));
    }
    // Case does not matter to firmware, and a verb is whole words.
    assert!(only("C:1:clear log\n").is_known() && only("C:1:LOG\n").is_known());
    assert!(!only("C:1:LOGS\n").is_known());
}

/// Every pair of HHMM values of a day packs and unpacks.
#[test]
fn an_interval_reads_back() {
    let clock = |minute: u16| (u8::try_from(minute / 60).unwrap(), u8::try_from(minute % 60).unwrap());
    for start in 0..=1440 {
        let (start, end) = (clock(start), clock(1440 - start));
        let interval = TimeInterval::of(start, end).unwrap();
        assert_eq!((interval.start(), interval.end()), (Some(start), Some(end)));
    }
    for wrong in [(24, 1), (25, 0), (0, 60)] {
        assert_eq!(TimeInterval::of((0, 0), wrong), None);
        assert_eq!(TimeInterval::of(wrong, (0, 0)), None);
    }
    assert_eq!(TimeInterval(65_535).end(), None);
}

/// C03, O20: a name is in the terminal's encoding, and no byte of it ends a pair or a command.
#[test]
fn a_name_in_the_code_page_of_the_terminal_is_read() {
    let body = b"C:1:DATA UPDATE USERINFO PIN=12\tName=\xd5\xc5\xc8\xfd\tPri=0\n";
    let text = PollAnswer::text(body);
    let command = only(&text);
    assert_eq!(command.pairs().collect::<Vec<_>>(), [("PIN", "12"), ("Name", "\u{5f20}\u{4e09}"), ("Pri", "0")]);
    assert_eq!(PollAnswer::text("C:1:INFO ñ\n".as_bytes()), "C:1:INFO ñ\n");
}
