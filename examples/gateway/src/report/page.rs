use maud::{DOCTYPE, Markup, PreEscaped, html};

use super::{DailyReport, DayPunch, EmployeeDay};

/// How the page looks, on paper too. It is part of the page, which is kept as a file.
pub(crate) const STYLE: &str = "\
body { font: 10pt/1.4 system-ui, sans-serif; margin: 1.5cm; color: #000; background: #fff; }
h1 { font-size: 16pt; margin: 0 0 .5em; } h2 { font-size: 12pt; margin: 1.2em 0 .3em; break-after: avoid; }
table { border-collapse: collapse; width: 100%; } th, td { border: 1px solid #999; padding: 2pt 4pt; text-align: left; }
section { break-inside: avoid; } .warn { font-weight: bold; } small { color: #444; }";

/// The report as a page to be printed.
pub(crate) fn page(report: &DailyReport) -> String {
    let markup = html! {
        (DOCTYPE)
        html lang="en" {
            head {
                meta charset="utf-8";
                title { "Attendance of " (report.date) }
                style { (PreEscaped(STYLE)) }
            }
            body {
                h1 { "Attendance of " (report.date) @if let Some(site) = &report.site { ", " (site) } }
                p { small { "Made at " (report.made_at) "." } }
                (completeness(report))
                @for person in &report.employees { (one(person)) }
                @if report.employees.is_empty() { p { "No punches." } }
            }
        }
    };
    markup.into_string()
}

fn completeness(report: &DailyReport) -> Markup {
    html! {
        @if !report.sites.is_empty() {
            h2 { "What is known" }
            ul {
                @for site in &report.sites {
                    li.warn[!site.is_complete] {
                        @if site.site.is_empty() { "Terminals without a site" } @else { (site.site) }
                        ": everything up to " (site.complete_to)
                        @if let Some(serial) = &site.waiting_for { ", waiting for " (serial) }
                        @if !site.is_complete { "; rows of this day may still come" }
                    }
                }
            }
        }
        @if !report.gaps.is_empty() {
            h2 { "Terminals that were not heard" }
            ul {
                @for gap in &report.gaps {
                    li { (gap.device_serial) ": from " (gap.from) @match &gap.to { Some(to) => { " to " (to) }, None => ", and still" } }
                }
            }
        }
        @if !report.held.is_empty() {
            h2 { "Rows that are held" }
            ul { @for (reason, count) in &report.held { li { (reason) ": " (count) } } }
        }
    }
}

fn one(person: &EmployeeDay) -> Markup {
    html! {
        section {
            h2 { (person.badge_number) @if let Some(name) = &person.name { " " (name) } }
            table {
                thead { tr { @for head in ["Local time", "Direction", "By", "Method", "Terminal", "Remarks"] { th scope="col" { (head) } } } }
                tbody { @for punch in &person.punches { (line(punch)) } }
            }
            @for session in &person.sessions {
                p {
                    "Shift from " (session.from)
                    @if let Some(to) = &session.to { " to " (to) }
                    @if let Some(minutes) = session.minutes { ": " (minutes) " minutes" } @else { ", open" }
                }
            }
            @for exception in &person.exceptions { p.warn { (exception.reason) ": " (exception.meaning) } }
        }
    }
}

fn line(punch: &DayPunch) -> Markup {
    html! {
        tr {
            td { (punch.local_time) @if punch.local_time.get(..19) != Some(punch.device_local.as_str()) { br; small { "clock showed " (punch.device_local) } } }
            td { (punch.direction) }
            td { (punch.direction_source) }
            td { (punch.method) }
            td { (punch.device_serial) @if let Some(site) = &punch.site { br; small { (site) } } }
            td {
                @if let Some(minutes) = punch.late_minutes { "came " (minutes) " minutes late" br; }
                @for revision in &punch.revisions {
                    "told anew at " (revision.revised_at) " (" (revision.reason) "): " (revision.old_direction) " is " (revision.new_direction) br;
                }
                small { (punch.event_id) }
            }
        }
    }
}
