//! Events: what the world outside is told of records, and how it gets there.
//!
//! Must not know deciding: what was activated is in the records.

mod event_api;
mod mode;

pub use event_api::{EventApiRequest, event_api_request};
pub use mode::AttributionMode;
