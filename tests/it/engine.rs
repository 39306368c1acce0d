//! The library as a user of the crate sees it: its calls, services, listeners, and swaps under load.

mod calls;
mod explanations;
mod listeners;
mod merging;
mod options;
mod predictions;
mod profiles;
mod service;
mod snapshots;
mod swap;
mod tracking;
mod world;
