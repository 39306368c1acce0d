//! Events: what the world outside is told of records, and how it gets there.
//!
//! Must not know deciding: what was activated is in the records.

mod delivery;
mod event_api;
mod file_sink;
mod mode;
mod sink;
pub mod wire;

pub use delivery::{Delivery, SinkStatistics};
pub use event_api::{EventApiRequest, event_api_request};
pub use file_sink::FileSink;
pub use mode::AttributionMode;
pub use sink::{MemorySink, Sink};
pub use wire::record_json;
