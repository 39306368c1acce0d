//! Many decisions at once: one experiment for many users, and all experiments for one user.
//!
//! Must not know stores, sinks or clients: nothing is remembered and nothing is sent. The answers are
//! those of [`decide::experiment`](crate::decide::experiment) without forced variations, profile and
//! predictions; like it, they do not see the holdouts and forced decisions of flags.
//!
//! What does not depend on the user id is decided once, by the same evaluator, for all users who share
//! their attributes. What is left to do for each of them is to look at the whitelist, if there is one,
//! and to hash.
//!
//! ```
//! use variate::Datafile;
//! use variate::bulk::{Crowd, PreparedExperiment, Threads, bucket_all};
//!
//! # fn main() -> Result<(), Box<dyn std::error::Error>> {
//! let datafile = Datafile::compile(include_bytes!("../../datafiles/shop.json"))?.datafile;
//! let index = datafile.experiment_index("checkout_button").ok_or("no such experiment")?;
//! let experiment = PreparedExperiment::new(&datafile, index, Crowd::default());
//!
//! let user_ids: Vec<String> = (0..10_000).map(|number| format!("user-{number}")).collect();
//! let outcomes = bucket_all(&experiment, &user_ids, Threads::All, &|_done| {});
//! let first = experiment.decision(outcomes[0]);
//! assert_eq!(first, experiment.decide("user-0"));
//! assert!(first.variation.is_some());
//! # Ok(())
//! # }
//! ```

mod bucketing;
mod crowd;
mod every;
mod spread;
mod whitelist;

pub use crowd::{Crowd, Outcome, PreparedExperiment};
pub use every::{EveryExperiment, EveryExperimentOfCrowd};
pub use spread::{Threads, bucket_all, bucket_each, bucket_into};
