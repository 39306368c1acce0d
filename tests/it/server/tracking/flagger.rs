//! Flagger: what its clients send and read, and the client itself.
//!
//! Must not know other systems.

mod client;
mod config;
mod hostile;
mod ingest;
mod scene;
mod stream;
