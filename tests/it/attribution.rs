//! Attribution and the stores: the rule against a plain model, turns under threads, bounds, ids.

#![expect(
    clippy::unwrap_used,
    clippy::panic,
    clippy::indexing_slicing,
    reason = "helpers of tests outside of test functions: a panic is the report"
)]

mod bounds;
mod contract;
#[cfg(feature = "durable")]
mod durable;
#[cfg(all(feature = "durable", feature = "http"))]
mod full_disk;
mod ids;
#[cfg(feature = "durable")]
mod keeping;
#[cfg(all(feature = "durable", feature = "http"))]
pub(crate) mod kills;
pub(crate) mod merges;
mod model;
mod orders;
mod outbox;
mod threads;
#[cfg(feature = "durable")]
mod upkeep;
pub(crate) mod world;
