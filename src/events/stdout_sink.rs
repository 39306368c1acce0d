//! The sink that writes records to standard output, one JSON object a line.
//!
//! Must not know how records get here, or who retries.

use std::io::{self, Write};

use super::batch::{Batch, Encoded};
use super::mode::AttributionMode;
use super::sink::{Sink, Undelivered};
use super::wire::record_json;
use crate::attribution::Record;
use crate::error::Error;

/// Writes records to standard output, one JSON object a line ([`record_json`]).
///
/// A batch that could be written in part only is written again: at least once.
#[derive(Debug, Default)]
pub struct StdoutSink {
    mode: AttributionMode,
}

impl StdoutSink {
    /// A sink of this mode: in `activated` mode it leaves out events without credits.
    #[must_use]
    pub const fn new(mode: AttributionMode) -> Self {
        Self { mode }
    }
}

impl Sink for StdoutSink {
    fn name(&self) -> &str {
        "stdout"
    }

    fn encode(&self, record: &Record) -> Option<Encoded> {
        encode_line(self.mode, record)
    }

    fn deliver(&mut self, batch: &Batch) -> Result<(), Undelivered> {
        let lines = lines(batch);
        let mut output = io::stdout().lock();
        let written = output.write_all(lines.as_bytes()).and_then(|()| output.flush());
        written.map_err(|error| Error::file("write to", "standard output", error).into())
    }
}

/// A record as a line of JSON, if a sink of this mode is told of it.
pub(super) fn encode_line(mode: AttributionMode, record: &Record) -> Option<Encoded> {
    let text = || Encoded { text: record_json(record), context: Box::default() };
    mode.sends(record).then(text)
}

/// The records of a batch, each with the end of its line.
pub(super) fn lines(batch: &Batch) -> String {
    let mut lines = String::with_capacity(batch.bytes() + batch.len());
    for text in batch.texts() {
        lines.push_str(text);
        lines.push('\n');
    }
    lines
}
