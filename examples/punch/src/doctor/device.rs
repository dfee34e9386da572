use agent::terminal::{About, Address, Examination, LinkError, Reach, examine};
use chrono::TimeDelta;
use clap::Args;
use punch_normalize::DeviceZone;
use punch_protocol::tcp::Ending;
use serde_json::{Value, json};

use crate::exit::{Exit, UsageError};
use crate::pull::Manner;

#[derive(Debug, Args)]
pub(crate) struct Device {
    /// Name or number of the terminal's host.
    host: String,
    /// Its port.
    #[arg(long, default_value_t = 4370)]
    port: u16,
    #[command(flatten)]
    manner: Manner,
    /// The zone the terminal's clock should show.
    #[arg(long, default_value = "UTC")]
    zone: String,
    /// Print what was found as JSON.
    #[arg(long)]
    json: bool,
}

/// One line of the findings.
struct Finding {
    what: &'static str,
    found: String,
    /// What to do about it, if something is wrong.
    cure: Option<String>,
}

pub(crate) async fn run(device: Device) -> anyhow::Result<Exit> {
    crate::log_to_stderr("warn");
    let zone = DeviceZone::parse(&device.zone).map_err(|error| UsageError(format!("--zone: {error}")))?;
    let address = Address { host: device.host.clone(), port: device.port };
    // Whoever looks on does not want to wait as long as somebody who reads.
    let config = device.manner.client(false)?;
    let found = examine(&address, config, gateway::clock::now).await;
    let expected = TimeDelta::minutes(i64::from(zone.offset_minutes_at(gateway::clock::now())));
    let off = found.clock.map(|clock| clock - expected);
    let findings = findings(&device, &found, off);
    if device.json {
        crate::say(format_args!("{}", as_json(&found, off)));
    } else {
        print(&findings);
    }
    let well = findings.iter().all(|finding| finding.cure.is_none());
    Ok(if well { Exit::Done } else { Exit::Wrong })
}

fn print(findings: &[Finding]) {
    for Finding { what, found, cure } in findings {
        let mark = if cure.is_none() { "ok" } else { "!!" };
        crate::say(format_args!("{mark}  {what:<14} {found}"));
        if let Some(cure) = cure {
            crate::say(format_args!("    {:<14} {cure}", ""));
        }
    }
}

fn findings(device: &Device, found: &Examination, off: Option<TimeDelta>) -> Vec<Finding> {
    let fine = |what, found: String| Finding { what, found, cure: None };
    let mut findings = vec![
        reach("TCP", &found.tcp, &found.udp, "read with --udp"),
        reach("UDP", &found.udp, &found.tcp, "read without --udp"),
    ];
    let by_key = [&found.tcp, &found.udp].iter().any(|reach| matches!(reach, Reach::Open { by_key: true }));
    let keyless = [&found.tcp, &found.udp].iter().any(|reach| matches!(reach, Reach::Open { by_key: false }));
    if by_key {
        findings.push(fine("comm key", "wanted, and right".to_owned()));
    } else if keyless {
        let cure = "anybody in this network can read and empty the terminal; set a comm key in its menu";
        let found = "none set".to_owned();
        // Worth saying, and no reason to fail: most terminals have none.
        findings.push(fine("comm key", format!("{found}; {cure}")));
    }
    if let Some(about) = &found.about {
        findings.extend(what_it_is(about));
        findings.push(clock(device, about, off));
    }
    let can = |can: Option<bool>| match can {
        Some(true) => "yes",
        Some(false) => "no, reads in one go",
        None => "does not show",
    };
    if found.about.is_some() {
        let users = found.users.map(|(layout, count)| format!("{count}, in records of {} bytes", layout.size()));
        findings.push(fine("users", users.unwrap_or_else(|| "none read".to_owned())));
        findings.push(fine("buffer", can(found.has_buffer).to_owned()));
        let ranges = if found.has_ranges == Some(true) { "yes" } else { "no; the whole log is read each time" };
        findings.push(fine("time ranges", ranges.to_owned()));
    }
    findings
}

fn reach(what: &'static str, reach: &Reach, other: &Reach, otherwise: &str) -> Finding {
    match reach {
        Reach::Open { .. } => Finding { what, found: "answers".to_owned(), cure: None },
        // One of the two is enough.
        Reach::Failed(_) if other.is_open() => Finding { what, found: format!("no answer; {otherwise}"), cure: None },
        Reach::Failed(error) => Finding { what, found: error.to_string(), cure: Some(cure(error)) },
    }
}

fn cure(error: &LinkError) -> String {
    match error.ending() {
        Some(Ending::KeyNeeded | Ending::KeyRefused) => "run again with --comm-key KEY".to_owned(),
        Some(Ending::SecurePull) => "switch encryption off on the terminal, or let it push: punch gateway".to_owned(),
        Some(Ending::KeyLocked) => "wait some minutes".to_owned(),
        Some(_) => "is another program connected to it? most terminals serve one at a time".to_owned(),
        None => "is it switched on, in this network, and is the port right? its menu shows the address".to_owned(),
    }
}

fn what_it_is(about: &About) -> Vec<Finding> {
    let serial = match &about.serial {
        Some(serial) => Finding { what: "serial", found: serial.to_string(), cure: None },
        None => Finding {
            what: "serial",
            found: "not told".to_owned(),
            cure: Some("give it when reading: punch pull --host HOST --serial SN".to_owned()),
        },
    };
    let known: Vec<&str> =
        [&about.name, &about.platform, &about.firmware].into_iter().flatten().map(String::as_str).collect();
    let count = |count: Option<u32>| count.map_or_else(|| "unknown".to_owned(), |count| count.to_string());
    let records = format!("{}, room for {}", count(about.records), count(about.record_capacity));
    vec![
        serial,
        Finding { what: "model", found: known.join(", "), cure: None },
        Finding { what: "records", found: records, cure: None },
    ]
}

/// How far a clock may be off before it is worth a word, in seconds.
const CLOCK_TOLERANCE: i64 = 60;

fn clock(device: &Device, about: &About, off: Option<TimeDelta>) -> Finding {
    let what = "clock";
    let (Some(shown), Some(off)) = (about.clock, off) else {
        return Finding {
            what,
            found: "shows no time there is".to_owned(),
            cure: Some("set the date in the terminal's menu".to_owned()),
        };
    };
    let seconds = off.num_seconds();
    if seconds.abs() <= CLOCK_TOLERANCE {
        return Finding { what, found: format!("{shown}, right within a minute in {}", device.zone), cure: None };
    }
    // Zones differ by quarters of an hour; a clock that is off by some of them is right in another zone.
    let quarters = (seconds + 450 * seconds.signum()) / 900;
    let rest = seconds - quarters * 900;
    let found = format!("{shown}, {} {} for {}", spoken(seconds.abs()), direction(seconds), device.zone);
    let cure = if rest.abs() <= CLOCK_TOLERANCE && quarters.abs() <= 26 * 4 {
        "it looks right in another zone; run again with --zone ZONE".to_owned()
    } else {
        "correct it in the terminal's menu; punches that are stored keep their wrong time".to_owned()
    };
    Finding { what, found, cure: Some(cure) }
}

fn direction(seconds: i64) -> &'static str {
    if seconds > 0 { "fast" } else { "slow" }
}

fn spoken(seconds: i64) -> String {
    let (hours, minutes) = (seconds / 3600, seconds % 3600 / 60);
    match (hours, minutes) {
        (0, 0) => format!("{seconds} s"),
        (0, minutes) => format!("{minutes} min"),
        (hours, 0) => format!("{hours} h"),
        (hours, minutes) => format!("{hours} h {minutes} min"),
    }
}

fn as_json(found: &Examination, off: Option<TimeDelta>) -> Value {
    let reach = |reach: &Reach| match reach {
        Reach::Open { by_key } => json!({ "open": true, "comm_key": by_key }),
        Reach::Failed(error) => json!({
            "open": false, "answers": reach.answers(), "error": error.to_string(),
            "code": error.ending().map(Ending::code),
        }),
    };
    let about = found.about.clone().unwrap_or_default();
    json!({
        "tcp": reach(&found.tcp),
        "udp": reach(&found.udp),
        "serial": about.serial.map(|serial| serial.to_string()),
        "name": about.name,
        "platform": about.platform,
        "firmware": about.firmware,
        "clock": about.clock.map(|clock| clock.format("%Y-%m-%dT%H:%M:%S").to_string()),
        "clock_off_seconds": off.map(|off| off.num_seconds()),
        "users": about.users,
        "user_record_bytes": found.users.map(|(layout, _)| layout.size()),
        "records": about.records,
        "record_capacity": about.record_capacity,
        "pin_width": found.pin_width,
        "buffer": found.has_buffer,
        "time_ranges": found.has_ranges,
    })
}
