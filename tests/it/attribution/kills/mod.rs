//! Kills: a process that records is killed again and again; what it acknowledged is there once.

mod check;
mod harness;
mod plan;
mod sink;
mod writer;
