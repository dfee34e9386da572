use alloc::collections::BTreeMap;
use alloc::string::String;
use alloc::vec::Vec;
use core::fmt;

use serde_json::{Map, Value};

use crate::passage::{PersonKey, PersonScheme, fields, text};

/// The ids of a person: nothing else is read. `Debug` shows nothing.
#[derive(Clone, PartialEq, Eq)]
#[non_exhaustive]
pub struct PersonInfo {
    /// HikCentral's number.
    pub person_id: String,
    /// The id that is shown to people, if there is one.
    pub person_code: Option<String>,
    /// The numbers of the cards.
    pub cards: Vec<String>,
    /// The fields that an administrator defined, by name.
    pub custom: BTreeMap<String, String>,
}

impl PersonInfo {
    /// One of the ids; of several cards the first.
    pub fn key(&self, scheme: &PersonScheme) -> Option<PersonKey> {
        let value = match scheme {
            PersonScheme::PersonId => Some(&self.person_id),
            PersonScheme::PersonCode => self.person_code.as_ref(),
            PersonScheme::CardNo => self.cards.first(),
            PersonScheme::Custom(name) => self.custom.get(name),
            PersonScheme::EmployeeNo => None,
        };
        PersonKey::new(scheme.clone(), value?.clone())
    }

    /// Reads a person; `None` if it has no id.
    pub(super) fn read(row: &Value) -> Option<Self> {
        let person = fields(Some(row));
        Some(Self {
            person_id: text(&person, "personId")?,
            person_code: text(&person, "personCode"),
            cards: list(&person, "cards").filter_map(|card| text(&card, "cardNo")).collect(),
            // The guides spell it so, too.
            custom: list(&person, "customFieldList")
                .filter_map(|field| {
                    let name = text(&field, "customFiledName").or_else(|| text(&field, "customFieldName"))?;
                    Some((name, text(&field, "customFieldValue")?))
                })
                .collect(),
        })
    }
}

impl fmt::Debug for PersonInfo {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.write_str("PersonInfo(..)")
    }
}

fn list(object: &Map<String, Value>, name: &str) -> impl Iterator<Item = Map<String, Value>> {
    let items = object.get(name).and_then(Value::as_array).cloned().unwrap_or_default();
    items.into_iter().map(|item| fields(Some(&item)))
}
