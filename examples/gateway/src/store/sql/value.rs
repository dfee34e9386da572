use core::fmt;
use std::borrow::Cow;

/// A value as databases know them. Flags are 0 and 1.
#[derive(Clone, Copy, PartialEq, Eq)]
#[allow(clippy::exhaustive_enums, reason = "these are all the store uses")]
pub enum Value<'a> {
    /// Nothing.
    Null,
    /// A number.
    Integer(i64),
    /// A text.
    Text(&'a str),
    /// Bytes.
    Bytes(&'a [u8]),
}

/// Shows nothing of what may be somebody's.
impl fmt::Debug for Value<'_> {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.write_str(match self {
            Self::Null => "Null",
            Self::Integer(_) => "Integer",
            Self::Text(_) => "Text",
            Self::Bytes(_) => "Bytes",
        })
    }
}

/// What can be the value of a parameter.
pub trait ToValue {
    /// The value.
    fn to_value(&self) -> Value<'_>;
}

/// What a column can be read as.
pub trait FromValue: Sized {
    /// `None` if it is something else.
    fn from_value(value: Value<'_>) -> Option<Self>;
}

impl<T: ToValue + ?Sized> ToValue for &T {
    fn to_value(&self) -> Value<'_> {
        (**self).to_value()
    }
}

impl<T: ToValue> ToValue for Option<T> {
    fn to_value(&self) -> Value<'_> {
        self.as_ref().map_or(Value::Null, ToValue::to_value)
    }
}

impl<T: FromValue> FromValue for Option<T> {
    fn from_value(value: Value<'_>) -> Option<Self> {
        match value {
            Value::Null => Some(None),
            Value::Integer(_) | Value::Text(_) | Value::Bytes(_) => T::from_value(value).map(Some),
        }
    }
}

impl ToValue for i64 {
    fn to_value(&self) -> Value<'_> {
        Value::Integer(*self)
    }
}

impl FromValue for i64 {
    fn from_value(value: Value<'_>) -> Option<Self> {
        match value {
            Value::Integer(number) => Some(number),
            Value::Null | Value::Text(_) | Value::Bytes(_) => None,
        }
    }
}

impl ToValue for i32 {
    fn to_value(&self) -> Value<'_> {
        Value::Integer((*self).into())
    }
}

impl ToValue for u32 {
    fn to_value(&self) -> Value<'_> {
        Value::Integer((*self).into())
    }
}

impl FromValue for u32 {
    fn from_value(value: Value<'_>) -> Option<Self> {
        i64::from_value(value)?.try_into().ok()
    }
}

impl ToValue for u16 {
    fn to_value(&self) -> Value<'_> {
        Value::Integer((*self).into())
    }
}

impl FromValue for u16 {
    fn from_value(value: Value<'_>) -> Option<Self> {
        i64::from_value(value)?.try_into().ok()
    }
}

impl ToValue for u8 {
    fn to_value(&self) -> Value<'_> {
        Value::Integer((*self).into())
    }
}

impl FromValue for u8 {
    fn from_value(value: Value<'_>) -> Option<Self> {
        i64::from_value(value)?.try_into().ok()
    }
}

impl ToValue for bool {
    fn to_value(&self) -> Value<'_> {
        Value::Integer((*self).into())
    }
}

impl FromValue for bool {
    fn from_value(value: Value<'_>) -> Option<Self> {
        i64::from_value(value).map(|number| number != 0)
    }
}

impl ToValue for str {
    fn to_value(&self) -> Value<'_> {
        Value::Text(self)
    }
}

impl ToValue for String {
    fn to_value(&self) -> Value<'_> {
        Value::Text(self)
    }
}

impl ToValue for Cow<'_, str> {
    fn to_value(&self) -> Value<'_> {
        Value::Text(self)
    }
}

impl FromValue for String {
    fn from_value(value: Value<'_>) -> Option<Self> {
        match value {
            Value::Text(text) => Some(text.to_owned()),
            Value::Null | Value::Integer(_) | Value::Bytes(_) => None,
        }
    }
}

impl ToValue for [u8] {
    fn to_value(&self) -> Value<'_> {
        Value::Bytes(self)
    }
}

impl ToValue for Vec<u8> {
    fn to_value(&self) -> Value<'_> {
        Value::Bytes(self)
    }
}

impl ToValue for [u8; 32] {
    fn to_value(&self) -> Value<'_> {
        Value::Bytes(self)
    }
}

impl FromValue for Vec<u8> {
    fn from_value(value: Value<'_>) -> Option<Self> {
        match value {
            Value::Bytes(bytes) => Some(bytes.to_owned()),
            Value::Null | Value::Integer(_) | Value::Text(_) => None,
        }
    }
}

impl FromValue for [u8; 32] {
    fn from_value(value: Value<'_>) -> Option<Self> {
        Vec::from_value(value)?.try_into().ok()
    }
}
