//! One part of the ledger: the rows of the users that hash to it, under one lock.
//!
//! Must not know records, ids or clocks. Bounded: a full shard forgets the first user without recent
//! uses that a hand going round finds, taking one use from each that it passes (the clock algorithm):
//! close to the least recently used, without an order to keep.

use std::collections::VecDeque;
use std::sync::Arc;

use hashbrown::HashTable;
use smol_str::SmolStr;

use super::captured::Captured;
use crate::attribution::{Bounds, Forgotten, PendingEvent, TrackedEvent, UserRow};
use crate::clock::TimeMs;
use crate::store::Statistics;

/// As many uses are remembered, so that a user who comes again and again outlasts those who came once.
const MOST_RECENT_USES: u8 = 3;

/// What a pending event is to the store.
#[derive(Debug, Clone)]
pub(super) struct Held {
    /// In the order of receipt within the shard, for finding the oldest.
    serial: u64,
    pub(super) event: Arc<TrackedEvent>,
}

/// A user, with the hash of both names.
#[derive(Debug, Clone, Copy)]
pub(super) struct UserKey<'a> {
    pub(super) hash: u64,
    pub(super) environment: &'a str,
    pub(super) user_id: &'a str,
}

/// How much a shard may hold.
#[derive(Debug, Clone, Copy)]
pub(super) struct ShardLimits {
    pub(super) users: usize,
    pub(super) pending_events: usize,
    pub(super) row: Bounds,
}

#[derive(Debug)]
pub(super) struct Shard {
    limits: ShardLimits,
    /// Places in `slots`: small numbers, so that more of them share a line of the cache.
    index: HashTable<u32>,
    slots: Vec<Slot>,
    vacant: Vec<usize>,
    hand: usize,
    pub(super) environments: Environments,
    /// Impressions that nobody has read yet.
    pub(super) captured: Captured,
    /// The pending events of all rows in the order of receipt; some may be gone already.
    waiting: VecDeque<Waiting>,
    next_serial: u64,
    /// Of this shard alone; `users` is kept by the index.
    pub(super) counts: Statistics,
}

/// The names of environments, shared and numbered: there are few.
#[derive(Debug, Default)]
pub(super) struct Environments(Vec<Environment>);

/// The name is here twice: what is compared must not lie beside the count of those who share the other,
/// which readers of records write all the time.
#[derive(Debug)]
struct Environment {
    name: SmolStr,
    shared: Arc<str>,
}

impl Environments {
    /// The name of a number that was given out, shared.
    pub(super) fn shared(&self, number: u32) -> Arc<str> {
        self.0.get(number as usize).map(|one| one.shared.clone()).unwrap_or_default()
    }

    /// The number of a name, if it has one already.
    pub(super) fn number_of(&self, name: &str) -> Option<u32> {
        self.0.iter().position(|known| *known.name == *name).map(small)
    }

    /// The number of a name.
    pub(super) fn number_or_new(&mut self, name: &str) -> u32 {
        self.number_of(name).unwrap_or_else(|| {
            self.0.push(Environment { name: name.into(), shared: name.into() });
            small(self.0.len().saturating_sub(1))
        })
    }
}

/// Two lines of the cache, side by side: reading a user's row is mostly waiting for them. All that is
/// compared is in the first one, hence the order of the fields.
#[derive(Debug)]
#[repr(C, align(128))]
struct Slot {
    hash: u64,
    /// Its number among the environments.
    environment: u32,
    recent_uses: u8,
    user_id: SmolStr,
    row: UserRow<Held>,
}

#[derive(Debug, Clone, Copy)]
struct Waiting {
    claimable_until_ms: TimeMs,
    serial: u64,
    place: usize,
}

impl Shard {
    pub(super) fn new(limits: ShardLimits) -> Self {
        Self {
            limits,
            index: HashTable::new(),
            slots: Vec::new(),
            vacant: Vec::new(),
            hand: 0,
            environments: Environments::default(),
            captured: Captured::default(),
            waiting: VecDeque::new(),
            next_serial: 0,
            counts: Statistics::default(),
        }
    }

    pub(super) fn statistics(&self) -> Statistics {
        Statistics { users: self.index.len() as u64, ..self.counts }
    }

    pub(super) const fn row_bounds(&self) -> &Bounds {
        &self.limits.row
    }

    /// The place of a user's row.
    pub(super) fn find(&mut self, key: &UserKey<'_>) -> Option<usize> {
        let slots = &self.slots;
        let environment = self.environments.number_of(key.environment)?;
        let is_of = |place: &u32| {
            slots.get(*place as usize).is_some_and(|slot| slot.is_of(key, environment))
        };
        let place = *self.index.find(key.hash, is_of)? as usize;
        if let Some(slot) = self.slots.get_mut(place)
            && slot.recent_uses < MOST_RECENT_USES
        {
            slot.recent_uses += 1;
        }
        Some(place)
    }

    /// Makes a row for a user who has none; gives its place.
    pub(super) fn make(&mut self, key: &UserKey<'_>) -> usize {
        if self.index.len() >= self.limits.users {
            self.forget_unused_user();
        }
        let slot = Slot {
            hash: key.hash,
            environment: self.environments.number_or_new(key.environment),
            recent_uses: 0,
            user_id: key.user_id.into(),
            row: UserRow::default(),
        };
        let vacant = self.vacant.pop().and_then(|place| Some((place, self.slots.get_mut(place)?)));
        let place = if let Some((place, vacant)) = vacant {
            *vacant = slot;
            place
        } else {
            self.slots.push(slot);
            self.slots.len().saturating_sub(1)
        };
        let slots = &self.slots;
        let hash_of = |place: &u32| slots.get(*place as usize).map_or(0, |slot| slot.hash);
        self.index.insert_unique(key.hash, small(place), hash_of);
        place
    }

    pub(super) fn row(&self, place: usize) -> Option<&UserRow<Held>> {
        self.slots.get(place).map(|slot| &slot.row)
    }

    pub(super) fn row_mut(&mut self, place: usize) -> Option<&mut UserRow<Held>> {
        self.slots.get_mut(place).map(|slot| &mut slot.row)
    }

    /// The environment's name, shared.
    pub(super) fn environment(&mut self, name: &str) -> Arc<str> {
        let number = self.environments.number_or_new(name);
        self.environments.shared(number)
    }

    /// Lets an event wait for late activations.
    pub(super) fn hold(&mut self, key: &UserKey<'_>, event: PendingEvent<Arc<TrackedEvent>>) {
        let place = self.find(key).unwrap_or_else(|| self.make(key));
        let serial = self.next_serial;
        self.next_serial += 1;
        let PendingEvent { id, time_ms, received_at_ms, claimable_until_ms, tied, event } = event;
        self.waiting.push_back(Waiting { claimable_until_ms, serial, place });
        let event = Held { serial, event };
        let pending = PendingEvent { id, time_ms, received_at_ms, claimable_until_ms, tied, event };
        let bounds = self.limits.row;
        self.counts.pending_events += 1;
        let forgotten = self.row_mut(place).map(|row| row.commit_pending(pending, &bounds));
        self.note_forgotten(forgotten.unwrap_or_default());
        self.bound_pending();
    }

    /// A user's row, with nothing that is over.
    pub(super) fn living_row(
        &mut self,
        key: &UserKey<'_>,
        now_ms: TimeMs,
    ) -> Option<UserRow<Held>> {
        let place = self.find(key)?;
        let mut row = self.row(place)?.clone();
        row.expire_pending(now_ms);
        Some(row)
    }

    /// Puts a user's row in the place of the one before, if there is one, or takes that away. Where events have
    /// come to it that waited elsewhere, all that wait in it are numbered anew.
    pub(super) fn put_row(
        &mut self,
        key: &UserKey<'_>,
        mut row: UserRow<Held>,
        has_moved_events: bool,
    ) {
        let place = match self.find(key) {
            Some(place) => place,
            None if row.is_empty() => return,
            None => self.make(key),
        };
        let forgotten = row.bound_pending(&self.limits.row);
        let mut behind = 0;
        for pending in row.pending_mut().filter(|_| has_moved_events) {
            let (claimable_until_ms, serial) = (pending.claimable_until_ms, self.next_serial);
            self.next_serial += 1;
            pending.event.serial = serial;
            let is_before = |other: &Waiting| other.claimable_until_ms <= claimable_until_ms;
            // Those of one row stay in their order.
            behind = self.waiting.partition_point(is_before).max(behind);
            self.waiting.insert(behind, Waiting { claimable_until_ms, serial, place });
            behind += 1;
        }
        let Some(slot) = self.slots.get_mut(place) else { return };
        let before = std::mem::replace(&mut slot.row, row);
        let counts = &mut self.counts;
        counts.forgotten_events += forgotten.pending_events as u64;
        let (activations, events) = (before.activation_count(), before.pending().len());
        counts.activations = counts.activations.saturating_sub(activations as u64);
        counts.activations += slot.row.activation_count() as u64;
        counts.pending_events = counts.pending_events.saturating_sub(events as u64);
        counts.pending_events += slot.row.pending().len() as u64;
        self.remove_if_empty(place);
        self.bound_pending();
    }

    /// Lets go of the events that were received first, where too many wait.
    fn bound_pending(&mut self) {
        while self.counts.pending_events > self.limits.pending_events as u64 {
            let Some(oldest) = self.waiting.pop_front() else { break };
            self.forget_pending(oldest);
        }
        self.compact_waiting();
    }

    /// Lets go of the pending events that have waited long enough.
    pub(super) fn sweep(&mut self, now_ms: TimeMs) {
        while let Some(oldest) =
            self.waiting.front().copied().filter(|first| first.claimable_until_ms <= now_ms)
        {
            self.waiting.pop_front();
            let expired = self.row_mut(oldest.place).map_or(0, |row| row.expire_pending(now_ms));
            self.counts.pending_events = self.counts.pending_events.saturating_sub(expired as u64);
            if expired > 0 {
                self.remove_if_empty(oldest.place);
            }
        }
    }

    /// Counts what a row had to forget.
    pub(super) fn note_forgotten(&mut self, forgotten: Forgotten) {
        let (activations, events) = (forgotten.activations as u64, forgotten.pending_events as u64);
        self.counts.activations = self.counts.activations.saturating_sub(activations);
        self.counts.forgotten_activations += activations;
        self.counts.pending_events = self.counts.pending_events.saturating_sub(events);
        self.counts.forgotten_events += events;
    }

    /// Forgets a user; gives whether there was one.
    pub(super) fn forget(&mut self, key: &UserKey<'_>) -> bool {
        let place = self.find(key);
        place.is_some_and(|place| self.remove(place))
    }

    fn forget_pending(&mut self, oldest: Waiting) {
        let Some(row) = self.row_mut(oldest.place) else { return };
        if row.pending().next().is_none_or(|first| first.event.serial != oldest.serial) {
            return;
        }
        drop(row.forget_oldest_pending());
        self.note_forgotten(Forgotten { pending_events: 1, ..Forgotten::default() });
        self.remove_if_empty(oldest.place);
    }

    /// Entries of events that rows have let go of by themselves must not pile up.
    fn compact_waiting(&mut self) {
        if self.waiting.len() <= self.limits.pending_events.saturating_mul(2).saturating_add(64) {
            return;
        }
        let slots = &self.slots;
        self.waiting.retain(|entry| {
            let first = slots.get(entry.place).and_then(|slot| slot.row.pending().next());
            first.is_some_and(|first| first.event.serial <= entry.serial)
        });
    }

    fn forget_unused_user(&mut self) {
        // After so many rounds somebody has no use left.
        for _ in 0..=self.slots.len().saturating_mul(usize::from(MOST_RECENT_USES) + 1) {
            let place = self.hand;
            self.hand = if place + 1 < self.slots.len() { place + 1 } else { 0 };
            let Some(slot) = self.slots.get_mut(place) else { continue };
            if slot.recent_uses > 0 {
                slot.recent_uses -= 1;
                continue;
            }
            let lost_events = slot.row.pending().len() as u64;
            let lost_activations = slot.row.activation_count() as u64;
            if self.remove(place) {
                self.counts.forgotten_users += 1;
                self.counts.forgotten_activations += lost_activations;
                self.counts.forgotten_events += lost_events;
                return;
            }
        }
    }

    fn remove_if_empty(&mut self, place: usize) {
        if self.row(place).is_some_and(UserRow::is_empty) {
            self.remove(place);
        }
    }

    /// Takes a user out; gives whether one was at that place.
    fn remove(&mut self, place: usize) -> bool {
        let Some(slot) = self.slots.get_mut(place) else { return false };
        let Ok(entry) = self.index.find_entry(slot.hash, |&other| other == small(place)) else {
            return false;
        };
        entry.remove();
        let row = std::mem::take(&mut slot.row);
        slot.user_id = SmolStr::default();
        self.vacant.push(place);
        self.counts.activations =
            self.counts.activations.saturating_sub(row.activation_count() as u64);
        self.counts.pending_events =
            self.counts.pending_events.saturating_sub(row.pending().len() as u64);
        true
    }
}

/// A place as the index keeps it: shards are limited to as many users.
fn small(place: usize) -> u32 {
    u32::try_from(place).unwrap_or(u32::MAX)
}

impl Slot {
    fn is_of(&self, key: &UserKey<'_>, environment: u32) -> bool {
        self.hash == key.hash && self.environment == environment && *self.user_id == *key.user_id
    }
}
