use alloc::boxed::Box;

/// Why a database takes nothing at present. The texts hold its code and what to do, never a value or a credential.
#[derive(Debug, Clone, PartialEq, Eq, thiserror::Error)]
#[non_exhaustive]
pub enum DatabaseError {
    /// Address, login, rights or tables are not as they should be.
    #[error(
        "PE-SQL-001: the database lets nothing be written ({state}); check login, rights and whether the tables have every column"
    )]
    Setup {
        /// The database's code.
        state: Box<str>,
    },
    /// It is starting, stopping, full, locked or busy.
    #[error("PE-SQL-002: the database cannot write now ({state}); try again later, and look into its log if it lasts")]
    Unavailable {
        /// The database's code.
        state: Box<str>,
    },
}

impl DatabaseError {
    /// Every code, in order.
    pub const CODES: [&'static str; 2] = ["PE-SQL-001", "PE-SQL-002"];

    /// The stable code the text begins with; [`errors`](crate::errors) has its paragraph.
    pub fn code(&self) -> &'static str {
        match self {
            Self::Setup { .. } => "PE-SQL-001",
            Self::Unavailable { .. } => "PE-SQL-002",
        }
    }

    /// One word for machines.
    pub fn reason(&self) -> &'static str {
        match self {
            Self::Setup { .. } => "database_setup",
            Self::Unavailable { .. } => "database_unavailable",
        }
    }
}
