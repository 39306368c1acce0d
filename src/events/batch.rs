//! Batches: records on their way to a sink, each in the form in which it is sent.
//!
//! Must not know where they come from, nor what becomes of them.

use std::sync::Arc;

use super::sink::Sink;
use crate::attribution::Record;

/// A record in the form in which a sink sends it.
#[derive(Debug, Clone, Default, PartialEq, Eq)]
pub struct Encoded {
    /// What the sink sends of it; empty for a sink that makes it of the record itself.
    pub text: String,
    /// What all records of a batch have in common, in a form of the sink's own.
    pub context: Box<str>,
}

/// Records of one context, on their way to a sink.
#[derive(Debug, Clone, Default)]
pub struct Batch {
    context: Box<str>,
    outgoing: Vec<Outgoing>,
    bytes: usize,
}

#[derive(Debug, Clone)]
struct Outgoing {
    record: Arc<Record>,
    text: String,
}

impl Batch {
    /// All of the records that a sink is told of, in one batch for each context: for calling a sink by
    /// hand, without the delivery's limits.
    #[must_use]
    pub fn of(sink: &dyn Sink, records: &[Arc<Record>]) -> Vec<Self> {
        let mut batches: Vec<Self> = Vec::new();
        for record in records {
            let Some(Encoded { text, context }) = sink.encode(record) else { continue };
            match batches.iter_mut().find(|batch| batch.context == context) {
                Some(batch) => batch.push(Arc::clone(record), text),
                None => {
                    let mut batch = Self::new(context);
                    batch.push(Arc::clone(record), text);
                    batches.push(batch);
                }
            }
        }
        batches
    }

    /// The records, in order.
    #[must_use]
    pub fn records(&self) -> impl ExactSizeIterator<Item = &Record> {
        self.outgoing.iter().map(|outgoing| &*outgoing.record)
    }

    /// The same, shared.
    #[must_use]
    pub fn shared_records(&self) -> impl ExactSizeIterator<Item = &Arc<Record>> {
        self.outgoing.iter().map(|outgoing| &outgoing.record)
    }

    /// What the sink made of each record when it encoded it.
    #[must_use]
    pub fn texts(&self) -> impl ExactSizeIterator<Item = &str> {
        self.outgoing.iter().map(|outgoing| outgoing.text.as_str())
    }

    /// What the records have in common, as the sink said when it encoded them.
    #[must_use]
    pub fn context(&self) -> &str {
        &self.context
    }

    /// How many records it has.
    #[must_use]
    pub fn len(&self) -> usize {
        self.outgoing.len()
    }

    /// Whether it has none.
    #[must_use]
    pub fn is_empty(&self) -> bool {
        self.outgoing.is_empty()
    }

    /// How long the texts are together.
    #[must_use]
    pub const fn bytes(&self) -> usize {
        self.bytes
    }

    pub(super) fn new(context: Box<str>) -> Self {
        Self { context, ..Self::default() }
    }

    pub(super) fn push(&mut self, record: Arc<Record>, text: String) {
        self.bytes += text.len();
        self.outgoing.push(Outgoing { record, text });
    }

    /// Takes the records from the one at this place on.
    pub(super) fn split_off(&mut self, at: usize) -> Self {
        let outgoing = self.outgoing.split_off(at.min(self.outgoing.len()));
        let bytes = outgoing.iter().map(|outgoing| outgoing.text.len()).sum();
        self.bytes = self.bytes.saturating_sub(bytes);
        Self { context: self.context.clone(), outgoing, bytes }
    }
}
