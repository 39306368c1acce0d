//! Bodies of OFREP.
//!
//! Must not know how they come about. What clients cannot do without is always there, also where the
//! protocol would let it go: `reason`, `variant` and `metadata` of an answer, `errorDetails` of an error.

use std::borrow::Cow;

use serde::Serialize as Written;
use serde::ser::{Serialize, SerializeMap as _, Serializer};

use crate::client::Variables;
use crate::server::wire::parts::{CreditsAnswer, VariableAnswer};
use crate::value::VariableValue;

/// A flag in an answer.
#[derive(Debug, Written)]
#[serde(untagged)]
pub(super) enum FlagAnswer<'a> {
    Success(SuccessAnswer<'a>),
    Failure(FailureAnswer<'a>),
}

#[derive(Debug, Written)]
pub(super) struct SuccessAnswer<'a> {
    pub(super) key: &'a str,
    /// Without one, who asks takes its own default.
    #[serde(skip_serializing_if = "Option::is_none")]
    pub(super) value: Option<ValueAnswer<'a>>,
    pub(super) reason: &'static str,
    pub(super) variant: &'a str,
    pub(super) metadata: MetadataAnswer,
}

#[derive(Debug, Written)]
pub(super) struct MetadataAnswer {
    /// Only where the store did not take the impression.
    #[serde(skip_serializing_if = "Option::is_none")]
    pub(super) recorded: Option<bool>,
}

#[derive(Debug, Written)]
#[serde(rename_all = "camelCase")]
pub(super) struct FailureAnswer<'a> {
    /// Of a request for all flags there is none.
    #[serde(skip_serializing_if = "Option::is_none")]
    pub(super) key: Option<&'a str>,
    pub(super) error_code: &'static str,
    pub(super) error_details: Cow<'a, str>,
}

#[derive(Debug, Written)]
#[serde(rename_all = "camelCase")]
pub(super) struct BulkAnswer<'a> {
    pub(super) flags: Vec<FlagAnswer<'a>>,
    pub(super) metadata: BulkMetadata<'a>,
    #[serde(skip_serializing_if = "Option::is_none")]
    pub(super) event_streams: Option<[EventStreamAnswer; 1]>,
}

#[derive(Debug, Written)]
pub(super) struct BulkMetadata<'a> {
    pub(super) environment: &'a str,
    pub(super) revision: &'a str,
}

/// Without an origin: it is that of the daemon as the client reaches it.
#[derive(Debug, Written)]
#[serde(rename_all = "camelCase")]
pub(super) struct EventStreamAnswer {
    pub(super) r#type: &'static str,
    pub(super) endpoint: EndpointAnswer,
    pub(super) inactivity_delay_sec: u64,
}

#[derive(Debug, Written)]
#[serde(rename_all = "camelCase")]
pub(super) struct EndpointAnswer {
    pub(super) request_uri: String,
}

/// What a stream tells.
#[derive(Debug, Written)]
#[serde(rename_all = "camelCase")]
pub(super) struct RefetchMessage<'a> {
    pub(super) r#type: &'static str,
    pub(super) etag: &'a str,
    pub(super) last_modified: u64,
}

/// What became of something a user did; not in the protocol.
#[derive(Debug, Written)]
#[serde(rename_all = "camelCase")]
pub(super) struct TrackAnswer<'a> {
    pub(super) key: &'a str,
    #[serde(skip_serializing_if = "Option::is_none")]
    pub(super) event_id: Option<&'a str>,
    pub(super) credits: CreditsAnswer<'a>,
    #[serde(skip_serializing_if = "Option::is_none")]
    pub(super) reason: Option<&'static str>,
    pub(super) duplicate: bool,
    pub(super) revision: &'a str,
}

/// The one value of a flag.
#[derive(Debug)]
pub(in crate::server) enum ValueAnswer<'a> {
    Enabled(bool),
    Variable(&'a VariableValue),
    /// In the datafile's order; null where the datafile's text is not of the variable's type.
    Object(&'a Variables),
}

impl Serialize for ValueAnswer<'_> {
    fn serialize<S: Serializer>(&self, serializer: S) -> Result<S::Ok, S::Error> {
        match self {
            Self::Enabled(is_enabled) => serializer.serialize_bool(*is_enabled),
            Self::Variable(value) => VariableAnswer(value).serialize(serializer),
            Self::Object(variables) => {
                let mut object = serializer.serialize_map(Some(variables.len()))?;
                for (key, value) in variables.iter() {
                    object.serialize_entry(key, &value.map(VariableAnswer))?;
                }
                object.end()
            }
        }
    }
}
