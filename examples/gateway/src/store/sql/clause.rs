use super::ToValue;

/// The conditions behind a `WHERE`, as they come together.
#[derive(Default)]
pub(in crate::store) struct Clause {
    text: String,
    values: Vec<Box<dyn ToValue>>,
}

impl Clause {
    /// One more condition, which ends in its value: `and("serial =", serial)`.
    pub(in crate::store) fn and(&mut self, condition: &str, value: impl ToValue + 'static) {
        self.values.push(Box::new(value));
        self.text.push_str(&format!(" AND {condition} ?{}", self.values.len()));
    }

    /// One more condition, without a value.
    pub(in crate::store) fn also(&mut self, condition: &str) {
        self.text.push_str(&format!(" AND {condition}"));
    }

    /// What stands behind `WHERE`: these, and all that were added.
    pub(in crate::store) fn after(&self, first: &str) -> String {
        format!("{first}{}", self.text)
    }

    /// The values, in their order.
    pub(in crate::store) fn values(&self) -> Vec<&dyn ToValue> {
        self.values.iter().map(AsRef::as_ref).collect()
    }
}
