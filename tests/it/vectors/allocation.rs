//! Traffic allocations, held against the SDKs' search: the first range in the order given.

use proptest::prelude::*;
use variate::allocation::{Allocation, Range, Target};

fn naive(ranges: &[Range], bucket: u16) -> Option<Target> {
    ranges.iter().find(|range| bucket < range.end).map(|range| range.target)
}

fn check(ranges: &[Range]) {
    let allocation = Allocation::new(ranges.iter().copied());
    let near = |end: u16| [end.saturating_sub(1), end, end.saturating_add(1)];
    let mut buckets: Vec<u16> = ranges.iter().flat_map(|range| near(range.end)).collect();
    buckets.extend([0, 1, 4999, 5000, 9998, 9999]);
    for bucket in buckets.into_iter().filter(|bucket| *bucket < 10_000) {
        assert_eq!(allocation.pick(bucket), naive(ranges, bucket), "{bucket} in {ranges:?}");
        let entity = naive(ranges, bucket).and_then(Target::entity);
        let found = allocation.entity(bucket).map(|from_one| from_one.get() - 1);
        assert_eq!(found, entity, "the entity of {bucket} in {ranges:?}");
        let start = allocation.start_of(bucket);
        assert!(start <= bucket, "{bucket} in {ranges:?} starts at {start}");
        if start > 0 {
            // The bucket before the range leads to another range.
            let before = allocation.range_of(start - 1).unwrap();
            assert!(Some(before) != allocation.range_of(bucket), "{bucket} in {ranges:?}");
        }
    }
}

fn any_range() -> impl Strategy<Value = Range> {
    let end = prop_oneof![0_u16..=10_000, Just(0), Just(1), Just(5000), Just(9999), Just(10_000)];
    let target = prop_oneof![
        (0_u32..5).prop_map(Target::Entity),
        Just(Target::Empty),
        Just(Target::Dangling)
    ];
    (end, target).prop_map(|(end, target)| Range { end, target })
}

proptest! {
    #[test]
    fn any_ranges_in_any_order(ranges in proptest::collection::vec(any_range(), 0..12)) {
        check(&ranges);
    }
}

#[test]
fn the_end_is_not_in_the_range() {
    let halves =
        [(5000, 0), (10_000, 1)].map(|(end, entity)| Range { end, target: Target::Entity(entity) });
    let allocation = Allocation::new(halves);
    assert_eq!(allocation.pick(4999), Some(Target::Entity(0)));
    assert_eq!(allocation.pick(5000), Some(Target::Entity(1)));
    assert_eq!(Allocation::new([]).pick(0), None);
    check(&halves);
}
