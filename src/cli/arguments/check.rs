//! What `variate check` is given.
//!
//! Must not know what is done with them.

use std::path::PathBuf;

use clap::{Args, ValueEnum};

use crate::datafile::Severity;

#[derive(Debug, Args)]
pub(in crate::cli) struct CheckArguments {
    /// The datafiles; `-` is standard input
    #[arg(value_name = "DATAFILE", required = true)]
    pub(in crate::cli) datafiles: Vec<PathBuf>,

    /// How findings are written
    #[arg(long, value_enum, default_value_t = CheckFormat::Text)]
    pub(in crate::cli) format: CheckFormat,

    /// The least severity that gives exit code 1
    #[arg(long, value_enum, value_name = "SEVERITY", default_value_t = FailOn::Warning)]
    pub(in crate::cli) fail_on: FailOn,
}

#[derive(Debug, Clone, Copy, PartialEq, Eq, ValueEnum)]
pub(in crate::cli) enum CheckFormat {
    /// Words, for people
    Text,
    /// One JSON object, for programs
    Json,
    /// SARIF 2.1.0, for code review
    Sarif,
}

#[derive(Debug, Clone, Copy, PartialEq, Eq, ValueEnum)]
pub(in crate::cli) enum FailOn {
    /// Anything found
    Note,
    /// What works, but hardly as it is meant, and errors
    Warning,
    /// What is left out, or cannot work
    Error,
}

impl From<FailOn> for Severity {
    fn from(fail_on: FailOn) -> Self {
        match fail_on {
            FailOn::Note => Self::Note,
            FailOn::Warning => Self::Warning,
            FailOn::Error => Self::Error,
        }
    }
}
