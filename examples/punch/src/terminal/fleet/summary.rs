//! What a fleet achieved, for people and as JSON.

use serde_json::{Map, Value, json};
use simulator::fleet::{Kind, Plan, Report, Usage, quantile};

use super::receiver::Delivered;

/// Prints the figures.
pub(super) fn say(plan: &Plan, report: &Report, delivered: Option<&Delivered>, as_json: bool) {
    if as_json {
        return crate::say(format_args!("{}", figures(plan, report, delivered)));
    }
    for (name, value) in lines(plan, report, delivered) {
        crate::say(format_args!("{name:<22} {value}"));
    }
}

/// What is said of a fleet that did not come to its end.
const STOPPED: &str = "; stopped before its end";

/// The figures with their names, for a table.
pub(super) fn lines(plan: &Plan, report: &Report, delivered: Option<&Delivered>) -> Vec<(String, String)> {
    let mut lines = vec![
        (
            "terminals".to_owned(),
            format!("{} of {} served, {} refused", report.connected, plan.devices, report.refused.len()),
        ),
        (
            "took".to_owned(),
            format!("{:.1} s{}", report.took.as_secs_f64(), if report.is_stopped { STOPPED } else { "" }),
        ),
    ];
    for kind in Kind::ALL {
        let [sent, served] = [&report.sent, &report.served].map(|counts| counts.get(&kind).copied().unwrap_or(0));
        lines.push((kind.as_str().to_owned(), format!("{sent} sent, {served} answered with 200")));
    }
    let Report { punches, punches_acknowledged, rows, rows_acknowledged, .. } = report;
    lines.push(("live punches".to_owned(), format!("{punches} made, {punches_acknowledged} acknowledged")));
    lines.push(("live, punch to OK".to_owned(), within(&report.latencies)));
    if let Some(Delivered { latencies, events, refused, missing }) = delivered {
        lines.push(("live, to the receiver".to_owned(), within(latencies)));
        lines.push(("webhooks".to_owned(), format!("{events} events, {refused} refused, {missing} missing")));
    }
    if *rows > 0 {
        let rate = rate(report).map_or(String::new(), |rate| format!(", {rate:.0} rows/s"));
        lines.push(("backlog".to_owned(), format!("{rows} rows, {rows_acknowledged} acknowledged{rate}")));
    }
    if let Some(took) = report.storm_took {
        lines.push(("all back after".to_owned(), format!("{:.1} s", took.as_secs_f64())));
    }
    for (status, count) in &report.statuses {
        lines.push((format!("answered with {status}"), count.to_string()));
    }
    if report.disowned > 0 {
        lines.push(("called unknown".to_owned(), report.disowned.to_string()));
    }
    for (error, count) in &report.errors {
        lines.push(("no answer".to_owned(), format!("{count}: {error}")));
    }
    if let Some(Usage { cpu_ms, memory_kib, memory_peak_kib }) = report.usage {
        let (now, peak) = (memory_kib / 1024, memory_peak_kib / 1024);
        lines.push(("server, memory".to_owned(), format!("{now} MiB, at most {peak} MiB")));
        lines.push(("server, processor".to_owned(), format!("{}.{} s", cpu_ms / 1000, cpu_ms % 1000 / 100)));
    }
    lines
}

/// Rows a second, until the last backlog was acknowledged.
fn rate(report: &Report) -> Option<f64> {
    let took = report.backlog_took?.as_secs_f64();
    let rows = f64::from(u32::try_from(report.rows).unwrap_or(u32::MAX));
    (took > 0.0).then(|| rows / took)
}

fn within(sorted: &[u32]) -> String {
    let millis = |percent| quantile(sorted, percent).map(|micros| f64::from(micros) / 1000.0);
    match (millis(50), millis(99), millis(100)) {
        (Some(half), Some(most), Some(all)) => format!("p50 {half:.1} ms, p99 {most:.1} ms, most {all:.1} ms"),
        _ => "none".to_owned(),
    }
}

fn figures(plan: &Plan, report: &Report, delivered: Option<&Delivered>) -> Value {
    let by_kind = |counts: &std::collections::BTreeMap<Kind, u64>| -> Map<String, Value> {
        let count = |kind: Kind| (kind.as_str().to_owned(), counts.get(&kind).copied().unwrap_or(0).into());
        Kind::ALL.into_iter().map(count).collect()
    };
    let statuses: Map<String, Value> =
        report.statuses.iter().map(|(status, count)| (status.to_string(), (*count).into())).collect();
    let errors: Map<String, Value> =
        report.errors.iter().map(|(error, count)| (error.clone(), (*count).into())).collect();
    let usage = report.usage.map(|usage| {
        json!({ "cpu_ms": usage.cpu_ms, "memory_kib": usage.memory_kib, "memory_peak_kib": usage.memory_peak_kib })
    });
    json!({
        "devices": plan.devices, "connected": report.connected, "refused_devices": report.refused.len(),
        "disowned": report.disowned, "seconds": report.took.as_secs_f64(), "stopped": report.is_stopped,
        "sent": by_kind(&report.sent), "served": by_kind(&report.served), "statuses": statuses, "errors": errors,
        "punches": report.punches, "punches_acknowledged": report.punches_acknowledged,
        "rows": report.rows, "rows_acknowledged": report.rows_acknowledged, "rows_per_second": rate(report),
        "latency_ms": latency(&report.latencies),
        "delivered": delivered.map(|delivered| json!({
            "latency_ms": latency(&delivered.latencies), "events": delivered.events, "refused": delivered.refused,
            "missing": delivered.missing,
        })),
        "storm_seconds": report.storm_took.map(|took| took.as_secs_f64()),
        "server": usage, "terminal_bytes": report.machine_bytes,
    })
}

fn latency(sorted: &[u32]) -> Value {
    let millis = |percent| quantile(sorted, percent).map(|micros| f64::from(micros) / 1000.0);
    json!({ "p50": millis(50), "p99": millis(99), "max": millis(100) })
}
