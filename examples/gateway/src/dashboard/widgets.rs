//! Pieces that several pages are made of.

use chrono::{DateTime, SecondsFormat, Utc};
use maud::{Markup, html};

use super::text::{self, Text};
use super::visit::Visit;
use super::words::{self, Tone};
use crate::clock::now;

/// Rows of a page of a list.
pub(super) const PER_PAGE: u32 = 50;

/// What shows that a form is one of ours.
pub(super) fn token(visit: &Visit) -> Markup {
    html! { input type="hidden" name="token" value=(visit.token); }
}

/// A form of one button that says what it does.
pub(super) fn button(visit: &Visit, action: &str, label: Text, fields: &[(&str, &str)]) -> Markup {
    html! {
        form method="post" action=(action) {
            (token(visit))
            @for (name, value) in fields { input type="hidden" name=(name) value=(value); }
            button type="submit" { (visit.say(label)) }
        }
    }
}

/// An address with what is asked for, of which nothing is left out but what is empty.
pub(super) fn address(path: &str, query: &[(&str, &str)]) -> String {
    let mut pairs = form_urlencoded::Serializer::new(String::new());
    pairs.extend_pairs(query.iter().filter(|(_, value)| !value.is_empty()));
    let query = pairs.finish();
    if query.is_empty() { path.to_owned() } else { format!("{path}?{query}") }
}

/// One word of a state, with what it means for whoever looks.
pub(super) fn state(visit: &Visit, word: &str) -> Markup {
    let (said, tone) = words::of(visit.language, word);
    let class = match tone {
        Tone::Good => "state ok",
        Tone::Bad => "state bad",
        Tone::Watch => "state watch",
        Tone::Plain => "state",
    };
    html! { span class=(class) { (said) } }
}

/// A moment, and how long ago it was.
pub(super) fn moment(visit: &Visit, at: DateTime<Utc>) -> Markup {
    let written = at.to_rfc3339_opts(SecondsFormat::Millis, true);
    html! {
        time datetime=(written) title=(written) { (at.format("%Y-%m-%d %H:%M:%S")) " UTC" }
        " " span.ago { (since(visit, at)) }
    }
}

/// A moment that the store has written.
pub(super) fn written(visit: &Visit, text: &str) -> Markup {
    match text.parse() {
        Ok(at) => moment(visit, at),
        Err(_) => html! { (text) },
    }
}

/// How long ago something was, or in how long it will be.
fn since(visit: &Visit, at: DateTime<Utc>) -> String {
    let seconds = now().signed_duration_since(at).num_seconds();
    let (pattern, seconds) = if seconds < 0 { (text::IN_A_WHILE, -seconds) } else { (text::AGO, seconds) };
    visit.language.fill(pattern, &[&span(seconds)])
}

/// So many seconds in the largest unit that they have one of.
pub(super) fn span(seconds: i64) -> String {
    match seconds {
        ..60 => format!("{seconds} s"),
        60..3_600 => format!("{} min", seconds / 60),
        3_600..172_800 => format!("{} h", seconds / 3_600),
        _ => format!("{} d", seconds / 86_400),
    }
}

/// A table that becomes a list of cards where there is no room for it. Each cell says its column.
pub(super) fn table(visit: &Visit, caption: Text, heads: &[Text], body: &Markup) -> Markup {
    html! {
        table {
            caption { (visit.say(caption)) }
            thead { tr { @for head in heads { th scope="col" { (visit.say(*head)) } } } }
            (body)
        }
    }
}

/// A cell that says its column.
pub(super) fn cell(visit: &Visit, head: Text, content: &Markup) -> Markup {
    html! { td data-label=(visit.say(head)) { (content) } }
}

/// Links to the page before and the page after.
pub(super) fn pager(visit: &Visit, path: &str, query: &[(&str, &str)], number: u32, has_more: bool) -> Markup {
    let link = |number: u32| {
        let number = number.to_string();
        let page = [query, &[("page", number.as_str())]].concat();
        address(path, &page)
    };
    html! {
        @if number > 1 || has_more {
            nav.pager aria-label=(visit.say(text::PAGER)) {
                @if number > 1 { a rel="prev" href=(link(number - 1)) { "← " (visit.say(text::NEWER)) } }
                @if has_more { a rel="next" href=(link(number + 1)) { (visit.say(text::OLDER)) " →" } }
            }
        }
    }
}

/// The rows of a page, and whether there are more behind them: it is asked for one row more than is shown.
pub(super) fn shown<T>(mut rows: Vec<T>) -> (Vec<T>, bool) {
    let most = usize::try_from(PER_PAGE).unwrap_or(usize::MAX);
    let has_more = rows.len() > most;
    rows.truncate(most);
    (rows, has_more)
}
