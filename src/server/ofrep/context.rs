//! The context of an evaluation: for whom, and what is known of them.
//!
//! Must not know flags.

use serde_json::{Map, Value};

use super::fault::{Code, Fault};
use crate::attribution::Origin;
use crate::client::{Snapshot, UserContext};

const CONTEXT: &str = "context";
const TARGETING_KEY: &str = "targetingKey";

/// For whom something is evaluated.
#[derive(Debug)]
pub(super) struct Context {
    /// The user's id. Clients that have none leave it out, or empty.
    pub(super) targeting_key: Option<String>,
    attributes: Map<String, Value>,
    /// All of it as JSON, in one order of keys, so that equal contexts are equal texts.
    pub(super) canonical: String,
}

impl Context {
    /// Takes the context out of a body; one that is not there is empty.
    pub(super) fn taken_from(body: &mut Map<String, Value>) -> Result<Self, Fault> {
        let mut attributes = match body.remove(CONTEXT) {
            None | Some(Value::Null) => Map::new(),
            Some(Value::Object(context)) => context,
            Some(_) => return Err(wrong("the context is no object: send {\"context\": {...}}")),
        };
        let canonical = serde_json::to_string(&attributes).unwrap_or_default();
        let targeting_key = match attributes.remove(TARGETING_KEY) {
            None | Some(Value::Null) => None,
            Some(Value::String(key)) => Some(key).filter(|key| !key.is_empty()),
            Some(_) => {
                return Err(wrong("the targetingKey is no text: send the user's id in quotes"));
            }
        };
        Ok(Self { targeting_key, attributes, canonical })
    }

    /// The user; one without an id where there is none.
    pub(super) fn user<'a>(&'a self, snapshot: &'a Snapshot<'_>) -> UserContext<'a> {
        let user_id = self.targeting_key.as_deref().unwrap_or_default();
        snapshot.user(user_id).from_origin(Origin::Ofrep).with_all(&self.attributes)
    }
}

fn wrong(details: &'static str) -> Fault {
    Fault::new(Code::InvalidContext, details)
}
