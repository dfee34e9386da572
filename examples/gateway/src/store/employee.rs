use punch_normalize::Person;
use punch_protocol::{Pin, SerialNumber};

use super::sql::{Connection, Row};
use super::{StoreError, Transaction};
use crate::core::{Bound, Clash, Identity, Register, Scope, Validity};

const COLUMNS: &str = "badge, scope_kind, scope, valid_from, valid_to, id, name, shifts";

impl Register {
    /// Who has, or had, this PIN.
    ///
    /// # Errors
    ///
    /// The store cannot be read.
    pub fn of_pin(connection: &Connection, pin: &Pin<'_>) -> Result<Self, StoreError> {
        let mut register = Self::default();
        for identity in with_pin(connection, pin)? {
            // What was written is free of clashes; of a damaged row the earlier one stays.
            let _ = register.add(identity);
        }
        Ok(register)
    }
}

impl Identity {
    /// All of them, by PIN.
    ///
    /// # Errors
    ///
    /// The store cannot be read.
    pub fn all(connection: &Connection) -> Result<Vec<Self>, StoreError> {
        let sql = format!("SELECT {COLUMNS} FROM employee ORDER BY badge, scope_kind, scope, valid_from");
        Ok(connection.all(&sql, &[], identity)?.into_iter().flatten().collect())
    }

    /// How many there are.
    ///
    /// # Errors
    ///
    /// The store cannot be read.
    pub(crate) fn count(connection: &Connection) -> Result<u64, StoreError> {
        Ok(connection.value::<i64>("SELECT count(*) FROM employee", &[])?.cast_unsigned())
    }
}

/// Registers an identity, or changes what is known of the same person.
///
/// # Errors
///
/// The store cannot be written. A [`Clash`] if somebody else has the PIN there and then; nothing was changed.
pub(crate) fn register(tx: &Transaction<'_>, identity: &Identity) -> Result<Result<(), Clash>, StoreError> {
    let mut register = Register::default();
    for known in with_pin(tx, &identity.pin)? {
        // Who was called by the PIN alone is who now gets an id.
        let is_same = known.id.is_none() || known.person() == identity.person();
        if !(is_same && known.overlaps(identity)) {
            let _ = register.add(known);
        }
    }
    match register.add(identity.clone()) {
        Ok(()) => put_employee(tx, identity).map(Ok),
        Err(clash) => Ok(Err(clash)),
    }
}

/// Registers an identity in the place of all that it overlaps.
///
/// # Errors
///
/// The store cannot be written.
pub(crate) fn put_employee(tx: &Transaction<'_>, identity: &Identity) -> Result<(), StoreError> {
    let (badge, validity) = (identity.pin.to_text(), &identity.validity);
    let (kind, scope) = scope_text(&identity.scope);
    let bound = |bound: Option<Bound>| bound.map(|bound| bound.to_string()).unwrap_or_default();
    for known in with_pin(tx, &identity.pin)? {
        if known == *identity {
            return Ok(());
        }
        if known.overlaps(identity) {
            tx.execute(
                "DELETE FROM employee WHERE badge = ?1 AND scope_kind = ?2 AND scope = ?3 AND valid_from = ?4",
                &[&badge, &kind, &scope, &bound(known.validity.from)],
            )?;
        }
    }
    // No list of texts fails to be written.
    let shifts = serde_json::to_string(&identity.shifts).unwrap_or_default();
    let sql = format!("INSERT INTO employee ({COLUMNS}) VALUES (?1, ?2, ?3, ?4, ?5, ?6, ?7, ?8)");
    let (from, to) = (bound(validity.from), bound(validity.to));
    tx.execute(&sql, &[&badge, &kind, &scope, &from, &to, &identity.id, &identity.name, &shifts])?;
    Ok(())
}

/// The names of the shifts of a person, of all their identities.
pub(super) fn shifts_of(connection: &Connection, person: &Person) -> Result<Vec<String>, StoreError> {
    let sql = "SELECT shifts FROM employee WHERE id = ?1 OR (badge = ?1 AND id IS NULL)";

    let rows = connection.all(sql, &[&person.as_str()], |row| row.get::<String>(0))?;
    let mut names = Vec::new();
    for row in rows {
        names.extend(serde_json::from_str::<Vec<String>>(&row).unwrap_or_default());
    }
    Ok(names)
}

fn with_pin(connection: &Connection, pin: &Pin<'_>) -> Result<Vec<Identity>, StoreError> {
    let sql = format!("SELECT {COLUMNS} FROM employee WHERE badge = ?1");
    Ok(connection.all(&sql, &[&pin.to_text()], identity)?.into_iter().flatten().collect())
}

/// Reads an identity back; `None` of a row that somebody has damaged.
fn identity(row: &Row<'_>) -> Result<Option<Identity>, StoreError> {
    let text = |index: usize| row.get::<String>(index);
    let bound = |index: usize| -> Result<Option<Option<Bound>>, StoreError> {
        let text = text(index)?;
        Ok(if text.is_empty() { Some(None) } else { text.parse().ok().map(Some) })
    };
    let (badge, kind, scope) = (text(0)?, text(1)?, text(2)?);
    let pin = Pin::parse_text(&badge).ok().map(Pin::into_owned);
    let scope = match kind.as_str() {
        "device" => SerialNumber::parse(&scope).ok().map(Scope::Device),
        "site" => Some(Scope::Site(scope)),
        _ => Some(Scope::Tenant),
    };
    let (Some(pin), Some(scope), Some(from), Some(to)) = (pin, scope, bound(3)?, bound(4)?) else { return Ok(None) };
    let shifts = serde_json::from_str(&text(7)?).unwrap_or_default();
    let validity = Validity { from, to };
    Ok(Some(Identity { pin, id: row.get(5)?, name: row.get(6)?, scope, validity, shifts }))
}

fn scope_text(scope: &Scope) -> (&'static str, &str) {
    match scope {
        Scope::Tenant => ("tenant", ""),
        Scope::Site(name) => ("site", name),
        Scope::Device(serial) => ("device", serial.as_str()),
    }
}
