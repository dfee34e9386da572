//! Punches that somebody else has read from a terminal: the same identities as by push, in either order.

use gateway::core::Received;
use proptest::prelude::*;
use punch_normalize::TenantKey;
use punch_protocol::{Pin, RawPunch, SerialNumber, Status, civil};
use serde_json::{Value, json};

use crate::api::check_error;
use crate::harness::{API_KEY, Recorder, Site};

const PATH: &str = "/v1/devices/T1/punches";

impl Site {
    async fn forward(&self, path: &str, body: impl Into<reqwest::Body>) -> (u16, Value) {
        let request = self.request("POST", path).bearer_auth(API_KEY).header("Content-Type", "application/x-ndjson");
        self.call(request.body(body)).await
    }

    /// Forwards rows of `T1`, which must be taken: received, delivered, suppressed, held, replayed.
    async fn taken(&self, body: impl Into<reqwest::Body>) -> [u64; 5] {
        let (status, answer) = self.forward(PATH, body).await;
        assert_eq!(status, 200, "{answer}");
        assert!(answer["meta"]["request_id"].as_str().unwrap().starts_with("req_"), "{answer}");
        ["received", "delivered", "suppressed", "held", "replayed"].map(|key| answer["data"][key].as_u64().unwrap())
    }
}

fn row(pin: &str, time: &str, state: Option<u16>) -> String {
    json!({ "pin": pin, "time": time, "state": state, "verify": 1 }).to_string()
}

/// The id of a punch by design: of the serial, the PIN's bytes, the civil time and the state.
async fn id_of(site: &Site, pin: &[u8], time: &str, state: Option<u16>) -> String {
    let key: Vec<u8> = site.ask("SELECT value FROM meta WHERE key = 'tenant_key'").await;
    let key = TenantKey::new(key.try_into().unwrap());
    let time = civil::parse(time.replace('T', " ").as_bytes()).unwrap();
    let mut punch = RawPunch::new(SerialNumber::parse("T1").unwrap(), Pin::new(pin).into_owned(), time);
    punch.status = state.map(Status);
    key.event_id(&punch).to_string()
}

/// A week of two people, as lines of each path.
fn week() -> (String, String) {
    let (mut pushed, mut forwarded) = (String::new(), String::new());
    for day in 23..28 {
        for (pin, state, clock) in [("0042", 0, "08:00:01"), ("A-77b", 1, "17:30:00"), ("0042", 255, "17:45:59")] {
            pushed += &format!("{pin}\t2026-03-{day} {clock}\t{state}\t1\t0\n");
            let state = Some(state).filter(|state| *state != 255);
            forwarded += &format!("{}\n", row(pin, &format!("2026-03-{day}T{clock}"), state));
        }
    }
    (pushed, forwarded)
}

/// Design 5: a row seen by push and again by TCP pull has one id. Whichever comes first, nothing is doubled.
#[tokio::test]
async fn a_punch_that_came_by_push_and_is_forwarded_is_one_punch_in_either_order() {
    let (pushed, forwarded) = week();
    for order in ["push first", "push second", "both at once"] {
        let receiver = Recorder::always(200).await;
        let site = Site::delivering_to(&receiver).await;
        match order {
            "push first" => {
                site.punch(&pushed).await;
                assert_eq!(site.taken(forwarded.clone()).await, [15, 0, 0, 0, 15]);
            }
            "push second" => {
                assert_eq!(site.taken(forwarded.clone()).await, [15, 15, 0, 0, 0]);
                site.punch(&pushed).await;
            }
            _ => {
                let ([received, delivered, .., replayed], ()) =
                    tokio::join!(site.taken(forwarded.clone()), site.punch(&pushed));
                assert_eq!((received, delivered + replayed), (15, 15));
            }
        }
        assert_eq!(site.taken(forwarded.clone()).await, [15, 0, 0, 0, 15], "and again");
        site.delivered_all().await;
        assert_eq!((receiver.seen().len(), receiver.event_ids().len()), (15, 15));
        assert_eq!(site.ask::<i64>("SELECT count(*) FROM row").await, 15);
        let id = id_of(&site, b"0042", "2026-03-23T08:00:01", Some(0)).await;
        assert!(receiver.event_ids().contains(&id), "the documented id");
    }
}

#[tokio::test]
async fn lines_and_an_array_say_the_same_and_other_members_are_not_kept() {
    let site = Site::start(|_| ()).await;
    let full = json!({
        "pin": "1001", "time": "2026-03-28T08:47:12", "state": 0, "verify": 15, "work_code": "7", "serial": "T1",
        "event_id": 12, "name": "Somebody", "template": ["QUJD"], "live": true,
    });
    let bare = json!({ "pin": "1002", "time": "2026-03-28T08:47:13" });
    assert_eq!(site.taken(format!("\r\n{full}\r\n\n {bare} \n")).await, [2, 2, 0, 0, 0]);
    assert_eq!(site.taken(json!([full, bare]).to_string()).await, [2, 0, 0, 0, 2]);
    assert_eq!(site.taken(format!("  [\n{full} ,\n{bare}\n]\n")).await, [2, 0, 0, 0, 2]);
    for nothing in ["", "\n\n", "[]"] {
        assert_eq!(site.taken(nothing).await, [0; 5], "{nothing:?}");
    }
    // What is kept is the row as the terminal would have pushed it.
    let raw = site.raw("SELECT raw FROM row ORDER BY seq").await;
    assert_eq!(raw, ["1001\t2026-03-28 08:47:12\t0\t15\t7", "1002\t2026-03-28 08:47:13\t\t\t"]);
    let columns = site.ask_all("SELECT coalesce(CAST(status AS TEXT), '-') || ' ' || coalesce(CAST(verify AS TEXT), '-') || ' ' || coalesce(work_code, '-') FROM row ORDER BY seq");
    assert_eq!(columns.await, ["0 15 7", "- - -"]);
    // By push they are known too.
    site.punch(&format!("{}\n{}\n", raw[0], raw[1])).await;
    assert_eq!(site.ask::<i64>("SELECT count(*) FROM row").await, 2);
}

/// One row that cannot be read is held with its bytes and a reason that names the line and the member; the others pass.
#[tokio::test]
async fn a_row_that_cannot_be_read_is_held_and_costs_no_neighbour() {
    let good = |number: usize| row(&format!("N{number}"), "2026-03-28T08:00:00", Some(0));
    let time = "2026-03-28T08:00:00";
    let long = "9".repeat(Received::RAW_LIMIT);
    let cases = [
        ("junk".to_owned(), "JSON object"),
        ("7".to_owned(), "JSON object"),
        (r#"["1","2026-03-28T08:00:00",0,1,null,null]"#.to_owned(), "JSON object"),
        (r#"{"pin":"1","pin":"2","time":"2026-03-28T08:00:00"}"#.to_owned(), "JSON object"),
        (json!({ "time": time }).to_string(), "`pin` is missing"),
        (json!({ "pin": 1042, "time": time }).to_string(), "`pin` is a number, expected a text"),
        (json!({ "pin": "a\\q", "time": time }).to_string(), "`pin`"),
        (json!({ "pin": "1" }).to_string(), "`time` is missing"),
        (json!({ "pin": "1", "time": 1_774_684_800 }).to_string(), "`time` is a number"),
        (json!({ "pin": "1", "time": "2026-03-28 08:00:00" }).to_string(), "YYYY-MM-DDThh:mm:ss"),
        (json!({ "pin": "1", "time": "2026-03-28T08:00:00Z" }).to_string(), "YYYY-MM-DDThh:mm:ss"),
        (json!({ "pin": "1", "time": "2026-02-30T08:00:00" }).to_string(), "`time`: time names a day"),
        (json!({ "pin": "1", "time": time, "state": "0" }).to_string(), "`state` is a text"),
        (json!({ "pin": "1", "time": time, "state": 65_536 }).to_string(), "`state` is a number, expected a whole"),
        (json!({ "pin": "1", "time": time, "state": 0.5 }).to_string(), "`state`"),
        (json!({ "pin": "1", "time": time, "verify": -1 }).to_string(), "`verify`"),
        (json!({ "pin": "1", "time": time, "work_code": [7] }).to_string(), "`work_code` is an array"),
        (json!({ "pin": "1", "time": time, "serial": "T2" }).to_string(), "`serial` names another terminal"),
        (json!({ "pin": "1", "time": time, "serial": 7 }).to_string(), "`serial` is a number"),
        (json!({ "pin": "1", "time": time, "x": long }).to_string(), "longer than 4096 bytes"),
    ];
    let site = Site::start(|_| ()).await;
    let body: String = cases.iter().enumerate().map(|(at, (bad, _))| format!("{}\n{bad}\n", good(at))).collect();
    let count = cases.len() as u64;
    assert_eq!(site.taken(body.clone()).await, [2 * count, count, 0, count, 0]);
    let held = site.ask_all("SELECT reason || ' ' || problem FROM row WHERE fate = 'held' ORDER BY seq").await;
    assert_eq!(held.len(), cases.len());
    for (at, ((_, expected), found)) in cases.iter().zip(&held).enumerate() {
        assert!(found.starts_with(&format!("malformed line {}: ", 2 * at + 2)), "{found}");
        assert!(found.contains(expected), "{found}, expected {expected}");
    }
    let kept = site.raw("SELECT raw FROM row WHERE fate = 'held' ORDER BY seq").await;
    for ((bad, _), kept) in cases.iter().zip(&kept) {
        assert_eq!(kept, bad.get(..Received::RAW_LIMIT).unwrap_or(bad));
    }
    // Again: nothing is entered twice. In an array the bad ones are counted as rows.
    site.taken(body).await;
    let second = format!("[{},{},{{}}]", good(0), good(1));
    assert_eq!(site.taken(second).await, [3, 0, 0, 1, 2]);
    let problem = site.ask_all("SELECT problem FROM row ORDER BY seq DESC LIMIT 1").await;
    assert!(problem[0].starts_with("row 3: `pin` is missing"), "{problem:?}");
    assert_eq!(site.ask::<i64>("SELECT count(*) FROM row").await, i64::try_from(2 * count + 1).unwrap());
}

#[tokio::test]
async fn a_body_that_is_no_json_is_refused_and_leaves_nothing() {
    let site = Site::start(|_| ()).await;
    let cut = format!("[{},", row("1", "2026-03-28T08:00:00", Some(0)));
    for body in
        [b"hello\nworld\n".to_vec(), cut.into_bytes(), vec![0xff, 0xfe], b"1001\t2026-03-28 08:47:12\t0".to_vec()]
    {
        let (status, answer) = site.forward(PATH, body).await;
        assert_eq!((status, &answer["error"]["field"]), (400, &json!("body")));
        check_error(&answer, "validation_failed");
    }
    for (path, field) in [("/v1/devices/BAD%20SN/punches", "serial"), ("/v1/devices/T1/punches?live=maybe", "live")] {
        let (status, answer) = site.forward(path, row("1", "2026-03-28T08:00:00", Some(0))).await;
        assert_eq!((status, &answer["error"]["field"]), (400, &json!(field)));
    }
    assert_eq!(site.ask::<i64>("SELECT count(*) FROM row").await, 0);
}

/// The rule of the device listener: remembered as pending, nothing kept, and let in once it is approved.
#[tokio::test]
async fn an_unknown_or_blocked_terminal_is_refused_with_the_cure() {
    let site = Site::start(|_| ()).await;
    let (path, body) = ("/v1/devices/NEW1/punches", row("1001", "2026-03-28T08:00:00", Some(0)));
    for _ in 0..2 {
        let (status, answer) = site.forward(path, body.clone()).await;
        assert_eq!(status, 409);
        check_error(&answer, "device_not_approved");
        let message = answer["error"]["message"].as_str().unwrap();
        assert!(message.contains("POST /v1/devices") && message.contains("nothing was done"), "{message}");
    }
    let (_, devices) = site.get("/v1/devices").await;
    assert_eq!(devices["data"][0]["serial_number"], "NEW1");
    assert_eq!(devices["data"][0]["admission"], "pending");
    assert_eq!(site.ask::<i64>("SELECT count(*) FROM row").await, 0);
    site.post("/v1/devices", json!({ "serial_number": "NEW1" })).await;
    assert_eq!(site.forward(path, body.clone()).await.0, 200);
    assert_eq!(site.fates().await, ["delivered"]);

    let block = site.gateway.store().write(|tx| {
        tx.execute("UPDATE device SET admission = 'blocked' WHERE serial = 'NEW1'", &[])?;
        Ok(())
    });
    block.await.unwrap();
    let site = site.restart(|_| ()).await;
    let (status, answer) = site.forward(path, body).await;
    assert_eq!(status, 409);
    check_error(&answer, "device_not_approved");
    assert!(answer["error"]["message"].as_str().unwrap().contains("blocked"));
}

#[tokio::test]
async fn as_many_rows_and_bytes_as_the_limits_say_are_taken_and_no_more() {
    let site = Site::start(|_| ()).await;
    let rows = |count: usize| -> String {
        (0..count).map(|number| format!("{{\"pin\":\"{number}\",\"time\":\"2026-03-28T08:00:00\"}}\n")).collect()
    };
    let most = Received::FORWARDED_ROWS;
    let (status, answer) = site.forward(PATH, rows(most + 1)).await;
    assert_eq!(status, 413);
    check_error(&answer, "too_large");
    assert_eq!(site.ask::<i64>("SELECT count(*) FROM row").await, 0);
    assert_eq!(site.taken(rows(most)).await, [most as u64, most as u64, 0, 0, 0]);

    let padded = |len: usize| format!("{}{}", rows(1), " ".repeat(len - rows(1).len()));
    let (status, answer) = site.forward(PATH, padded(Received::FORWARDED_BODY + 1)).await;
    assert_eq!(status, 413);
    check_error(&answer, "too_large");
    assert_eq!(site.taken(padded(Received::FORWARDED_BODY)).await, [1, 0, 0, 0, 1]);
}

#[tokio::test]
async fn a_terminal_whose_punches_are_forwarded_was_seen() {
    let site = Site::start(|_| ()).await;
    let seen = async || site.get("/v1/devices").await.1["data"][0]["last_seen"].clone();
    assert_eq!(seen().await, Value::Null);
    site.taken(row("1", "2026-03-28T08:00:00", Some(0))).await;
    let first = seen().await;
    assert!(first.is_string(), "{first}");
    site.punch("1\t2026-03-28 09:00:00\t0\t1\n").await;
    assert!(seen().await.as_str() > first.as_str());
}

proptest! {
    /// Whatever bytes a PIN has, its text brings them back; whatever a line is, it becomes one row.
    #[test]
    fn a_pin_arrives_byte_for_byte(pin in proptest::collection::vec(any::<u8>(), 0..24)) {
        let serial = SerialNumber::parse("T1").unwrap();
        let pin = Pin::new(&pin).into_owned();
        let body = row(&pin.to_text(), "2026-03-28T08:00:00", None);
        let received = Received::forwarded(serial, body.as_bytes(), false, chrono::DateTime::UNIX_EPOCH).unwrap();
        let [gateway::core::ReceivedRow::Punch { punch, .. }] = received.rows.as_slice() else {
            panic!("{received:?}")
        };
        prop_assert_eq!(&punch.pin, &pin);
    }
}
