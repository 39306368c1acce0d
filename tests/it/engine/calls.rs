//! The calls of a handle: before the first datafile, attributes, forced variations and decisions,
//! forgetting, counting.

use std::fmt::Debug;
use std::sync::{Arc, Mutex};

use super::world::{NOW_MS, World, brief, datafile};
use variate::attribution::NotCredited;
use variate::client::{DecisionKind, DecisionNotice, Listener, MemoryProfileService, Variables};
use variate::value::{AttributeValue, RecordedValue};
use variate::{Activate, Client, Datafile, DecideOptions, Decision, Error, Track, UserContext};

fn check<T: PartialEq + Debug>(call: &str, answer: T, expected: T) {
    assert_eq!(answer, expected, "{call}");
}

#[test]
fn answers_before_the_first_datafile() {
    let world = World::with(|builder| builder);
    let user = world.client.user("u").with("plan", "gold");
    let not_ready = ["Optimizely SDK not configured properly yet."];
    check("decide", brief(&user.decide("plain")), "- - error -".into());
    check("decide", user.decide("plain").reasons, not_ready.map(str::to_owned).to_vec());
    check("decide_all", user.decide_all(DecideOptions::NONE).len(), 0);
    check("decide_for_keys", user.decide_for_keys(&["plain"], DecideOptions::NONE).len(), 0);
    check("is_feature_enabled", user.is_feature_enabled("plain"), false);
    check("get_enabled_features", user.get_enabled_features(), vec![]);
    check("get_feature_variable", user.get_feature_variable("plain", "color"), None);
    check("get_all_feature_variables", user.get_all_feature_variables("plain"), None);
    check("get_variation", user.get_variation("x").variation_key(), None);
    check("set_forced_variation", user.set_forced_variation("x", Some("b")), false);
    check("get_forced_variation", user.get_forced_variation("x"), None);
    check("explain", user.explain("plain"), None);
    check("explain_experiment", user.explain_experiment("x"), None);
    check("datafile", world.client.datafile().is_none(), true);
    check("forget", world.client.forget("u").unwrap(), false);

    let activated = user.activate("x");
    check("activate", activated.variation_key(), None);
    check("activate", activated.outcome, None);
    let tracked = user.track("buy");
    check("track", (tracked.is_known, tracked.duplicate), (false, false));
    check("track", (tracked.credits.len(), tracked.reason), (0, None));
    let refusal = tracked.receipt.wait().unwrap_err();
    check("track", refusal.is_not_ready(), true);
    check("records", world.records().len(), 0);

    world.client.swap(datafile());
    check("decide", brief(&user.decide("plain")), "a x on red".into());
}

#[test]
fn unknown_keys() {
    let world = World::new();
    let user = world.client.user("u");
    let decision = user.decide("nope");
    check("decide", brief(&decision), "- - error -".into());
    check("decide", decision.reasons, vec!["No flag was found for key \"nope\".".to_owned()]);
    check("activate", user.activate("nope").variation_key(), None);
    check("activate a rollout rule", user.activate("everyone").variation_key(), None);
    check("get_feature_variable", user.get_feature_variable("plain", "nope"), None);
    check("is_feature_enabled", user.is_feature_enabled("nope"), false);
    check("records", world.records().len(), 0);
    let tracked = user.track("nope");
    check("track", tracked.receipt.wait().is_ok(), true);

    let keys = ["off", "nope", "plain", "off"];
    let decisions = user.decide_for_keys(&keys, DecideOptions::NONE);
    let flags: Vec<&str> = decisions.iter().map(|decision| &*decision.flag_key).collect();
    check("decide_for_keys", flags, vec!["off", "nope", "plain"]);
    check("records", world.records().len(), 2);
}

#[test]
fn the_last_value_of_an_attribute_counts() {
    let world = World::new();
    let user = world.client.user("u").with("country", "SE").with("plan", 1).with("country", "NO");
    let seen: Vec<_> = user.attributes().iter().map(|one| (one.key(), one.value)).collect();
    let expected =
        [("country", AttributeValue::String("NO")), ("plan", AttributeValue::Integer(1))];
    check("attributes", seen, expected.to_vec());
    assert_eq!(user.activate("x").variation_key(), Some("a"));
    let recorded = world.impression().attributes;
    let recorded: Vec<_> = recorded.iter().map(|one| (&*one.key, one.value.clone())).collect();
    let expected =
        [("country", RecordedValue::String("NO".into())), ("plan", RecordedValue::Integer(1))];
    check("recorded", recorded, expected.to_vec());
}

#[test]
fn times_and_ids_of_activations() {
    let world = World::new();
    let user = world.client.user("u").at(NOW_MS - 50);
    let time = |call: Activate<'_>| user.activate(call).outcome.unwrap();
    check("the handle's time", time(Activate::new("x")).time_ms, NOW_MS - 50);
    check("the call's time", time(Activate::new("x").time_ms(NOW_MS - 9)).time_ms, NOW_MS - 9);
    check("an id", time(Activate::new("x").id("i")).duplicate, false);
    check("an id again", time(Activate::new("x").id("i")).duplicate, true);
    let first: Vec<bool> =
        (0..2).map(|_| world.client.user("v").activate("x").outcome.unwrap().first).collect();
    check("first", first, vec![true, false]);
}

#[test]
fn forced_variations_are_kept_by_the_client() {
    let world = World::new();
    let user = || world.client.user("u");
    let get = || user().get_forced_variation("x").map(|key| key.to_string());
    check("nothing set", get(), None);
    check("take back nothing", user().set_forced_variation("x", None), true);
    check("no such experiment", user().set_forced_variation("nope", Some("b")), false);
    check("no such variation", user().set_forced_variation("x", Some("nope")), false);
    check("empty key", user().set_forced_variation("x", Some("")), false);
    check("after what failed", get(), None);
    check("set", user().set_forced_variation("x", Some("b")), true);
    check("get", get().as_deref(), Some("b"));
    check("decide", brief(&user().decide("plain")), "b x on blue".into());
    check("forced", world.impression().is_forced, true);
    check("another user", brief(&world.client.user("v").decide("plain")), "a x on red".into());
    check("failing leaves it", user().set_forced_variation("x", Some("nope")), false);
    check("get", get().as_deref(), Some("b"));
    check(
        "before the whitelist",
        {
            assert!(world.client.user("tester").set_forced_variation("x", Some("a")));
            world.client.user("tester").get_variation("x").variation_key().map(str::to_owned)
        },
        Some("a".to_owned()),
    );
    check(
        "not running",
        {
            assert!(user().set_forced_variation("stopped", Some("a")));
            user().get_variation("stopped").variation_key().map(str::to_owned)
        },
        None,
    );
    check("take back", user().set_forced_variation("x", None), true);
    check("get", get(), None);
    check("decide", user().get_variation("x").variation_key(), Some("a"));
}

#[test]
fn forced_decisions_are_kept_by_the_handle() {
    let world = World::new();
    let mut user = world.client.user("u");
    let decided = |user: &UserContext<'_>| brief(&user.decide("plain"));
    user.set_forced_decision("plain", None, "b");
    check("flag", decided(&user), "b - on blue".into());
    check("no activation", world.impression().is_activation, false);
    check("another handle", decided(&world.client.user("u")), "a x on red".into());
    check("other calls", user.get_variation("x").variation_key(), Some("a"));
    let before = user.clone();
    user.set_forced_decision("plain", None, "a");
    check("set again", user.get_forced_decision("plain", None), Some("a"));
    check("a clone keeps its own", decided(&before), "b - on blue".into());
    check("remove", user.remove_forced_decision("plain", None), true);
    check("remove again", user.remove_forced_decision("plain", None), false);
    user.set_forced_decision("plain", Some("x"), "b");
    check("rule", decided(&user), "b x on blue".into());
    check("the rule's only", user.get_forced_decision("plain", None), None);
    user.set_forced_decision("plain", None, "nope");
    check("no such variation", decided(&user), "b x on blue".into());
    user.set_forced_decision("offer", Some("everyone"), "rest");
    user.remove_all_forced_decisions();
    check("removed", decided(&user), "a x on red".into());
    check("removed", user.get_forced_decision("offer", Some("everyone")), None);
}

#[test]
fn forgetting_and_counting() {
    let world = World::new();
    let user = world.client.user("u");
    check("credits", user.track("buy").credits.len(), 0);
    let _ = user.activate("x");
    let _ = user.set_forced_variation("x", Some("b"));
    let _ = user.activate("x");
    check("credits", user.track(Track::new("buy").id("o-1")).credits.len(), 1);
    check("duplicate", user.track(Track::new("buy").id("o-1")).duplicate, true);
    let store = world.client.statistics().store;
    check("users", (store.users, store.activations), (1, 1));
    check("repeats", (store.duplicates, store.ids), (1, 1));
    check("crossovers", (store.crossovers, store.unknown_user_events), (1, 1));
    check("records", store.waiting_records, 4);
    check("forget", world.client.forget("u").unwrap(), true);
    check("forget again", world.client.forget("u").unwrap(), false);
    check("users", world.client.statistics().store.users, 0);
    check("credits", user.track("buy").reason, Some(NotCredited::NoActivation));
}

#[test]
fn all_of_it_may_cross_threads() {
    fn check<T: Send + Sync>() {}
    check::<Client>();
    check::<Datafile>();
    check::<UserContext<'static>>();
    check::<Decision>();
    check::<Variables>();
    check::<DecideOptions>();
    check::<DecisionKind>();
    check::<MemoryProfileService>();
    check::<Error>();
    check::<variate::Tracked>();
    check::<variate::client::Config>();
}

/// As both official SDKs have it, whose `isFeatureEnabled` asks for `true` and whose other calls do not.
/// Whether flags are on, as listeners hear it.
#[derive(Default)]
struct Heard(Mutex<Vec<bool>>);

impl Listener for Heard {
    fn decision(&self, notice: &DecisionNotice<'_>) {
        self.0.lock().unwrap().push(notice.is_enabled);
    }
}

#[test]
fn what_stands_for_true_is_not_true_for_one_call() {
    let check = |switch: serde_json::Value, expected: [bool; 2]| {
        let rule = serde_json::json!({
            "id": "1", "key": "all", "layerId": "2", "status": "Running", "audienceIds": [], "forcedVariations": {},
            "variations": [{"id": "3", "key": "on", "featureEnabled": switch}],
            "trafficAllocation": [{"entityId": "3", "endOfRange": 10000}],
        });
        let text = serde_json::json!({
            "version": "4", "accountId": "1", "projectId": "2", "revision": "3",
            "rollouts": [{"id": "4", "experiments": [rule]}],
            "featureFlags": [{"id": "5", "key": "f", "rolloutId": "4", "experimentIds": [], "variables": []}],
        });
        let datafile = Datafile::compile(text.to_string()).unwrap().datafile;
        let heard = Arc::new(Heard::default());
        let builder = Client::builder().datafile(datafile).listener(heard.clone());
        let client = builder.build().unwrap();
        let user = client.user("anna");
        assert_eq!([user.is_feature_enabled("f"), user.decide("f").enabled], expected, "{switch}");
        assert_eq!(*heard.0.lock().unwrap(), expected, "{switch}");
    };
    check(serde_json::json!(true), [true, true]);
    check(serde_json::json!("true"), [false, true]);
    check(serde_json::json!(0), [false, false]);
}
