//! Sticky bucketing: profiles that are kept in the store, looked up and saved as Agent's clients do.
//!
//! Must not know how they are kept.

use serde_json::json;
use variate::settings::Given;

use super::http::{Request, ask};
use super::{Daemon, SHOP, environment, start, wait_for};

fn enabled(given: &mut Given) {
    given.agent.profiles = Some(true);
}

#[test]
fn without_profiles_there_is_no_service() {
    let shop = Daemon::shop();
    let expect = (500, "{\"error\":\"no user profile service found\"}\n");
    for what in ["POST /v1/lookup", "POST /v1/save"] {
        for body in [r#"{"userId":"anna"}"#, "{", ""] {
            shop.check(what, body, expect);
        }
    }
}

#[test]
fn the_shapes_of_agent() {
    let shop = Daemon::with(enabled);
    let missing = (400, "{\"error\":\"missing \\\"userId\\\" in request payload\"}\n");
    let no_json = (400, "{\"error\":\"error parsing request body\"}\n");
    for what in ["POST /v1/lookup", "POST /v1/save"] {
        shop.check(what, "", missing);
        shop.check(what, r#"{"userId":""}"#, missing);
        shop.check(what, "{", no_json);
    }
    shop.check(
        "POST /v1/lookup",
        r#"{"userId":"anna"}"#,
        (200, "{\"userId\":\"anna\",\"experimentBucketMap\":{}}\n"),
    );
    let body = r#"{"userId":"anna","experimentBucketMap":{"2":{"variation_id":"22"},"1":{"variation_id":"11"}}}"#;
    let saved = shop.ask("POST /v1/save", body);
    assert_eq!((saved.status, saved.body.as_str()), (200, ""));
    let expect = "{\"userId\":\"anna\",\"experimentBucketMap\":{\"1\":{\"variation_id\":\"11\"},\"2\":{\"variation_id\":\"22\"}}}\n";
    shop.check("POST /v1/lookup", r#"{"userId":"anna"}"#, (200, expect));
    for wrong in [
        r#"{"userId":"anna","experimentBucketMap":[]}"#,
        r#"{"userId":"anna","experimentBucketMap":{"1":"11"}}"#,
    ] {
        shop.check("POST /v1/save", wrong, no_json);
    }
    let long = json!({"userId": "x".repeat(10_001)}).to_string();
    shop.check(
        "POST /v1/lookup",
        &long,
        (400, "{\"error\":\"userId is longer than 10000 bytes: give a shorter one\"}\n"),
    );
    assert_eq!(shop.ask("POST /v1/decide?keys=search", &long).status, 200, "it is only not sticky");
}

#[test]
fn users_stay_where_they_were_bucketed_after_a_restart_with_other_traffic() {
    let folder = tempfile::tempdir().unwrap();
    let datafile = folder.path().join("shop.json");
    let text = std::fs::read_to_string(SHOP).unwrap();
    std::fs::write(&datafile, &text).unwrap();
    let begin = |is_enabled: bool| {
        start(folder.path().join("store"), |given| {
            given.agent.profiles = Some(is_enabled);
            given.environments = vec![environment(&format!("shop={}", datafile.display()))];
        })
        .unwrap()
    };
    let variation = |server: &variate::server::Server| {
        let request = Request::new("POST /v1/activate?experimentKey=checkout_button")
            .body(r#"{"userId":"anna","userAttributes":{"country":"SE","age":34}}"#);
        ask(server.addresses().api.unwrap(), &request).json()[0]["variationKey"].clone()
    };
    let first = begin(true);
    let green = variation(&first);
    assert_eq!(green, "green");
    let lookup = Request::new("POST /v1/lookup").body(r#"{"userId":"anna"}"#);
    let looked_up = ask(first.addresses().api.unwrap(), &lookup).json();
    let kept = &looked_up["experimentBucketMap"]["9300001201101"]["variation_id"];
    assert!(kept.is_string(), "at once: {looked_up}");
    drop(first);

    // All traffic to the other variation.
    let mut shop: serde_json::Value = serde_json::from_str(&text).unwrap();
    for experiment in shop["experiments"].as_array_mut().unwrap() {
        if experiment["key"] == "checkout_button" {
            let orange = experiment["variations"][1]["id"].clone();
            experiment["trafficAllocation"] = json!([{"entityId": orange, "endOfRange": 10_000}]);
        }
    }
    std::fs::write(&datafile, shop.to_string()).unwrap();
    let without = begin(false);
    assert_eq!(variation(&without), "orange", "the traffic is another one");
    drop(without);
    assert_eq!(variation(&begin(true)), "green");
}

#[test]
fn a_forgotten_user_has_no_profile_and_no_override() {
    let folder = tempfile::tempdir().unwrap();
    let store = folder.path().join("store");
    let begin = || {
        start(store.clone(), |given| {
            enabled(given);
            given.agent.overrides = Some(true);
        })
        .unwrap()
    };
    let first = begin();
    let api = first.addresses().api.unwrap();
    for (what, body) in [
        ("POST /v1/save", r#"{"userId":"anna","experimentBucketMap":{"1":{"variation_id":"11"}}}"#),
        ("POST /v1/override", r#"{"userId":"anna","experimentKey":"a","variationKey":"b"}"#),
        ("POST /v1/override", r#"{"userId":"anna2","experimentKey":"a","variationKey":"b"}"#),
    ] {
        assert_eq!(ask(api, &Request::new(what).body(body)).status, 200);
    }
    drop(first);
    let forgotten = std::process::Command::new(env!("CARGO_BIN_EXE_variate"))
        .args(["events", "forget", "--environment", "production", "anna", "--store"])
        .arg(&store)
        .output()
        .unwrap();
    let said = String::from_utf8(forgotten.stdout).unwrap();
    let expect = "forgot anna: 0 activations, 0 pending events, 1 override, 1 profile\n";
    assert!(said.starts_with(expect), "{said}");
    let second = begin();
    let lookup = Request::new("POST /v1/lookup").body(r#"{"userId":"anna"}"#);
    let looked_up = ask(second.addresses().api.unwrap(), &lookup).json();
    assert_eq!(looked_up["experimentBucketMap"], json!({}));
    let listed = ask(second.addresses().admin.unwrap(), &Request::new("GET /overrides")).json();
    assert_eq!((&listed["total"], &listed["overrides"][0]["userId"]), (&json!(1), &json!("anna2")));
}

#[test]
fn a_store_that_takes_nothing_saves_nothing_and_decides() {
    let full = Daemon::with(|given| {
        enabled(given);
        given.disk_reserve = Some("9000000000GiB".parse().unwrap());
    });
    let body = r#"{"userId":"anna","experimentBucketMap":{"1":{"variation_id":"11"}}}"#;
    wait_for("the refusal", || (full.ask("POST /v1/save", body).status == 503).then_some(()));
    let decision = full.ask("POST /v1/decide?keys=search", r#"{"userId":"ben"}"#);
    assert_eq!(decision.status, 200);
    let lookup = full.ask("POST /v1/lookup", r#"{"userId":"ben"}"#).json();
    assert_eq!(lookup["experimentBucketMap"], json!({}), "what was not kept is not there");
}

/// Each sees the profile as it was before the other one.
#[test]
fn calls_for_one_user_at_the_same_time_lose_nothing_of_each_other() {
    let (together, one_by_one) = (Daemon::with(enabled), Daemon::with(enabled));
    let calls = ["POST /v1/activate?type=experiment&type=feature", "POST /v1/decide"];
    for user in 0..100 {
        let attributes = json!({"country": "SE", "age": 34});
        let body = json!({"userId": format!("user {user}"), "userAttributes": attributes});
        let body = body.to_string();
        std::thread::scope(|scope| {
            for _ in 0..2 {
                for call in calls {
                    scope.spawn(|| assert_eq!(together.ask(call, &body).status, 200));
                }
            }
        });
        for call in calls {
            one_by_one.ask(call, &body);
        }
        let profile = |shop: &Daemon| shop.ask("POST /v1/lookup", &body).json();
        let expect = profile(&one_by_one);
        assert!(expect["experimentBucketMap"].as_object().unwrap().len() > 1, "{expect}");
        assert_eq!(profile(&together), expect, "user {user}");
    }
}

#[test]
fn a_profile_is_forgotten_also_where_it_is_on_its_way_to_the_disk() {
    let shop = Daemon::with(enabled);
    let mut count = 0;
    for user in 0..30 {
        let user = format!("user {user}");
        let attributes = json!({"country": "SE", "age": 34});
        let body = json!({"userId": user, "userAttributes": attributes}).to_string();
        let options = json!({"userId": user, "userAttributes": attributes, "decideOptions": ["DISABLE_DECISION_EVENT"]});
        shop.ask("POST /v1/decide", &options.to_string());
        let forget = json!({"environment": "production", "user": user}).to_string();
        let request = Request::new("POST /events/forget").body(&forget);
        let forgotten = ask(shop.admin(), &request);
        // Whoever is in no experiment has none.
        assert!([200, 404].contains(&forgotten.status), "{user}: {forgotten:?}");
        count += usize::from(forgotten.status == 200);
        let profile = shop.ask("POST /v1/lookup", &body).json();
        assert_eq!(profile["experimentBucketMap"], json!({}), "{user}");
    }
    assert!(count > 10, "{count}");
}

/// Steps of what a profile decided.
fn sticky_steps(decision: &serde_json::Value) -> usize {
    let steps = decision["explanation"].as_array().unwrap();
    assert!(!steps.is_empty(), "{decision}");
    decision["explanation"].to_string().matches("\"step\":\"profile\"").count()
}

#[test]
fn the_decision_that_is_answered_is_the_one_that_is_explained() {
    let shop = Daemon::with(enabled);
    let saved =
        r#"{"userId":"anna","experimentBucketMap":{"9300001202101":{"variation_id":"1652401"}}}"#;
    assert_eq!(shop.ask("POST /v1/save", saved).status, 200);
    let check = |user: &str, options: serde_json::Value, expect: usize| {
        let body = json!({"userId": user, "decideOptions": options});
        let decision =
            shop.ask("POST /v1/decide?keys=homepage&explain=true", &body.to_string()).json();
        assert_eq!(sticky_steps(&decision), expect, "{user} {options}: {decision}");
        decision
    };
    let ignoring = check("anna", json!(["IGNORE_USER_PROFILE_SERVICE"]), 0);
    assert!(ignoring["explanation"].to_string().contains("bucket"), "{ignoring}");
    let sticky = check("anna", json!(["INCLUDE_REASONS", "DISABLE_DECISION_EVENT"]), 1);
    let said = "User \"anna\" was previously bucketed into variation \"still\" of experiment \"homepage_hero\".";
    assert_eq!(sticky["variationKey"], "still");
    assert!(sticky["reasons"].as_array().unwrap().contains(&json!(said)), "{sticky}");
    // Whoever is new was bucketed by this decision, and is sticky from the next one on.
    check("ben", json!([]), 0);
    check("ben", json!([]), 1);
    let several = |keys: &str| {
        let what = format!("POST /v1/decide?explain=true{keys}");
        let decisions = shop.ask(&what, r#"{"userId":"cleo"}"#).json();
        decisions.as_array().unwrap().iter().map(sticky_steps).sum::<usize>()
    };
    assert_eq!(several("&keys=homepage&keys=recommendations"), 0);
    assert_eq!(several("&keys=homepage&keys=recommendations"), 2);
}
