//! `punch demo`: the whole way of a punch in one process, on recorded traffic, without configuration.

mod board;
mod cast;

use core::time::Duration;
use std::io::IsTerminal as _;

use clap::Args;
use gateway::stage::Stage;
use indicatif::{ProgressBar, ProgressStyle};

use crate::exit::Exit;
use board::Board;
use cast::Cast;

/// Watch punches travel from two simulated terminals to an ERP stand-in.
///
/// Starts a gateway on a temporary store, two terminals that upload recorded bodies and then live punches, a
/// middleware that verifies every signature, and a stand-in for ERPNext. Ends by itself; exit code 0 only if
/// every punch arrived exactly once.
///
/// Example: punch demo --punches 20
#[derive(Debug, Args)]
pub(crate) struct Demo {
    /// Live punches per terminal.
    #[arg(long, default_value_t = 10, value_parser = clap::value_parser!(u32).range(0..=10_000))]
    punches: u32,
    /// Live punches a second, per terminal.
    #[arg(long, default_value_t = 4, value_parser = clap::value_parser!(u32).range(1..=1_000))]
    rate: u32,
    /// Seed of everything random.
    #[arg(long, default_value_t = 1)]
    seed: u64,
    /// One JSON object a punch instead of the table.
    #[arg(long)]
    json: bool,
    /// Leave everything running afterwards and print the addresses.
    #[arg(long)]
    keep: bool,
}

/// What is not there after this long is lost.
const PATIENCE: Duration = Duration::from_secs(30);

/// Runs the command.
pub(crate) async fn run(demo: Demo) -> anyhow::Result<Exit> {
    crate::log_to_stderr("error");
    let mut cast = Cast::assemble(demo.punches, demo.rate, demo.seed).await?;
    let mut board = Board::new(cast.expected(), demo.json);
    let bar = progress(board.expected());
    board.print_head();
    let quiet = tokio::time::sleep(PATIENCE + Duration::from_secs(u64::from(demo.punches / demo.rate)));
    tokio::pin!(quiet);
    while !board.is_complete() {
        tokio::select! {
            sighting = cast.sightings.recv() => match sighting {
                Ok(sighting) => board.see(&sighting.event_id, sighting.stage, sighting.at),
                // Stages may be missed when the terminal window is slow; the ERP is counted all the same.
                Err(_) => tokio::time::sleep(Duration::from_millis(10)).await,
            },
            Some(written) = cast.written.recv() => {
                board.see_written(&written);
                bar.suspend(|| board.print_finished());
                bar.set_position(board.finished());
            }
            () = &mut quiet => break,
        }
    }
    // The last delivery is settled a moment after the receiver has it.
    while let Ok(Ok(sighting)) = tokio::time::timeout(Duration::from_millis(200), cast.sightings.recv()).await {
        board.see(&sighting.event_id, sighting.stage, sighting.at);
        if board.all_at(Stage::Delivered) {
            break;
        }
    }
    bar.suspend(|| board.print_finished());
    bar.finish_and_clear();
    let summary = board.summary(&cast.checkins());
    if demo.keep {
        cast.print_addresses();
        crate::say(format_args!("{summary}"));
        tokio::signal::ctrl_c().await?;
    }
    cast.dismiss().await;
    if !demo.keep {
        crate::say(format_args!("{summary}"));
    }
    Ok(if summary.is_perfect() { Exit::Done } else { Exit::Wrong })
}

fn progress(total: u64) -> ProgressBar {
    if !std::io::stderr().is_terminal() {
        return ProgressBar::hidden();
    }
    let style = ProgressStyle::with_template("{bar:30} {pos}/{len} punches in the ERP");
    ProgressBar::new(total).with_style(style.unwrap_or_else(|_| ProgressStyle::default_bar()))
}
