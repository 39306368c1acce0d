//! Kills: a process that records is killed again and again; what it acknowledged is there once.

pub(super) mod check;
pub(super) mod harness;
pub(super) mod plan;
mod sink;
pub(super) mod writer;
