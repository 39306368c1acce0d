//! The whitelist of an experiment, with each variation as an outcome.
//!
//! Must not know how it is found out whether a user may be on it.

use hashbrown::HashMap;

use crate::datafile::VariationIndex;
use crate::decide::{ExperimentDecision, How};

/// User ids, and the variation of each or a key that names none.
type Whitelist = HashMap<Box<str>, Result<VariationIndex, Box<str>>>;

#[derive(Debug, Clone)]
pub(super) struct Listed<'d> {
    whitelist: &'d Whitelist,
    /// The variations in it, each once, in rising order.
    variations: Vec<VariationIndex>,
    /// The outcome of the first of them; the others' follow.
    first_outcome: usize,
}

impl<'d> Listed<'d> {
    /// Adds an outcome for each variation that the whitelist names.
    pub(super) fn new(whitelist: &'d Whitelist, outcomes: &mut Vec<ExperimentDecision>) -> Self {
        let named = whitelist.values().filter_map(|listed| listed.as_ref().ok().copied());
        let mut variations: Vec<_> = named.collect();
        variations.sort_unstable();
        variations.dedup();
        let first_outcome = outcomes.len();
        outcomes.extend(variations.iter().map(|variation| ExperimentDecision {
            variation: Some(*variation),
            how: How::Whitelist,
        }));
        Self { whitelist, variations, first_outcome }
    }

    /// The outcome of a user, if the whitelist names one and a variation that there is.
    pub(super) fn outcome(&self, user_id: &str) -> Option<u32> {
        let variation = self.whitelist.get(user_id)?.as_ref().ok()?;
        let place = self.variations.binary_search(variation).ok()?;
        u32::try_from(self.first_outcome + place).ok()
    }
}
