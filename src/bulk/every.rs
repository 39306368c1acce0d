//! All experiments for one user: the user's id is hashed once, and each experiment goes on from there.
//!
//! Must not know threads. Of several experiments with one key, the one that the key leads to is decided.

use super::crowd::{Crowd, PreparedExperiment};
use crate::datafile::{Audiences, Datafile, Rule, RuleIndex, RuleKind};
use crate::decide::{self, ExperimentDecision, Given, Silent, User};
use crate::hash::Prefix;

/// The experiments of a datafile, prepared for users of any attributes.
#[derive(Debug, Clone)]
pub struct EveryExperiment<'d> {
    datafile: &'d Datafile,
    /// `None` where attributes matter: then the evaluator has to look at them.
    experiments: Vec<(RuleIndex, Option<PreparedExperiment<'d>>)>,
}

impl<'d> EveryExperiment<'d> {
    /// Prepares all experiments.
    #[must_use]
    pub fn new(datafile: &'d Datafile) -> Self {
        let prepare = |(index, rule): (RuleIndex, &Rule)| {
            let is_for_all = !rule.is_running || matches!(rule.audiences, Audiences::Everyone);
            let prepared = || PreparedExperiment::new(datafile, index, Crowd::default());
            (index, is_for_all.then(prepared))
        };
        Self { datafile, experiments: experiments_of(datafile).map(prepare).collect() }
    }

    /// Decides each experiment that a key leads to for a user, in the datafile's order.
    pub fn decide(&self, user: &User<'_>, mut each: impl FnMut(RuleIndex, ExperimentDecision)) {
        let bucketing_id = user.bucketing_id();
        let (prefix, given) = (Prefix::new(bucketing_id), Given::default());
        // Who is prepared is bucketed by the user id.
        let is_ordinary = bucketing_id == user.id();
        for (index, prepared) in &self.experiments {
            let decision = match prepared.as_ref().filter(|_| is_ordinary) {
                Some(prepared) => prepared.decision(prepared.outcome_after(user.id(), &prefix)),
                None => decide::experiment(self.datafile, *index, user, &given, &mut Silent),
            };
            each(*index, decision);
        }
    }
}

/// The experiments of a datafile, prepared for users who share their attributes.
#[derive(Debug, Clone)]
pub struct EveryExperimentOfCrowd<'d> {
    experiments: Vec<(RuleIndex, PreparedExperiment<'d>)>,
}

impl<'d> EveryExperimentOfCrowd<'d> {
    /// Prepares all experiments.
    #[must_use]
    pub fn new(datafile: &'d Datafile, crowd: Crowd<'_>) -> Self {
        let prepare = |(index, _)| (index, PreparedExperiment::new(datafile, index, crowd));
        Self { experiments: experiments_of(datafile).map(prepare).collect() }
    }

    /// The experiments that are decided, in the datafile's order.
    pub fn experiments(&self) -> impl Iterator<Item = RuleIndex> {
        self.experiments.iter().map(|(index, _)| *index)
    }

    /// Decides each of the experiments for a user of the crowd, in their order.
    pub fn decide(&self, user_id: &str, mut each: impl FnMut(RuleIndex, ExperimentDecision)) {
        let prefix = Prefix::new(user_id);
        for (index, prepared) in &self.experiments {
            each(*index, prepared.decision(prepared.outcome_after(user_id, &prefix)));
        }
    }
}

/// Of several experiments with one key, only the one that the key leads to: the others cannot be asked for.
fn experiments_of(datafile: &Datafile) -> impl Iterator<Item = (RuleIndex, &Rule)> {
    let numbered = (0..).map(RuleIndex::at).zip(&datafile.rules);
    let experiments = numbered.filter(|(_, rule)| rule.kind == RuleKind::Experiment);
    experiments.filter(|(index, rule)| datafile.experiment_index(&rule.key) == Some(*index))
}
