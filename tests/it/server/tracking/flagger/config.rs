//! The configuration that clients are told, and what of the datafile it cannot say.
//!
//! Must not know what is sent.

use serde_json::{Value, json};

use super::scene::{KEY, Scene, datafile};
use crate::server::http::{Request, ask};
use crate::server::{Daemon, wait_for};

fn flag(config: &Value, codename: &str) -> Value {
    let mut flags = config["flags"].as_array().unwrap().iter();
    flags.find(|flag| flag["codename"] == codename).unwrap_or_else(|| panic!("{codename}")).clone()
}

#[test]
fn the_datafile_is_said_as_far_as_it_can_be() {
    let answer = Scene::new().config();
    assert_eq!(answer.header("content-type"), Some("application/json; charset=utf-8"));
    assert_eq!(answer.header("variate-revision"), Some("1"));
    let config = answer.json();
    assert_eq!(config["hashKey"], "111");
    assert_eq!(
        config["sdkConfig"],
        json!({"SDK_INGESTION_INTERVAL": 10, "SDK_INGESTION_MAX_CALLS": 500})
    );
    let everybody =
        |share: f64| json!([{"entityType": "User", "samplingPercentage": share, "filters": []}]);
    let on = |payload: Value| json!([{"codename": "on", "probability": 1.0, "payload": payload}]);
    let expect = |codename: &str, hashkey: &str, variations: Value, subpopulations: Value| {
        json!({
            "codename": codename, "hashkey": hashkey, "killSwitchEngaged": false, "variations": variations,
            "subpopulations": subpopulations, "whitelist": [], "blacklist": [],
        })
    };
    let color = |key: &str, share: f64, hex: &str| json!({"codename": key, "probability": share, "payload": {"hex": hex, "size": 7}});
    let colors = json!([
        color("blue", 0.33, "#00f"),
        color("green", 0.33, "#fff"),
        color("red", 0.34, "#fff")
    ]);
    assert_eq!(flag(&config, "color-theme"), expect("color-theme", "201", colors, everybody(1.0)));

    let filter = |name: &str, operator: &str, kind: &str, value: Value| json!({"attributeName": name, "operator": operator, "type": kind, "value": value});
    let adults = filter("age", "GTE", "NUMBER", json!(18.0));
    let of = |share: f64, filters: Value| json!({"entityType": "User", "samplingPercentage": share, "filters": filters});
    // The variation off goes by its id, and who is whitelisted with none that there is by nothing.
    let pages = json!([
        {"codename": "one_page", "probability": 0.5, "payload": {}},
        {"codename": "4022", "probability": 0.5, "payload": {}},
    ]);
    let mut checkout = expect(
        "checkout",
        "202",
        pages,
        json!([
            of(0.5, json!([adults, filter("country", "IS", "STRING", json!("SE"))])),
            of(0.5, json!([adults, filter("staff", "IS", "BOOLEAN", json!(false))])),
        ]),
    );
    checkout["whitelist"] = json!([
        {"type": "User", "id": "vip", "variation": "one_page"},
        {"type": "User", "id": "zed", "variation": "4022"},
    ]);
    assert_eq!(flag(&config, "checkout"), checkout);
    assert_eq!(flag(&config, "phone_only"), expect("phone_only", "203", on(json!({})), json!([])));
    let mut grouped = expect("grouped", "205", on(json!({})), json!([]));
    grouped["whitelist"] = json!([{"type": "User", "id": "vip", "variation": "on"}]);
    assert_eq!(flag(&config, "grouped"), grouped);
    let mut ended = expect("ended", "", json!([]), json!([]));
    ended["killSwitchEngaged"] = json!(true);
    assert_eq!(flag(&config, "ended"), ended);
    let young = filter("age", "LT", "NUMBER", json!(18.0));
    let banner = json!([of(1.0, json!([young])), of(0.2, json!([]))]);
    assert_eq!(flag(&config, "banner"), expect("banner", "301", on(json!({})), banner));
    assert_eq!(flag(&config, "half")["subpopulations"], everybody(0.5));
    let sides = flag(&config, "plain_test");
    assert_eq!((&sides["hashkey"], &sides["subpopulations"]), (&json!("206"), &everybody(1.0)));
    assert_eq!(sides["variations"][1]["probability"], json!(0.9999));
    assert_eq!(config["flags"].as_array().unwrap().len(), 8, "{config}");
}

fn problems(daemon: &Daemon) -> Vec<String> {
    let problems = daemon.ask_admin("GET /problems").json();
    let texts = problems["problems"].as_array().unwrap().iter();
    let mut texts: Vec<String> = texts
        .map(|problem| format!("{} {}", problem["count"], problem["text"].as_str().unwrap()))
        .collect();
    texts.sort();
    texts
}

#[test]
fn what_it_cannot_say_is_a_problem_once() {
    let scene = Scene::new();
    assert_eq!(problems(&scene.daemon), Vec::<String>::new(), "nobody asked");
    for _ in 0..3 {
        scene.config();
    }
    let expect = [
        "1 flagger: it calls all variations on: ask by getVariation, not by isEnabled, for 1 flag: checkout",
        "1 flagger: it calls showing nothing off, so that the variation off goes by its id in 1 flag: checkout",
        "1 flagger: it cannot keep the experiments of a group apart, so that only who is whitelisted gets 1 flag: grouped",
        "1 flagger: it knows one experiment or delivery, so that those behind it are left out of 1 flag: half",
        "1 flagger: no filters say an audience, so that nobody in it gets 1 flag: phone_only",
    ];
    assert_eq!(problems(&scene.daemon), expect);
}

#[test]
fn the_shop_is_said_with_what_it_has_more() {
    let shop = Daemon::shop();
    let config = shop.ask(&format!("GET /v3/config/{KEY}"), "").json();
    let button = flag(&config, "checkout_button");
    let shares: Vec<(&Value, &Value)> = button["variations"]
        .as_array()
        .unwrap()
        .iter()
        .map(|one| (&one["codename"], &one["probability"]))
        .collect();
    assert_eq!(button["hashkey"], "9300001201101");
    assert!(
        shares.len() > 1 && shares.iter().all(|(_, share)| share.as_f64().unwrap() > 0.0),
        "{button}"
    );
    insta::assert_snapshot!(problems(&shop).join("\n"));
}

#[test]
fn it_has_a_tag_that_changes_with_it() {
    let scene = Scene::new();
    let tag = |scene: &Scene| scene.config().header("etag").unwrap().to_owned();
    let first = tag(&scene);
    let known = Request::new(&format!("GET /v3/config/{KEY}")).header("If-None-Match", &first);
    let answer = ask(scene.daemon.api(), &known);
    assert_eq!((answer.status, answer.body.as_str()), (304, ""));
    scene.swap(&datafile("2"));
    wait_for("the swap", || (scene.config().header("variate-revision") == Some("2")).then_some(()));
    assert_eq!(tag(&scene), first, "another revision says the same");
    let mut other = datafile("3");
    other["experiments"][0]["status"] = json!("Paused");
    scene.swap(&other);
    wait_for("the swap", || (tag(&scene) != first).then_some(()));
    assert_eq!(ask(scene.daemon.api(), &known).status, 200);
    assert_eq!(flag(&scene.config().json(), "color-theme")["killSwitchEngaged"], true);
}
