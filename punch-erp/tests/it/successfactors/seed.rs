//! The published sample's request, for whoever built a gateway after it.

use bytes::Bytes;
use chrono::TimeDelta;
use punch_erp::successfactors::{Mode, SuccessFactors, SuccessFactorsSettings, WriteSeedRecord};
use punch_erp::{Flow as _, HttpResponse, Outcome, Step, drive, render_masked};

use super::vectors::{check_request, text, vector};
use super::world::{SuccessFactorsFault, World, alice, punch};

fn seed(base: &str) -> SuccessFactorsSettings {
    let mut seed = SuccessFactorsSettings::new(base, "", "").with_basic("api-user", "tuCompanyId", "api-password");
    (seed.mode, seed.force_basic) = (Mode::Seed, true);
    seed
}

/// S0-044, S0-045, S0-046, S0-047, S0-049, S0-050, SF-20: address, fields and header of the sample.
#[test]
fn request() {
    let vector = vector("SF-20");
    let tenant = SuccessFactors::new(seed(text(&vector, "/config/base"))).unwrap();
    let input = |name: &str| text(&vector["input"], name);
    let punch =
        crate::world::punch(input("/event_id"), input("/employee_id"), input("/timestamp"), input("/direction"));
    let mut flow = WriteSeedRecord::new(&tenant, &punch);
    let Step::Send(request) = flow.poll() else { panic!("a request") };
    check_request(&request, &vector["expect"], "SF-20");
    assert!(render_masked(&request).contains("authorization: Basic ***\n"));
    let shown = format!("{flow:?} {:?}", flow.poll());
    assert!(!shown.contains("1042") && !shown.contains("api-password"), "{shown}");
}

/// S0-048: in is P10, whatever else is P20. A serial is left out if there is none, and not cut if it is long.
#[test]
fn fields() {
    let tenant = SuccessFactors::new(seed("https://gateway.example.com/sap/")).unwrap();
    for (direction, code) in [("in", "P10"), ("out", "P20"), ("unknown", "P20"), ("break_in", "P20")] {
        let mut punch = alice("08:00:00", direction);
        punch.device_serial = None;
        let mut flow = WriteSeedRecord::new(&tenant, &punch);
        let Step::Send(request) = flow.poll() else { panic!("a request") };
        assert_eq!(request.uri(), "https://gateway.example.com/sap/odata/v2/EmployeeTime");
        let body = format!(r#"{{"userId":"1001","eventDate":"2026-11-10","eventTime":"080000","eventType":"{code}"}}"#);
        assert_eq!(request.body(), &body);
    }
}

/// S0-051: 200 and 201 are success, and anything else is tried again.
#[test]
fn answers() {
    let tenant = SuccessFactors::new(seed("https://gateway.example.com")).unwrap();
    for (status, word) in [
        (200, "applied"),
        (201, "applied"),
        (202, "retry"),
        (204, "retry"),
        (400, "retry"),
        (401, "retry"),
        (404, "retry"),
        (500, "retry"),
    ] {
        let punch = alice("08:00:00", "in");
        let outcome = drive(&mut WriteSeedRecord::new(&tenant, &punch), |_| {
            Ok(http::Response::builder().status(status).body(Bytes::new()).unwrap())
        });
        assert_eq!(outcome.word(), word, "{status}");
        if word == "applied" {
            assert_eq!(outcome.remote_id(), Some(punch.event_id.as_str()));
        }
    }
    let busy = drive(&mut WriteSeedRecord::new(&tenant, &alice("08:00:00", "in")), |_| {
        let busy: http::response::Builder = http::Response::builder().status(429);
        Ok(HttpResponse::from(busy.header("Retry-After", "7").body(Bytes::new()).unwrap()))
    });
    let Outcome::Retry { after, .. } = busy else { panic!("retry") };
    assert_eq!(after, Some(TimeDelta::seconds(7)));
}

/// The real entity has no such fields; a gateway that was built after the sample takes it.
#[test]
fn a_tenant_refuses_it() {
    let mut world = World::with(seed("https://api55.sapsf.eu"));
    world.server.config_mut().basic = Some("api-user@tuCompanyId:api-password".to_owned());
    for (takes_sample, fault, word) in [
        (false, SuccessFactorsFault::None, "retry"),
        (true, SuccessFactorsFault::None, "applied"),
        (true, SuccessFactorsFault::DropAfter, "retry"),
    ] {
        world.server.config_mut().takes_sample = takes_sample;
        world.server.fail_next([fault]);
        let mut flow = WriteSeedRecord::new(&world.tenant, &punch("1001", "08:00:00", "in"));
        assert_eq!(drive(&mut flow, |request| world.send(&request)).word(), word);
    }
    // It has no key: the sample's own fault is that a repetition is a second record.
    assert_eq!(world.server.samples().len(), 2);
}
