//! `tests/data/idempotency.jsonl`, and a world of replicas, crashes and lost tasks in which nothing is done twice.

use alloc::collections::BTreeMap;

use chrono::{DateTime, TimeDelta, Utc};
use proptest::collection::vec;
use proptest::prelude::*;
use punch_webhook::{
    Claim, Execution, Fingerprint, Idempotency, IdempotencyError, IdempotencyKey, IdempotencyRecord, SavedAnswer,
};

use crate::build::{at, rows, text};

fn key(text: &str) -> IdempotencyKey {
    IdempotencyKey::parse("tenant 1", text).unwrap()
}

fn asked(body: &str) -> Fingerprint {
    Fingerprint::of("POST", "/v1/devices/1/commands", body.as_bytes())
}

fn answer(status: u16, body: &str) -> SavedAnswer {
    SavedAnswer::new(status, body.as_bytes().to_vec()).unwrap()
}

/// WHK-75; S2-046: the same answer for 24 hours from the first request on, another body is refused.
#[test]
fn whk_75() {
    let vectors = rows(include_str!("../data/idempotency.jsonl"));
    let [row] = &vectors[..] else { panic!("one vector") };
    let (mut idempotency, mut store, mut executed) = (Idempotency::default(), None, 0);
    for (input, expect) in row["input"].as_array().unwrap().iter().zip(row["expect"].as_array().unwrap()) {
        let now = at(input["t_s"].as_i64().unwrap());
        let claim = idempotency.begin(&key(text(input, "key")), asked(text(input, "body")), now).unwrap();
        let found = match claim.check(store.as_ref()) {
            Ok(Execution::Execute) => {
                executed += 1;
                store = claim.record(answer(202, &format!("{executed}")));
                "executed"
            }
            Ok(Execution::Repeat(again)) => {
                assert_eq!(*again, answer(202, "1"));
                "replayed_same_response"
            }
            Err(error) => {
                assert_eq!(error.http_status(), 422);
                "422_idempotency_key_reused"
            }
        };
        assert_eq!(found, expect.as_str().unwrap());
    }
}

#[test]
fn an_answer_lives_24_hours_and_not_a_second_longer() {
    let mut idempotency = Idempotency::default();
    let record = idempotency.begin(&key("a"), asked("A"), at(0)).unwrap().record(answer(200, "")).unwrap();
    let mut came_at = |seconds| idempotency.begin(&key("a"), asked("A"), at(seconds)).unwrap();
    assert_eq!(came_at(86_400).check(Some(&record)), Ok(Execution::Repeat(&record.answer)));
    assert_eq!(came_at(-5).check(Some(&record)), Ok(Execution::Repeat(&record.answer)), "a clock set back");
    assert_eq!(came_at(86_401).check(Some(&record)), Ok(Execution::Execute));
    assert_eq!(came_at(0).check(None), Ok(Execution::Execute));
    assert_eq!([90_000, 90_001].map(|seconds| record.is_forgettable(at(seconds))), [false, true]);
}

#[test]
fn what_is_under_way_is_refused_until_its_claim_is_dropped() {
    let mut idempotency = Idempotency::default();
    let claim = idempotency.begin(&key("a"), asked("A"), at(0)).unwrap();
    let refused = idempotency.begin(&key("a"), asked("A"), at(0)).unwrap_err();
    assert_eq!((refused, refused.http_status()), (IdempotencyError::InProgress, 409));
    assert_eq!((refused.reason(), refused.is_retryable()), ("idempotency_in_progress", true));
    let refused = idempotency.begin(&key("a"), asked("B"), at(0)).unwrap_err();
    assert_eq!((refused.reason(), refused.is_retryable()), ("idempotency_key_reused", false));
    let other_tenant = IdempotencyKey::parse("tenant 2", "a").unwrap();
    assert!(idempotency.begin(&other_tenant, asked("A"), at(0)).is_ok(), "keys of two clients are two keys");
    drop(claim);
    assert!(idempotency.begin(&key("a"), asked("B"), at(0)).is_ok());
}

/// Only what can be done better another time is not kept.
#[test]
fn failures_of_the_server_are_not_kept() {
    let claim = Idempotency::default().begin(&key("a"), asked("A"), at(0)).unwrap();
    for status in 100..=599 {
        let kept = claim.record(answer(status, "")).is_some();
        let expected = (200..=499).contains(&status) && ![408, 425, 429].contains(&status);
        assert_eq!(kept, expected, "{status}");
    }
}

#[test]
fn keys_are_1_to_255_visible_ascii_characters() {
    let visible: String = ('!'..='~').collect();
    for good in ["a", visible.as_str(), &"k".repeat(255)] {
        assert_eq!(IdempotencyKey::parse("", good).unwrap().as_str(), good);
    }
    for bad in ["", " ", "a b", "a\n", "ñ", "\u{7f}", &"k".repeat(256)] {
        let error = IdempotencyKey::parse("", bad).unwrap_err();
        assert_eq!((error, error.http_status()), (IdempotencyError::BadKey { len: bad.len() }, 400));
    }
}

#[test]
fn limits_hold_at_their_edge() {
    let mut idempotency = Idempotency::new(2);
    let claims = ["a", "b"].map(|text| idempotency.begin(&key(text), asked("A"), at(0)).unwrap());
    let refused = idempotency.begin(&key("c"), asked("A"), at(0)).unwrap_err();
    assert_eq!((refused, refused.http_status(), refused.is_retryable()), (IdempotencyError::Busy, 503, true));
    drop(claims);
    assert!(idempotency.begin(&key("c"), asked("A"), at(0)).is_ok());

    assert!(SavedAnswer::new(200, vec![0; SavedAnswer::MAX_BODY]).is_ok());
    let error = SavedAnswer::new(200, vec![0; SavedAnswer::MAX_BODY + 1]).unwrap_err();
    assert_eq!((error.len, error.code()), (65_537, "PW-IDM-005"));
}

/// What a store keeps must mean the same in the next version. The digest was made with Python's `hashlib`.
#[test]
fn the_fingerprint_never_changes() {
    let hex: String = asked("{}").as_bytes().iter().map(|byte| format!("{byte:02x}")).collect();
    assert_eq!(hex, "f1a592fc81e1e43ad04bf4118e6bcffc5db3e1112591bb6160e7b9aa3a80acd1");
    let parts = [("POST", "/ab", "c"), ("POST", "/a", "bc"), ("POS", "T/ab", "c"), ("POST", "/abc", ""), ("", "", "")];
    for (index, (method, target, body)) in parts.iter().enumerate() {
        for (other, (method_2, target_2, body_2)) in parts.iter().enumerate() {
            let same = Fingerprint::of(method, target, body.as_bytes())
                == Fingerprint::of(method_2, target_2, body_2.as_bytes());
            assert_eq!(same, index == other);
        }
    }
}

#[test]
fn debug_shows_neither_key_nor_body() {
    let key = IdempotencyKey::parse("canary", "canary").unwrap();
    let mut idempotency = Idempotency::default();
    let claim = idempotency.begin(&key, asked("A"), at(0)).unwrap();
    let record = claim.record(answer(200, "canary")).unwrap();
    let shown = format!("{key:?} {idempotency:?} {claim:?} {record:?}");
    assert!(!shown.contains("canary"), "{shown}");
}

/// Two replicas over one store with a unique key, as a database behaves that shows only what is committed.
struct World {
    replicas: [Idempotency; 2],
    store: BTreeMap<IdempotencyKey, IdempotencyRecord>,
    tasks: Vec<Task>,
    /// The effects: when each began, and the answer.
    effects: BTreeMap<IdempotencyKey, Vec<(DateTime<Utc>, Fingerprint, SavedAnswer)>>,
    now: DateTime<Utc>,
    done: u32,
}

struct Task {
    replica: usize,
    key: IdempotencyKey,
    fingerprint: Fingerprint,
    claim: Claim,
    came_at: DateTime<Utc>,
    /// It has looked into the store and is to be carried out.
    executes: bool,
}

#[derive(Debug, Clone)]
enum Step {
    Begin { replica: usize, key: usize, body: usize },
    Look { task: usize },
    Commit { task: usize, status: u16 },
    Lose { task: usize },
    Crash { replica: usize },
    Sleep { seconds: i64 },
}

const MAX: usize = 3;

impl World {
    fn new() -> Self {
        let replicas = [Idempotency::new(MAX), Idempotency::new(MAX)];
        Self { replicas, store: BTreeMap::new(), tasks: Vec::new(), effects: BTreeMap::new(), now: at(0), done: 0 }
    }

    fn step(&mut self, step: Step) {
        match step {
            Step::Begin { replica, key: name, body } => {
                let (key, fingerprint) = (key(["a", "b"][name]), asked(["A", "B"][body]));
                if let Ok(claim) = self.replicas[replica].begin(&key, fingerprint, self.now) {
                    self.tasks.push(Task { replica, key, fingerprint, claim, came_at: self.now, executes: false });
                }
            }
            Step::Look { task } => self.look(task),
            Step::Commit { task, status } => self.commit(task, status),
            Step::Lose { task } => drop(self.take(task)),
            Step::Crash { replica } => {
                self.replicas[replica] = Idempotency::new(MAX);
                self.tasks.retain(|task| task.replica != replica);
            }
            Step::Sleep { seconds } => self.now += TimeDelta::seconds(seconds),
        }
        // A store may forget, as long as no request takes an hour.
        if self.tasks.iter().all(|task| self.now - task.came_at <= TimeDelta::hours(1)) {
            self.store.retain(|_, record| !record.is_forgettable(self.now));
        }
        for replica in 0..2 {
            let mut under_way: Vec<_> = self.tasks.iter().filter(|task| task.replica == replica).collect();
            assert!(under_way.len() <= MAX, "more under way than there may be");
            under_way.sort_by(|one, other| one.key.cmp(&other.key));
            assert!(under_way.windows(2).all(|pair| pair[0].key != pair[1].key), "one key, two claims");
        }
    }

    fn take(&mut self, task: usize) -> Option<Task> {
        (!self.tasks.is_empty()).then(|| self.tasks.swap_remove(task % self.tasks.len()))
    }

    fn look(&mut self, task: usize) {
        let Some(mut task) = self.take(task) else { return };
        match task.claim.check(self.store.get(&task.key)) {
            Ok(Execution::Execute) => {
                task.executes = true;
                self.tasks.push(task);
            }
            Ok(Execution::Repeat(answer)) => {
                let (began_at, fingerprint, first) = self.effects[&task.key].last().unwrap();
                assert_eq!((answer, &task.fingerprint), (first, fingerprint), "the answer of that time");
                assert!(task.came_at - *began_at <= TimeDelta::hours(24));
            }
            Err(error) => assert_eq!(error, IdempotencyError::Reused),
        }
    }

    fn commit(&mut self, task: usize, status: u16) {
        let Some(task) = self.take(task).filter(|task| task.executes) else { return };
        self.done += 1;
        let Some(record) = task.claim.record(answer(status, &self.done.to_string())) else { return };
        // The unique key: whoever finds a live record rolls its effect back.
        if task.claim.check(self.store.get(&task.key)) != Ok(Execution::Execute) {
            return;
        }
        let effect = (record.began_at, record.fingerprint, record.answer.clone());
        self.store.insert(task.key.clone(), record);
        self.effects.entry(task.key).or_default().push(effect);
    }
}

fn steps() -> impl Strategy<Value = Step> {
    let begin = (0_usize..2, 0_usize..2, 0_usize..2);
    prop_oneof![
        4 => begin.prop_map(|(replica, key, body)| Step::Begin { replica, key, body }),
        4 => any::<usize>().prop_map(|task| Step::Look { task }),
        4 => (any::<usize>(), proptest::sample::select(vec![200, 202, 404, 429, 503]))
            .prop_map(|(task, status)| Step::Commit { task, status }),
        1 => any::<usize>().prop_map(|task| Step::Lose { task }),
        1 => (0_usize..2).prop_map(|replica| Step::Crash { replica }),
        2 => (0_i64..100_000).prop_map(|seconds| Step::Sleep { seconds }),
    ]
}

proptest! {
    #![proptest_config(ProptestConfig::with_cases(2_000))]

    /// S2-047, S2-048: whatever comes between, a key has one effect in 24 hours, and its answer is given again.
    #[test]
    fn nothing_is_done_twice(steps in vec(steps(), 0..60)) {
        let mut world = World::new();
        for step in steps {
            world.step(step);
        }
        for effects in world.effects.values() {
            for pair in effects.windows(2) {
                prop_assert!(pair[1].0 - pair[0].0 > TimeDelta::hours(24));
            }
        }
    }
}

/// The race that the property above must meet: two replicas, one key, both have looked before either has written.
#[test]
fn of_two_replicas_that_race_one_rolls_back() {
    let mut world = World::new();
    for replica in 0..2 {
        world.step(Step::Begin { replica, key: 0, body: 0 });
    }
    for _ in 0..2 {
        world.step(Step::Look { task: 0 });
    }
    assert_eq!(world.tasks.iter().filter(|task| task.executes).count(), 2);
    for _ in 0..2 {
        world.step(Step::Commit { task: 0, status: 200 });
    }
    assert_eq!(world.effects[&key("a")].len(), 1);
}
