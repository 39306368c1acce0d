//! The events, the merge and the enrolment of one request.
//!
//! Must not know where the request stood: alone, or among others in a bulk. Sessions, views, crashes, consent
//! and all that the clients report of themselves is for others, and no fault of anybody.

use std::borrow::Cow;
use std::collections::BTreeMap;
use std::sync::Arc;

use serde_json::{Map, Value};
use sha2::{Digest as _, Sha256};

use super::checksum;
use super::numbers::{count, duration_seconds, number, time_ms};
use super::request::{Params, json};
use crate::clock::TimeMs;
use crate::server::tracking::payload::{Mark, NewEvent, NewExposure, NewMerge, Payload, Person};
use crate::server::tracking::reading::{id, object, text};
use crate::server::tracking::times::WholeSecond;
use crate::server::tracking::unused::{AllUnused, Reason, Unused};
use crate::server::tracking::wanted::Wanted;

/// What the clients' own events begin with.
const OF_CLIENTS: &str = "[CLY]_";
/// How many requests wait behind this one: another number each time it is sent.
const WAITING: &str = "rr";
/// So many bytes of a hash tell requests apart.
const HASH_BYTES: usize = 16;
const ENROL: &str = "ab_enroll_variant";

/// What a request is read with.
#[derive(Debug, Clone, Copy)]
pub(super) struct Reading<'a> {
    /// Names that the settings know.
    pub(super) mapped: &'a BTreeMap<String, String>,
    pub(super) wanted: Wanted<'a>,
}

/// When something was shown that the whole request is about, if it has a time.
pub(super) fn shown_at_ms(params: &Params) -> Option<TimeMs> {
    time_ms(params.get("timestamp")?, WholeSecond::Begin)
}

/// When something was done.
fn done_at_ms(object: &Map<String, Value>) -> Option<TimeMs> {
    time_ms(object.get("timestamp")?, WholeSecond::End)
}

/// Whom it is about.
pub(super) fn device_id(params: &Params) -> Option<String> {
    id(params, "device_id")
}

/// What is known of a device in one request: its metrics, and above them what the application says.
pub(super) fn attributes(params: &Params, unused: &mut AllUnused) -> Map<String, Value> {
    let [metrics, details] = ["metrics", "user_details"].map(|name| match json(params, name) {
        Some(value) if !value.is_object() => {
            unused.push(Unused::named(Reason::WrongKind, "what is no object in", name));
            Map::new()
        }
        value => value.and_then(|value| value.as_object().cloned()).unwrap_or_default(),
    });
    let all = metrics.into_iter().chain(object(&details, "custom"));
    // Others are orders to count up, and such.
    all.filter(|(_, value)| !matches!(value, Value::Null | Value::Array(_) | Value::Object(_)))
        .collect()
}

impl Reading<'_> {
    /// All of a request.
    pub(super) fn payload(&self, params: &Params) -> Payload {
        let mut payload = Payload::default();
        let device_id = device_id(params).unwrap_or_default();
        let attributes = attributes(params, &mut payload.unused);
        let person = self.wanted.person(device_id, &attributes, &mut payload.unused);
        let hash = Hash { time_ms: done_at_ms(params), text: hash(params) };
        payload.merges.extend(merge(params, &person, &hash));
        if text(params, "method") == Some(ENROL) {
            enrol(params, &person, &hash, &mut payload);
        }
        self.events(params, &person, &hash, &mut payload);
        payload
    }

    fn events(&self, params: &Params, person: &Arc<Person>, hash: &Hash, payload: &mut Payload) {
        let Some(events) = json(params, "events") else { return };
        let Some(events) = events.as_array() else {
            let what = "what is no list in";
            return payload.unused.push(Unused::named(Reason::WrongKind, what, "events"));
        };
        if !events.is_empty() && hash.time_ms.is_none() && params.contains_key("timestamp") {
            payload.unused.push(Unused::plain(Reason::BadTime, "the timestamp of a request"));
        }
        for (place, event) in events.iter().enumerate() {
            let Some(event) = event.as_object() else {
                let what = "what is no object in";
                payload.unused.push(Unused::named(Reason::WrongKind, what, "events"));
                continue;
            };
            let name = text(event, "key").unwrap_or_default();
            if name.starts_with(OF_CLIENTS) && !self.mapped.contains_key(name) {
                continue;
            }
            let event = self::event(event, hash, place, &mut payload.unused);
            payload.events.push(NewEvent { person: Arc::clone(person), ..event });
        }
    }
}

fn event(
    event: &Map<String, Value>,
    hash: &Hash,
    place: usize,
    unused: &mut AllUnused,
) -> NewEvent {
    let own_time_ms = done_at_ms(event);
    if own_time_ms.is_none() && event.get("timestamp").is_some_and(|time| !time.is_null()) {
        unused.push(Unused::plain(Reason::BadTime, "the timestamp of an event"));
    }
    let time_ms = own_time_ms.or(hash.time_ms);
    let by_hash = || time_ms.map(|_| format!("{}/{place}", hash.text));
    NewEvent {
        mark: Mark { id: id(event, "id").or_else(by_hash), time_ms },
        name: text(event, "key").unwrap_or_default().to_owned(),
        tags: tags(event, unused),
        // A segmentation is whatever the application wants to tell apart.
        has_plain_tags: true,
        value: measured(event, "sum", number, unused),
        count: measured(event, "count", count, unused),
        duration_seconds: measured(event, "dur", duration_seconds, unused),
        ..NewEvent::default()
    }
}

/// Somebody is put into a variation by the client.
fn enrol(params: &Params, person: &Arc<Person>, hash: &Hash, payload: &mut Payload) {
    let named = |name: &str| id(params, name);
    let (Some(experiment), Some(variation)) = (named("key"), named("variant")) else {
        let what = "an enrolment without key or variant";
        return payload.unused.push(Unused::plain(Reason::NoName, what));
    };
    let mark = Mark { id: hash.id_of("enrol"), time_ms: shown_at_ms(params) };
    payload.exposures.push(NewExposure {
        person: Arc::clone(person),
        mark,
        experiment,
        variation,
        ..NewExposure::default()
    });
}

/// What a request is known by, where it has a time: without one, a repeat may be meant.
struct Hash {
    time_ms: Option<TimeMs>,
    text: String,
}

impl Hash {
    fn id_of(&self, what: &str) -> Option<String> {
        self.time_ms.map(|_| format!("{}/{what}", self.text))
    }
}

/// Over all that is the same each time a request is sent, however it is sent.
fn hash(params: &Params) -> String {
    let mut kept: Vec<_> =
        params.iter().filter(|(name, _)| *name != WAITING && !checksum::is_one(name)).collect();
    kept.sort_unstable_by_key(|(name, _)| *name);
    let mut hash = Sha256::new();
    for (name, value) in kept {
        let value = match value {
            Value::String(text) => Cow::Borrowed(text),
            value => Cow::Owned(value.to_string()),
        };
        for part in [name.as_bytes(), value.as_bytes()] {
            hash.update(part.len().to_be_bytes());
            hash.update(part);
        }
    }
    hash.finalize().iter().take(HASH_BYTES).map(|byte| format!("{byte:02x}")).collect()
}

fn merge(params: &Params, person: &Person, hash: &Hash) -> Option<NewMerge> {
    let from_id = id(params, "old_device_id").filter(|from_id| *from_id != person.id)?;
    Some(NewMerge { from_id, into_id: person.id.clone(), id: hash.id_of("merge") })
}

fn tags(event: &Map<String, Value>, unused: &mut AllUnused) -> Map<String, Value> {
    let Some(segmentation) = json(event, "segmentation") else { return Map::new() };
    match segmentation.into_owned() {
        Value::Object(tags) => tags,
        _ => {
            let what = "what is no object in";
            unused.push(Unused::named(Reason::WrongKind, what, "segmentation"));
            Map::new()
        }
    }
}

/// A number of an event; one that cannot be meant is as if it were not there.
fn measured<T>(
    event: &Map<String, Value>,
    name: &'static str,
    read: impl FnOnce(&Value) -> Option<T>,
    unused: &mut AllUnused,
) -> Option<T> {
    let value = event.get(name).filter(|value| !value.is_null())?;
    let measured = read(value);
    if measured.is_none() {
        unused.push(Unused::named(Reason::WrongKind, "what is no such number in", name));
    }
    measured
}
