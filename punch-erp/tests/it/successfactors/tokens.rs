//! How a flow comes to its token.

use chrono::TimeDelta;
use punch_erp::successfactors::{Auth, RequestToken, Session, SuccessFactors, SuccessFactorsSettings, Token};
use punch_erp::{CallError, Endpoint as _, HttpResponse};

use super::world::{CLIENT, SuccessFactorsFault, World, alice, settings, words};

fn token_calls(world: &World) -> usize {
    world.server.calls().iter().filter(|call| call.contains("/oauth")).count()
}

#[test]
fn one_token_serves_until_a_minute_before_its_end() {
    let mut world = World::new();
    for (number, time) in ["08:00:00", "09:00:00", "10:00:00"].into_iter().enumerate() {
        assert_eq!(words(&world.write(&[alice(time, "in")])), ["applied"]);
        assert_eq!(token_calls(&world), 1, "{number}");
    }
    // Three attempts of 300 s each went by.
    assert_eq!(world.session.token_is_good_for(world.now), Some(TimeDelta::seconds(3540 - 900)));
    world.now += TimeDelta::seconds(3540 - 900);
    assert_eq!(world.session.token_is_good_for(world.now), None);
    world.write(&[alice("11:00:00", "in")]);
    assert_eq!(token_calls(&world), 2);
}

/// SF-08: refreshed once, then it is over for this attempt.
#[test]
fn a_refused_token_is_renewed_once() {
    let mut world = World::new();
    world.write(&[alice("08:00:00", "in")]);
    world.server.fail_next([SuccessFactorsFault::TokensEnd]);
    assert_eq!(words(&world.write(&[alice("09:00:00", "out")])), ["applied"]);
    assert_eq!((token_calls(&world), world.server.writes()), (2, 3));
    world.server.fail_next([SuccessFactorsFault::TokensEnd, SuccessFactorsFault::None, SuccessFactorsFault::TokensEnd]);
    assert_eq!(words(&world.write(&[alice("10:00:00", "in")])), ["unauthorized"]);
    assert_eq!((token_calls(&world), world.server.writes()), (3, 5));
    // And the next attempt begins anew.
    assert_eq!(words(&world.write(&[alice("10:00:00", "in")])), ["applied"]);
    assert_eq!(world.records().len(), 3);
}

/// A fresh token that is refused is not asked for again: it would be the same.
#[test]
fn a_fresh_token_is_not_renewed() {
    let mut world = World::new();
    world.server.fail_next([SuccessFactorsFault::None, SuccessFactorsFault::TokensEnd]);
    assert_eq!(words(&world.write(&[alice("08:00:00", "in")])), ["unauthorized"]);
    assert_eq!((token_calls(&world), world.server.writes()), (1, 1));
}

#[test]
fn the_token_service_refuses_or_fails() {
    for (fault, word) in [
        (SuccessFactorsFault::DropBefore, "no_answer"),
        (SuccessFactorsFault::Portal, "unreadable"),
        (SuccessFactorsFault::Firewall, "unreadable"),
        (SuccessFactorsFault::Redirect, "redirected"),
        (SuccessFactorsFault::TooManyRequests(Some(9)), "busy"),
        (SuccessFactorsFault::Maintenance(60), "busy"),
        (SuccessFactorsFault::Failure, "unavailable"),
    ] {
        let mut world = World::new();
        world.server.fail_next([fault]);
        assert_eq!(words(&world.write(&[alice("08:00:00", "in")])), [word], "{fault:?}");
        assert_eq!(words(&world.write(&[alice("08:00:00", "in")])), ["applied"]);
    }
    let mut world = World::new();
    world.server.config_mut().client_secret = "another".to_owned();
    assert_eq!(words(&world.write(&[alice("08:00:00", "in")])), ["unauthorized"]);
    assert_eq!(world.server.writes(), 0);
    world.server.config_mut().dependency = "OTHER".to_owned();
    assert_eq!(words(&world.write(&[alice("08:00:00", "in")])), ["unauthorized"]);
}

#[test]
fn two_steps() {
    let mut two = settings();
    two.ias_two_step = true;
    let mut world = World::with(two);
    world.server.config_mut().two_step = true;
    assert_eq!(words(&world.write(&[alice("08:00:00", "in")])), ["applied"]);
    assert_eq!(token_calls(&world), 2);
    world.server.fail_next([SuccessFactorsFault::TokensEnd]);
    assert_eq!(words(&world.write(&[alice("09:00:00", "out")])), ["applied"]);
    assert_eq!(token_calls(&world), 4);
}

/// An assertion serves for one token; then another one is needed, and it is said so.
#[test]
fn saml() {
    let plain = SuccessFactorsSettings::new("https://api55.sapsf.eu", "P10", "P20");
    let mut world = World::with(plain.with_saml("ACME", CLIENT));
    assert_eq!(words(&world.write(&[alice("08:00:00", "in")])), ["no_token"]);
    assert!(world.server.calls().is_empty());
    world.server.config_mut().assertions = vec!["PHNhbWw+Lz4=".to_owned(), "second+/==".to_owned()];
    world.session = world.session.clone().with_assertion("PHNhbWw+Lz4=");
    // An answer that is lost costs nothing: the assertion is kept.
    world.server.fail_next([SuccessFactorsFault::DropBefore]);
    assert_eq!(words(&world.write(&[alice("08:00:00", "in")])), ["no_answer"]);
    assert_eq!(words(&world.write(&[alice("08:00:00", "in")])), ["applied"]);
    world.server.fail_next([SuccessFactorsFault::TokensEnd]);
    assert_eq!(words(&world.write(&[alice("09:00:00", "out")])), ["unauthorized"]);
    assert_eq!(words(&world.write(&[alice("09:00:00", "out")])), ["no_token"]);
    world.session = world.session.clone().with_assertion("second+/==");
    assert_eq!(words(&world.write(&[alice("09:00:00", "out")])), ["applied"]);
}

#[test]
fn a_token_of_ones_own() {
    let mut plain = settings();
    plain.auth = Auth::BearerCommand;
    let mut world = World::with(plain);
    assert_eq!(words(&world.write(&[alice("08:00:00", "in")])), ["no_token"]);
    let maker = SuccessFactors::new(settings()).unwrap();
    let call = RequestToken::ias(&maker);
    let answer = world.send(&call.request()).unwrap();
    world.session = Session::default().with_token(call.response(&answer).unwrap(), world.now);
    assert_eq!(words(&world.write(&[alice("08:00:00", "in")])), ["applied"]);
}

#[test]
fn basic_where_it_is_forced() {
    let mut basic = settings().with_basic("api-user", "ACME", "api pass:word");
    basic.force_basic = true;
    let mut world = World::with(basic);
    assert_eq!(words(&world.write(&[alice("08:00:00", "in")])), ["unauthorized"]);
    world.server.config_mut().basic = Some("api-user@ACME:api pass:word".to_owned());
    assert_eq!(words(&world.write(&[alice("08:00:00", "in")])), ["applied"]);
    assert_eq!(token_calls(&world), 0);
}

/// What lives for ever, for no time, or for less than none; what is no token at all.
#[test]
fn lives() {
    let call = RequestToken::ias(&SuccessFactors::new(settings()).unwrap());
    let read = |body: &str| call.response(&HttpResponse::new(bytes::Bytes::copy_from_slice(body.as_bytes())));
    let life = |life: &str| {
        read(&format!("{{\"access_token\":\"T\"{life}}}")).map(|token: Token| token.renew_after().num_seconds())
    };
    for (text, expected) in [
        ("", 0),
        (",\"expires_in\":null", 0),
        (",\"expires_in\":59", 0),
        (",\"expires_in\":-1", 0),
        (",\"expires_in\":\"soon\"", 0),
        (",\"expires_in\":61", 1),
        (",\"expires_in\":9223372036854775807", 86340),
    ] {
        assert_eq!(life(text).unwrap(), expected, "{text}");
    }
    for bad in [",\"token_type\":\"mac\"", ",\"access_token\":\"\""] {
        assert!(matches!(life(bad), Err(CallError::Unreadable { .. })), "{bad}");
    }
    for bad in ["{\"access_token\":\"a b\"}", "{\"access_token\":\"a\\nb\"}", "[]", "", "{\"id_token\":\"T\"}"] {
        let error = read(bad).unwrap_err();
        assert!(matches!(error, CallError::Unreadable { .. }), "{bad}");
        assert!(error.evidence().body().is_empty(), "a token could be in it");
    }
}
