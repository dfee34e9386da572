//! What the gateway does in a second, each figure beside the machine's own limit from the same run: a server that does
//! nothing, the disk's `fdatasync`, SQLite in groups. The gateway is a process of its own; who sends and who receives share
//! the machine with it. Prints a table; no time makes it fail, a lost punch does.
#![allow(
    clippy::arithmetic_side_effects,
    clippy::print_stdout,
    clippy::std_instead_of_alloc,
    clippy::std_instead_of_core,
    reason = "a shell: std is there, and the table is what it is for"
)]

mod bare;
mod limits;
mod process;
mod receiver;
mod table;
mod terminal;

use core::time::Duration;
use std::collections::BTreeMap;

use anyhow::ensure;
use tokio::task::JoinSet;

use process::{Gateway, Setting, now};
use receiver::Receiver;
use table::Table;
use terminal::{Company, Terminal};

/// How much of everything.
#[derive(Clone, Copy)]
struct Size {
    /// Terminals that speak at once, each with a connection that stays.
    terminals: u32,
    /// Punches posted one by one.
    singles: u32,
    /// Rows posted in bodies, and rows in a body.
    rows: u32,
    body: u32,
    /// Punches that wait for a receiver, and for one who takes lists.
    waiting: u32,
    listed: u32,
    /// Punches of the measure of delay, 50 in a second.
    live: u32,
    /// How often two things take turns that are compared, so that both have what else happens.
    turns: u32,
    /// People at all terminals; for the measure of memory they are registered, and so many terminals have called.
    people: u32,
    devices: u32,
}

impl Size {
    fn company(self, terminals: u32) -> Company {
        Company { terminals, people: self.people }
    }
}

const FULL: Size = Size {
    terminals: 64,
    singles: 60_000,
    rows: 200_000,
    body: 5000,
    waiting: 60_000,
    listed: 100_000,
    live: 500,
    turns: 5,
    people: 24_000,
    devices: 200,
};

const QUICK: Size = Size {
    terminals: 4,
    singles: 40,
    rows: 400,
    body: 100,
    waiting: 40,
    listed: 40,
    live: 5,
    turns: 1,
    people: 20,
    devices: 2,
};

/// Between two punches, or two appends, of which there are 50 in a second.
const AT_50: Duration = Duration::from_millis(20);

fn main() -> anyhow::Result<()> {
    let arguments: Vec<String> = std::env::args().skip(1).collect();
    let runtime = tokio::runtime::Builder::new_multi_thread().enable_all().build()?;
    match arguments.iter().map(String::as_str).collect::<Vec<_>>().as_slice() {
        [process::SERVE, folder] => runtime.block_on(process::serve(folder.as_ref())),
        [bare::DO_NOTHING] => runtime.block_on(bare::do_nothing()),
        [bare::KEEP, folder] => runtime.block_on(bare::keep(folder.as_ref())),
        // Cargo's own way of asking whether a bench works.
        others if others.contains(&"--test") => runtime.block_on(measure(QUICK, None)),
        others => runtime.block_on(measure(FULL, others.iter().copied().find(|word| !word.starts_with("--")))),
    }
}

/// Measures everything, or what `only` names: `singles`, `bulk`, `deliveries`, `lists`, `delay`, `neighbours`, `memory`.
async fn measure(size: Size, only: Option<&str>) -> anyhow::Result<()> {
    let is_wanted = |part: &str| only.is_none_or(|only| only == part);
    let mut table = Table::default();
    if is_wanted("singles") {
        let nothing = limits::requests(size).await?;
        table.limit("a server that does nothing", nothing, "POST/s");
        let kept = limits::kept_requests(size).await?;
        table.share("  one that keeps them in SQLite, unread, in groups", kept, "POST/s", kept / nothing, "");
        table.limit("append and fdatasync", limits::syncs(size.singles.min(5000))?, "times/s");
        singles(size, nothing, &mut table).await?;
    }
    if is_wanted("bulk") {
        bulk(size, &mut table).await?;
    }
    if is_wanted("deliveries") {
        deliveries(size, &mut table).await?;
    }
    if is_wanted("lists") {
        lists(size, &mut table).await?;
    }
    if is_wanted("delay") {
        delay(size, &mut table).await?;
    }
    if is_wanted("neighbours") {
        neighbours(size, &mut table).await?;
    }
    if is_wanted("memory") {
        memory(size, &mut table).await?;
    }
    println!("{table}");
    Ok(())
}

/// One punch a request, each on disk before its `OK`.
async fn singles(size: Size, nothing: f64, table: &mut Table) -> anyhow::Result<()> {
    let gateway = Gateway::start(&Setting::of(size.terminals)).await?;
    let (began, cpu) = (now(), gateway.cpu());
    post_all(&gateway, size.company(size.terminals), size.singles, 1).await?;
    let (rate, cpu) = (per_second(size.singles, began.elapsed()), gateway.cpu().saturating_sub(cpu));
    ensure!(gateway.count("delivered_rows").await? == u64::from(size.singles), "not every punch is on disk");
    table.share("durable POSTs of one punch", rate, "POST/s", rate / nothing, "0.3, the prize 0.5");
    table.plain("  CPU of the gateway", per_thousand(cpu, size.singles), "s per 1,000", "");
    Ok(())
}

/// Bodies of many rows, in turns with SQLite alone; then the very same again.
async fn bulk(size: Size, table: &mut Table) -> anyhow::Result<()> {
    let (mut alone, mut rates, mut cpu) = (Vec::new(), Vec::new(), Vec::new());
    let mut last = None;
    for _ in 0..size.turns {
        // The one before ends first.
        drop(last.take());
        alone.push(limits::sqlite_rows(size.rows)?);
        let gateway = Gateway::start(&Setting::of(8)).await?;
        let began = now();
        post_all(&gateway, size.company(8), size.rows, size.body).await?;
        rates.push(per_second(size.rows, began.elapsed()));
        cpu.push(per_thousand(gateway.cpu(), size.rows));
        ensure!(gateway.count("delivered_rows").await? == u64::from(size.rows), "not every row is on disk");
        last = Some(gateway);
    }
    let Some(gateway) = last else { return Ok(()) };
    let (alone, rate) = (quantiles(alone).0, quantiles(rates).0);
    table.limit("SQLite in groups of 1,000, a message and a delivery", alone, "rows/s");
    table.share("rows in bodies, all new, middle turn", rate, "rows/s", rate / alone, "0.6");
    table.plain("  CPU of the gateway", quantiles(cpu).0, "s per 1,000", "");

    // What was committed goes on from the log into the file, and is not of what comes next.
    gateway.rests().await;
    let (began, written) = (now(), gateway.written());
    post_all(&gateway, size.company(8), size.rows, size.body).await?;
    let rate = per_second(size.rows, began.elapsed());
    table.plain("the same rows again", rate, "rows/s", "300,000");
    let (before, after) = (written, gateway.written());
    table.plain("  written to the disk meanwhile", float(after.saturating_sub(before)), "bytes", "0");
    Ok(())
}

/// A backlog that waits for a receiver: one request a punch, 64 at once.
async fn deliveries(size: Size, table: &mut Table) -> anyhow::Result<()> {
    let (rate, cpu) = drain(size.company(size.terminals), size.waiting, "max_in_flight = 64").await?;
    table.plain("deliveries, one a request", rate, "deliveries/s", "12,000, the prize 20,000");
    table.plain("  CPU of the gateway", cpu, "s per 1,000", "0.1");
    Ok(())
}

/// The same for a receiver that takes lists.
async fn lists(size: Size, table: &mut Table) -> anyhow::Result<()> {
    let (rate, cpu) = drain(size.company(size.terminals), size.listed, "batch = true").await?;
    table.plain("deliveries in lists", rate, "deliveries/s", "");
    table.plain("  CPU of the gateway", cpu, "s per 1,000", "");
    Ok(())
}

async fn drain(company: Company, punches: u32, options: &str) -> anyhow::Result<(f64, f64)> {
    let receiver = Receiver::start(Duration::ZERO).await?;
    let gateway = Gateway::start(&Setting::of(company.terminals).with(&receiver.url(), options)).await?;
    gateway.set_endpoint(1, "paused").await?;
    post_all(&gateway, company, punches, 500.min(punches / company.terminals)).await?;
    let (began, cpu) = (now(), gateway.cpu());
    gateway.set_endpoint(1, "active").await?;
    receiver.wait_for(punches).await?;
    gateway.wait_settled().await?;
    let (took, cpu) = (began.elapsed(), gateway.cpu().saturating_sub(cpu));
    ensure!(receiver.seen() == u64::from(punches), "{} were received of {punches}", receiver.seen());
    Ok((per_second(punches, took), per_thousand(cpu, punches)))
}

/// 50 punches in a second, from the first byte to the receiver. Behind a disk that stands still for a moment, all of it does.
async fn delay(size: Size, table: &mut Table) -> anyhow::Result<()> {
    let receiver = Receiver::start(Duration::ZERO).await?;
    let gateway = Gateway::start(&Setting::of(8).with(&receiver.url(), "")).await?;
    let (_, disk) = quantiles(limits::sync_times(size.live).await?);
    table.plain("append and fdatasync at 50/s, 99 of 100", disk * 1e3, "ms", "");
    let (half, most) = quantiles(live(&gateway, (&receiver, 1), size.company(8), size.live).await?);
    table.plain("from a terminal to a receiver at 50/s, half", half * 1e3, "ms", "");
    table.plain("  99 of 100", most * 1e3, "ms", "3");
    Ok(())
}

/// 100 receivers, and the same with one of them dead and one slow, in turns: what else happens in a turn moves it more than
/// they do.
async fn neighbours(size: Size, table: &mut Table) -> anyhow::Result<()> {
    let (mut well, mut ill) = (Vec::new(), Vec::new());
    for turn in 0..2 * size.turns {
        let is_ill = turn % 2 == 1;
        let (good, slow) = (Receiver::start(Duration::ZERO).await?, Receiver::start(Duration::from_secs(5)).await?);
        let mut setting = Setting::of(8);
        let healthy = 100_u32.min(size.live);
        for number in 0..healthy {
            let url = match number {
                // Nobody listens there.
                0 if is_ill => "http://127.0.0.1:9/dead".to_owned(),
                1 if is_ill => slow.url(),
                _ => format!("{}/{number}", good.url()),
            };
            setting = setting.with(&url, "");
        }
        let gateway = Gateway::start(&setting).await?;
        let others = if is_ill { healthy.saturating_sub(2) } else { healthy };
        let delays = live(&gateway, (&good, others), size.company(8), size.live).await?;
        if is_ill { &mut ill } else { &mut well }.push(quantiles(delays).1);
    }
    let (without, with) = (quantiles(well).0, quantiles(ill).0);
    table.plain("100 receivers at 50/s, 99 of 100, middle turn", without * 1e3, "ms", "");
    table.share("  one dead and one slow among them", with * 1e3, "ms", with / without, "1.1 at most");
    Ok(())
}

/// The memory of a gateway with people and terminals.
async fn memory(size: Size, table: &mut Table) -> anyhow::Result<()> {
    let receiver = Receiver::start(Duration::ZERO).await?;
    let setting = Setting::of(size.devices).with(&receiver.url(), "");
    let gateway = Gateway::start(&setting.clone().people(size.people)).await?.restart(&setting).await?;
    post_all(&gateway, size.company(size.devices), size.people, 1).await?;
    receiver.wait_for(size.people).await?;
    let (resident, peak) = gateway.memory();
    table.plain("memory, 24,000 people at 200 terminals", resident / 1e6, "MB", "60");
    table.plain("  at most", peak / 1e6, "MB", "");
    Ok(())
}

/// Has the terminals of a company post `punches` in bodies of so many rows, all at once.
async fn post_all(gateway: &Gateway, company: Company, punches: u32, rows: u32) -> anyhow::Result<()> {
    let terminals = company.terminals;
    let each = punches / terminals;
    let mut posting = JoinSet::new();
    for number in 0..terminals {
        // The last one has what does not divide.
        let own = if number + 1 == terminals { punches - each * number } else { each };
        let mut terminal = Terminal::connect(gateway.device, number).await?;
        posting.spawn(async move {
            let staff = company.staff(number);
            for first in (0..own).step_by(rows.max(1) as usize) {
                let part = first..first.saturating_add(rows.max(1)).min(own);
                terminal.post(&part.map(|index| staff.row(index)).collect::<String>()).await?;
            }
            anyhow::Ok(())
        });
    }
    while let Some(ended) = posting.join_next().await {
        ended??;
    }
    Ok(())
}

/// Punches at a steady rate, each sent so many times to a receiver; how long each of these took.
async fn live(
    gateway: &Gateway,
    (receiver, times): (&Receiver, u32),
    company: Company,
    punches: u32,
) -> anyhow::Result<Vec<f64>> {
    let (mut all, terminals) = (Vec::new(), company.terminals);
    for number in 0..terminals {
        all.push(Terminal::connect(gateway.device, number).await?);
    }
    receiver.note_arrivals();
    let mut sent = BTreeMap::new();
    let mut tick = tokio::time::interval(AT_50);
    for index in 0..punches {
        tick.tick().await;
        let (number, index) = (index % terminals, index / terminals);
        let Some(terminal) = all.get_mut(number as usize) else { continue };
        let staff = company.staff(number);
        sent.insert(staff.badge(index), now());
        terminal.post(&staff.row(index)).await?;
    }
    let arrivals = receiver.arrivals(sent.len() * times as usize).await?;
    let took = |(pin, arrived): &(u32, std::time::Instant)| {
        sent.get(pin).map(|at| arrived.saturating_duration_since(*at).as_secs_f64())
    };
    Ok(arrivals.iter().filter_map(took).collect())
}

fn quantiles(mut times: Vec<f64>) -> (f64, f64) {
    times.sort_by(f64::total_cmp);
    let at = |percent: usize| times.get((times.len() * percent / 100).min(times.len().saturating_sub(1))).copied();
    (at(50).unwrap_or(f64::NAN), at(99).unwrap_or(f64::NAN))
}

fn per_second(count: u32, took: Duration) -> f64 {
    f64::from(count) / took.as_secs_f64()
}

fn per_thousand(cpu: Duration, count: u32) -> f64 {
    cpu.as_secs_f64() / f64::from(count) * 1e3
}

#[expect(clippy::cast_precision_loss, reason = "a figure for people")]
fn float(number: u64) -> f64 {
    number as f64
}
