//! Calls are few: 300 a day, 10 a minute.

use chrono::{DateTime, TimeDelta, Utc};
use punch_erp::drive;
use punch_erp::successfactors::{CallBudget, CallRules, Session};

use super::world::{World, at, punch, settings};

/// A day of 20,000 punches that come when they come, the rush hours above all: at most 300 calls, none lost, nobody waits
/// longer than an interval. S0-004: below the flush interval. SF-31.
#[test]
fn a_day_of_twenty_thousand_punches() {
    let mut world = World::new();
    let people: Vec<String> = (0..5000).map(|number| format!("w{number:04}")).collect();
    world.server.config_mut().assignments.extend(people.iter().cloned());
    let start = at("2026-11-20T00:00:00Z");
    let template = punch("1001", "08:00:00", "in");
    let mut coming: Vec<_> = (0..20_000_i64)
        .map(|number| {
            let (person, turn) = (number % 5000, number / 5000);
            // Four rushes of an hour, spread by a step that visits every second of it.
            let second = [7, 12, 13, 17][usize::try_from(turn).unwrap()] * 3600 + (person * 733) % 3600;
            let mut punch = template.clone();
            punch.event_id = punch_normalize::EventId::parse(&format!("evt_{number}")).unwrap();
            punch.badge = people[usize::try_from(person).unwrap()].clone();
            punch.at = start + TimeDelta::seconds(second);
            punch
        })
        .collect();
    coming.sort_by_key(|punch| punch.at);
    let (mut coming, mut waiting, mut longest) = (coming.into_iter().peekable(), Vec::new(), TimeDelta::zero());
    let mut now = start;
    while now < start + TimeDelta::days(1) {
        while let Some(punch) = coming.next_if(|punch| punch.at <= now) {
            waiting.push(punch);
        }
        let due = world.session.budget().due_at(waiting.len(), &world.tenant.call_rules(), now);
        if !waiting.is_empty() && due <= now {
            world.now = now;
            let mut flow = world.flow(&waiting);
            let outcomes = drive(&mut flow, |request| world.send(&request));
            world.session = flow.session().clone();
            let mut outcomes = outcomes.into_iter();
            waiting.retain(|punch| {
                let is_done = outcomes.next().unwrap().is_done();
                longest = longest.max(if is_done { now - punch.at } else { TimeDelta::zero() });
                !is_done
            });
        }
        now += TimeDelta::seconds(1);
    }
    assert!(waiting.is_empty() && coming.next().is_none());
    assert_eq!(world.server.events().len(), 20_000);
    assert!(world.server.writes() <= 300, "{}", world.server.writes());
    assert!(longest <= TimeDelta::seconds(300), "{longest}");
}

/// A backlog goes out as fast as the minute allows, and what is left of the day's calls is spread.
#[test]
fn a_backlog_and_the_end_of_the_day() {
    let rules = CallRules::default();
    let (mut budget, start) = (CallBudget::default(), at("2026-11-20T00:00:00Z"));
    let mut now = start;
    let mut calls: Vec<DateTime<Utc>> = Vec::new();
    while now < start + TimeDelta::days(1) {
        now = budget.due_at(100_000, &rules, now);
        calls.push(now);
        budget.note_call(now);
    }
    // The last one is of the next day.
    assert_eq!(calls.len(), 301);
    assert!(calls.windows(2).all(|pair| pair[1] - pair[0] >= rules.min_gap));
    assert_eq!(calls[289] - start, TimeDelta::seconds(6 * 289));
    let spread = (calls[290] - calls[289]).num_minutes();
    assert!((125..135).contains(&spread), "{spread}");
    assert_eq!(calls[300], start + TimeDelta::days(1));
}

#[test]
fn used_up() {
    let rules = CallRules::default();
    let (mut budget, now) = (CallBudget::default(), at("2026-11-20T10:00:00Z"));
    for number in 0..300 {
        budget.note_call(now + TimeDelta::seconds(6 * number));
    }
    let later = now + TimeDelta::hours(1);
    assert_eq!((budget.calls_of(later), budget.calls_of(later + TimeDelta::days(1))), (300, 0));
    assert_eq!(budget.due_at(1, &rules, later), at("2026-11-21T00:00:00Z"));
    assert_eq!(budget.allowed_at(&rules, later), at("2026-11-21T00:00:00Z"));
    let forced = CallRules { ignore_daily_cap: true, ..rules };
    assert_eq!(budget.due_at(1000, &forced, later), later);
    // The flow says until when.
    let world = World::new();
    let session = Session::default().with_budget(budget);
    let mut flow = world.flow(&[]);
    assert!(drive(&mut flow, |_| panic!("nothing to send")).is_empty());
    let punches = [punch("1001", "08:00:00", "in")];
    let mut flow =
        punch_erp::successfactors::WriteTimeEvents::new(&world.tenant, &punches, later).with_session(session);
    let outcomes = drive(&mut flow, |_| panic!("no call is left"));
    let punch_erp::Outcome::Retry { after, .. } = &outcomes[0] else { panic!("retry") };
    assert_eq!(*after, Some(TimeDelta::hours(13)));
}

/// Kept over a restart; a clock that jumps, and odd rules, stop nobody for ever.
#[test]
fn odd_clocks_and_rules() {
    let rules = CallRules::default();
    let now = at("2026-11-20T10:00:00Z");
    let mut budget = CallBudget::default();
    budget.note_call(now);
    let kept: CallBudget = serde_json::from_str(&serde_json::to_string(&budget).unwrap()).unwrap();
    assert_eq!(kept, budget);
    for (ahead, most) in [(-86_400 * 365, 0), (-3600, 0), (-1, 301), (0, 300), (299, 1), (300, 0), (86_400, 0)] {
        let then = now + TimeDelta::seconds(ahead);
        let wait = budget.due_at(1, &rules, then) - then;
        assert!((TimeDelta::zero()..=TimeDelta::seconds(most)).contains(&wait), "{ahead}: {wait}");
    }
    for cap in [1, 2, 10, 11] {
        let rules = CallRules { daily_cap: cap, ..rules };
        let (mut budget, mut now, mut calls) = (CallBudget::default(), at("2026-11-20T00:00:00Z"), 0);
        loop {
            now = budget.due_at(5000, &rules, now);
            if now >= at("2026-11-21T00:00:00Z") {
                break;
            }
            budget.note_call(now);
            calls += 1;
        }
        assert_eq!(calls, cap);
    }
    let mut fast = settings();
    fast.min_call_gap_s = 0;
    assert_eq!(World::with(fast).tenant.call_rules().min_gap, TimeDelta::zero());
}
