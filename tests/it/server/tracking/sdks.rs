//! The official SDKs, pinned: their events go to the daemon by a dispatcher of events with another address.
//!
//! Must not know what they send.

use std::net::SocketAddr;
use std::path::Path;

use serde_json::{Value, json};

use super::super::driver::{Driver, installed};
use super::super::front::Front;
use super::super::{Daemon, SHOP, wait_for};
use super::{credits, records};

/// The rule of one asks a service of the vendor, which is not there; of the others, holdouts leave deliveries
/// or rules alone, in which the SDKs differ from each other.
const NOT_DECIDED_ALIKE: [&str; 3] = ["personal_offer", "support", "search"];
/// Longer than a test.
const AT_THE_END: &str = "600";

fn python(address: SocketAddr, flush_seconds: &str) -> Driver {
    let program = installed("oracle").join("venv/bin/python");
    start("python", &program, &[&script("events.py")], address, flush_seconds)
}

fn javascript(address: SocketAddr, flush_seconds: &str) -> Driver {
    let modules = installed("oracle").join("node_modules").to_str().unwrap().to_owned();
    let arguments = [script("events.mjs"), modules];
    start(
        "javascript",
        Path::new("node"),
        &arguments.each_ref().map(String::as_str),
        address,
        flush_seconds,
    )
}

fn script(name: &str) -> String {
    let path = Path::new(env!("CARGO_MANIFEST_DIR")).join("tests/oracle").join(name);
    path.to_str().unwrap().to_owned()
}

fn start(
    name: &'static str,
    program: &Path,
    first: &[impl AsRef<str>],
    address: SocketAddr,
    flush_seconds: &str,
) -> Driver {
    let url = format!("http://{address}/v1/events");
    let first = first.iter().map(AsRef::as_ref);
    let arguments: Vec<&str> = first.chain([url.as_str(), SHOP, flush_seconds]).collect();
    Driver::start(name, program, &arguments)
}

fn activate(sdk: &mut Driver, user_id: &str) -> String {
    let attributes = json!({"country": "SE", "age": 34, "$opt_bot_filtering": true});
    let question = json!({
        "call": "activate", "experimentKey": "checkout_button", "userId": user_id, "attributes": attributes,
    });
    sdk.ask(&question)["variationKey"].as_str().unwrap().to_owned()
}

fn purchase(sdk: &mut Driver, user_id: &str) {
    sdk.ask(&json!({
        "call": "track", "eventKey": "purchase", "userId": user_id, "attributes": {"country": "SE"},
        "tags": {"revenue": 4200, "value": 1.5, "category": "shoes"},
    }));
}

#[test]
#[ignore = "needs the official SDKs, from tests/oracle/setup"]
fn who_was_activated_converts_and_nobody_else() {
    for start in [python, javascript] {
        let shop = Daemon::shop();
        let mut sdk = start(shop.api(), AT_THE_END);
        let variation = activate(&mut sdk, "a");
        for user_id in ["a", "b"] {
            purchase(&mut sdk, user_id);
        }
        let sent = sdk.ask(&json!({"call": "close"}));
        assert_eq!(sent["batches"], 1, "activation and events in one");
        let expect = [format!("a purchase checkout_button/{variation}")];
        assert_eq!(credits(&shop), expect);
        sdk.ask(&json!({"call": "resend"}));
        assert_eq!(credits(&shop), expect, "their ids are known");
        assert_eq!(records(&shop, "impression").len(), 1);

        let conversions = records(&shop, "conversion");
        let conversion = conversions.iter().find(|record| record["userId"] == "a").unwrap();
        for (name, value) in [
            ("origin", json!("optimizely")),
            ("revenue", json!(4200)),
            ("value", json!(1.5)),
            ("tags", json!({"revenue": 4200, "value": 1.5, "category": "shoes"})),
        ] {
            assert_eq!(conversion[name], value, "{conversion}");
        }
        let impression = &records(&shop, "impression")[0];
        for attribute in [json!("SE"), json!("$opt_bot_filtering")] {
            let attributes = impression["attributes"].to_string();
            assert!(attributes.contains(&attribute.to_string()), "{attribute} in {attributes}");
        }
        assert_eq!(shop.ask_admin("GET /problems").json()["problems"], json!([]));
    }
}

/// The impressions, each as what it says beside ids, times and where it came from, in order.
fn impressions(daemon: &Daemon) -> Vec<String> {
    let told = |record: Value| {
        let members = [
            "userId",
            "flagKey",
            "ruleKey",
            "ruleType",
            "variationKey",
            "variationId",
            "experimentId",
            "campaignId",
            "enabled",
            "attributes",
        ];
        members.map(|member| format!("{member}={}", record[member])).join(" ")
    };
    let mut told: Vec<String> = records(daemon, "impression").into_iter().map(told).collect();
    told.sort();
    told
}

fn attributes(number: usize) -> Value {
    json!({
        "country": (["SE", "NO", "US"][number % 3]), "age": 10 + number, "device": (["phone", "desk"][number % 2]),
        "lifetime_value": 100 * number, "staff": number.is_multiple_of(5),
    })
}

#[test]
#[ignore = "needs the official SDKs, from tests/oracle/setup"]
fn what_sdks_decide_is_recorded_as_if_it_were_decided_here() {
    let flags: Vec<String> = {
        let datafile: Value =
            serde_json::from_str(&std::fs::read_to_string(SHOP).unwrap()).unwrap();
        let flags = datafile["featureFlags"].as_array().unwrap().clone();
        flags.iter().map(|flag| flag["key"].as_str().unwrap().to_owned()).collect()
    };
    let flags: Vec<&String> =
        flags.iter().filter(|key| !NOT_DECIDED_ALIKE.contains(&key.as_str())).collect();
    let here = Daemon::shop();
    for number in 0..30 {
        let body =
            json!({"userId": format!("user-{number}"), "userAttributes": attributes(number)});
        for flag_key in &flags {
            here.ask(&format!("POST /v1/decide?keys={flag_key}"), &body.to_string());
        }
    }
    let least = 30 * flags.len();
    wait_for("what is decided here", || (impressions(&here).len() >= least).then_some(()));
    let expect = impressions(&here);
    for part in ["\"holdout\"", "\"rollout\"", "\"feature-test\"", "ruleKey=null"] {
        assert!(
            expect.iter().any(|line| line.contains(part)),
            "nothing with {part} in {expect:#?}"
        );
    }
    for start in [python, javascript] {
        let shop = Daemon::shop();
        let mut sdk = start(shop.api(), AT_THE_END);
        for number in 0..30 {
            for flag_key in &flags {
                sdk.ask(&json!({
                    "call": "decide", "flagKey": flag_key, "userId": format!("user-{number}"),
                    "attributes": attributes(number),
                }));
            }
        }
        sdk.ask(&json!({"call": "close"}));
        assert_same(&impressions(&shop), &expect);
        assert_eq!(shop.ask_admin("GET /problems").json()["problems"], json!([]));
    }
}

/// Shows only what differs.
#[track_caller]
fn assert_same(told: &[String], expect: &[String]) {
    let only = |left: &[String], right: &[String]| -> Vec<String> {
        left.iter().filter(|line| !right.contains(line)).take(3).cloned().collect()
    };
    assert_eq!((only(told, expect), only(expect, told)), (Vec::new(), Vec::new()));
    assert_eq!(told.len(), expect.len());
}

/// Python's does not send again what was refused.
#[test]
#[ignore = "needs the official SDKs, from tests/oracle/setup"]
fn a_batch_that_was_refused_once_counts_once() {
    let shop = Daemon::shop();
    let front = Front::before(shop.api(), "campaign_activated");
    let mut sdk = javascript(front.address, "0.2");
    let variation = activate(&mut sdk, "a");
    wait_for("the refusal", || front.has_refused().then_some(()));
    purchase(&mut sdk, "a");
    let credited = || Some(credits(&shop)).filter(|credits| !credits.is_empty());
    let credits = wait_for("the batch again", credited);
    assert_eq!(credits, [format!("a purchase checkout_button/{variation}")]);
    assert_eq!(records(&shop, "impression").len(), 1);
}
