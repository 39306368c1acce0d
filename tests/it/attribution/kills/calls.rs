//! Calls on a store, each by an id that says all of it.

use std::sync::Arc;

use super::super::model::What;
use super::super::world::{EVENTS, Given, World};
use super::plan::plan;
use variate::attribution::Rules;
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

/// Who calls.
pub(crate) struct Callers(World);

impl Callers {
    pub(crate) fn new(store: Arc<dyn Store>, clock: Arc<Clock>) -> Self {
        Self(World { store, clock, rules: RULES })
    }

    /// Makes the call with this id; gives whether it was taken for a repeat, too.
    pub(crate) fn send(
        &self,
        id: &str,
        datafile: usize,
        padding: Option<&'static str>,
    ) -> (bool, Receipt) {
        send(&self.0, id, datafile, padding)
    }
}

/// Makes the call with this id, with a datafile by its place and perhaps an attribute of any size; gives
/// whether it was taken for a repeat, too.
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
