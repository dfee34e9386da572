use punch_webhook::{DeliveryId, ReceivedEvent, ReceivedPunch};

use crate::{Reach, telling};

/// An event about a punch, and what is known of the person's other punches around it, each as it was told last.
#[derive(Debug)]
pub struct Around {
    due: ReceivedEvent,
    known: Vec<Known>,
}

#[derive(Debug)]
struct Known {
    told_last: ReceivedEvent,
    number: u32,
    told_by: Vec<DeliveryId>,
}

impl Around {
    /// Of an event that is due. `None` if it is not about a punch.
    pub fn of(due: ReceivedEvent) -> Option<Self> {
        let (_, number) = telling(&due)?;
        let known = vec![Known { told_last: due.clone(), number, told_by: Vec::new() }];
        Some(Self { due, known })
    }

    /// Adds what another delivery tells of. Two people can share a lane, so those of others are passed over.
    pub fn add(&mut self, delivery: DeliveryId, event: ReceivedEvent, reach: Reach) {
        let (Some((due, _)), Some((punch, number))) = (telling(&self.due), telling(&event)) else { return };
        if punch.badge != due.badge {
            return;
        }
        // Where a record is made of several punches, one far away lacks what is around it, and is not judged anew.
        let is_judged = reach.waiting_only || (punch.at - due.at).abs() <= reach.time / 2;
        let told_by = is_judged.then_some(delivery);
        let is_same =
            |known: &&mut Known| telling(&known.told_last).is_some_and(|(known, _)| known.event_id == punch.event_id);
        match self.known.iter_mut().find(is_same) {
            Some(known) => {
                known.told_by.extend(told_by);
                if known.number < number {
                    (known.told_last, known.number) = (event, number);
                }
            }
            None => self.known.push(Known { told_last: event, number, told_by: told_by.into_iter().collect() }),
        }
    }

    /// The event that is due.
    pub fn due(&self) -> &ReceivedEvent {
        &self.due
    }

    /// The punch that is due and then the others.
    pub fn punches(&self) -> Vec<ReceivedPunch> {
        self.known.iter().filter_map(|known| telling(&known.told_last)).map(|(punch, _)| punch.clone()).collect()
    }

    /// What was told last of the punch that is due and then of the others.
    pub fn events(&self) -> Vec<ReceivedEvent> {
        self.known.iter().map(|known| known.told_last.clone()).collect()
    }

    /// For each of them, the other deliveries that its outcome is about.
    pub fn told_by(self) -> Vec<Vec<DeliveryId>> {
        self.known.into_iter().map(|known| known.told_by).collect()
    }
}
