//! What a call says of a list: which rows, which part of them, in which order. One way for every list.

use std::cmp::Ordering;
use std::collections::BTreeMap;

use axum::Json;
use axum::extract::Query;
use axum::extract::rejection::QueryRejection;
use axum::http::StatusCode;
use axum::response::{IntoResponse as _, Response};
use chrono::{DateTime, Utc};
use serde::Serialize;
use serde_json::{Value, json};

use super::Api;
use super::commands::known_device;
use super::envelope::{ApiError, Page, PageMeta, Paging, request_id};
use super::terms::{Kind, Terms};
use crate::store::Part;

/// The query of a list, as it came.
pub(super) type Pairs = Result<Query<Vec<(String, String)>>, QueryRejection>;

/// What a call asks of a list.
#[derive(Debug)]
pub(super) struct Asked {
    terms: &'static Terms,
    filters: BTreeMap<String, String>,
    paging: Paging,
    cursor: Option<String>,
    sort: (&'static str, &'static str),
    is_by_key: bool,
    descending: bool,
}

impl Asked {
    /// Reads a query. Whatever it says that the list does not know is an error with its name.
    pub(super) fn of(query: Pairs, terms: &'static Terms) -> Result<Self, ApiError> {
        let Query(pairs) = query.map_err(|_| ApiError::invalid("query", "is no list of `name=value`"))?;
        let mut filters = BTreeMap::new();
        let mut others = BTreeMap::new();
        for (name, value) in pairs {
            let known = terms.of_every_list().contains(&name.as_str());
            match terms.kind(&name) {
                Some(kind) => kind.check(&name, &value)?,
                None if known => {}
                None => {
                    let words =
                        terms.filters.iter().map(|(word, _)| *word).chain(terms.of_every_list().iter().copied());
                    let words: Vec<&str> = words.collect();
                    let problem = format!("is not known here, expected some of: {}", words.join(", "));
                    return Err(ApiError::invalid(&name, &problem));
                }
            }
            let place = if known { &mut others } else { &mut filters };
            if place.insert(name.clone(), value).is_some() {
                return Err(ApiError::invalid(&name, "is there twice"));
            }
        }
        let number = |name: &str| {
            let number = others.get(name).map(|text: &String| text.parse::<u32>()).transpose();
            number.map_err(|_| ApiError::invalid(name, "expected a whole number"))
        };
        let paging = Paging::of(number("page")?, number("per_page")?)?;
        let (sort, is_by_key, descending) = sorted(terms, others.get("sort").map(String::as_str))?;
        let cursor = others.get("cursor").filter(|cursor| !cursor.is_empty()).cloned();
        if cursor.is_some() && others.contains_key("page") {
            return Err(ApiError::invalid("cursor", "says where to go on, and `page` does too; send one of them"));
        }
        Ok(Self { terms, filters, paging, cursor, sort, is_by_key, descending })
    }

    /// The text of a filter.
    pub(super) fn text(&self, name: &str) -> Option<String> {
        self.filters.get(name).cloned()
    }

    /// A filter that is a number.
    pub(super) fn number(&self, name: &str) -> Option<u64> {
        self.filters.get(name)?.parse().ok()
    }

    /// A filter that is one of some words.
    pub(super) fn word(&self, name: &str) -> Option<&'static str> {
        let (text, Some(Kind::Words(words))) = (self.filters.get(name)?, self.terms.kind(name)) else { return None };
        words().into_iter().find(|word| word == text)
    }

    /// A filter that is a moment.
    pub(super) fn moment(&self, name: &str) -> Option<DateTime<Utc>> {
        self.filters.get(name)?.parse().ok()
    }

    /// The serial number of the terminal that `device_id` names.
    pub(super) fn serial(&self, api: &Api) -> Result<Option<String>, ApiError> {
        let named = self.text("device_id").map(|id| known_device(api, "device_id", &id)).transpose()?;
        Ok(named.map(|serial| serial.to_string()))
    }

    /// Two filters that are the ends of a time.
    pub(super) fn span(&self) -> Result<[Option<DateTime<Utc>>; 2], ApiError> {
        let (since, until) = (self.moment("since"), self.moment("until"));
        if since.zip(until).is_some_and(|(since, until)| until <= since) {
            return Err(ApiError::invalid("until", "expected a moment behind `since`"));
        }
        Ok([since, until])
    }

    /// The part of a list that the store sorts.
    pub(super) fn part(&self) -> Result<Part, ApiError> {
        let after = self.cursor.as_deref().map(str::parse::<i64>).transpose();
        let after =
            after.map_err(|_| ApiError::invalid("cursor", "expected `meta.next_cursor` of the answer before"))?;
        if after.is_some() && !self.is_by_key {
            let key = self.sort.0;
            return Err(ApiError::invalid(
                "cursor",
                &format!("goes on in the usual order only, not by `{key}`; use `page`"),
            ));
        }
        let column = (!self.is_by_key).then_some(self.sort.1);
        let offset = self.paging.offset();
        Ok(Part { limit: self.paging.per_page, offset, after, column, descending: self.descending })
    }

    /// The answer to a call for a list that the store has sorted: each row with its key.
    pub(super) fn page<T: Serialize>(&self, rows: Vec<(u64, T)>, total: Option<u64>) -> Response {
        let is_full = rows.len() >= usize::try_from(self.paging.per_page).unwrap_or(usize::MAX);
        let next = rows.last().filter(|_| is_full && self.is_by_key).map(|(key, _)| key.to_string());
        let data: Vec<Value> = rows.into_iter().map(|(_, row)| json!(row)).collect();
        self.listed(data, total, next)
    }

    /// The answer to a call for a list that is small: sorts it and takes the part that is asked for. `keys` are the members
    /// that together are no other row's.
    pub(super) fn arrange(&self, mut rows: Vec<Value>, keys: &[&str]) -> Result<Response, ApiError> {
        let none = Value::Null;
        rows.sort_by(|one, other| {
            let by = |name: &str| compare(one.get(name).unwrap_or(&none), other.get(name).unwrap_or(&none));
            // Those of one place stay as the store has them.
            let order = by(self.sort.0).then_with(|| keys.first().map_or(Ordering::Equal, |key| by(key)));
            if self.descending { order.reverse() } else { order }
        });
        let total = u64::try_from(rows.len()).ok();
        let member = |row: &Value, name: &str| match row.get(name) {
            Some(Value::String(text)) => text.clone(),
            other => other.map(ToString::to_string).unwrap_or_default(),
        };
        let text = |row: &Value| keys.iter().map(|name| member(row, name)).collect::<Vec<_>>().join("/");
        let begin = match &self.cursor {
            None => usize::try_from(self.paging.offset()).unwrap_or(usize::MAX),
            Some(cursor) => {
                let last = rows.iter().position(|row| text(row) == *cursor);
                last.ok_or_else(|| ApiError::invalid("cursor", "is of none there is any more; begin anew"))?
                    .saturating_add(1)
            }
        };
        let limit = usize::try_from(self.paging.per_page).unwrap_or(usize::MAX);
        let has_more = rows.len() > begin.saturating_add(limit);
        let part: Vec<Value> = rows.into_iter().skip(begin).take(limit).collect();
        let next = part.last().filter(|_| has_more).map(text);
        Ok(self.listed(part, total, next))
    }

    fn listed(&self, data: Vec<Value>, total: Option<u64>, next: Option<String>) -> Response {
        let page = self.cursor.is_none().then_some(self.paging.page);
        let per_page = self.paging.per_page;
        let meta = PageMeta { page, per_page, total, next_cursor: next, request_id: request_id() };
        (StatusCode::OK, Json(Page { data, meta })).into_response()
    }
}

/// `name` or `-name`: the column, whether it is the key, and whether the last comes first.
fn sorted(terms: &Terms, wish: Option<&str>) -> Result<((&'static str, &'static str), bool, bool), ApiError> {
    let key = terms.sorts.first().copied().unwrap_or(("id", "id"));
    let Some(wish) = wish else { return Ok((key, true, terms.newest_first)) };
    let (name, descending) = wish.strip_prefix('-').map_or((wish, false), |name| (name, true));
    match terms.sorts.iter().find(|(word, _)| *word == name) {
        Some(sort) => Ok((*sort, sort.0 == key.0, descending)),
        None => {
            let words: Vec<&str> = terms.sorts.iter().map(|(word, _)| *word).collect();
            let problem = format!("expected one of: {}; with `-` in front the other way", words.join(", "));
            Err(ApiError::invalid("sort", &problem))
        }
    }
}

/// Numbers as numbers, everything else as text; what is not there comes first.
fn compare(one: &Value, other: &Value) -> Ordering {
    match (one, other) {
        (Value::Number(one), Value::Number(other)) => {
            one.as_f64().partial_cmp(&other.as_f64()).unwrap_or(Ordering::Equal)
        }
        (Value::String(one), Value::String(other)) => one.cmp(other),
        (Value::Null, Value::Null) => Ordering::Equal,
        (Value::Null, _) => Ordering::Less,
        (_, Value::Null) => Ordering::Greater,
        (one, other) => one.to_string().cmp(&other.to_string()),
    }
}
