//! Batches: several requests in one, each on its own.
//!
//! Must not know how single requests are answered.

use serde_json::{Value, json};

use super::{Daemon, SHOP, SHOP_KEY, environment};

/// What a batch of these operations answers.
fn batch(daemon: &Daemon, operations: Value) -> Value {
    let answer = daemon.ask("POST /v1/batch", &json!({"operations": operations}).to_string());
    assert_eq!(answer.status, 200, "{answer:?}");
    assert_eq!(answer.header("content-type"), Some("application/json; charset=utf-8"));
    answer.json()
}

/// The status of each operation.
#[track_caller]
fn check(daemon: &Daemon, operations: Value, expect: &[u16]) {
    let answer = batch(daemon, operations.clone());
    let statuses: Vec<u64> = answer["response"]
        .as_array()
        .unwrap()
        .iter()
        .map(|one| one["status"].as_u64().unwrap())
        .collect();
    assert_eq!(
        statuses,
        expect.iter().map(|status| u64::from(*status)).collect::<Vec<_>>(),
        "{operations}: {answer}"
    );
    let errors = expect.iter().filter(|status| **status != 200).count();
    assert_eq!(answer["errorCount"], errors, "{answer}");
}

#[test]
fn each_is_answered_as_if_it_had_come_alone_in_the_order_of_the_batch() {
    let shop = Daemon::shop();
    let anna = json!({"userId": "anna"});
    let operations = json!([
        {"method": "POST", "url": "/v1/decide", "operationID": "1", "body": anna, "params": {"keys": "search"}, "headers": {"X-Request-Id": "mine"}},
        {"method": "GET", "url": "/v1/config", "operationID": "2", "body": {"ignored": true}},
        {"method": "POST", "url": "/v1/track?eventKey=purchase", "operationID": "3", "body": anna},
        {"method": "POST", "url": "http://localhost:8080/v1/activate?experimentKey=nothing", "operationID": "4", "body": anna},
        {"method": "POST", "url": "/v1/decide", "body": {}, "operationID": "5"},
    ]);
    let answer = batch(&shop, operations);
    let ids: Vec<_> = answer["response"]
        .as_array()
        .unwrap()
        .iter()
        .map(|one| one["operationID"].clone())
        .collect();
    assert_eq!(ids, ["1", "2", "3", "4", "5"]);
    assert_eq!(answer["errorCount"], 1, "{answer}");
    let first = &answer["response"][0];
    assert_eq!(
        (&first["method"], &first["url"], &first["requestID"]),
        (&json!("POST"), &json!("/v1/decide"), &json!("mine"))
    );
    assert_eq!(first["body"], shop.ask("POST /v1/decide?keys=search", &anna.to_string()).json());
    assert_eq!(answer["response"][1]["body"]["revision"], "87");
    assert_eq!(answer["response"][2]["body"]["reason"], "no-activation");
    assert_eq!(answer["response"][3]["body"][0]["error"], "experimentKey not found");
    assert_eq!(
        answer["response"][4]["body"],
        json!({"error": "missing \"userId\" in request payload"})
    );
    for one in answer["response"].as_array().unwrap() {
        assert!(!one["requestID"].as_str().unwrap().is_empty(), "{one}");
        for time in [&one["startedAt"], &one["endedAt"], &answer["startedAt"], &answer["endedAt"]] {
            assert!(time.as_str().unwrap().parse::<jiff::Timestamp>().is_ok(), "{answer}");
        }
    }
}

#[test]
fn any_path_that_ends_in_batch_is_one_and_none_is_nested() {
    let shop = Daemon::shop();
    let body =
        json!({"operations": [{"method": "POST", "url": "/v1/batch", "body": {"operations": []}}]})
            .to_string();
    for path in ["/batch", "/v1/batch", "/anything/BATCH"] {
        let answer = shop.ask(&format!("POST {path}"), &body);
        assert_eq!(
            (answer.status, &answer.json()["response"][0]["status"]),
            (200, &json!(404)),
            "{path}"
        );
    }
    let asked = shop.ask("GET /v1/batch", "");
    assert_eq!((asked.status, asked.header("allow")), (405, Some("POST")));
    assert_eq!(shop.ask_admin("POST /batch").status, 404);
}

#[test]
fn what_is_routed_is_no_batch_whatever_its_path_ends_with() {
    let shop = Daemon::shop();
    let body = r#"{"context":{"targetingKey":"anna"},"operations":[]}"#;
    let flag = shop.ask("POST /ofrep/v1/evaluate/flags/batch", body);
    assert_eq!((flag.status, &flag.json()["errorCode"]), (404, &json!("FLAG_NOT_FOUND")));
    let event = shop.ask("POST /ofrep/v1/track/a/batch", body);
    assert_eq!((event.status, &event.json()["key"]), (404, &json!("a/batch")), "{event:?}");
    assert_eq!(shop.ask("POST /datafiles/batch", body).status, 405);
}

#[test]
fn nothing_is_inherited() {
    let daemon = Daemon::with(|given| {
        let mut guarded = environment(&format!("guarded={SHOP}"));
        guarded.sdk_key = Some("guarded:t0ken".parse().unwrap());
        given.environments.push(guarded);
    });
    let operation =
        |headers: Value| json!({"method": "GET", "url": "/v1/config", "headers": headers});
    check(
        &daemon,
        json!([
            operation(json!({"X-Optimizely-SDK-Key": SHOP_KEY})),
            operation(json!({})),
            operation(json!({"X-Optimizely-SDK-Key": "unknown"})),
            operation(json!({"X-Optimizely-SDK-Key": "guarded"})),
            operation(json!({"X-Optimizely-SDK-Key": "guarded:t0ken"})),
        ]),
        &[200, 400, 403, 403, 200],
    );
}

#[test]
fn what_is_no_batch_is_said() {
    let shop = Daemon::shop();
    let undecodable = (400, "{\"error\":\"cannot decode the operation body\"}\n");
    for body in [
        "",
        "{",
        "[]",
        "3",
        r#"{"operations":3}"#,
        r#"{"operations":[3]}"#,
        r#"{"operations":[{"headers":{"a":1}}]}"#,
    ] {
        shop.check("POST /v1/batch", body, undecodable);
    }
    assert_eq!(batch(&shop, json!([]))["response"], json!([]));
    let many = |count: usize| {
        json!({"operations": vec![json!({"method": "GET", "url": "/health"}); count]}).to_string()
    };
    shop.check(
        "POST /v1/batch",
        &many(501),
        (422, "{\"error\":\"too many operations, exceeding 500 operations\"}\n"),
    );
    let most = shop.ask("POST /v1/batch", &many(500)).json();
    assert_eq!((&most["errorCount"], most["response"].as_array().unwrap().len()), (&json!(0), 500));
}

#[test]
fn operations_that_are_no_requests_fail_alone() {
    let shop = Daemon::with(|given| given.agent.notifications = Some(true));
    check(
        &shop,
        json!([
            {"method": "GET", "url": "/health"},
            {},
            {"method": "GET"},
            {"method": "G T", "url": "/health"},
            {"method": "GET", "url": "no path"},
            {"method": "GET", "url": "*"},
            {"method": "GET", "url": "/health", "headers": {"a b": "c"}},
            {"method": "GET", "url": "/health", "headers": {"a": "b\nc"}},
            {"method": "GET", "url": "/nothing"},
            {"method": "DELETE", "url": "/v1/config"},
            {"method": "GET", "url": "/health", "headers": {"Content-Length": "99999999"}},
            {"method": "GET", "url": "/v1/notifications/event-stream"},
        ]),
        &[200, 400, 400, 400, 400, 400, 400, 400, 404, 405, 200, 200],
    );
}

#[test]
fn params_are_escaped() {
    let shop = Daemon::shop();
    let operation = json!({"method": "POST", "url": "/v1/track?a=b", "body": {"userId": "anna"}, "params": {"eventKey": "a&b=c d/ä%"}});
    let answer = batch(&shop, json!([operation]));
    assert_eq!(answer["response"][0]["body"]["eventKey"], "a&b=c d/ä%");
}
