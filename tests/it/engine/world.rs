//! A small datafile whose answers are known, and a client of it whose records can be looked at.

use std::sync::Arc;
use std::time::Duration;

use serde_json::{Value, json};
use variate::attribution::{ConversionRecord, ImpressionRecord, Record};
use variate::client::ClientBuilder;
use variate::clock::Clock;
use variate::datafile::Datafile;
use variate::store::{MemoryLimits, MemoryStore, Outbox as _};
use variate::{Client, Decision};

pub(super) const NOW_MS: i64 = 1_800_000_000_000;

/// Experiments `x` (everyone gets `a`, `tester` gets `b`), `stopped` and the bandit `bandit`; flags
/// `plain` (with `x`), `offer` (with `bandit`, then a rollout) and `off` (with nothing).
pub(super) fn datafile() -> Datafile {
    let variation = |id: &str, key: &str, color: &str| json!({"id": id, "key": key, "featureEnabled": true, "variables": [{"id": "51", "value": color}]});
    let mut x = rule("10", "x", &[variation("101", "a", "red"), variation("102", "b", "blue")]);
    x["forcedVariations"] = json!({"tester": "b"});
    let mut stopped = rule("11", "stopped", &[variation("111", "a", "red")]);
    stopped["status"] = "Paused".into();
    let arms = [variation("121", "first", "red"), variation("122", "second", "blue")];
    let mut bandit = rule("12", "bandit", &arms);
    bandit["type"] = "cmab".into();
    bandit["cmab"] = json!({"attributeIds": ["41"], "trafficAllocation": 10_000});
    let everyone = rule("21", "everyone", &[variation("211", "rest", "red")]);
    let text = json!({
        "version": "4", "accountId": "1", "projectId": "2", "revision": "3", "sendFlagDecisions": true,
        "attributes": [{"id": "41", "key": "plan"}, {"id": "42", "key": "country"}],
        "experiments": [x, stopped, bandit],
        "events": [
            {"id": "71", "key": "buy", "experimentIds": ["10"]},
            {"id": "72", "key": "look", "experimentIds": []},
            {"id": "73", "key": "leave", "experimentIds": ["11"]},
        ],
        "featureFlags": [
            {"id": "61", "key": "plain", "rolloutId": "", "experimentIds": ["10"],
             "variables": [{"id": "51", "key": "color", "type": "string", "defaultValue": "grey"}]},
            {"id": "62", "key": "offer", "rolloutId": "31", "experimentIds": ["12"], "variables": []},
            {"id": "63", "key": "off", "rolloutId": "", "experimentIds": [], "variables": []},
        ],
        "rollouts": [{"id": "31", "experiments": [everyone]}],
    });
    let compiled = Datafile::compile(text.to_string().as_bytes()).unwrap();
    assert!(compiled.findings.is_empty(), "{:?}", compiled.findings);
    compiled.datafile
}

/// A rule whose traffic all goes to the first of its variations.
pub(super) fn rule(id: &str, key: &str, variations: &[Value]) -> Value {
    json!({
        "id": id, "key": key, "status": "Running", "layerId": format!("{id}9"), "audienceIds": [],
        "forcedVariations": {}, "variations": variations,
        "trafficAllocation": [{"entityId": variations[0]["id"], "endOfRange": 10_000}],
    })
}

/// A client whose clock stands still and whose records are kept.
pub(super) struct World {
    pub(super) client: Client,
    store: Arc<MemoryStore>,
}

impl World {
    pub(super) fn new() -> Self {
        Self::with(|builder| builder.datafile(datafile()))
    }

    pub(super) fn with(set_up: impl FnOnce(ClientBuilder) -> ClientBuilder) -> Self {
        let clock = Arc::new(Clock::manual(NOW_MS));
        let store = Arc::new(MemoryStore::new(clock, MemoryLimits::default()));
        let builder = Client::builder().store(store.clone()).environment("shop");
        Self { client: set_up(builder).build().unwrap(), store }
    }

    pub(super) fn records(&self) -> Vec<Arc<Record>> {
        let waiting = self.store.outbox(0, usize::MAX, Duration::ZERO).unwrap();
        waiting.into_iter().map(|(_, record)| record).collect()
    }

    /// The only record, which is an impression.
    pub(super) fn impression(&self) -> ImpressionRecord {
        match self.records().as_slice() {
            [record] => match &**record {
                Record::Impression(record) => record.clone(),
                other => panic!("{other:?}"),
            },
            other => panic!("{} records", other.len()),
        }
    }

    /// The last record, which is a conversion.
    pub(super) fn last_conversion(&self) -> ConversionRecord {
        match self.records().last().map(|record| &**record) {
            Some(Record::Conversion(record)) => record.clone(),
            other => panic!("{other:?}"),
        }
    }
}

/// A decision in short: `variation rule on color`, with `-` for what there is not.
pub(super) fn brief(decision: &Decision) -> String {
    let text = |key: &Option<String>| key.clone().unwrap_or_else(|| "-".to_owned());
    let state = match (decision.is_error, decision.enabled) {
        (true, _) => "error",
        (false, true) => "on",
        (false, false) => "off",
    };
    let color = match decision.variables.get("color") {
        Some(variate::value::VariableValue::String(color)) => color,
        _ => "-",
    };
    format!("{} {} {state} {color}", text(&decision.variation_key), text(&decision.rule_key))
}
