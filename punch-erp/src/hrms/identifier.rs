use alloc::format;
use alloc::string::String;
use alloc::vec::Vec;
use core::fmt;

use crate::ConfigError;

/// The longest name of a table or a column, in bytes. PostgreSQL cuts longer ones and says nothing.
pub const MAX_IDENTIFIER: usize = 63;

/// The name of a table, perhaps with its schema, or of a column: checked, and quoted when written.
#[derive(Debug, Clone, PartialEq, Eq)]
pub(super) struct Identifier(String);

impl Identifier {
    /// A name that [`check`] passed.
    pub(super) fn checked(name: &str) -> Self {
        Self(name.into())
    }

    /// The name without its schema.
    pub(super) fn last(&self) -> &str {
        self.0.rsplit('.').next().unwrap_or(&self.0)
    }
}

/// Whether the setting `key` is a name of at most so many parts.
pub(super) fn check(key: &'static str, name: &str, parts_max: usize) -> Result<(), ConfigError> {
    if name.is_empty() {
        return Err(ConfigError::Missing { key, cure: "name the table or the column in the database" });
    }
    let parts: Vec<_> = name.split('.').collect();
    if parts.len() <= parts_max && parts.iter().all(|part| is_plain(part)) {
        Ok(())
    } else {
        Err(ConfigError::BadIdentifier { key, found: name.chars().take(16).collect() })
    }
}

/// Quoted, so that a word of SQL is a name, too.
impl fmt::Display for Identifier {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        let quoted: Vec<_> = self.0.split('.').map(|part| format!("\"{part}\"")).collect();
        f.write_str(&quoted.join("."))
    }
}

/// ASCII letters, digits and `_`, no digit first: nothing that could end a quoted name.
fn is_plain(part: &str) -> bool {
    let is_start = |byte: &u8| byte.is_ascii_alphabetic() || *byte == b'_';
    part.len() <= MAX_IDENTIFIER
        && part.as_bytes().first().is_some_and(is_start)
        && part.bytes().all(|byte| byte.is_ascii_alphanumeric() || byte == b'_')
}
