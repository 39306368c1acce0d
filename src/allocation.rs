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

/// One range of an allocation: its end (exclusive, in basis points) and where it leads.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub struct Range {
    /// The first bucket after the range, 0 to 10000.
    pub end: u16,
    /// Where it leads.
    pub target: Target,
}

/// A compiled traffic allocation.
///
/// The SDKs search the ranges in the datafile's order for the first with `bucket < end`. A range that
/// ends at or before an earlier one's end can never be found, so it is left out here, and the ends
/// that stay rise strictly: the number of ends at or below a bucket is the place of its range.
#[derive(Debug, Clone, Default)]
pub struct Allocation {
    ranges: Box<[Range]>,
    /// The ends of `ranges`, close together for counting.
    ends: Box<[u16]>,
}

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
        let ends = ranges.iter().map(|range| range.end).collect();
        Self { ranges, ends }
    }

    /// Where a bucket leads; `None` if it lies behind the last range.
    #[inline]
    #[must_use]
    pub fn pick(&self, bucket: u16) -> Option<Target> {
        self.range_of(bucket).map(|range| range.target)
    }

    /// The range that a bucket falls into; `None` if it lies behind the last one.
    #[inline]
    #[must_use]
    pub fn range_of(&self, bucket: u16) -> Option<&Range> {
        let place = self.ends.iter().map(|end| usize::from(*end <= bucket)).sum::<usize>();
        self.ranges.get(place)
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
