//! Tokens in interfaces that have ways of their own: batches, OFREP, webhooks, overrides.
//!
//! Must not know what else these answer.

use serde_json::{Value, json};
use variate::settings::Scope;

use super::super::SHOP_KEY;
use super::super::http::{Request, ask, status};
use super::{ALL, ANNA, OTHER_KEY, TwoShops, UNKNOWN, bearer, secret_of};

/// An operation of a batch, with a token of its own if it is given one.
fn operation(method: &str, url: &str, token: Option<&str>) -> Value {
    let mut headers = json!({"X-Optimizely-SDK-Key": SHOP_KEY});
    if let Some(token) = token {
        headers["Authorization"] = json!(format!("Bearer {token}"));
    }
    json!({"method": method, "url": url, "operationID": "1", "headers": headers,
           "body": if method == "POST" { json!({"userId": "anna"}) } else { Value::Null }})
}

#[test]
fn a_batch_needs_a_token_and_so_does_each_of_its_operations() {
    let shops = TwoShops::guarded();
    let (decide, track) = (secret_of(Scope::Decide), secret_of(Scope::Track));
    let batch = |path: &str, token: Option<&str>, operations: Value| {
        let what = format!("POST {path}");
        let request = token.map_or_else(|| Request::new(&what), |token| bearer(&what, token));
        ask(shops.api(), &request.body(&json!({ "operations": operations }).to_string()))
    };
    let good = json!([operation("GET", "/v1/config", Some(&decide))]);
    for path in ["/v1/batch", "/batch", "/x/BATCH", "/health/batch"] {
        for token in [None, Some("wrong-token-0123456")] {
            let refused = batch(path, token, good.clone());
            assert_eq!((refused.status, refused.body.as_str()), (401, UNKNOWN), "{path} {token:?}");
        }
    }
    let statuses = |operations: Value| {
        let answer = batch("/v1/batch", Some(&track), operations);
        assert_eq!(answer.status, 200, "{answer:?}");
        let statuses = answer.json()["response"].as_array().unwrap().clone();
        statuses.iter().map(|one| one["status"].as_u64().unwrap()).collect::<Vec<_>>()
    };
    assert_eq!(statuses(good), [200]);
    let event = "/v1/track?eventKey=purchase";
    assert_eq!(
        statuses(json!([
            operation("GET", "/v1/config", None),
            operation("GET", "/v1/config", Some("wrong-token-0123456")),
            operation("GET", "/v1/config", Some(&track)),
            operation("GET", "/v1/config", Some("all-of-staging-0123")),
            operation("POST", event, Some(&decide)),
            operation("POST", event, Some(&track)),
            operation("GET", "//v1/config", Some(&decide)),
            operation("GET", "/health", None),
            operation("GET", "/metrics", Some(ALL)),
            operation("POST", "/v1/batch", None),
        ])),
        [401, 401, 403, 403, 403, 200, 404, 200, 404, 401]
    );
}

#[test]
fn ofrep_sends_the_token_where_it_sends_keys() {
    let shops = TwoShops::guarded();
    let flag = |headers: &[(&str, &str)]| {
        let mut request = Request::new("POST /ofrep/v1/evaluate/flags/search");
        for (name, value) in headers {
            request = request.header(name, value);
        }
        ask(shops.api(), &request.body(r#"{"context":{"targetingKey":"anna"}}"#)).status
    };
    let decide = secret_of(Scope::Decide);
    assert_eq!(flag(&[("X-API-Key", &decide)]), 200, "the token chooses its environment");
    assert_eq!(flag(&[("Authorization", &format!("Bearer {decide}"))]), 200);
    let sdk_key = "X-Optimizely-SDK-Key";
    assert_eq!(flag(&[("X-API-Key", &decide), (sdk_key, SHOP_KEY)]), 200);
    assert_eq!(flag(&[("X-API-Key", &decide), (sdk_key, OTHER_KEY)]), 403);
    assert_eq!(flag(&[("X-API-Key", ALL), (sdk_key, OTHER_KEY)]), 200);
    assert_eq!(flag(&[("X-API-Key", ALL)]), 400, "of all environments none is chosen");
    assert_eq!(flag(&[("X-API-Key", SHOP_KEY)]), 401, "a key is no token");
    assert_eq!(flag(&[]), 401);
    assert_eq!(flag(&[("X-API-Key", &secret_of(Scope::Track))]), 403);

    let events = |token: &str, query: &str| {
        let what = format!("GET /ofrep/v1/events{query}");
        status(shops.api(), &bearer(&what, token))
    };
    assert_eq!((events(&decide, ""), events("wrong", "")), (200, 401));
    assert_eq!(events(&decide, &format!("?sdkKey={OTHER_KEY}")), 403);
}

#[test]
fn without_tokens_ofrep_chooses_by_key_as_before() {
    let shops = TwoShops::with(|_| {});
    let request = Request::new("POST /ofrep/v1/evaluate/flags/search");
    let request = request.header("X-API-Key", OTHER_KEY);
    let answer = ask(shops.api(), &request.body(r#"{"context":{"targetingKey":"anna"}}"#));
    assert_eq!(answer.status, 200, "{answer:?}");
}

#[test]
fn a_webhook_is_believed_by_its_signature_alone() {
    let shops = TwoShops::guarded();
    let request = Request::new("POST /webhooks/optimizely").body(r#"{"project_id":1}"#);
    let answer = ask(shops.api(), &request);
    assert!([204, 400].contains(&answer.status), "{answer:?}");
    let get = ask(shops.api(), &Request::new("GET /webhooks/optimizely"));
    assert_eq!(get.status, 405, "{get:?}");
}

#[test]
fn overrides_are_for_their_environment() {
    let shops = TwoShops::guarded();
    let set = |key: &str, token: &str| {
        let request = bearer("POST /v1/override", token).header("X-Optimizely-SDK-Key", key);
        let body = r#"{"userId":"anna","experimentKey":"checkout_button","variationKey":"green"}"#;
        ask(shops.api(), &request.body(body)).status
    };
    let overrides = secret_of(Scope::Override);
    assert_eq!((set(SHOP_KEY, &overrides), set(OTHER_KEY, &overrides)), (200, 403));
    assert_eq!(set(SHOP_KEY, &secret_of(Scope::Decide)), 403);
    let listed = bearer("GET /overrides", &overrides);
    assert_eq!(ask(shops.admin(), &listed).status, 403, "lists are the administration's");
    assert_eq!(ask(shops.api(), &bearer("POST /v1/decide", &overrides).body(ANNA)).status, 403);
}
