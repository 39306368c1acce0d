//! From buckets to outcomes: what is left to do for each user once the rest is decided.
//!
//! Must not know audiences, whitelists or attributes.

use crate::allocation::{Allocation, Target};
use crate::hash::{BUCKETS, PreparedParent};

/// Buckets in a cell of [`Traffic`]: so many that the cells of a hundred experiments stay in the
/// second-level cache, and so few that hardly a user falls into one with an end in it.
const BUCKETS_OF_CELL: u16 = 8;

/// Stands in a cell whose buckets do not all lead to the same, or that needs another look anyway.
const LOOK_CLOSER: u16 = u16::MAX;

/// A parent to hash under, and the outcome (a number) that each bucket has.
#[derive(Debug, Clone)]
pub(super) struct Traffic<'d> {
    pub(super) parent: &'d PreparedParent,
    cells: Box<[u16]>,
    /// Ends and outcomes of all ranges, in rising order.
    ranges: Box<[(u16, u32)]>,
    /// The outcome behind the last range.
    behind: u32,
}

impl<'d> Traffic<'d> {
    /// Gives each range its outcome, in rising order; `None` is no range.
    pub(super) fn new(
        parent: &'d PreparedParent,
        allocation: &Allocation,
        mut outcome: impl FnMut(Option<Target>) -> u32,
    ) -> Self {
        let ranges = allocation.ranges().iter();
        let ranges = ranges.map(|range| (range.end, outcome(Some(range.target)))).collect();
        let mut traffic = Self { parent, cells: Box::default(), ranges, behind: outcome(None) };
        let starts =
            (0..).step_by(BUCKETS_OF_CELL.into()).take_while(|at| u32::from(*at) < BUCKETS);
        traffic.cells = starts.map(|start| traffic.cell(start)).collect();
        traffic
    }

    /// What the buckets from here on have in common.
    fn cell(&self, start: u16) -> u16 {
        let is_uniform = self.place(start) == self.place(start + (BUCKETS_OF_CELL - 1));
        let outcome = u16::try_from(self.exact_outcome(start)).ok();
        outcome.filter(|_| is_uniform).unwrap_or(LOOK_CLOSER)
    }

    /// Makes [`Traffic::outcome`] give nothing for a bucket, and for some beside it.
    pub(super) fn look_closer_at(&mut self, bucket: u16) {
        if let Some(cell) = self.cells.get_mut(usize::from(bucket / BUCKETS_OF_CELL)) {
            *cell = LOOK_CLOSER;
        }
    }

    /// What the bucket leads to; `None` where one has to look closer.
    #[inline]
    pub(super) fn outcome(&self, bucket: u16) -> Option<u32> {
        let cell = self.cells.get(usize::from(bucket / BUCKETS_OF_CELL)).copied();
        cell.filter(|cell| *cell != LOOK_CLOSER).map(u32::from)
    }

    /// What the bucket leads to.
    pub(super) fn exact_outcome(&self, bucket: u16) -> u32 {
        self.ranges.get(self.place(bucket)).map_or(self.behind, |(_, outcome)| *outcome)
    }

    fn place(&self, bucket: u16) -> usize {
        self.ranges.partition_point(|(end, _)| *end <= bucket)
    }
}
