//! Events: bodies of the event API, records as JSON, sinks and their delivery.

mod bodies;
mod delivery;
mod files;
mod killed;
mod letters;
mod pipeline;
#[cfg(feature = "http")]
mod posted;
#[cfg(feature = "http")]
mod posts;
mod put_back;
mod records;
#[cfg(feature = "http")]
mod secrets;
#[cfg(feature = "http")]
pub(super) mod server;
mod shaky;
mod sinks;
mod targets;
mod world;
