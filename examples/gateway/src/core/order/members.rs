use chrono::{NaiveDate, NaiveTime};
use punch_protocol::push::Dialect;
use serde_json::{Map, Value};

use super::{OrderError, Step};

/// An object of a call that hands out its members one by one. What nobody asked for is an unknown member.
pub(super) struct Members<'v> {
    path: String,
    values: Option<&'v Map<String, Value>>,
    known: Vec<String>,
}

impl<'v> Members<'v> {
    /// An object, or nothing.
    pub(super) fn of(path: &str, value: &'v Value) -> Result<Self, OrderError> {
        let values = match value {
            Value::Object(values) => Some(values),
            Value::Null => None,
            _ => return Err(OrderError { field: path.to_owned(), problem: "is no object".to_owned() }),
        };
        Ok(Self { path: path.to_owned(), values, known: Vec::new() })
    }

    pub(super) fn wrong(&self, name: &str, problem: &str) -> OrderError {
        OrderError { field: format!("{}.{name}", self.path), problem: problem.to_owned() }
    }

    pub(super) fn missing(&self, name: &str, expected: &str) -> OrderError {
        self.wrong(name, &format!("is missing, expected {expected}"))
    }

    fn take(&mut self, name: &str) -> Option<&'v Value> {
        self.known.push(name.to_owned());
        self.values?.get(name).filter(|value| !value.is_null())
    }

    /// A text of at most `most` bytes.
    pub(super) fn text(&mut self, name: &str, most: usize) -> Result<Option<String>, OrderError> {
        let Some(value) = self.take(name) else { return Ok(None) };
        let text = value.as_str().filter(|text| text.len() <= most);
        let text = text.ok_or_else(|| self.wrong(name, &format!("expected a text of at most {most} bytes")))?;
        Ok(Some(text.to_owned()))
    }

    /// A whole number from `least` to `most`.
    pub(super) fn number(&mut self, name: &str, least: u64, most: u64) -> Result<Option<u64>, OrderError> {
        let Some(value) = self.take(name) else { return Ok(None) };
        let number = value.as_u64().filter(|number| (least..=most).contains(number));
        let expected = || self.wrong(name, &format!("expected a whole number from {least} to {most}"));
        number.map(Some).ok_or_else(expected)
    }

    /// True or false; without it false.
    pub(super) fn flag(&mut self, name: &str) -> Result<bool, OrderError> {
        let Some(value) = self.take(name) else { return Ok(false) };
        value.as_bool().ok_or_else(|| self.wrong(name, "expected true or false"))
    }

    /// A list of `least` to `most` objects.
    pub(super) fn list(&mut self, name: &str, least: usize, most: usize) -> Result<Option<Vec<Self>>, OrderError> {
        let Some(value) = self.take(name) else { return Ok(None) };
        let entries = value.as_array().filter(|entries| (least..=most).contains(&entries.len()));
        let entries =
            entries.ok_or_else(|| self.wrong(name, &format!("expected a list of {least} to {most} objects")))?;
        let named = |(index, entry)| Self::of(&format!("{}.{name}[{index}]", self.path), entry);
        entries.iter().enumerate().map(named).collect::<Result<_, _>>().map(Some)
    }

    /// Whether the values of a step can be written to any terminal at all.
    pub(super) fn check(&self, step: &Step) -> Result<(), OrderError> {
        let clock = NaiveDate::default().and_time(NaiveTime::MIN);
        let built = step.command(Dialect::AccessControl, clock).map(drop);
        built.map_err(|error| OrderError { field: self.path.clone(), problem: error.to_string() })
    }

    /// Complains about members nobody asked for.
    pub(super) fn finish(self) -> Result<(), OrderError> {
        let mut names = self.values.into_iter().flat_map(|values| values.keys());
        match names.find(|name| !self.known.contains(name)) {
            None => Ok(()),
            Some(unknown) if self.known.is_empty() => Err(self.wrong(unknown, "is not known here; nothing is")),
            Some(unknown) => {
                Err(self.wrong(unknown, &format!("is not known here, expected some of: {}", self.known.join(", "))))
            }
        }
    }
}
