//! The store on disk: nothing acknowledged is lost.
//!
//! Must not know sources, sinks or servers.

mod journal;

pub use journal::{Inspected, Mended, inspect, mend};
