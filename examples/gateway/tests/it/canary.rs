//! One person, one card, one template, four secrets: everything is run at TRACE, and none of them is in a log, a metric, an
//! error or the audit log.

use std::io;
use std::sync::{Arc, Mutex};

use gateway::api::ApiKey;
use serde_json::{Value, json};
use simulator::world::quiet_addr;
use tracing_subscriber::fmt::MakeWriter;

use crate::harness::{self, Recorder, Site, get};

const PIN: &str = "CANARYPIN7";
const NAME: &str = "Canary Nightingale";
const CARD: &str = "CANARYCARD9";
const PASSWORD: &str = "canarypassw0rd";
const TEMPLATE: &str = "CanaryTemplateQUJDRA";
const SECRET: &str = "whsec_Y2FuYXJ5Y2FuYXJ5Y2FuYXJ5Y2FuYXJ5";
const API_KEY: &str = "pk_canary_of_the_api";
const URL_TOKEN: &str = "canarytokenofurl";
const PATH_TOKEN: &str = "canary-token-of-path";

/// What a canary looks like in text, as bytes in `Debug`, and in hex.
fn disguises(word: &str) -> [String; 4] {
    let list: Vec<String> = word.bytes().map(|byte| byte.to_string()).collect();
    let hex = |upper: bool| -> String {
        word.bytes().map(|byte| if upper { format!("{byte:02X}") } else { format!("{byte:02x}") }).collect()
    };
    [word.to_owned(), list.join(", "), hex(false), hex(true)]
}

/// Keeps every event at TRACE.
#[derive(Debug, Clone, Default)]
struct Memory(Arc<Mutex<Vec<u8>>>);

impl io::Write for Memory {
    fn write(&mut self, bytes: &[u8]) -> io::Result<usize> {
        self.0.lock().unwrap().extend_from_slice(bytes);
        Ok(bytes.len())
    }

    fn flush(&mut self) -> io::Result<()> {
        Ok(())
    }
}

impl<'a> MakeWriter<'a> for Memory {
    type Writer = Self;

    fn make_writer(&'a self) -> Self {
        self.clone()
    }
}

/// Runs a whole life of the gateway and returns everything it showed to somebody without the key, or with an error.
struct Show {
    site: Site,
    shown: Vec<String>,
}

impl Show {
    /// Posts with the key, as the operator does.
    async fn post(&self, path: &str, body: String) -> (u16, Value) {
        let request = self.site.request("POST", path).bearer_auth(API_KEY).header("Content-Type", "application/json");
        self.site.call(request.body(body)).await
    }

    async fn set_path_token(&self, token: &str) -> (u16, Value) {
        let request = self.site.request("PATCH", "/v1/devices/T1").bearer_auth(API_KEY);
        let request = request.header("Content-Type", "application/json");
        self.site.call(request.body(json!({ "path_token": token }).to_string())).await
    }

    async fn refused(&mut self, path: &str, body: String) {
        let (status, answer) = self.post(path, body).await;
        assert_eq!(status, 400, "{answer}");
        self.shown.push(answer.to_string());
    }

    async fn upload(&mut self, serial: &str, table: &str, body: String) {
        self.shown.push(self.site.upload(serial, table, body).await.body);
    }

    /// Good rows, bad rows, and everything that was never asked for.
    async fn uploads(&mut self) {
        let row = format!("{PIN}\t2026-03-28 08:47:12\t0\t1\n");
        let broken = format!("{PIN} {NAME} {CARD}\n{PIN}\t2026-02-30 00:00:00\t0\n{PIN}\t2000-01-01 00:00:00\t0\t1\n");
        let user = format!("USER PIN={PIN}\tName={NAME}\tPasswd={PASSWORD}\tCard={CARD}\n");
        let finger = format!("FP PIN={PIN}\tFID=1\tTMP={TEMPLATE}\nFP\t{TEMPLATE}\nOPLOG x\t{PIN}\n");
        let access = format!("time=2026-03-28 08:00:00\tpin={PIN}\tcardno={CARD}\tevent=0\n{CARD}\n");
        let record = format!("user uid=1\tpin={PIN}\tname={NAME}\tpassword={PASSWORD}\n");
        for (serial, table, body) in [
            ("T1", "ATTLOG", row.clone()),
            ("T1", "ATTLOG", broken),
            ("T1", "ATTLOG", format!("X{row}")),
            ("T1", "OPERLOG", user + &finger),
            ("T1", "BIODATA", format!("BIODATA Pin={PIN}\tTmp={TEMPLATE}\n")),
            ("T1", "ATTPHOTO", format!("PIN=1-{PIN}.jpg\nSN=T1\nsize=3\nCMD=uploadphoto\0{TEMPLATE}")),
            ("T1", "rtlog", access),
            ("T1", "tabledata&tablename=user&count=1", record),
            ("T1", "options", format!("~DeviceName={NAME},ComPwd={PASSWORD}")),
            ("T1", PIN, row.clone()),
            ("STRANGER1", "ATTLOG", row.clone()),
            ("BAD SN", "ATTLOG", row),
        ] {
            self.upload(serial, table, body).await;
        }
    }

    /// Punches that somebody else has read: good, bad, and of a terminal nobody knows.
    async fn forwarded(&mut self) {
        let row = json!({ "pin": PIN, "time": "2026-03-28T09:47:12", "state": 0, "name": NAME, "card": CARD });
        let wrong = json!({ "pin": PIN, "time": NAME, "state": CARD, "serial": PIN });
        for (path, body, expected) in [
            ("/v1/devices/T1/punches", format!("{row}\n{wrong}\n{PIN} {NAME}\n"), 200),
            ("/v1/devices/T1/punches?live=1", row.to_string(), 400),
            ("/v1/devices/T1/punches", format!("{PIN} {NAME}"), 400),
            ("/v1/devices/T1/punches", format!("[{row},"), 400),
            ("/v1/devices/STRANGER2/punches", row.to_string(), 409),
        ] {
            let (status, answer) = self.post(path, body).await;
            assert_eq!(status, expected, "{answer}");
            self.shown.push(answer.to_string());
        }
    }

    /// Calls with people in their targets and bodies.
    async fn calls(&mut self) {
        let addr = self.site.gateway.device_addr;
        for target in [
            format!("/iclock/cdata?SN=T1&PIN={PIN}"),
            format!("/iclock/getrequest?SN=T1&INFO={PIN},1,2"),
            format!("/iclock/cdata?SN=T1&options=all&pushcommkey={PASSWORD}"),
            format!("/{PIN}?SN=T1"),
        ] {
            self.shown.push(get(addr, &target).await.body);
        }
        // A secret path, right and wrong, and what it is asked with.
        for (token, expected) in [(format!("{PATH_TOKEN}/x"), 400), (PATH_TOKEN.to_owned(), 200)] {
            let (status, answer) = self.set_path_token(&token).await;
            assert!(status == expected && !answer.to_string().contains(PATH_TOKEN), "{answer}");
        }
        for target in
            ["iclock/ping?SN=T1", "iclock/nothing?SN=T1", "x/iclock/ping?SN=T1", "?SN=T1", "iclock/ping?SN=T 1"]
        {
            for token in [PATH_TOKEN, &format!("{PATH_TOKEN}x")] {
                self.shown.push(get(addr, &format!("/{token}/{target}")).await.body);
            }
        }
        assert_eq!(self.set_path_token("").await.0, 200);
        let results = format!("ID=1&Return=0&CMD=Shell&Content={PASSWORD}\n");
        self.shown.push(harness::post(addr, "/iclock/devicecmd?SN=T1", results.as_bytes()).await.body);
    }

    /// What the API refuses, and what it shows to anybody.
    async fn refusals_and_pages(&mut self) {
        let url = "https://example.com";
        self.refused("/v1/webhooks", json!({ "url": url, "events": [], "secret": SECRET }).to_string()).await;
        self.refused("/v1/webhooks", json!({ "url": url, "secret": SECRET }).to_string()).await;
        self.refused("/v1/employees", format!("{{\"badge_number\":\"{PIN}\",")).await;
        let person = |card: Option<&str>| json!({ "badge_number": PIN, "name": NAME, "card_number": card });
        let command = |person| json!({ "command": "sync_employees", "payload": { "employees": [person] } }).to_string();
        self.refused("/v1/devices/T1/commands", command(person(Some(CARD)))).await;
        let (status, asked) = self.post("/v1/devices/T1/commands", command(person(None))).await;
        assert_eq!(status, 202, "{asked}");
        self.shown.push(asked.to_string());
        let told = self.site.poll_until_told("T1").await;
        assert!(told[0].text.contains(NAME), "{told:?}");
        self.site.results("T1", &[(&told[0].id, -1002)]).await;
        let wrong_key = self.site.request("GET", "/v1/devices").bearer_auth(&API_KEY[..API_KEY.len() - 1]);
        self.shown.push(self.site.call(wrong_key).await.1.to_string());
        for path in ["/", "/dashboard/sites", "/metrics", "/livez", "/readyz", "/v1/attendance", &format!("/v1/{PIN}")]
        {
            self.shown.push(self.site.request("GET", path).send().await.unwrap().text().await.unwrap());
        }
        for path in ["/status", "/v1/audit?per_page=200", "/v1/devices/T1/timeline"] {
            let (status, told) = self.site.call(self.site.request("GET", path).bearer_auth(API_KEY)).await;
            assert_eq!(status, 200, "{path}");
            self.shown.push(told.to_string());
        }
        let erase = json!({ "badge_number": PIN, "also": [CARD] });
        self.shown.push(self.post("/v1/employees/erase", erase.to_string()).await.1.to_string());
        let log = self.site.request("GET", "/v1/audit/export").bearer_auth(API_KEY).send().await.unwrap();
        let log = log.text().await.unwrap();
        assert!(log.contains("POST /v1/employees") && log.contains("PATCH /v1/devices"), "{log}");
        self.shown.push(log);
        self.shown.push(format!("{:?}", self.site.gateway));
    }
}

/// Production 4, design 10: proved from outside, at TRACE, for every thread of the process.
#[tokio::test(flavor = "multi_thread", worker_threads = 2)]
async fn no_person_and_no_secret_reaches_a_log_an_error_or_a_page() {
    let memory = Memory::default();
    let logging = tracing_subscriber::fmt().with_max_level(tracing::Level::TRACE).with_ansi(false);
    logging.with_writer(memory.clone()).try_init().expect("no other test of this binary logs");

    let (receiver, refusing) = (Recorder::always(200).await, Recorder::always(400).await);
    let dead = format!("http://{}/{URL_TOKEN}", quiet_addr());
    let site = Site::start(|config| config.api_key = Some(ApiKey::new(API_KEY.to_owned()))).await;
    let mut show = Show { site, shown: Vec::new() };
    for url in [receiver.url(), refusing.url(), dead] {
        let body = json!({ "url": url, "events": ["attendance.punch"], "secret": SECRET });
        assert_eq!(show.post("/v1/webhooks", body.to_string()).await.0, 201);
    }
    let employee = json!({ "badge_number": PIN, "name": NAME });
    assert_eq!(show.post("/v1/employees", employee.to_string()).await.0, 201);
    show.uploads().await;
    show.forwarded().await;
    show.calls().await;
    show.site.attempts(3).await;
    // Payloads are where the person belongs.
    let body = receiver.seen()[0].json();
    assert_eq!((&body["employee"]["badge_number"], &body["employee"]["name"]), (&json!(PIN), &json!(NAME)));
    show.refusals_and_pages().await;
    let Show { site, shown } = show;
    site.gateway.shut_down().await;

    let log = String::from_utf8(memory.0.lock().unwrap().clone()).unwrap();
    assert!(log.contains("upload stored") && log.contains("TRACE"), "the log was recorded");
    for word in [PIN, NAME, CARD, PASSWORD, TEMPLATE, SECRET, &SECRET[6..], API_KEY, URL_TOKEN, PATH_TOKEN] {
        for disguise in disguises(word) {
            let lines: Vec<&str> = log.lines().filter(|line| line.contains(&disguise)).collect();
            assert!(lines.is_empty(), "{word} is in the log as {disguise}: {lines:#?}");
            let shown: Vec<&String> = shown.iter().filter(|text| text.contains(&disguise)).collect();
            assert!(shown.is_empty(), "{word} is shown as {disguise}: {shown:#?}");
        }
    }
}
