//! Messages as Segment specifies them, which others have taken over: track, identify, page and so on.
//!
//! Must not know how a request carries them, nor what it is answered. Who sends ids spells them in either way,
//! `userId` or `user_id`.

use serde_json::{Map, Value};

use super::names::{event_key, in_small_letters};
use super::payload::{Mark, NewEvent, NewExposure, NewMerge, Payload, Person};
use super::reading::{content_id, id, take_revenue, text, time_ms};
use super::unused::{Reason, Unused};
use crate::clock::TimeMs;
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
    pub(super) received_at_ms: TimeMs,
    /// When the sender's clock says that it was sent.
    pub(super) sent_at: Option<Value>,
    /// For messages whose own does not say otherwise.
    pub(super) context: Map<String, Value>,
    /// Whether what a context says itself is an attribute, as its traits are.
    pub(super) is_context_attributes: bool,
    pub(super) datafile: Option<&'a Datafile>,
    pub(super) settings: &'a TrackingSettings,
    pub(super) system: TrackingSystem,
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

impl Around<'_> {
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
                let (person, mark) = self.who_and_when(&mut message, payload);
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
        let (person, mark) = self.who_and_when(message, payload);
        let event = NewEvent { person, mark, name, tags, revenue_cents, ..NewEvent::default() };
        payload.events.push(event);
    }

    fn who_and_when(
        &self,
        message: &mut Map<String, Value>,
        payload: &mut Payload,
    ) -> (Person, Mark) {
        let id = any_id(message, &USER).or_else(|| any_id(message, &NOBODY_YET));
        let mark = Mark { id: any_id(message, &MESSAGE), time_ms: self.time_ms(message, payload) };
        let person =
            Person { id: id.unwrap_or_default(), attributes: self.attributes(message, payload) };
        (person, mark)
    }

    /// The sender's clock may be wrong, and what it says of two times is right: how long before it was sent
    /// something happened.
    fn time_ms(&self, message: &Map<String, Value>, payload: &mut Payload) -> Option<TimeMs> {
        let given = |name: &str| message.get(name).filter(|value| !value.is_null());
        let happened = given("originalTimestamp").or_else(|| given("timestamp"))?;
        let sent = given("sentAt").or(self.sent_at.as_ref()).map(time_ms);
        let Some(happened) = time_ms(happened) else {
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

    /// Traits, and the rest of the context where that counts; what the message itself says stands over what
    /// the request says.
    fn attributes(
        &self,
        message: &mut Map<String, Value>,
        payload: &mut Payload,
    ) -> Map<String, Value> {
        let own = members(message, "context", payload);
        let mut attributes = Map::new();
        for mut context in [self.context.clone(), own] {
            let traits = members(&mut context, "traits", payload);
            if self.is_context_attributes {
                attributes.extend(context);
            }
            attributes.extend(traits);
        }
        attributes
    }
}

/// When it was sent is no part of what it says. What has no time is never known by it: the same may be done again.
fn know_by_content(message: &mut Map<String, Value>) {
    let has_time = || {
        ["originalTimestamp", "timestamp"]
            .iter()
            .filter_map(|key| message.get(*key))
            .any(|time| time_ms(time).is_some())
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
