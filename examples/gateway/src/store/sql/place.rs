use core::fmt;
use core::str::FromStr as _;
use core::time::Duration;
use std::path::{Path, PathBuf};
use std::sync::Arc;

use tokio::sync::Notify;
use tokio_postgres::Config;
use tokio_postgres::config::SslMode;

use super::postgres::{Conversations, translate_layout};
use super::{Connection, StoreError, sqlite};

/// How long a server may take to take a connection.
const PATIENCE: Duration = Duration::from_secs(10);

/// Where the store is.
#[derive(Clone, PartialEq)]
#[non_exhaustive]
pub enum Place {
    /// A file of SQLite, for one gateway.
    File(PathBuf),
    /// A schema of PostgreSQL, for one gateway or several.
    Server(Box<Config>),
}

impl Place {
    /// Reads `sqlite:PATH` or `postgres://user:password@host/database`.
    ///
    /// # Errors
    ///
    /// What is wrong, and what to do. The address itself, which may hold a password, is not repeated.
    pub fn parse(text: &str) -> Result<Self, String> {
        match text.split_once(':') {
            Some(("sqlite", path)) if !path.is_empty() => Ok(Self::File(path.into())),
            Some(("postgres" | "postgresql", _)) => server(text),
            _ => Err("expected `sqlite:PATH` or `postgres://USER:PASSWORD@HOST/DATABASE`, \
                      like `sqlite:/var/lib/punch/punch.sqlite`"
                .to_owned()),
        }
    }

    /// The file, if it is one.
    pub fn file(&self) -> Option<&Path> {
        match self {
            Self::File(path) => Some(path),
            Self::Server(_) => None,
        }
    }

    /// Whether several gateways may work with it.
    pub(in crate::store) fn is_shared(&self) -> bool {
        matches!(self, Self::Server(_))
    }
}

fn server(text: &str) -> Result<Place, String> {
    // The parser's own words may repeat the password.
    let mut config = Config::from_str(text)
        .map_err(|_| "does not read; write `postgres://USER:PASSWORD@HOST/DATABASE`".to_owned())?;
    if config.get_ssl_mode() == SslMode::Require {
        return Err(
            "asks for TLS, which is left to a proxy on this machine (stunnel, pgbouncer); remove `sslmode`".to_owned()
        );
    }
    if config.get_application_name().is_none() {
        config.application_name("punch-gateway");
    }
    config.connect_timeout(PATIENCE);
    Ok(Place::Server(Box::new(config)))
}

/// Shows no password.
impl fmt::Display for Place {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        match self {
            Self::File(path) => write!(f, "sqlite:{}", path.display()),
            Self::Server(config) => write!(f, "postgres database `{}`", config.get_dbname().unwrap_or_default()),
        }
    }
}

impl fmt::Debug for Place {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        fmt::Display::fmt(self, f)
    }
}

/// Makes connections to one place.
#[derive(Debug, Clone)]
pub(in crate::store) struct Opener {
    place: Place,
    conversations: Option<Conversations>,
}

impl Opener {
    pub(in crate::store) fn new(place: &Place) -> Result<Self, StoreError> {
        let conversations = if place.is_shared() { Some(Conversations::start()?) } else { None };
        Ok(Self { place: place.clone(), conversations })
    }

    pub(in crate::store) fn place(&self) -> &Place {
        &self.place
    }

    /// Not to be called by what drives a runtime.
    pub(in crate::store) fn connect(&self) -> Result<Connection, StoreError> {
        match (&self.place, &self.conversations) {
            (Place::Server(config), Some(conversations)) => conversations.connect(config),
            (Place::Server(_), None) => Err(StoreError::Stopped),
            (Place::File(path), _) => sqlite::connect(path),
        }
    }

    /// Wakes whoever waits for `changed` when somebody has written to it. Nobody else does to a file.
    pub(in crate::store) fn listen(&self, changed: &Arc<Notify>) -> Result<(), StoreError> {
        match (&self.place, &self.conversations) {
            (Place::Server(config), Some(conversations)) => conversations.listen(config, changed),
            (Place::Server(_) | Place::File(_), _) => Ok(()),
        }
    }

    /// A layout in the words of the place.
    pub(in crate::store) fn in_its_words(&self, sql: &str) -> String {
        if self.place.is_shared() { translate_layout(sql) } else { sql.to_owned() }
    }
}
