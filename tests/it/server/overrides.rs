//! Overrides: what Agent's clients see of them, who and why, until when, and that they outlive the daemon.
//!
//! Must not know how they are kept.

use std::sync::Arc;

use serde_json::{Value, json};
use variate::clock::Clock;
use variate::settings::Given;
use variate::store::{DurableSettings, DurableStore, Override};

use super::http::{Request, ask};
use super::{Daemon, SHOP, environment, start, wait_for};

fn enabled(given: &mut Given) {
    given.agent.overrides = Some(true);
}

/// What the shop's override answers, line for line.
#[track_caller]
fn check(daemon: &Daemon, body: &str, expect: (u16, &str)) {
    daemon.check("POST /v1/override", body, expect);
}

fn variation_of(daemon: &Daemon, user_id: &str, query: &str) -> Value {
    let body = json!({"userId": user_id, "userAttributes": {"country": "SE", "age": 34}});
    daemon.ask(&format!("POST /v1/activate?{query}"), &body.to_string()).json()[0]["variationKey"]
        .clone()
}

#[test]
fn they_are_off_unless_enabled() {
    let shop = Daemon::shop();
    for body in [r#"{"userId":"a","experimentKey":"b","variationKey":"c"}"#, "{", ""] {
        let answer = shop.ask("POST /v1/override", body);
        assert_eq!(
            (answer.status, answer.body.as_str()),
            (403, "Overrides not enabled\n"),
            "{body}"
        );
        assert_eq!(answer.header("content-type"), Some("text/plain; charset=utf-8"));
    }
    assert_eq!(shop.ask_admin("GET /overrides").status, 403);
    assert_eq!(
        shop.ask_admin("DELETE /overrides?environment=a&userId=b&experimentKey=c").status,
        403
    );
}

#[test]
fn the_shapes_and_messages_of_agent() {
    let shop = Daemon::with(enabled);
    let no_json = "{\"error\":\"error parsing request body\"}\n";
    check(&shop, "", (400, "{\"error\":\"userId cannot be empty\"}\n"));
    check(
        &shop,
        r#"{"userId":"","experimentKey":"x"}"#,
        (400, "{\"error\":\"userId cannot be empty\"}\n"),
    );
    check(&shop, r#"{"userId":"anna"}"#, (400, "{\"error\":\"experimentKey cannot be empty\"}\n"));
    check(&shop, "{", (400, no_json));
    check(&shop, r#"{"userId":1}"#, (400, no_json));
    check(
        &shop,
        r#"{"userId":"anna","experimentKey":"checkout_button","variationKey":""}"#,
        (
            200,
            "{\"userId\":\"anna\",\"experimentKey\":\"checkout_button\",\"variationKey\":\"\",\"prevVariationKey\":\"\",\"messages\":[\"no pre-existing override\"]}\n",
        ),
    );
    check(
        &shop,
        r#"{"userId":"anna","experimentKey":"checkout_button","variationKey":"orange"}"#,
        (
            200,
            "{\"userId\":\"anna\",\"experimentKey\":\"checkout_button\",\"variationKey\":\"orange\",\"prevVariationKey\":\"\",\"messages\":null}\n",
        ),
    );
    check(
        &shop,
        r#"{"userId":"anna","experimentKey":"checkout_button","variationKey":"green"}"#,
        (
            200,
            "{\"userId\":\"anna\",\"experimentKey\":\"checkout_button\",\"variationKey\":\"green\",\"prevVariationKey\":\"orange\",\"messages\":[\"updating previous override\"]}\n",
        ),
    );
    check(
        &shop,
        r#"{"userId":"anna","experimentKey":"nothing","variationKey":"green"}"#,
        (
            200,
            "{\"userId\":\"anna\",\"experimentKey\":\"nothing\",\"variationKey\":\"green\",\"prevVariationKey\":\"\",\"messages\":[\"experimentKey not found in configuration\"]}\n",
        ),
    );
    check(
        &shop,
        r#"{"userId":"anna","experimentKey":"checkout_button","variationKey":"blue"}"#,
        (
            200,
            "{\"userId\":\"anna\",\"experimentKey\":\"checkout_button\",\"variationKey\":\"blue\",\"prevVariationKey\":\"green\",\"messages\":[\"variationKey not found in configuration\",\"updating previous override\"]}\n",
        ),
    );
    check(
        &shop,
        r#"{"userId":"anna","experimentKey":"checkout_button"}"#,
        (
            200,
            "{\"userId\":\"anna\",\"experimentKey\":\"checkout_button\",\"variationKey\":\"\",\"prevVariationKey\":\"blue\",\"messages\":[\"removing previous override\"]}\n",
        ),
    );
}

#[test]
fn without_a_datafile_they_cannot_be_validated() {
    let daemon = Daemon::with(|given| {
        enabled(given);
        given.environments = vec![environment("http://127.0.0.1:9/shop.json")];
    });
    let body = r#"{"userId":"anna","experimentKey":"checkout_button","variationKey":"orange"}"#;
    let answer = daemon.ask("POST /v1/override", body).json();
    assert_eq!(answer["messages"], json!(["override cannot be validated via configuration"]));
}

#[test]
fn they_decide_are_marked_and_end_when_taken_back() {
    let shop = Daemon::with(enabled);
    assert_eq!(variation_of(&shop, "anna", "experimentKey=checkout_button"), "green");
    let set = |key: &str, variation: &str| {
        let body = json!({"userId": "anna", "experimentKey": key, "variationKey": variation});
        assert_eq!(shop.ask("POST /v1/override", &body.to_string()).status, 200);
    };
    set("checkout_button", "orange");
    set("search_ranking", "by_margin");
    assert_eq!(variation_of(&shop, "anna", "experimentKey=checkout_button"), "orange");
    let others = |user: &str| variation_of(&shop, user, "experimentKey=checkout_button");
    let seen = ["ben", "carl", "dora", "emil", "frida", "gus"].map(others);
    assert!(seen.contains(&json!("green")), "it is anna's alone: {seen:?}");
    let body = r#"{"userId":"anna","userAttributes":{"country":"SE","age":34}}"#;
    let flag = shop.ask("POST /v1/decide?keys=search", body).json();
    assert_eq!(
        (&flag["variationKey"], &flag["ruleKey"]),
        (&json!("by_margin"), &json!("search_ranking"))
    );
    // An activation is answered when it is stored, a decision at once.
    let records = wait_for("the impression of the decision", || {
        let records = shop.ask_admin("GET /events?type=impression&user=anna").body;
        (records.lines().count() >= 3).then_some(records)
    });
    let marked: Vec<(Value, Value)> = records
        .lines()
        .map(|line| serde_json::from_str::<Value>(line).unwrap())
        .map(|record| (record["variationKey"].clone(), record["forced"].clone()))
        .collect();
    let expect = [("green", false), ("orange", true), ("by_margin", true)];
    assert_eq!(marked, expect.map(|(key, forced)| (json!(key), json!(forced))));
    set("checkout_button", "");
    assert_eq!(variation_of(&shop, "anna", "experimentKey=checkout_button"), "green");
}

#[test]
fn who_why_and_until_when_are_listed_and_explained() {
    let shop = Daemon::with(enabled);
    let body = json!({
        "userId": "anna", "experimentKey": "search_ranking", "variationKey": "by_margin",
        "owner": "mia", "reason": "a screenshot", "ttl": "1h",
    });
    let set = shop.ask("POST /v1/override", &body.to_string()).json();
    assert_eq!((&set["owner"], &set["reason"]), (&json!("mia"), &json!("a screenshot")));
    let expires_at = set["expiresAt"].as_i64().unwrap();

    let decision =
        shop.ask("POST /v1/decide?keys=search&explain=true", r#"{"userId":"anna"}"#).json();
    let explained = decision["explanation"].to_string();
    let said = format!("\"expiresAt\":{expires_at},\"owner\":\"mia\",\"reason\":\"a screenshot\"");
    assert!(explained.contains(&said), "{explained}");
    let plain = shop.ask("POST /v1/decide?keys=search&explain=true", r#"{"userId":"ben"}"#).body;
    assert!(!plain.contains("mia"), "{plain}");

    let listed = shop.ask_admin("GET /overrides").json();
    let one = &listed["overrides"][0];
    assert_eq!(listed["total"], 1, "{listed}");
    assert_eq!(one["setAt"].as_i64().unwrap(), expires_at - 3_600_000);
    for (name, value) in [
        ("environment", "production"),
        ("userId", "anna"),
        ("experimentKey", "search_ranking"),
        ("variationKey", "by_margin"),
        ("owner", "mia"),
        ("reason", "a screenshot"),
    ] {
        assert_eq!(one[name], value, "{listed}");
    }
    assert_eq!(shop.ask_admin("GET /overrides?userId=ben").json()["total"], 0);
    assert_eq!(shop.ask_admin("GET /overrides?environment=x").status, 404);

    let gone = "DELETE /overrides?environment=production&userId=anna&experimentKey=search_ranking";
    assert_eq!(shop.ask_admin(gone).status, 204);
    assert_eq!(shop.ask_admin(gone).status, 404);
    assert_eq!(shop.ask_admin("DELETE /overrides?environment=production&userId=anna").status, 400);
    assert_eq!(shop.ask_admin("GET /overrides").body, "{\"overrides\":[],\"total\":0}\n");
}

#[test]
fn one_that_is_over_does_not_count() {
    let shop = Daemon::with(enabled);
    let body = json!({"userId": "anna", "experimentKey": "checkout_button", "variationKey": "orange", "ttl": 1500});
    assert_eq!(shop.ask("POST /v1/override", &body.to_string()).status, 200);
    assert_eq!(variation_of(&shop, "anna", "experimentKey=checkout_button"), "orange");
    wait_for("the end of the override", || {
        (variation_of(&shop, "anna", "experimentKey=checkout_button") == "green").then_some(())
    });
    assert_eq!(shop.ask_admin("GET /overrides").json()["total"], 0);
    let body = json!({"userId": "anna", "experimentKey": "checkout_button"});
    let removed = shop.ask("POST /v1/override", &body.to_string()).json();
    assert_eq!(removed["messages"], json!(["no pre-existing override"]));
}

/// JSON has one kind of numbers.
#[test]
fn whole_numbers_may_be_written_with_a_point() {
    let shop = Daemon::with(enabled);
    let set = |more: &str| {
        let body = format!(
            r#"{{"userId":"anna","experimentKey":"checkout_button","variationKey":"orange",{more}}}"#
        );
        let answer = shop.ask("POST /v1/override", &body);
        assert_eq!(answer.status, 200, "{more}: {answer:?}");
        answer.json()["expiresAt"].clone()
    };
    assert_eq!(set("\"expiresAt\":4102444800000.0"), 4_102_444_800_000_i64);
    assert_eq!(set("\"expiresAt\":4.1024448e12"), 4_102_444_800_000_i64);
    assert!(set("\"ttl\":5000.0").is_i64());
    assert_eq!(set("\"ttl\":null,\"expiresAt\":null"), Value::Null);
}

#[test]
fn what_cannot_be_used_is_said() {
    let shop = Daemon::with(enabled);
    let check = |more: Value, expect: &str| {
        let mut body =
            json!({"userId": "anna", "experimentKey": "checkout_button", "variationKey": "orange"});
        for (name, value) in more.as_object().unwrap() {
            body[name] = value.clone();
        }
        let answer = shop.ask("POST /v1/override", &body.to_string());
        assert_eq!((answer.status, &answer.json()["error"]), (400, &json!(expect)), "{body}");
    };
    let over =
        "the override would be over already: give a later time, in milliseconds since the epoch";
    let ttl = "ttl cannot be used: give milliseconds, or a span such as 30m, 1h or 2d";
    check(json!({"expiresAt": 1}), over);
    check(json!({"ttl": 0}), over);
    check(json!({"ttl": -5}), over);
    check(json!({"ttl": "soon"}), ttl);
    check(json!({"ttl": true}), ttl);
    check(json!({"ttl": 1.5}), ttl);
    check(json!({"ttl": 1e30}), ttl);
    check(json!({"expiresAt": 4_102_444_800_000.5}), "error parsing request body");
    check(json!({"ttl": 5, "expiresAt": 5}), "expiresAt and ttl say the same: give one of them");
    check(json!({"expiresAt": "soon"}), "error parsing request body");
    let long = "x".repeat(1001);
    for name in ["userId", "experimentKey", "variationKey", "owner", "reason"] {
        check(
            json!({name: long}),
            &format!("{name} is longer than 1000 bytes: give a shorter one"),
        );
    }
    assert_eq!(shop.ask_admin("GET /overrides").json()["total"], 0);
}

/// One that was to end must not stay in silence.
#[test]
fn a_field_that_is_nearly_an_extension_is_told() {
    let shop = Daemon::with(enabled);
    let messages = |more: Value| {
        let mut body =
            json!({"userId": "anna", "experimentKey": "checkout_button", "variationKey": "green"});
        body.as_object_mut().unwrap().extend(more.as_object().unwrap().clone());
        let answer = shop.ask("POST /v1/override", &body.to_string());
        assert_eq!(answer.status, 200, "{answer:?}");
        let messages = answer.json()["messages"].as_array().cloned().unwrap_or_default();
        let told = messages.into_iter().filter(|text| text != "updating previous override");
        told.collect::<Vec<_>>()
    };
    let told = |field: &str| vec![json!(format!("a field looks like {field} and is not read"))];
    assert_eq!(messages(json!({"expires_at": 4_102_444_800_000_i64})), told("expiresAt"));
    assert_eq!(messages(json!({"expriesAt": {}})), told("expiresAt"));
    assert_eq!(messages(json!({"TTL": "1h"})), told("ttl"));
    let two = json!({"Owner": "ann", "reasons": "x"});
    assert_eq!(messages(two), [told("owner"), told("reason")].concat());
    let none = json!({"ttl": "1h", "expires_at": 1, "tt": 2, "more": 3});
    assert_eq!(messages(none), Vec::<Value>::new());
    let ending = shop.ask_admin("GET /overrides").json();
    assert!(ending["overrides"][0]["expiresAt"].is_i64(), "{ending}");
}

#[test]
fn they_outlive_the_daemon_and_each_belongs_to_its_environment() {
    let folder = tempfile::tempdir().unwrap();
    let other = folder.path().join("other.json");
    let text = std::fs::read_to_string(SHOP).unwrap();
    std::fs::write(
        &other,
        text.replace("Qm4ShopVr8Kd2Zp7Tn1Xw", "other").replace("\"production\"", "\"staging\""),
    )
    .unwrap();
    let begin = |is_enabled: bool| {
        start(folder.path().join("store"), |given| {
            given.agent.overrides = Some(is_enabled);
            given.environments.push(environment(other.to_str().unwrap()));
        })
        .unwrap()
    };
    let variations = |server: &variate::server::Server| {
        ["Qm4ShopVr8Kd2Zp7Tn1Xw", "other"].map(|key| {
            let request = Request::new("POST /v1/activate?experimentKey=checkout_button")
                .header("X-Optimizely-SDK-Key", key)
                .body(r#"{"userId":"anna"}"#);
            ask(server.addresses().api.unwrap(), &request).json()[0]["variationKey"].clone()
        })
    };
    let first = begin(true);
    let set = |body: &Value| {
        let request = Request::new("POST /v1/override")
            .header("X-Optimizely-SDK-Key", "other")
            .body(&body.to_string());
        assert_eq!(ask(first.addresses().api.unwrap(), &request).status, 200);
    };
    set(
        &json!({"userId": "anna", "experimentKey": "checkout_button", "variationKey": "orange", "owner": "mia"}),
    );
    set(
        &json!({"userId": "ben", "experimentKey": "checkout_button", "variationKey": "orange", "ttl": 1}),
    );
    assert_eq!(variations(&first), ["green", "orange"]);
    drop(first);

    let second = begin(true);
    assert_eq!(variations(&second), ["green", "orange"]);
    let listed = ask(second.addresses().admin.unwrap(), &Request::new("GET /overrides")).json();
    let one = &listed["overrides"][0];
    assert_eq!(
        (&listed["total"], &one["environment"], &one["owner"]),
        (&json!(1), &json!("staging"), &json!("mia"))
    );
    drop(second);

    let third = begin(false);
    assert_eq!(variations(&third), ["green", "green"], "switched off, they do not count");
    drop(third);
    assert_eq!(variations(&begin(true)), ["green", "orange"], "and are still there");
}

#[test]
fn what_is_not_stored_does_not_count() {
    let full = Daemon::with(|given| {
        enabled(given);
        given.disk_reserve = Some("9000000000GiB".parse().unwrap());
    });
    let body = r#"{"userId":"anna","experimentKey":"checkout_button","variationKey":"orange"}"#;
    let refused = wait_for("the refusal", || {
        let answer = full.ask("POST /v1/override", body);
        (answer.status == 503).then_some(answer)
    });
    assert_eq!(refused.header("retry-after"), Some("1"));
}

/// They are all in memory, so that there is an end to them.
#[test]
fn an_environment_has_so_many_and_no_more() {
    const MOST: usize = 10_000;
    let folder = tempfile::tempdir().unwrap();
    let store = folder.path().join("store");
    let settings = DurableSettings::default();
    let filling = DurableStore::open(&store, Arc::new(Clock::system()), settings).unwrap();
    for place in 0..MOST {
        drop(filling.keep_override(
            "production",
            &Override {
                user_id: format!("user-{place}").into(),
                experiment_key: "checkout_button".into(),
                variation_key: "orange".into(),
                owner: None,
                reason: None,
                set_at_ms: 1,
                expires_at_ms: None,
            },
        ));
    }
    drop(filling);
    let server = start(store, enabled).unwrap();
    let set = |body: Value| {
        let request = Request::new("POST /v1/override").body(&body.to_string());
        ask(server.addresses().api.unwrap(), &request)
    };
    let one = |user_id: &str, variation_key: &str| json!({"userId": user_id, "experimentKey": "checkout_button", "variationKey": variation_key});
    let refused = set(one("anna", "green"));
    let expect = "{\"error\":\"there are 10000 overrides already: take some back\"}\n";
    assert_eq!((refused.status, refused.body.as_str()), (422, expect));
    assert_eq!(set(one("user-7", "green")).status, 200, "another one in its place");
    assert_eq!(set(one("user-8", "")).status, 200);
    assert_eq!(set(one("anna", "green")).status, 200, "there is room again");
    let listed = ask(server.addresses().admin.unwrap(), &Request::new("GET /overrides?limit=2"));
    let listed = listed.json();
    assert_eq!(listed["total"], MOST);
    let users: Vec<_> =
        listed["overrides"].as_array().unwrap().iter().map(|one| &one["userId"]).collect();
    assert_eq!(users, ["anna", "user-0"]);
}
