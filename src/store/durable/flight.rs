//! What is accepted and not durable yet: rows as they will be, and ids. Turns see it, readers do not.
//!
//! Must not know the engine. A user's turn holds the lock of the user's shard; an id's lock is taken
//! after it, and the queue's after that.

use std::hash::BuildHasher;
use std::sync::Arc;

use hashbrown::{DefaultHashBuilder, HashMap};
use parking_lot::{Mutex, MutexGuard};
use uuid::Uuid;

use super::commit::Commit;
use super::entry::{Entry, Row, RowKey};

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
        self.shard(&self.rows, key).unwrap_or(&self.first_rows).lock()
    }

    /// Locks an id: nobody else can accept it before this is dropped.
    pub(super) fn id_turn(&self, id: &Uuid) -> MutexGuard<'_, Ids> {
        self.shard(&self.ids, id.as_bytes()).unwrap_or(&self.first_ids).lock()
    }

    fn shard<'s, T>(&self, others: &'s [T], key: &[u8]) -> Option<&'s T> {
        let place = usize::try_from(self.hasher.hash_one(key) % SHARDS as u64).ok()?;
        others.get(place.checked_sub(1)?)
    }

    /// Lets go of what a commit has stored.
    pub(super) fn land(&self, entries: &[Entry], number: u64) {
        for (key, _) in entries.iter().filter_map(|entry| entry.row.as_ref()) {
            let mut rows = self.turn(key);
            if rows.get(key).is_some_and(|(_, stored_by)| *stored_by <= number) {
                rows.remove(key);
            }
        }
        for accepted in entries.iter().filter_map(|entry| entry.id) {
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
