//! What charts as SVG have in common: drawn here, so that they need no script.

use maud::{Markup, html};

/// Width of a chart, in its own units.
pub const WIDTH: f64 = 400.0;
/// Height of a chart.
pub const HEIGHT: f64 = 200.0;
/// Where the drawing begins.
pub const LEFT: f64 = 54.0;
/// What is free behind it.
pub const RIGHT: f64 = 8.0;
/// What is free above it.
pub const TOP: f64 = 10.0;
/// What is free below it, for the labels of the axis.
pub const BOTTOM: f64 = 24.0;

/// Height of the drawing.
pub fn inner_height() -> f64 {
    HEIGHT - TOP - BOTTOM
}

/// Where a value stands that is this share of the axis, 0 to 1.
pub fn y_of(share: f64) -> f64 {
    share.mul_add(-inner_height(), HEIGHT - BOTTOM)
}

/// Lines across, each at a share of the axis and with its label.
pub fn marks(marks: &[(f64, String)]) -> Markup {
    html! {
        @for (at, label) in marks {
            @let y = y_of(*at);
            line.grid x1=(LEFT) x2=(WIDTH - RIGHT) y1=(y) y2=(y) { }
            text.label x=(LEFT - 6.0) y=(y + 4.0) text-anchor="end" { (label) }
        }
    }
}

/// The marks of an axis of numbers: none, half and all of `top`.
pub fn of_numbers(top: u64) -> [(f64, String); 3] {
    [(0.0, "0".to_owned()), (0.5, half(top)), (1.0, top.to_string())]
}

/// A line through points.
pub fn line(class: &str, points: impl IntoIterator<Item = (f64, f64)>) -> Markup {
    let points: Vec<String> = points.into_iter().map(|(x, y)| format!("{x:.1},{y:.1}")).collect();
    html! { polyline class=(class) points=(points.join(" ")) { } }
}

/// A count as part of another.
pub fn share(count: u64, top: u64) -> f64 {
    let small = |count: u64| f64::from(u32::try_from(count).unwrap_or(u32::MAX));
    small(count) / small(top.max(1))
}

/// The next number of the kind 1, 2 or 5 with zeros, and not less than 2, so that half of it is whole or easily read.
pub fn round_up(most: u64) -> u64 {
    let mut power = 1_u64;
    loop {
        for digit in [1, 2, 5] {
            let top = power.saturating_mul(digit);
            if top >= most.max(2) {
                return top;
            }
        }
        power = power.saturating_mul(10);
    }
}

fn half(top: u64) -> String {
    if top.is_multiple_of(2) { (top / 2).to_string() } else { format!("{}.5", top / 2) }
}

#[cfg(test)]
mod tests {
    use super::{half, round_up};

    #[test]
    fn the_axis_ends_at_a_number_that_is_read_at_a_glance() {
        let ends = [0, 1, 2, 3, 5, 6, 11, 100, 101, 4_999].map(round_up);
        assert_eq!(ends, [2, 2, 2, 5, 5, 10, 20, 100, 200, 5_000]);
        assert_eq!(round_up(u64::MAX), u64::MAX);
        assert_eq!([half(5), half(20)], ["2.5", "10"]);
    }
}
