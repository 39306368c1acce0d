//! The command `variate`. Must not know anything but where the command line stands.

use std::process::ExitCode;

fn main() -> ExitCode {
    variate::cli::main()
}
