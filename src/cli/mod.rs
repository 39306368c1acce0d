//! The command line: one file per command. What is answered goes to standard output, what is said to
//! standard error.
//!
//! Must not know how decisions are made or credited: it calls the client as any program would.

mod answer;
mod call;
mod datafile;
mod decide;
mod duration;
mod failure;
mod replay;
mod value;

use std::process::ExitCode;

use clap::{Parser, Subcommand};

use failure::Failure;

/// Experiments and feature flags, decided from an Optimizely datafile.
#[derive(Debug, Parser)]
#[command(name = "variate", version, about, arg_required_else_help = true, max_term_width = 100)]
#[command(after_help = "\
Exit codes: 0 done; 1 a malformed line or an unknown key; 2 wrong usage, or a file that cannot be used; \
3 datafile refused.")]
struct Cli {
    #[command(subcommand)]
    command: Command,
}

#[derive(Debug, Subcommand)]
enum Command {
    Replay(replay::Replay),
    Decide(decide::Decide),
}

/// Runs the command with the arguments of the process.
#[must_use]
pub fn main() -> ExitCode {
    let outcome = match Cli::parse().command {
        Command::Replay(replay) => replay.run(),
        Command::Decide(decide) => decide.run(),
    };
    outcome.unwrap_or_else(Failure::report)
}
