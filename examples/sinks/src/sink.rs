use std::fmt;
use std::pin::Pin;
use std::sync::Arc;

use punch_erp::{Outcome, ParkReason, ReqwestTransport, RetryReason, TransportError};
use punch_webhook::{EventType, ReceivedEvent, ReceivedPunch};
use tokio::sync::Semaphore;
use tokio::task::JoinSet;

use crate::settings::{Erp, SinkSettings};
use crate::{Gather, erpnext, hrms, humand, odoo, punch_of, successfactors, telling};

/// Which events are of use. The others are taken note of and forgotten.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub enum Takes {
    /// Punches: where a punch is a record of its own, it says what it said first.
    Punches,
    /// Punches and what was told of them anew.
    Revisions,
    /// These, and what belongs to a closed pay period.
    Tellings,
}

impl Takes {
    /// Whether an event is of use.
    pub fn wants(self, event: &ReceivedEvent) -> bool {
        match event {
            ReceivedEvent::Punch(_) => true,
            ReceivedEvent::Revised(_) => self != Self::Punches,
            ReceivedEvent::Late(_) => self == Self::Tellings,
            _ => false,
        }
    }

    /// The types of events to subscribe to.
    pub fn events(self) -> Vec<String> {
        let all = [EventType::ATTENDANCE_PUNCH, EventType::ATTENDANCE_REVISED, EventType::ATTENDANCE_LATE];
        let count = match self {
            Self::Punches => 1,
            Self::Revisions => 2,
            Self::Tellings => 3,
        };
        all.iter().take(count).map(ToString::to_string).collect()
    }
}

type Boxed<T> = Pin<Box<dyn Future<Output = T> + Send>>;

/// How an ERP is written to.
enum Write {
    /// Each punch by itself.
    Each(Box<dyn Fn(ReceivedPunch) -> Boxed<Outcome> + Send + Sync>),
    /// Punches of a person, or of several.
    People(Box<dyn Fn(Vec<ReceivedPunch>) -> Boxed<Vec<Outcome>> + Send + Sync>),
    /// Each telling by itself.
    Tellings(Box<dyn Fn(ReceivedEvent) -> Boxed<Outcome> + Send + Sync>),
}

/// An ERP at work. `Debug` shows its kind only.
pub struct Sink {
    settings: SinkSettings,
    write: Write,
    is_dry: bool,
    /// For whoever asks beside the writing.
    pub(crate) transport: ReqwestTransport,
}

impl Sink {
    /// Sets the ERP to work. It needs a tokio runtime around it.
    ///
    /// # Errors
    ///
    /// There is no HTTP client.
    pub fn open(settings: SinkSettings) -> Result<Self, TransportError> {
        let transport = ReqwestTransport::new()?;
        let write = match settings.erp.clone() {
            Erp::Odoo(server) => {
                let gather = Gather::start(odoo::writer(server, transport.clone()));
                Write::People(Box::new(move |punches| Box::pin(gather.write(punches))))
            }
            Erp::Humand(community) => Write::People(Box::new(humand::writer(community, transport.clone()))),
            Erp::ErpNext(site) => Write::Each(Box::new(erpnext::writer(site, transport.clone()))),
            Erp::SuccessFactors(tenant, calls) => {
                Write::Each(Box::new(successfactors::writer(tenant, transport.clone(), calls)))
            }
            Erp::Hrms(tables, database) => Write::Tellings(Box::new(hrms::writer(tables, database))),
        };
        Ok(Self { settings, write, is_dry: false, transport })
    }

    /// The same for whoever has all events at hand: nothing waits for company, and what a call has no room for is said to be
    /// held back.
    ///
    /// # Errors
    ///
    /// There is no HTTP client.
    pub fn open_at_once(settings: SinkSettings) -> Result<Self, TransportError> {
        let mut sink = Self::open(settings)?;
        if let Erp::SuccessFactors(tenant, calls) = sink.settings.erp.clone() {
            sink.write = Write::People(Box::new(successfactors::caller(tenant, sink.transport.clone(), calls)));
        }
        Ok(sink)
    }

    /// The same that sends nothing, and shows the requests with their secrets masked.
    ///
    /// # Errors
    ///
    /// There is no HTTP client.
    pub fn dry(settings: SinkSettings, show: impl Fn(String) + Send + Sync + 'static) -> Result<Self, TransportError> {
        let write = match settings.erp.clone() {
            Erp::Odoo(server) => Write::People(Box::new(odoo::dry_run(server, show))),
            Erp::Humand(community) => Write::People(Box::new(humand::dry_run(community, show))),
            Erp::ErpNext(site) => Write::Each(Box::new(erpnext::dry_run(site, show))),
            Erp::SuccessFactors(tenant, _) => Write::People(Box::new(successfactors::dry_caller(tenant, show))),
            Erp::Hrms(tables, _) => Write::Tellings(Box::new(hrms::dry_run(tables, show))),
        };
        Ok(Self { settings, write, is_dry: true, transport: ReqwestTransport::new()? })
    }

    /// What it was told.
    pub fn settings(&self) -> &SinkSettings {
        &self.settings
    }

    /// Writes events of one person, which come in order of time: an outcome for each. Behind one that is to be tried again
    /// nothing is written, where each is a record of its own.
    pub async fn write(&self, mut events: Vec<ReceivedEvent>) -> Vec<Outcome> {
        let refused: Vec<Option<Outcome>> = events.iter_mut().map(|event| self.refuse(event)).collect();
        let mut kept = refused.iter();
        events.retain(|_| kept.next().is_some_and(Option::is_none));
        let mut written = self.write_known(events).await.into_iter();
        let unanswered = || Outcome::Retry { after: None, reason: RetryReason::Unconfirmed };
        refused.into_iter().map(|known| known.or_else(|| written.next()).unwrap_or_else(unanswered)).collect()
    }

    /// Writes the events of several people, some at once, or all of them in one go where the ERP has calls for that.
    pub async fn write_all(self: Arc<Self>, people: Vec<Vec<ReceivedEvent>>) -> Vec<Vec<Outcome>> {
        if self.writes_people_together() {
            let lengths: Vec<usize> = people.iter().map(Vec::len).collect();
            let mut outcomes = self.write(people.into_iter().flatten().collect()).await.into_iter();
            return lengths.into_iter().map(|length| outcomes.by_ref().take(length).collect()).collect();
        }
        let places = Arc::new(Semaphore::new(self.settings.erp.at_once()));
        let (mut writing, mut outcomes) = (JoinSet::new(), vec![Vec::new(); people.len()]);
        for (number, events) in people.into_iter().enumerate() {
            let (sink, places) = (Arc::clone(&self), Arc::clone(&places));
            writing.spawn(async move {
                // It is never closed.
                let _place = places.acquire_owned().await;
                (number, sink.write(events).await)
            });
        }
        while let Some(written) = writing.join_next().await {
            if let Ok((number, written)) = written
                && let Some(place) = outcomes.get_mut(number)
            {
                *place = written;
            }
        }
        outcomes
    }

    /// Whether one call, or one transaction, is for many people.
    fn writes_people_together(&self) -> bool {
        match &self.settings.erp {
            Erp::Odoo(_) => true,
            Erp::SuccessFactors(..) => matches!(self.write, Write::People(_)),
            Erp::Hrms(_, database) => database.together().is_some() && !self.is_dry,
            Erp::ErpNext(_) | Erp::Humand(_) => false,
        }
    }

    /// What is known of an event without asking; otherwise its badge is the employee's from here on.
    fn refuse(&self, event: &mut ReceivedEvent) -> Option<Outcome> {
        if !self.settings.erp.takes().wants(event) {
            return Some(Outcome::Park(ParkReason::LeftOut));
        }
        let mapping = self.settings.mapping.as_ref()?;
        mapping.apply(punch_of(event)?).err().map(Outcome::Park)
    }

    async fn write_known(&self, events: Vec<ReceivedEvent>) -> Vec<Outcome> {
        if events.is_empty() {
            return Vec::new();
        }
        if let (Erp::Hrms(tables, database), false, 2..) = (&self.settings.erp, self.is_dry, events.len())
            && let Some(sqlite) = database.together()
        {
            return hrms::write_together(tables, &sqlite, &events).await;
        }
        // What shows and does not send has no failure that others would wait for.
        let count = if self.is_dry { 0 } else { events.len() };
        let punches = |events: Vec<ReceivedEvent>| {
            events.iter().filter_map(|event| telling(event).map(|(punch, _)| punch.clone())).collect::<Vec<_>>()
        };
        match &self.write {
            Write::People(write) => write(punches(events)).await,
            // Handed over before the first is waited for: they go in one call.
            Write::Each(write) if self.settings.erp.gathers() => {
                let writing: Vec<_> = punches(events).into_iter().map(write).collect();
                let mut outcomes = Vec::new();
                for one in writing {
                    outcomes.push(one.await);
                }
                outcomes
            }
            Write::Each(write) => in_order(count, punches(events), write).await,
            Write::Tellings(write) => in_order(count, events, write).await,
        }
    }
}

/// One after the other. What is behind one that is to be tried again is to be tried again as well, up to so many.
async fn in_order<T>(count: usize, items: Vec<T>, write: impl Fn(T) -> Boxed<Outcome>) -> Vec<Outcome> {
    let mut outcomes = Vec::new();
    for item in items {
        let outcome = write(item).await;
        let is_over = matches!(outcome, Outcome::Retry { .. }) && outcomes.len() < count;
        outcomes.push(outcome.clone());
        if is_over {
            outcomes.resize(count, outcome);
            break;
        }
    }
    outcomes
}

impl fmt::Debug for Sink {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.debug_struct("Sink").field("kind", &self.settings.erp.kind()).finish_non_exhaustive()
    }
}
