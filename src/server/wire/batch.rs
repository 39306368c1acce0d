//! Bodies of batches.
//!
//! Must not know how operations are answered.

use std::collections::BTreeMap;

use jiff::Timestamp;
use serde::{Serialize, Serializer};
use serde_json::Value;
use serde_json::value::RawValue;

use super::members::members;
use crate::clock::TimeMs;

#[derive(Debug, Default)]
pub(in crate::server) struct BatchBody {
    pub(in crate::server) operations: Option<Vec<Operation>>,
}

members!(BatchBody { "operations" => operations });

#[derive(Debug, Default)]
pub(in crate::server) struct Operation {
    pub(in crate::server) method: Option<String>,
    pub(in crate::server) url: Option<String>,
    pub(in crate::server) operation_id: Option<String>,
    pub(in crate::server) body: Option<Value>,
    /// Agent's program calls them this.
    pub(in crate::server) params: Option<BTreeMap<String, String>>,
    /// Its description calls them so; they count where there are no others.
    pub(in crate::server) parameters: Option<BTreeMap<String, String>>,
    pub(in crate::server) headers: Option<BTreeMap<String, String>>,
}

members!(Operation {
    "method" => method,
    "url" => url,
    "operationID" => operation_id,
    "body" => body,
    "params" => params,
    "parameters" => parameters,
    "headers" => headers,
});

#[derive(Debug, Serialize)]
#[serde(rename_all = "camelCase")]
pub(in crate::server) struct BatchAnswer {
    #[serde(rename = "startedAt", serialize_with = "as_text")]
    started_at_ms: TimeMs,
    #[serde(rename = "endedAt", serialize_with = "as_text")]
    ended_at_ms: TimeMs,
    error_count: usize,
    response: Vec<OperationAnswer>,
}

#[derive(Debug, Serialize)]
#[serde(rename_all = "camelCase")]
pub(in crate::server) struct OperationAnswer {
    pub(in crate::server) status: u16,
    #[serde(rename = "requestID")]
    pub(in crate::server) request_id: String,
    #[serde(rename = "operationID")]
    operation_id: String,
    method: String,
    url: String,
    pub(in crate::server) body: Option<Box<RawValue>>,
    #[serde(rename = "startedAt", serialize_with = "as_text")]
    started_at_ms: TimeMs,
    #[serde(rename = "endedAt", serialize_with = "as_text")]
    pub(in crate::server) ended_at_ms: TimeMs,
}

impl BatchAnswer {
    pub(in crate::server) fn new(
        started_at_ms: TimeMs,
        ended_at_ms: TimeMs,
        response: Vec<OperationAnswer>,
    ) -> Self {
        let error_count = response.iter().filter(|answer| answer.status != 200).count();
        Self { started_at_ms, ended_at_ms, error_count, response }
    }
}

impl OperationAnswer {
    /// Not answered yet.
    pub(in crate::server) fn of(operation: &Operation, started_at_ms: TimeMs) -> Self {
        let text = |text: &Option<String>| text.clone().unwrap_or_default();
        Self {
            status: 0,
            request_id: String::new(),
            operation_id: text(&operation.operation_id),
            method: text(&operation.method),
            url: text(&operation.url),
            body: None,
            started_at_ms,
            ended_at_ms: started_at_ms,
        }
    }
}

/// A time as people read it.
fn as_text<S: Serializer>(time_ms: &TimeMs, serializer: S) -> Result<S::Ok, S::Error> {
    let time = Timestamp::from_millisecond(*time_ms).unwrap_or_default();
    serializer.collect_str(&time)
}
