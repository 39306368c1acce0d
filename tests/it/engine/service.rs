//! What somebody who runs the client in a service relies on: short logs, honest receipts, one reader
//! per store, ids that keep things apart.

use std::collections::HashSet;
use std::sync::Arc;

use serde_json::{Value, json};
use variate::attribution::Rules;
use variate::clock::Clock;
use variate::decide::How;
use variate::events::{AttributionMode, MemorySink, event_api_request};
use variate::store::{MemoryLimits, MemoryStore, Store};
use variate::{Activate, Client, Datafile, Track};

fn shop() -> Client {
    Client::from_datafile(include_str!("../../../datafiles/shop.json")).unwrap()
}

#[test]
fn debug_output_is_one_line_about_nobody_else() {
    let client = shop();
    for number in 0..200 {
        let _ = client.user(&format!("secret-{number}")).activate("checkout_button");
    }
    let user = client.user("mia");
    let shown = [
        format!("{client:?}"),
        format!("{user:?}"),
        format!("{:?}", user.activate("checkout_button")),
        format!("{:?}", client.datafile().unwrap()),
    ];
    for text in shown {
        assert!(text.len() < 500 && !text.contains("secret"), "{text}");
    }
}

#[test]
fn an_empty_id_is_no_id() {
    let client = shop();
    for user in ["a", "a", "b"] {
        let tracked = client.user(user).track(variate::Track::new("purchase").id(""));
        assert!(!tracked.duplicate, "{user}");
    }
}

#[test]
fn a_typo_and_a_missing_datafile_can_be_told_apart() {
    let client = shop();
    assert_eq!(client.user("a").get_variation("checkout_buton").how(), How::UnknownExperiment);
    let empty = Client::builder().build().unwrap();
    let activated = empty.user("a").activate("checkout_button");
    assert_eq!(activated.chosen.how(), How::NotReady);
    assert!(activated.receipt.wait().unwrap_err().is_not_ready());
}

#[test]
fn one_client_delivers_from_a_store() {
    let clock = Arc::new(Clock::manual(0));
    let store: Arc<dyn Store> = Arc::new(MemoryStore::new(clock, MemoryLimits::default()));
    let with_sink = || Client::builder().store(store.clone()).sink(MemorySink::default()).build();
    let first = with_sink().unwrap();
    assert!(with_sink().is_err(), "two would release each other's records");
    drop(first);
    assert!(with_sink().is_ok());
    let limits = MemoryLimits { waiting_records: 0, ..MemoryLimits::default() };
    let keeps_none: Arc<dyn Store> = Arc::new(MemoryStore::new(Arc::new(Clock::manual(0)), limits));
    assert!(Client::builder().store(keeps_none).sink(MemorySink::default()).build().is_err());
}

#[test]
fn refused_entries_are_told_to_nobody() {
    #[derive(Default)]
    struct Heard(std::sync::atomic::AtomicUsize);
    impl variate::client::Listener for Heard {
        fn activation(&self, _: &variate::client::ActivationNotice<'_>) {
            self.0.fetch_add(1, std::sync::atomic::Ordering::Relaxed);
        }
    }
    let heard = Arc::new(Heard::default());
    let limits = MemoryLimits { waiting_records: 1, ..MemoryLimits::default() };
    let store: Arc<dyn Store> = Arc::new(MemoryStore::new(Arc::new(Clock::manual(0)), limits));
    let datafile =
        Datafile::compile(include_str!("../../../datafiles/shop.json")).unwrap().datafile;
    let builder = Client::builder().datafile(datafile).store(store).rules(Rules::default());
    let client = builder.listener(heard.clone()).build().unwrap();
    assert!(client.user("a").activate("checkout_button").receipt.refusal().is_none());
    let refused = client.user("b").activate("checkout_button");
    assert!(refused.variation_key().is_some() && refused.receipt.refusal().unwrap().is_full());
    assert_eq!(heard.0.load(std::sync::atomic::Ordering::Relaxed), 1);
}

#[test]
fn one_caller_id_used_for_two_things_gives_two_uuids() {
    let sink = MemorySink::default();
    let datafile =
        Datafile::compile(include_str!("../../../datafiles/shop.json")).unwrap().datafile;
    let client = Client::builder().datafile(datafile).sink(sink.clone()).build().unwrap();
    let (user, id) = (client.user("a"), "6f0b4a52-7f7a-4a3e-9d0c-0f6f6f0c1f11");
    let _ = user.activate(Activate::new("checkout_button").id(id));
    let _ = user.track(Track::new("purchase").id(id));
    let _ = user.track(Track::new("purchase").id(&id.to_uppercase()));
    client.drain(std::time::Duration::from_secs(5)).unwrap();
    let bodies: Vec<Value> = sink
        .take()
        .iter()
        .filter_map(|record| event_api_request(record, AttributionMode::Backend))
        .map(|request| request.body["visitors"][0]["snapshots"][0]["events"][0]["uuid"].clone())
        .collect();
    assert_eq!(bodies.len(), 3);
    assert_eq!(bodies.iter().map(Value::to_string).collect::<HashSet<_>>().len(), 3);
}

#[test]
fn things_that_share_an_id_are_credited_once() {
    let variations = json!([{"id": "31", "key": "v"}]);
    let rule = |key: &str| {
        json!({"id": "30", "key": key, "status": "Running", "layerId": "", "audienceIds": [],
            "forcedVariations": {}, "variations": variations,
            "trafficAllocation": [{"entityId": "31", "endOfRange": 10000}]})
    };
    let check = |experiments: Value, holdouts: Value| {
        let text = json!({"version": "4", "accountId": "1", "projectId": "2", "revision": "3",
            "experiments": experiments, "holdouts": holdouts,
            "featureFlags": [{"id": "f", "key": "flag", "rolloutId": "", "experimentIds": ["30"], "variables": []}],
            "events": [{"id": "e", "key": "buy", "experimentIds": ["30"]}]});
        let client = Client::from_datafile(text.to_string()).unwrap();
        let user = client.user("u");
        let _ = user.decide("flag");
        let _ = user.activate("exp");
        assert_eq!(user.track("buy").credits.len(), 1, "{text}");
    };
    check(json!([]), json!([rule("one"), rule("two")]));
    check(json!([rule("exp")]), json!([rule("one")]));
}
