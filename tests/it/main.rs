//! The integration tests, one binary.
#![expect(
    clippy::unwrap_used,
    clippy::expect_used,
    clippy::panic,
    clippy::indexing_slicing,
    reason = "a test that cannot go on has failed"
)]

mod allocations;
mod attribution;
#[cfg(feature = "cli")]
mod bulk;
#[cfg(feature = "cli")]
mod cases;
#[cfg(feature = "cli")]
mod cli;
mod config;
mod datafile;
mod difference;
#[cfg(feature = "durable")]
mod elsewhere;
mod engine;
mod events;
mod instructions;
#[cfg(feature = "durable")]
mod on_disk;
#[cfg(feature = "cli")]
mod oracle;
#[cfg(all(feature = "durable", feature = "http"))]
mod power_cut;
#[cfg(feature = "server")]
mod server;
mod source;
mod tidy;
mod vectors;
