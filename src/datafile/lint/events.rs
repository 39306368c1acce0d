//! Rule: an event is tied to an experiment.
//!
//! Worth knowing, no more: events may be declared before they are used. Events tied only to experiments
//! that do not run are ordinary, and ties that lead nowhere are found when compiling.
//!
//! Must not know experiments.

use super::context::Context;
use crate::datafile::findings::{Findings, quoted};

pub(super) fn lint(context: &Context<'_>, findings: &mut Findings) {
    for event in &context.wire.events {
        let place = event.place.field("experimentIds");
        if !event.experiment_ids.is_empty() || context.is_reported(&place) {
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
