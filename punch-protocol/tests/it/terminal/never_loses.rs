//! Whatever a server answers, no row is forgotten that it did not say `OK` to, and in the end all arrive.

use alloc::collections::BTreeSet;

use chrono::TimeDelta;
use proptest::collection::vec;
use proptest::prelude::*;
use punch_protocol::push::{HttpAnswer, Profile};

use super::{row, terminal};
use crate::random::at;

/// What servers, proxies and bad lines answer.
fn answers() -> impl Strategy<Value = (u16, Vec<u8>, bool)> {
    let bodies = prop_oneof![
        Just(b"OK".to_vec()),
        Just(b"OK: 3".to_vec()),
        Just(b"O".to_vec()),
        Just(Vec::new()),
        Just(b"<html>please log in</html>".to_vec()),
        Just(b"UNKNOWN DEVICE".to_vec()),
        Just(b"GET OPTION FROM: T1\nStamp=0\nOpStamp=0\n".to_vec()),
        Just(b"GET OPTION FROM: T1\nStamp=4294967295\nATTLOGStamp=9999\nServerVer=1\nTransFlag=1".to_vec()),
        Just(b"registry=ok\nRealtime=1\n".to_vec()),
        Just(b"RegistryCode=x".to_vec()),
        Just(b"C:1:CHECK\n".to_vec()),
        Just(b"C:1:REBOOT\nC:2:LOG\n".to_vec()),
        Just(b"C:1:DATA QUERY ATTLOG StartTime=2026-01-01 00:00:00\tEndTime=2027-01-01 00:00:00\n".to_vec()),
        Just(b"C:1:SET OPTION Realtime=0\nC:2:SET OPTION TransInterval=1\n".to_vec()),
        vec(any::<u8>(), 0..40),
    ];
    (prop_oneof![6 => Just(200_u16), 1 => Just(503), 1 => Just(302), 1 => Just(0)], bodies, any::<bool>())
}

/// Whether an attendance server has said `OK` to an upload, as generously as any firmware reads it.
fn agrees(status: u16, body: &[u8]) -> bool {
    status == 200 && body.windows(2).any(|pair| pair == b"OK")
}

fn family() -> impl Strategy<Value = Profile> {
    let live = |mut profile: Profile, live| {
        profile.live_first = live;
        profile
    };
    let profiles = prop_oneof![Just(Profile::attendance()), Just(Profile::classic()), Just(Profile::access_control())];
    (profiles, any::<bool>()).prop_map(move |(profile, first)| live(profile, first))
}

/// What a helpful server answers to a request.
fn helpful(target: &str) -> &'static [u8] {
    if target.contains("options=all") && target.contains("acc") {
        b"registry=ok\nRealtime=1\n"
    } else if target.contains("options=all") {
        b"GET OPTION FROM: T1\nRealtime=1\n"
    } else if target.contains("/registry") {
        b"RegistryCode=x"
    } else if target.contains("/push") {
        b"Realtime=1\n"
    } else {
        b"OK"
    }
}

proptest! {
    #[test]
    fn a_row_stays_until_the_server_agrees(
        profile in family(),
        script in vec((answers(), 0_u32..3), 1..60),
        batch in 1_usize..5,
    ) {
        let mut terminal = terminal(profile).with_batch(batch);
        let (mut now, mut made) = (at(0), 0_u32);
        let mut agreed: BTreeSet<Vec<u8>> = BTreeSet::new();
        let mut all: BTreeSet<Vec<u8>> = BTreeSet::new();
        for ((status, body, plain), punches) in script {
            for _ in 0..punches {
                made += 1;
                let row = row(&made.to_string(), "08:00:00");
                prop_assert!(terminal.remember(row.clone()));
                all.insert(row);
            }
            let Some(request) = terminal.poll_request(now) else {
                now = terminal.poll_timeout().expect("a time to go on").max(now + TimeDelta::milliseconds(1));
                continue;
            };
            if agrees(status, &body) && (request.target.contains("ATTLOG") || request.target.contains("rtlog")) {
                agreed.extend(request.body.split(|byte| *byte == b'\n').map(<[u8]>::to_vec));
            }
            let mut answer = HttpAnswer::new(status, &body);
            answer.content_type = plain.then_some("text/plain");
            terminal.handle_response(answer, now);
            let (acknowledged, _) = terminal.counts();
            let forgotten = all.len() - terminal.pending();
            prop_assert_eq!(acknowledged, u64::try_from(forgotten).unwrap());
            prop_assert!(all.iter().filter(|row| agreed.contains(*row)).count() >= forgotten);
        }
        // In the end somebody repairs the server: the terminal is told to start over, and every row arrives.
        let mut arrived = agreed;
        for _ in 0..2000 {
            if terminal.pending() == 0 {
                break;
            }
            let Some(request) = terminal.poll_request(now) else {
                now = terminal.poll_timeout().expect("a time to go on").max(now + TimeDelta::milliseconds(1));
                continue;
            };
            arrived.extend(request.body.split(|byte| *byte == b'\n').map(<[u8]>::to_vec));
            let polls = request.target.contains("getrequest");
            terminal.handle_answer(200, if polls { b"UNKNOWN DEVICE" } else { helpful(&request.target) }, now);
        }
        prop_assert_eq!(terminal.pending(), 0);
        prop_assert!(all.is_subset(&arrived));
    }

    /// Nothing a server says makes a terminal stop, or go without a pause.
    #[test]
    fn a_terminal_goes_on_whatever_it_hears(profile in family(), script in vec(answers(), 1..200)) {
        let mut terminal = terminal(profile);
        let mut now = at(0);
        for (status, body, _) in script {
            match terminal.poll_request(now) {
                Some(_) => terminal.handle_answer(status, &body, now),
                None => {
                    let next = terminal.poll_timeout().expect("a time to go on");
                    prop_assert!(next > now, "a terminal that does not wait");
                    now = next;
                }
            }
        }
    }
}
