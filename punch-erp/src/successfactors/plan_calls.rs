use alloc::collections::BTreeMap;
use alloc::vec::Vec;

use super::{CreateTimeEvents, NewTimeEvent};

/// Divides events into calls that keep the service's limits: 1000 events, and 200 of one assignment.
///
/// In a call events are ordered by assignment, then time, then the event's id. Calls are to be made one after the other:
/// of one assignment no event is in an earlier call than the one before it. An event given twice is sent once.
pub fn plan_calls(events: impl IntoIterator<Item = NewTimeEvent>) -> Vec<Vec<NewTimeEvent>> {
    let mut lanes: BTreeMap<_, BTreeMap<_, NewTimeEvent>> = BTreeMap::new();
    for event in events {
        let key = (event.timestamp.to_utc(), event.event_id.clone());
        lanes.entry(event.assignment_id.clone()).or_default().insert(key, event);
    }
    let mut calls = Vec::new();
    while !lanes.is_empty() {
        let mut call = Vec::new();
        for lane in lanes.values_mut() {
            let room = CreateTimeEvents::MAX_EVENTS.saturating_sub(call.len());
            for _ in 0..room.min(CreateTimeEvents::MAX_EVENTS_OF_ONE) {
                let Some((_, event)) = lane.pop_first() else { break };
                call.push(event);
            }
        }
        lanes.retain(|_, lane| !lane.is_empty());
        calls.push(call);
    }
    calls
}
