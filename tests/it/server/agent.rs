//! The interface of Optimizely Agent: shapes, status codes, error bodies, texts.
//!
//! Must not know which variation anybody gets, beyond the shop's.

use serde_json::{Value, json};

use super::{Daemon, SHOP, environment};

const ANNA: &str = r#"{"userId":"anna","userAttributes":{"country":"SE","age":34}}"#;

/// A body for a user of the shop, with more members.
fn anna(more: Value) -> String {
    let mut body = json!({"userId": "anna", "userAttributes": {"country": "SE", "age": 34}});
    for (name, value) in more.as_object().unwrap() {
        body[name] = value.clone();
    }
    body.to_string()
}

/// An error body.
fn error(text: &str) -> String {
    format!("{}\n", json!({"error": text}))
}

#[test]
fn one_key_gives_an_object_and_several_give_a_list() {
    let shop = Daemon::shop();
    let one = shop.ask("POST /v1/decide?keys=express_checkout", ANNA);
    assert_eq!(one.status, 200);
    let one = one.json();
    assert_eq!(one["flagKey"], "express_checkout");
    assert_eq!(
        one["userContext"],
        json!({"userId": "anna", "attributes": {"country": "SE", "age": 34}})
    );
    assert_eq!(one["reasons"], json!([]));
    assert!(one["variables"].is_object(), "{one}");
    assert_eq!(one.get("recorded"), None, "it was recorded");

    let two =
        shop.ask("POST /v1/decide?keys=support&keys=express_checkout&keys=support", ANNA).json();
    let keys: Vec<_> = two.as_array().unwrap().iter().map(|one| one["flagKey"].clone()).collect();
    assert_eq!(keys, ["support", "express_checkout"], "in the order asked, each once");
    assert_eq!(two[1], one);

    let all = shop.ask("POST /v1/decide", ANNA).json();
    let keys: Vec<_> = all.as_array().unwrap().iter().map(|one| one["flagKey"].clone()).collect();
    let text = std::fs::read_to_string(SHOP).unwrap();
    let shop: Value = serde_json::from_str(&text).unwrap();
    let flags = shop["featureFlags"].as_array().unwrap();
    let in_order: Vec<_> = flags.iter().map(|flag| flag["key"].clone()).collect();
    assert_eq!(keys, in_order, "in the datafile's order");
}

#[test]
fn a_decision_has_the_members_of_agent_in_its_order() {
    let shop = Daemon::shop();
    let body = r#"{"userId":"mia","userAttributes":null,"decideOptions":["EXCLUDE_VARIABLES"]}"#;
    shop.check(
        "POST /v1/decide?keys=returns_portal",
        body,
        (
            200,
            "{\"variationKey\":\"\",\"enabled\":false,\"ruleKey\":\"\",\"flagKey\":\"returns_portal\",\"userContext\":{\"userId\":\"mia\",\"attributes\":{}},\"reasons\":[],\"isEveryoneElseVariation\":false}\n",
        ),
    );
    shop.check(
        "POST /v1/decide?keys=x",
        body,
        (
            200,
            "{\"variationKey\":\"\",\"enabled\":false,\"ruleKey\":\"\",\"flagKey\":\"x\",\"userContext\":{\"userId\":\"mia\",\"attributes\":{}},\"reasons\":[\"No flag was found for key \\\"x\\\".\"],\"isEveryoneElseVariation\":false}\n",
        ),
    );
}

#[test]
fn who_falls_through_to_everyone_else_is_told_so() {
    let shop = Daemon::shop();
    let body = anna(json!({"decideOptions": ["INCLUDE_REASONS"]}));
    let all = shop.ask("POST /v1/decide", &body).json();
    let mut seen = 0;
    for decision in all.as_array().unwrap() {
        let rule = decision["ruleKey"].as_str().unwrap();
        assert_eq!(decision["isEveryoneElseVariation"], rule.starts_with("default-"), "{decision}");
        seen += usize::from(rule.starts_with("default-"));
        assert!(!decision["reasons"].as_array().unwrap().is_empty(), "{decision}");
    }
    assert!(seen > 0, "nobody falls through: {all}");
}

#[test]
fn forced_decisions_come_with_the_call() {
    let shop = Daemon::shop();
    let forced =
        json!([{"flagKey": "search", "ruleKey": "search_ranking", "variationKey": "by_margin"}]);
    let body = anna(json!({"forcedDecisions": forced, "decideOptions": ["INCLUDE_REASONS"]}));
    let decision = shop.ask("POST /v1/decide?keys=search", &body).json();
    assert_eq!(decision["variationKey"], "by_margin", "{decision}");
    let said = "Variation (by_margin) is mapped to flag (search), rule (search_ranking) and user (anna) in the forced decision map.";
    let reasons = decision["reasons"].as_array().unwrap();
    assert!(reasons.iter().any(|reason| reason == said), "{reasons:?}");
    let without = shop.ask("POST /v1/decide?keys=search", ANNA).json();
    assert_ne!(without["variationKey"], "by_margin", "it is not remembered");
}

#[test]
fn a_decision_is_explained_on_request() {
    let shop = Daemon::shop();
    let decision = shop.ask("POST /v1/decide?keys=homepage&explain=true", ANNA).json();
    let steps = decision["explanation"].as_array().unwrap();
    assert!(steps.iter().all(|step| step["step"].is_string()), "{steps:?}");
    assert!(!steps.is_empty());
    let plain = shop.ask("POST /v1/decide?keys=homepage", ANNA).json();
    assert_eq!(plain.get("explanation"), None);
}

/// An error, which Agent tells of where nobody asked for reasons.
#[test]
fn a_variable_without_a_value_is_a_reason() {
    let folder = tempfile::tempdir().unwrap();
    let shop = std::fs::read_to_string(super::SHOP).unwrap();
    let mut shop: Value = serde_json::from_str(&shop).unwrap();
    for variable in shop["featureFlags"][0]["variables"].as_array_mut().unwrap() {
        if ["page_size", "boost"].contains(&variable["key"].as_str().unwrap()) {
            variable["defaultValue"] = json!("many");
        }
    }
    shop["rollouts"] = json!([]);
    shop["experiments"] = json!([]);
    shop["groups"] = json!([]);
    let shop = Daemon::following(&folder, &shop, |given| given.agent.notifications = Some(true));
    let mut frames = super::notifications::Reader::new(&shop, "");
    let mut reasons = |options: Value| {
        let body = anna(json!({"decideOptions": options}));
        let decision = shop.ask("POST /v1/decide?keys=search", &body).json();
        assert_eq!(frames.frame()["DecisionInfo"]["reasons"], decision["reasons"]);
        decision["reasons"].as_array().cloned().unwrap()
    };
    let wrong = ["page_size", "boost"]
        .map(|key| json!(format!("Variable value for key \"{key}\" is invalid or wrong type.")));
    assert_eq!(reasons(json!([])), wrong);
    let all = reasons(json!(["INCLUDE_REASONS"]));
    assert!(all.starts_with(&wrong) && all.len() > wrong.len(), "{all:?}");
    assert_eq!(reasons(json!(["EXCLUDE_VARIABLES"])), Vec::<Value>::new());
    let several = shop.ask("POST /v1/decide?keys=search&keys=support", ANNA).json();
    assert_eq!((&several[0]["reasons"], &several[1]["reasons"]), (&json!(wrong), &json!([])));
}

#[test]
fn wrong_bodies_get_the_texts_of_agent() {
    let shop = Daemon::shop();
    let no_user = error("missing \"userId\" in request payload");
    let no_json = error("error parsing request body");
    let cases: &[(&str, &str, u16, String)] = &[
        ("POST /v1/decide", "{}", 400, no_user.clone()),
        ("POST /v1/decide", "", 400, no_user.clone()),
        ("POST /v1/decide", "null", 400, no_user.clone()),
        ("POST /v1/decide", r#"{"userId":""}"#, 400, no_user.clone()),
        ("POST /v1/decide", r#"{"userId":null}"#, 400, no_user.clone()),
        ("POST /v1/decide", "{", 400, no_json.clone()),
        ("POST /v1/decide", "[]", 400, no_json.clone()),
        ("POST /v1/decide", r#"{"userId":1}"#, 400, no_json.clone()),
        ("POST /v1/decide", r#"{"userId":"a","userAttributes":[]}"#, 400, no_json.clone()),
        (
            "POST /v1/decide",
            r#"{"userId":"a","decideOptions":["X"]}"#,
            400,
            error("invalid option: X"),
        ),
        (
            "POST /v1/decide",
            r#"{"userId":"a","fetchSegments":true}"#,
            500,
            error("failed to fetch qualified segments"),
        ),
        ("POST /v1/activate", "{}", 400, no_user),
        ("POST /v1/activate", "{", 400, no_json.clone()),
        ("POST /v1/activate?type=x", ANNA, 400, error("type \"x\" not supported")),
        ("POST /v1/track", ANNA, 400, error("missing required path parameter: eventKey")),
        ("POST /v1/track?eventKey=", ANNA, 400, error("missing required path parameter: eventKey")),
        ("POST /v1/track?eventKey=purchase", "{", 400, no_json.clone()),
        ("POST /v1/track?eventKey=purchase", r#"{"timestamp":"now"}"#, 400, no_json),
    ];
    for (what, body, status, text) in cases {
        shop.check(what, body, (*status, text));
    }
}

#[test]
fn activations_and_what_they_earn() {
    let shop = Daemon::shop();
    shop.check(
        "POST /v1/activate?experimentKey=checkout_button&experimentKey=nothing&featureKey=none",
        ANNA,
        (
            200,
            "[{\"userId\":\"anna\",\"experimentKey\":\"checkout_button\",\"featureKey\":\"\",\"variationKey\":\"green\",\"type\":\"experiment\",\"enabled\":true},\
             {\"userId\":\"anna\",\"experimentKey\":\"nothing\",\"featureKey\":\"\",\"variationKey\":\"\",\"type\":\"\",\"enabled\":false,\"error\":\"experimentKey not found\"},\
             {\"userId\":\"anna\",\"experimentKey\":\"\",\"featureKey\":\"none\",\"variationKey\":\"\",\"type\":\"\",\"enabled\":false,\"error\":\"featureKey not found\"}]\n",
        ),
    );
    let order = anna(json!({"eventId": "order-1", "eventTags": {"revenue": 129_900}}));
    shop.check(
        "POST /v1/track?eventKey=purchase",
        &order,
        (
            200,
            "{\"userId\":\"anna\",\"eventKey\":\"purchase\",\"eventId\":\"order-1\",\"credits\":[{\"experimentKey\":\"checkout_button\",\"variationKey\":\"green\"}],\"duplicate\":false,\"revision\":\"87\"}\n",
        ),
    );
    shop.check(
        "POST /v1/track?eventKey=purchase",
        &order,
        (
            200,
            "{\"userId\":\"anna\",\"eventKey\":\"purchase\",\"eventId\":\"order-1\",\"credits\":[],\"reason\":\"duplicate\",\"duplicate\":true,\"revision\":\"87\"}\n",
        ),
    );
    shop.check(
        "POST /v1/track?eventKey=nothing",
        ANNA,
        (
            200,
            "{\"userId\":\"anna\",\"eventKey\":\"nothing\",\"error\":\"event with key \\\"nothing\\\" not found\",\"credits\":[],\"reason\":\"unknown-event\",\"duplicate\":false,\"revision\":\"87\"}\n",
        ),
    );
}

#[test]
fn an_event_without_an_id_gets_one() {
    let shop = Daemon::shop();
    let tracked = shop.ask("POST /v1/track?eventKey=purchase", ANNA).json();
    let id = tracked["eventId"].as_str().unwrap();
    assert!(uuid::Uuid::parse_str(id).is_ok(), "{tracked}");
    assert_eq!(tracked["reason"], "no-activation", "{tracked}");
    let records = shop.ask_admin("GET /events?type=conversion").body;
    let record: Value = serde_json::from_str(records.trim()).unwrap();
    assert_eq!(record["eventId"], id, "the same as in the record");
}

#[test]
fn events_have_the_time_of_the_caller() {
    let shop = Daemon::shop();
    shop.ask("POST /v1/activate?experimentKey=checkout_button", ANNA);
    let early =
        shop.ask("POST /v1/track?eventKey=purchase", &anna(json!({"timestamp": 1_000}))).json();
    assert_eq!(early["reason"], "before-activation", "{early}");
    let now =
        shop.ask("POST /v1/track?eventKey=purchase", &anna(json!({"timestamp": null}))).json();
    assert_eq!(now["credits"][0]["experimentKey"], "checkout_button", "{now}");
}

#[test]
fn activating_all_of_a_kind_keeps_the_order_of_the_datafile() {
    let shop = Daemon::shop();
    let of_kind = |query: &str| shop.ask(&format!("POST /v1/activate?{query}"), ANNA).json();
    let keys = |answers: &Value, member: &str| -> Vec<String> {
        let answers = answers.as_array().unwrap().iter();
        answers.map(|answer| answer[member].as_str().unwrap().to_owned()).collect()
    };
    let experiments = keys(&of_kind("type=experiment"), "experimentKey");
    assert_eq!(experiments.first().map(String::as_str), Some("checkout_button"));
    assert!(experiments.contains(&"homepage_hero".to_owned()), "groups, too: {experiments:?}");
    assert!(!experiments.iter().any(|key| key.starts_with("default-")), "{experiments:?}");
    let flags = of_kind("type=feature");
    assert_eq!(keys(&flags, "featureKey").first().map(String::as_str), Some("search"));
    for flag in flags.as_array().unwrap() {
        assert_eq!(flag["type"], "feature");
        let is_test = flag["experimentKey"] != "";
        assert_eq!(is_test, flag["variationKey"] != "", "both or none: {flag}");
    }
    let on = of_kind("type=feature&enabled=true");
    assert!(on.as_array().unwrap().iter().all(|flag| flag["enabled"] == true), "{on}");
    let off = of_kind("type=feature&enabled=false");
    let count = |answers: &Value| answers.as_array().unwrap().len();
    assert_eq!(count(&on) + count(&off), count(&flags));
}

#[test]
fn without_tracking_nothing_is_recorded() {
    let shop = Daemon::shop();
    let query = "type=experiment&type=feature&disableTracking=true";
    let answers = shop.ask(&format!("POST /v1/activate?{query}"), ANNA).json();
    assert_eq!(answers[0]["variationKey"], "green");
    let body = anna(json!({"decideOptions": ["DISABLE_DECISION_EVENT"]}));
    assert_eq!(shop.ask("POST /v1/decide", &body).status, 200);
    assert_eq!(shop.ask_admin("GET /events").body, "");
}

#[test]
fn the_configuration_has_the_members_of_agent() {
    let shop = Daemon::shop();
    let answer = shop.ask("GET /v1/config", "");
    assert_eq!((answer.status, answer.header("variate-revision")), (200, Some("87")));
    let config = answer.json();
    let members: Vec<_> = config.as_object().unwrap().keys().map(String::as_str).collect();
    assert_eq!(
        members,
        [
            "attributes",
            "audiences",
            "environmentKey",
            "events",
            "experimentsMap",
            "featuresMap",
            "revision",
            "sdkKey"
        ]
    );
    let experiment = &config["experimentsMap"]["checkout_button"];
    assert_eq!(experiment["key"], "checkout_button");
    assert!(experiment["variationsMap"]["green"]["featureEnabled"].is_boolean(), "{experiment}");
    let flag = &config["featuresMap"]["search"];
    assert_eq!(flag["variablesMap"]["page_size"]["type"], "integer");
    assert_eq!(flag["experimentRules"][0]["key"], "search_ranking");
    assert_eq!(flag["experimentsMap"]["search_ranking"]["key"], "search_ranking");
    assert!(flag["deliveryRules"].as_array().unwrap().len() > 1);
    assert!(
        config["audiences"]
            .as_array()
            .unwrap()
            .iter()
            .all(|one| one["id"] != "$opt_dummy_audience")
    );
}

#[test]
fn a_store_that_takes_nothing_switches_no_flag_off() {
    let full = Daemon::with(|given| {
        given.disk_reserve = Some("9000000000GiB".parse().unwrap());
    });
    super::wait_for("the refusal", || {
        let refused = full.ask("POST /v1/track?eventKey=purchase", ANNA);
        (refused.status == 503).then_some(refused)
    });
    for what in
        ["POST /v1/track?eventKey=purchase", "POST /v1/activate?experimentKey=checkout_button"]
    {
        let refused = full.ask(what, ANNA);
        assert_eq!((refused.status, refused.header("retry-after")), (503, Some("1")), "{what}");
        assert_eq!(
            refused.body,
            error("this was not stored, and nothing of it is kept: send it again soon")
        );
    }
    let problems = full.ask_admin("GET /problems").json();
    let problems = problems["problems"].as_array().unwrap();
    assert_eq!((problems.len(), &problems[0]["kind"]), (1, &json!("store")), "{problems:?}");
    assert!(problems[0]["count"].as_u64() >= Some(2), "{problems:?}");
    let decision = full.ask("POST /v1/decide?keys=homepage", ANNA);
    assert_eq!(decision.status, 200);
    assert_eq!(decision.json()["recorded"], false, "{decision:?}");
    let ready = full.ask("GET /ready", "");
    assert_eq!((ready.status, &ready.json()["store"]["state"]), (503, &json!("refusing")));
    assert_eq!(full.ask("GET /health", "").status, 200);
    let metrics = full.ask_admin("GET /metrics").body;
    assert!(metrics.contains("variate_store_taking 0"), "{metrics}");
    assert!(
        metrics
            .contains("variate_not_recorded_total{environment=\"production\",call=\"answered\"} 1"),
        "{metrics}"
    );
}

#[test]
fn an_answer_that_would_repeat_much_many_times_is_refused() {
    let shop = Daemon::shop();
    let body =
        json!({"userId": "anna", "userAttributes": {"text": "x".repeat(200_000)}}).to_string();
    let keys = |count: usize| {
        let keys: Vec<String> = (0..count).map(|place| format!("keys=k{place}")).collect();
        format!("POST /v1/decide?{}", keys.join("&"))
    };
    assert_eq!(shop.ask(&keys(30), &body).status, 200);
    let refused = shop.ask(&keys(100), &body);
    assert_eq!(refused.status, 413, "{}", refused.body);
    let long = json!({"userId": "x".repeat(900_000)}).to_string();
    let what = "POST /v1/activate?type=experiment&type=feature";
    assert_eq!(shop.ask(what, &long).status, 413);
}

#[test]
fn before_there_is_a_datafile_nothing_is_made_up() {
    // Nobody listens there.
    let daemon = Daemon::with(|given| {
        given.environments = vec![environment("http://127.0.0.1:9/shop.json")]
    });
    let not_yet = error("there is no datafile yet: ask again soon");
    for what in
        ["POST /v1/activate?experimentKey=checkout_button", "POST /v1/track?eventKey=purchase"]
    {
        daemon.check(what, ANNA, (503, &not_yet));
    }
    for what in ["GET /v1/config", "GET /v1/datafile"] {
        daemon.check(what, "", (503, &not_yet));
    }
    let decision = daemon.ask("POST /v1/decide?keys=homepage", ANNA).json();
    assert_eq!(decision["reasons"], json!(["Optimizely SDK not configured properly yet."]));
    daemon.check("POST /v1/decide", ANNA, (200, "[]\n"));
    let ready = daemon.ask("GET /ready", "");
    assert_eq!(
        (ready.status, &ready.json()["environments"][0]["state"]),
        (503, &json!("never-loaded"))
    );
}

#[test]
fn a_holdout_is_off_and_says_its_key() {
    let shop = Daemon::shop();
    let held = (0..2000).find_map(|place| {
        let body = json!({"userId": format!("user-{place}"), "decideOptions": ["INCLUDE_REASONS"]});
        let decision = shop.ask("POST /v1/decide?keys=search", &body.to_string()).json();
        decision["ruleKey"].as_str()?.starts_with("holdout_").then_some(decision)
    });
    let held = held.expect("somebody is held out");
    assert_eq!((&held["enabled"], &held["variationKey"]), (&json!(false), &json!("off")), "{held}");
    let (user, rule) = (held["userContext"]["userId"].as_str().unwrap(), &held["ruleKey"]);
    let said = format!("User {user} is in variation off of holdout {}.", rule.as_str().unwrap());
    assert!(held["reasons"].as_array().unwrap().contains(&json!(said)), "{held}");
    let body = json!({"userId": user}).to_string();
    let activated = shop.ask("POST /v1/activate?featureKey=search", &body).json()[0].clone();
    assert_eq!(
        (&activated["experimentKey"], &activated["variationKey"], &activated["enabled"]),
        (rule, &json!("off"), &json!(false)),
        "{activated}"
    );
}

#[test]
fn only_enabled_flags_leaves_a_single_flag_alone() {
    let shop = Daemon::shop();
    let body = anna(json!({"decideOptions": ["ENABLED_FLAGS_ONLY"]}));
    let all = shop.ask("POST /v1/decide", &body).json();
    assert!(all.as_array().unwrap().iter().all(|one| one["enabled"] == true), "{all}");
    let one = shop.ask("POST /v1/decide?keys=returns_portal", &body).json();
    assert_eq!((&one["flagKey"], &one["enabled"]), (&json!("returns_portal"), &json!(false)));
    let unknown = shop.ask("POST /v1/decide?keys=nothing", &body).json();
    assert_eq!(unknown["reasons"], json!(["No flag was found for key \"nothing\"."]));
}

#[test]
fn every_option_of_agent_is_known() {
    let shop = Daemon::shop();
    let options = [
        "DISABLE_DECISION_EVENT",
        "ENABLED_FLAGS_ONLY",
        "IGNORE_USER_PROFILE_SERVICE",
        "EXCLUDE_VARIABLES",
        "INCLUDE_REASONS",
        "IGNORE_CMAB_CACHE",
        "RESET_CMAB_CACHE",
        "INVALIDATE_USER_CMAB_CACHE",
    ];
    for option in options {
        let body =
            anna(json!({"decideOptions": [option], "fetchSegmentsOptions": ["RESET_CACHE"]}));
        assert_eq!(shop.ask("POST /v1/decide?keys=search", &body).status, 200, "{option}");
    }
}

#[test]
fn events_for_the_data_platform_are_answered_as_without_it() {
    let shop = Daemon::shop();
    let what = "POST /v1/send-odp-event";
    let event = r#"{"action":"a","identifiers":{"email":"a@example.com"},"data":{"x":1}}"#;
    shop.check(what, event, (500, &error("ODP is not integrated")));
    let no_action = error("missing \"action\" in request payload");
    shop.check(what, "", (400, &no_action));
    shop.check(what, r#"{"identifiers":{"email":"a@example.com"}}"#, (400, &no_action));
    let no_identifiers = error("missing or empty \"identifiers\" in request payload");
    shop.check(what, r#"{"action":"a"}"#, (400, &no_identifiers));
    shop.check(what, r#"{"action":"a","identifiers":{}}"#, (400, &no_identifiers));
    let no_json = error("error parsing request body");
    for body in ["{", r#"{"action":1}"#, r#"{"action":"a","identifiers":{"x":1}}"#] {
        shop.check(what, body, (400, &no_json));
    }
}

#[test]
fn what_agent_mounts_for_its_tests_is_not_there() {
    Daemon::shop().check(
        "POST /v1/reset",
        "{}",
        (404, &error("there is nothing here: look at the path")),
    );
}

#[test]
fn what_is_posted_has_to_be_json() {
    let shop = Daemon::with(|given| given.agent.overrides = Some(true));
    for path in ["decide", "activate", "track?eventKey=purchase", "override", "send-odp-event"] {
        let request = super::http::Request::new(&format!("POST /v1/{path}"))
            .header("Content-Type", "text/plain")
            .raw_body(ANNA);
        assert_eq!(super::http::ask(shop.api(), &request).status, 415, "{path}");
    }
}
