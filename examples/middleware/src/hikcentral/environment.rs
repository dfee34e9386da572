//! The variables of the environment.

use std::collections::{BTreeMap, BTreeSet};
use std::net::IpAddr;

use anyhow::Context as _;
use chrono::TimeDelta;
use punch_erp::Credential;
use punch_erp::hikcentral::{Dialect, EventTypes, HikCentral, HikCentralRules, PollRules, Receiver, Subscription};
use punch_erp::passage::PersonScheme;
use punch_normalize::{DeviceZone, Direction};

use sinks::Trust;
use sources::Pause;
use sources::hikcentral::{HikCentralSettings, HikCentralSource};

use super::{Source, Task};
use crate::{env, env_any, env_flag};

/// The HikCentral of the environment: `HIKVISION_HOST`, `HIK_APP_KEY` and `HIK_SECRET`; the others, which have defaults, are
/// in `docs/hikcentral.md`. The first argument of the program is its [`Task`].
///
/// # Errors
///
/// A variable is missing or does not read; the text names it.
pub fn from_env(dry_run: bool) -> anyhow::Result<Source> {
    let task = match std::env::args().nth(1).as_deref() {
        None => Task::Serve,
        Some("once") => Task::Once,
        Some("receive") => Task::Receive,
        Some(_) => anyhow::bail!("the argument is none of `once` and `receive`; leave it out to receive and read"),
    };
    let rules = rules()?;
    let subscription = subscription(&rules)?;
    let token = env_any(&["HIK_TOKEN"]).map(Credential::from);
    let insecure = env_flag("HIK_INSECURE_RECEIVER");
    let must_receive = subscription.is_some() || task == Task::Receive;
    let receiver = if must_receive || token.is_some() || insecure {
        Some(Receiver::new(token, insecure).context("HIK_TOKEN (or HIK_INSECURE_RECEIVER=true)")?)
    } else {
        None
    };
    let begin =
        env_any(&["HIK_BEGIN"]).map(|text| text.parse().context("HIK_BEGIN, a time such as 2026-01-27T00:00:00Z"));
    let settings = HikCentralSettings {
        site: HikCentral::new(settings(rules.passage.zone)?)?,
        transport: Trust::from_env("HIK_")?.transport()?,
        employee_field: env_any(&["HIK_EMPLOYEE_FIELD"]).as_deref().unwrap_or("person_code").parse::<PersonScheme>()?,
        poll: poll(subscription.is_some())?,
        pause: Pause::default(),
        begin: begin.transpose()?,
        rules,
        receiver,
        look_every: HikCentralSettings::LOOK_EVERY,
        subscription,
        is_dry: dry_run,
    };
    Ok(Source { hikcentral: HikCentralSource::new(settings), allowed: allowed()?, task })
}

fn settings(zone: Option<DeviceZone>) -> anyhow::Result<punch_erp::hikcentral::HikCentralSettings> {
    let host = env("HIKVISION_HOST")?;
    let base = if host.contains("://") { host } else { format!("https://{host}") };
    let mut settings = punch_erp::hikcentral::HikCentralSettings::new(base, env("HIK_APP_KEY")?, env("HIK_SECRET")?);
    settings.user_id = env_any(&["HIK_USER_ID"]).unwrap_or_default();
    settings.allow_http = env_flag("HIK_ALLOW_HTTP");
    settings.zone = zone.unwrap_or(settings.zone);
    settings.dialect = match env_any(&["HIK_DIALECT"]).as_deref() {
        None | Some("professional") => Dialect::Professional,
        Some("isecure_center") => Dialect::IsecureCenter,
        Some(_) => anyhow::bail!("HIK_DIALECT is neither `professional` nor `isecure_center`"),
    };
    Ok(settings)
}

/// S3-018: every five minutes, or what `HIK_POLL_SECONDS` says; below a subscription every half hour.
fn poll(is_subscribed: bool) -> anyhow::Result<PollRules> {
    let mut rules = PollRules::default();
    if is_subscribed {
        rules.interval = PollRules::RECONCILE_INTERVAL;
    }
    if let Some(text) = env_any(&["HIK_POLL_SECONDS"]) {
        let seconds = text.parse().ok().filter(|seconds| (60..=3600).contains(seconds));
        rules.interval = TimeDelta::seconds(seconds.context("HIK_POLL_SECONDS is no number from 60 to 3600")?);
    }
    Ok(rules)
}

fn rules() -> anyhow::Result<HikCentralRules> {
    let mut rules = HikCentralRules::default();
    rules.passage.doors = directions("HIK_DOORS")?;
    rules.passage.readers = directions("HIK_READERS")?;
    rules.passage.attendance_doors =
        env_any(&["HIK_ATTENDANCE_DOORS"]).map(|text| list(&text).map(Into::into).collect());
    rules.isc_zero_is_out = env_flag("HIK_ZERO_IS_OUT");
    if let Some(text) = env_any(&["HIK_EVENT_TYPES"]) {
        let codes: Result<Vec<i64>, _> = list(&text).map(str::parse).collect();
        rules.event_types = EventTypes::of(codes.context("HIK_EVENT_TYPES, numbers with commas between")?);
    }
    if let Some(text) = env_any(&["HIK_ZONE"]) {
        rules.passage.zone = Some(DeviceZone::parse(&text).context("HIK_ZONE")?);
    }
    Ok(rules)
}

fn subscription(rules: &HikCentralRules) -> anyhow::Result<Option<Subscription>> {
    let Some(address) = env_any(&["HIK_EVENT_DEST"]) else { return Ok(None) };
    Ok(Some(Subscription::new(rules.event_types.codes(), address).context("HIK_EVENT_DEST")?))
}

fn allowed() -> anyhow::Result<Option<BTreeSet<IpAddr>>> {
    let Some(text) = env_any(&["HIK_ALLOW_FROM"]) else { return Ok(None) };
    let addresses: Result<_, _> = list(&text).map(str::parse).collect();
    Ok(Some(addresses.context("HIK_ALLOW_FROM, addresses with commas between")?))
}

/// `7=in,8=out`.
fn directions(name: &str) -> anyhow::Result<BTreeMap<String, Direction>> {
    let text = env_any(&[name]).unwrap_or_default();
    let read = |pair: &str| {
        let (code, word) = pair.split_once('=')?;
        let direction = serde_json::from_value(word.trim().into()).ok()?;
        Some((code.trim().to_owned(), direction))
    };
    let read: Option<_> = list(&text).map(read).collect();
    read.with_context(|| format!("{name}: write codes and directions like `7=in,8=out`"))
}

fn list(text: &str) -> impl Iterator<Item = &str> {
    text.split(',').map(str::trim).filter(|item| !item.is_empty())
}
