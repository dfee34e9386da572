//! `punch.toml`: everything that is wrong is said at once, with a cure, and without a secret.

use gateway::config::{Config, ConfigErrors, DeviceConfig, Profile, UnknownBadges};
use punch_normalize::timeline::{DirectionRule, Role};
use punch_protocol::Pin;

fn errors_of(text: &str) -> Vec<(String, String)> {
    let ConfigErrors(errors) = Config::parse(text).expect_err("nothing was wrong");
    errors.into_iter().map(|error| (error.key, error.problem)).collect()
}

/// A file with an error in every place that can have one.
const WRONG: &str = r#"
        stor = "sqlite:punch.sqlite"
        api_key = 7
        unknown_badges = "keep"
        max_body_bytes = 12

        [listen]
        device = "everywhere"
        api = 8080

        [defaults]
        zone = "Mexico"
        window_seconds = -1
        rule = "schedule"
        max_shift_hours = 0
        day_start = "4 am"
        longest_shift_hours = 25
        clock = "correct"
        go_live = "soon"
        retention_days = 0
        close_after_days = -1
        closed_through = 2026

        [[site]]
        name = "Plant"
        scope = "person"
        state_change = "last-wins"
        business_day = "noon"
        single = "out"
        sliding_window = 1
        cross_role = "yes"
        repair_wrong_keys = "no"
        backfill = 0
        role = "entry"

        [[site]]
        zone = "UTC"

        [[site]]
        name = "Plant"

        [delivery]
        timeout_seconds = 31
        allow_http = "yes"

        [[device]]
        serial = "T1"
        zone = "+25:00"
        role = "door"
        rule = "first"
        shift_gap_hours = 49
        infer = "no"

        [[device]]
        serial = "BAD SN"

        [[device]]
        name = "nameless"

        [[device]]
        serial = "T1"

        [[endpoint]]
        url = "http://example.com/"

        [[endpoint]]
        url = "example.com"
        secret = ""

        [[endpoint]]
        url = "https://example.com/hook"
        secret_file = "/nonexistent/secret"
        payload_format = "xml"
        schedule = "daily"
        events = ["attendance.punched"]

        [[endpoint]]
        url = "https://example.com/flat"
        secret = "s3cret"
        payload_format = "flat"
        events = ["attendance.punch", "attendance.revised"]

        [[employee]]
        badge = 42

        [[employee]]
        badge = "7"
        nmae = "Ada"

        [[employee]]
        badge = " "
        id = ""
        device = "no serial"
        valid_from = "2026-03-02"
        valid_to = 2026-03-01
        shifts = ["early"]

        [[employee]]
        badge = "8"
        device = "T1"
        site = "Plant"
        valid_from = "yesterday"
        valid_to = 7
        aliases = ["9"]

        [[employee]]
        badge = "7"

        [[employee]]
        badge = "7"
        id = "eve"
        device = "T1"

        [[employee]]
        badge = "a\\q"
    "#;

/// The key of each of its errors, and what the text about it has to say.
const ERRORS: &[(&str, &str)] = &[
    ("stor", "did you mean `store`?"),
    ("api_key", "expected text in quotes"),
    ("unknown_badges", "expected one of: auto, deliver, hold"),
    ("max_body_bytes", "from 65536"),
    ("listen.device", "expected an address like"),
    ("listen.api", "expected text in quotes"),
    ("defaults.zone", "Mexico"),
    ("defaults.window_seconds", "from 0 to 86400"),
    ("defaults.rule", "there is no `[[shift]]`"),
    ("defaults.max_shift_hours", "from 1 to 48"),
    ("defaults.day_start", "`04:00`"),
    ("defaults.longest_shift_hours", "from 1 to 24"),
    ("defaults.clock", "flag, adjust, adjust_wrong, quarantine"),
    ("defaults.go_live", "a day such as `2026-03-02`"),
    ("defaults.retention_days", "from 1 to 36500"),
    ("defaults.close_after_days", "from 0 to 36500"),
    ("defaults.closed_through", "is a number, expected a day"),
    ("site[1].scope", "device, site, employee"),
    ("site[1].state_change", "keep_both, last_wins"),
    ("site[1].business_day", "start, end, most_time, split_midnight"),
    ("site[1].single", "in, midpoint, unknown"),
    ("site[1].sliding_window", "expected true or false"),
    ("site[1].cross_role", "expected true or false"),
    ("site[1].repair_wrong_keys", "expected true or false"),
    ("site[1].backfill", "expected true or false"),
    ("site[1].role", "did you mean `rule`?"),
    ("site[2].name", "missing"),
    ("site.name", "entry 2 repeats an earlier one"),
    ("delivery.timeout_seconds", "from 1 to 30"),
    ("delivery.allow_http", "expected true or false"),
    ("device[1].zone", "+25:00"),
    ("device[1].role", "entry, exit"),
    ("device[1].rule", "declared, alternate, first-last"),
    ("device[1].shift_gap_hours", "from 1 to 48"),
    ("device[1].infer", "expected true or false"),
    ("device[2].serial", "is not a letter, digit"),
    ("device[3].serial", "missing"),
    ("device.serial", "repeats an earlier one"),
    ("endpoint[1].url", "https"),
    ("endpoint[1].secret", "missing"),
    ("endpoint[2].url", "https://host/path"),
    ("endpoint[2].secret", "empty"),
    ("endpoint[3].secret_file", "/nonexistent/secret"),
    ("endpoint[3].payload_format", "nested"),
    ("endpoint[3].schedule", "seed-002"),
    ("endpoint[3].events", "attendance.punch"),
    ("endpoint[4].events", "no flat shape"),
    ("employee[1].badge", "expected text in quotes"),
    ("employee[2].nmae", "did you mean `name`?"),
    ("employee[3].badge", "is empty"),
    ("employee[3].id", "is empty"),
    ("employee[3].device", "is not a letter, digit"),
    ("employee[3].valid_to", "before `valid_from`"),
    ("employee[4].site", "beside `device`"),
    ("employee[4].valid_from", "a day such as `2026-03-02`, or a moment"),
    ("employee[4].valid_to", "is a number, expected a day"),
    ("employee[4].aliases", "needs `id`"),
    ("employee[7].badge", "escape"),
    ("employee.badge", "entry 5 repeats entry 2"),
];

#[test]
fn every_error_of_a_file_is_listed_at_once_with_its_key_and_a_cure() {
    let errors = errors_of(WRONG);
    for (key, cure) in ERRORS {
        let texts: Vec<&String> = errors.iter().filter(|(found, _)| found == key).map(|(_, problem)| problem).collect();
        assert!(matches!(texts.as_slice(), [one] if one.contains(cure)), "{key}: wanted `{cure}`, got {texts:?}");
    }
    let unexpected: Vec<_> = errors.iter().filter(|(key, _)| ERRORS.iter().all(|(wanted, _)| wanted != key)).collect();
    assert!(unexpected.is_empty(), "{unexpected:#?}");
    // Shown together, one a line.
    assert_eq!(Config::parse(WRONG).unwrap_err().to_string().lines().count(), errors.len());
}

#[test]
fn a_whole_file_is_read_as_written() {
    let config = Config::parse(
        r#"
        store = "sqlite:/var/lib/punch/punch.sqlite"
        unknown_badges = "hold"
        [listen]
        device = "0.0.0.0:9081"
        api = "127.0.0.1:9080"
        [defaults]
        zone = "Asia/Kolkata"
        site = "Plant"
        rule = "first-last"
        day_start = "12:00"
        [[device]]
        serial = "T1"
        infer = false
        [[device]]
        serial = "T2"
        zone = "-03:30"
        window_seconds = 0
        name = "Gate"
        role = "exit"
        rule = "alternate"
        max_shift_hours = 11
        shift_gap_hours = 3
        [[endpoint]]
        url = "https://example.com/hook"
        secret = "s3cret"
        payload_format = "flat"
        [[employee]]
        badge = "0042"
        name = "Ada"
        "#,
    )
    .unwrap();
    assert_eq!(config.store.to_string(), "sqlite:/var/lib/punch/punch.sqlite");
    assert_eq!((config.device_addr.port(), config.api_addr.port()), (9081, 9080));
    assert_eq!(config.unknown_badges, UnknownBadges::Hold);
    let device = |index: usize| {
        let device = &config.devices[index];
        let zone = device.profile.zone.to_string();
        (device.name.as_str(), device.site.as_str(), zone, device.profile.rules.bounce.window.num_seconds())
    };
    assert_eq!(device(0), ("T1", "Plant", "Asia/Kolkata".to_owned(), 60));
    assert_eq!(device(1), ("Gate", "Plant", "-03:30".to_owned(), 0));
    let directions = |index: usize| {
        let DeviceConfig { role, profile: Profile { rules, .. }, .. } = &config.devices[index];
        let hours = (rules.max_shift.num_hours(), rules.shift_gap.num_hours());
        (*role, rules.direction, hours, rules.day_start.to_string(), rules.infer)
    };
    assert_eq!(directions(0), (None, DirectionRule::FirstLast, (14, 4), "12:00:00".to_owned(), false));
    assert_eq!(directions(1), (Some(Role::Exit), DirectionRule::Alternate, (11, 3), "12:00:00".to_owned(), true));
    assert_eq!(config.endpoints[0].format.as_str(), "flat");
    // Corrections have to be asked for: whoever looks at no type would book them as punches.
    assert_eq!(config.endpoints[0].events, ["attendance.punch", "device.clock"]);
    assert_eq!((&config.employees[0].pin, config.employees[0].name.as_deref()), (&Pin::new(b"0042"), Some("Ada")));
    assert!(Config::parse("").unwrap().devices.is_empty(), "an empty file is the defaults");
}

/// Whatever is wrong with a file, and however it is shown, a secret, a name or a badge is not in it.
#[test]
fn neither_errors_nor_debug_show_a_secret_or_a_person() {
    let endpoint = "[[endpoint]]\nurl = \"https://example.com/\"\n";
    let broken = [
        "api_key = \"canary".to_owned(),
        "api_key = canary".to_owned(),
        "api_key = [\"canary\"]".to_owned(),
        format!("{endpoint}secret = \"whsec_canary"),
        format!("{endpoint}secret = whsec_canary"),
        format!("{endpoint}secret = [\"canary\"]"),
        format!("{endpoint}secret = \"canary\"\nsecret = \"canary\""),
        format!("{endpoint}secret = \"canary\"\nnonsense = \"canary\""),
        format!("{endpoint}secret = '''canary\n"),
        "[[employee]]\nbadge = \"7canary\"\n[[employee]]\nbadge = \"7canary\"\nname = \"canary".to_owned(),
        "[[employee]]\nbadge = \"7canary\"\n[[employee]]\nbadge = \"7canary\"\n".to_owned(),
        "[[employee]]\nbadge = \"7\"\nname = [\"canary\"]".to_owned(),
        "[[employee]]\nbadge = \"7canary\"\n[[employee]]\nbadge = \"7canary\"\nsite = \"Plant\"".to_owned(),
        "[[employee]]\nbadge = \"canary\\\\q\"\nid = \"canary\"".to_owned(),
        "[[employee]]\nbadge = \"7\"\nid = [\"canary\"]\naliases = [\"7canary\", 7]".to_owned(),
        "[[shift]]\nstart = \"22\"\nend = \"06:00\"\npeople = [\"7canary\"]".to_owned(),
    ];
    for text in broken {
        let errors = Config::parse(&text).unwrap_err();
        let shown = format!("{errors} {errors:?}");
        assert!(!shown.contains("canary"), "{text}\n{shown}");
    }
    let file = format!(
        "api_key = \"canary\"\n{endpoint}secret = \"canary\"\n[[employee]]\nbadge = \"7canary\"\nname = \"canary\"\n\
         id = \"canary\"\n[[shift]]\nstart = \"22:00\"\nend = \"06:00\"\npeople = [\"canary\"]"
    );
    let config = Config::parse(&file).unwrap();
    assert!(!format!("{config:?} {config:#?}").contains("canary"), "{config:?}");
}

/// A syntax error still says where it is.
#[test]
fn a_syntax_error_is_found_by_line_and_column() {
    let errors = errors_of("[listen]\ndevice = \"0.0.0.0:8081\"\napi = oops\n");
    assert_eq!(errors.len(), 1);
    assert!(errors[0].1.starts_with("line 3, column 7: "), "{errors:?}");
}

/// The file that users copy.
const EXAMPLE: &str = include_str!("../../punch.toml");

#[test]
fn the_example_file_has_no_error_and_no_warning() {
    match Config::parse(EXAMPLE) {
        Ok(config) => assert_eq!(config.warnings(), []),
        Err(errors) => panic!("punch.toml:\n{errors}"),
    }
}

/// Whatever a section takes, the example names, as a key or behind a `#`.
#[test]
fn the_example_file_names_every_key() {
    let sections = [
        "[listen]",
        "[tls]",
        "[device_tls]",
        "[api_tls]",
        "[defaults]",
        "[rate_limit]",
        "[delivery]",
        "[notify]",
        "[retention]",
        "[[site]]",
        "[[device]]",
        "[[endpoint]]",
        "[[sink]]",
        "[[source]]",
        "[[employee]]",
        "[[shift]]",
    ];
    let mut count = 0;
    for section in sections.into_iter().chain([""]) {
        let start = if section.is_empty() {
            0
        } else {
            let found = EXAMPLE.find(&format!("\n{section}")).map(|found| found + 1);
            let hidden = || EXAMPLE.find(&format!("\n# {section}")).map(|found| found + 3);
            found.or_else(hidden).unwrap_or_else(|| panic!("no {section}"))
        };
        let body = &EXAMPLE[start + section.len()..];
        let body = &body[..body.find("\n[").unwrap_or(body.len())];
        let shown: Vec<&str> = body
            .lines()
            .filter_map(|line| line.trim_start_matches("# ").split_once(" = "))
            .map(|(key, _)| key)
            .collect();
        let errors = errors_of(&format!("{section}\nxxxxxxxxxxxx = 1\n"));
        let (_, known) = errors.iter().find_map(|(_, problem)| problem.split_once("known here: ")).unwrap();
        for key in
            known.split(", ").filter(|key| !sections.iter().any(|section| section.trim_matches(['[', ']']) == *key))
        {
            assert!(shown.contains(&key), "{section} `{key}` is not shown");
            count += 1;
        }
    }
    assert!(count > 100, "{count}");
}

/// Every secret can stand in a file of its own, and what stands in one is not repeated.
#[test]
fn secrets_stand_in_files_of_their_own() {
    let folder = tempfile::tempdir().unwrap();
    let file = |name: &str, text: &str| {
        let path = folder.path().join(name);
        std::fs::write(&path, format!("{text}\n")).unwrap();
        format!("{:?}", path.display().to_string())
    };
    let text = format!(
        "store_file = {}\napi_key_file = {}\n[notify]\nsmtp_url_file = {}\nfrom = \"a@example.com\"\nto = [\"b@example.com\"]\n\
         [[device]]\nserial = \"T1\"\ncomm_key_file = {}\npath_token_file = {}\n[[endpoint]]\n\
         url = \"https://example.com\"\nsecret_file = {}\nheader_files = {{ Authorization = {} }}\n",
        file("store", "postgres://punch:secret-of-store@db/punch"),
        file("key", "pk_secret-of-api"),
        file("mail", "smtps://punch:secret-of-mail@mail.example.com"),
        file("comm", "secret-of-terminal"),
        file("path", "secret-of-the-path"),
        file("hook", "secret-of-endpoint"),
        file("header", "Bearer secret-of-header"),
    );
    let config = Config::parse(&text).unwrap();
    assert!(config.store.file().is_none() && config.notify.is_some() && config.devices[0].path_token.is_some());
    assert_eq!(config.api_key.as_ref().unwrap().expose(), "pk_secret-of-api");
    assert_eq!(config.endpoints[0].options.headers["Authorization"], "Bearer secret-of-header");
    assert!(!format!("{config:?}").contains("secret-of"), "{config:?}");
    let wrong = text.replace("api_key_file = \"", "api_key_file = \"/nowhere");
    let wrong = Config::parse(&wrong).unwrap_err().to_string();
    assert!(wrong.contains("`api_key_file`: cannot read") && !wrong.contains("secret-of"), "{wrong}");
}
