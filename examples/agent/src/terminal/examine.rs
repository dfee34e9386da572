use chrono::{DateTime, TimeDelta, Utc};
use punch_protocol::tcp::{
    Answer, BufferRequest, Carrier, ClientConfig, CommKey, Command, EncodedTime, Ending, Request, RequestError,
    UserLayout, Wanted,
};

use super::link::{Address, Link, LinkError};
use super::reading::{About, read_about};

/// What a terminal is found to be like.
#[derive(Debug)]
pub struct Examination {
    /// What came of connecting by TCP.
    pub tcp: Reach,
    /// What came of connecting by UDP.
    pub udp: Reach,
    /// What it says about itself; `None` if it cannot be asked.
    pub about: Option<About>,
    /// How far its clock is from UTC, as if it had no zone.
    pub clock: Option<TimeDelta>,
    /// The width of a PIN.
    pub pin_width: Option<u8>,
    /// Its users' layout and number, as read.
    pub users: Option<(UserLayout, usize)>,
    /// Whether it reads by pieces from a buffer; `None` if that did not show.
    pub has_buffer: Option<bool>,
    /// Whether it picks the records between two times itself.
    pub has_ranges: Option<bool>,
}

/// What came of connecting.
#[derive(Debug)]
pub enum Reach {
    /// A session was open.
    Open {
        /// Whether the terminal wanted the comm key, and got it.
        by_key: bool,
    },
    /// None was.
    Failed(LinkError),
}

impl Reach {
    /// Whether a session was open.
    pub fn is_open(&self) -> bool {
        matches!(self, Self::Open { .. })
    }

    /// Whether something answered, whatever it said.
    pub fn answers(&self) -> bool {
        match self {
            Self::Open { .. } => true,
            Self::Failed(error) => !matches!(error.ending(), None | Some(Ending::Unreachable)),
        }
    }
}

/// Tries a terminal: by TCP and by UDP, one after the other because most serve one client at a time, without the comm key
/// and with it. Nothing on it is changed.
pub async fn examine(address: &Address, config: ClientConfig, now: impl Fn() -> DateTime<Utc>) -> Examination {
    let mut examination = Examination {
        tcp: Reach::Open { by_key: false },
        udp: Reach::Open { by_key: false },
        about: None,
        clock: None,
        pin_width: None,
        users: None,
        has_buffer: None,
        has_ranges: None,
    };
    for carrier in [Carrier::Tcp, Carrier::Udp] {
        let reach = match open(address, ClientConfig { carrier, ..config }).await {
            Ok((mut link, by_key)) => {
                if examination.about.is_none()
                    && let Err(error) = look(&mut link, &mut examination, &now).await
                {
                    tracing::debug!(%address, %error, "the examination ended early");
                }
                link.close().await;
                Reach::Open { by_key }
            }
            Err(error) => Reach::Failed(error),
        };
        match carrier {
            Carrier::Tcp => examination.tcp = reach,
            Carrier::Udp => examination.udp = reach,
        }
    }
    examination
}

/// Opens without the comm key, and with it if the terminal wants one.
async fn open(address: &Address, config: ClientConfig) -> Result<(Link, bool), LinkError> {
    let keyless = ClientConfig { comm_key: CommKey::NONE, ..config };
    match Link::open(address.clone(), keyless).await {
        Err(error) if error.ending() == Some(Ending::KeyNeeded) && !config.comm_key.is_none() => {
            Link::open(address.clone(), config).await.map(|link| (link, true))
        }
        opened => opened.map(|link| (link, false)),
    }
}

async fn look(
    link: &mut Link,
    examination: &mut Examination,
    now: &impl Fn() -> DateTime<Utc>,
) -> Result<(), LinkError> {
    examination.about = Some(read_about(link).await?);
    examination.clock = clock_offset(link, now).await?;
    if let Some(Answer::Reply(width)) = ask(link, Request::PinWidth).await? {
        examination.pin_width = width.byte();
    }
    let moment = EncodedTime::of(now().naive_utc()).unwrap_or(EncodedTime(0));
    let range = BufferRequest::attendance_between(moment, moment).to_bytes().to_vec();
    examination.has_ranges = Some(ask(link, Request::Other(Command::PREPARE_BUFFER, range)).await?.is_some());
    ask(link, Request::Other(Command::FREE_DATA, Vec::new())).await?;
    if let Some(Answer::Dataset(download)) = ask(link, Request::Read(Wanted::Users)).await? {
        use punch_protocol::tcp::ReadPath;
        examination.has_buffer = match download.path {
            ReadPath::Buffer | ReadPath::Direct => Some(true),
            ReadPath::Plain => Some(false),
            _ => None,
        };
        let users = download.users(&link.limits()).ok();
        examination.users = users.and_then(|users| Some((users.layout()?, users.count())));
    }
    Ok(())
}

/// The terminal's clock against ours, halfway between question and answer.
async fn clock_offset(link: &mut Link, now: &impl Fn() -> DateTime<Utc>) -> Result<Option<TimeDelta>, LinkError> {
    let asked = now();
    let Some(Answer::Reply(reply)) = ask(link, Request::Time).await? else { return Ok(None) };
    let halfway = asked + (now() - asked) / 2;
    Ok(reply.time().and_then(EncodedTime::civil).map(|clock| clock - halfway.naive_utc()))
}

/// The answer, or `None` if this unit refuses.
async fn ask(link: &mut Link, request: Request) -> Result<Option<Answer>, LinkError> {
    match link.ask(request).await {
        Ok(answer) => Ok(Some(answer)),
        Err(LinkError::Request { source: RequestError::Refused { .. } | RequestError::Data(_), .. }) => Ok(None),
        Err(error) => Err(error),
    }
}
