//! Terminals that misbehave, in the three firmware families: what must be taken is taken, what must not is not, and
//! the rows of an honest person between the mischief are stored once.

use core::time::Duration;
use std::collections::BTreeSet;

use punch_protocol::push::{Hostile, Mischief, Profile, Terminal};
use punch_protocol::{Pin, RawPunch, SerialNumber, Status, Verify};
use simulator::terminal::{Achieved, Behaviour, Happening, Play, play};
use tokio::sync::mpsc;

use crate::harness::{Site, device};

const PUNCHES: u32 = 12;

fn punch(serial: &SerialNumber, number: u32) -> RawPunch {
    let time = chrono::DateTime::from_timestamp(1_774_684_000 + i64::from(number) * 90, 0).unwrap().naive_utc();
    let pin = Pin::new(format!("{}", 1000 + number).as_bytes()).into_owned();
    let mut punch = RawPunch::new(serial.clone(), pin, time);
    (punch.status, punch.verify) = (Some(Status::CHECK_IN), Some(Verify::FACE));
    punch
}

async fn perform(site: &Site, serial: &str, profile: Profile, mischief: Mischief) -> Achieved {
    let serial = SerialNumber::parse(serial).unwrap();
    let terminal = Terminal::with_profile(serial.clone(), profile).with_batch(5);
    let (sender, happenings) = mpsc::channel(64);
    for number in 0..PUNCHES {
        sender.send(Happening::Punch(Box::new(punch(&serial, number)))).await.unwrap();
    }
    drop(sender);
    let mut behaviour = Behaviour::new(format!("http://{}", site.gateway.device_addr));
    behaviour.patience = Duration::from_secs(300);
    let hostile = Some(Hostile::new([mischief], 7));
    let act = Play { hostile, stay: Duration::from_secs(1), once: false };
    play(terminal, behaviour, act, happenings).await.unwrap()
}

/// Every kind of mischief at once, each from a terminal of its own.
async fn everything(family: &'static str, profile: fn() -> Profile) {
    let serials: Vec<String> = (0..Mischief::ALL.len()).map(|index| format!("{family}{index}")).collect();
    let site = Site::start(|config| config.devices = serials.iter().map(|serial| device(serial)).collect()).await;
    let acts = serials.iter().zip(Mischief::ALL).map(|(serial, mischief)| perform(&site, serial, profile(), mischief));
    let achieved = futures_util::future::join_all(acts).await;
    let mut bent = BTreeSet::new();
    for (achieved, mischief) in achieved.iter().zip(Mischief::ALL) {
        let name = mischief.name();
        assert_eq!((achieved.sent, achieved.acknowledged), (12, 12), "{family} {name}: {achieved:?}");
        assert!(achieved.unfair.is_empty(), "{family} {name}: {achieved:?}");
        assert!(achieved.bent == 0 || bent.insert(name), "{name}");
    }
    assert!(bent.len() + 4 >= Mischief::ALL.len(), "{family}: only {bent:?} were put to the test");
    for serial in &serials {
        let sql = format!(
            "SELECT count(*) FROM row WHERE serial = '{serial}' AND fate = 'delivered' AND person BETWEEN '1000' AND '1011'"
        );
        let kept = site.gateway.store().read(move |connection| connection.value::<i64>(&sql, &[]));
        assert_eq!(kept.await.unwrap(), i64::from(PUNCHES), "{serial}");
    }
}

#[tokio::test(flavor = "multi_thread", worker_threads = 2)]
async fn mischief_of_attendance_terminals() {
    everything("ATT", Profile::attendance).await;
}

#[tokio::test(flavor = "multi_thread", worker_threads = 2)]
async fn mischief_of_classic_terminals() {
    everything("OLD", Profile::classic).await;
}

#[tokio::test(flavor = "multi_thread", worker_threads = 2)]
async fn mischief_of_access_terminals() {
    everything("ACC", Profile::access_control).await;
}
