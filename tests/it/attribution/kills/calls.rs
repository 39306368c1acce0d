//! Calls on a store, each by an id that says all of it.

use std::sync::Arc;
use std::sync::atomic::{AtomicUsize, Ordering};

use super::super::model::What;
use super::super::world::{DATAFILES, EVENTS, Given, World};
use super::plan::{Merging, merging, plan};
use variate::attribution::Rules;
use variate::client::{Client, Track};
use variate::clock::Clock;
use variate::store::{Receipt, Store};

/// Times are given and a second apart at most: whatever order there is, all is late for all.
pub(in crate::attribution) const RULES: Rules = Rules {
    window_ms: Some(300),
    early_tolerance_ms: 5,
    late_window_ms: 24 * 3_600_000,
    repeat_window_ms: 2 * 24 * 3_600_000,
    future_tolerance_ms: 1_000,
};

const ENVIRONMENTS: [&str; 2] = ["shop", "blog"];

/// Who calls: clients track; activations, whose variations are given, go straight to the store.
pub(crate) struct Callers {
    world: World,
    clients: [Client; ENVIRONMENTS.len()],
    /// The place of the datafile in force.
    datafile: AtomicUsize,
}

impl Callers {
    pub(crate) fn new(store: Arc<dyn Store>, clock: Arc<Clock>) -> Self {
        let client = |environment| {
            let builder = Client::builder().store(store.clone()).clock(clock.clone());
            let builder = builder.environment(environment).rules(RULES);
            builder.datafile(DATAFILES[0].clone()).build().unwrap()
        };
        let clients = ENVIRONMENTS.map(client);
        Self { world: World { store, clock, rules: RULES }, clients, datafile: AtomicUsize::new(0) }
    }

    /// Puts another datafile in force, by a number of any size.
    pub(crate) fn swap(&self, number: usize) {
        let place = number % DATAFILES.len();
        self.clients.iter().for_each(|client| client.swap(DATAFILES[place].clone()));
        self.datafile.store(place, Ordering::Relaxed);
    }

    /// Makes the call with this id, perhaps with a text of any size; gives whether it was taken for a
    /// repeat, too.
    pub(crate) fn send(&self, id: &str, padding: Option<&'static str>) -> (bool, Receipt) {
        let (given, what) = plan(id);
        let What::Event { key } = what else {
            return send(&self.world, id, self.datafile.load(Ordering::Relaxed), padding);
        };
        // What is stored of the event is stored of the merge before it.
        self.merge(id);
        let place = ENVIRONMENTS.iter().position(|name| *name == given.environment).unwrap();
        let track = Track::new(EVENTS[key]).id(id).time_ms(given.time_ms.unwrap());
        let tracked =
            self.clients[place].user(&given.user).track(match padding.or(given.attributes) {
                Some(text) => track.tag("note", text),
                None => track,
            });
        assert!(tracked.is_known);
        (tracked.duplicate, tracked.receipt)
    }

    /// Merges the visitor of the call with this id into the person, if it is about such.
    pub(super) fn merge(&self, id: &str) -> Option<Receipt> {
        let Merging { environment, visitor, person, .. } = merging(id)?;
        Some(self.world.try_merge(None, environment, &visitor, &person).receipt)
    }
}

/// The same, straight to a store with a datafile by its place.
pub(in crate::attribution) fn send(
    world: &World,
    id: &str,
    datafile: usize,
    padding: Option<&'static str>,
) -> (bool, Receipt) {
    let (given, what) = plan(id);
    let given = Given { attributes: padding.or(given.attributes), ..given };
    let given = given.datafile(datafile);
    match what {
        What::Activation { experiment, variation } => {
            let recorded = world.try_activate(&given, experiment, variation);
            (recorded.outcome.duplicate, recorded.receipt)
        }
        What::Event { key } => {
            let recorded = world.try_track(&given, EVENTS[key]);
            (recorded.outcome.duplicate, recorded.receipt)
        }
    }
}
