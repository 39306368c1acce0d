//! The command `variate`: starts `cli` and returns its exit code. Must not know anything else.

use std::process::ExitCode;

fn main() -> ExitCode {
    variate::cli::main()
}
