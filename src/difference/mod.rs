//! What is different between two datafiles: in words, and in what it does to people.
//!
//! Must not know stores, sinks, clients or clocks.

mod asked;
mod audiences;
mod change;
mod comparison;
mod effect;
mod experiments;
mod flags;
mod got;
mod header;
mod holdouts;
mod matched;
mod matching;
mod rules;
mod sample;
mod traffic;
mod unread;
mod variations;
mod words;

pub use change::{Change, ChangeKind};
pub use comparison::{Comparison, Tally};
pub use effect::{Effect, Name, SubjectEffect, Transition};
pub use got::Outcome;
pub use sample::Sample;

use crate::datafile::Datafile;
use matched::Matched;

/// What is different in the new datafile, in an order that does not depend on the order of the
/// datafiles' lists: the top, attributes, audiences, events, groups, experiments, flags, holdouts,
/// integrations, and each of them by key.
///
/// Parts are the same if they have the same id, else if they have the same key. What the compiler
/// left out of a datafile, as its findings say, is not compared. Texts that differ only in what nothing
/// here reads, or in the order of a list, are one change, `text`.
///
/// ```
/// # fn main() -> Result<(), variate::Error> {
/// use variate::Datafile;
/// use variate::difference::{Comparison, Sample, changes};
///
/// let shop = include_str!("../../datafiles/shop.json");
/// let old = Datafile::compile(shop)?.datafile;
/// let new = Datafile::compile(shop.replace(r#""endOfRange": 2700"#, r#""endOfRange": 1700"#))?.datafile;
///
/// let found = changes(&old, &new);
/// assert_eq!(
///     found[0].to_string(),
///     "traffic of experiment `free_shipping_banner`: control 27 % -> 17 %, banner 27 % -> 37 %"
/// );
/// assert!(found[0].rebuckets);
///
/// let comparison = Comparison::new(&old, &new);
/// let swedes = [variate::targeting::Attribute::new("country", "SE")];
/// let sample = Sample { users: 1000, seed: 1, attributes: &swedes, segments: None };
/// let effect = comparison.effect(&sample.tally(&comparison, 2, &|_| {}));
/// let banner = effect.experiments.iter().find(|one| one.key() == "free_shipping_banner");
/// assert!(banner.is_some_and(|banner| banner.changed > 50));
/// # Ok(())
/// # }
/// ```
#[must_use]
pub fn changes(old: &Datafile, new: &Datafile) -> Vec<Change> {
    let matched = Matched::new(old, new);
    let mut found = Vec::new();
    header::changes(&matched, &mut found);
    header::attribute_changes(&matched, &mut found);
    audiences::changes(&matched, &mut found);
    header::event_changes(&matched, &mut found);
    experiments::group_changes(&matched, &mut found);
    experiments::changes(&matched, &mut found);
    flags::changes(&matched, &mut found);
    holdouts::changes(&matched, &mut found);
    header::integration_changes(&matched, &mut found);
    if found.is_empty() {
        found.extend(unread::change(old, new));
    }
    found
}
