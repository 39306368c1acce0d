//! From an id to a bucket: what every decision takes at the least.

use std::hint::black_box;

use criterion::Criterion;
use variate::hash::PreparedParent;

use crate::world::ids;

pub(crate) fn benches(criterion: &mut Criterion) {
    let people = ids(1_000);
    let mut next = people.iter().cycle();
    let parent = PreparedParent::new("9300000042");
    criterion.bench_function("hash/bucket of a 14-byte id", |bencher| {
        bencher.iter(|| next.next().map(|id| parent.bucket(black_box(id))));
    });
}
