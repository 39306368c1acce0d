//! The explanation of a decision: its trace as a readable tree, as JSON and as reasons.
//!
//! Must not know how a decision is made: it runs the evaluator with a trace and shows what it told.

use std::fmt;

use super::experiment::ExperimentDecision;
use super::flag::FlagDecision;
use super::reasons::reasons;
use super::step_text::{headline, members};
use super::trace::{Recorder, Step, Traced};
use super::user::{Given, User};
use crate::datafile::{Datafile, FlagIndex, RuleIndex};

/// Why a decision came out as it did: every step that was taken, and what it saw.
///
/// `Display` gives a readable tree, [`Explanation::reasons`] the texts of Optimizely Agent.
#[derive(Debug, Clone, PartialEq)]
pub struct Explanation {
    user_id: String,
    steps: Vec<Traced>,
}

impl Explanation {
    /// Decides a flag and explains it.
    #[must_use]
    pub fn of_flag(
        datafile: &Datafile,
        index: FlagIndex,
        user: &User<'_>,
        given: &Given<'_>,
    ) -> (FlagDecision, Self) {
        let mut recorder = Recorder::default();
        let decision = super::flag(datafile, index, user, given, &mut recorder);
        (decision, Self::new(user, recorder))
    }

    /// Decides an experiment and explains it.
    #[must_use]
    pub fn of_experiment(
        datafile: &Datafile,
        index: RuleIndex,
        user: &User<'_>,
        given: &Given<'_>,
    ) -> (ExperimentDecision, Self) {
        let mut recorder = Recorder::default();
        let decision = super::experiment(datafile, index, user, given, &mut recorder);
        (decision, Self::new(user, recorder))
    }

    /// An explanation is never empty: where nothing happened, it says that there was nothing to decide.
    fn new(user: &User<'_>, recorder: Recorder) -> Self {
        let mut steps = recorder.into_steps();
        if steps.is_empty() {
            steps.push(Traced { step: Step::NoRule, parts: Vec::new() });
        }
        Self { user_id: user.id().to_owned(), steps }
    }

    /// The steps in the order in which they were taken.
    #[must_use]
    pub fn steps(&self) -> &[Traced] {
        &self.steps
    }

    /// The steps in the texts of Optimizely Agent.
    #[must_use]
    pub fn reasons(&self) -> Vec<String> {
        reasons(&self.steps, &self.user_id)
    }

    /// The steps as JSON: an array of objects with `step`, the step's own members, and `parts`.
    #[must_use]
    pub fn to_json(&self) -> serde_json::Value {
        self.steps.iter().map(to_json).collect()
    }
}

fn to_json(traced: &Traced) -> serde_json::Value {
    let mut object: serde_json::Map<_, _> =
        members(&traced.step).into_iter().map(|(name, value)| (name.to_owned(), value)).collect();
    if !traced.parts.is_empty() {
        object.insert("parts".to_owned(), traced.parts.iter().map(to_json).collect());
    }
    serde_json::Value::Object(object)
}

impl fmt::Display for Explanation {
    fn fmt(&self, formatter: &mut fmt::Formatter<'_>) -> fmt::Result {
        write_branches(formatter, &self.steps, "")
    }
}

fn write_branches(
    formatter: &mut fmt::Formatter<'_>,
    steps: &[Traced],
    indent: &str,
) -> fmt::Result {
    for (place, traced) in steps.iter().enumerate() {
        let is_last = place + 1 == steps.len();
        let (branch, below) = if is_last { ("└─ ", "   ") } else { ("├─ ", "│  ") };
        writeln!(formatter, "{indent}{branch}{}", headline(&traced.step))?;
        write_branches(formatter, &traced.parts, &format!("{indent}{below}"))?;
    }
    Ok(())
}
