//! A page with what a fleet achieved: a table, and charts as SVG, without a script.

use gateway::chart::{self, BOTTOM, HEIGHT, LEFT, RIGHT, WIDTH, round_up, share, y_of};
use maud::{DOCTYPE, Markup, PreEscaped, html};
use simulator::fleet::{Plan, Report, Sample, quantile};

use super::receiver::Delivered;
use super::summary;

const STYLE: &str = "body{font:16px/1.5 system-ui,sans-serif;margin:2rem auto;max-width:62rem;padding:0 1rem;color:#1b2530;\
    background:#fff}table{border-collapse:collapse}th,td{text-align:left;padding:.2rem 1rem .2rem 0;vertical-align:top}\
    th{font-weight:600}main{display:grid;grid-template-columns:repeat(auto-fit,minmax(24rem,1fr));gap:1rem}\
    figure{margin:0}figcaption{font-weight:600}svg{width:100%}polyline{fill:none;stroke:#0b6bcb;stroke-width:1.5}\
    polyline.second{stroke:#c2410c}.grid{stroke:#d5dbe1;stroke-width:.5}.label{font-size:10px;fill:#4a5763}\
    .key{color:#0b6bcb}.key.second{color:#c2410c}\
    @media(prefers-color-scheme:dark){body{color:#e5e9ee;background:#12181f}.grid{stroke:#37424d}.label{fill:#a9b4bf}\
    polyline{stroke:#6db3f2}polyline.second{stroke:#f29a6d}.key{color:#6db3f2}.key.second{color:#f29a6d}}";

/// A line of a chart: its name, and its value at a second.
type Curve<'a> = (&'a str, &'a dyn Fn(&Sample) -> u64);

/// The whole page.
pub(super) fn page(plan: &Plan, report: &Report, delivered: Option<&Delivered>) -> Markup {
    let within =
        |percent| move |second: &Sample| u64::from(quantile(&second.latencies, percent).unwrap_or(0)).div_ceil(1000);
    let memory = |second: &Sample| second.usage.map_or(0, |usage| usage.memory_kib / 1024);
    let processor = |second: &Sample| second.cpu_percent.unwrap_or(0);
    let flying = |second: &Sample| u64::try_from(second.flying).unwrap_or(u64::MAX);
    let connected = |second: &Sample| u64::try_from(second.connected).unwrap_or(u64::MAX);
    html! {
        (DOCTYPE)
        html lang="en" {
            head {
                meta charset="utf-8";
                meta name="viewport" content="width=device-width";
                title { "punch terminal fleet" }
                style { (PreEscaped(STYLE)) }
            }
            body {
                h1 { "A fleet of " (plan.devices) " terminals" }
                p { (described(plan)) }
                table {
                    @for (name, value) in summary::lines(plan, report, delivered) {
                        tr { th scope="row" { (name) } td { (value) } }
                    }
                }
                main {
                    (figure(report, "Requests served in a second", &[("requests", &|second| second.served)]))
                    (figure(report, "Rows acknowledged in a second", &[
                        ("backlog", &|second| second.rows), ("live", &|second| second.punches),
                    ]))
                    (figure(report, "From a punch to its OK, ms", &[("p50", &within(50)), ("p99", &within(99))]))
                    (figure(report, "Not acknowledged", &[("rows and punches", &|second| second.waiting)]))
                    (figure(report, "Terminals connected, requests on their way", &[
                        ("connected", &connected), ("on their way", &flying),
                    ]))
                    @if report.usage.is_some() {
                        (figure(report, "Memory of the server, MiB", &[("memory", &memory)]))
                        (figure(report, "Processor time of the server, % of one", &[("processor", &processor)]))
                    }
                }
            }
        }
    }
}

fn described(plan: &Plan) -> String {
    let poll = plan.poll.map_or("as the server says".to_owned(), |poll| format!("every {} s", poll.as_secs()));
    let (rate, people, seconds) = (plan.rate, plan.users, plan.duration.as_secs());
    let connections = if plan.keep_alive { "connections stay open" } else { "a connection a request" };
    let mut text = format!("They poll {poll}, {connections}; {rate} punches/s for {seconds} s, {people} people each");
    if plan.backlog() > 0 {
        let (devices, rows, batch) = (plan.backlog_devices, plan.backlog_rows, plan.batch);
        text.push_str(&format!("; {devices} have a backlog of {rows} rows, {batch} in an upload"));
    }
    if let Some(storm) = plan.storm {
        text.push_str(&format!("; the power fails after {} s", storm.as_secs()));
    }
    text
}

fn figure(report: &Report, title: &str, curves: &[Curve<'_>]) -> Markup {
    let seconds = &report.samples;
    let most = curves.iter().flat_map(|(_, value)| seconds.iter().map(value)).max().unwrap_or(0);
    let top = round_up(most);
    let end = seconds.last().map_or(1.0, |second| second.at.as_secs_f64()).max(1.0);
    let x_of = |second: &Sample| (WIDTH - LEFT - RIGHT).mul_add(second.at.as_secs_f64() / end, LEFT);
    html! {
        figure {
            figcaption { (title) }
            svg viewBox=(format!("0 0 {WIDTH} {HEIGHT}")) role="img" aria-label=(title) {
                (chart::marks(&chart::of_numbers(top)))
                text.label x=(LEFT) y=(HEIGHT - 6.0) { "0 s" }
                text.label x=(WIDTH - RIGHT) y=(HEIGHT - BOTTOM + 18.0) text-anchor="end" { (format!("{end:.0} s")) }
                @for (number, (_, value)) in curves.iter().enumerate() {
                    (chart::line(class(number), seconds.iter().map(|second| (x_of(second), y_of(share(value(second), top))))))
                }
            }
            @if curves.len() > 1 {
                p { @for (number, (name, _)) in curves.iter().enumerate() { span class=(format!("key {}", class(number))) { "— " (name) " " } } }
            }
        }
    }
}

fn class(number: usize) -> &'static str {
    if number == 0 { "first" } else { "second" }
}
