//! A small world to attribute in: two datafiles, ways to activate and track, and how readers fold.

use std::collections::BTreeMap;
use std::sync::{Arc, LazyLock};
use std::time::Duration;

use variate::attribution::{
    Attributes, Credit, Envelope, Event, EventOutcome, Impression, ImpressionOutcome,
    ImpressionSource, MergeOutcome, NewMerge, Origin, Record, RecordedAttribute, Rules,
};
use variate::clock::Clock;
use variate::datafile::Datafile;
use variate::store::{MemoryLimits, MemoryStore, Recorded, Store};
use variate::value::RecordedValue;

/// Experiments 10 to 13 and holdouts 20 and 21; each has the variations 7 and 9, so that 10's are in
/// byte order, and `107` is not a number before `9`.
pub(super) const EXPERIMENTS: [&str; 6] = ["10", "11", "12", "13", "20", "21"];
pub(super) const VARIATIONS: [&str; 2] = ["107", "9"];
pub(super) const EVENTS: [&str; 5] = ["buy", "look", "stopped", "free", "both"];

/// What is tied to [`EVENTS`] and what is running, by datafile: written once more, for the model.
pub(super) struct Plan {
    pub(super) revision: &'static str,
    pub(super) ties: [&'static [&'static str]; 5],
    pub(super) running: &'static [&'static str],
    pub(super) running_holdouts: &'static [&'static str],
}

pub(super) const PLANS: [Plan; 3] = [
    Plan {
        revision: "0",
        ties: [&["10"], &["10", "11", "13"], &["13"], &[], &["11", "20"]],
        running: &["10", "11", "12", "20"],
        running_holdouts: &["20"],
    },
    Plan {
        revision: "1",
        ties: [&["10", "12"], &["12"], &["13", "10"], &["11"], &["21"]],
        running: &["11", "12", "13"],
        running_holdouts: &[],
    },
    Plan {
        revision: "2",
        ties: [&["11"], &["10"], &["13"], &[], &["10", "11", "12", "13"]],
        running: &["10", "21", "20"],
        running_holdouts: &["20", "21"],
    },
];

/// The datafiles of [`PLANS`].
pub(super) static DATAFILES: LazyLock<[Arc<Datafile>; 3]> =
    LazyLock::new(|| PLANS.each_ref().map(datafile));

/// Every event is tied to the rollout rule 30 as well, which the model need not know: it means nothing.
fn with_rollout<'a>(ids: &[&'a str]) -> Vec<&'a str> {
    ids.iter().copied().chain(["30"]).collect()
}

fn datafile(plan: &Plan) -> Arc<Datafile> {
    let rule = |id: &&str| {
        let status = if plan.running.contains(id) { "Running" } else { "Paused" };
        let variations = VARIATIONS
            .map(|variation| serde_json::json!({"id": variation, "key": format!("v{variation}")}));
        serde_json::json!({
            "id": id, "key": format!("x{id}"), "layerId": format!("c{id}"), "status": status, "audienceIds": [],
            "variations": variations, "trafficAllocation": [], "forcedVariations": {},
        })
    };
    let events = EVENTS.iter().zip(plan.ties).enumerate();
    let text = serde_json::json!({
        "version": "4", "accountId": "1", "projectId": "2", "revision": plan.revision, "attributes": [], "audiences": [],
        "featureFlags": [], "groups": [],
        "rollouts": [{"id": "r", "experiments": [rule(&"30")]}],
        "experiments": EXPERIMENTS[..4].iter().map(rule).collect::<Vec<_>>(),
        "holdouts": EXPERIMENTS[4..].iter().map(rule).collect::<Vec<_>>(),
        "events": events
            .map(|(at, (key, ids))| serde_json::json!({"id": format!("{at}"), "key": key, "experimentIds": with_rollout(ids)}))
            .collect::<Vec<_>>(),
    });
    let compiled = Datafile::compile(text.to_string().as_bytes()).unwrap();
    Arc::new(compiled.datafile)
}

/// Who, when, by which id and in which datafile (of [`DATAFILES`]).
#[derive(Debug, Clone, Default)]
pub(super) struct Given {
    pub(super) environment: &'static str,
    pub(super) user: String,
    pub(super) id: Option<String>,
    pub(super) time_ms: Option<i64>,
    pub(super) datafile: usize,
    pub(super) attributes: Option<&'static str>,
}

/// The user `u` in the environment `shop`, now, without an id.
pub(super) fn given() -> Given {
    Given { environment: "shop", user: "u".into(), ..Given::default() }
}

impl Given {
    pub(super) fn at(self, time_ms: i64) -> Self {
        Self { time_ms: Some(time_ms), ..self }
    }

    pub(super) fn id(self, id: &str) -> Self {
        Self { id: Some(id.into()), ..self }
    }

    pub(super) fn user(self, user: &str) -> Self {
        Self { user: user.into(), ..self }
    }

    pub(super) fn attributes(self, text: &'static str) -> Self {
        Self { attributes: Some(text), ..self }
    }

    pub(super) fn datafile(self, datafile: usize) -> Self {
        Self { datafile, ..self }
    }

    fn envelope(&self) -> Envelope {
        Envelope {
            id: self.id.as_deref().map(Into::into),
            origin: Origin::Library,
            user_id: self.user.as_str().into(),
            time_ms: self.time_ms,
            datafile: DATAFILES[self.datafile].clone(),
        }
    }

    fn recorded_attributes(&self) -> Option<Attributes> {
        let text = self.attributes?;
        let value = RecordedValue::String(text.into());
        Some(vec![RecordedAttribute { entity_id: "1".into(), key: "device".into(), value }].into())
    }
}

/// A store and the rules of all its environments.
pub(super) struct World {
    pub(super) store: Arc<dyn Store>,
    pub(super) clock: Arc<Clock>,
    pub(super) rules: Rules,
}

pub(super) type MakeStore<'a> = &'a dyn Fn(Arc<Clock>) -> Box<dyn Store>;

pub(super) fn memory(clock: Arc<Clock>) -> Box<dyn Store> {
    Box::new(MemoryStore::new(clock, MemoryLimits::default()))
}

/// It is 1000 by a clock that is moved by hand.
pub(super) fn world(make: MakeStore<'_>, rules: Rules) -> World {
    let clock = Arc::new(Clock::manual(1000));
    World { store: make(clock.clone()).into(), clock, rules }
}

impl World {
    pub(super) fn try_activate(
        &self,
        given: &Given,
        experiment: &str,
        variation: &str,
    ) -> Recorded<ImpressionOutcome> {
        let datafile = &DATAFILES[given.datafile];
        let rule = datafile.rule_index(experiment).unwrap();
        let variation = datafile.rule(rule).unwrap().variation_index(variation).unwrap();
        let impression = Impression {
            envelope: given.envelope(),
            flag: None,
            rule: Some(rule),
            variation: Some((rule, variation)),
            source: ImpressionSource::Experiment,
            is_enabled: true,
            is_forced: false,
            attributes: given.recorded_attributes().unwrap_or_default(),
            prediction_id: None,
        };
        self.store.record_impression(given.environment, &self.rules, &(&impression).into())
    }

    pub(super) fn try_track(&self, given: &Given, event: &str) -> Recorded<EventOutcome> {
        let event = Event {
            envelope: given.envelope(),
            event: DATAFILES[given.datafile].event_index(event).unwrap(),
            attributes: given.recorded_attributes(),
            tags: None,
            revenue_cents: None,
            value: None,
            count: None,
            duration_seconds: None,
        };
        self.store.record_event(given.environment, &self.rules, event)
    }

    pub(super) fn activate(
        &self,
        given: &Given,
        experiment: &str,
        variation: &str,
    ) -> ImpressionOutcome {
        let recorded = self.try_activate(given, experiment, variation);
        recorded.receipt.wait().unwrap();
        recorded.outcome
    }

    pub(super) fn track(&self, given: &Given, event: &str) -> EventOutcome {
        let recorded = self.try_track(given, event);
        recorded.receipt.wait().unwrap();
        recorded.outcome
    }

    pub(super) fn try_merge(
        &self,
        id: Option<&str>,
        environment: &str,
        from_user_id: &str,
        into_user_id: &str,
    ) -> Recorded<MergeOutcome> {
        let merge = NewMerge { id, origin: Origin::Library, from_user_id, into_user_id };
        self.store.merge(environment, &self.rules, &merge)
    }

    /// Merges the first user into the second one.
    pub(super) fn merge(&self, environment: &str, from: &str, into: &str) -> MergeOutcome {
        let recorded = self.try_merge(None, environment, from, into);
        recorded.receipt.wait().unwrap();
        recorded.outcome
    }

    pub(super) fn records(&self) -> Vec<(u64, Arc<Record>)> {
        let mut records = Vec::new();
        loop {
            let after = records.last().map_or(0, |(number, _)| *number);
            let page = self.store.outbox(after, usize::MAX, Duration::ZERO).unwrap();
            if page.is_empty() {
                return records;
            }
            records.extend(page);
        }
    }
}

/// What readers see after folding: by event and experiment the variation and the time of activation.
pub(crate) type Folded = BTreeMap<(String, String), (String, i64)>;

/// Folds credits by id, as a reader of records would.
pub(super) fn fold<'a>(credits: impl IntoIterator<Item = (String, &'a Credit)>) -> Folded {
    let mut latest = BTreeMap::new();
    for (event_id, credit) in credits {
        let before = latest.insert(credit.id, (event_id, credit));
        assert_eq!(
            before.is_some(),
            credit.replaces,
            "a credit replaces one iff there is one: {credit:?}"
        );
    }
    let standing = latest.into_values().filter(|(_, credit)| !credit.withdrawn);
    let folded = standing.map(|(event_id, Credit { experiment, activated_at_ms, .. })| {
        let what = (experiment.variation_id.to_string(), *activated_at_ms);
        ((event_id, experiment.experiment_id.to_string()), what)
    });
    folded.collect()
}

/// The same of all conversions among records.
pub(super) fn fold_records(records: &[(u64, Arc<Record>)]) -> Folded {
    fold(records.iter().flat_map(|(_, record)| {
        match &**record {
            Record::Conversion(record) => record
                .credits
                .iter()
                .map(|credit| (record.event.about.id.to_string(), credit))
                .collect(),
            _ => Vec::new(),
        }
    }))
}

/// Credits in words: `10:9@5`, with `~` for one that replaces, `=` if only its time, `-` if withdrawn.
pub(super) fn words(credits: &[Credit]) -> String {
    let word = |credit: &Credit| {
        let Credit { experiment, activated_at_ms, replaces, redated, withdrawn, .. } = credit;
        let marks = [(*replaces, "~"), (*redated, "="), (*withdrawn, "-")];
        let marks: String =
            marks.iter().filter(|(is_set, _)| *is_set).map(|(_, mark)| *mark).collect();
        format!("{marks}{}:{}@{activated_at_ms}", experiment.experiment_id, experiment.variation_id)
    };
    credits.iter().map(word).collect::<Vec<_>>().join(" ")
}
