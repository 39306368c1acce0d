//! A datafile with a flag for each kind of value, reason and fault, and a daemon that has it.
//!
//! Must not know what is asked.

use serde_json::{Value, json};
use tempfile::TempDir;
use variate::settings::Given;

use crate::server::http::{Answer, Request, ask};
use crate::server::{Daemon, put, wait_for};

pub(super) const ONE: &str = "/ofrep/v1/evaluate/flags/";
pub(super) const ALL: &str = "/ofrep/v1/evaluate/flags";
pub(super) const KEY: &str = "OfrepTests";
const SWEDES: &str = "18201";

/// A daemon with the scene's datafile.
pub(super) struct Scene {
    pub(super) daemon: Daemon,
    folder: TempDir,
}

impl Scene {
    pub(super) fn new() -> Self {
        Self::with(|_| {})
    }

    pub(super) fn with(change: impl FnOnce(&mut Given)) -> Self {
        let folder = tempfile::tempdir().unwrap();
        let daemon = Daemon::following(&folder, &datafile("1"), change);
        Self { daemon, folder }
    }

    /// Puts another datafile in the place of the one in force.
    pub(super) fn swap(&self, datafile: &Value) {
        put(&self.folder, datafile);
    }

    pub(super) fn post(&self, path: &str, body: &str) -> Answer {
        self.daemon.ask(&format!("POST {path}"), body)
    }

    pub(super) fn post_with(&self, path: &str, body: &str, headers: &[(&str, &str)]) -> Answer {
        let request = Request::new(&format!("POST {path}")).body(body);
        let request =
            headers.iter().fold(request, |request, (name, value)| request.header(name, value));
        ask(self.daemon.api(), &request)
    }

    /// The answer of one flag for a context.
    pub(super) fn one(&self, flag_key: &str, context: Value) -> Value {
        let answer =
            self.post(&format!("{ONE}{flag_key}"), &json!({"context": context}).to_string());
        answer.json()
    }

    /// One with a store that takes nothing: its reserve is one that no disk has.
    pub(super) fn that_records_nothing(change: impl FnOnce(&mut Given)) -> Self {
        let scene = Self::with(|given| {
            given.disk_reserve = Some("999999999GiB".parse().unwrap());
            change(given);
        });
        wait_for("the store to say so", || {
            scene.post("/v1/track?eventKey=bought", r#"{"userId":"before"}"#);
            let ready = scene.daemon.ask("GET /ready", "").json();
            (ready["store"]["state"] == "refusing").then_some(())
        });
        scene
    }

    /// Waits for so many records of a type: evaluations are answered before they are recorded.
    #[track_caller]
    pub(super) fn wait_for_records(&self, kind: &str, count: usize) -> Vec<Value> {
        wait_for("the records", || Some(self.records(kind)).filter(|found| found.len() >= count))
    }

    /// The records that are kept, of a type.
    pub(super) fn records(&self, kind: &str) -> Vec<Value> {
        let answer = self.daemon.ask_admin(&format!("GET /events?type={kind}"));
        answer.body.lines().map(|line| serde_json::from_str(line).unwrap()).collect()
    }
}

/// A rule for some, with variations `on` and `off`: of so many of 10000 users the first, of the others
/// the second.
fn rule(id: u64, key: &str, (on, off): (u64, u64), variables: &[(&str, &str)]) -> Value {
    let variables: Vec<Value> =
        variables.iter().map(|(id, value)| json!({"id": id, "value": value})).collect();
    json!({
        "id": id.to_string(), "key": key, "layerId": format!("layer_{id}"), "status": "Running",
        "audienceIds": [], "forcedVariations": {},
        "variations": [
            {"id": format!("{id}1"), "key": "on", "featureEnabled": true, "variables": variables},
            {"id": format!("{id}2"), "key": "off", "featureEnabled": false, "variables": []},
        ],
        "trafficAllocation": [
            {"entityId": format!("{id}1"), "endOfRange": on},
            {"entityId": format!("{id}2"), "endOfRange": on + off},
        ],
    })
}

/// A variable: key, type, default.
type Variable = (&'static str, &'static str, &'static str);

/// The scene's flags: key, variables, rules of the rollout.
#[rustfmt::skip]
fn rollouts() -> Vec<(&'static str, Vec<Variable>, Vec<Value>)> {
    const ALL_ON: (u64, u64) = (10_000, 0);
    const ALL_OFF: (u64, u64) = (0, 10_000);
    let for_swedes = |mut rule: Value| { rule["audienceIds"] = json!([SWEDES]); rule };
    vec![
        ("plain", vec![], vec![rule(101, "default-r1", ALL_ON, &[])]),
        ("plain_off", vec![], vec![rule(102, "default-r2", ALL_OFF, &[])]),
        ("no_rules", vec![], vec![]),
        ("text", vec![("t", "string", "calm")], vec![rule(103, "default-r3", ALL_ON, &[("t", "loud")])]),
        ("text_off", vec![("t", "string", "calm")], vec![rule(104, "default-r4", ALL_OFF, &[])]),
        ("whole", vec![("w", "integer", "1")], vec![rule(105, "default-r5", ALL_ON, &[("w", "7")])]),
        ("double", vec![("d", "double", "0.5")], vec![rule(106, "default-r6", ALL_ON, &[("d", "1")])]),
        ("switch", vec![("b", "boolean", "true")], vec![rule(107, "default-r7", ALL_ON, &[("b", "false")])]),
        ("list", vec![("j", "json", "[]")], vec![rule(108, "default-r8", ALL_ON, &[("j", "[1,2.0]")])]),
        ("several", vec![("t", "string", "calm"), ("d", "double", "2"), ("j", "json", "{}")],
            vec![rule(109, "default-r9", ALL_ON, &[("t", "loud"), ("d", "3"), ("j", "{\"a\":1.0}")])]),
        ("share", vec![], vec![rule(110, "default-r10", (5_000, 5_000), &[])]),
        ("swedes", vec![], vec![for_swedes(rule(111, "swedes_rule", ALL_ON, &[])), rule(112, "default-r11", ALL_ON, &[])]),
        ("wrong_type", vec![("w", "integer", "many")], vec![rule(113, "default-r12", ALL_ON, &[("w", "many")])]),
        ("null", vec![("j", "json", "null")], vec![rule(114, "default-r13", ALL_ON, &[("j", "null")])]),
        ("a b/c", vec![], vec![rule(115, "default-r14", ALL_ON, &[])]),
    ]
}

/// The scene's datafile, of a revision. `test` is an experiment's flag and `bandit` needs a prediction,
/// which nobody gives.
pub(super) fn datafile(revision: &str) -> Value {
    let mut flags = Vec::new();
    let mut all_rollouts = Vec::new();
    for (index, (key, variables, rules)) in rollouts().into_iter().enumerate() {
        let id = format!("rollout_{index}");
        let variables: Vec<Value> = variables
            .iter()
            .map(|(key, kind, default)| {
                json!({"id": key, "key": key, "type": kind, "defaultValue": default})
            })
            .collect();
        flags.push(json!({"id": (900 + index).to_string(), "key": key, "experimentIds": [], "rolloutId": id, "variables": variables}));
        all_rollouts.push(json!({"id": id, "experiments": rules}));
    }
    let flag_of = |id: &str, key: &str, experiment: &str| json!({"id": id, "key": key, "experimentIds": [experiment], "rolloutId": "", "variables": []});
    flags.push(flag_of("990", "test", "201"));
    flags.push(flag_of("991", "bandit", "202"));
    let mut test = rule(201, "test_rule", (5_000, 5_000), &[]);
    test["forcedVariations"] = json!({"fia": "on", "olle": "off"});
    let mut bandit = rule(202, "bandit_rule", (0, 0), &[]);
    bandit["type"] = json!("cmab");
    bandit["trafficAllocation"] = json!([]);
    bandit["cmab"] = json!({"attributeIds": [], "trafficAllocation": 10_000});
    json!({
        "version": "4", "accountId": "1", "projectId": "2", "revision": revision, "sdkKey": KEY,
        "environmentKey": "scene", "anonymizeIP": true, "botFiltering": false, "sendFlagDecisions": true,
        "attributes": [{"id": "61", "key": "country"}],
        "audiences": [{"id": SWEDES, "name": "Swedes", "conditions":
            "[\"and\", [\"or\", [\"or\", {\"type\": \"custom_attribute\", \"match\": \"exact\", \"name\": \"country\", \"value\": \"SE\"}]]]"}],
        "typedAudiences": [],
        "events": [{"id": "71", "key": "bought", "experimentIds": ["201"]}, {"id": "72", "key": "looked/around", "experimentIds": []}],
        "featureFlags": flags, "rollouts": all_rollouts, "experiments": [test, bandit], "groups": [],
        "variables": [],
    })
}
