//! The same promise with two gateways over one PostgreSQL, one of which is always being killed.

use std::collections::BTreeSet;
use std::net::{Ipv4Addr, SocketAddr};
use std::sync::Arc;
use std::sync::atomic::{AtomicBool, Ordering};
use std::time::Duration;

use chrono::TimeDelta;
use punch_normalize::TenantKey;
use punch_protocol::SerialNumber;
use punch_protocol::push::Terminal;
use punch_webhook::Secret;
use simulator::cluster::Cluster;
use simulator::receiver::{Receiver, Script};
use simulator::terminal::Behaviour;
use simulator::world::{Dice, quiet_addr};
use tokio::sync::mpsc;

use crate::command::PATIENCE;
use crate::kill::{end, kills, punches, start, write_config};

const SERIALS: [&str; 2] = ["KILL1", "KILL2"];

/// Of the kills of one gateway alone these are a fifth: after each the other one waits for the end of a lease.
const SHARE: u32 = 5;

/// S0-010, S2-015: `kill -9` of one of two gateways at random instants, while two terminals punch and a receiver listens.
#[tokio::test(flavor = "multi_thread", worker_threads = 2)]
async fn two_gateways_of_which_one_is_always_killed_lose_nothing_and_rename_nothing() {
    let Some(cluster) = Cluster::start().unwrap() else { return };
    let folder = tempfile::tempdir().unwrap();
    let mut dice = Dice::new(20_261_130);
    let secret = Secret::from_random([9; 32]);
    let loopback = SocketAddr::from((Ipv4Addr::LOCALHOST, 0));
    let script = Script { replies: Vec::new(), delay: Duration::from_millis(3) };
    let (receiver, _arrivals) = Receiver::start(loopback, &secret, script).await.unwrap();
    let config = write_config(folder.path(), &cluster.url(), &SERIALS, receiver.addr, &secret);
    let addrs = [quiet_addr(), quiet_addr()];

    let stop = Arc::new(AtomicBool::new(false));
    let (mut terminals, mut people) = (Vec::new(), Vec::new());
    for (serial, addr) in SERIALS.into_iter().zip(addrs) {
        let (sender, happenings) = mpsc::channel(64);
        let server = format!("http://{addr}");
        let behaviour =
            Behaviour { server, error_delay: TimeDelta::milliseconds(15), patience: PATIENCE, ca_file: None };
        let terminal = Terminal::new(SerialNumber::parse(serial).unwrap()).with_batch(20);
        terminals.push(tokio::spawn(simulator::terminal::run(terminal, behaviour, happenings)));
        people.push(tokio::spawn(punches(serial, Arc::clone(&stop), sender)));
    }
    let mut gateways = addrs.map(|addr| Some(start(&config, addr)));
    for _ in 0..kills() / SHARE {
        let victim = usize::try_from(dice.below(2)).unwrap();
        tokio::time::sleep(Duration::from_millis(100 + dice.below(400))).await;
        gateways[victim].take().unwrap().kill();
        gateways[victim] = Some(start(&config, addrs[victim]));
    }
    stop.store(true, Ordering::Relaxed);
    let mut punched = Vec::new();
    for people in people {
        punched.extend(people.await.unwrap());
    }
    let mut refused = 0;
    for terminal in terminals {
        let achieved = tokio::time::timeout(PATIENCE, terminal).await.expect("the terminals get rid of their rows");
        refused += achieved.unwrap().unwrap().refused;
    }

    let (client, connection) = tokio_postgres::connect(&cluster.url(), tokio_postgres::NoTls).await.unwrap();
    tokio::spawn(connection);
    let key = client.query_one("SELECT value FROM meta WHERE key = 'tenant_key'", &[]).await.unwrap();
    let key = TenantKey::new(key.get::<_, Vec<u8>>(0).try_into().unwrap());
    let expected: BTreeSet<String> = punched.iter().map(|punch| key.event_id(punch).to_string()).collect();
    assert_eq!(expected.len(), punched.len(), "every punch is one of its own");
    let all_arrived = async {
        while receiver.accepted().len() < expected.len() {
            tokio::time::sleep(Duration::from_millis(20)).await;
        }
    };
    assert!(tokio::time::timeout(PATIENCE, all_arrived).await.is_ok(), "acknowledged punches did not arrive");
    gateways.into_iter().flatten().for_each(end);
    let accepted = receiver.accepted();
    assert_eq!(accepted.keys().cloned().collect::<BTreeSet<_>>(), expected);
    let rows = client.query_one("SELECT count(*) FROM row WHERE fate = 'delivered'", &[]).await.unwrap();
    assert_eq!(usize::try_from(rows.get::<_, i64>(0)).unwrap(), punched.len());
    let repeated = accepted.values().filter(|times| **times > 1).count();
    eprintln!("{} kills, {} punches, {repeated} events sent more than once", kills() / SHARE, punched.len());
    assert!(refused > 0 && punched.len() > 200, "the kills hit something");
}
