//! Remote config and A/B tests: what is answered, and who takes part by it.
//!
//! Must not know how anything is decided: it is asked of Agent's interface.

use serde_json::{Value, json};
use variate::settings::FlagValue;

use super::super::{credits, records, unused};
use super::{
    APP, Daemon, SUCCESS, activate, form, get, now_ms, post, purchase, shop, shop_with, tell,
};

const WHO: (&str, &str) = ("device_id", "anna");
const METRICS: (&str, &str) =
    ("metrics", r#"{"country":"SE","age":34,"app_version":"6.1.0","plan":"basic"}"#);

fn asked(daemon: &Daemon, method: &str, more: &[(&str, &str)]) -> super::Answer {
    let pairs = [&[("method", method), APP, WHO, METRICS], more].concat();
    let by_get = get(daemon, "/o/sdk", &form(&pairs));
    if !more.contains(&("oi", "1")) && method != "ab" {
        let by_post = post(daemon, "/o/sdk", &form(&pairs));
        assert_eq!((by_post.status, &by_post.body), (by_get.status, &by_get.body));
    }
    by_get
}

/// What Agent's interface decides for the same user.
fn decided(daemon: &Daemon) -> Value {
    let body = json!({"userId": "anna", "userAttributes": {"country": "SE", "age": 34, "app_version": "6.1.0", "plan": "basic"},
                      "decideOptions": ["DISABLE_DECISION_EVENT"]});
    let decisions = daemon.ask("POST /v1/decide", &body.to_string()).json();
    let by_key = decisions.as_array().unwrap().iter();
    by_key.map(|one| (one["flagKey"].as_str().unwrap().to_owned(), one.clone())).collect()
}

#[test]
fn values_are_those_that_are_decided_and_expose_nobody() {
    let shop = shop();
    let values = asked(&shop, "rc", &[]).json();
    let decided = decided(&shop);
    assert_eq!(values["homepage"], decided["homepage"]["variables"], "several: an object");
    assert_eq!(values["dark_mode"], decided["dark_mode"]["variables"]["theme"], "one: its value");
    assert_eq!(values["returns_portal"], decided["returns_portal"]["enabled"], "none: on or off");
    assert_eq!(values["checkout_button"], "green", "an experiment of no flag: the variation");
    assert_eq!(asked(&shop, "fetch_remote_config", &[]).json(), values);
    let keys = asked(&shop, "rc", &[("keys", r#"["homepage","nothing"]"#)]).json();
    assert_eq!(keys, json!({"homepage": values["homepage"]}));
    let omitted = asked(&shop, "rc", &[("omit_keys", r#"["homepage","checkout_button"]"#)]).json();
    let (all, fewer) = (values.as_object().unwrap(), omitted.as_object().unwrap());
    assert_eq!(all.len(), fewer.len() + 2);
    assert!(!fewer.contains_key("homepage"));
    assert_eq!(asked(&shop, "rc", &[("oi", "0"), ("keys", "[]")]).json(), values);
    assert_eq!(records(&shop, "impression"), Vec::<Value>::new());
    // Without metrics no rule knows the version of the application.
    let bare = get(&shop, "/o/sdk", &form(&[("method", "rc"), APP, WHO])).json();
    assert_ne!(bare, values);
}

#[test]
fn values_keep_to_the_settings_of_ofrep() {
    let shop = shop_with(|given| {
        given.ofrep.flags.insert("homepage".to_owned(), FlagValue::Variable("layout".to_owned()));
    });
    let values = asked(&shop, "rc", &[]).json();
    assert_eq!(values["homepage"], decided(&shop)["homepage"]["variables"]["layout"]);
}

#[test]
fn asking_with_oi_is_taking_part() {
    let shop = shop();
    let before = now_ms();
    let keys = ("keys", r#"["checkout_button","homepage"]"#);
    assert_eq!(asked(&shop, "rc", &[("oi", "1"), keys]).status, 200);
    let impressions = records(&shop, "impression");
    assert_eq!(impressions.len(), 2, "{impressions:?}");
    assert!(
        impressions
            .iter()
            .all(|record| record["origin"] == "countly"
                && record["time"].as_i64().unwrap() >= before)
    );
    tell(&shop, "anna", &[], &json!([{"key": "item purchase"}]));
    tell(&shop, "ben", &[], &json!([{"key": "item purchase"}]));
    let mut seen = credits(&shop);
    seen.sort();
    assert_eq!(seen, ["anna purchase checkout_button/green", "anna purchase homepage_hero/video"]);
}

#[test]
fn taking_part_by_keys_is_of_the_time_of_the_client() {
    let shop = shop();
    // The client's clock is slow: both are dated by it.
    let (then, later) = ((now_ms() - 60_000).to_string(), now_ms() - 59_000);
    let keys = ("keys", r#"["checkout_button","homepage_hero","nothing"]"#);
    let answer = asked(&shop, "ab", &[keys, ("timestamp", &then)]);
    assert_eq!(
        (answer.status, &*answer.body),
        (200, "{\"result\":\"Successfully enrolled in ab tests\"}")
    );
    assert_eq!(unused(&shop, "countly", "unknown-experiment"), 1);
    assert_eq!(records(&shop, "impression").len(), 2);
    tell(&shop, "anna", &[], &json!([{"key": "item purchase", "timestamp": later}]));
    let mut seen = credits(&shop);
    seen.sort();
    assert_eq!(seen, ["anna purchase checkout_button/green", "anna purchase homepage_hero/video"]);
    let missing = asked(&shop, "ab", &[("keys", "[]")]);
    assert_eq!((missing.status, &*missing.body), (400, "{\"result\":\"Missing Keys\"}"));
    // In a queue, it would be sent for ever.
    let queued = post(&shop, "/i", &form(&[APP, WHO, ("method", "ab_enroll")]));
    assert_eq!(
        (queued.status, &*queued.body),
        (200, r#"{"info":"Request ignored: Missing Keys","result":"Success"}"#)
    );
}

#[test]
fn keys_count_once_and_have_a_most() {
    let shop = shop();
    let mut keys = vec!["checkout_button".to_owned(); 500];
    keys.extend((0..3000).map(|place| format!("nothing-{place}")));
    let pairs = [("method", "ab"), APP, WHO, METRICS, ("keys", &*json!(keys).to_string())];
    assert_eq!(post(&shop, "/o/sdk", &form(&pairs)).status, 200);
    assert_eq!(records(&shop, "impression").len(), 1);
    assert_eq!(unused(&shop, "countly", "unknown-experiment"), 999);
    assert_eq!(unused(&shop, "countly", "too-large"), 2001);
}

#[test]
fn a_client_may_say_which_variation_was_shown() {
    let shop = shop();
    let enrol = |path: &str, device: &str, key: &str, variant: &str| {
        let pairs = [
            APP,
            ("device_id", device),
            ("method", "ab_enroll_variant"),
            ("key", key),
            ("variant", variant),
        ];
        let answer = post(&shop, path, &form(&pairs));
        assert_eq!((answer.status, &*answer.body), SUCCESS, "{pairs:?}");
    };
    // Anna would be green; the flag's experiment that has the variation is meant by the flag.
    enrol("/i", "anna", "checkout_button", "orange");
    enrol("/i/sdk", "anna", "homepage", "still");
    enrol("/o/sdk", "ben", "9300001201101", "1652301");
    enrol("/i", "eva", "checkout_button", "purple");
    enrol("/i", "eva", "nothing", "green");
    enrol("/i", "eva", "", "green");
    for device in ["anna", "ben", "eva"] {
        tell(&shop, device, &[], &json!([{"key": "item purchase"}]));
    }
    let mut seen = credits(&shop);
    seen.sort();
    assert_eq!(
        seen,
        [
            "anna purchase checkout_button/orange",
            "anna purchase homepage_hero/still",
            "ben purchase checkout_button/green"
        ]
    );
    for reason in ["unknown-variation", "unknown-experiment", "no-name"] {
        assert_eq!(unused(&shop, "countly", reason), 1, "{reason}");
    }
}

/// A queue may say several things at once: what is asked for takes nothing else away.
#[test]
fn what_is_told_beside_a_question_counts() {
    let events = r#"[{"key":"item purchase"}]"#;
    let keys = ("keys", r#"["checkout_button"]"#);
    let check = |path: &str, more: &[(&str, &str)], expect: &[&str]| {
        let shop = shop();
        super::activate(&shop, "before");
        let pairs = [&[APP, WHO, ("events", events), ("metrics", "7"), keys], more].concat();
        let answer = match path {
            "/i/bulk" => {
                let request: Value =
                    pairs.iter().map(|(name, value)| ((*name).to_owned(), json!(value))).collect();
                post(&shop, path, &form(&[APP, ("requests", &json!([request]).to_string())]))
            }
            _ => post(&shop, path, &form(&pairs)),
        };
        assert_eq!(answer.status, 200, "{path} {more:?}: {}", answer.body);
        assert_eq!(credits(&shop), expect, "{path} {more:?}");
        assert_eq!(unused(&shop, "countly", "wrong-kind"), 1, "{path} {more:?}: the metrics");
    };
    let anna = "anna purchase checkout_button/green";
    let was = ("old_device_id", "before");
    for path in ["/i", "/o/sdk", "/i/bulk"] {
        check(path, &[("method", "ab")], &[anna]);
        check(path, &[("method", "rc"), ("oi", "1")], &[anna]);
        check(path, &[("method", "rc")], &[]);
        check(path, &[("method", "fetch_remote_config"), was], &[anna]);
        check(path, &[("method", "ab_fetch_experiments"), was], &[anna]);
        check(path, &[("method", "sc"), was], &[anna]);
    }
}

/// Of what was shown the begin of a whole second counts, and of what was done its end.
#[test]
fn whole_seconds_lose_nothing() {
    let shop = shop();
    let second = now_ms() / 1000 - 10;
    let enrol = |device: &str| {
        let time = second.to_string();
        let pairs = [
            APP,
            ("device_id", device),
            ("method", "ab_enroll_variant"),
            ("key", "checkout_button"),
            ("variant", "orange"),
            ("timestamp", &time),
        ];
        assert_eq!(post(&shop, "/i", &form(&pairs)).body, SUCCESS.1);
    };
    for (device, time) in [
        ("anna", json!(second)),
        ("ben", json!(second * 1000)),
        ("eva", json!(second * 1000 + 999)),
        ("too early", json!(second * 1000 - 1)),
        ("too early", json!(second - 1)),
    ] {
        enrol(device);
        tell(&shop, device, &[], &json!([{"key": "item purchase", "timestamp": time}]));
    }
    let mut seen = credits(&shop);
    seen.sort();
    assert_eq!(
        seen,
        ["anna", "ben", "eva"].map(|device| format!("{device} purchase checkout_button/orange"))
    );
}

#[test]
fn tests_are_listed_with_their_variations() {
    let shop = shop();
    let experiments = asked(&shop, "ab_fetch_experiments", &[]).json();
    let find = |name: &str| {
        let all = experiments.as_array().unwrap();
        all.iter().find(|one| one["name"] == name).cloned().unwrap_or_default()
    };
    let button = json!({
        "id": "9300001201101", "name": "checkout_button", "description": "", "currentVariant": "green",
        "variants": {"green": {"checkout_button": "green"}, "orange": {"checkout_button": "orange"}},
    });
    assert_eq!(find("checkout_button"), button);
    let hero = find("homepage_hero");
    assert_eq!(hero["currentVariant"], "video");
    let value = |autoplay: bool| json!({"homepage": {"layout": "hero", "autoplay": autoplay}});
    assert_eq!(hero["variants"], json!({"still": value(false), "video": value(true)}));
    let variants = asked(&shop, "ab_fetch_variants", &[("keys", r#"["checkout_button"]"#)]).json();
    assert_eq!(
        variants,
        json!({"checkout_button": [{"name": "green", "value": "green"}, {"name": "orange", "value": "orange"}]})
    );
    let all = asked(&shop, "ab_fetch_variants", &[]).json();
    assert!(all["homepage"].as_array().unwrap().len() > 1, "{all}");
    assert_eq!(records(&shop, "impression"), Vec::<Value>::new());
}

#[test]
fn a_list_leaves_nobody_in_a_variation() {
    let shop = shop_with(|given| given.agent.profiles = Some(true));
    let kept = || {
        let profile = shop.ask("POST /v1/lookup", r#"{"userId":"anna"}"#).json();
        profile["experimentBucketMap"].as_object().unwrap().len()
    };
    asked(&shop, "ab_fetch_experiments", &[]);
    assert_eq!(kept(), 0);
    asked(&shop, "rc", &[]);
    assert!(kept() > 0, "as `decide` does");
}

#[test]
fn other_questions() {
    let shop = shop();
    let settings = get(&shop, "/o/sdk", &form(&[APP, WHO, ("method", "sc")])).json();
    assert_eq!(settings["c"], json!({}));
    let answer = get(&shop, "/o/sdk", &form(&[APP, WHO, ("method", "feedback")]));
    assert_eq!((answer.status, &*answer.body), (400, "{\"result\":\"Invalid method\"}"));
    let nobody = get(&shop, "/o/sdk", &form(&[APP, ("method", "rc")]));
    assert_eq!(nobody.status, 400);
    // Asked at the other door, it is answered there.
    assert_eq!(
        post(&shop, "/i", &form(&[APP, WHO, ("method", "rc")])).json()["checkout_button"],
        "green"
    );
}

/// What is told counts, whatever becomes of the question.
#[test]
fn what_is_told_beside_a_refused_question_counts() {
    let shop = shop();
    let check = |device: &str, method: &[(&str, &str)]| {
        let visitor = format!("visitor-{device}");
        activate(&shop, &visitor);
        let before = (credits(&shop).len(), unused(&shop, "countly", "unknown-event"));
        let events = json!([purchase()[0], {"key": "nothing", "count": 1}]).to_string();
        let told = [APP, ("device_id", device), ("old_device_id", &*visitor), ("events", &*events)];
        let answer = post(&shop, "/o/sdk", &form(&[&told[..], method].concat()));
        assert_eq!(answer.status, 400, "{method:?}: {answer:?}");
        let after = (credits(&shop).len(), unused(&shop, "countly", "unknown-event"));
        assert_eq!((after.0 - before.0, after.1 - before.1), (1, 1), "{method:?}");
    };
    check("anna", &[("method", "ab")]);
    check("ben", &[("method", "ab"), ("keys", "[]")]);
    check("eva", &[("method", "nothing")]);
    check("ida", &[]);
    assert_eq!(unused(&shop, "countly", "wrong-kind"), 4, "and each refusal is counted once");
}
