//! Snapshots and experiments that the caller holds: they answer as the plain calls do, and keep their
//! datafile over swaps.

use serde_json::json;
use variate::{Client, Datafile, UserContext};

use super::world::{World, rule};

const EXPERIMENTS: [&str; 4] = ["x", "stopped", "bandit", "unknown"];

/// Of `x`, everybody gets the variation given; `mine` is in a datafile of its own name only.
fn datafile(variation: &str) -> Datafile {
    let variations = [json!({"id": variation, "key": variation, "featureEnabled": true})];
    let filler = rule("1", &format!("only-{variation}"), &variations);
    let text = json!({
        "version": "4", "accountId": "1", "projectId": "2", "revision": variation,
        "experiments": [filler, rule("10", "x", &variations)],
    });
    Datafile::compile(text.to_string().as_bytes()).unwrap().datafile
}

fn key(user: &UserContext<'_>) -> Option<String> {
    user.get_variation("x").variation_key().map(str::to_owned)
}

/// All ways to ask for an experiment answer alike, for this client and user.
fn check_alike(client: &Client, id: &str) {
    let snapshot = client.snapshot();
    for experiment in EXPERIMENTS {
        let plain = client.user(id).with("plan", "pro").get_variation(experiment);
        let user = snapshot.user(id).with("plan", "pro");
        let held = user.get_variation(experiment);
        assert_eq!(held.variation_key(), plain.variation_key(), "{experiment} for {id}");
        assert_eq!(held.how(), plain.how(), "{experiment} for {id}");
        let Some(found) = snapshot.experiment(experiment) else {
            assert_eq!(experiment, "unknown");
            continue;
        };
        let found = found.get_variation(&user);
        assert_eq!(found.variation_key(), plain.variation_key(), "{experiment} for {id}");
        assert_eq!(found.how(), plain.how(), "{experiment} for {id}");
        let ids =
            [&plain, &held, &found].map(|chosen| chosen.variation().map(|it| it.id().to_owned()));
        assert!(ids.iter().all(|id| *id == ids[0]), "{ids:?}");
    }
}

#[test]
fn what_is_held_answers_as_the_plain_calls() {
    let world = World::new();
    for id in ["anna", "tester", ""] {
        check_alike(&world.client, id);
    }
    // And where variations are forced, for this user or another.
    assert!(world.client.user("anna").set_forced_variation("x", Some("b")));
    for id in ["anna", "ben"] {
        check_alike(&world.client, id);
    }
    let chosen = world.client.user("anna").get_variation("x").variation_key().map(str::to_owned);
    assert_eq!(chosen.as_deref(), Some("b"));
}

#[test]
fn what_is_held_keeps_its_datafile() {
    let client = Client::builder().datafile(datafile("old")).build().unwrap();
    let snapshot = client.snapshot();
    let experiment = snapshot.experiment("x").unwrap();
    let before = client.user("anna").get_variation("x");
    client.swap(datafile("new"));
    assert_eq!(key(&client.user("anna")).as_deref(), Some("new"));
    assert_eq!(key(&snapshot.user("anna")).as_deref(), Some("old"));
    assert_eq!(before.variation_key(), Some("old"), "an answer keeps its datafile");
    let (user, later) = (snapshot.user("anna"), client.snapshot());
    assert_eq!(experiment.get_variation(&user).variation_key(), Some("old"));
    // The handle's datafile counts, whichever the user was made for.
    let others = [later.user("anna"), client.user("anna")];
    for other in &others {
        assert_eq!(experiment.get_variation(other).variation_key(), Some("old"));
        assert_eq!(experiment.activate(other).variation_key(), Some("old"));
    }
    assert_eq!(later.experiment("x").unwrap().get_variation(&user).variation_key(), Some("new"));
    assert!(later.experiment("only-old").is_none());
    assert!(snapshot.experiment("only-old").is_some());
}

#[test]
fn before_there_is_a_datafile() {
    let client = Client::builder().build().unwrap();
    let snapshot = client.snapshot();
    client.swap(datafile("new"));
    assert!(snapshot.experiment("x").is_none());
    assert!(snapshot.datafile().is_none());
    assert_eq!(key(&snapshot.user("anna")), None);
    assert_eq!(key(&client.user("anna")).as_deref(), Some("new"));
}
