//! Traffic allocations: which range of buckets leads where.
//!
//! Must not know datafiles: a target is a number that the datafile's compiler chooses.

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
    /// The ends of the first ranges; where there are fewer, [`NEVER`] stands for the others.
    ends: [u16; FEW],
    /// The entities of the first ranges, one higher; 0 stands for none.
    entities: [u32; FEW],
    /// Whether there are more ranges than that.
    has_more: bool,
    ranges: Box<[Range]>,
}

/// An end that no bucket reaches.
const NEVER: u16 = u16::MAX;

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
        let mut few = Self {
            ends: [NEVER; FEW],
            entities: [0; FEW],
            has_more: ranges.len() > FEW,
            ranges: Box::default(),
        };
        for ((range, end), entity) in ranges.iter().zip(&mut few.ends).zip(&mut few.entities) {
            *end = range.end;
            *entity = range.target.entity().map_or(0, |place| place.saturating_add(1));
        }
        Self { ranges, ..few }
    }

    /// The entity that a bucket leads to, if it leads to one.
    #[inline]
    #[must_use]
    pub fn entity(&self, bucket: u16) -> Option<u32> {
        if self.has_more {
            return self.pick(bucket)?.entity();
        }
        // Which range it is, cannot be foreseen: counting costs less than a branch.
        let place = self.ends.map(|end| usize::from(end <= bucket)).iter().sum::<usize>();
        self.entities.get(place)?.checked_sub(1)
    }

    /// Where a bucket leads; `None` if it lies behind the last range.
    #[inline(never)]
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
