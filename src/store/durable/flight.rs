//! What is accepted and not durable yet: rows as they will be, and ids. Turns see it, readers do not.
//!
//! Must not know the engine. A user's turn holds the lock of the user's shard, that of two users both, taken
//! in the order of their places; an id's lock is taken after it, and the queue's after that.

use std::hash::BuildHasher;
use std::sync::Arc;

use hashbrown::{DefaultHashBuilder, HashMap};
use parking_lot::{Mutex, MutexGuard};
use uuid::Uuid;

use super::commit::Commit;
use super::entry::{Row, RowKey};
use super::queue::Group;

/// So many users' turns can go on at once, at most.
const SHARDS: usize = 256;

#[derive(Debug)]
pub(super) struct Flight {
    hasher: DefaultHashBuilder,
    rows: Box<[Mutex<Rows>]>,
    first_rows: Mutex<Rows>,
    ids: Box<[Mutex<Ids>]>,
    first_ids: Mutex<Ids>,
}

/// The commits that store the ids of one shard.
pub(super) type Ids = HashMap<Uuid, Arc<Commit>>;

/// Rows of one shard, with the number of the commit that stores them.
pub(super) type Rows = HashMap<RowKey, (Arc<Row>, u64)>;

/// The turn of two users, who may be in one shard.
#[derive(Debug)]
pub(super) struct Turns<'f> {
    keys: [RowKey; 2],
    lower: MutexGuard<'f, Rows>,
    upper: Option<MutexGuard<'f, Rows>>,
    is_first_upper: bool,
}

impl Turns<'_> {
    pub(super) fn is_one_user(&self) -> bool {
        let [one, other] = &self.keys;
        one == other
    }

    /// The keys of the users' rows, in the order in which they were given.
    pub(super) const fn keys(&self) -> &[RowKey; 2] {
        &self.keys
    }

    pub(super) const fn key(&self, is_first: bool) -> &RowKey {
        let [first, second] = &self.keys;
        if is_first { first } else { second }
    }

    /// Whether a row of theirs is not stored yet.
    pub(super) fn are_in_flight(&mut self) -> bool {
        let [first, second] = self.keys.clone();
        self.rows(true).contains_key(&first) || self.rows(false).contains_key(&second)
    }

    /// The shard of the first user, or of the second one.
    pub(super) fn rows(&mut self, is_first: bool) -> &mut Rows {
        match &mut self.upper {
            Some(upper) if is_first == self.is_first_upper => upper,
            _ => &mut self.lower,
        }
    }
}

impl Flight {
    pub(super) fn new() -> Self {
        Self {
            hasher: DefaultHashBuilder::default(),
            rows: (1..SHARDS).map(|_| Mutex::default()).collect(),
            first_rows: Mutex::default(),
            ids: (1..SHARDS).map(|_| Mutex::default()).collect(),
            first_ids: Mutex::default(),
        }
    }

    /// Begins a user's turn, which ends when this is dropped.
    pub(super) fn turn(&self, key: &[u8]) -> MutexGuard<'_, Rows> {
        self.rows_at(self.place(key)).lock()
    }

    /// Begins the turn of two users, which ends when this is dropped.
    pub(super) fn turns(&self, keys: [RowKey; 2]) -> Turns<'_> {
        let [one, other] = keys.each_ref().map(|key| self.place(key));
        let lower = self.rows_at(one.min(other)).lock();
        let upper = (one != other).then(|| self.rows_at(one.max(other)).lock());
        Turns { keys, lower, upper, is_first_upper: one > other }
    }

    /// Locks an id: nobody else can accept it before this is dropped.
    pub(super) fn id_turn(&self, id: &Uuid) -> MutexGuard<'_, Ids> {
        let place = self.place(id.as_bytes());
        place.checked_sub(1).and_then(|place| self.ids.get(place)).unwrap_or(&self.first_ids).lock()
    }

    fn rows_at(&self, place: usize) -> &Mutex<Rows> {
        let other = place.checked_sub(1).and_then(|place| self.rows.get(place));
        other.unwrap_or(&self.first_rows)
    }

    fn place(&self, key: &[u8]) -> usize {
        usize::try_from(self.hasher.hash_one(key) % SHARDS as u64).unwrap_or_default()
    }

    /// Lets go of what a commit has stored.
    pub(super) fn land(&self, group: &Group) {
        for key in group.rows.keys() {
            let mut rows = self.turn(key);
            if rows.get(key).is_some_and(|(_, stored_by)| *stored_by <= group.number) {
                rows.remove(key);
            }
        }
        for accepted in group.entries.iter().filter_map(|entry| entry.id) {
            self.id_turn(&accepted.id).remove(&accepted.id);
        }
    }

    /// Lets go of everything: what was in flight is not stored.
    pub(super) fn crash(&self) {
        for rows in std::iter::once(&self.first_rows).chain(&self.rows) {
            rows.lock().clear();
        }
        for ids in std::iter::once(&self.first_ids).chain(&self.ids) {
            ids.lock().clear();
        }
    }
}
