//! All flags: their order, faults among them, tags, and what is recorded.
//!
//! Must not know single evaluations beyond comparing with them.

use serde_json::{Value, json};

use super::scene::{ALL, Scene, datafile};
use crate::server::http::Answer;
use crate::server::wait_for;

const ANNA: &str = r#"{"context":{"targetingKey":"anna","country":"SE"}}"#;

/// Asks with a tag that is known.
fn again(scene: &Scene, query: &str, body: &str, tag: &str) -> Answer {
    scene.post_with(&format!("{ALL}{query}"), body, &[("If-None-Match", tag)])
}

fn tag(answer: &Answer) -> String {
    answer.header("etag").unwrap().to_owned()
}

#[test]
fn all_flags_are_as_one_by_one_and_faults_stay_among_themselves() {
    let scene = Scene::new();
    let answer = scene.post(ALL, ANNA);
    assert_eq!(answer.status, 200);
    let said = answer.json();
    let flags = said["flags"].as_array().unwrap();
    let keys: Vec<&Value> = flags.iter().map(|flag| &flag["key"]).collect();
    let in_force = datafile("1");
    let expect: Vec<&Value> =
        in_force["featureFlags"].as_array().unwrap().iter().map(|flag| &flag["key"]).collect();
    assert_eq!(keys, expect, "in the datafile's order");
    for flag in flags {
        let key = flag["key"].as_str().unwrap().replace(' ', "%20");
        let alone = scene.one(&key, json!({"targetingKey": "anna", "country": "SE"}));
        assert_eq!(*flag, alone);
    }
    let faults: Vec<(&Value, &Value)> = flags
        .iter()
        .filter(|flag| flag.get("errorCode").is_some())
        .map(|flag| (&flag["key"], &flag["errorCode"]))
        .collect();
    let of = |key: &str, code: &str| (json!(key), json!(code));
    let expect =
        [of("wrong_type", "PARSE_ERROR"), of("null", "PARSE_ERROR"), of("bandit", "GENERAL")];
    let expect: Vec<(&Value, &Value)> = expect.iter().map(|(key, code)| (key, code)).collect();
    assert_eq!(faults, expect);
    assert_eq!(said["metadata"], json!({"environment": "scene", "revision": "1"}));
    assert_eq!(
        said["eventStreams"],
        json!([{"type": "sse", "endpoint": {"requestUri": "/ofrep/v1/events?sdkKey=OfrepTests"}, "inactivityDelaySec": 120}])
    );
}

#[test]
fn without_a_key_those_flags_are_answered_that_need_none() {
    let scene = Scene::new();
    for body in ["", "{}", r#"{"context":{}}"#] {
        let answer = scene.post(ALL, body);
        assert_eq!(answer.status, 200);
        let said = answer.json();
        for flag in said["flags"].as_array().unwrap() {
            let needs_key = ["share", "test", "bandit"].iter().any(|key| flag["key"] == *key);
            let lacks_key = flag["errorCode"] == "TARGETING_KEY_MISSING";
            assert_eq!(lacks_key, needs_key, "{flag}");
        }
    }
}

#[test]
fn wrong_requests_fail_as_a_whole() {
    let scene = Scene::new();
    for (body, code) in [
        ("{", "PARSE_ERROR"),
        ("[]", "PARSE_ERROR"),
        (r#"{"context":1}"#, "INVALID_CONTEXT"),
        (r#"{"context":{"targetingKey":false}}"#, "INVALID_CONTEXT"),
    ] {
        let answer = scene.post(ALL, body);
        let said = answer.json();
        assert_eq!((answer.status, &said["errorCode"]), (400, &json!(code)), "{body}");
        assert!(said["errorDetails"].is_string() && said.get("key").is_none(), "{said}");
    }
    assert_eq!(scene.daemon.ask(&format!("GET {ALL}"), "").status, 405);
}

#[test]
fn who_has_it_already_is_told_so() {
    let scene = Scene::new();
    let first = scene.post(ALL, ANNA);
    let known = tag(&first);
    assert!(known.starts_with('"') && known.ends_with('"'), "a strong tag: {known}");
    assert_eq!(first.header("cache-control"), Some("private, no-cache"));
    for named in [known.clone(), format!("\"x\", {known}"), format!("W/{known}")] {
        let same = again(&scene, "", ANNA, &named);
        assert_eq!((same.status, same.body.as_str()), (304, ""), "{named}");
        assert_eq!(tag(&same), known);
    }
    assert_eq!(again(&scene, "", ANNA, "\"x\"").status, 200);
    // The same context, written otherwise.
    let otherwise = r#"{ "context": {"country": "SE", "targetingKey": "anna"}, "more": 1 }"#;
    assert_eq!(again(&scene, "", otherwise, &known).status, 304);
}

/// What else an answer is tagged by: asked with the tag of another one, the whole answer comes.
#[track_caller]
fn check_other(scene: &Scene, body: &str, headers: &[(&str, &str)]) {
    let known = tag(&scene.post(ALL, ANNA));
    let with_tag = [headers, &[("If-None-Match", known.as_str())]].concat();
    let answer = scene.post_with(ALL, body, &with_tag);
    assert_eq!(answer.status, 200, "{body} {headers:?}");
    assert_ne!(tag(&answer), known, "{body} {headers:?}");
}

#[test]
fn the_tag_is_of_the_whole_context_and_of_who_asks() {
    let scene = Scene::new();
    check_other(&scene, r#"{"context":{"targetingKey":"bea","country":"SE"}}"#, &[]);
    check_other(&scene, r#"{"context":{"targetingKey":"anna","country":"NO"}}"#, &[]);
    check_other(&scene, r#"{"context":{"targetingKey":"anna"}}"#, &[]);
    check_other(&scene, r#"{"context":{"targetingKey":"anna","country":"SE","unused":1}}"#, &[]);
    check_other(&scene, r#"{"context":{"country":"SE"}}"#, &[]);
    check_other(&scene, ANNA, &[("X-API-Key", "OfrepTests")]);
    check_other(&scene, ANNA, &[("Authorization", "Bearer OfrepTests")]);
}

#[test]
fn another_datafile_has_another_tag_also_where_nobody_gets_anything_else() {
    let scene = Scene::new();
    let known = tag(&scene.post(ALL, ANNA));
    let mut next = datafile("1");
    next["variables"] = json!([{"unused": true}]);
    scene.swap(&next);
    wait_for("another tag", || (tag(&scene.post(ALL, ANNA)) != known).then_some(()));
    assert_eq!(again(&scene, "", ANNA, &known).status, 200);
}

#[test]
fn who_was_told_of_another_datafile_gets_the_whole_answer() {
    let scene = Scene::new();
    let known = tag(&scene.post(ALL, ANNA));
    let config = scene.daemon.ask("GET /v1/datafile", "");
    let config = tag(&config).trim_matches('"').to_owned();
    for (query, status) in [
        (format!("?flagConfigEtag=%22{config}%22&flagConfigLastModified=1771622898"), 304),
        (format!("?flagConfigEtag={config}"), 304),
        (format!("?flagConfigEtag=W%2F%22{config}%22"), 304),
        ("?flagConfigEtag=".to_owned(), 304),
        ("?flagConfigEtag=%22other%22".to_owned(), 200),
        ("?flagConfigEtag=other".to_owned(), 200),
        ("?flagConfigLastModified=yesterday".to_owned(), 304),
    ] {
        assert_eq!(again(&scene, &query, ANNA, &known).status, status, "{query}");
    }
}

#[test]
fn it_exposes_nobody_unless_that_is_set() {
    let scene = Scene::new();
    scene.post(ALL, ANNA);
    assert_eq!(scene.records("impression").len(), 0);

    let scene = Scene::with(|given| given.ofrep.bulk_activates = Some(true));
    let first = scene.post(ALL, ANNA);
    let said = first.json();
    let flags = said["flags"].as_array().unwrap();
    let with_value = flags.iter().filter(|flag| flag.get("errorCode").is_none()).count();
    // Who is handed a tag is not exposed again: what it stands for is stored by then.
    assert!(first.header("etag").is_some());
    let records = scene.records("impression");
    assert_eq!(records.len(), with_value);
    assert!(records.iter().all(|record| record["origin"] == "ofrep"), "{records:?}");
    assert_eq!(again(&scene, "", ANNA, &tag(&first)).status, 304);
    scene.post(ALL, "{}");
    scene.one("plain", json!({"targetingKey": "last"}));
    let records = scene.wait_for_records("impression", with_value + 1);
    let others = records.iter().filter(|record| record["userId"] != "anna");
    assert_eq!(others.count(), 1, "nobody is exposed without a key");
    assert_eq!(records.len(), with_value + 1, "nothing new was shown");
}

#[test]
fn what_is_not_recorded_has_no_tag() {
    let scene = Scene::that_records_nothing(|given| given.ofrep.bulk_activates = Some(true));
    let answer = scene.post(ALL, ANNA);
    assert_eq!(answer.status, 200);
    assert_eq!(answer.header("etag"), None, "who asks again is exposed again");
    let said = answer.json();
    let recorded = |key: &str| {
        let flags = said["flags"].as_array().unwrap();
        flags.iter().find(|flag| flag["key"] == key).unwrap()["metadata"].clone()
    };
    assert_eq!(recorded("test"), json!({"recorded": false}));
    assert_eq!(recorded("no_rules"), json!({"recorded": false}));
}
