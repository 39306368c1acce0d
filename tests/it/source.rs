//! Sources through the client: files that are written in every way, addresses that answer well and badly,
//! restarts.

#![expect(
    clippy::unwrap_used,
    clippy::panic,
    reason = "helpers of tests outside of test functions: a panic is the report"
)]

#[cfg(feature = "http")]
mod addresses;
mod files;
#[cfg(feature = "http")]
mod hostile;
#[cfg(feature = "durable")]
mod restarts;
mod settings;
#[cfg(feature = "http")]
mod stage;
mod world;
