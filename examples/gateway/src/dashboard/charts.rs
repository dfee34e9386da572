//! Charts as SVG: drawn here, so that they need no script, and told as a table to whoever cannot see them.

use maud::{Markup, html};

use super::text::{self, Text};
use super::visit::Visit;
use super::widgets::{cell, span, table};
use crate::chart::{self, BOTTOM, HEIGHT, LEFT, RIGHT, WIDTH, inner_height, round_up, share, y_of};
use crate::store::{Activity, Hour};

/// Punches accepted in each hour.
pub(super) fn punches(visit: &Visit, activity: &Activity) -> Markup {
    let most = activity.hours.iter().map(|hour| hour.punches).max().unwrap_or_default();
    let top = round_up(most);
    let marks = chart::of_numbers(top);
    let slot = slot(activity);
    let drawing = html! {
        @for (x, hour) in placed(activity) {
            @let height = share(hour.punches, top) * inner_height();
            @if hour.punches > 0 {
                rect.bar x=(x + slot * 0.15) y=(HEIGHT - BOTTOM - height) width=(slot * 0.7) height=(height) {
                    title { (clock(hour)) ": " (hour.punches) }
                }
            }
        }
    };
    let rows = html! {
        @for hour in &activity.hours {
            tr { th scope="row" { (clock(hour)) } (cell(visit, text::PUNCHES, &html! { (hour.punches) })) }
        }
    };
    let heads = [text::HOUR, text::PUNCHES];
    figure(visit, "punches-chart", text::CHART_PUNCHES, &frame(activity, &marks, &drawing), &heads, &rows)
}

/// Within what time half of the deliveries of each hour had arrived, and 95 of 100.
pub(super) fn latency(visit: &Visit, activity: &Activity) -> Markup {
    let classes = Activity::BOUNDS.len();
    // Every third class, so that they can be read.
    let marks: Vec<(f64, String)> =
        (0..classes).step_by(3).map(|class| (height_of(class), within(Some(class)))).collect();
    let slot = slot(activity);
    let points = |percent: u64| {
        let hours = placed(activity).into_iter();
        let placed =
            hours.filter_map(move |(x, hour)| Some((x + slot / 2.0, y_of(height_of(hour.within(percent)?)), hour)));
        placed.collect::<Vec<_>>()
    };
    let (half, most) = (points(50), points(95));
    let drawing = html! {
        (chart::line("line most", most.iter().map(|(x, y, _)| (*x, *y))))
        (chart::line("line half", half.iter().map(|(x, y, _)| (*x, *y))))
        @for (x, y, hour) in &most {
            rect.dot.most x=(x - 3.0) y=(y - 3.0) width="6" height="6" {
                title { (clock(hour)) ": 95 % " (within(hour.within(95))) }
            }
        }
        @for (x, y, hour) in &half {
            circle.dot.half cx=(x) cy=(y) r="3" { title { (clock(hour)) ": 50 % " (within(hour.within(50))) } }
        }
    };
    let rows = html! {
        @for hour in &activity.hours {
            tr {
                th scope="row" { (clock(hour)) }
                (cell(visit, text::HALF_WITHIN, &html! { (within(hour.within(50))) }))
                (cell(visit, text::MOST_WITHIN, &html! { (within(hour.within(95))) }))
            }
        }
    };
    let heads = [text::HOUR, text::HALF_WITHIN, text::MOST_WITHIN];
    figure(visit, "latency-chart", text::CHART_LATENCY, &frame(activity, &marks, &drawing), &heads, &rows)
}

fn figure(visit: &Visit, id: &str, title: Text, drawing: &Markup, heads: &[Text], rows: &Markup) -> Markup {
    html! {
        figure {
            figcaption id=(id) { (visit.say(title)) }
            svg viewBox=(format!("0 0 {WIDTH} {HEIGHT}")) role="img" aria-labelledby=(id) { (drawing) }
            @if heads.len() > 2 {
                p.legend {
                    span.key.half { } " " (visit.say(text::HALF_WITHIN)) " "
                    span.key.most { } " " (visit.say(text::MOST_WITHIN))
                }
            }
            details {
                summary { (visit.say(text::AS_TABLE)) }
                (table(visit, title, heads, &html! { tbody { (rows) } }))
            }
        }
    }
}

/// The axes around a drawing: marks at their height, 0 to 1, and every sixth hour.
fn frame(activity: &Activity, marks: &[(f64, String)], drawing: &Markup) -> Markup {
    html! {
        (chart::marks(marks))
        @for (x, hour) in placed(activity).into_iter().step_by(6) {
            text.label x=(x) y=(HEIGHT - 6.0) { (clock(hour)) }
        }
        (drawing)
    }
}

fn clock(hour: &Hour) -> String {
    hour.begins.format("%H:00").to_string()
}

/// The time of a class in words; nothing if there is none, and the last one is open.
fn within(class: Option<usize>) -> String {
    let Some(class) = class else { return "–".to_owned() };
    match Activity::BOUNDS.get(class) {
        Some(millis) if *millis < 1_000 => format!("{millis} ms"),
        Some(millis) => span(millis / 1_000),
        None => format!("> {}", Activity::BOUNDS.last().map_or_else(String::new, |millis| span(millis / 1_000))),
    }
}

/// How wide an hour is.
fn slot(activity: &Activity) -> f64 {
    (WIDTH - LEFT - RIGHT) / number(activity.hours.len().max(1))
}

/// The hours, each with where it begins.
fn placed(activity: &Activity) -> Vec<(f64, &Hour)> {
    let slot = slot(activity);
    activity.hours.iter().enumerate().map(|(index, hour)| (number(index).mul_add(slot, LEFT), hour)).collect()
}

/// How high a class of time is, 0 to 1: each is as far from the next, so that milliseconds and hours fit into one chart.
fn height_of(class: usize) -> f64 {
    number(class) / number(Activity::BOUNDS.len())
}

fn number(count: usize) -> f64 {
    f64::from(u32::try_from(count).unwrap_or(u32::MAX))
}

#[cfg(test)]
mod tests {
    use super::within;
    use crate::store::Activity;

    #[test]
    fn every_class_of_time_has_a_name() {
        assert_eq!([None, Some(0), Some(6), Some(12)].map(within), ["–", "10 ms", "1 s", "5 min"]);
        assert_eq!(within(Some(Activity::BOUNDS.len())), "> 12 h");
    }
}
