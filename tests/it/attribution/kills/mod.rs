//! Kills: a process that records and delivers is killed again and again; what it acknowledged is at each
//! of its sinks, once by its id, however they fail.
//!
//! `harness` starts the process, kills it and says what must hold; `writer` is that process; `destination`
//! is what it posts to.

mod arrived;
pub(crate) mod calls;
pub(crate) mod check;
mod destination;
mod harness;
pub(crate) mod heard;
mod kept;
pub(crate) mod plan;
mod process;
mod sinks;
pub(crate) mod writer;
