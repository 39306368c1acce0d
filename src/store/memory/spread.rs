//! How a bounded number of things is spread over shards.
//!
//! Must not know what they are.

use std::num::NonZeroUsize;
use std::thread::available_parallelism;

/// For each thread that can run at once: enough to keep threads out of each other's way. With more, what
/// the shards themselves need is no longer in the cache.
const SHARDS_PER_THREAD: usize = 4;

const MOST_SHARDS: usize = 64;

/// Below this many things in a shard, chance would fill one long before the others.
const LEAST_PER_SHARD: usize = 1024;

/// How many shards to spread at most `limit` things over: a power of two.
pub(super) fn shard_count(limit: usize) -> usize {
    shard_count_for(available_parallelism().map_or(1, NonZeroUsize::get), limit)
}

fn shard_count_for(threads: usize, limit: usize) -> usize {
    let most = threads.saturating_mul(SHARDS_PER_THREAD).min(MOST_SHARDS);
    let shards = (limit / LEAST_PER_SHARD).clamp(1, most);
    // The power of two at or below.
    1 << shards.ilog2()
}

/// How many things one shard may hold: at least one.
pub(super) fn per_shard(limit: usize, shards: usize) -> usize {
    (limit / shards.max(1)).max(1)
}

#[cfg(test)]
mod tests {
    //! How many shards there are on machines of all sizes.

    use super::shard_count_for;

    #[test]
    fn shards_are_as_many_as_threads_need_and_things_fill() {
        let check = |threads, limit, expect| {
            assert_eq!(
                shard_count_for(threads, limit),
                expect,
                "{threads} threads, {limit} things"
            );
        };
        check(1, 1_000_000, 4);
        check(2, 1_000_000, 8);
        check(3, 1_000_000, 8);
        check(16, 1_000_000, 64);
        check(1_000, 1_000_000, 64);
        check(16, 0, 1);
        check(16, 1_023, 1);
        check(16, 8_192, 8);
        check(16, 9_000, 8);
    }
}
