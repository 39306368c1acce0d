//! Names of members in bodies of Agent's calls: of one given twice the last counts, and letters may be in another
//! case where there is none that is written as it should be.
//!
//! Must not know how bodies are read.

use serde_json::json;

use super::Daemon;

const NO_JSON: &str = "{\"error\":\"error parsing request body\"}\n";
/// Whether a call takes a user, by a body that names it.
const CALLS: [&str; 6] = [
    "POST /v1/decide?keys=search",
    "POST /v1/activate?experimentKey=checkout_button",
    "POST /v1/track?eventKey=purchase",
    "POST /v1/override",
    "POST /v1/lookup",
    "POST /v1/save",
];

fn shop() -> Daemon {
    Daemon::with(|given| {
        given.agent.overrides = Some(true);
        given.agent.profiles = Some(true);
    })
}

/// The user that each of the calls takes a body to name; none where it is refused.
#[track_caller]
fn check(shop: &Daemon, members: &str, expect: Option<&str>) {
    for call in CALLS {
        let body = format!("{{\"experimentKey\":\"checkout_button\",{members}}}");
        let answer = shop.ask(call, &body);
        let Some(expect) = expect else {
            assert_eq!((answer.status, answer.body.as_str()), (400, NO_JSON), "{call} {body}");
            continue;
        };
        assert_eq!(answer.status, 200, "{call} {body}: {answer:?}");
        if answer.body.is_empty() {
            continue;
        }
        let said = answer.json();
        let user = [&said["userId"], &said[0]["userId"], &said["userContext"]["userId"]];
        let user = user.into_iter().find_map(|user| user.as_str());
        assert_eq!(user, Some(expect), "{call} {body}: {answer:?}");
    }
}

#[test]
fn one_rule_for_all_calls() {
    let shop = shop();
    check(&shop, r#""userId":"a""#, Some("a"));
    check(&shop, r#""userId":"a","userId":"b""#, Some("b"));
    check(&shop, r#""userID":"a""#, Some("a"));
    check(&shop, r#""userid":"a","USERID":"b""#, Some("b"));
    check(&shop, r#""userId":"a","userID":"b""#, Some("a"));
    check(&shop, r#""userID":"b","userId":"a""#, Some("a"));
    check(&shop, r#""userID":"b","userId":null"#, Some("b"));
    check(&shop, r#""userId":"a","userId":null"#, Some("a"));
    check(&shop, r#""user_id":"b","\u0075serId":"a""#, Some("a"));
    check(&shop, r#""userId":"a","userId":7"#, None);
    check(&shop, r#""userId":7,"userId":"a""#, None);
    check(&shop, r#""USERID":7"#, None);
}

#[test]
fn lists_are_no_bodies() {
    let shop = shop();
    for call in CALLS {
        assert_eq!(shop.ask(call, "[\"a\"]").status, 400, "{call}");
        assert_eq!(shop.ask(call, "\"a\"").status, 400, "{call}");
    }
}

#[test]
fn what_is_within_is_read_by_the_same_rule() {
    let shop = shop();
    let decide = r#"{"UserId":"anna","USERATTRIBUTES":{"country":"SE"},"DecideOptions":["EXCLUDE_VARIABLES"],
        "forceddecisions":[{"FlagKey":"search","ruleKey":"x","ruleKey":"search_ranking","VARIATIONKEY":"by_margin"}]}"#;
    let decision = shop.ask("POST /v1/decide?keys=search", decide).json();
    assert_eq!(decision["variationKey"], "by_margin", "{decision}");
    assert_eq!(decision["userContext"]["attributes"], json!({"country": "SE"}));
    assert_eq!(decision.get("variables"), None);
    let save = r#"{"USERID":"anna","experimentbucketmap":{"1":{"variation_id":"10","variation_id":"11"}}}"#;
    assert_eq!(shop.ask("POST /v1/save", save).status, 200);
    let kept = shop.ask("POST /v1/lookup", r#"{"userid":"anna"}"#).json();
    assert_eq!(kept["experimentBucketMap"], json!({"1": {"variation_id": "11"}}));
    let without = r#"{"userId":"anna","experimentBucketMap":{"1":{}}}"#;
    shop.check("POST /v1/save", without, (400, NO_JSON));
    let odp = r#"{"Action":"x","identifiers":{"a":"1"},"identifiers":{"b":"2"}}"#;
    shop.check("POST /v1/send-odp-event", odp, (500, "{\"error\":\"ODP is not integrated\"}\n"));
    let ours = r#"{"userId":"anna","eventId":"order-1","eventtags":{"revenue":4200}}"#;
    let track = || shop.ask("POST /v1/track?eventKey=purchase", ours).json();
    assert_eq!(track()["eventId"], "order-1");
    assert_eq!(track()["duplicate"], true);
}

#[test]
fn operations_of_batches_too() {
    let shop = shop();
    let batch = r#"{"Operations":[],"operations":[
        {"method":"GET","METHOD":"PUT","method":"POST","Url":"/v1/decide","operationId":"1","body":{"userId":"anna"},
         "params":{"keys":"search"},"parameters":{"keys":"support"},"headers":{}},
        {"method":"POST","url":"/v1/decide","operationID":"2","body":{"userId":"anna"},"Parameters":{"keys":"support"}}]}"#;
    let answer = shop.ask("POST /v1/batch", batch);
    assert_eq!(answer.status, 200, "{answer:?}");
    let answer = answer.json();
    let said = |place: usize| {
        let one = &answer["response"][place];
        (one["operationID"].as_str().unwrap(), one["body"]["flagKey"].as_str().unwrap())
    };
    assert_eq!((said(0), said(1)), (("1", "search"), ("2", "support")), "{answer}");
    let no_operations = r#"{"operations":[{"method":7}]}"#;
    assert_eq!(shop.ask("POST /v1/batch", no_operations).status, 400);
}
