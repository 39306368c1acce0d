//! Listeners: who is told of what, and listeners that panic.

use std::sync::mpsc::{Receiver, channel};
use std::sync::{Arc, Mutex};
use std::thread;
use std::time::Duration;

use super::world::{NOW_MS, World, datafile};
use variate::attribution::Rules;
use variate::client::{ActivationNotice, ConversionNotice, DecisionNotice, Listener};
use variate::source::Source;
use variate::{Activate, Client, Datafile, DecideOptions, Track, UserContext};

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

const LONG: Duration = Duration::from_secs(30);

fn revision(revision: &str) -> Datafile {
    let text =
        format!(r#"{{"version":"4","revision":"{revision}","accountId":"1","projectId":"2"}}"#);
    Datafile::compile(text).unwrap().datafile
}

/// Does something with the client at the first update, and says when that is done.
struct AtFirst<F>(Mutex<Receiver<(Client, F)>>, Log);

impl<F: FnOnce(&Client) + Send> Listener for AtFirst<F> {
    fn datafile_update(&self, revision: &str) {
        self.1.add(format!("first hears {revision}"));
        let first = self.0.lock().unwrap().try_recv();
        if let Ok((client, act)) = first {
            act(&client);
            self.1.add("acted".to_owned());
        }
    }
}

/// What two listeners hear where the first of them does this at the first update; then that everybody goes on.
fn check_update(act: impl FnOnce(&Client) + Send + 'static, expected: &[&str]) {
    let log = Log::default();
    let (send, acts) = channel();
    let first = AtFirst(Mutex::new(acts), log.clone());
    let client = Client::builder().listener(first).listener(log.clone()).build().unwrap();
    send.send((client.clone(), act)).unwrap();
    let (done, is_done) = channel();
    thread::spawn(move || {
        client.swap(revision("1"));
        assert_eq!(client.datafile().unwrap().revision(), expected_last(&log));
        client.swap(revision("9"));
        client.wait_until_ready(Duration::ZERO).unwrap();
        done.send(log.take()).unwrap();
    });
    let heard = is_done.recv_timeout(LONG).expect("it hangs, or failed");
    assert_eq!(heard, [expected, &["first hears 9", "datafile 9"]].concat());
}

fn expected_last(log: &Log) -> String {
    let heard = log.0.lock().unwrap();
    heard.last().unwrap().rsplit(' ').next().unwrap().to_owned()
}

#[test]
fn they_may_swap_and_wait_when_they_hear_of_a_datafile() {
    check_update(
        |client| client.swap(revision("2")),
        &["first hears 1", "acted", "datafile 1", "first hears 2", "datafile 2"],
    );
    check_update(
        |client| {
            client.swap(revision("2"));
            client.swap(revision("3"));
            assert_eq!(client.datafile().unwrap().revision(), "3");
        },
        &[
            "first hears 1",
            "acted",
            "datafile 1",
            "first hears 2",
            "datafile 2",
            "first hears 3",
            "datafile 3",
        ],
    );
    check_update(
        |client| client.wait_until_ready(LONG).unwrap(),
        &["first hears 1", "acted", "datafile 1"],
    );
    check_update(
        |client| {
            let client = client.clone();
            thread::spawn(move || client.wait_until_ready(LONG).unwrap()).join().unwrap();
        },
        &["first hears 1", "acted", "datafile 1"],
    );
}

#[test]
fn a_listener_that_swaps_does_not_stop_the_source() {
    let file = tempfile::NamedTempFile::new().unwrap();
    std::fs::write(&file, "{").unwrap();
    let log = Log::default();
    let (send, acts) = channel();
    let first = AtFirst(Mutex::new(acts), log.clone());
    let source = Source::file(file.path()).interval_ms(100);
    let client = Client::builder().source(source).listener(first).listener(log.clone()).build();
    let client = client.unwrap();
    send.send((client.clone(), |client: &Client| client.swap(revision("2")))).unwrap();
    for given in ["1", "3"] {
        std::fs::write(&file, revision(given).text()).unwrap();
        assert!(client.refresh_and_wait(LONG));
    }
    let heard = [
        "first hears 1",
        "acted",
        "datafile 1",
        "first hears 2",
        "datafile 2",
        "first hears 3",
        "datafile 3",
    ];
    assert_eq!(log.take(), heard);
}
