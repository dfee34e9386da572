//! The table that is printed.

use core::fmt;

/// Lines of what was measured, in the order of measuring.
#[derive(Default)]
pub(crate) struct Table(Vec<Line>);

struct Line {
    name: &'static str,
    figure: f64,
    unit: &'static str,
    share: Option<f64>,
    goal: &'static str,
}

impl Table {
    /// What the machine can do.
    pub(crate) fn limit(&mut self, name: &'static str, figure: f64, unit: &'static str) {
        self.0.push(Line { name, figure, unit, share: Some(1.0), goal: "" });
    }

    /// What the gateway does, and the share of a limit that it is.
    pub(crate) fn share(
        &mut self,
        name: &'static str,
        figure: f64,
        unit: &'static str,
        share: f64,
        goal: &'static str,
    ) {
        self.0.push(Line { name, figure, unit, share: Some(share), goal });
    }

    /// What the gateway does.
    pub(crate) fn plain(&mut self, name: &'static str, figure: f64, unit: &'static str, goal: &'static str) {
        self.0.push(Line { name, figure, unit, share: None, goal });
    }
}

impl fmt::Display for Table {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        writeln!(f, "{:<52} {:>12} {:<14} {:>8}  goal", "", "measured", "", "share")?;
        for Line { name, figure, unit, share, goal } in &self.0 {
            let places = if *figure < 100.0 { 3 } else { 0 };
            let share = share.map(|share| format!("{share:.2}")).unwrap_or_default();
            writeln!(f, "{name:<52} {figure:>12.places$} {unit:<14} {share:>8}  {goal}")?;
        }
        Ok(())
    }
}
