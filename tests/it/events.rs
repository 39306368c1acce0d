//! Events: bodies of the event API, records as JSON, sinks and their delivery.

mod bodies;
mod delivery;
mod records;
mod sinks;
mod world;
