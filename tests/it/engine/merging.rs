//! Merging, as a user of the crate calls it: what it answers and who is told.

use super::world::{NOW_MS, World, datafile};
use std::sync::{Arc, Mutex};
use variate::attribution::{Origin, Rules};
use variate::client::{ConversionNotice, Listener};
use variate::{Activate, Merge, Track};

#[derive(Clone, Default)]
struct Log(Arc<Mutex<Vec<String>>>);

impl Listener for Log {
    fn conversion(&self, notice: &ConversionNotice<'_>) {
        let ConversionNotice { user_id, event_key, credits, late, .. } = notice;
        let line = format!("{user_id} {event_key:?} {} {late}", credits.len());
        self.0.lock().unwrap().push(line);
    }
}

#[test]
fn a_merge_says_what_it_did_and_listeners_hear_of_its_credits() {
    let log = Log::default();
    let rules = Rules { late_window_ms: 60_000, ..Rules::default() };
    let world =
        World::with(|builder| builder.rules(rules).datafile(datafile()).listener(log.clone()));
    let visitor = world.client.user("visitor");
    let anna = world.client.user("anna");
    let _ = visitor.activate(Activate::new("x").time_ms(NOW_MS - 50));
    let _ = visitor.track(Track::new("leave").time_ms(NOW_MS - 60));
    let tracked = anna.track(Track::new("buy").time_ms(NOW_MS - 10));
    assert!(tracked.credits.is_empty());
    let merged = anna.merge_from(Merge::new("visitor").id("m"));
    assert!(!merged.duplicate && merged.receipt.wait().is_ok());
    assert_eq!((merged.copied_activations, merged.late_credits.len()), (1, 1));
    assert_eq!(*merged.late_credits[0].experiment.experiment_key, *"x");
    assert_eq!(*log.0.lock().unwrap(), ["anna None 1 true"]);
    let again = anna.merge_from(Merge::new("visitor").id("m"));
    assert!(again.duplicate && again.receipt.wait().is_ok());
    let of_agent = anna.clone().from_origin(Origin::Agent);
    assert!(!of_agent.merge_from(Merge::new("visitor").id("m")).duplicate);
    let name = "visitor".to_owned();
    for same in [anna.merge_from(&name), anna.merge_from(Merge::new("visitor").id(""))] {
        assert!(!same.duplicate && same.copied_activations == 0 && same.late_credits.is_empty());
    }
    assert_eq!(log.0.lock().unwrap().len(), 1, "nothing is told twice");
    assert_eq!(anna.track("buy").credits.len(), 1);
}

/// Two ids are one person whatever the datafile says, and also where there is none yet.
#[test]
fn a_merge_needs_no_datafile_and_leaves_what_was_arranged() {
    let world = World::with(|builder| builder);
    let anna = world.client.user("anna");
    assert!(anna.merge_from("visitor").receipt.wait().is_ok());
    world.client.swap(datafile());
    let visitor = world.client.user("visitor");
    assert!(visitor.set_forced_variation("x", Some("b")));
    assert_eq!(visitor.activate("x").variation_key(), Some("b"));
    assert_eq!(anna.merge_from("visitor").copied_activations, 1);
    assert_eq!(anna.get_variation("x").variation_key(), Some("a"), "what is forced is not merged");
    let credits = anna.track("buy").credits;
    assert_eq!(*credits[0].experiment.variation_key, *"b", "what was shown is");
}
