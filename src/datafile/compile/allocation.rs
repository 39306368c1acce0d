//! Traffic allocations: entity ids become places.
//!
//! Must not know what the entities are.

use crate::allocation::{Allocation, Range, Target};
use crate::datafile::findings::Findings;
use crate::datafile::wire::WireRange;

/// Compiles ranges, given how an entity's id is resolved and what it is called.
pub(super) fn compile(
    ranges: &[WireRange<'_>],
    kind: &str,
    resolve: impl Fn(&str) -> Option<u32>,
    findings: &mut Findings,
) -> Allocation {
    Allocation::new(ranges.iter().map(|range| {
        let target = match &range.entity_id {
            None => Target::Empty,
            Some(id) => resolve(id).map_or_else(
                || {
                    let place = range.place.field("entityId");
                    findings.dangling(&place, kind, id, "users in this range get nothing");
                    Target::Dangling
                },
                Target::Entity,
            ),
        };
        Range { end: range.end, target }
    }))
}

/// The allocation of a contextual bandit: who takes part at all.
pub(super) fn participation(end: u16) -> Allocation {
    Allocation::new([Range { end, target: Target::Entity(0) }])
}
