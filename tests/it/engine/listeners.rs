//! Listeners: who is told of what, and listeners that panic.

use std::sync::{Arc, Mutex};

use super::world::{NOW_MS, World, datafile};
use variate::attribution::Rules;
use variate::client::{ActivationNotice, ConversionNotice, DecisionNotice, Listener};
use variate::{Activate, DecideOptions, Track, UserContext};

#[derive(Clone, Default)]
struct Log(Arc<Mutex<Vec<String>>>);

impl Log {
    fn add(&self, line: String) {
        self.0.lock().unwrap().push(line);
    }

    fn take(&self) -> Vec<String> {
        std::mem::take(&mut self.0.lock().unwrap())
    }
}

impl Listener for Log {
    fn decision(&self, notice: &DecisionNotice<'_>) {
        let text = |key: Option<&str>| key.unwrap_or("-").to_owned();
        let attributes: Vec<&str> = notice.attributes.iter().map(|one| one.key()).collect();
        self.add(format!(
            "{:?} {} {attributes:?} {} {} {} {} {}",
            notice.kind,
            notice.user_id,
            text(notice.flag_key),
            text(notice.rule_key),
            text(notice.variation_key),
            if notice.is_enabled { "on" } else { "off" },
            if notice.is_dispatched { "sent" } else { "unsent" },
        ));
    }

    fn activation(&self, notice: &ActivationNotice<'_>) {
        let ActivationNotice { user_id, experiment_key, variation_key, time_ms, first, .. } =
            notice;
        let age_ms = NOW_MS - time_ms;
        self.add(format!("activation {user_id} {experiment_key} {variation_key} {age_ms} {first}"));
    }

    fn conversion(&self, notice: &ConversionNotice<'_>) {
        let keys: Vec<&str> =
            notice.credits.iter().map(|credit| &*credit.experiment.experiment_key).collect();
        let ConversionNotice { user_id, event_key, late, .. } = notice;
        self.add(format!("conversion {user_id} {} {keys:?} {late}", event_key.unwrap_or("-")));
    }

    fn datafile_update(&self, revision: &str) {
        self.add(format!("datafile {revision}"));
    }
}

/// What listeners are told of a call by the user `u`, who was activated in `x` before.
fn check(call: impl Fn(&UserContext<'_>), expected: &[&str]) {
    let log = Log::default();
    let world = World::with(|builder| builder.datafile(datafile()).listener(log.clone()));
    let user = world.client.user("u").with("plan", "gold");
    let _ = user.activate(Activate::new("x").id("a-1").time_ms(NOW_MS - 5));
    let activated = ["activation u x a 5 true", "FeatureTest u [\"plan\"] - x a on sent"];
    assert_eq!(log.take(), activated);
    call(&user);
    assert_eq!(log.take(), expected);
}

#[test]
fn what_they_are_told() {
    let a = "[\"plan\"]";
    let again = "activation u x a 0 false";
    check(|user| drop(user.activate("x")), &[again, &format!("FeatureTest u {a} - x a on sent")]);
    check(
        |user| drop(user.activate(Activate::new("x").id("a-1"))),
        &[&format!("FeatureTest u {a} - x a on unsent")],
    );
    check(|user| drop(user.get_variation("x")), &[&format!("FeatureTest u {a} - x a on unsent")]);
    check(|user| drop(user.decide("plain")), &[again, &format!("Flag u {a} plain x a on sent")]);
    let unsent = DecideOptions::DISABLE_DECISION_EVENT;
    check(
        |user| drop(user.decide_with("plain", unsent)),
        &[&format!("Flag u {a} plain x a on unsent")],
    );
    check(|user| drop(user.decide("off")), &[&format!("Flag u {a} off - - off sent")]);
    check(|user| drop(user.decide("offer")), &[]);
    check(|user| drop(user.decide("nope")), &[]);
    check(
        |user| assert!(user.is_feature_enabled("plain")),
        &[again, &format!("Feature u {a} plain x a on sent")],
    );
    check(
        |user| drop(user.get_feature_variable("plain", "color")),
        &[&format!("FeatureVariable u {a} plain x a on unsent")],
    );
    check(
        |user| drop(user.get_all_feature_variables("plain")),
        &[&format!("AllFeatureVariables u {a} plain x a on unsent")],
    );
    check(|user| drop(user.explain("plain")), &[]);
    check(|user| drop(user.track("buy")), &["conversion u buy [\"x\"] false"]);
    check(|user| drop(user.track("look")), &[]);
    check(|user| drop(user.track("nope")), &[]);
}

#[test]
fn datafiles_and_late_credits() {
    let log = Log::default();
    let rules = Rules { late_window_ms: 60_000, ..Rules::default() };
    let world = World::with(|builder| builder.rules(rules).listener(log.clone()));
    world.client.swap(datafile());
    assert_eq!(log.take(), ["datafile 3"]);
    let user = world.client.user("u");
    let _ = user.track("buy");
    assert!(log.take().is_empty(), "nothing is credited yet");
    let _ = user.activate(Activate::new("x").time_ms(NOW_MS - 5));
    let told = log.take();
    assert_eq!(told[..2], ["activation u x a 5 true", "conversion u - [\"x\"] true"]);
    assert_eq!(told.len(), 3);
}

struct Panicking;

impl Listener for Panicking {
    fn decision(&self, _: &DecisionNotice<'_>) {
        panic!("decision");
    }

    fn activation(&self, _: &ActivationNotice<'_>) {
        panic!("activation");
    }

    fn conversion(&self, _: &ConversionNotice<'_>) {
        panic!("conversion");
    }

    fn datafile_update(&self, _: &str) {
        panic!("datafile");
    }
}

#[test]
fn a_panic_is_counted_and_nothing_else() {
    let log = Log::default();
    let world = World::with(|builder| builder.listener(Panicking).listener(log.clone()));
    let panics = || world.client.statistics().listener_panics;
    world.client.swap(datafile());
    assert_eq!(panics(), 1);
    let user = world.client.user("u");
    assert_eq!(user.activate("x").variation_key(), Some("a"));
    assert_eq!(panics(), 3);
    assert_eq!(user.track(Track::new("buy")).credits.len(), 1);
    assert_eq!(panics(), 4);
    assert_eq!(world.records().len(), 2);
    assert_eq!(log.take().len(), 4, "the listener behind it is told all the same");
    assert_eq!(world.client.statistics().service_failures, 0);
}
