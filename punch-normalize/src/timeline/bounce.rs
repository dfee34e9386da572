use alloc::collections::BTreeMap;
use alloc::vec;
use alloc::vec::Vec;

use chrono::TimeDelta;

use super::mark::Mark;
use super::settings::{BounceRules, BounceScope, DirectionRule, StateChange, TimelineRules};
use punch_protocol::Status;

/// Which marks are second punches, and of which. The marks are in time order.
pub(super) fn bounces(marks: &[Mark], rules: &TimelineRules) -> Vec<Option<usize>> {
    let mut of: Vec<Option<usize>> = vec![None; marks.len()];
    let mut anchors = BTreeMap::<u32, Anchor>::new();
    for (index, mark) in marks.iter().enumerate() {
        let key = key(mark, rules.bounce.scope);
        if let Some(anchor) = anchors.get(&key).filter(|_| !mark.is_published)
            && let Some(kept) = marks.get(anchor.kept)
            && mark.at.signed_duration_since(anchor.since) < rules.bounce.window
        {
            match same(kept, mark, rules) {
                Sameness::One => {
                    set(&mut of, index, anchor.kept);
                    if rules.bounce.sliding {
                        anchors.insert(key, Anchor { since: mark.at, ..*anchor });
                    }
                    continue;
                }
                // What was delivered cannot be taken back, so both stay.
                Sameness::Corrected if !kept.is_published => set(&mut of, anchor.kept, index),
                Sameness::Corrected | Sameness::Two => {}
            }
        }
        match published_after(marks, index, key, rules) {
            Some(later) if !mark.is_published => set(&mut of, index, later),
            _ => drop(anchors.insert(key, Anchor { kept: index, since: mark.at })),
        }
    }
    of
}

/// The last kept punch, and where the window begins.
#[derive(Clone, Copy)]
struct Anchor {
    kept: usize,
    since: chrono::DateTime<chrono::Utc>,
}

fn set(of: &mut [Option<usize>], index: usize, kept: usize) {
    if let Some(slot) = of.get_mut(index) {
        *slot = Some(kept);
    }
}

fn key(mark: &Mark, scope: BounceScope) -> u32 {
    match scope {
        BounceScope::Device => mark.place.device,
        BounceScope::Site => mark.place.site,
        BounceScope::Employee => 0,
    }
}

/// A punch within the window behind this one that was delivered before this one was known.
fn published_after(marks: &[Mark], index: usize, scope_key: u32, rules: &TimelineRules) -> Option<usize> {
    let mark = marks.get(index)?;
    let within = |later: &Mark| later.at.signed_duration_since(mark.at) < rules.bounce.window;
    marks
        .iter()
        .enumerate()
        .skip(index.saturating_add(1))
        .take_while(|(_, later)| within(later))
        .find(|(_, later)| {
            later.is_published
                && key(later, rules.bounce.scope) == scope_key
                && same(mark, later, rules) == Sameness::One
        })
        .map(|(later, _)| later)
}

/// Whether two punches within the window are one.
#[derive(Clone, Copy, PartialEq, Eq)]
enum Sameness {
    One,
    Two,
    /// The later one corrects the earlier.
    Corrected,
}

fn same(earlier: &Mark, later: &Mark, rules: &TimelineRules) -> Sameness {
    let BounceRules { cross_role, state_change, .. } = rules.bounce;
    if !cross_role && earlier.role.is_some() && later.role.is_some() && earlier.role != later.role {
        return Sameness::Two;
    }
    match (declared(earlier, rules), declared(later, rules)) {
        (Some(one), Some(other)) if one != other => match state_change {
            StateChange::KeepBoth => Sameness::Two,
            StateChange::LastWins => Sameness::Corrected,
        },
        _ => Sameness::One,
    }
}

/// The state that somebody chose, where states count.
fn declared(mark: &Mark, rules: &TimelineRules) -> Option<Status> {
    let counts = rules.direction == DirectionRule::Declared && mark.is_trusted;
    mark.status.and_then(Status::declared).filter(|_| counts)
}

/// Whether a second punch was made at another site: nobody travels so fast.
pub(super) fn is_impossible_travel(one: &Mark, other: &Mark, rules: &TimelineRules) -> bool {
    rules.bounce.scope == BounceScope::Employee
        && rules.bounce.window > TimeDelta::zero()
        && one.place.site != other.place.site
}
