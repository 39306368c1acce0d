//! Messages as Segment specifies them, which others have taken over: track, identify, page and so on.
//!
//! Must not know how a request carries them, nor what it is answered. Who sends ids spells them in either way,
//! `userId` or `user_id`.

mod around;
mod clocks;

use serde_json::{Map, Value};

pub(super) use self::around::{Around, members};
use self::around::{MESSAGE, NOBODY_YET, USER, any_id, know_by_content};
pub(super) use self::clocks::keep_order;
use super::names::{event_key, in_small_letters};
use super::payload::{NewEvent, NewExposure, NewMerge, Payload};
use super::reading::{id, take_revenue, text};
use super::unused::{Reason, Unused};

/// The event that says what a user was shown.
const SHOWN: &str = "experiment_viewed";
const EXPERIMENT: [&str; 4] =
    ["experiment_id", "experimentId", "experiment_name", "experimentName"];
const VARIATION: [&str; 4] = ["variation_id", "variationId", "variation_name", "variationName"];
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
                self.shown(&mut message, shown, payload);
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
            .is_some_and(|known| event_key(known, &self.settings.events, &name, None).is_some())
        {
            self.event(name, message, payload);
        }
    }

    fn event(&self, name: String, message: &mut Map<String, Value>, payload: &mut Payload) {
        let mut tags = members(message, "properties", payload);
        let revenue_cents = take_revenue(&mut tags, payload);
        let done = NewEvent { name, tags, revenue_cents, ..NewEvent::default() };
        self.done(message, done, payload);
    }
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
