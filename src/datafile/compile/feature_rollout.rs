//! Feature rollouts: their remaining traffic gets the variation that everyone else gets.
//!
//! Must not know what variations mean.

use std::collections::BTreeSet;

use super::draft::Drafts;
use crate::datafile::wire::{WireFlag, WireRange, WireVariation};
use crate::hash::BUCKETS;

/// Appends to each experiment of type `fr` the first variation of the last rule of its flag's rollout,
/// and a range to it that ends where all traffic does.
pub(super) fn extend<'a>(drafts: &mut Drafts<'a>, flags: &[WireFlag<'a>]) {
    for flag in flags {
        let Some(everyone_else) = everyone_else(drafts, flag) else { continue };
        // An experiment that the flag names twice gets nothing from the second time.
        let experiments: BTreeSet<_> = flag
            .experiment_ids
            .iter()
            .filter_map(|reference| drafts.ordinary_rule(&reference.name))
            .collect();
        for index in experiments {
            let Some(draft) = drafts.get_mut(index) else { continue };
            if draft.wire.type_name.as_deref() != Some("fr") {
                continue;
            }
            let end = u16::try_from(BUCKETS).unwrap_or(u16::MAX);
            let (place, entity_id) = (draft.wire.place.clone(), Some(everyone_else.id.clone()));
            draft.wire.allocation.push(WireRange { place, entity_id, end });
            draft.wire.variations.push(everyone_else.clone());
            draft.borrowed_variations = draft.borrowed_variations.saturating_add(1);
        }
    }
}

fn everyone_else<'a>(drafts: &Drafts<'a>, flag: &WireFlag<'a>) -> Option<WireVariation<'a>> {
    let rules = drafts.rollout_by_id.get(&*flag.rollout_id.as_ref()?.name)?;
    let variation = drafts.get(*rules.last()?)?.wire.variations.first()?;
    // Its values are known by its id: the borrowed one need not repeat them.
    Some(WireVariation { values: None, ..variation.clone() })
}
