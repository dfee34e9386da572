//! One person and one key go all the ways there are, at TRACE, and neither is in a log or in what is shown.

use std::io;
use std::sync::{Arc, Mutex};

use agent::{Forwarder, SpoolError};
use gateway::api::ApiKey;
use tracing_subscriber::fmt::MakeWriter;

use crate::harness::{Fault, Proxy, Site, answer, at, brisk, punch, serial};

const PIN: &str = "CANARYPIN7";
const WORK_CODE: &str = "CANARYWORK9";
const KEY: &str = "pk_canary_of_somebody";

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

/// What a canary looks like in text, as bytes in `Debug`, and in hex.
fn disguises(word: &str) -> [String; 3] {
    let list: Vec<String> = word.bytes().map(|byte| byte.to_string()).collect();
    [word.to_owned(), list.join(", "), word.bytes().map(|byte| format!("{byte:02x}")).collect()]
}

#[tokio::test]
async fn no_person_and_no_key_reaches_a_log() {
    let memory = Memory::default();
    let logging = tracing_subscriber::fmt().with_max_level(tracing::Level::TRACE).with_ansi(false);
    logging.with_writer(memory.clone()).try_init().expect("no other test of this binary logs");

    let site = Site::start().await;
    let mut row = punch("T1", PIN.as_bytes(), at("2026-03-28 08:00:00"), Some(0));
    row.work_code = Some(WORK_CODE.to_owned());
    let stranger = punch("STRANGER1", PIN.as_bytes(), at("2026-03-28 08:00:00"), Some(0));
    site.spool.put(vec![row, stranger]).await.unwrap();
    let mut shown = vec![format!("{:?} {:?}", site.spool, site.spool.batch(&serial("T1"), 10).await.unwrap().serial)];

    let courier = site.forward_to(&site.url(), KEY, brisk());
    let mut standing = courier.standing.clone();
    shown.push(format!("{:?}", *standing.wait_for(|standing| standing.refused.len() == 2).await.unwrap()));
    courier.stop().await;
    // Whoever answers in its stead repeats what it was sent.
    let echo = format!("{{\"error\":{{\"code\":\"{PIN}\",\"message\":\"{PIN} {KEY}\"}}}}");
    let faults =
        [Fault::LoseAnswer, answer("500 Oh", "", &echo), answer("400 Bad", "", &echo), answer("200 OK", "", &echo)];
    let proxy = Proxy::start(site.api_addr, faults).await;
    let courier = site.forward_to(&proxy.url(), crate::harness::KEY, brisk());
    crate::harness::eventually("the known terminal's row is forwarded", async || {
        let counts = site.spool.counts().await.unwrap();
        // It is said after the file knows it.
        let is_said = String::from_utf8_lossy(&memory.0.lock().unwrap()).contains("forwarded");
        (counts[&serial("T1")].waiting == 0 && proxy.faults_left() == 0 && is_said).then_some(())
    })
    .await;
    courier.stop().await;
    assert!(proxy.seen().iter().any(|request| request.contains(PIN) && request.contains(WORK_CODE)), "it was sent");

    let forwarder = Forwarder::new(&site.url(), &ApiKey::new(KEY.to_owned())).unwrap();
    let full = SpoolError::Full { waiting: 1, limit: 1 };
    shown.extend([format!("{forwarder:?}"), format!("{full} {full:?}")]);
    let log = String::from_utf8(memory.0.lock().unwrap().clone()).unwrap();
    for said in ["forwarded", "refused by the gateway", "cannot take them now", "TRACE"] {
        assert!(log.contains(said), "the log was recorded: {said}");
    }
    for word in [PIN, WORK_CODE, KEY, crate::harness::KEY] {
        for disguise in disguises(word) {
            let lines: Vec<&str> = log.lines().filter(|line| line.contains(&disguise)).collect();
            assert!(lines.is_empty(), "{word} is in the log as {disguise}: {lines:#?}");
            assert!(!shown.iter().any(|text| text.contains(&disguise)), "{word} is shown as {disguise}: {shown:#?}");
        }
    }
}
