//! The ids that were accepted lately, so that a repeat is not counted again.
//!
//! Must not know what the ids are of. Kept as 128-bit fingerprints under secret random keys: no text
//! is kept, and nobody can make two ids meet.

use std::collections::VecDeque;
use std::hash::{BuildHasher, RandomState};

use hashbrown::HashMap;
use parking_lot::{Mutex, MutexGuard};

use super::spread::{per_shard, shard_count};
use crate::attribution::Origin;
use crate::clock::TimeMs;

/// Whether an id is an impression's, an event's or a merge's: each has its own ids.
#[derive(Debug, Clone, Copy, PartialEq, Eq, Hash)]
pub(super) enum EntryKind {
    Impression,
    Event,
    Merge,
}

/// Within what an id is unique, and the id.
#[derive(Debug, Clone, Copy, Hash)]
pub(super) struct IdKey<'a> {
    pub(super) environment: &'a str,
    pub(super) kind: EntryKind,
    pub(super) origin: Origin,
    pub(super) id: &'a str,
}

#[derive(Debug)]
pub(super) struct AcceptedIds {
    keys: [RandomState; 2],
    shards: Box<[Mutex<IdShard>]>,
    limit_per_shard: usize,
}

#[derive(Debug, Default)]
struct IdShard {
    /// When each stops being recognised.
    until_ms: HashMap<u128, TimeMs>,
    /// In the order of receipt. An id that was accepted anew is in it twice, of which the first counts
    /// for nothing.
    order: VecDeque<(TimeMs, u128)>,
    forgotten: u64,
}

/// An id under its lock: nobody else can accept it before the claim is dropped.
#[derive(Debug)]
pub(super) struct Claim<'a> {
    shard: MutexGuard<'a, IdShard>,
    fingerprint: u128,
    limit: usize,
}

impl AcceptedIds {
    pub(super) fn new(limit: usize) -> Self {
        let shards = shard_count(limit);
        Self {
            keys: [RandomState::new(), RandomState::new()],
            shards: (0..shards).map(|_| Mutex::default()).collect(),
            limit_per_shard: per_shard(limit, shards),
        }
    }

    /// Locks an id; `None` where it is a repeat.
    pub(super) fn claim(&self, key: &IdKey<'_>, now_ms: TimeMs) -> Option<Claim<'_>> {
        let [high, low] = self.keys.each_ref().map(|keys| keys.hash_one(key));
        let fingerprint = (u128::from(high) << 64) | u128::from(low);
        let place = usize::try_from(high).unwrap_or_default() & self.shards.len().saturating_sub(1);
        let mut shard = self.shards.get(place)?.lock();
        shard.expire(now_ms);
        let is_repeat = shard.until_ms.get(&fingerprint).is_some_and(|&until_ms| now_ms < until_ms);
        (!is_repeat).then_some(Claim { shard, fingerprint, limit: self.limit_per_shard })
    }

    /// How many are held, and how many were forgotten before their time.
    pub(super) fn count(&self, now_ms: TimeMs) -> (u64, u64) {
        self.shards.iter().fold((0, 0), |(held, forgotten), shard| {
            let mut shard = shard.lock();
            shard.expire(now_ms);
            (held + shard.until_ms.len() as u64, forgotten + shard.forgotten)
        })
    }
}

impl IdShard {
    fn expire(&mut self, now_ms: TimeMs) {
        while self.order.front().is_some_and(|&(until_ms, _)| until_ms <= now_ms) {
            self.drop_oldest();
        }
    }

    fn drop_oldest(&mut self) -> bool {
        let Some((until_ms, fingerprint)) = self.order.pop_front() else { return false };
        let is_current = self.until_ms.get(&fingerprint) == Some(&until_ms);
        if is_current {
            self.until_ms.remove(&fingerprint);
        }
        is_current
    }
}

impl Claim<'_> {
    /// Remembers the id as accepted.
    pub(super) fn accept(mut self, until_ms: TimeMs) {
        let fingerprint = self.fingerprint;
        self.shard.until_ms.insert(fingerprint, until_ms);
        self.shard.order.push_back((until_ms, fingerprint));
        while self.shard.order.len() > self.limit {
            let was_current = self.shard.drop_oldest();
            self.shard.forgotten += u64::from(was_current);
        }
    }
}
