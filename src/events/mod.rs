//! Events: what the world outside is told of records, and how it gets there.
//!
//! Must not know deciding: what was activated is in the records.
//!
//! Records wait in the store's outbox. A [`Delivery`] has a thread for each [`Sink`], with a cursor of its
//! own: it reads about one batch, asks the sink to encode each record, packs what has the same context
//! together, and hands the batches over. What the sink answers decides what becomes of them; the page of
//! `delivery` has the table.
//!
//! | sink | gets | how often |
//! | --- | --- | --- |
//! | `EventApiSink` (feature `http`) | requests of Optimizely's event API, split where account, project, revision, mode or flags of the body differ | at least once, with uuids that never change |
//! | `WebhookSink` (feature `http`) | arrays of records, signed | at least once, with ids that never change |
//! | [`FileSink`] | a record a line, with rotation | exactly once, behind a store that outlives the process |
//! | [`StdoutSink`] | a record a line | at least once |
//! | [`MemorySink`], or one of yours | records | at least once |

mod batch;
mod delivery;
mod event_api;
mod file;
#[cfg(feature = "server")]
mod filter;
mod hidden;
#[cfg(feature = "http")]
mod http;
#[cfg(feature = "server")]
mod letter;
mod memory_sink;
mod mode;
mod sink;
mod stdout_sink;
mod target;
pub mod wire;

pub use batch::{Batch, Encoded};
pub use delivery::{
    BatchListener, BatchNotice, BatchOutcome, Delivery, DeliverySettings, SinkStatistics,
    SinkStatus,
};
pub use event_api::{EventApiRequest, event_api_request};
pub use file::{FileSettings, FileSink};
#[cfg(feature = "server")]
pub(crate) use filter::{RecordFilter, RecordKind};
#[cfg(feature = "server")]
pub(crate) use hidden::without_its_words;
#[cfg(feature = "http")]
pub use http::{EventApiSettings, EventApiSink, WebhookSettings, WebhookSink};
#[cfg(feature = "server")]
pub(crate) use letter::LetterJson;
pub use memory_sink::MemorySink;
pub use mode::AttributionMode;
pub use sink::{Pace, Sink, Undelivered};
pub use stdout_sink::StdoutSink;
pub use target::SinkTarget;
pub use wire::record_json;
