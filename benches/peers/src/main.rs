//! Variate and its peers at the same work, interleaved in one process. `--help` says what it measures;
//! `benches/README.md` says how, and what came out.

mod case;
mod check;
mod engines;
mod machine;
mod measure;
mod report;
mod table;
mod threads;
mod work;

use std::io::{Write as _, stdout};
use std::num::NonZeroUsize;

use anyhow::Result;
use clap::{Parser, ValueEnum};

use crate::case::{Case, Work};
use crate::report::Report;

/// Rounds of the quick run: enough to go once through everything.
const QUICK_ROUNDS: usize = 2;

/// Measures Variate and its peers at the same work, side by side in one process
///
/// Every engine is configured with 100 experiments (or flags) and asked for one of them, split in
/// halves, for people whose ids and attributes come as raw values. First it is checked that all engines
/// do that work, and that Variate gives each person the right variation; then it is measured.
///
/// Other programs disturb it: what to look at is how far one case is ahead of another in the same round,
/// not the nanoseconds.
#[derive(Parser)]
#[command(version, max_term_width = 100)]
struct Arguments {
    /// Rounds to measure, each of 2 500 calls of every case
    #[arg(long, value_name = "N", default_value = "400")]
    rounds: NonZeroUsize,
    /// Rounds to measure two threads against one; 0 leaves that out
    #[arg(long, value_name = "N", default_value_t = 20)]
    thread_rounds: usize,
    /// Check everything and measure next to nothing: tells that it works, not how fast it is
    #[arg(long)]
    quick: bool,
    /// How to print the report
    #[arg(long, value_enum, default_value_t = Format::Text)]
    format: Format,
}

#[derive(Clone, Copy, PartialEq, Eq, ValueEnum)]
enum Format {
    /// Tables in Markdown
    Text,
    /// One JSON object
    Json,
}

fn main() -> Result<()> {
    let Arguments { rounds, thread_rounds, quick, format } = Arguments::parse();
    let rounds = rounds.get();
    let limit = |rounds: usize| if quick { rounds.min(QUICK_ROUNDS) } else { rounds };
    let people = work::people('u');
    let cases = engines::cases()?;
    let checked = check::check(&cases, &people)?;
    let samples = measure::measure(&cases, &people, limit(rounds));
    let decisions: Vec<&Case> = cases.iter().filter(|case| case.work == Work::Decision).collect();
    let threads = if thread_rounds == 0 {
        Vec::new()
    } else {
        let factors = threads::measure(&decisions, &people, limit(thread_rounds), quick);
        report::thread_rows(&decisions, &factors)
    };
    let report = Report {
        machine: machine::Machine::current(),
        rounds: limit(rounds),
        calls_per_round: work::BATCH,
        checked,
        rows: report::rows(&cases, &samples),
        threads,
    };
    match format {
        Format::Text => write!(stdout(), "{report}")?,
        Format::Json => writeln!(stdout(), "{}", serde_json::to_string_pretty(&report)?)?,
    }
    Ok(())
}
