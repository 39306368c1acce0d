//! Messages as Segment specifies them, which others have taken over: track, identify, page and so on.
//!
//! Must not know how a request carries them, nor what it is answered. Who sends ids spells them in either way,
//! `userId` or `user_id`.

use std::sync::Arc;

use serde_json::{Map, Value};

use super::names::{event_key, in_small_letters};
use super::payload::{Mark, NewEvent, NewExposure, NewMerge, Payload, Person};
use super::reading::{WholeSecond, content_id, id, take_revenue, text, time_ms};
use super::unused::{Reason, Unused};
use super::wanted::Wanted;
use crate::clock::{TimeMs, system_time_ms};
use crate::datafile::Datafile;
use crate::settings::{TrackingSettings, TrackingSystem};

/// The event that says what a user was shown.
const SHOWN: &str = "experiment_viewed";
const EXPERIMENT: [&str; 4] =
    ["experiment_id", "experimentId", "experiment_name", "experimentName"];
const VARIATION: [&str; 4] = ["variation_id", "variationId", "variation_name", "variationName"];
const USER: [&str; 2] = ["userId", "user_id"];
const NOBODY_YET: [&str; 2] = ["anonymousId", "anonymous_id"];
const MESSAGE: [&str; 2] = ["messageId", "message_id"];
const BEFORE: [&str; 2] = ["previousId", "previous_id"];

/// What a message says.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub(super) enum Kind {
    Track,
    Identify,
    Page,
    Screen,
    Group,
    Alias,
}

/// What all messages of a request have in common.
#[derive(Debug)]
pub(super) struct Around<'a> {
    received_at_ms: TimeMs,
    /// When the sender's clock says that it was sent.
    sent_at: Option<Value>,
    /// What is known of everybody, as far as messages do not say otherwise.
    shared: Arc<Map<String, Value>>,
    datafile: Option<&'a Datafile>,
    settings: &'a TrackingSettings,
    system: TrackingSystem,
}

impl Kind {
    pub(super) fn of(word: &str) -> Option<Self> {
        Some(match word {
            "track" => Self::Track,
            "identify" => Self::Identify,
            "page" => Self::Page,
            "screen" => Self::Screen,
            "group" => Self::Group,
            "alias" => Self::Alias,
            _ => return None,
        })
    }
}

impl<'a> Around<'a> {
    pub(super) fn new(
        system: TrackingSystem,
        settings: &'a TrackingSettings,
        datafile: Option<&'a Datafile>,
    ) -> Self {
        let received_at_ms = system_time_ms();
        Self { received_at_ms, sent_at: None, shared: Arc::default(), datafile, settings, system }
    }

    /// The same with what a batch says of all its messages.
    pub(super) fn of_batch(self, batch: &mut Map<String, Value>, payload: &mut Payload) -> Self {
        let sent_at = batch.remove("sentAt").filter(|sent| !sent.is_null());
        let shared = Arc::new(self.attributes(batch, payload));
        Self { sent_at, shared, ..self }
    }

    /// Adds what a message says to a payload.
    pub(super) fn read(&self, kind: Kind, mut message: Map<String, Value>, payload: &mut Payload) {
        let user = any_id(&message, &USER);
        if user.is_none() && any_id(&message, &NOBODY_YET).is_none() {
            payload.unused.push(Unused::plain(Reason::NoUser, "what nobody did"));
            return;
        }
        if self.settings.known_by_content.contains(&self.system) {
            know_by_content(&mut message);
        }
        match (kind, user) {
            (Kind::Track, _) => self.track(message, payload),
            (Kind::Page, _) => self.seen("Page", &mut message, payload),
            (Kind::Screen, _) => self.seen("Screen", &mut message, payload),
            (Kind::Identify, Some(user)) => merge(&message, &NOBODY_YET, user, payload),
            (Kind::Alias, Some(user)) => merge(&message, &BEFORE, user, payload),
            (Kind::Identify | Kind::Alias, None) | (Kind::Group, _) => {}
        }
    }

    fn track(&self, mut message: Map<String, Value>, payload: &mut Payload) {
        let name = text(&message, "event").or_else(|| text(&message, "event_name"));
        let Some(name) = name.map(str::to_owned) else {
            payload.unused.push(Unused::plain(Reason::NoName, "an event without a name"));
            return;
        };
        if in_small_letters(&name) != SHOWN {
            return self.event(name, &mut message, payload);
        }
        let properties = members(&mut message, "properties", payload);
        match shown(&properties) {
            Some(shown) => {
                let (person, mark) = self.who_and_when(&mut message, WholeSecond::Begin, payload);
                payload.exposures.push(NewExposure { person, mark, ..shown });
            }
            None => payload.unused.push(Unused::plain(
                Reason::NoName,
                "an exposure without an experiment or a variation",
            )),
        }
    }

    /// `Viewed NAME Page` is what Segment's own destinations make of a page. Its bare name is no event: the
    /// page "Signup" is not a signup. Nobody wants an event for each page, so that what is unknown is no fault.
    fn seen(&self, what: &str, message: &mut Map<String, Value>, payload: &mut Payload) {
        let name = text(message, "name").or_else(|| text(message, "page_name"));
        let Some(name) = name.map(|name| format!("Viewed {name} {what}")) else { return };
        if self
            .datafile
            .is_some_and(|known| event_key(known, &self.settings.events, &name).is_some())
        {
            self.event(name, message, payload);
        }
    }

    fn event(&self, name: String, message: &mut Map<String, Value>, payload: &mut Payload) {
        let mut tags = members(message, "properties", payload);
        let revenue_cents = take_revenue(&mut tags, payload);
        let (person, mark) = self.who_and_when(message, WholeSecond::End, payload);
        let event = NewEvent { person, mark, name, tags, revenue_cents, ..NewEvent::default() };
        payload.events.push(event);
    }

    fn who_and_when(
        &self,
        message: &mut Map<String, Value>,
        whole_second: WholeSecond,
        payload: &mut Payload,
    ) -> (Arc<Person>, Mark) {
        let id = any_id(message, &USER).or_else(|| any_id(message, &NOBODY_YET));
        let time_ms = self.time_ms(message, whole_second, payload);
        let mark = Mark { id: any_id(message, &MESSAGE), time_ms };
        let own = self.attributes(message, payload);
        let person = Person { id: id.unwrap_or_default(), ..Person::default() };
        (Arc::new(Person { shared: Arc::clone(&self.shared), own, ..person }), mark)
    }

    /// The sender's clock may be wrong, and what it says of two times is right: how long before it was sent
    /// something happened.
    fn time_ms(
        &self,
        message: &Map<String, Value>,
        whole_second: WholeSecond,
        payload: &mut Payload,
    ) -> Option<TimeMs> {
        let given = |name: &str| message.get(name).filter(|value| !value.is_null());
        let happened = given("originalTimestamp").or_else(|| given("timestamp"))?;
        let sent = given("sentAt").or(self.sent_at.as_ref());
        let sent = sent.map(|sent| time_ms(sent, WholeSecond::Begin));
        let Some(happened) = time_ms(happened, whole_second) else {
            payload.unused.push(Unused::plain(Reason::BadTime, "a time of an event"));
            return None;
        };
        match sent {
            None => Some(happened),
            Some(Some(sent)) => {
                Some(self.received_at_ms.saturating_sub(sent.saturating_sub(happened)))
            }
            Some(None) => {
                payload.unused.push(Unused::plain(Reason::BadTime, "a time of sending"));
                Some(happened)
            }
        }
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
fn know_by_content(message: &mut Map<String, Value>) {
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
pub(super) fn members(
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

fn any_id(object: &Map<String, Value>, keys: &[&str]) -> Option<String> {
    keys.iter().find_map(|key| id(object, key))
}

fn merge(message: &Map<String, Value>, from: &[&str], into_id: String, payload: &mut Payload) {
    if let Some(from_id) = any_id(message, from).filter(|from_id| *from_id != into_id) {
        let id = any_id(message, &MESSAGE);
        payload.merges.push(NewMerge { from_id, into_id, id });
    }
}

/// By any of its names: ids may be those of who sends it, and names those of the datafile.
fn shown(properties: &Map<String, Value>) -> Option<NewExposure> {
    let all = |keys: [&str; 4]| keys.into_iter().filter_map(|key| id(properties, key)).collect();
    let (experiments, variations): (Vec<String>, Vec<String>) = (all(EXPERIMENT), all(VARIATION));
    let mut pairs = experiments.iter().flat_map(|experiment| {
        variations.iter().map(move |variation| (experiment.clone(), variation.clone()))
    });
    let (experiment, variation) = pairs.next()?;
    Some(NewExposure { experiment, variation, or: pairs.collect(), ..NewExposure::default() })
}
