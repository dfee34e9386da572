//! Commands on their way: at least once, at most once, in order, within limits.

use alloc::collections::BTreeMap;

use chrono::{DateTime, TimeDelta, Utc};
use proptest::prelude::*;
use punch_protocol::SerialNumber;
use punch_protocol::push::{
    Command, CommandChange, CommandError, CommandId, CommandLimits, CommandResults, CommandState, Dangerous,
    DataRecord, DataTable, Dispatch, Limits, Parts, PollAnswer, Request, ReturnCode, Session, Settings, TextEncoding,
    Ticket, Turn, UserRecord,
};

use crate::random::{Random, at};

fn session_with(change: impl FnOnce(&mut Settings)) -> Session {
    let mut settings = Settings::default();
    change(&mut settings);
    Session::approved(SerialNumber::parse("T1").unwrap(), settings)
}

fn session() -> Session {
    session_with(|_| {})
}

fn poll(session: &mut Session, now: DateTime<Utc>) -> Option<Dispatch> {
    let parts = Parts::new("GET", "/iclock/getrequest", "SN=T1", b"");
    let (_, request) = Request::parse(parts, &Limits::default()).unwrap();
    match session.handle(&request, now) {
        Turn::Dispatch(dispatch) => Some(dispatch),
        Turn::Reply(reply) => {
            assert_eq!((reply.status(), reply.body()), (200, &b"OK"[..]));
            None
        }
        other => panic!("{other:?}"),
    }
}

/// The ids that a poll brings, after they were written down.
fn sent(session: &mut Session, now: DateTime<Utc>) -> Vec<String> {
    poll(session, now).map_or_else(Vec::new, |dispatch| {
        let ids: Vec<String> = dispatch.commands().iter().map(ToString::to_string).collect();
        let reply = dispatch.recorded();
        let body = core::str::from_utf8(reply.body()).unwrap();
        let PollAnswer::Commands(commands) = PollAnswer::read(body) else { panic!("{body}") };
        assert_eq!(commands.iter().map(|command| command.id).collect::<Vec<_>>(), ids);
        assert!(body.ends_with('\n'), "firmware acts on a command when it meets its end");
        ids
    })
}

fn submit(session: &mut Session, id: &str, command: Command, now: DateTime<Utc>) {
    session.submit(Ticket::new(CommandId::parse(id).unwrap(), command, now)).unwrap();
}

fn settle(session: &mut Session, body: &str) -> Vec<CommandChange> {
    let updates = session.outcomes(&CommandResults::new(body.as_bytes()));
    session.settled(&updates);
    updates.into_iter().map(|update| update.change).collect()
}

fn user(pin: &str) -> Command {
    Command::update_user(UserRecord::new(pin).unwrap())
}

fn door() -> Command {
    Command::open_door(1, 5).unwrap()
}

#[test]
fn a_command_is_sent_answered_and_forgotten() {
    let mut session = session();
    submit(&mut session, "1", user("7"), at(0));
    submit(&mut session, "2", Command::information(), at(0));
    assert_eq!(sent(&mut session, at(1)), ["1", "2"]);
    let state = session.commands().tickets().next().unwrap().state;
    assert_eq!(state, CommandState::Sent { at: at(1), times: 1 });
    let updates = settle(&mut session, "ID=1&Return=0&CMD=DATA\nID=2&Return=-1002&CMD=INFO\n");
    assert_eq!(
        updates,
        [CommandChange::Succeeded { code: ReturnCode(0) }, CommandChange::Failed { code: ReturnCode(-1002) }]
    );
    assert_eq!(session.commands().tickets().count(), 0);
    // Firmware posts its results again until it has read the OK.
    assert_eq!(
        settle(&mut session, "ID=1&Return=0&CMD=DATA\n"),
        [CommandChange::Unattributed { code: Some(ReturnCode(0)) }]
    );
    assert!(sent(&mut session, at(3600)).is_empty());
}

/// A door opens once or not at all, whatever gets lost.
#[test]
fn what_must_not_be_repeated_is_sent_once() {
    for command in [door(), Command::restart(), Command::dangerous(Dangerous::ClearPunches).unwrap()] {
        let mut session = session();
        submit(&mut session, "1", command, at(0));
        assert_eq!(sent(&mut session, at(1)), ["1"]);
        for second in [2, 61, 3600] {
            assert!(sent(&mut session, at(second)).is_empty());
        }
        let overdue = session.overdue(at(3600));
        assert_eq!(overdue.iter().map(|update| update.change).collect::<Vec<_>>(), [CommandChange::Unknown]);
        session.settled(&overdue);
        assert_eq!(session.commands().tickets().count(), 0);
    }
}

#[test]
fn a_door_does_not_open_late() {
    let mut session = session();
    submit(&mut session, "1", door(), at(0));
    assert_eq!(session.commands().poll_timeout(), Some(at(60)));
    assert!(session.overdue(at(59)).is_empty());
    assert!(sent(&mut session, at(60)).is_empty());
    let changes: Vec<_> = session.overdue(at(60)).into_iter().map(|update| update.change).collect();
    assert_eq!(changes, [CommandChange::Expired]);
}

/// A repetition must not undo what came after it, so nothing repeatable overtakes it.
#[test]
fn order_survives_a_lost_answer() {
    let mut session = session();
    submit(&mut session, "1", user("7"), at(0));
    assert_eq!(sent(&mut session, at(0)), ["1"]);
    submit(&mut session, "2", Command::delete_user("7").unwrap(), at(1));
    submit(&mut session, "3", door(), at(1));
    assert_eq!(sent(&mut session, at(2)), ["3"], "a person at the door does not wait for a user record");
    assert!(sent(&mut session, at(59)).is_empty());
    assert_eq!(sent(&mut session, at(60)), ["1", "2"]);
}

#[test]
fn a_new_connection_repeats_what_may_be_repeated() {
    let mut session = session();
    submit(&mut session, "1", user("7"), at(0));
    submit(&mut session, "2", door(), at(0));
    assert_eq!(sent(&mut session, at(0)), ["1", "2"]);
    let parts = Parts::new("GET", "/iclock/cdata", "SN=T1&options=all", b"");
    let (_, request) = Request::parse(parts, &Limits::default()).unwrap();
    assert!(matches!(session.handle(&request, at(1)), Turn::Reply(_)));
    assert_eq!(sent(&mut session, at(2)), ["1"]);
}

#[test]
fn what_could_not_be_written_down_goes_out_another_time() {
    let mut session = session();
    submit(&mut session, "1", door(), at(0));
    let dispatch = poll(&mut session, at(1)).unwrap();
    assert_eq!(session.withhold(dispatch).body(), b"OK");
    assert_eq!(sent(&mut session, at(2)), ["1"]);
}

/// -5000: a master controller answers twice.
#[test]
fn a_promise_is_not_a_result() {
    let mut session = session();
    submit(&mut session, "295", user("7"), at(0));
    assert_eq!(sent(&mut session, at(0)), ["295"]);
    assert_eq!(settle(&mut session, "ID=295&SN=SUB1&Return=-5000&CMD=DATA UPDATE\n"), [CommandChange::Accepted]);
    assert!(sent(&mut session, at(3600)).is_empty(), "it is on its way");
    assert_eq!(
        settle(&mut session, "ID=295&SN=SUB1&Return=0&CMD=DATA UPDATE\n"),
        [CommandChange::Succeeded { code: ReturnCode(0) }]
    );
}

/// D11: a result without a number says nothing, and D17: a shell's output is no result.
#[test]
fn a_result_that_says_nothing_is_unknown() {
    let mut session = session();
    submit(&mut session, "9", user("7"), at(0));
    submit(&mut session, "1", user("8"), at(0));
    sent(&mut session, at(0));
    assert_eq!(settle(&mut session, "ID=70\nReturn=0\nCMD=Shell\nContent=ID=1&Return=0&CMD=DATA\n").len(), 1);
    assert_eq!(settle(&mut session, "ID=9&CMD=DATA\n"), [CommandChange::Unknown]);
    assert_eq!(session.commands().tickets().map(|ticket| ticket.id.as_str()).collect::<Vec<_>>(), ["1"]);
}

#[test]
fn one_answer_has_its_limits() {
    let mut session = session();
    for number in 0..450 {
        submit(&mut session, &format!("n{number}"), user("7"), at(0));
    }
    let first = sent(&mut session, at(0));
    assert_eq!((first.len(), first[199].as_str()), (200, "n199"));
    settle(&mut session, &first.iter().map(|id| format!("ID={id}&Return=0&CMD=DATA\n")).collect::<String>());
    assert_eq!(sent(&mut session, at(1))[0], "n200");

    let bytes = "C:1:DATA UPDATE USERINFO PIN=7\n".len();
    let limited = |reply_bytes| {
        let mut session = session_with(|settings| {
            settings.command_limits = CommandLimits { reply_bytes, waiting: 2, ..CommandLimits::default() };
        });
        submit(&mut session, "1", user("7"), at(0));
        submit(&mut session, "2", user("7"), at(0));
        session
    };
    assert_eq!(sent(&mut limited(2 * bytes), at(0)), ["1", "2"]);
    assert_eq!(sent(&mut limited(2 * bytes - 1), at(0)), ["1"]);
    let mut tight = limited(bytes - 1);
    assert!(sent(&mut tight, at(0)).is_empty());
    let error = CommandError::TooLong { len: bytes, limit: bytes - 1 };
    assert!(tight.overdue(at(0)).iter().all(|update| update.change == CommandChange::Refused(error)));
    let more = Ticket::new(CommandId::parse("3").unwrap(), user("7"), at(0));
    assert_eq!(tight.submit(more), Err(CommandError::QueueFull { limit: 2 }));
}

/// Firmware drops what an answer holds behind a restart.
#[test]
fn nothing_is_sent_behind_a_restart() {
    let mut session = session();
    submit(&mut session, "1", user("7"), at(0));
    submit(&mut session, "2", Command::restart(), at(0));
    submit(&mut session, "3", door(), at(0));
    assert_eq!(sent(&mut session, at(0)), ["1", "2"]);
    assert_eq!(sent(&mut session, at(1)), ["3"]);
}

#[test]
fn what_the_dialect_lacks_is_refused_and_costs_no_neighbour() {
    let mut session = session();
    submit(&mut session, "1", Command::set_clock(at(0).naive_utc()), at(0));
    submit(&mut session, "2", user("7"), at(0));
    assert_eq!(sent(&mut session, at(0)), ["2"]);
    let overdue = session.overdue(at(0));
    assert!(matches!(overdue[0].change, CommandChange::Refused(CommandError::Unsupported { .. })), "{overdue:?}");
    session.settled(&overdue);
    assert_eq!(session.commands().tickets().count(), 1);
}

#[test]
fn an_id_waits_once_and_can_be_taken_back_before_it_is_sent() {
    let mut session = session();
    submit(&mut session, "1", user("7"), at(0));
    let id = CommandId::parse("1").unwrap();
    assert_eq!(session.submit(Ticket::new(id.clone(), door(), at(0))), Err(CommandError::DuplicateId));
    assert!(session.cancel(&id).is_some());
    submit(&mut session, "1", user("7"), at(0));
    sent(&mut session, at(0));
    assert!(session.cancel(&id).is_none());
}

/// Names go out in the terminal's code page, and one that it lacks is refused, never replaced.
#[test]
fn names_are_written_in_the_terminals_code_page() {
    let named = |name: &str, encoding: TextEncoding| {
        let mut session = session_with(|settings| settings.encoding = encoding);
        let mut user = UserRecord::new("12").unwrap();
        user.set_name(name).unwrap();
        submit(&mut session, "1", Command::update_user(user), at(0));
        let sent = poll(&mut session, at(0)).map(|dispatch| dispatch.recorded().body().to_vec());
        (sent.unwrap_or_default(), session.overdue(at(0)))
    };
    let (chinese, _) = named("张三", TextEncoding::GB18030);
    assert_eq!(chinese, b"C:1:DATA UPDATE USERINFO PIN=12\tName=\xd5\xc5\xc8\xfd\n");
    let arabic = TextEncoding::for_label("windows-1256").unwrap();
    assert_eq!(named("علي", arabic).0, b"C:1:DATA UPDATE USERINFO PIN=12\tName=\xda\xe1\xed\n");
    let (sent, overdue) = named("张三", arabic);
    assert!(sent.is_empty());
    assert!(matches!(
        overdue[0].change,
        CommandChange::Refused(CommandError::Unencodable { encoding: "windows-1256", .. })
    ));
}

#[test]
fn nothing_of_a_command_is_shown() {
    let mut canary = UserRecord::new("canary").unwrap();
    canary.set_name("canary").unwrap();
    canary.set_password("314159265").unwrap();
    let record = DataRecord::new().with("NAME", "canary").unwrap();
    let commands = [
        Command::update_user(canary),
        Command::delete_user("canary").unwrap(),
        Command::update(DataTable::WORKCODE, vec![record]),
        Command::dangerous(Dangerous::Shell("canary".to_owned())).unwrap(),
    ];
    let mut session = session();
    for (number, command) in (0..).zip(commands) {
        submit(&mut session, &format!("{number}"), command, at(0));
    }
    let shown = format!("{session:?}");
    let dispatch = format!("{:?}", poll(&mut session, at(0)).unwrap());
    for text in [shown, dispatch] {
        assert!(!text.contains("canary") && !text.contains("314159265") && !text.contains("99, 97, 110"), "{text}");
    }
}

/// A terminal, a network that loses answers both ways, and a server whose store fails: every repeatable command is
/// executed, none that must not be repeated is executed twice, and repeatable ones end in the order they were given.
fn live(seed: u64) -> (u32, u32) {
    let mut random = Random::new(seed);
    let few = CommandLimits { per_reply: 5, ..CommandLimits::default() };
    let mut session = session_with(|settings| settings.command_limits = few);
    let mut now = at(0);
    let mut once = BTreeMap::new();
    for number in 0..60_u64 {
        let repeatable = random.chance(70);
        let command = if repeatable { user("7") } else { Command::dangerous(Dangerous::ClearPhotos).unwrap() };
        once.insert(number.to_string(), !repeatable);
        let ticket = Ticket::new(CommandId::parse(&number.to_string()).unwrap(), command, now);
        session.submit(ticket.until(now + TimeDelta::hours(30))).unwrap();
    }
    let mut executed: Vec<String> = Vec::new();
    let mut unposted = String::new();
    let (mut lost, mut repeated) = (0, 0);
    for _ in 0..1000 {
        now += TimeDelta::seconds(i64::try_from(1 + random.below(40)).unwrap());
        if let Some(dispatch) = poll(&mut session, now) {
            if random.chance(10) {
                session.withhold(dispatch);
                continue;
            }
            let reply = dispatch.recorded();
            if random.chance(25) {
                lost += 1;
                continue;
            }
            let PollAnswer::Commands(commands) = PollAnswer::read(core::str::from_utf8(reply.body()).unwrap()) else {
                panic!()
            };
            for command in commands {
                repeated += u32::from(executed.iter().any(|id| id == command.id));
                executed.push(command.id.to_owned());
                unposted.push_str(&format!("ID={}&Return=0&CMD={}\n", command.id, command.verb));
            }
        }
        // Results are posted until they are acknowledged, the whole file of them.
        if !unposted.is_empty() && random.chance(60) {
            settle(&mut session, &unposted);
            if random.chance(70) {
                unposted.clear();
            }
        }
    }
    for (id, once) in &once {
        let times = executed.iter().filter(|executed| *executed == id).count();
        assert!(if *once { times <= 1 } else { times >= 1 }, "seed {seed}: {id} was executed {times} times");
    }
    let last = |id: &String| executed.iter().rposition(|executed| executed == id);
    let finals: Vec<_> = (0..60_u64).map(|n| n.to_string()).filter(|id| !once[id]).map(|id| last(&id)).collect();
    assert!(finals.is_sorted(), "seed {seed}: a repetition undid what came after it: {finals:?}");
    (lost, repeated)
}

#[test]
fn commands_survive_a_bad_network() {
    let (mut lost, mut repeated) = (0, 0);
    for seed in 0..100 {
        let (l, r) = live(seed);
        lost += l;
        repeated += r;
    }
    assert!(lost > 300 && repeated > 150, "{lost} answers lost, {repeated} repetitions: nothing was put to the test");
}

proptest! {
    /// Whatever a terminal posts as a result, nothing panics, and no ticket vanishes but by its own id.
    #[test]
    fn strange_results_settle_nothing_else(body in "(ID=[0-9a]{0,3}|Return=-?[0-9]{0,6}|CMD=[A-Z ]{0,6}|&|\n|\t|Content=){0,24}") {
        let mut session = session();
        for id in ["1", "2", "a"] {
            submit(&mut session, id, user("7"), at(0));
        }
        let updates = session.outcomes(&CommandResults::new(body.as_bytes()));
        session.settled(&updates);
        for id in ["1", "2", "a"] {
            let waits = session.commands().tickets().any(|ticket| ticket.id.as_str() == id);
            let named = updates.iter().any(|update| update.id == id && update.change.is_final());
            prop_assert_eq!(waits, !named);
        }
    }
}
