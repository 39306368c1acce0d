//! Members of what a body says: ids, texts, objects and lists, and what stands there instead.
//!
//! Must not know what any of them means.

use serde_json::{Map, Value};

use super::reading::Reading;
use crate::server::tracking::reading::{id, objects, text};
use crate::server::tracking::unused::{Reason, Unused};

impl Reading<'_> {
    /// An id: a text, or a whole number.
    pub(super) fn id(&mut self, object: &Map<String, Value>, key: &'static str) -> Option<String> {
        let id = id(object, key);
        if id.is_none() && says_something(object, key) {
            self.wrong_kind("what is no id in", key);
        }
        id
    }

    pub(super) fn text(
        &mut self,
        object: &Map<String, Value>,
        key: &'static str,
    ) -> Option<String> {
        let text = text(object, key);
        if text.is_none() && says_something(object, key) {
            self.wrong_kind("what is no text in", key);
        }
        text.map(str::to_owned)
    }

    pub(super) fn object(
        &mut self,
        object: &Map<String, Value>,
        key: &'static str,
    ) -> Option<Map<String, Value>> {
        let given = object.get(key).filter(|value| !value.is_null())?;
        let members = given.as_object().cloned();
        if members.is_none() {
            self.wrong_kind("what is no object in", key);
        }
        members
    }

    /// The objects of a list; what else is in it is of no use.
    pub(super) fn listed<'a>(
        &mut self,
        object: &'a Map<String, Value>,
        key: &'static str,
    ) -> Vec<&'a Map<String, Value>> {
        let (objects, is_mixed) = objects(object, key);
        if is_mixed {
            self.wrong_kind("what is no object in", key);
        }
        objects
    }

    pub(super) fn wrong_kind(&mut self, what: &str, key: &'static str) {
        self.unused.push(Unused::named(Reason::WrongKind, what, key));
    }
}

/// SDKs put nothing, or an empty text, where a decision has nothing to say.
fn says_something(object: &Map<String, Value>, key: &str) -> bool {
    object.get(key).is_some_and(|value| !value.is_null() && value != "")
}
