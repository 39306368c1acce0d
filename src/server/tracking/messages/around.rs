//! What messages have in common, and what a batch says of all of them: who, when, and what is known of somebody.
//!
//! Must not know what a message says.

use std::sync::Arc;

use serde_json::{Map, Value};

use crate::clock::{TimeMs, system_time_ms};
use crate::datafile::Datafile;
use crate::server::tracking::messages::clocks::Moment;
use crate::server::tracking::payload::{Mark, NewEvent, NewExposure, Payload, Person};
use crate::server::tracking::reading::{content_id, id};
use crate::server::tracking::times::{WholeSecond, time_ms};
use crate::server::tracking::unused::{Reason, Unused};
use crate::server::tracking::wanted::Wanted;
use crate::settings::{TrackingSettings, TrackingSystem};

pub(super) const USER: [&str; 2] = ["userId", "user_id"];
pub(super) const NOBODY_YET: [&str; 2] = ["anonymousId", "anonymous_id"];
pub(super) const MESSAGE: [&str; 2] = ["messageId", "message_id"];

/// What all messages of a request have in common.
#[derive(Debug)]
pub(in crate::server::tracking) struct Around<'a> {
    received_at_ms: TimeMs,
    /// When the sender's clock says that it was sent.
    sent_at: Option<Value>,
    /// What is known of everybody, as far as messages do not say otherwise.
    shared: Arc<Map<String, Value>>,
    pub(super) datafile: Option<&'a Datafile>,
    pub(super) settings: &'a TrackingSettings,
    pub(super) system: TrackingSystem,
}

impl<'a> Around<'a> {
    pub(in crate::server::tracking) fn new(
        system: TrackingSystem,
        settings: &'a TrackingSettings,
        datafile: Option<&'a Datafile>,
    ) -> Self {
        let received_at_ms = system_time_ms();
        Self { received_at_ms, sent_at: None, shared: Arc::default(), datafile, settings, system }
    }

    /// The same with what a batch says of all its messages.
    pub(in crate::server::tracking) fn of_batch(
        self,
        batch: &mut Map<String, Value>,
        payload: &mut Payload,
    ) -> Self {
        let sent_at = batch.remove("sentAt").filter(|sent| !sent.is_null());
        let shared = Arc::new(self.attributes(batch, payload));
        Self { sent_at, shared, ..self }
    }

    /// What is done.
    pub(super) fn done(
        &self,
        message: &mut Map<String, Value>,
        done: NewEvent,
        payload: &mut Payload,
    ) {
        let moment = self.moment(message, WholeSecond::End, payload);
        let mark = Mark { id: any_id(message, &MESSAGE), time_ms: moment.map(|at| at.time_ms) };
        let person = self.person(message, payload);
        payload.events.push(NewEvent { person, mark, ..done });
    }

    /// What is shown.
    pub(super) fn shown(
        &self,
        message: &mut Map<String, Value>,
        shown: NewExposure,
        payload: &mut Payload,
    ) {
        let moment = self.moment(message, WholeSecond::Begin, payload);
        let time_ms = moment.map(Moment::shown_at_ms);
        let mark = Mark { id: any_id(message, &MESSAGE), time_ms };
        let person = self.person(message, payload);
        let was_ms = moment.map(|at| at.time_ms);
        payload.exposures.push(NewExposure { person, mark, was_ms, ..shown });
    }

    fn person(&self, message: &mut Map<String, Value>, payload: &mut Payload) -> Arc<Person> {
        let id = any_id(message, &USER).or_else(|| any_id(message, &NOBODY_YET));
        let own = self.attributes(message, payload);
        Arc::new(Person { id: id.unwrap_or_default(), shared: Arc::clone(&self.shared), own })
    }

    fn moment(
        &self,
        message: &Map<String, Value>,
        whole_second: WholeSecond,
        payload: &mut Payload,
    ) -> Option<Moment> {
        let given = |name: &str| message.get(name).filter(|value| !value.is_null());
        let happened = given("originalTimestamp").or_else(|| given("timestamp"))?;
        let sent = given("sentAt").or(self.sent_at.as_ref());
        let sent = sent.map(|sent| time_ms(sent, WholeSecond::Begin));
        let Some(happened) = time_ms(happened, whole_second) else {
            payload.unused.push(Unused::plain(Reason::BadTime, "a time of an event"));
            return None;
        };
        if sent == Some(None) {
            payload.unused.push(Unused::plain(Reason::BadTime, "a time of sending"));
        }
        Some(match sent.flatten() {
            Some(sent) => Moment::corrected(happened, sent, self.received_at_ms),
            None => Moment::as_told(happened),
        })
    }

    /// The traits of a context, and the rest of it, where that is ThriveStack's.
    fn attributes(
        &self,
        message: &mut Map<String, Value>,
        payload: &mut Payload,
    ) -> Map<String, Value> {
        let mut context = members(message, "context", payload);
        let mut attributes = members(&mut context, "traits", payload);
        if self.system == TrackingSystem::Thrivestack {
            context.append(&mut attributes);
            attributes = context;
        }
        Wanted(self.datafile).kept(&attributes, &mut payload.unused)
    }
}

/// When it was sent is no part of what it says. What has no time is never known by it: the same may be done again.
pub(super) fn know_by_content(message: &mut Map<String, Value>) {
    let has_time = || {
        ["originalTimestamp", "timestamp"]
            .iter()
            .filter_map(|key| message.get(*key))
            .any(|time| time_ms(time, WholeSecond::Begin).is_some())
    };
    if any_id(message, &MESSAGE).is_none() && has_time() {
        let sent_at = message.remove("sentAt");
        let id = content_id(message);
        message.extend(sent_at.map(|sent_at| ("sentAt".to_owned(), sent_at)));
        message.insert(MESSAGE[0].to_owned(), id.to_string().into());
    }
}

/// An object that stands in another; what is none is of no use.
pub(in crate::server::tracking) fn members(
    object: &mut Map<String, Value>,
    key: &'static str,
    payload: &mut Payload,
) -> Map<String, Value> {
    match object.remove(key) {
        None | Some(Value::Null) => Map::new(),
        Some(Value::Object(members)) => members,
        Some(_) => {
            payload.unused.push(Unused::named(Reason::WrongKind, "what is no object in", key));
            Map::new()
        }
    }
}

pub(super) fn any_id(object: &Map<String, Value>, keys: &[&str]) -> Option<String> {
    keys.iter().find_map(|key| id(object, key))
}
