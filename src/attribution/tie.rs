//! Which experiments and holdouts an event could count for, by its datafile.
//!
//! Must not know users: whether one was activated is for the plan.

use std::sync::Arc;

use super::entry::Event;
use crate::datafile::RuleKind;

/// An experiment or holdout that is tied to an event.
#[derive(Debug, Clone, Copy)]
pub struct Tie<'a> {
    /// Its id.
    pub experiment_id: &'a Arc<str>,
    /// Whether it is running.
    pub is_running: bool,
    /// Whether it is a holdout: those are tied to every event.
    pub is_holdout: bool,
}

impl Event {
    /// What is tied to the event in the datafile with which it was accepted: its experiments, then
    /// every running holdout.
    pub fn ties(&self) -> impl Iterator<Item = Tie<'_>> + Clone {
        let datafile = &*self.envelope.datafile;
        let tied = datafile.event(self.event).map_or(&[][..], |event| &event.experiments[..]);
        let experiments = tied.iter().filter_map(|&index| datafile.rule(index));
        let holdouts = datafile.running_holdouts.iter().filter_map(|&index| datafile.rule(index));
        // Nobody is ever activated in a rollout rule, so being tied to one says nothing.
        experiments.filter(|rule| rule.kind() == RuleKind::Experiment).chain(holdouts).map(|rule| {
            Tie {
                experiment_id: &rule.id,
                is_running: rule.is_running,
                is_holdout: rule.kind() == RuleKind::Holdout,
            }
        })
    }

    /// The experiments and holdouts that are tied to it and running: what a late activation may claim
    /// it for.
    #[must_use]
    pub fn running_ties(&self) -> Box<[Arc<str>]> {
        let running = self.ties().filter(|tie| tie.is_running);
        running.map(|tie| Arc::clone(tie.experiment_id)).collect()
    }
}
