//! One flag: its value, reason and variant, what is recorded, and what is wrong with a request.
//!
//! Must not know other flags.

use serde_json::{Value, json};
use variate::settings::{Given, OffValue};

use super::scene::{ALL, ONE, Scene};
use crate::server::http::{Request, ask, try_ask};
use crate::server::wait_for;

/// The whole body of an answer, word for word.
#[track_caller]
fn check(scene: &Scene, flag_key: &str, context: Value, expect: (u16, &str)) {
    let body = json!({"context": context}).to_string();
    let answer = scene.post(&format!("{ONE}{flag_key}"), &body);
    let said = answer.body.strip_suffix('\n').unwrap_or("no end of line");
    assert_eq!((answer.status, said), expect, "{flag_key} for {context}");
    assert_eq!(answer.header("content-type"), Some("application/json; charset=utf-8"));
}

#[test]
fn values_and_reasons() {
    let scene = Scene::new();
    let anna = || json!({"targetingKey": "anna", "country": "SE"});
    let cases = [
        ("plain", r#"{"key":"plain","value":true,"reason":"STATIC","variant":"on","metadata":{}}"#),
        (
            "plain_off",
            r#"{"key":"plain_off","value":false,"reason":"DEFAULT","variant":"off","metadata":{}}"#,
        ),
        (
            "no_rules",
            r#"{"key":"no_rules","value":false,"reason":"DEFAULT","variant":"","metadata":{}}"#,
        ),
        ("text", r#"{"key":"text","value":"loud","reason":"STATIC","variant":"on","metadata":{}}"#),
        (
            "text_off",
            r#"{"key":"text_off","value":"calm","reason":"DEFAULT","variant":"off","metadata":{}}"#,
        ),
        ("whole", r#"{"key":"whole","value":7,"reason":"STATIC","variant":"on","metadata":{}}"#),
        (
            "double",
            r#"{"key":"double","value":1.0,"reason":"STATIC","variant":"on","metadata":{}}"#,
        ),
        (
            "switch",
            r#"{"key":"switch","value":false,"reason":"STATIC","variant":"on","metadata":{}}"#,
        ),
        (
            "list",
            r#"{"key":"list","value":[1,2.0],"reason":"STATIC","variant":"on","metadata":{}}"#,
        ),
        (
            "several",
            r#"{"key":"several","value":{"t":"loud","d":3.0,"j":{"a":1.0}},"reason":"STATIC","variant":"on","metadata":{}}"#,
        ),
        (
            "swedes",
            r#"{"key":"swedes","value":true,"reason":"TARGETING_MATCH","variant":"on","metadata":{}}"#,
        ),
        (
            "a%20b%2Fc",
            r#"{"key":"a b/c","value":true,"reason":"STATIC","variant":"on","metadata":{}}"#,
        ),
        (
            "a%20b/c",
            r#"{"key":"a b/c","value":true,"reason":"STATIC","variant":"on","metadata":{}}"#,
        ),
    ];
    for (flag_key, expect) in cases {
        check(&scene, flag_key, anna(), (200, expect));
    }
    // The last rule serves who is in no other: somebody else might get another answer.
    let norwegian = json!({"targetingKey": "nils", "country": "NO"});
    assert_eq!(scene.one("swedes", norwegian)["reason"], "TARGETING_MATCH");
    let chosen = |user: &str| scene.one("test", json!({"targetingKey": user}));
    assert_eq!(chosen("fia")["reason"], "TARGETING_MATCH", "somebody chose it for her");
    assert_eq!(
        (&chosen("olle")["reason"], &chosen("olle")["value"]),
        (&json!("DEFAULT"), &json!(false))
    );
}

#[test]
fn a_share_of_the_traffic_is_a_split() {
    let scene = Scene::new();
    let mut seen = [0, 0];
    for number in 0..40 {
        let answer = scene.one("share", json!({"targetingKey": format!("user_{number}")}));
        let is_on = answer["value"].as_bool().unwrap();
        assert_eq!(answer["reason"], if is_on { "SPLIT" } else { "DEFAULT" }, "{answer}");
        assert_eq!(answer["variant"], if is_on { "on" } else { "off" });
        seen[usize::from(is_on)] += 1;
    }
    assert!(seen.iter().all(|count| *count > 5), "{seen:?}");
}

fn failure(key: &str, code: &str, details: &str) -> String {
    json!({"key": key, "errorCode": code, "errorDetails": details}).to_string()
}

/// Bodies are compared as JSON: `failure` has its members in another order.
#[track_caller]
fn check_failure(scene: &Scene, flag_key: &str, body: &str, (status, expect): (u16, String)) {
    let answer = scene.post(&format!("{ONE}{flag_key}"), body);
    let expect: Value = serde_json::from_str(&expect).unwrap();
    assert_eq!((answer.status, answer.json()), (status, expect), "{flag_key} {body}");
    assert!(answer.body.starts_with("{\"key\":"), "{}", answer.body);
}

#[test]
fn what_has_no_value_says_why() {
    let scene = Scene::new();
    let anna = r#"{"context":{"targetingKey":"anna"}}"#;
    let unknown = "there is no flag \"nothing\": look at the key, and at the environment";
    check_failure(&scene, "nothing", anna, (404, failure("nothing", "FLAG_NOT_FOUND", unknown)));
    check_failure(&scene, "nothing", "", (404, failure("nothing", "FLAG_NOT_FOUND", unknown)));
    let untyped = |key: &str| {
        format!(
            "the datafile gives the variable {key:?} no value of its type: look at it with `variate check`"
        )
    };
    check_failure(
        &scene,
        "wrong_type",
        anna,
        (400, failure("wrong_type", "PARSE_ERROR", &untyped("w"))),
    );
    check_failure(&scene, "null", anna, (400, failure("null", "PARSE_ERROR", &untyped("j"))));
    let answer = scene.post(&format!("{ONE}bandit"), anna);
    assert_eq!((answer.status, &answer.json()["errorCode"]), (400, &json!("GENERAL")));
    assert!(answer.json()["errorDetails"].as_str().unwrap().contains("bandit_rule"), "{answer:?}");
}

#[test]
fn only_flags_that_differ_between_users_need_a_key() {
    let scene = Scene::new();
    for body in [
        "",
        "{}",
        "null",
        r#"{"context":{}}"#,
        r#"{"context":null}"#,
        r#"{"context":{"targetingKey":""}}"#,
        r#"{"context":{"targetingKey":null,"country":"SE"}}"#,
    ] {
        for flag_key in ["plain", "text", "swedes", "no_rules"] {
            let answer = scene.post(&format!("{ONE}{flag_key}"), body);
            assert_eq!(answer.status, 200, "{flag_key} {body}: {answer:?}");
        }
        for flag_key in ["share", "test", "bandit"] {
            let answer = scene.post(&format!("{ONE}{flag_key}"), body);
            let code = answer.json()["errorCode"].clone();
            assert_eq!(
                (answer.status, code),
                (400, json!("TARGETING_KEY_MISSING")),
                "{flag_key} {body}"
            );
        }
    }
    assert_eq!(scene.records("impression").len(), 0, "nobody was exposed");
}

#[test]
fn who_is_on_a_list_differs_from_others() {
    let scene = Scene::new();
    let mut next = super::scene::datafile("2");
    next["experiments"][0]["trafficAllocation"] =
        json!([{"entityId": "2011", "endOfRange": 10_000}]);
    scene.swap(&next);
    let reason = |user: &str| scene.one("test", json!({"targetingKey": user}))["reason"].clone();
    wait_for("the swap", || {
        (reason("user_1") == "TARGETING_MATCH" && reason("user_2") == "TARGETING_MATCH")
            .then_some(())
    });
    assert_eq!(scene.one("test", json!({}))["errorCode"], "TARGETING_KEY_MISSING");

    next["revision"] = json!("3");
    next["experiments"][0]["forcedVariations"] = json!({});
    scene.swap(&next);
    wait_for("the swap", || (reason("user_1") == "STATIC").then_some(()));
    assert_eq!(scene.one("test", json!({}))["value"], true);
}

#[test]
fn wrong_requests_get_the_protocols_errors() {
    let scene = Scene::new();
    let cases: &[(&str, u16, &str)] = &[
        ("{", 400, "PARSE_ERROR"),
        ("nonsense", 400, "PARSE_ERROR"),
        ("[]", 400, "PARSE_ERROR"),
        ("3", 400, "PARSE_ERROR"),
        (r#"{"context":{"targetingKey":"a"}"#, 400, "PARSE_ERROR"),
        (r#"{"context":{"n":1e999}}"#, 400, "PARSE_ERROR"),
        (r#"{"context":[]}"#, 400, "INVALID_CONTEXT"),
        (r#"{"context":"anna"}"#, 400, "INVALID_CONTEXT"),
        (r#"{"context":{"targetingKey":7}}"#, 400, "INVALID_CONTEXT"),
        (r#"{"context":{"targetingKey":{"id":"anna"}}}"#, 400, "INVALID_CONTEXT"),
    ];
    for (body, status, code) in cases {
        let answer = scene.post(&format!("{ONE}plain"), body);
        let said = answer.json();
        assert_eq!((answer.status, &said["errorCode"]), (*status, &json!(code)), "{body}");
        assert_eq!(said["key"], "plain", "{body}");
        assert!(said["errorDetails"].as_str().is_some_and(|details| !details.is_empty()), "{body}");
    }
    let deep = format!("{{\"context\":{}1{}}}", "[".repeat(5_000), "]".repeat(5_000));
    assert_eq!(scene.post(&format!("{ONE}plain"), &deep).status, 400);
    let request = Request::new(&format!("POST {ONE}plain")).header("Content-Type", "text/plain");
    let answer = ask(scene.daemon.api(), &request.raw_body("{}"));
    assert_eq!((answer.status, &answer.json()["errorCode"]), (415, &json!("PARSE_ERROR")));
    for (what, status) in [
        (format!("GET {ONE}plain"), 405),
        (format!("POST {ONE}"), 404),
        (format!("POST {ONE}%ff"), 400),
        (format!("POST {ONE}..%2f..%2fhealth"), 404),
        ("POST /ofrep/v1/configuration".to_owned(), 404),
    ] {
        assert_eq!(scene.daemon.ask(&what, "{}").status, status, "{what}");
    }
}

#[test]
fn large_bodies_are_refused_in_the_protocols_form() {
    let scene = Scene::with(|given| given.body_limit = Some("1KiB".parse().unwrap()));
    let body = json!({"context": {"targetingKey": "x".repeat(2_000)}}).to_string();
    let answer = scene.post(&format!("{ONE}plain"), &body);
    assert_eq!((answer.status, &answer.json()["errorCode"]), (413, &json!("GENERAL")));
}

#[test]
fn hostile_contexts_are_answered() {
    let scene = Scene::new();
    let long = "x".repeat(100_000);
    for context in [
        json!({"targetingKey": long}),
        json!({"targetingKey": "anna", "country": {"$ne": 1}}),
        json!({"targetingKey": "anna", "country": [[[]]], "": null, "__proto__": {"a": 1}}),
        json!({"targetingKey": "\u{0}\u{1f4a9}", "country": 1e308}),
        json!({"targetingKey": "anna", "$opt_bucketing_id": 7}),
    ] {
        let answer = scene.one("share", context);
        assert!(answer["value"].is_boolean(), "{answer}");
    }
    let half = r#"{"context":{"targetingKey":"\ud800"}}"#;
    assert_eq!(scene.post(&format!("{ONE}share"), half).status, 200);
}

#[test]
fn an_evaluation_is_an_exposure() {
    let scene = Scene::new();
    scene.one("test", json!({"targetingKey": "fia", "country": "SE", "other": 1}));
    let records = scene.wait_for_records("impression", 1);
    let [record] = records.as_slice() else { panic!("{records:?}") };
    assert_eq!(record["origin"], "ofrep");
    assert_eq!((&record["userId"], &record["flagKey"]), (&json!("fia"), &json!("test")));
    assert_eq!(
        (&record["experimentKey"], &record["variationKey"]),
        (&json!("test_rule"), &json!("on"))
    );
    assert_eq!(record["attributes"], json!({"country": "SE"}), "the key is no attribute");
}

#[test]
fn what_is_not_recorded_is_answered_and_says_so() {
    let scene = Scene::that_records_nothing(|_| {});
    let answer = scene.one("test", json!({"targetingKey": "fia"}));
    assert_eq!(
        answer,
        json!({"key": "test", "value": true, "reason": "TARGETING_MATCH", "variant": "on", "metadata": {"recorded": false}})
    );
    let tracked = scene.post("/ofrep/v1/track/bought", r#"{"context":{"targetingKey":"fia"}}"#);
    assert_eq!((tracked.status, tracked.header("retry-after")), (503, Some("1")));
    assert_eq!(tracked.json()["key"], "bought");
    assert_eq!(tracked.json()["errorCode"], "GENERAL");
}

/// The value of a flag under settings.
#[track_caller]
fn check_setting(values: &[&str], off: Option<OffValue>, flag_key: &str, expect: Value) {
    let scene = Scene::with(|given: &mut Given| {
        values.iter().for_each(|value| given.ofrep.add(value.parse().unwrap()));
        given.ofrep.off = off;
    });
    let answer = scene.one(flag_key, json!({"targetingKey": "anna"}));
    let value = answer.get("value").or(answer.get("errorCode")).cloned().unwrap_or(Value::Null);
    assert_eq!(value, expect, "{values:?} {off:?} {flag_key}: {answer}");
}

#[test]
fn which_value_is_a_setting() {
    check_setting(&["enabled"], None, "several", json!(true));
    check_setting(&["enabled"], None, "text_off", json!(false));
    check_setting(&["object"], None, "text", json!({"t": "loud"}));
    check_setting(&["object"], None, "plain", json!({}));
    check_setting(&["object", "text=auto"], None, "text", json!("loud"));
    check_setting(&["several=variable:d"], None, "several", json!(3.0));
    check_setting(&["several=variable:d"], None, "text", json!("loud"));
    check_setting(&["several=variable:nothing"], None, "several", json!("PARSE_ERROR"));
    check_setting(&["wrong_type=enabled"], None, "wrong_type", json!(true));
    check_setting(&["wrong_type=object"], None, "wrong_type", json!({"w": null}));
    check_setting(&[], Some(OffValue::Caller), "text_off", Value::Null);
    check_setting(&[], Some(OffValue::Caller), "plain_off", Value::Null);
    check_setting(&[], Some(OffValue::Caller), "text", json!("loud"));
}

#[test]
fn the_environment_is_chosen_by_any_of_three_headers() {
    let other = tempfile::tempdir().unwrap();
    let path = other.path().join("other.json");
    let mut second = super::scene::datafile("9");
    second["sdkKey"] = json!("Other");
    second["environmentKey"] = json!("other");
    std::fs::write(&path, second.to_string()).unwrap();
    let scene = Scene::with(|given| {
        given.environments.push(crate::server::environment(path.to_str().unwrap()));
    });
    let revision = |headers: &[(&str, &str)]| {
        let answer = scene.post_with(&format!("{ONE}plain"), "{}", headers);
        (answer.status, answer.header("variate-revision").map(str::to_owned))
    };
    let of = |revision: &str| (200, Some(revision.to_owned()));
    assert_eq!(revision(&[("X-Optimizely-SDK-Key", "OfrepTests")]), of("1"));
    assert_eq!(revision(&[("X-Optimizely-SDK-Key", "Other")]), of("9"));
    assert_eq!(revision(&[("X-API-Key", "Other")]), of("9"));
    assert_eq!(revision(&[("Authorization", "Bearer Other")]), of("9"));
    assert_eq!(revision(&[("Authorization", "bearer OfrepTests")]), of("1"));
    assert_eq!(
        revision(&[("X-Optimizely-SDK-Key", "Other"), ("Authorization", "Bearer OfrepTests")]),
        of("9")
    );
    assert_eq!(revision(&[("X-API-Key", "Nobody")]), (403, None));
    assert_eq!(revision(&[("X-API-Key", "no-key")]), (400, None));
    assert_eq!(revision(&[]), (400, None));
    assert_eq!(revision(&[("Authorization", "Basic T3RoZXI=")]), (400, None));
    for headers in [&[("X-API-Key", "Nobody")][..], &[]] {
        let answer = scene.post_with(&format!("{ONE}plain"), "{}", headers).json();
        assert_eq!((&answer["key"], &answer["errorCode"]), (&json!("plain"), &json!("GENERAL")));
        assert!(answer["errorDetails"].is_string(), "{answer}");
    }
}

#[test]
fn without_a_datafile_one_is_told_to_come_again() {
    let scene = Scene::with(|given| {
        given.environments = vec![crate::server::environment("none=http://127.0.0.1:1/none.json")];
    });
    for path in [format!("{ONE}plain"), super::scene::ALL.to_owned()] {
        let answer = scene.post(&path, r#"{"context":{"targetingKey":"anna"}}"#);
        assert_eq!((answer.status, answer.header("retry-after")), (503, Some("1")), "{path}");
        assert_eq!(answer.json()["errorCode"], "GENERAL", "{path}");
    }
}

#[test]
fn paths_that_are_no_text_break_nothing() {
    let scene = Scene::new();
    for what in ["%00", "%2e%2e", "%c3%28", "a%", "é", &"x".repeat(4_000)] {
        let request = Request::new(&format!("POST {ONE}{what}")).body("{}");
        let status = try_ask(scene.daemon.api(), &request).map_or(400, |answer| answer.status);
        assert!((400..500).contains(&status), "{what}: {status}");
    }
    assert_eq!(scene.one("plain", json!({}))["value"], true);
}

#[test]
fn who_is_given_no_value_is_exposed_to_nothing() {
    for bulk_activates in [false, true] {
        let scene = Scene::with(|given| {
            given.ofrep.bulk_activates = Some(bulk_activates);
            given.ofrep.flags.insert("several".into(), "variable:nowhere".parse().unwrap());
        });
        let body = json!({"context": {"targetingKey": "anna", "country": "SE"}}).to_string();
        assert_eq!(scene.post(&format!("{ONE}several"), &body).status, 400);
        assert_eq!(scene.post(&format!("{ONE}text"), &body).status, 200);
        assert_eq!(scene.post(ALL, &body).status, 200);
        let records = wait_for("the impression of a flag with a value", || {
            let records = scene.daemon.ask_admin("GET /events").body;
            records.contains("\"flagKey\":\"text\"").then_some(records)
        });
        assert!(!records.contains("\"flagKey\":\"several\""), "{records}");
    }
}
