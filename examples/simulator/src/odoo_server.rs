//! A real Odoo, for the tests that hold ours and the stand-in against it. The environment says where it is; without it there
//! is none, and those tests are skipped.

use std::collections::{BTreeMap, BTreeSet};

use anyhow::{Context as _, bail};
use chrono::{DateTime, NaiveDate, NaiveDateTime, Utc};
use chrono_tz::Tz;
use gateway::clock::now;
use punch_protocol::{Pin, RawPunch, SerialNumber, Status};
use reqwest::Client;
use serde_json::{Value, json};

use crate::month::{self, Delivery, Month, Presence};

/// The zone of the month's clocks. They are not changed in November.
pub const ZONE: Tz = Tz::Europe__Madrid;

/// The user that may do everything a gateway has to.
pub const BOT: &str = "punch-bot";

/// The same, in Spanish.
pub const SPANISH: &str = "punch-es";

/// A user without any role.
pub const POOR: &str = "punch-poor";

/// From 19 on: a user that may write for the people it is the manager of, and is nobody's.
pub const OFFICER: &str = "punch-officer";

/// A database of a real server with the users above, as `.ci/run odoo` sets it up.
#[derive(Debug, Clone)]
pub struct OdooServer {
    /// Its address.
    pub url: String,
    /// The database's name.
    pub database: String,
    /// The password of the users.
    pub password: String,
    /// A key of [`BOT`]. What takes a password takes it too.
    pub key: String,
    /// 16, 18 or 19.
    pub version: u64,
    uid: i64,
    http: Client,
}

/// The attendances of a person: when they begin, and when they end.
pub type Attendances = Vec<(DateTime<Utc>, Option<DateTime<Utc>>)>;

impl OdooServer {
    /// The server of `PUNCH_TEST_ODOO_URL`, with `PUNCH_TEST_ODOO_DB`, `PUNCH_TEST_ODOO_PASSWORD` and `PUNCH_TEST_ODOO_KEY`.
    /// `None` without the first.
    ///
    /// # Errors
    ///
    /// One of the others is missing, or the server does not let us in.
    pub async fn from_env() -> anyhow::Result<Option<Self>> {
        let Ok(url) = std::env::var("PUNCH_TEST_ODOO_URL") else { return Ok(None) };
        let variable = |name: &str| std::env::var(name).with_context(|| format!("{name} is not set"));
        let (database, password) = (variable("PUNCH_TEST_ODOO_DB")?, variable("PUNCH_TEST_ODOO_PASSWORD")?);
        let key = variable("PUNCH_TEST_ODOO_KEY")?;
        let mut server = Self { url, database, password, key, version: 0, uid: 0, http: Client::new() };
        let version = server.ask("common", "version", &json!([])).await?;
        let number = version.pointer("/server_version_info/0").and_then(Value::as_u64);
        server.version = number.context("no number of a version")?;
        let login = json!([server.database, BOT, server.password, {}]);
        server.uid = server.ask("common", "authenticate", &login).await?.as_i64().context("the login is refused")?;
        Ok(Some(server))
    }

    /// Calls a method as [`BOT`].
    ///
    /// # Errors
    ///
    /// There is no answer, or it is an exception.
    pub async fn call(&self, model: &str, method: &str, arguments: Value, named: Value) -> anyhow::Result<Value> {
        let arguments = json!([self.database, self.uid, self.password, model, method, arguments, named]);
        self.ask("object", "execute_kw", &arguments).await
    }

    async fn ask(&self, service: &str, method: &str, arguments: &Value) -> anyhow::Result<Value> {
        let params = json!({ "service": service, "method": method, "args": arguments });
        let body = json!({ "jsonrpc": "2.0", "method": "call", "params": params, "id": 1 });
        let request = self.http.post(format!("{}/jsonrpc", self.url)).header("Content-Type", "application/json");
        let text = request.body(body.to_string()).send().await?.text().await?;
        let mut answer: Value = serde_json::from_str(&text).context("not JSON")?;
        match answer.pointer("/error/data/name") {
            Some(name) => bail!("{name}"),
            None => Ok(answer.get_mut("result").map(Value::take).unwrap_or_default()),
        }
    }

    /// Makes an employee for each of these badges.
    ///
    /// # Errors
    ///
    /// Odoo does not make them.
    pub async fn hire(&self, badges: impl IntoIterator<Item = String>) -> anyhow::Result<BTreeMap<String, i64>> {
        let badges: Vec<String> = badges.into_iter().collect();
        let rows: Vec<Value> = badges.iter().map(|badge| json!({ "name": "Ada", "barcode": badge })).collect();
        let ids = self.call("hr.employee", "create", json!([rows]), json!({})).await?;
        let ids = ids.as_array().context("no list of numbers")?.iter().filter_map(Value::as_i64);
        Ok(badges.into_iter().zip(ids).collect())
    }

    /// What Odoo has of these employees, in order of time.
    ///
    /// # Errors
    ///
    /// It does not say.
    pub async fn attendances(&self, people: &BTreeMap<String, i64>) -> anyhow::Result<BTreeMap<String, Attendances>> {
        let ids: Vec<i64> = people.values().copied().collect();
        let named = json!({ "fields": ["employee_id", "check_in", "check_out"], "order": "check_in, check_out, id" });
        let rows = self.call("hr.attendance", "search_read", json!([[["employee_id", "in", ids]]]), named).await?;
        let mut found: BTreeMap<String, Attendances> = people.keys().map(|badge| (badge.clone(), Vec::new())).collect();
        for row in rows.as_array().context("no list of attendances")? {
            let id = row.pointer("/employee_id/0").and_then(Value::as_i64);
            let badge = people.iter().find(|(_, employee)| Some(**employee) == id).context("of somebody else")?.0;
            let at = |field: &str| row.get(field).and_then(time);
            found.entry(badge.clone()).or_default().push((at("check_in").context("no check_in")?, at("check_out")));
        }
        Ok(found)
    }
}

fn time(value: &Value) -> Option<DateTime<Utc>> {
    NaiveDateTime::parse_from_str(value.as_str()?, "%Y-%m-%d %H:%M:%S").ok().map(|time| time.and_utc())
}

/// The number that badges of this call begin with: others than those of an earlier call. Digits are all that 18 takes.
pub fn fresh_prefix() -> String {
    // The number of the process tells apart what runs in one instant.
    format!("{:012}{:02}", now().timestamp_micros() % 1_000_000_000_000, std::process::id() % 100)
}

/// The month for people who have badges of their own at the server.
#[derive(Debug)]
pub struct MonthAt {
    /// The month, with the badges of the server.
    pub month: Month,
    /// The employees by their badges.
    pub people: BTreeMap<String, i64>,
}

impl MonthAt {
    /// Makes the people, and the month of November for them.
    ///
    /// # Errors
    ///
    /// Odoo does not make them.
    pub async fn new(server: &OdooServer, seed: u64) -> anyhow::Result<Self> {
        let prefix = fresh_prefix();
        let badge = |number: &str| format!("{prefix}{}", number.trim_start_matches('B'));
        let people = server.hire((0..month::PEOPLE).map(|person| badge(&month::badge(person)))).await?;
        let mut month = Month::new(seed, ZONE, NaiveDate::from_ymd_opt(2026, 11, 1).context("a date")?);
        for delivery in &mut month.deliveries {
            delivery.badge = badge(&delivery.badge);
            delivery.id = format!("evt_{}_{}_{}", delivery.badge, delivery.at.timestamp(), delivery.direction);
        }
        month.pairs = month.pairs.into_iter().map(|(number, pairs)| (badge(&number), pairs)).collect();
        Ok(Self { month, people })
    }

    /// The punch as a terminal has it, by its own clock.
    pub fn row(serial: &SerialNumber, delivery: &Delivery) -> RawPunch {
        let local = delivery.at.with_timezone(&ZONE).naive_local();
        let mut row = RawPunch::new(serial.clone(), Pin::new(delivery.badge.as_bytes()).into_owned(), local);
        row.status = Some(if delivery.direction == "in" { Status::CHECK_IN } else { Status::CHECK_OUT });
        row
    }

    /// Says what is wrong in Odoo: pairs that are lost, invented, or there twice; arrivals without a departure that are
    /// not there; two open records of one person. Empty if every pair is there to the second and nothing else.
    ///
    /// # Errors
    ///
    /// Odoo does not say what it has.
    pub async fn wrongs(&self, server: &OdooServer) -> anyhow::Result<Vec<String>> {
        let (mut wrongs, mut dangling) = (Vec::new(), 0);
        for (badge, records) in server.attendances(&self.people).await? {
            let mut found: BTreeSet<Presence> = BTreeSet::new();
            let open = records.iter().filter(|(_, end)| end.is_none()).count();
            dangling += open;
            for (begin, end) in records.iter().filter_map(|(begin, end)| Some((*begin, (*end)?))) {
                if begin == end {
                    dangling += 1;
                } else if !found.insert((begin, end)) {
                    wrongs.push(format!("twice: {begin} to {end}"));
                }
            }
            let wanted = self.month.pairs.get(&badge).cloned().unwrap_or_default();
            wrongs.extend(wanted.difference(&found).map(|pair| format!("lost: {pair:?}")));
            wrongs.extend(found.difference(&wanted).map(|pair| format!("invented: {pair:?}")));
            wrongs.extend((open > 1).then(|| format!("{open} open records of one person")));
        }
        if dangling != self.month.dangling {
            wrongs.push(format!("{dangling} arrivals without a departure, not {}", self.month.dangling));
        }
        Ok(wrongs)
    }
}
