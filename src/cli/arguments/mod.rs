//! The command line: what can be given, and the help that teaches it.
//!
//! Must not know what commands do.

mod access;
mod agent;
mod bench;
mod bucket;
mod check;
mod decide;
mod diff;
mod events;
mod ofrep;
mod parsers;
mod replay;
mod serve;
mod tracking;

pub(super) use bench::BenchArguments;
pub(super) use bucket::BucketArguments;
pub(super) use check::{CheckArguments, CheckFormat};
pub(super) use decide::DecideArguments;
pub(super) use diff::DiffArguments;
pub(super) use events::{
    DaemonArguments, DeadChoiceArguments, DeadCommand, DeadListArguments, DeliverArguments,
    EventsArguments, EventsCommand, ExportArguments, FilterArguments, ForgetArguments, RecordType,
    StatsArguments, TailArguments, VerifyArguments,
};
pub(super) use replay::{Attribution, ReplayArguments};
pub(super) use serve::ServeArguments;

use clap::{Args, Parser, Subcommand, ValueEnum};

use super::lessons::{
    BENCH_LESSON, BUCKET_LESSON, CHECK_LESSON, DECIDE_LESSON, DIFF_LESSON, EVENTS_LESSON,
    EXIT_CODES, FIRST_LESSON, REPLAY_LESSON, SERVE_LESSON,
};

#[derive(Debug, Parser)]
#[command(
    name = "variate",
    version,
    about = "Decides experiments and flags of Optimizely datafiles, and credits events only to what was activated",
    after_help = EXIT_CODES,
    after_long_help = format!("{FIRST_LESSON}\n\n{EXIT_CODES}")
)]
pub(super) struct Arguments {
    #[command(subcommand)]
    pub(super) command: Command,
}

#[derive(Debug, Subcommand)]
pub(super) enum Command {
    /// Answer over HTTP: services that speak to Optimizely Agent, and SDKs that ask for their datafile
    #[command(after_long_help = format!("{SERVE_LESSON}\n\n{EXIT_CODES}"))]
    Serve(Box<ServeArguments>),
    /// Answer a file of calls, in order: one JSON object a line in, one answer a line out
    #[command(after_long_help = format!("{REPLAY_LESSON}\n\n{EXIT_CODES}"))]
    Replay(ReplayArguments),
    /// Decide a flag, all flags or an experiment for one user, and explain it; nothing is recorded
    #[command(after_long_help = format!("{DECIDE_LESSON}\n\n{EXIT_CODES}"))]
    Decide(DecideArguments),
    /// Find what is wrong with datafiles, and what can hardly be meant
    #[command(after_long_help = format!("{CHECK_LESSON}\n\n{EXIT_CODES}"))]
    Check(CheckArguments),
    /// Compare two datafiles: what is different, in words, and whose variation changes
    #[command(after_long_help = format!("{DIFF_LESSON}\n\n{EXIT_CODES}"))]
    Diff(DiffArguments),
    /// Assign a file of users: CSV or NDJSON in and out, in order, on all threads; nothing is recorded
    #[command(after_long_help = format!("{BUCKET_LESSON}\n\n{EXIT_CODES}"))]
    Bucket(BucketArguments),
    /// Look after a store on disk, or that of a running daemon: what waits, what failed, what is damaged
    #[command(after_long_help = format!("{EVENTS_LESSON}\n\n{EXIT_CODES}"))]
    Events(EventsArguments),
    /// Measure what bucketing, decisions and activations cost on this machine, on your datafile
    #[command(after_long_help = format!("{BENCH_LESSON}\n\n{EXIT_CODES}"))]
    Bench(BenchArguments),
}

/// How much is told of what is wrong with a datafile; by default, how many findings and the first.
#[derive(Debug, Clone, Copy, Args)]
pub(super) struct FindingsArguments {
    /// Tell all that is wrong with parts of the datafile, one finding a line on standard error
    #[arg(long)]
    pub(super) findings: bool,

    /// Do not tell what is wrong with parts of the datafile
    #[arg(long, short, conflicts_with = "findings")]
    pub(super) quiet: bool,
}

#[derive(Debug, Clone, Copy, PartialEq, Eq, ValueEnum)]
pub(super) enum Format {
    /// One JSON object per answer, for programs
    Json,
    /// Words, for people
    Text,
}
