//! Events: what the world outside is told of records, and how it gets there.
//!
//! Must not know deciding: what was activated is in the records.

mod batch;
mod delivery;
mod event_api;
mod file;
#[cfg(feature = "http")]
mod http;
mod memory_sink;
mod mode;
mod sink;
mod stdout_sink;
mod target;
pub mod wire;

pub use batch::{Batch, Encoded};
pub use delivery::{
    BatchListener, BatchNotice, BatchOutcome, Delivery, DeliverySettings, SinkStatistics,
};
pub use event_api::{EventApiRequest, event_api_request};
pub use file::{FileSettings, FileSink};
#[cfg(feature = "http")]
pub use http::{EventApiSettings, EventApiSink, WebhookSettings, WebhookSink};
pub use memory_sink::MemorySink;
pub use mode::AttributionMode;
pub use sink::{Pace, Sink, Undelivered};
pub use stdout_sink::StdoutSink;
pub use target::SinkTarget;
pub use wire::record_json;
