//! From a body of the event API to exposures and events.
//!
//! Must not know what becomes of them. Decisions that are reported are exposures, with the id and the time of the event
//! beside them that reports them; all other events are events. Ids may be numbers; what is of another kind than belongs
//! there is as if it were not there, and counted.

use std::cell::OnceCell;
use std::collections::{BTreeMap, HashMap};
use std::sync::Arc;

use jiff::Timestamp;
use serde_json::{Map, Value};

use crate::clock::TimeMs;
use crate::datafile::Datafile;
use crate::server::slips::Slip;
use crate::server::tracking::names::event_key;
use crate::server::tracking::payload::{Mark, NewEvent, NewExposure, Payload, Person};
use crate::server::tracking::reading::{id, objects, text, whole};
use crate::server::tracking::unused::{AllUnused, Reason, Unused};
use crate::server::tracking::wanted::Wanted;
use crate::value::parse_double;

/// The key, or the type, of the event that reports decisions.
const ACTIVATED: &str = "campaign_activated";
const BOT_FILTERING: &str = "$opt_bot_filtering";

/// A body that is being read.
pub(super) struct Reading<'d> {
    datafile: Option<&'d Datafile>,
    /// Names of events that the settings know.
    mapped: &'d BTreeMap<String, String>,
    /// The keys of the attributes that the datafile declares, once one is looked for.
    declared_by_id: OnceCell<HashMap<&'d str, &'d str>>,
    unused: AllUnused,
}

/// The events that report decisions, by what they are about.
struct Reports {
    by_campaign: HashMap<String, Mark>,
    first: Mark,
}

impl<'d> Reading<'d> {
    pub(super) fn new(
        datafile: Option<&'d Datafile>,
        mapped: &'d BTreeMap<String, String>,
    ) -> Self {
        Self { datafile, mapped, declared_by_id: OnceCell::new(), unused: AllUnused::default() }
    }

    /// What is in it.
    pub(super) fn payload(mut self, body: &Map<String, Value>) -> Payload {
        let mut payload = Payload::default();
        for visitor in self.listed(body, "visitors") {
            let visitor_id = self.id(visitor, "visitor_id").unwrap_or_default();
            let attributes = self.attributes(visitor);
            let wanted = Wanted(self.datafile);
            let person = wanted.person(visitor_id, &attributes, &mut self.unused);
            for snapshot in self.listed(visitor, "snapshots") {
                self.snapshot(snapshot, &person, &mut payload);
            }
        }
        payload.unused = self.unused;
        payload
    }

    /// Decisions beside other events say what the sender would credit, which is no exposure.
    fn snapshot(
        &mut self,
        snapshot: &Map<String, Value>,
        person: &Arc<Person>,
        payload: &mut Payload,
    ) {
        let events = self.listed(snapshot, "events");
        let decisions = self.listed(snapshot, "decisions");
        if events.is_empty() {
            return self.let_go(&decisions, "a decision without the event that reports it");
        }
        let marks: Vec<Mark> = events.iter().map(|event| self.mark(event)).collect();
        let (reports, others): (Vec<_>, Vec<_>) =
            events.into_iter().zip(marks).partition(|(event, _)| is_report(event));
        if reports.is_empty() {
            self.let_go(&decisions, "a decision beside events that do not report it");
        } else {
            let reports = self.reports(&reports);
            for decision in decisions {
                let exposure = self.exposure(decision, person, &reports);
                payload.exposures.push(exposure);
            }
        }
        for (event, mark) in others {
            let event = self.event(event, mark);
            payload.events.push(NewEvent { person: Arc::clone(person), ..event });
        }
    }

    fn let_go(&mut self, decisions: &[&Map<String, Value>], what: &'static str) {
        decisions.iter().for_each(|_| self.unused.push(Unused::plain(Reason::NoName, what)));
    }

    /// By their keys; where the datafile does not know it, or only the id is said, by the key that it has for the id.
    fn attributes(&mut self, visitor: &Map<String, Value>) -> Map<String, Value> {
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
            let key = match self.text(attribute, "key") {
                Some(key) if self.is_declared(&key) => Some(key),
                key => self.declared_by_id(attribute).or(key),
            };
            match (key, attribute.get("value")) {
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

    fn is_declared(&self, key: &str) -> bool {
        self.datafile.is_some_and(|datafile| datafile.attribute_by_key(key).is_some())
    }

    fn declared_by_id(&mut self, attribute: &Map<String, Value>) -> Option<String> {
        let id = self.id(attribute, "entity_id")?;
        let declared_by_id = self.declared_by_id.get_or_init(|| {
            let declared = self.datafile.map(Datafile::attributes).unwrap_or_default();
            // Of several with one id, the first.
            declared.iter().rev().map(|one| (one.id(), one.key())).collect()
        });
        declared_by_id.get(&*id).map(|key| (*key).to_owned())
    }

    fn reports(&mut self, reports: &[(&Map<String, Value>, Mark)]) -> Reports {
        let mut by_campaign = HashMap::new();
        for (event, mark) in reports {
            if let Some(campaign) = self.id(event, "entity_id") {
                by_campaign.entry(campaign).or_insert_with(|| mark.clone());
            }
        }
        let first = reports.first().map(|(_, mark)| mark.clone()).unwrap_or_default();
        Reports { by_campaign, first }
    }

    /// A decision that names no experiment is one of a flag that no rule of it made.
    fn exposure(
        &mut self,
        decision: &Map<String, Value>,
        person: &Arc<Person>,
        reports: &Reports,
    ) -> NewExposure {
        let metadata = self.object(decision, "metadata");
        let metadata = metadata.as_ref();
        let flag_key = metadata.and_then(|metadata| self.text(metadata, "flag_key"));
        let its_own = self.id(decision, "campaign_id");
        let its_own = its_own.and_then(|campaign| reports.by_campaign.get(&campaign));
        let mark = its_own.unwrap_or(&reports.first);
        let experiment = self.id(decision, "experiment_id");
        let variation = match &experiment {
            Some(_) => self.id(decision, "variation_id"),
            None => metadata.and_then(|metadata| self.text(metadata, "variation_key")),
        };
        let decided = experiment.as_ref().or(flag_key.as_ref()).map_or("", String::as_str);
        NewExposure {
            person: Arc::clone(person),
            mark: Mark {
                // One event may report several decisions.
                id: mark.id.as_ref().map(|id| format!("{id}/{decided}")),
                time_ms: mark.time_ms,
            },
            variation: variation.unwrap_or_default(),
            experiment: experiment.unwrap_or_default(),
            flag_key,
            ..NewExposure::default()
        }
    }

    /// What somebody did.
    fn event(&mut self, event: &Map<String, Value>, mark: Mark) -> NewEvent {
        let mut tags = self.object(event, "tags").unwrap_or_default();
        for key in ["revenue", "value"] {
            if let Some(value) = event.get(key).filter(|value| !value.is_null()) {
                tags.insert(key.to_owned(), value.clone());
            }
        }
        let is_wrong = |key: &str, is_right: fn(&Value) -> bool| {
            tags.get(key).is_some_and(|value| !value.is_null() && !is_right(value))
        };
        if is_wrong("revenue", |cents| cents.as_i64().is_some()) {
            let what = "a revenue that is no whole number of cents";
            self.unused.push(Unused::plain(Reason::WrongKind, what));
        }
        if is_wrong("value", is_number) {
            self.unused.push(Unused::plain(Reason::WrongKind, "a value that is no number"));
        }
        let key = self.text(event, "key");
        // What is wrong with an id that nobody needs is no fault.
        let is_event = |known, key| event_key(known, self.mapped, key, None).is_some();
        let is_known =
            self.datafile.zip(key.as_deref()).is_some_and(|(known, key)| is_event(known, key));
        let id = if is_known { None } else { self.id(event, "entity_id") };
        let (name, or_id) = if key.is_some() { (key, id) } else { (id, None) };
        NewEvent { mark, name: name.unwrap_or_default(), or_id, tags, ..NewEvent::default() }
    }

    /// A time that cannot be read is as none.
    fn mark(&mut self, event: &Map<String, Value>) -> Mark {
        let given = event.get("timestamp").filter(|time| !time.is_null());
        let given_ms = given.and_then(whole_ms);
        let time_ms = given_ms.filter(|ms| Slip::of_time(Some(*ms)).is_none());
        if given.is_some() && time_ms.is_none() {
            let in_seconds = "a timestamp that looks like seconds, and has to be milliseconds,";
            let what = if given_ms.is_some() { in_seconds } else { "a timestamp" };
            self.unused.push(Unused::plain(Reason::BadTime, what));
        }
        Mark { id: self.id(event, "uuid"), time_ms }
    }

    /// An id: a text, or a whole number.
    fn id(&mut self, object: &Map<String, Value>, key: &'static str) -> Option<String> {
        let id = id(object, key);
        if id.is_none() && says_something(object, key) {
            self.wrong_kind("what is no id in", key);
        }
        id
    }

    fn text(&mut self, object: &Map<String, Value>, key: &'static str) -> Option<String> {
        let text = text(object, key);
        if text.is_none() && says_something(object, key) {
            self.wrong_kind("what is no text in", key);
        }
        text.map(str::to_owned)
    }

    fn object(
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
    fn listed<'a>(
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

    fn wrong_kind(&mut self, what: &str, key: &'static str) {
        self.unused.push(Unused::named(Reason::WrongKind, what, key));
    }
}

/// SDKs say by its key that an event reports decisions; the API's description says that this is its type.
fn is_report(event: &Map<String, Value>) -> bool {
    ["key", "type"].iter().any(|name| text(event, name) == Some(ACTIVATED))
}

/// SDKs put nothing, or an empty text, where a decision has nothing to say.
fn says_something(object: &Map<String, Value>, key: &str) -> bool {
    object.get(key).is_some_and(|value| !value.is_null() && value != "")
}

fn is_number(value: &Value) -> bool {
    match value {
        Value::Number(number) => number.as_f64().is_some_and(f64::is_finite),
        Value::String(text) => parse_double(text).is_some(),
        _ => false,
    }
}

/// Milliseconds, within what calendars know.
fn whole_ms(time: &Value) -> Option<TimeMs> {
    let of_float = || whole(time.as_f64().filter(|ms| ms.fract() == 0.0)?);
    time.as_i64().or_else(of_float).filter(|ms| Timestamp::from_millisecond(*ms).is_ok())
}
