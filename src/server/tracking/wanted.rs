//! What a request says of people, as far as it is of use and small.
//!
//! Must not know the form that it came in. What is known of a person goes into the record of each event of
//! that person, and a request says it once for all of them: without a limit, a small request would be a large
//! store.

use std::sync::Arc;

use serde_json::{Map, Value};

use super::payload::Person;
use super::unused::{AllUnused, Reason, Unused};
use crate::datafile::{Datafile, RESERVED};

/// So much is kept of all attributes of somebody, keys and values.
const MOST_ATTRIBUTE_BYTES: usize = 16 * 1024;
/// So many attributes are kept that the datafile does not declare: listeners are told of them.
const MOST_UNDECLARED: usize = 32;

/// Which attributes are of use.
#[derive(Debug, Clone, Copy)]
pub(super) struct Wanted<'d>(pub(super) Option<&'d Datafile>);

/// How much use an attribute is of, the most first.
#[derive(Debug, Clone, Copy, PartialEq, Eq, PartialOrd, Ord)]
enum Use {
    Declared,
    Reserved,
    Told,
}

impl Wanted<'_> {
    /// The attributes that are kept. Which are too many is no fault, unless they are of use.
    pub(super) fn kept<'a>(
        self,
        given: impl IntoIterator<Item = (&'a String, &'a Value)>,
        unused: &mut AllUnused,
    ) -> Map<String, Value> {
        let of_use = |(key, value): (&'a String, &'a Value)| (self.use_of(key), key, value);
        let mut given: Vec<_> = given.into_iter().map(of_use).collect();
        given.sort_by_key(|(of_use, ..)| *of_use);
        let mut kept = Map::new();
        let (mut bytes, mut undeclared) = (0_usize, 0_usize);
        for (of_use, key, value) in given {
            let sum = bytes.saturating_add(key.len()).saturating_add(size(value));
            undeclared += usize::from(of_use != Use::Declared);
            if sum <= MOST_ATTRIBUTE_BYTES && undeclared <= MOST_UNDECLARED {
                bytes = sum;
                kept.insert(key.clone(), value.clone());
            } else if of_use != Use::Told {
                unused.push(Unused::named(Reason::TooLarge, "the attribute", key));
            }
        }
        kept
    }

    /// Somebody of whom no other part of the request says anything.
    pub(super) fn person<'a>(
        self,
        id: String,
        given: impl IntoIterator<Item = (&'a String, &'a Value)>,
        unused: &mut AllUnused,
    ) -> Arc<Person> {
        let own = self.kept(given, unused);
        Arc::new(Person { id, own, ..Person::default() })
    }

    fn use_of(self, key: &str) -> Use {
        if self.0.is_some_and(|datafile| datafile.attribute_by_key(key).is_some()) {
            Use::Declared
        } else if key.starts_with(RESERVED) {
            Use::Reserved
        } else {
            Use::Told
        }
    }
}

/// About how large a value is; how deep, its reader has bounded.
fn size(value: &Value) -> usize {
    match value {
        Value::String(text) => text.len(),
        Value::Array(values) => values.iter().map(|value| size(value) + 8).sum(),
        Value::Object(members) => {
            members.iter().map(|(key, value)| key.len() + size(value) + 8).sum()
        }
        Value::Null | Value::Bool(_) | Value::Number(_) => 8,
    }
}

#[cfg(test)]
mod tests {
    //! What is kept.

    use serde_json::{Value, json};

    use super::super::unused::AllUnused;
    use super::Wanted;
    use crate::datafile::Datafile;

    /// How many attributes are kept, and how many of those left out are a fault.
    #[track_caller]
    fn check(given: &Value, expect: (usize, u64)) {
        let datafile = Datafile::compile(
            serde_json::to_vec(&json!({
                "version": "4", "accountId": "1", "projectId": "1", "revision": "1",
                "experiments": [], "groups": [], "audiences": [], "events": [], "featureFlags": [],
                "rollouts": [], "attributes": [{"id": "1", "key": "plan"}, {"id": "2", "key": "age"}],
            }))
            .unwrap(),
        );
        let datafile = datafile.unwrap().datafile;
        let mut unused = AllUnused::default();
        let kept = Wanted(Some(&datafile)).kept(given.as_object().unwrap(), &mut unused);
        assert_eq!((kept.len(), unused.count()), expect, "{kept:?}");
    }

    #[test]
    fn attributes_are_kept_as_long_as_they_are_few_and_short() {
        let many = |prefix: &str| {
            let named = (0..10_000).map(|place| (format!("{prefix}{place}"), json!(true)));
            Value::Object(named.collect())
        };
        check(&json!({}), (0, 0));
        check(&json!({"plan": "pro", "age": 7, "other": [1]}), (3, 0));
        let mut all = many("a");
        all["plan"] = json!("pro");
        check(&all, (33, 0));
        check(&many("$opt_"), (32, 9_968));
        check(&json!({"plan": "x".repeat(20_000), "age": 7, "other": [1]}), (2, 1));
        check(&json!({"plan": "pro", "other": {"x": "x".repeat(20_000)}}), (1, 0));
    }
}
