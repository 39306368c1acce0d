//! Traffic allocations: which range of buckets leads where.
//!
//! Must not know datafiles: a target is a number that the datafile's compiler chooses.

use std::num::NonZeroU32;

/// Where a range of a traffic allocation leads.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub enum Target {
    /// To the entity with this index: a variation of an experiment, or an experiment of a group.
    Entity(u32),
    /// To nothing, on purpose: the range's entity id is empty.
    Empty,
    /// To an entity that the datafile does not have.
    Dangling,
}

impl Target {
    /// The index of the entity that it leads to, if it leads to one.
    #[inline]
    #[must_use]
    pub fn entity(self) -> Option<u32> {
        if let Self::Entity(index) = self { Some(index) } else { None }
    }
}

/// One range of an allocation: its end (exclusive, in basis points) and where it leads.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub struct Range {
    /// The first bucket after the range, 0 to 10000.
    pub end: u16,
    /// Where it leads.
    pub target: Target,
}

/// So many ranges are looked through without a loop; nearly all allocations have no more.
const FEW: usize = 4;

/// A compiled traffic allocation.
///
/// The SDKs search the ranges in the datafile's order for the first with `bucket < end`. A range that
/// ends at or before an earlier one's end can never be found, so it is left out here, and the ends
/// that stay rise strictly: the number of ends at or below a bucket is the place of its range.
#[derive(Debug, Clone)]
pub struct Allocation {
    /// The entity of the first range, one higher; 0 stands for none.
    first: u32,
    /// Where the first ranges end, and the entity behind, one higher; where there are fewer, [`NEVER`]
    /// stands for the ends of the others.
    steps: [(u32, u32); FEW],
    /// Whether there are more ranges than that.
    has_more: bool,
    ranges: Box<[Range]>,
}

/// An end that no bucket reaches.
const NEVER: u32 = u32::MAX;

impl Allocation {
    /// Compiles ranges given in the datafile's order.
    #[must_use]
    pub fn new(ranges: impl IntoIterator<Item = Range>) -> Self {
        let mut reached = 0;
        let ranges: Box<[Range]> = ranges
            .into_iter()
            .filter(|range| {
                let can_be_found = range.end > reached;
                reached = reached.max(range.end);
                can_be_found
            })
            .collect();
        let entity = |place: usize| {
            let entity = ranges.get(place).and_then(|range| range.target.entity());
            entity.map_or(0, |index| index.saturating_add(1))
        };
        let steps = std::array::from_fn(|place| {
            (ranges.get(place).map_or(NEVER, |range| range.end.into()), entity(place + 1))
        });
        Self { first: entity(0), steps, has_more: ranges.len() > FEW, ranges }
    }

    /// One more than the index of the entity that a bucket leads to, if it leads to one.
    #[inline(always)]
    #[must_use]
    pub fn entity(&self, bucket: u16) -> Option<NonZeroU32> {
        if self.has_more {
            return self.entity_of_many(bucket);
        }
        // Which range it is, cannot be foreseen: so all are asked, and nothing jumps.
        let bucket = u32::from(bucket);
        let [one, two, three, four] = &self.steps;
        let mut entity = self.first;
        entity = if one.0 <= bucket { one.1 } else { entity };
        entity = if two.0 <= bucket { two.1 } else { entity };
        entity = if three.0 <= bucket { three.1 } else { entity };
        entity = if four.0 <= bucket { four.1 } else { entity };
        NonZeroU32::new(entity)
    }

    #[inline(never)]
    fn entity_of_many(&self, bucket: u16) -> Option<NonZeroU32> {
        NonZeroU32::new(self.pick(bucket)?.entity()?.saturating_add(1))
    }

    /// Where a bucket leads; `None` if it lies behind the last range.
    #[must_use]
    pub fn pick(&self, bucket: u16) -> Option<Target> {
        self.range_of(bucket).map(|range| range.target)
    }

    /// The range that a bucket falls into; `None` if it lies behind the last one.
    #[must_use]
    pub fn range_of(&self, bucket: u16) -> Option<&Range> {
        self.ranges.get(self.ranges.partition_point(|range| range.end <= bucket))
    }

    /// The ranges that can be found, in rising order.
    #[must_use]
    pub fn ranges(&self) -> &[Range] {
        &self.ranges
    }

    /// Where a range begins: the end of the one before it.
    #[must_use]
    pub fn start_of(&self, bucket: u16) -> u16 {
        self.ranges
            .iter()
            .map(|range| range.end)
            .take_while(|end| *end <= bucket)
            .last()
            .unwrap_or(0)
    }
}
