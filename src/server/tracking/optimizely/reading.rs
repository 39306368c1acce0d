//! From a body of the event API to exposures and events.
//!
//! Must not know what becomes of them. Decisions that are reported are exposures, with the id and the time of the event
//! beside them that reports them; all other events are events. Ids may be numbers; what is of another kind than belongs
//! there is as if it were not there, and counted.

use std::collections::{BTreeMap, HashMap};
use std::sync::Arc;

use jiff::Timestamp;
use serde_json::{Map, Value};

use super::attributes::Declared;
use crate::clock::TimeMs;
use crate::datafile::Datafile;
use crate::server::slips::Slip;
use crate::server::tracking::names::event_key;
use crate::server::tracking::payload::{Mark, NewEvent, NewExposure, Payload, Person};
use crate::server::tracking::reading::{text, whole};
use crate::server::tracking::unused::{AllUnused, Reason, Unused};
use crate::server::tracking::wanted::Wanted;
use crate::value::parse_double;

/// The key, or the type, of the event that reports decisions.
const ACTIVATED: &str = "campaign_activated";

/// A body that is being read.
pub(super) struct Reading<'d> {
    pub(super) datafile: Option<&'d Datafile>,
    /// Names of events that the settings know.
    mapped: &'d BTreeMap<String, String>,
    pub(super) declared: Declared<'d>,
    pub(super) unused: AllUnused,
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
        Self { datafile, mapped, declared: Declared::new(datafile), unused: AllUnused::default() }
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

    /// What somebody did. What it measures stands beside its tags (SDKs say it there and among the tags): those of
    /// others may be called so and say something else.
    fn event(&mut self, event: &Map<String, Value>, mark: Mark) -> NewEvent {
        let tags = self.object(event, "tags").unwrap_or_default();
        let no_cents = "a revenue that is no whole number of cents";
        let revenue_cents = self.measured((event, &tags), "revenue", Value::as_i64, no_cents);
        let value = self.measured((event, &tags), "value", number, "a value that is no number");
        let key = self.text(event, "key");
        // What is wrong with an id that nobody needs is no fault.
        let is_event = |known, key| event_key(known, self.mapped, key, None).is_some();
        let is_known =
            self.datafile.zip(key.as_deref()).is_some_and(|(known, key)| is_event(known, key));
        let id = if is_known { None } else { self.id(event, "entity_id") };
        let (name, or_id) = if key.is_some() { (key, id) } else { (id, None) };
        NewEvent {
            mark,
            name: name.unwrap_or_default(),
            or_id,
            tags,
            has_plain_tags: true,
            revenue_cents,
            value,
            ..NewEvent::default()
        }
    }

    fn measured<T>(
        &mut self,
        (event, tags): (&Map<String, Value>, &Map<String, Value>),
        key: &str,
        read: fn(&Value) -> Option<T>,
        no_such: &'static str,
    ) -> Option<T> {
        let given = |members: &Map<String, Value>| {
            members.get(key).filter(|value| !value.is_null()).map(read)
        };
        // What is no such number SDKs leave out beside the tags, so that it stands among these alone.
        if given(event).or_else(|| given(tags)).is_some_and(|read| read.is_none()) {
            self.unused.push(Unused::plain(Reason::WrongKind, no_such));
        }
        given(event).flatten()
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
}

/// SDKs say by its key that an event reports decisions (optimizely-sdk 5.7.0 of Python, @optimizely/optimizely-sdk
/// 6.6.1); the page "Get started" of the Event API's documents says that it is one of this type.
fn is_report(event: &Map<String, Value>) -> bool {
    ["key", "type"].iter().any(|name| text(event, name) == Some(ACTIVATED))
}

/// A finite number, or text that is one.
fn number(value: &Value) -> Option<f64> {
    match value {
        Value::Number(number) => number.as_f64().filter(|number| number.is_finite()),
        Value::String(text) => parse_double(text),
        _ => None,
    }
}

/// Milliseconds, within what calendars know.
fn whole_ms(time: &Value) -> Option<TimeMs> {
    let of_float = || whole(time.as_f64().filter(|ms| ms.fract() == 0.0)?);
    time.as_i64().or_else(of_float).filter(|ms| Timestamp::from_millisecond(*ms).is_ok())
}
