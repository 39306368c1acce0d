//! Dead letters as JSON, for who looks after a store.
//!
//! Must not know how letters are kept.

use serde::Serialize;
use serde_json::value::RawValue;

use super::wire::record_json;
use crate::clock::TimeMs;
use crate::store::DeadLetter;

/// A dead letter as programs see it.
#[derive(Debug, Serialize)]
#[serde(rename_all = "camelCase")]
pub(crate) struct LetterJson {
    number: u64,
    /// Left out where records were shed for all sinks.
    #[serde(skip_serializing_if = "Option::is_none")]
    sink: Option<Box<str>>,
    sequence: u64,
    count: u64,
    at: TimeMs,
    reason: Box<str>,
    is_retried: bool,
    /// Left out where it is gone.
    #[serde(skip_serializing_if = "Option::is_none")]
    record: Option<Box<RawValue>>,
}

impl LetterJson {
    pub(crate) fn new(letter: &DeadLetter) -> Self {
        let record = letter.record.as_deref().map(record_json);
        Self {
            number: letter.number,
            sink: letter.sink.clone(),
            sequence: letter.sequence,
            count: letter.count,
            at: letter.at_ms,
            reason: letter.reason.clone(),
            is_retried: letter.is_retried,
            record: record.and_then(|text| RawValue::from_string(text).ok()),
        }
    }
}
