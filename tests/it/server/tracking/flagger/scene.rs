//! A datafile with a flag for each thing that Flagger can say or cannot, and a daemon that has it.
//!
//! Must not know what is sent.

use jiff::Timestamp;
use jiff::tz::{TimeZone, offset};
use serde_json::{Value, json};
use tempfile::TempDir;
use variate::settings::Given;

use crate::server::http::{Answer, Request, ask};
use crate::server::{Daemon, put};

/// The only environment is meant by any key.
pub(super) const KEY: &str = "apikey123";
pub(super) const INGEST: &str = "POST /v3/ingest/apikey123";

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

    /// Sends a payload, which is answered as clients need it.
    #[track_caller]
    pub(super) fn send(&self, payload: &Value) {
        let answer = self.daemon.ask(INGEST, &payload.to_string());
        assert_eq!((answer.status, answer.body.as_str()), (200, ""), "{payload}");
    }

    /// The configuration.
    pub(super) fn config(&self) -> Answer {
        ask(self.daemon.api(), &Request::new("GET /v3/config/apikey123"))
    }
}

/// A time so long ago, as Go writes it: with nine digits, and in a zone.
pub(super) fn ago(ms: i64) -> String {
    let time = Timestamp::from_millisecond(variate::clock::system_time_ms() - ms).unwrap();
    let there = time.to_zoned(TimeZone::fixed(offset(2)));
    there.strftime("%Y-%m-%dT%H:%M:%S.%9f%:z").to_string()
}

/// An experiment with variations `(id, key, basis points)`, all on but `off`.
fn experiment(id: &str, key: &str, variations: &[(&str, &str, u64)]) -> Value {
    let mut end = 0;
    let ranges: Vec<Value> = variations
        .iter()
        .map(|(id, _, share)| {
            end += share;
            json!({"entityId": id, "endOfRange": end})
        })
        .collect();
    let variations: Vec<Value> = variations
        .iter()
        .map(|(id, key, _)| {
            let variables =
                if *key == "blue" { json!([{"id": "51", "value": "#00f"}]) } else { json!([]) };
            json!({"id": id, "key": key, "featureEnabled": *key != "off", "variables": variables})
        })
        .collect();
    json!({
        "id": id, "key": key, "layerId": format!("layer-{id}"), "status": "Running", "audienceIds": [],
        "forcedVariations": {}, "variations": variations, "trafficAllocation": ranges,
    })
}

fn with(mut experiment: Value, key: &str, value: Value) -> Value {
    experiment[key] = value;
    experiment
}

fn flag(id: &str, key: &str, experiments: &[&str], rollout: &str) -> Value {
    let variables = if key == "color-theme" {
        json!([{"id": "51", "key": "hex", "type": "string", "defaultValue": "#fff"},
               {"id": "52", "key": "size", "type": "integer", "defaultValue": "7"}])
    } else {
        json!([])
    };
    json!({"id": id, "key": key, "experimentIds": experiments, "rolloutId": rollout, "variables": variables})
}

fn condition(name: &str, r#match: &str, value: Value) -> Value {
    json!({"type": "custom_attribute", "name": name, "match": r#match, "value": value})
}

pub(super) fn datafile(revision: &str) -> Value {
    let swedes = condition("country", "exact", json!("SE"));
    let adults = condition("Age", "ge", json!(18));
    let young = json!(["not", adults.clone()]);
    let phones = condition("device", "substring", json!("phone"));
    let staff = condition("staff", "exact", json!(true));
    let colors = [("4011", "blue", 3300), ("4012", "green", 3300), ("4013", "red", 3400)];
    let pages = [("4021", "one_page", 2500), ("4022", "off", 2500)];
    let all = [("4081", "on", 10_000)];
    json!({
        "version": "4", "accountId": "12001", "projectId": "111", "revision": revision,
        "sdkKey": "FlaggerTests", "sendFlagDecisions": true, "groups": [
            {"id": "901", "policy": "random", "trafficAllocation": [{"entityId": "205", "endOfRange": 5000}],
             "experiments": [with(experiment("205", "grouped_test", &[("4051", "on", 10_000)]),
                "forcedVariations", json!({"vip": "on"}))]}],
        "attributes": [
            {"id": "11", "key": "country"}, {"id": "12", "key": "Age"}, {"id": "13", "key": "device"},
            {"id": "14", "key": "staff"}, {"id": "15", "key": "name"},
        ],
        "audiences": [], "typedAudiences": [
            {"id": "21", "name": "swedes", "conditions": ["or", swedes]},
            {"id": "22", "name": "adults", "conditions": ["and", adults]},
            {"id": "23", "name": "young", "conditions": young},
            {"id": "24", "name": "phones", "conditions": ["and", phones]},
            {"id": "25", "name": "not staff", "conditions": ["not", ["or", staff]]},
        ],
        "experiments": [
            experiment("201", "theme_test", &colors),
            with(with(experiment("202", "checkout_test", &pages),
                "audienceConditions", json!(["and", "22", ["or", "21", "25"]])),
                "forcedVariations", json!({"vip": "one_page", "zed": "off", "ghost": "gone"})),
            with(experiment("203", "phone_test", &[("4031", "on", 10_000)]), "audienceIds", json!(["24"])),
            with(experiment("204", "ended_test", &[("4041", "on", 10_000)]), "status", json!("Paused")),
            experiment("206", "plain_test", &[("4061", "left", 1), ("4062", "right", 9999)]),
            experiment("207", "half_test", &[("4071", "half", 5000)]),
        ],
        "featureFlags": [
            flag("31", "color-theme", &["201"], ""), flag("32", "checkout", &["202"], ""),
            flag("33", "phone_only", &["203"], ""), flag("34", "ended", &["204"], ""),
            flag("35", "grouped", &["205"], ""), flag("36", "banner", &[], "r36"),
            flag("37", "half", &["207"], "r37"),
        ],
        "rollouts": [
            {"id": "r36", "experiments": [
                with(experiment("301", "301", &[("4091", "on", 10_000)]), "audienceIds", json!(["23"])),
                experiment("302", "302", &[("4092", "on", 2000)])]},
            {"id": "r37", "experiments": [experiment("303", "303", &all)]},
        ],
        "events": [
            {"id": "71", "key": "purchase_completed", "experimentIds": ["201", "202", "204", "206"]},
            {"id": "72", "key": "signup", "experimentIds": ["201"]},
        ],
    })
}
