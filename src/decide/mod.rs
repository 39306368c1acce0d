//! Deciding: which variation a user gets, and why.
//!
//! Must not know clocks, locks, I/O or async. Everything that a decision depends on is an argument
//! ([`User`], [`Given`]), a decision cannot fail, and the same evaluator runs with and without a trace,
//! so that the fast path and the explanation cannot differ.

mod audience;
mod bucket;
mod experiment;
mod explain;
mod flag;
mod reasons;
mod step_text;
mod trace;
mod user;
mod variables;

pub(crate) use experiment::experiment_found;
pub use experiment::{ExperimentDecision, How, experiment};
pub use explain::Explanation;
pub use flag::{FlagDecision, Source, flag};
pub(crate) use reasons::prediction_failed;
pub use trace::{Seen, Silent, Step, Trace, Traced};
pub use user::{ForcedDecisions, ForcedVariations, Given, Prediction, Profile, User};
pub use variables::{variable_value, variable_values};
