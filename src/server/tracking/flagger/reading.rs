//! From a client's report to exposures and events.
//!
//! Must not know what becomes of them.

use std::collections::HashMap;
use std::collections::hash_map::Entry;
use std::sync::Arc;

use axum::body::Bytes;
use serde_json::{Map, Value};
use sha2::{Digest as _, Sha256};

use super::{OFF, USER};
use crate::datafile::{Datafile, Rule};
use crate::server::tracking::payload::{Mark, NewEvent, NewExposure, Payload, Person};
use crate::server::tracking::reading::{id, objects, text};
use crate::server::tracking::times::{WholeSecond, time_ms};
use crate::server::tracking::unused::{AllUnused, Reason, Unused};
use crate::server::tracking::wanted::Wanted;

/// A request that is being read.
pub(super) struct Reading<'a> {
    datafile: &'a Datafile,
    /// The attributes that the datafile declares, as clients write them: in small letters.
    declared: HashMap<String, &'a str>,
    /// What clients say of entities once, by type and id.
    entities: HashMap<(&'a str, String), Arc<Person>>,
    /// The client's id of the request, which is the same when it is sent again.
    id: Option<&'a str>,
    body: &'a Bytes,
    unused: AllUnused,
}

impl<'a> Reading<'a> {
    pub(super) fn new(
        said: &'a Map<String, Value>,
        body: &'a Bytes,
        datafile: &'a Datafile,
    ) -> Self {
        let declared = datafile.attributes().iter().map(|declared| declared.key());
        let mut reading = Self {
            datafile,
            declared: declared.map(|key| (key.to_lowercase(), key)).collect(),
            entities: HashMap::new(),
            id: text(said, "id"),
            body,
            unused: AllUnused::default(),
        };
        for entity in reading.listed(said, "entities") {
            reading.look_at(entity);
            let Some((kind, id)) = name_of(entity) else { continue };
            let shared = Arc::new(reading.attributes(entity));
            let person = Person { id: user_id(kind, &id), shared, ..Person::default() };
            reading.entities.insert((kind, id), Arc::new(person));
        }
        reading
    }

    /// What is in it.
    pub(super) fn payload(mut self, said: &'a Map<String, Value>) -> Payload {
        let mut payload = Payload::default();
        let base = self.base();
        for (place, shown) in self.listed(said, "exposures").into_iter().enumerate() {
            let mark = self.mark(&base, ("exposure", place), (shown, WholeSecond::Begin));
            self.look_at_entity(shown);
            match self.exposure(shown, mark) {
                Ok(exposure) => payload.exposures.extend(exposure),
                Err(unused) => self.unused.push(unused),
            }
        }
        for (place, event) in self.listed(said, "events").into_iter().enumerate() {
            let mark = self.mark(&base, ("event", place), (event, WholeSecond::End));
            self.look_at_entity(event);
            payload.events.push(self.event(event, mark));
        }
        self.look_at_detected(said);
        payload.unused = self.unused;
        payload
    }

    /// What ids of parts begin with: without the client's own, the body itself is what is repeated.
    fn base(&self) -> String {
        match self.id {
            Some(id) => id.to_owned(),
            None => Sha256::digest(self.body).iter().map(|byte| format!("{byte:02x}")).collect(),
        }
    }

    /// A time that cannot be read is as none.
    fn mark(
        &mut self,
        base: &str,
        (kind, place): (&str, usize),
        (part, whole_second): (&Map<String, Value>, WholeSecond),
    ) -> Mark {
        let given = part.get("timestamp").filter(|time| !time.is_null());
        let time_ms = given.and_then(|time| time_ms(time, whole_second));
        if let (Some(given), None) = (given, time_ms) {
            let unused = Unused::named(Reason::BadTime, "the time", &given.to_string());
            self.unused.push(unused);
        }
        // The same body without an id and without a time may well be something new.
        let is_known_again = self.id.is_some() || time_ms.is_some();
        let id = is_known_again.then(|| format!("{base}/{kind}/{place}"));
        Mark { id, time_ms }
    }

    /// `None` where nothing was shown, and nobody wants to hear of that.
    fn exposure(
        &mut self,
        shown: &'a Map<String, Value>,
        mark: Mark,
    ) -> Result<Option<NewExposure>, Unused> {
        let codename = text(shown, "codename").unwrap_or_default();
        if codename.is_empty() {
            return Err(Unused::plain(Reason::NoName, "an exposure without a codename"));
        }
        let variation = text(shown, "variation").unwrap_or_default();
        let exposure = NewExposure {
            person: self.person(shown),
            mark,
            experiment: codename.to_owned(),
            variation: variation.to_owned(),
            ..NewExposure::default()
        };
        let flag = self.datafile.flag_by_key(codename);
        if variation == OFF {
            if !self.knows(codename) {
                return Err(Unused::named(Reason::UnknownExperiment, "an exposure to", codename));
            }
            let is_reported = flag.is_some() && self.datafile.sends_flag_decisions();
            return Ok(is_reported.then(|| NewExposure {
                experiment: String::new(),
                variation: String::new(),
                flag_key: Some(codename.to_owned()),
                ..exposure
            }));
        }
        // What decided, if the client has its configuration from here.
        let decided = text(shown, "hashkey").and_then(|id| self.datafile.rule_by_id(id));
        let Some(rule) = decided.filter(|rule| has_variation(rule, variation)) else {
            return Ok(Some(exposure));
        };
        let flag_key = flag.map(|flag| flag.key().to_owned());
        Ok(Some(NewExposure { experiment: rule.id().to_owned(), flag_key, ..exposure }))
    }

    /// Clients in Go call the properties otherwise, and send no time.
    fn event(&mut self, event: &'a Map<String, Value>, mark: Mark) -> NewEvent {
        let named = |key| event.get(key).filter(|properties| !properties.is_null());
        let tags = match named("properties").or_else(|| named("eventProperties")) {
            None => Map::new(),
            Some(Value::Object(properties)) => properties.clone(),
            Some(_) => {
                let what = "what is no object in";
                self.unused.push(Unused::named(Reason::WrongKind, what, "properties"));
                Map::new()
            }
        };
        let name = text(event, "name").unwrap_or_default().to_owned();
        NewEvent { person: self.person(event), mark, name, tags, ..NewEvent::default() }
    }

    /// Whom a part is about. What it says of an entity itself counts above what the request says of it once.
    fn person(&mut self, part: &'a Map<String, Value>) -> Arc<Person> {
        let entity = part.get("entity").and_then(Value::as_object);
        let Some((entity, (kind, id))) = entity.and_then(|entity| Some((entity, name_of(entity)?)))
        else {
            return Arc::default();
        };
        let own = self.attributes(entity);
        let person = match self.entities.entry((kind, id)) {
            Entry::Occupied(known) => Arc::clone(known.get()),
            Entry::Vacant(vacant) => {
                let (kind, id) = vacant.key();
                let person = Arc::new(Person { id: user_id(kind, id), ..Person::default() });
                Arc::clone(vacant.insert(person))
            }
        };
        if own.iter().all(|(key, value)| person.shared.get(key) == Some(value)) {
            return person;
        }
        Arc::new(Person { id: person.id.clone(), shared: Arc::clone(&person.shared), own })
    }

    /// The attributes of an entity, as the datafile calls them.
    fn attributes(&mut self, entity: &Map<String, Value>) -> Map<String, Value> {
        let given = entity.get("attributes").and_then(Value::as_object);
        let given = given.into_iter().flatten().chain(entity.get_key_value("name"));
        let named = given.map(|(key, value)| (self.declared(key).to_owned(), value.clone()));
        let named: Map<_, _> = named.collect();
        Wanted(Some(self.datafile)).kept(&named, &mut self.unused)
    }

    /// The attribute that is meant.
    fn declared<'k>(&'k self, key: &'k str) -> &'k str {
        if self.datafile.attribute_by_key(key).is_some() {
            return key;
        }
        self.declared.get(key).copied().unwrap_or(key)
    }

    fn knows(&self, codename: &str) -> bool {
        self.datafile.flag_by_key(codename).is_some()
            || self.datafile.experiment_by_key(codename).is_some()
            || self.datafile.rule_by_id(codename).is_some()
    }

    fn look_at_entity(&mut self, part: &Map<String, Value>) {
        part.get("entity").and_then(Value::as_object).into_iter().for_each(|one| self.look_at(one));
    }

    /// Attributes that are none.
    fn look_at(&mut self, entity: &Map<String, Value>) {
        let given = entity.get("attributes").filter(|given| !given.is_null());
        if given.is_some_and(|given| !given.is_object()) {
            let unused = Unused::named(Reason::WrongKind, "what is no object in", "attributes");
            self.unused.push(unused);
        }
    }

    /// Flags that a client was asked for and does not know.
    fn look_at_detected(&mut self, said: &Map<String, Value>) {
        let detected = match said.get("detectedFlags") {
            None | Some(Value::Null) => return,
            Some(Value::Array(detected)) => detected.as_slice(),
            Some(other) => std::slice::from_ref(other),
        };
        for codename in detected {
            let Some(codename) = codename.as_str() else {
                let what = "what is no text in";
                self.unused.push(Unused::named(Reason::WrongKind, what, "detectedFlags"));
                continue;
            };
            if !self.knows(codename) {
                let unused =
                    Unused::named(Reason::UnknownExperiment, "the detected flag", codename);
                self.unused.push(unused);
            }
        }
    }

    /// The objects of a list; what else is in it is of no use.
    fn listed<'l>(
        &mut self,
        said: &'l Map<String, Value>,
        key: &str,
    ) -> Vec<&'l Map<String, Value>> {
        let (objects, is_mixed) = objects(said, key);
        if is_mixed {
            self.unused.push(Unused::named(Reason::WrongKind, "what is no object in", key));
        }
        objects
    }
}

/// An entity's type and id; `None` where it has no id.
fn name_of(entity: &Map<String, Value>) -> Option<(&str, String)> {
    let kind = text(entity, "type").unwrap_or(USER);
    let kind = if kind.eq_ignore_ascii_case(USER) { USER } else { kind };
    Some((kind, id(entity, "id")?))
}

/// Users are known by their ids, what else there is by its type and id.
fn user_id(kind: &str, id: &str) -> String {
    if kind == USER { id.to_owned() } else { format!("{kind}:{id}") }
}

fn has_variation(rule: &Rule, name: &str) -> bool {
    rule.variation_by_id(name).or_else(|| rule.variation_by_key(name)).is_some()
}
