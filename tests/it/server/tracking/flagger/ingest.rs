//! What clients send becomes activations and conversions, in both forms and in any order.
//!
//! Must not know the configuration.

use std::io::Write as _;

use flate2::Compression;
use flate2::write::GzEncoder;
use serde_json::{Value, json};

use super::super::{credits, records, unused};
use super::scene::{INGEST, Scene, ago};
use crate::server::http::{Request, ask};

/// A payload with an exposure of 543, as clients with Go inside send it.
fn shown(id: &str, codename: &str, variation: &str, ms_ago: i64) -> Value {
    let entity = json!({"id": "543", "type": "User", "attributes": {"id": "543"}});
    json!({
        "id": id, "entities": [entity],
        "exposures": [{
            "codename": codename, "hashkey": "dscsdBKC", "variation": variation, "entity": entity,
            "methodCalled": "isEnabled", "timestamp": ago(ms_ago),
        }],
        "events": [], "sdkInfo": {"name": "python", "version": "3.1.0"}, "detectedFlags": [],
    })
}

/// The payload behind it: of Go's form, without times.
fn done(id: &str) -> Value {
    let user = json!({"id": "543", "type": "User", "attributes": {"id": "543"}});
    let company = json!({"id": "777", "type": "Company", "attributes": {"id": "777"}});
    let properties = json!({
        "n": 3, "ok": true, "plan": "Gold", "price": 12.5, "referrer": "https://www.google.com",
        "shirt_size": "medium",
    });
    json!({
        "id": id, "entities": [user, company], "exposures": [],
        "events": [
            {"name": "Purchase Completed", "eventProperties": properties, "entity": user},
            {"name": "Signup", "eventProperties": {"plan": "Free"}, "entity": company},
            {"name": "NoProps", "eventProperties": {}, "entity": user},
        ],
        "sdkInfo": {"name": "python", "version": "3.1.0"}, "detectedFlags": [],
    })
}

/// The same purchase in the form of JavaScript and of the vendor's schema.
fn done_by_schema(id: &str, ms_ago: i64) -> Value {
    json!({
        "id": id, "entities": [],  "exposures": [], "detectedFlags": [],
        "events": [{
            "name": "Purchase Completed", "properties": {"plan": "Gold", "shirt_size": "medium"},
            "entity": {"id": "543", "type": "User"}, "timestamp": ago(ms_ago),
        }],
        "sdkInfo": {"name": "js", "version": "3.0.16"},
    })
}

const BLUE: &str = "543 purchase_completed theme_test/blue";

#[test]
fn what_a_user_was_shown_is_credited_and_a_company_that_was_shown_nothing_is_not() {
    let scene = Scene::new();
    scene.send(&shown("p-1", "color-theme", "blue", 10));
    scene.send(&done("p-2"));
    assert_eq!(credits(&scene.daemon), [BLUE]);
    let conversion = &records(&scene.daemon, "conversion")[0];
    let tags = &done("")["events"][0]["eventProperties"];
    for (name, expect) in
        [("origin", &json!("flagger")), ("eventId", &json!("p-2/event/0")), ("tags", tags)]
    {
        assert_eq!(&conversion[name], expect, "{conversion}");
    }
    assert_eq!(unused(&scene.daemon, "flagger", "unknown-event"), 1, "NoProps is no event");

    scene.send(&shown("p-1", "color-theme", "blue", 10));
    scene.send(&done("p-2"));
    assert_eq!(credits(&scene.daemon), [BLUE], "a repeat is none");
    assert_eq!(records(&scene.daemon, "impression").len(), 1, "nor is that of an exposure");
    scene.send(&done("p-3"));
    assert_eq!(credits(&scene.daemon), [BLUE, BLUE], "another payload is");
}

#[test]
fn the_form_of_the_schema_counts_alike_and_by_its_own_times() {
    let scene = Scene::new();
    scene.send(&shown("p-1", "color-theme", "green", 5000));
    scene.send(&done_by_schema("p-2", 9000));
    assert_eq!(credits(&scene.daemon), Vec::<String>::new(), "it was before");
    scene.send(&done_by_schema("p-3", 4000));
    assert_eq!(credits(&scene.daemon), ["543 purchase_completed theme_test/green"]);
    let conversion = &records(&scene.daemon, "conversion")[0];
    assert_eq!(conversion["tags"], json!({"plan": "Gold", "shirt_size": "medium"}));
    let old_ms = variate::clock::system_time_ms() - conversion["time"].as_i64().unwrap();
    assert!((4000..30_000).contains(&old_ms), "{old_ms} ms old, with its zone");
}

#[test]
fn an_exposure_that_comes_after_the_event_counts() {
    let scene = Scene::new();
    let shown = shown("p-1", "color-theme", "blue", 3000);
    // The first ingest was refused, and the client kept it.
    scene.send(&done("p-2"));
    assert_eq!(credits(&scene.daemon), Vec::<String>::new());
    scene.send(&shown);
    assert_eq!(credits(&scene.daemon), [BLUE]);
    scene.send(&shown);
    assert_eq!(credits(&scene.daemon), [BLUE]);
}

#[test]
fn exposures_count_before_events_of_the_same_payload_and_at_one_millisecond() {
    let scene = Scene::new();
    let mut payload = done_by_schema("p-1", 0);
    let time = payload["events"][0]["timestamp"].clone();
    payload["exposures"] = shown("", "color-theme", "red", 0)["exposures"].clone();
    payload["exposures"][0]["timestamp"] = time;
    scene.send(&payload);
    assert_eq!(credits(&scene.daemon), ["543 purchase_completed theme_test/red"]);
}

/// Events in Go's form count from when they come in: a clock that is a little ahead must not put what was
/// shown behind that.
#[test]
fn a_clock_that_is_ahead_loses_nothing() {
    let scene = Scene::new();
    scene.send(&shown("p-1", "color-theme", "blue", -60_000));
    scene.send(&done("p-2"));
    assert_eq!(credits(&scene.daemon), [BLUE]);
}

#[test]
fn without_an_id_the_bytes_are_known_again_where_they_have_a_time() {
    let scene = Scene::new();
    let without_id = |mut payload: Value| {
        payload.as_object_mut().unwrap().remove("id");
        payload
    };
    let (shown, timed) =
        (without_id(shown("", "color-theme", "blue", 3000)), without_id(done_by_schema("", 10)));
    for _ in 0..2 {
        scene.send(&shown);
        scene.send(&timed);
    }
    assert_eq!(credits(&scene.daemon), [BLUE]);
    let untimed = without_id(done(""));
    scene.send(&untimed);
    scene.send(&untimed);
    assert_eq!(credits(&scene.daemon).len(), 3, "two purchases may well be alike");
}

#[test]
fn what_is_packed_is_unpacked() {
    let scene = Scene::new();
    scene.send(&shown("p-1", "color-theme", "blue", 10));
    let mut encoder = GzEncoder::new(Vec::new(), Compression::default());
    encoder.write_all(done("p-2").to_string().as_bytes()).unwrap();
    let request = Request::new(INGEST)
        .header("Content-Type", "application/json;charset=utf-8")
        .header("Content-Encoding", "gzip")
        .bytes(&encoder.finish().unwrap());
    assert_eq!(ask(scene.daemon.api(), &request).status, 200);
    assert_eq!(credits(&scene.daemon), [BLUE]);
}

/// Each impression as `flag rule/variation enabled`.
fn impressions(scene: &Scene) -> Vec<String> {
    let shown = |record: Value| {
        let word = |key: &str| record[key].as_str().unwrap_or("-").to_owned();
        let (flag, rule) = (word("flagKey"), word("ruleKey"));
        format!("{flag} {rule}/{} {}", word("variationKey"), record["enabled"])
    };
    records(&scene.daemon, "impression").into_iter().map(shown).collect()
}

#[test]
fn off_activates_nobody_and_names_find_what_was_shown() {
    let scene = Scene::new();
    for (place, codename, variation, expect) in [
        (0, "color-theme", "off", "color-theme -/- false"),
        (1, "color-theme", "4011", "color-theme theme_test/blue true"),
        (2, "theme_test", "green", "- theme_test/green true"),
        (3, "202", "4022", "- checkout_test/off true"),
        (4, "checkout", "4022", "checkout checkout_test/off false"),
        (5, "plain_test", "left", "- plain_test/left true"),
        (6, "banner", "on", "banner 301/on true"),
    ] {
        scene.send(&shown(&format!("p-{place}"), codename, variation, 10));
        assert_eq!(impressions(&scene).last().unwrap(), expect, "{codename} {variation}");
    }
    scene.send(&shown("p-a", "checkout", "off", 10));
    assert_eq!(impressions(&scene).last().unwrap(), "checkout -/- false", "not the variation off");
    let before = impressions(&scene).len();
    scene.send(&shown("p-b", "plain_test", "off", 10));
    assert_eq!(impressions(&scene).len(), before, "no flag, nothing to report");
    assert_eq!(scene.daemon.ask_admin("GET /problems").json()["problems"], json!([]));
}

/// A client that has its configuration from here says which experiment it was, which may have ended since.
#[test]
fn the_hash_key_says_what_decided() {
    let scene = Scene::new();
    let mut by_hash_key = shown("p-1", "ended", "on", 10);
    by_hash_key["exposures"][0]["hashkey"] = json!("204");
    scene.send(&by_hash_key);
    assert_eq!(impressions(&scene), ["ended ended_test/on true"]);
    scene.send(&shown("p-2", "ended", "on", 10));
    assert_eq!(impressions(&scene).len(), 1, "by its name it is none that runs");
    assert_eq!(unused(&scene.daemon, "flagger", "unknown-variation"), 1);
}

#[test]
fn entities_of_other_types_are_people_of_their_own_and_attributes_are_theirs() {
    let scene = Scene::new();
    let send = |id: &str, entity: Value, listed: Value| {
        let mut payload = shown(id, "color-theme", "blue", 10);
        payload["exposures"][0]["entity"] = entity;
        payload["entities"] = listed;
        scene.send(&payload);
        records(&scene.daemon, "impression").last().unwrap().clone()
    };
    let listed = json!([
        {"id": "777", "type": "Company", "attributes": {"country": "SE", "age": 3}},
        {"id": "777", "type": "User", "attributes": {"country": "NO"}},
    ]);
    let record =
        send("p-1", json!({"id": "777", "type": "Company", "name": "Acme"}), listed.clone());
    assert_eq!(record["userId"], "Company:777");
    let attributes = record["attributes"].to_string();
    for part in ["SE", "Acme", "Age"] {
        assert!(attributes.contains(part), "{part} in {attributes}");
    }
    let own = json!({"id": 777, "type": "user", "attributes": {"age": 40, "x": 1},
        "group": {"id": "g", "type": "Company", "attributes": {"staff": true}}});
    let record = send("p-2", own, listed);
    assert_eq!(
        record["userId"], "777",
        "a number is its digits, and types of users are of any case"
    );
    let attributes = record["attributes"].to_string();
    assert!(attributes.contains("NO") && attributes.contains("40"), "{attributes}");
    assert!(!attributes.contains("staff") && !attributes.contains("\"x\""), "{attributes}");
    let record = send("p-3", json!({"id": "plain"}), json!([]));
    assert_eq!(record["userId"], "plain", "who says no type is a user");
}

#[test]
fn names_of_events_are_found_as_everywhere() {
    let scene = Scene::with(|given| {
        given.tracking.events = [("Bought".to_owned(), "purchase_completed".to_owned())].into();
        given.tracking.user_prefixes =
            [(variate::settings::TrackingSystem::Flagger, "f-".to_owned())].into();
    });
    scene.send(&shown("p-1", "color-theme", "blue", 10));
    for (id, name) in [("p-2", "Bought"), ("p-3", "purchaseCompleted"), ("p-4", "71")] {
        let mut payload = done(id);
        payload["events"][0]["name"] = json!(name);
        scene.send(&payload);
    }
    assert_eq!(
        credits(&scene.daemon),
        [format!("f-{BLUE}"), format!("f-{BLUE}"), format!("f-{BLUE}")]
    );
}
