//! The attributes of a visitor, by the keys that the datafile declares.
//!
//! Must not know what becomes of them, nor what the visitor did.

use std::cell::OnceCell;
use std::collections::HashMap;

use serde_json::{Map, Value};

use super::reading::Reading;
use crate::datafile::Datafile;
use crate::server::tracking::reading::text;
use crate::server::tracking::unused::{Reason, Unused};

const BOT_FILTERING: &str = "$opt_bot_filtering";

/// The attributes that the datafile declares.
pub(super) struct Declared<'d> {
    datafile: Option<&'d Datafile>,
    /// Their keys, once one is looked for.
    by_id: OnceCell<HashMap<&'d str, &'d str>>,
}

impl<'d> Declared<'d> {
    pub(super) const fn new(datafile: Option<&'d Datafile>) -> Self {
        Self { datafile, by_id: OnceCell::new() }
    }

    fn has(&self, key: &str) -> bool {
        self.datafile.is_some_and(|datafile| datafile.attribute_by_key(key).is_some())
    }

    fn by_id(&self, id: &str) -> Option<&'d str> {
        let by_id = self.by_id.get_or_init(|| {
            let declared = self.datafile.map(Datafile::attributes).unwrap_or_default();
            // Of several with one id, the first.
            declared.iter().rev().map(|one| (one.id(), one.key())).collect()
        });
        by_id.get(id).copied()
    }
}

impl Reading<'_> {
    /// By their keys; where the datafile does not know it, or only the id is said, by the key that it has for the id.
    pub(super) fn attributes(&mut self, visitor: &Map<String, Value>) -> Map<String, Value> {
        let mut listed = self.listed(visitor, "attributes");
        // The last one is not the user's: SDKs put it there, as the datafile says.
        let of_project = self.datafile.and_then(Datafile::bot_filtering).map(Value::Bool);
        let is_of_project = |last: &&Map<String, Value>| {
            text(last, "key") == Some(BOT_FILTERING) && last.get("value") == of_project.as_ref()
        };
        if of_project.is_some() && listed.last().is_some_and(is_of_project) {
            listed.pop();
        }
        let mut attributes = Map::new();
        for attribute in listed {
            match (self.key_of(attribute), attribute.get("value")) {
                (None, _) => {
                    self.unused.push(Unused::plain(Reason::NoName, "an attribute without a key"));
                }
                (Some(_), Some(Value::Array(_) | Value::Object(_))) => {
                    self.wrong_kind("what is no plain value in", "value");
                }
                (Some(key), Some(value)) => drop(attributes.insert(key, value.clone())),
                (Some(_), None) => {}
            }
        }
        attributes
    }

    fn key_of(&mut self, attribute: &Map<String, Value>) -> Option<String> {
        let key = self.text(attribute, "key");
        if key.as_ref().is_some_and(|key| self.declared.has(key)) {
            return key;
        }
        let id = self.id(attribute, "entity_id");
        let declared = id.and_then(|id| self.declared.by_id(&id));
        declared.map(str::to_owned).or(key)
    }
}
