//! OFREP where users stay in the variations that they were bucketed into.
//!
//! Must not know how profiles are kept.

use serde_json::{Value, json};

use super::scene::{ALL, Scene, datafile};
use crate::server::wait_for;

/// The scene with all traffic of its experiment to one of two variations that are on.
fn all_to(revision: &str, variation: &str) -> Value {
    let mut next = datafile(revision);
    let experiment = &mut next["experiments"][0];
    experiment["forcedVariations"] = json!({});
    experiment["variations"][1]["featureEnabled"] = json!(true);
    experiment["trafficAllocation"] = json!([{"entityId": variation, "endOfRange": 10_000}]);
    next
}

fn scene(has_profiles: bool) -> Scene {
    let scene = Scene::with(|given| given.agent.profiles = Some(has_profiles));
    scene.swap(&all_to("2", "2011"));
    wait_for_revision(&scene, "2");
    scene
}

fn wait_for_revision(scene: &Scene, revision: &str) {
    let in_force = || scene.daemon.ask("GET /v1/config", "").json()["revision"].clone();
    wait_for("the swap", || (in_force() == revision).then_some(()));
}

/// What the experiment's flag answers somebody: variation and reason.
fn test_of(scene: &Scene, context: Value) -> (String, String) {
    let answer = scene.one("test", context);
    let text = |name: &str| answer[name].as_str().unwrap_or_default().to_owned();
    (text("variant"), text("reason"))
}

fn said(variant: &str, reason: &str) -> (String, String) {
    (variant.to_owned(), reason.to_owned())
}

#[test]
fn who_stays_is_no_static_value() {
    let anna = || json!({"targetingKey": "anna"});
    assert_eq!(test_of(&scene(false), anna()), said("on", "STATIC"));
    let scene = scene(true);
    assert_eq!(
        test_of(&scene, anna()),
        said("on", "TARGETING_MATCH"),
        "somebody may stay elsewhere"
    );
    assert_eq!(test_of(&scene, anna()), said("on", "TARGETING_MATCH"));
    assert_eq!(scene.one("plain", anna())["reason"], "STATIC", "no profile is about rollouts");
    let mut next = all_to("3", "2012");
    next["experiments"][0]["trafficAllocation"] = json!([{"entityId": "2012", "endOfRange": 9999}, {"entityId": "2011", "endOfRange": 10_000}]);
    scene.swap(&next);
    wait_for_revision(&scene, "3");
    assert_eq!(test_of(&scene, json!({"targetingKey": "ben"})), said("off", "SPLIT"));
    assert_eq!(test_of(&scene, anna()), said("on", "TARGETING_MATCH"), "by her profile");
}

/// Else all who have no id would stay where the first of them was.
#[test]
fn nobody_has_no_profile() {
    let scene = scene(true);
    for context in [json!({}), json!({"targetingKey": ""})] {
        assert_eq!(test_of(&scene, context.clone()).0, "on");
        let bulk = scene.post(ALL, &json!({"context": context}).to_string());
        assert_eq!(bulk.status, 200);
    }
    scene.swap(&all_to("3", "2012"));
    wait_for_revision(&scene, "3");
    assert_eq!(test_of(&scene, json!({})).0, "off");
    let bulk = scene.post(ALL, "").json();
    let flags = bulk["flags"].as_array().unwrap();
    let test = flags.iter().find(|flag| flag["key"] == "test").unwrap();
    assert_eq!(test["variant"], "off");
}
