//! What `punch.toml` says of terminals, sites and shifts: who goes before whom, and which rules cannot work.

use gateway::config::{Config, ConfigErrors, DeviceConfig, Profile, parse_span, read_shifts};
use gateway::core::{Bound, Periods, Scope};
use punch_normalize::timeline::{
    BounceRules, BounceScope, BusinessDay, Closing, DirectionRule, Role, Schedule, SinglePunch, StateChange,
    TimelineRules,
};
use punch_normalize::{ClockPolicy, Direction};

use crate::harness::Site;

fn parse(text: &str) -> Config {
    Config::parse(text).unwrap_or_else(|errors| panic!("{errors}"))
}

fn errors_of(text: &str) -> Vec<(String, String)> {
    let ConfigErrors(errors) = Config::parse(text).expect_err("nothing was wrong");
    errors.into_iter().map(|error| (error.key, error.problem)).collect()
}

/// Every key that a terminal, a site and the defaults have in common, with a value that is not the default.
const COMMON: &str = r#"
    zone = "America/Lima"
    window_seconds = 30
    scope = "employee"
    sliding_window = true
    cross_role = true
    state_change = "last_wins"
    rule = "first-last"
    max_shift_hours = 10
    longest_shift_hours = 9
    shift_gap_hours = 3
    day_start = "12:00"
    business_day = "most_time"
    infer = false
    repair_wrong_keys = true
    single = "midpoint"
    missing_out = "after 10h"
    clock = "adjust_wrong"
    go_live = 2026-03-02
    retention_days = 400
    backfill = true
    closed_through = "2026-02-28"
    close_after_days = 5
"#;

fn check_common(profile: &Profile) {
    let hours = chrono::TimeDelta::hours;
    let expected = TimelineRules {
        direction: DirectionRule::FirstLast,
        bounce: BounceRules {
            window: chrono::TimeDelta::seconds(30),
            scope: BounceScope::Employee,
            sliding: true,
            cross_role: true,
            state_change: StateChange::LastWins,
        },
        max_shift: hours(10),
        shift_gap: hours(3),
        day_start: "12:00:00".parse().unwrap(),
        business_day: BusinessDay::MostTime,
        infer: false,
        wrong_key_repair: true,
        single: SinglePunch::Midpoint,
        schedule: Schedule::default(),
        closing: Closing::Cap(hours(10)),
    };
    assert_eq!(profile.rules, expected);
    assert_eq!((profile.zone.to_string().as_str(), profile.clock), ("America/Lima", ClockPolicy::AdjustWrong));
    assert_eq!(profile.longest_shift, Some(hours(9)));
    let periods = Periods {
        go_live: "2026-03-02".parse().ok(),
        retention_days: Some(400),
        backfill: true,
        closed_through: "2026-02-28".parse().ok(),
        close_after_days: Some(5),
    };
    assert_eq!(profile.periods, periods);
}

/// Said once, anywhere, it is so at the terminal; said by none, it is the default.
#[test]
fn every_key_can_be_said_of_all_of_a_site_and_of_a_terminal() {
    let device = "[[device]]\nserial = \"T1\"\nsite = \"Plant\"\n";
    check_common(&parse(&format!("[defaults]{COMMON}{device}")).devices[0].profile);
    check_common(&parse(&format!("[[site]]\nname = \"Plant\"{COMMON}{device}")).devices[0].profile);
    check_common(&parse(&format!("{device}{COMMON}")).devices[0].profile);
    check_common(&parse(&format!("[defaults]{COMMON}")).defaults.profile);
    let plain = &parse(device).devices[0].profile;
    assert_eq!(
        (&plain.rules, plain.clock, plain.periods),
        (&TimelineRules::default(), ClockPolicy::Flag, Periods::default())
    );
    assert_eq!((plain.zone.to_string().as_str(), plain.longest_shift), ("UTC", None));
}

#[test]
fn a_terminal_goes_before_its_site_and_that_before_the_defaults() {
    let config = parse(
        r#"
        [defaults]
        zone = "+01:00"
        window_seconds = 1
        site = "Plant"
        close_after_days = 3
        [[site]]
        name = "Plant"
        zone = "+02:00"
        window_seconds = 2
        [[site]]
        name = "Office"
        window_seconds = 3
        close_after_days = 0
        [[device]]
        serial = "A"
        [[device]]
        serial = "B"
        zone = "+03:00"
        [[device]]
        serial = "C"
        site = "Office"
        [[device]]
        serial = "D"
        site = "a site without settings"
        "#,
    );
    let told = |DeviceConfig { site, profile, .. }: &DeviceConfig| {
        let seconds = profile.rules.bounce.window.num_seconds();
        (site.clone(), profile.zone.to_string(), seconds, profile.periods.close_after_days)
    };
    let expected = |site: &str, zone: &str, seconds, days| (site.to_owned(), zone.to_owned(), seconds, days);
    let told: Vec<_> = config.devices.iter().map(told).collect();
    assert_eq!(
        told,
        [
            expected("Plant", "+02:00", 2, Some(3)),
            expected("Plant", "+03:00", 2, Some(3)),
            expected("Office", "+01:00", 3, None),
            expected("a site without settings", "+01:00", 1, Some(3)),
        ]
    );
    // A terminal that somebody approves over the API is at the site of the defaults.
    let later = config.defaults.device(config.devices[0].serial.clone(), None);
    assert_eq!((later.site.as_str(), later.profile.zone.to_string().as_str()), ("Plant", "+02:00"));
    assert_eq!(config.sites.iter().map(|site| site.name.as_str()).collect::<Vec<_>>(), ["Plant", "Office"]);
}

/// 6.1: twelve hours on and twelve off cannot go by alternation alone.
#[test]
fn rules_that_never_heal_are_refused_with_a_cure() {
    let device = |more: &str| format!("[[device]]\nserial = \"A\"\nsite = \"Plant\"\n{more}\n");
    let twelve = "longest_shift_hours = 12\n";
    let refused = |text: &str, key: &str| {
        let errors = errors_of(text);
        let [(at, problem)] = errors.as_slice() else { panic!("{text}: {errors:?}") };
        assert_eq!(at, key, "{text}");
        for word in ["14 h", "12 h off duty", "`role`", "`[[shift]]`", "`infer = false`"] {
            assert!(problem.contains(word), "{problem}");
        }
    };
    refused(&format!("[defaults]\n{twelve}"), "defaults.max_shift_hours");
    refused(&format!("[defaults]\n{twelve}{}", device("")), "defaults.max_shift_hours");
    refused(&format!("[[site]]\nname = \"Plant\"\n{twelve}{}", device("")), "site[1].max_shift_hours");
    refused(&device(twelve), "device[1].max_shift_hours");
    refused(&format!("[defaults]\nrule = \"alternate\"\n{}", device(twelve)), "device[1].max_shift_hours");
    // One without a role is enough, and each place is told of once.
    let mixed = format!("[defaults]\n{twelve}{}{}", device("role = \"entry\""), device("").replace("\"A\"", "\"B\""));
    refused(&mixed, "defaults.max_shift_hours");
    refused(&format!("{mixed}{}", device("").replace("\"A\"", "\"C\"")), "defaults.max_shift_hours");

    let roles = [device("role = \"entry\""), device("role = \"exit\"").replace("\"A\"", "\"B\"")].concat();
    let night = "[[shift]]\nstart = \"18:00\"\nend = \"06:00\"\n";
    for fine in [
        format!("[defaults]\n{twelve}{roles}"),
        format!("[defaults]\n{twelve}infer = false\n{}", device("")),
        format!("[defaults]\n{twelve}max_shift_hours = 11\n{}", device("")),
        format!("[defaults]\n{twelve}rule = \"first-last\"\n{}", device("")),
        format!("[defaults]\n{twelve}rule = \"schedule\"\n{}{night}", device("")),
        format!("[defaults]\nlongest_shift_hours = 9\n{}", device("")),
        device("longest_shift_hours = 9"),
        // Only of a site that nobody is at.
        format!("[[site]]\nname = \"Empty\"\n{twelve}{}", device("")),
    ] {
        parse(&fine);
    }
    // Without a word of the longest one it is the longest of the shifts.
    refused(&format!("{night}{}", device("")), "defaults.max_shift_hours");
    parse(&format!("[defaults]\nlongest_shift_hours = 9\n{night}{}", device("")));
    parse(&format!("{}{}", night.replace("18:00", "21:00"), device("")));
}

#[test]
fn schedules_need_a_shift() {
    for (text, key) in [
        ("[defaults]\nrule = \"schedule\"\n", "defaults.rule"),
        ("[[site]]\nname = \"Plant\"\nrule = \"schedule\"\n", "site[1].rule"),
        ("[[device]]\nserial = \"A\"\nrole = \"exit\"\nrule = \"schedule\"\n", "device[1].rule"),
    ] {
        let errors = errors_of(text);
        assert!(
            matches!(errors.as_slice(), [(at, problem)] if at == key && problem.contains("[[shift]]")),
            "{errors:?}"
        );
        assert_eq!(
            parse(&format!("{text}[[shift]]\nstart = \"08:00\"\nend = \"17:00\"\n")).shifts.of("7", &[]).default.len(),
            1
        );
    }
}

const SHIFTS: &str = r#"
    [[shift]]
    name = "night"
    start = "22:00"
    end = "06:00"
    before = "90m"
    after = "1h30m"
    days = ["mon", "Tuesday"]
    from = "2026-03-02"
    to = 2026-03-31
    [[shift]]
    name = "night"
    start = "20:00"
    end = "04:00"
    days = ["sat"]
    [[shift]]
    name = "early"
    start = "06:00"
    end = "14:00"
    people = ["9"]
    [[shift]]
    name = "late"
    start = "14:00"
    end = "22:00"
    people = ["9"]
    default = true
    [[shift]]
    name = "office"
    start = "08:00"
    end = "17:00"
    [[shift]]
    name = "kept for later"
    start = "01:00"
    end = "02:00"
    default = false
"#;

/// The names of the shifts that are a person's own, and of those of everybody.
fn names(schedule: &Schedule) -> [Vec<&str>; 2] {
    [&schedule.assigned, &schedule.default]
        .map(|patterns| patterns.iter().map(|pattern| pattern.name.as_str()).collect())
}

#[test]
fn a_shift_is_of_those_it_names_of_those_who_name_it_and_else_of_everybody() {
    let config =
        parse(&format!("[defaults]\nrule = \"schedule\"\n{SHIFTS}[[employee]]\nbadge = \"7\"\nshifts = [\"night\"]"));
    let everybody = vec!["late", "office"];
    let of = |person: &str, named: &[String]| config.shifts.of(person, named);
    assert_eq!(names(&of("7", &config.employees[0].shifts)), [vec!["night", "night"], everybody.clone()]);
    assert_eq!(names(&of("9", &[])), [vec!["early", "late"], everybody.clone()]);
    assert_eq!(names(&of("9", &["office".to_owned()])), [vec!["early", "late", "office"], everybody.clone()]);
    assert_eq!(names(&of("8", &[])), [vec![], everybody]);
    // The same file without people is what `punch normalize --schedule` reads.
    let alone = read_shifts(SHIFTS).unwrap();
    assert_eq!(names(&alone.of("8", &[]))[1], ["night", "night", "late", "office"], "nobody names the night here");
    assert_eq!(alone.longest(), Some(chrono::TimeDelta::hours(9)));

    let pattern = &of("7", &config.employees[0].shifts).assigned[0];
    assert_eq!((pattern.before.num_minutes(), pattern.after.num_minutes()), (90, 90));
    assert_eq!((pattern.from, pattern.to), ("2026-03-02".parse().ok(), "2026-03-31".parse().ok()));
    let schedule = of("7", &config.employees[0].shifts);
    let at = |text: &str| schedule.window(text.parse().unwrap()).map(|window| window.direction);
    assert_eq!(at("2026-03-02T21:50:00"), Some(Direction::In), "a Monday");
    assert_eq!(at("2026-03-03T06:10:00"), Some(Direction::Out));
    assert_eq!(at("2026-03-04T21:50:00"), None, "a Wednesday");
    assert_eq!(at("2026-03-07T19:50:00"), Some(Direction::In), "a Saturday, two hours before by default");
}

#[test]
fn everything_that_is_wrong_with_shifts_is_told() {
    let errors = errors_of(
        r#"
        [defaults]
        longest_shift_hours = 8
        [[shift]]
        start = "25:00"
        before = "soon"
        after = 2
        days = ["lunes"]
        from = "2026-03-02"
        to = "2026-03-01"
        default = "yes"
        hours = 8
        [[shift]]
        name = "night"
        start = "22:00"
        end = "06:00"
        days = []
        people = ["7"]
        [[employee]]
        badge = "7"
        id = "ada"
        shifts = ["nigth"]
        "#,
    );
    let expected = [
        ("shift[1].start", "`22:00`"),
        ("shift[1].end", "missing"),
        ("shift[1].before", "is `soon`, expected a time such as"),
        ("shift[1].after", "expected text in quotes"),
        ("shift[1].days", "`lunes` is no day"),
        ("shift[1].to", "before `from`"),
        ("shift[1].default", "expected true or false"),
        ("shift[1].hours", "unknown key"),
        ("shift[2].days", "names no day"),
        ("employee[1].shifts", "`nigth` is the `name` of no `[[shift]]`, expected some of: night"),
        ("shift.people", "name the `id`"),
    ];
    for (key, text) in expected {
        assert!(errors.iter().any(|(at, problem)| at == key && problem.contains(text)), "{key}: {errors:#?}");
    }
    assert_eq!(errors.len(), expected.len(), "{errors:#?}");
    assert!(read_shifts("").unwrap_err().to_string().contains("missing"));
}

#[test]
fn spans_of_time_are_read_as_people_write_them() {
    for (text, seconds) in
        [("0", 0), ("90", 90), ("90s", 90), ("2m", 120), ("14h", 50_400), ("1h30m", 5400), ("1d", 86_400)]
    {
        assert_eq!(parse_span(text).map(|span| span.num_seconds()), Ok(seconds), "{text}");
    }
    for text in ["", "h", "soon", "1x", "-1", "1.5h", "1h ", "99999999999999999999", "9223372036854775807d"] {
        assert!(parse_span(text).is_err(), "{text}");
    }
}

#[test]
fn people_have_pins_at_places_and_for_a_time() {
    let config = parse(
        r#"
        [[employee]]
        badge = "7"
        id = "ada"
        name = "Ada"
        aliases = ["A-77b", " 8 "]
        device = "T1"
        valid_from = 2026-03-02
        valid_to = "2026-04-01T06:00:00-06:00"
        [[employee]]
        badge = "7"
        site = "Plant"
        [[site]]
        name = "Plant"
        [[device]]
        serial = "T1"
        site = "Plant"
        "#,
    );
    let told: Vec<_> = config.employees.iter().map(|one| (one.pin.to_text().into_owned(), one.person())).collect();
    let ada = |pin: &str| (pin.to_owned(), "ada".to_owned());
    assert_eq!(told, [ada("7"), ada("A-77b"), ada("8"), ("7".to_owned(), "7".to_owned())]);
    let [first, .., last] = config.employees.as_slice() else { panic!("four of them") };
    assert_eq!(
        (first.scope.clone(), last.scope.clone()),
        (Scope::Device(config.devices[0].serial.clone()), Scope::Site("Plant".to_owned()))
    );
    assert!(matches!((first.validity.from, first.validity.to), (Some(Bound::Date(_)), Some(Bound::Instant(_)))));
    assert!(config.employees[..3].iter().all(|one| one.name.as_deref() == Some("Ada")));
    // Two who would both be called by the PIN.
    let errors = errors_of("[[employee]]\nbadge = \"7\"\nsite = \"A\"\n[[employee]]\nbadge = \"7\"\nsite = \"B\"\n");
    assert!(
        matches!(errors.as_slice(), [(key, text)] if key == "employee.badge" && text.contains("entry 2 has the badge of entry 1") && text.contains("`id`")),
        "{errors:?}"
    );
}

#[test]
fn what_is_hardly_meant_is_a_warning() {
    let device = |serial: &str, site: &str, more: &str| {
        format!("[[device]]\nserial = \"{serial}\"\nsite = \"{site}\"\n{more}\n")
    };
    let quiet = [
        device("A", "Plant", ""),
        device("B", "Plant", "zone = \"+02:00\"\nrole = \"exit\""),
        device("C", "Office", "rule = \"alternate\""),
    ];
    assert_eq!(parse(&quiet.concat()).warnings(), []);
    let loud = [
        device("A", "Plant", ""),
        device("B", "Plant", "rule = \"alternate\"\nscope = \"site\"\nmax_shift_hours = 10"),
    ];
    let person = "[[employee]]\nbadge = \"7\"\nsite = \"Plnat\"\n";
    let warnings = parse(&[&loud.concat(), person].concat()).warnings();
    let told: Vec<(&str, &str)> =
        warnings.iter().map(|warning| (warning.key.as_str(), warning.problem.as_str())).collect();
    assert_eq!(
        told,
        [
            (
                "device[2]",
                "has another `rule`, `scope`, `max_shift_hours` than A at the same site; whoever uses both needs the same at both"
            ),
            ("employee.site", "`Plnat` is the `site` of no terminal, so nobody is found by it; see how it is spelt"),
        ]
    );
    assert_eq!(parse(&device("A", "Plant", "role = \"entry\"")).devices[0].role, Some(Role::Entry));
}

#[test]
fn what_stands_for_a_missing_departure_reads_in_four_forms() {
    let read = |text: &str| parse(&format!("[defaults]\nmissing_out = \"{text}\"\n")).defaults.profile.rules.closing;
    assert_eq!(read("none"), Closing::None);
    assert_eq!(read("shift_end"), Closing::ShiftEnd);
    assert_eq!(read("at 18:00"), Closing::Fixed("18:00:00".parse().unwrap()));
    let wrong = errors_of("[defaults]\nmissing_out = \"18:00\"\n");
    let text = "is `18:00`, expected none, shift_end, `after 10h` or `at 18:00`";
    assert_eq!(wrong, [("defaults.missing_out".to_owned(), text.to_owned())]);
}

/// S2-067: the words of the file reach the rows, of a terminal and of a site.
#[tokio::test]
async fn what_is_said_of_a_site_is_so_at_its_terminals() {
    let text = "[[site]]\nname = \"Plant\"\nzone = \"-06:00\"\nscope = \"site\"\nrule = \"first-last\"\n\
                [[device]]\nserial = \"A\"\nsite = \"Plant\"\n[[device]]\nserial = \"B\"\nsite = \"Plant\"\n\
                [[device]]\nserial = \"C\"\nsite = \"Office\"\n";
    let devices = parse(text).devices;
    let site = Site::start(|config| config.devices = devices).await;
    for (serial, time) in [("A", "08:00:00"), ("B", "08:00:30"), ("B", "12:00:00"), ("A", "18:00:00")] {
        let row = format!("7\t2026-03-02 {time}\t255\t1\n");
        assert_eq!(site.upload(serial, "ATTLOG", row).await.body, "OK: 1");
    }
    assert_eq!(site.fates().await, ["delivered", "suppressed", "delivered", "delivered"]);
    let told =
        site.ask_all("SELECT direction || ' ' || punched_at FROM row WHERE fate = 'delivered' ORDER BY punched_at");
    assert_eq!(told.await, ["in 1772460000", "intermediate 1772474400", "out 1772496000"]);
    for time in ["08:00:00", "12:00:00"] {
        site.upload("C", "ATTLOG", format!("8\t2026-03-02 {time}\t255\t1\n")).await;
    }
    let elsewhere =
        site.ask_all("SELECT direction || ' ' || punched_at FROM row WHERE serial = 'C' ORDER BY punched_at");
    assert_eq!(elsewhere.await, ["in 1772438400", "out 1772452800"], "another site goes by the defaults");
}
