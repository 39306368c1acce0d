//! Every entrance against every other: activated through one, tracked through another. The README has the
//! table of what happened.
//!
//! Must not know more of a form than one exposure and one event.

use std::collections::BTreeMap;
use std::path::Path;
use std::time::Duration;

use serde_json::{Value, json};
use variate::server::Server;
use variate::{Client, Datafile, Exposure};

use super::super::http::{Request, ask};
use super::super::{SHOP, start};

const ENTRANCES: [&str; 9] = [
    "library",
    "agent",
    "ofrep",
    "optimizely",
    "flagger",
    "segment",
    "thrivestack",
    "countly",
    "onboardflow",
];
/// Who is never activated.
const NOBODY: &str = "nobody";
const EXPERIMENT: &str = "search_ranking";
/// What a foreign client shows, whatever the engine would decide.
const SHOWN: &str = "by_margin";

fn user_of(activated_by: &str, tracked_by: &str) -> String {
    format!("{activated_by}-{tracked_by}")
}

fn library(folder: &Path) -> Client {
    let datafile = Datafile::compile(std::fs::read(SHOP).unwrap()).unwrap().datafile;
    Client::builder().datafile(datafile).store(folder).build().unwrap()
}

/// Shows a user the variation, through an entrance; `None` where that cannot say so.
fn exposure(entrance: &str, user: &str) -> Option<Request> {
    let shown = json!({"experiment_id": EXPERIMENT, "variation_id": SHOWN});
    let post = |path: &str, body: Value| {
        Some(Request::new(&format!("POST {path}")).body(&body.to_string()))
    };
    let forced = json!([{"flagKey": "search", "ruleKey": EXPERIMENT, "variationKey": SHOWN}]);
    match entrance {
        "agent" => {
            post("/v1/decide?keys=search", json!({"userId": user, "forcedDecisions": forced}))
        }
        "optimizely" => post(
            "/v1/events",
            json!({"visitors": [{"visitor_id": user, "snapshots": [{
                "decisions": [{
                    "campaign_id": "9300000801105", "experiment_id": "9300001201105",
                    "variation_id": "1652342",
                }],
                "events": [{"entity_id": "9300000801105", "key": "campaign_activated", "uuid": format!("x-{user}")}],
            }]}]}),
        ),
        "flagger" => post(
            "/v3/ingest/key",
            json!({
                "id": format!("x-{user}"), "entities": [], "events": [],
                "exposures": [{
                    "codename": "search", "variation": SHOWN, "methodCalled": "getVariation",
                    "entity": {"id": user, "type": "User"},
                }],
            }),
        ),
        "segment" => post(
            "/segment/v1/track",
            json!({
                "userId": user, "event": "Experiment Viewed", "properties": shown,
                "messageId": format!("x-{user}"), "writeKey": "key",
            }),
        ),
        "thrivestack" => post(
            "/track",
            json!({"user_id": user, "event": "Experiment Viewed", "properties": shown}),
        ),
        "countly" => Some(Request::new(&format!(
            "GET /i?app_key=key&device_id={user}&method=ab_enroll_variant&key={EXPERIMENT}&variant={SHOWN}"
        ))),
        _ => None,
    }
}

/// A user buys something, through an entrance.
fn purchase(entrance: &str, user: &str) -> Request {
    let post =
        |path: &str, body: Value| Request::new(&format!("POST {path}")).body(&body.to_string());
    let id = format!("e-{user}");
    match entrance {
        "agent" => post("/v1/track?eventKey=purchase", json!({"userId": user})),
        "ofrep" => post("/ofrep/v1/track/purchase", json!({"context": {"targetingKey": user}})),
        "optimizely" => post(
            "/v1/events",
            json!({"visitors": [{"visitor_id": user, "snapshots": [{
                "events": [{"entity_id": "71001", "key": "purchase", "uuid": id}],
            }]}]}),
        ),
        "flagger" => post(
            "/v3/ingest/key",
            json!({
                "id": id, "entities": [], "exposures": [],
                "events": [{"name": "Purchase", "eventProperties": {}, "entity": {"id": user, "type": "User"}}],
            }),
        ),
        "segment" => post(
            "/segment/v1/track",
            json!({"userId": user, "event": "Purchase", "messageId": id, "writeKey": "key"}),
        ),
        "thrivestack" => post("/track", json!({"user_id": user, "event": "purchase", "properties": {}})),
        "countly" => Request::new(&format!(
            "GET /i?app_key=key&device_id={user}&events=%5B%7B%22key%22%3A%22purchase%22%2C%22count%22%3A1%7D%5D"
        )),
        "onboardflow" => post(
            "/api/v1/tracker/event/",
            json!({"s": "key", "event": "CUSTOM", "value": "purchase", "site_user": {"id": user, "customer_id": user}}),
        )
        .header("Authorization", "Token key"),
        other => panic!("{other} is no entrance of the daemon"),
    }
}

#[track_caller]
fn send(server: &Server, request: &Request) {
    let answer = ask(server.addresses().api.unwrap(), request);
    assert!((200..300).contains(&answer.status), "{request:?}: {answer:?}");
}

/// Whom OFREP shows a variation of the experiment: it decides itself.
fn expose_by_ofrep(server: &Server, user: &str) -> bool {
    let context =
        json!({"context": {"targetingKey": user, "logged_in": true, "staff": false, "age": 34}});
    let request = Request::new("POST /ofrep/v1/evaluate/flags/search").body(&context.to_string());
    let answer = ask(server.addresses().api.unwrap(), &request);
    assert_eq!(answer.status, 200, "{answer:?}");
    // A holdout says off.
    ["by_popularity", "by_margin"].contains(&answer.json()["variant"].as_str().unwrap())
}

/// How many credits of the experiment each user has, whatever the variation.
fn credits(server: &Server) -> BTreeMap<String, usize> {
    let request = Request::new("GET /events?type=conversion&limit=10000");
    let records = ask(server.addresses().admin.unwrap(), &request).body;
    let mut credits = BTreeMap::new();
    for record in records.lines().map(|line| serde_json::from_str::<Value>(line).unwrap()) {
        let user = record["userId"].as_str().unwrap().to_owned();
        for credit in record["credits"].as_array().into_iter().flatten() {
            if user.starts_with("ofrep-") || user.starts_with(NOBODY) {
                assert_eq!(credit["experimentKey"], EXPERIMENT, "{record}");
            } else {
                let said = (&credit["experimentKey"], &credit["variationKey"]);
                assert_eq!(said, (&json!(EXPERIMENT), &json!(SHOWN)), "{record}");
            }
            *credits.entry(user.clone()).or_default() += 1;
        }
    }
    credits
}

#[test]
fn every_entrance_counts_what_any_other_activated() {
    let folder = tempfile::tempdir().unwrap();
    let store = folder.path().join("store");
    let client = library(&store);
    for tracked_by in ENTRANCES {
        let user = user_of("library", tracked_by);
        let exposed = client.user(&user).expose(Exposure::new(EXPERIMENT, SHOWN));
        exposed.receipt.wait().unwrap();
    }
    drop(client);

    let server = start(store.clone(), |_| {}).unwrap();
    let mut of_ofrep = BTreeMap::new();
    for tracked_by in ENTRANCES {
        for activated_by in ENTRANCES {
            if let Some(request) = exposure(activated_by, &user_of(activated_by, tracked_by)) {
                send(&server, &request);
            }
        }
        let mut users = (0..100).map(|number| format!("ofrep-{tracked_by}-{number}"));
        let user = users.find(|user| expose_by_ofrep(&server, user)).unwrap();
        of_ofrep.insert(tracked_by, user);
    }
    // What decides is answered before it is recorded; whoever is shut down has recorded it.
    server.shut_down(Duration::from_secs(20)).unwrap();

    let user = |activated_by: &str, tracked_by: &str| match activated_by {
        "ofrep" => of_ofrep[tracked_by].clone(),
        _ => user_of(activated_by, tracked_by),
    };
    let rows = || std::iter::once(NOBODY).chain(ENTRANCES);
    let client = library(&store);
    for activated_by in rows() {
        client.user(&user(activated_by, "library")).track("purchase").receipt.wait().unwrap();
    }
    drop(client);
    let server = start(store, |_| {}).unwrap();
    for activated_by in rows() {
        for tracked_by in ENTRANCES.into_iter().filter(|entrance| *entrance != "library") {
            send(&server, &purchase(tracked_by, &user(activated_by, tracked_by)));
        }
    }
    let credits = credits(&server);
    let can_expose = |entrance: &str| {
        matches!(entrance, "library" | "ofrep") || exposure(entrance, "x").is_some()
    };
    let mut table = format!("| activated by, tracked by | {} |\n", ENTRANCES.join(" | "));
    table.push_str(&format!("| --- |{}\n", " --- |".repeat(ENTRANCES.len())));
    for activated_by in rows() {
        let count = |tracked_by: &&str| {
            let count = credits.get(&user(activated_by, tracked_by)).copied().unwrap_or_default();
            format!(" {count} |")
        };
        let cells: String = ENTRANCES.iter().map(count).collect();
        let is_row = activated_by == NOBODY || can_expose(activated_by);
        if is_row {
            table.push_str(&format!("| {activated_by} |{cells}\n"));
        }
        let expect = if is_row && activated_by != NOBODY { " 1 |" } else { " 0 |" };
        assert_eq!(cells, expect.repeat(ENTRANCES.len()), "{activated_by}:\n{table}");
    }
    let readme = std::fs::read_to_string("README.md").unwrap();
    assert!(readme.contains(&table), "README.md lacks this table:\n{table}");
}
