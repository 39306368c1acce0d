//! The official SDKs get their datafile from the running command, and decide as it does.
//!
//! Must not know which variation anybody gets.

use std::path::Path;

use serde_json::{Value, json};

use super::driver::{Driver, installed};
use super::http::{Request, ask};
use super::process::serve;
use super::{SHOP, SHOP_KEY, wait_for};

const EDITED: &str = "datafiles/diff/shop-edited.json";
const EDITED_KEY: &str = "Qm4ShopVr8Kd2Zp7Tn2Yx";
/// Its rule asks a service of the vendor, which is not there.
const ASKS_A_SERVICE: &str = "personal_offer";

#[test]
#[ignore = "needs the official SDKs, from tests/oracle/setup"]
fn official_sdks_poll_and_decide_as_the_daemon_does() {
    let folder = tempfile::tempdir().unwrap();
    let path = folder.path().join("shop.json");
    std::fs::copy(SHOP, &path).unwrap();
    let served = serve(folder.path(), &["--datafile", path.to_str().unwrap()]);
    let mut sdks = sdks(&format!("http://{}", served.api));
    let decided = compare(served.api, &mut sdks);
    assert!(decided.iter().any(|answer| answer["enabled"] == true), "nobody gets anything");

    let unchanged = || {
        let metrics = ask(served.admin, &Request::new("GET /metrics")).body;
        let is_it = |line: &&str| line.contains("endpoint=\"datafiles\",status=\"3xx\"");
        let line = metrics.lines().find(is_it).unwrap_or_default();
        line.rsplit(' ').next().and_then(|count| count.parse().ok()).unwrap_or(0_u64)
    };
    wait_for("answers without a body", || (unchanged() > 6).then_some(()));

    let edited = std::fs::read_to_string(EDITED).unwrap().replace(EDITED_KEY, SHOP_KEY);
    let mut updates = |sdk: &mut Driver| sdk.ask(&json!({"call": "updates"}))["updates"].as_u64();
    let before = sdks.each_mut().map(&mut updates);
    std::fs::write(folder.path().join("next.json"), edited).unwrap();
    std::fs::rename(folder.path().join("next.json"), &path).unwrap();
    for (sdk, before) in sdks.iter_mut().zip(before) {
        wait_for("the swap", || (updates(sdk) > before).then_some(()));
    }
    let decided_then = compare(served.api, &mut sdks);
    assert_ne!(decided, decided_then, "the other datafile decides otherwise");
    served.kill();
}

fn sdks(url: &str) -> [Driver; 2] {
    let folder = installed("oracle");
    let text = |path: &Path| path.to_str().unwrap().to_owned();
    let driver =
        |name: &str| text(&Path::new(env!("CARGO_MANIFEST_DIR")).join("tests/oracle").join(name));
    let (python, node) = (driver("polling.py"), driver("polling.mjs"));
    let modules = text(&folder.join("node_modules"));
    [
        Driver::start("python", &folder.join("venv/bin/python"), &[&python, url, SHOP_KEY]),
        Driver::start("javascript", Path::new("node"), &[&node, &modules, url, SHOP_KEY]),
    ]
}

/// Asks all of them for all flags of many users; gives what the daemon says.
#[track_caller]
fn compare(api: std::net::SocketAddr, sdks: &mut [Driver]) -> Vec<Value> {
    let mut all = Vec::new();
    for number in 0..25 {
        let countries = ["SE", "NO", "US"];
        let attributes = json!({
            "country": countries[number % countries.len()], "age": 20 + number, "platform": "app",
            "premium": number % 2 == 0,
        });
        let user_id = format!("user_{number}");
        let body = json!({
            "userId": user_id, "userAttributes": attributes,
            "decideOptions": ["DISABLE_DECISION_EVENT"],
        });
        let said = ask(api, &Request::new("POST /v1/decide").body(&body.to_string())).json();
        for decision in said.as_array().unwrap() {
            let flag_key = decision["flagKey"].as_str().unwrap();
            if flag_key == ASKS_A_SERVICE {
                continue;
            }
            let question = json!({"call": "decide", "flagKey": flag_key, "userId": user_id, "attributes": attributes});
            for sdk in &mut *sdks {
                assert_same(decision, &sdk.ask(&question), &question);
            }
            all.push(decision.clone());
        }
    }
    all
}

/// Agent has empty texts where the SDKs have nothing, and leaves variables out where there are none.
#[track_caller]
fn assert_same(said: &Value, decided: &Value, question: &Value) {
    let text = |value: &Value| value.as_str().unwrap_or_default().to_owned();
    let plain = |decision: &Value| {
        let variables = decision.get("variables").cloned().unwrap_or_else(|| json!({}));
        let keys = (text(&decision["variationKey"]), text(&decision["ruleKey"]));
        (keys, decision["enabled"].clone(), numbers(variables))
    };
    assert_eq!(plain(said), plain(decided), "{question}");
}

/// JavaScript has one kind of number.
fn numbers(value: Value) -> Value {
    match value {
        Value::Number(number) => json!(number.as_f64()),
        Value::Array(list) => list.into_iter().map(numbers).collect(),
        Value::Object(object) => {
            object.into_iter().map(|(key, value)| (key, numbers(value))).collect()
        }
        other => other,
    }
}
