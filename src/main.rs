//! The command `variate`. Must not know anything but where the command line stands.

use std::process::ExitCode;

/// Here and not in the library: which allocator a program has is for the program to say.
#[global_allocator]
static ALLOCATOR: tikv_jemallocator::Jemalloc = tikv_jemallocator::Jemalloc;

fn main() -> ExitCode {
    variate::cli::main()
}
