//! Carries out at a terminal what the gateway wants done. What must not be done twice is asked once, whatever comes of it.

use gateway::core::Step;
use punch_protocol::tcp::{
    Answer, EncodedTime, PersonChange, Privilege, Request, RequestError, UserLayout, UserTable, Wanted, WriteError,
};
use punch_protocol::{Pin, SerialNumber};
use serde_json::{Map, Value, json};

use crate::errands::{Became, Errand, Told};
use crate::row::Row;
use crate::terminal::{About, Link, LinkError, ReadingError, Span, latest, read_about, read_attendance, read_clock};

/// What carries out: a conversation, and what is known of the terminal's people.
pub(crate) struct Hands<'l> {
    link: &'l mut Link,
    serial: &'l SerialNumber,
    users: Option<UserTable>,
    /// A terminal may take the time a door stays open in tenths of a second.
    tenths: bool,
    /// Rows that were asked for.
    pub(crate) rows: Vec<Row>,
}

/// What came of an attempt.
pub(crate) enum Attempt {
    /// It is over, one way or the other.
    Told(Told),
    /// It is over, and so is the conversation.
    Last(Option<Told>),
}

/// Why something was not done.
enum Trouble {
    Link(LinkError),
    /// It cannot be done at this terminal, and why.
    Refused(String),
}

impl From<LinkError> for Trouble {
    fn from(error: LinkError) -> Self {
        Self::Link(error)
    }
}

impl From<WriteError> for Trouble {
    fn from(error: WriteError) -> Self {
        Self::Refused(error.to_string())
    }
}

impl<'l> Hands<'l> {
    pub(crate) fn new(link: &'l mut Link, serial: &'l SerialNumber, tenths: bool) -> Self {
        Self { link, serial, users: None, tenths, rows: Vec::new() }
    }

    /// Carries out one errand.
    pub(crate) async fn carry(&mut self, errand: &Errand) -> Attempt {
        let tell = |outcome, reason: Option<String>, answer| Told { id: errand.id.clone(), outcome, reason, answer };
        if errand.is_over() {
            let reason = "its time was over before the terminal could be asked".to_owned();
            return Attempt::Told(tell(Became::Failed, Some(reason), Map::new()));
        }
        let once = errand.step.is_once();
        match self.do_it(errand).await {
            Ok(answer) => {
                let told = tell(Became::Done, None, answer);
                // A terminal that restarts says nothing more.
                if matches!(errand.step, Step::Restart) { Attempt::Last(Some(told)) } else { Attempt::Told(told) }
            }
            Err(Trouble::Refused(reason)) => Attempt::Told(tell(Became::Failed, Some(reason), Map::new())),
            Err(Trouble::Link(error)) => {
                // What the terminal has of people is not known any more.
                self.users = None;
                let sent = matches!(
                    &error,
                    LinkError::Request {
                        source: RequestError::Unanswered { .. } | RequestError::Ended { sent: true, .. },
                        ..
                    }
                );
                let is_over = error.ending().is_some();
                let outcome = if sent { Became::Unknown } else { Became::Failed };
                let told = tell(outcome, Some(error.to_string()), Map::new());
                match (is_over, once) {
                    (false, _) => Attempt::Told(told),
                    (true, true) => Attempt::Last(Some(told)),
                    // It may be done again, and will be given out again.
                    (true, false) => Attempt::Last(None),
                }
            }
        }
    }

    async fn do_it(&mut self, errand: &Errand) -> Result<Map<String, Value>, Trouble> {
        match &errand.step {
            Step::UpdateUser { badge, name, card, privilege, disabled } => {
                let mut change = PersonChange::new(Pin::new(badge.as_bytes()));
                change.name = name.as_deref();
                let card = card.as_deref().map(|card| if card.is_empty() { Ok(0) } else { card.parse() }).transpose();
                change.card =
                    card.map_err(|_| Trouble::Refused("the card: expected a number of at most 4294967295".to_owned()))?;
                (change.privilege, change.disabled) = (privilege.map(Privilege), *disabled);
                let request = self.users().await?.write(&change)?;
                self.ask(request).await
            }
            Step::DeleteUser { badge } => match self.users().await?.delete(&Pin::new(badge.as_bytes())) {
                Some(request) => self.ask(request).await,
                // Nobody is there to be deleted, so it is as wanted.
                None => Ok(Map::new()),
            },
            Step::OpenDoor { seconds, .. } => {
                let seconds = u32::from(seconds.unwrap_or(Step::DOOR_SECONDS));
                self.ask(Request::Unlock(if self.tenths { seconds.saturating_mul(10) } else { seconds })).await
            }
            Step::Restart => self.ask(Request::Restart).await,
            Step::SyncTime => {
                let time = EncodedTime::of(errand.clock());
                let time =
                    time.ok_or_else(|| Trouble::Refused("the time: expected a year from 2000 to 2133".to_owned()))?;
                self.ask(Request::SetTime(time)).await
            }
            Step::QueryPunches { from, to } => self.query(Span { since: Some(*from), until: Some(*to) }).await,
            Step::Information => Ok(told_of(&read_about(self.link).await?)),
        }
    }

    async fn ask(&mut self, request: Request) -> Result<Map<String, Value>, Trouble> {
        let answered = self.link.ask(request).await;
        if matches!(answered, Err(LinkError::Request { source: RequestError::Refused { .. }, .. })) {
            self.users = None;
        }
        answered?;
        Ok(Map::new())
    }

    /// The people of the terminal, read once.
    async fn users(&mut self) -> Result<&mut UserTable, Trouble> {
        if self.users.is_none() {
            let limits = self.link.limits();
            let Answer::Dataset(download) = self.link.ask(Request::Read(Wanted::Users)).await? else {
                return Err(Trouble::Refused("the terminal does not give its table of users".to_owned()));
            };
            let users = download.users(&limits).map_err(|error| Trouble::Refused(error.to_string()))?;
            let empty = if users.layout().is_none() { self.empty_layout().await? } else { UserLayout::Text72 };
            self.users = Some(UserTable::of(&users, empty));
        }
        self.users.as_mut().ok_or_else(|| Trouble::Refused("the terminal does not give its table of users".to_owned()))
    }

    /// How to write to a terminal without users: those whose PINs are short have the short record.
    async fn empty_layout(&mut self) -> Result<UserLayout, LinkError> {
        let width = match self.link.ask(Request::PinWidth).await {
            Ok(Answer::Reply(reply)) => reply.byte(),
            Err(error) if error.ending().is_some() => return Err(error),
            _ => None,
        };
        Ok(if width.is_some_and(|width| (1..=9).contains(&width)) { UserLayout::Number28 } else { UserLayout::Text72 })
    }

    async fn query(&mut self, span: Span) -> Result<Map<String, Value>, Trouble> {
        let clock = read_clock(self.link).await?;
        let now = latest(clock, gateway::clock::now());
        let reading = match read_attendance(self.link, self.serial, span, now, |_, _| {}).await {
            Ok(reading) => reading,
            Err(ReadingError::Link(error)) => return Err(error.into()),
            Err(error) => return Err(Trouble::Refused(error.to_string())),
        };
        if let Some(shortfall) = reading.shortfall {
            return Err(Trouble::Refused(shortfall.to_string()));
        }
        let count = reading.rows.len();
        self.rows.extend(reading.rows);
        Ok(members(json!({ "rows": count })))
    }
}

/// What a terminal says about itself, as JSON. What it does not say is not there.
pub(crate) fn told_of(about: &About) -> Map<String, Value> {
    let About { name, platform, firmware, clock, users, records, record_capacity, .. } = about;
    let clock = clock.map(|clock| clock.format("%Y-%m-%dT%H:%M:%S").to_string());
    let told = json!({
        "name": name, "platform": platform, "firmware": firmware, "clock": clock, "users": users, "records": records,
        "record_capacity": record_capacity,
    });
    members(told).into_iter().filter(|(_, value)| !value.is_null()).collect()
}

/// The members of an object.
pub(crate) fn members(value: Value) -> Map<String, Value> {
    if let Value::Object(members) = value { members } else { Map::new() }
}
