//! Sinks that post over HTTP: the event API and the webhook.
//!
//! Must not know how records get here, or who retries. Connections are kept and driven by a thread of the
//! HTTP client's own, so that these sinks work inside and outside of a caller's async runtime.

mod answer;
mod bodies;
mod destination;
mod event_api_sink;
mod poster;
mod webhook_sink;

pub use event_api_sink::{EventApiSettings, EventApiSink};
pub use webhook_sink::{WebhookSettings, WebhookSink};
