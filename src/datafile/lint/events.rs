//! Rule: an event is tied to an experiment.
//!
//! Worth knowing, no more: events may be declared before they are used. Events tied only to experiments
//! that do not run are ordinary, and ties that lead nowhere are found when compiling.
//!
//! Must not know experiments.

use hashbrown::HashMap;

use super::context::Context;
use crate::datafile::findings::{Findings, quoted};
use crate::datafile::wire::WireEvent;

pub(super) fn lint(context: &Context<'_>, findings: &mut Findings) {
    // Of two events with one key the last counts, which is another fault.
    let by_key: HashMap<&str, &WireEvent<'_>> =
        context.wire.events.iter().map(|event| (&*event.key, event)).collect();
    for event in &context.wire.events {
        let counts = by_key.get(&*event.key).is_some_and(|one| std::ptr::eq(*one, event));
        let place = event.place.field("experimentIds");
        if !counts || !event.experiment_ids.is_empty() || context.is_reported(&place) {
            continue;
        }
        let who =
            if context.datafile.running_holdouts.is_empty() { "nothing" } else { "only holdouts" };
        let key = quoted(&event.key);
        let message =
            || format!("no experiment is tied to the event {key}: {who} will be credited with it");
        let remedy = "make it a metric of an experiment, or leave it if it is yet to be used";
        findings.note("untied-event", &event.place, message, remedy);
    }
}
