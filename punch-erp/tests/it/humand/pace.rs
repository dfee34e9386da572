//! When the next request may go.

use bytes::Bytes;
use chrono::{DateTime, TimeDelta, Utc};
use http::{Request, Response};
use punch_erp::humand::{Humand, Pace};
use punch_erp::{HttpRequest, HttpResponse};

use super::world::{HumandConfig, HumandStandIn, KEY, settings};

fn pace(rate: u16) -> Pace {
    let mut settings = settings();
    settings.rate_per_minute = rate;
    Humand::new(settings).unwrap().pace()
}

fn request(method: &str) -> HttpRequest {
    let request = Request::builder().method(method).uri("https://api-prod.humand.co/public/api/v1/users");
    request.header("authorization", format!("Basic {KEY}")).body(Bytes::new()).unwrap()
}

fn seconds(seconds: i64) -> DateTime<Utc> {
    DateTime::UNIX_EPOCH + TimeDelta::seconds(seconds)
}

fn answer(status: u16, headers: &[(&str, &str)]) -> HttpResponse {
    let response =
        headers.iter().fold(Response::builder().status(status), |it, (name, value)| it.header(*name, *value));
    response.body(Bytes::new()).unwrap()
}

/// 45 writes and 5 looks in a minute, however fast they come, and the wait it says is the right one.
#[test]
fn no_minute_has_more_than_it_may() {
    for (rate, writes, all) in [(45, 45, 50), (50, 50, 50), (9, 9, 10), (1, 1, 2)] {
        let (mut pace, mut sent, mut now) = (pace(rate), Vec::new(), seconds(0));
        while sent.len() < 300 {
            match pace.take(&request("POST"), now) {
                Ok(()) => sent.push(now),
                Err(wait) => {
                    assert!(wait > TimeDelta::zero() && wait <= TimeDelta::seconds(60));
                    assert!(pace.clone().take(&request("POST"), now + wait - TimeDelta::milliseconds(1)).is_err());
                    now += wait;
                }
            }
            now += TimeDelta::milliseconds(170);
        }
        for window in sent.windows(writes + 1) {
            assert!(*window.last().unwrap() - window[0] >= TimeDelta::seconds(60), "{rate}");
        }
        let looks = (0..).take_while(|_| pace.take(&request("GET"), now).is_ok()).count();
        assert!(looks >= all - writes, "{rate}: {looks}");
    }
}

/// What the server says is left counts, until it says the window ends.
#[test]
fn the_server_knows_better() {
    let mut pace = pace(45);
    pace.observe(&answer(201, &[("RateLimit", "limit=50, remaining=6, reset=30")]), seconds(0));
    assert_eq!(pace.take(&request("POST"), seconds(0)), Ok(()));
    // The rest is for looking.
    assert_eq!(pace.take(&request("POST"), seconds(10)), Err(TimeDelta::seconds(20)));
    for _ in 0..5 {
        assert_eq!(pace.take(&request("GET"), seconds(10)), Ok(()));
    }
    assert_eq!(pace.take(&request("GET"), seconds(10)), Err(TimeDelta::seconds(20)));
    assert_eq!(pace.take(&request("POST"), seconds(30)), Ok(()));
}

/// HUM-21, HUM-22: after 429 nothing goes for as long as it says.
#[test]
fn after_429() {
    for (headers, wait) in [
        (&[("Retry-After", "42"), ("RateLimit", "limit=50, remaining=0, reset=17")][..], 42),
        (&[("RateLimit", "limit=50, remaining=0, reset=17")][..], 17),
        (&[][..], 60),
    ] {
        let mut pace = pace(45);
        pace.observe(&answer(429, headers), seconds(0));
        assert_eq!(pace.take(&request("GET"), seconds(1)), Err(TimeDelta::seconds(wait - 1)));
        // An older answer that comes later does not open the door.
        pace.observe(&answer(429, &[("Retry-After", "1")]), seconds(1));
        assert!(pace.take(&request("GET"), seconds(wait - 1)).is_err());
        assert_eq!(pace.take(&request("GET"), seconds(wait)), Ok(()));
    }
}

/// A clock that is set back does not stop everything.
#[test]
fn a_clock_set_back() {
    let mut pace = pace(45);
    for _ in 0..45 {
        assert_eq!(pace.take(&request("POST"), seconds(3600)), Ok(()));
    }
    assert_eq!(pace.take(&request("POST"), seconds(0)), Ok(()));
}

/// Against a server that counts: never refused, and a backlog of 1,000 takes the time it must.
#[test]
fn a_backlog_is_never_refused() {
    let mut server = HumandStandIn::new(HumandConfig::new(KEY));
    let (mut pace, mut now) = (pace(45), seconds(0));
    for number in 0..1000 {
        let request = request(if number % 10 == 0 { "GET" } else { "POST" });
        while let Err(wait) = pace.take(&request, now) {
            now += wait;
        }
        let answer = server.answer(&request, now);
        assert_ne!(answer.status(), 429, "{number}");
        pace.observe(&answer, now);
        now += TimeDelta::milliseconds(120);
    }
    let took = now - seconds(0);
    assert!((TimeDelta::minutes(20)..TimeDelta::minutes(24)).contains(&took), "{took}");
}
