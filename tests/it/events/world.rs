//! A small world to report: a datafile, and what happens in it.

use std::sync::{Arc, LazyLock};
use std::time::Duration;

use serde_json::{Value, json};
use variate::attribution::{
    Attributes, Envelope, Event, Impression, ImpressionSource, Origin, Record, RecordedAttribute,
    Rules,
};
use variate::clock::Clock;
use variate::datafile::Datafile;
use variate::events::{Delivery, DeliverySettings, Sink};
use variate::store::{MemoryLimits, MemoryStore, Outbox as _, Store as _};
use variate::value::{AttributeValue, RecordedValue};

/// Long enough for anything that works, and short enough to see what does not.
pub(super) const LONG: Duration = Duration::from_secs(20);
pub(super) const SHORT: Duration = Duration::from_millis(30);

/// Whether a condition becomes true within a long time.
pub(super) fn comes_true(condition: impl Fn() -> bool) -> bool {
    let pause = Duration::from_millis(5);
    (0..LONG.as_millis() / pause.as_millis()).any(|_| {
        std::thread::sleep(pause);
        condition()
    })
}

/// Two experiments, tied to `buy`; a flag on one of them, one on a rollout, one on nothing; a holdout.
pub(super) fn datafile_json() -> Value {
    json!({
        "version": "4", "accountId": "12001", "projectId": "111001", "revision": "42",
        "anonymizeIP": true, "botFiltering": false, "sendFlagDecisions": true,
        "attributes": [
            {"id": "41", "key": "country"}, {"id": "42", "key": "age"}, {"id": "43", "key": "zip"},
        ],
        "audiences": [],
        "events": [
            {"id": "61", "key": "buy", "experimentIds": ["7401", "7402"]},
            {"id": "62", "key": "free", "experimentIds": []},
        ],
        "featureFlags": [
            {"id": "1", "key": "flag", "rolloutId": "", "experimentIds": ["7402"], "variables": []},
            {"id": "2", "key": "rolled", "rolloutId": "r", "experimentIds": [], "variables": []},
            {"id": "3", "key": "empty", "rolloutId": "", "experimentIds": [], "variables": []},
        ],
        "rollouts": [{"id": "r", "experiments": [rule("8001", "everyone", "r", &[("rest", "on", true)])]}],
        "experiments": [
            rule("7401", "plain", "37401", &[("74011", "in", true), ("74012", "out", true)]),
            rule("7402", "second", "", &[("74021", "on", true), ("v-2", "off", false)]),
        ],
        "holdouts": [rule("900", "held", "", &[("h-1", "out", false)])],
        "groups": [],
    })
}

fn rule(id: &str, key: &str, layer_id: &str, variations: &[(&str, &str, bool)]) -> Value {
    let variation = |(id, key, enabled): &(&str, &str, bool)| json!({"id": id, "key": key, "featureEnabled": enabled});
    json!({
        "id": id, "key": key, "layerId": layer_id, "status": "Running", "audienceIds": [],
        "forcedVariations": {}, "variations": variations.iter().map(variation).collect::<Vec<_>>(),
        "trafficAllocation": [{"entityId": variations[0].0, "endOfRange": 10000}],
    })
}

static DATAFILE: LazyLock<Arc<Datafile>> = LazyLock::new(|| compile(&datafile_json()));

pub(super) fn compile(datafile: &Value) -> Arc<Datafile> {
    Arc::new(Datafile::compile(datafile.to_string().as_bytes()).unwrap().datafile)
}

/// A store at 1000 by a clock that stands still, and one datafile.
pub(super) struct World {
    pub(super) clock: Arc<Clock>,
    pub(super) store: Arc<MemoryStore>,
    pub(super) rules: Rules,
    pub(super) datafile: Arc<Datafile>,
}

pub(super) fn world() -> World {
    let clock = Arc::new(Clock::manual(1000));
    let store = Arc::new(MemoryStore::new(clock.clone(), MemoryLimits::default()));
    let rules = Rules { late_window_ms: 10_000, ..Rules::default() };
    World { clock, store, rules, datafile: DATAFILE.clone() }
}

/// What was decided: flag, rule and `rule:variation`, by key; empty where there is none.
#[derive(Debug, Clone, Copy, Default)]
pub(super) struct Decided<'a> {
    pub(super) flag: &'a str,
    pub(super) rule: &'a str,
    pub(super) variation: &'a str,
}

/// The attributes that callers give, by key, as the datafile of this world lets them through.
pub(super) fn attributes(given: &[(&str, AttributeValue<'_>)]) -> Attributes {
    let recorded = |&(key, value): &(&str, AttributeValue<'_>)| {
        let entity_id = match key {
            "country" => "41",
            "age" => "42",
            "zip" => "43",
            reserved => reserved,
        };
        let value: RecordedValue = value.to_recorded().unwrap();
        RecordedAttribute { entity_id: entity_id.into(), key: key.into(), value }
    };
    given.iter().map(recorded).collect()
}

impl World {
    pub(super) fn envelope(&self, id: Option<&str>, time_ms: i64) -> Envelope {
        Envelope {
            id: id.map(Into::into),
            origin: Origin::Library,
            user_id: "u".into(),
            time_ms: Some(time_ms),
            datafile: self.datafile.clone(),
        }
    }

    /// An impression at 900, without attributes.
    pub(super) fn impression(&self, source: ImpressionSource, decided: Decided<'_>) -> Impression {
        let index = |key: &str| {
            let rule = self.datafile.rules().iter().find(|rule| rule.key() == key)?;
            self.datafile.rule_index(rule.id())
        };
        let variation = decided.variation.split_once(':').map(|(rule, key)| {
            let rule = index(rule).unwrap();
            let id = self.datafile.rule(rule).unwrap().variation_by_key(key).unwrap().id();
            (rule, self.datafile.rule(rule).unwrap().variation_index(id).unwrap())
        });
        let shown = variation.and_then(|(rule, at)| self.datafile.rule(rule)?.variation(at));
        let is_experiment = source == ImpressionSource::Experiment;
        Impression {
            envelope: self.envelope(None, 900),
            flag: self.datafile.flag_index(decided.flag),
            rule: index(decided.rule),
            variation,
            source,
            is_enabled: is_experiment || shown.is_some_and(|shown| shown.is_feature_enabled()),
            is_forced: false,
            attributes: Attributes::default(),
            prediction_id: None,
        }
    }

    /// An event at 950, without anything.
    pub(super) fn event(&self, key: &str) -> Event {
        Event {
            envelope: self.envelope(None, 950),
            event: self.datafile.event_index(key).unwrap(),
            attributes: None,
            tags: None,
            revenue_cents: None,
            value: None,
            count: None,
            duration_seconds: None,
        }
    }

    /// Gives the records that the impression made.
    pub(super) fn show(&self, impression: Impression) -> Vec<Arc<Record>> {
        let before = self.store.latest();
        self.store
            .record_impression("shop", &self.rules, &(&impression).into())
            .receipt
            .wait()
            .unwrap();
        self.records_after(before)
    }

    /// Gives the record that the event made.
    pub(super) fn track(&self, event: Event) -> Arc<Record> {
        let before = self.store.latest();
        self.store.record_event("shop", &self.rules, event).receipt.wait().unwrap();
        self.records_after(before).remove(0)
    }

    /// An activation of the experiment `plain`.
    pub(super) fn activate(&self, variation: &str, time_ms: i64) -> Vec<Arc<Record>> {
        let variation = format!("plain:{variation}");
        let decided = Decided { rule: "plain", variation: &variation, ..Decided::default() };
        let mut impression = self.impression(ImpressionSource::Experiment, decided);
        impression.envelope = self.envelope(None, time_ms);
        self.show(impression)
    }

    /// Events without credits, with the ids `e-` and their sequence numbers.
    pub(super) fn track_many(&self, count: usize) {
        for _ in 0..count {
            let mut event = self.event("buy");
            event.envelope = self.envelope(Some(&format!("e-{}", self.store.latest() + 1)), 950);
            self.store.record_event("shop", &self.rules, event).receipt.wait().unwrap();
        }
    }

    /// Delivers by the clock of this world.
    pub(super) fn deliver(&self, sinks: Vec<Box<dyn Sink>>) -> Delivery {
        let settings = DeliverySettings { clock: self.clock.clone(), ..Default::default() };
        Delivery::start_with(self.store.clone(), sinks, settings).unwrap()
    }

    /// How many records wait for sinks.
    pub(super) fn waiting(&self) -> u64 {
        self.store.statistics().waiting_records
    }

    fn records_after(&self, sequence: u64) -> Vec<Arc<Record>> {
        let records = self.store.outbox(sequence, usize::MAX, Duration::ZERO).unwrap();
        records.into_iter().map(|(_, record)| record).collect()
    }
}
