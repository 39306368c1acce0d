//! The engine under the store: fjall, opened, read and committed to; its handles never leave this file.
//!
//! Must not know rows or records: keys and values are bytes. The engine refuses everything after its
//! first failure to write, until it is closed and opened again; when that is tried is for others to say.
//!
//! | keyspace | key | value |
//! | --- | --- | --- |
//! | `meta` | name | see `meta` |
//! | `names` | kind, number (4 bytes) | a name, see `names` |
//! | `rows` | number of the environment (4 bytes), user id | the user's row |
//! | `outbox` | sequence number (8 bytes) | a record |
//! | `dead` | number (8 bytes) | a dead letter |
//! | `ids-N` | UUID of an id (16 bytes) | when it stops being recognised (8 bytes, ms) |
//!
//! Numbers in keys are big-endian. `ids-N` has the ids that stop being recognised in the Nth day since
//! the epoch, so that a whole day is dropped at once.

use std::collections::{BTreeMap, BTreeSet};
use std::io::ErrorKind;
use std::ops::RangeInclusive;
use std::panic::{AssertUnwindSafe, catch_unwind};
use std::path::{Path, PathBuf};
use std::sync::atomic::{AtomicU64, Ordering};
use std::time::Duration;

use fjall::config::{
    BlockSizePolicy, BloomConstructionPolicy, FilterPolicy, FilterPolicyEntry, PartitioningPolicy,
    PinningPolicy,
};
use fjall::{CompressionType, Database, Keyspace, KeyspaceCreateOptions, PersistMode};
use parking_lot::RwLock;

use super::holder::holder;
use super::journal::{mend_refused, note_dropped};
use crate::error::Error;

/// A place to write to.
#[derive(Debug, Clone, Copy, PartialEq, Eq, PartialOrd, Ord)]
pub(super) enum Space {
    Meta,
    Names,
    Rows,
    Outbox,
    Dead,
    /// The ids of a day.
    Ids(i64),
}

/// A value that is set, or taken away.
#[derive(Debug, Clone)]
pub(super) struct Write {
    pub(super) space: Space,
    pub(super) key: Box<[u8]>,
    pub(super) value: Option<Vec<u8>>,
}

/// A key and its value.
pub(super) type Pair = (Vec<u8>, Vec<u8>);

/// How the engine is set up.
#[derive(Debug, Clone, Copy)]
pub(super) struct Setup {
    pub(super) cache_bytes: u64,
    pub(super) journal_bytes: u64,
    pub(super) memtable_bytes: u64,
}

pub(super) struct Engine {
    folder: PathBuf,
    setup: Setup,
    opened: RwLock<Option<Opened>>,
    /// The number of the first commit that was refused, until its traces are cut off.
    refused_from: AtomicU64,
}

struct Opened {
    database: Database,
    meta: Keyspace,
    names: Keyspace,
    rows: Keyspace,
    outbox: Keyspace,
    dead: Keyspace,
    ids: BTreeMap<i64, Keyspace>,
}

impl Engine {
    pub(super) fn open(folder: &Path, setup: Setup) -> Result<Self, Error> {
        let (opened, refused_from) = (RwLock::new(None), AtomicU64::new(u64::MAX));
        let engine = Self { folder: folder.into(), setup, opened, refused_from };
        engine.reopen()?;
        Ok(engine)
    }

    pub(super) fn folder(&self) -> &Path {
        &self.folder
    }

    /// Closes and opens it.
    pub(super) fn reopen(&self) -> Result<(), Error> {
        let mut opened = self.opened.write();
        // What a failed commit left in the engine's buffers is written when it is closed, if there is room
        // by then. Who waited for it was told that it is not stored.
        if let Some(failed) = opened.take() {
            self.refused_from.store(failed.database.visible_seqno(), Ordering::Relaxed);
        }
        std::fs::create_dir_all(&self.folder)
            .map_err(|error| Error::file("create", &self.folder, error))?;
        mend_refused(&self.folder, self.refused_from.load(Ordering::Relaxed))?;
        self.refused_from.store(u64::MAX, Ordering::Relaxed);
        *opened = Some(self.guarded("open", || Opened::open(&self.folder, self.setup))?);
        Ok(())
    }

    pub(super) fn get(&self, space: Space, key: &[u8]) -> Result<Option<Vec<u8>>, Error> {
        self.read(|opened| match opened.space(space) {
            Some(keyspace) => Ok(keyspace.get(key)?.map(|value| value.to_vec())),
            None => Ok(None),
        })
    }

    /// Keys and values in a range of keys, in order, at most `limit`.
    pub(super) fn range(
        &self,
        space: Space,
        keys: RangeInclusive<Vec<u8>>,
        limit: usize,
    ) -> Result<Vec<Pair>, Error> {
        self.read(|opened| {
            let Some(keyspace) = opened.space(space) else { return Ok(Vec::new()) };
            let pair = |guard: fjall::Guard| {
                guard.into_inner().map(|(key, value)| (key.to_vec(), value.to_vec()))
            };
            keyspace.range(keys).take(limit).map(pair).collect()
        })
    }

    /// The last key.
    pub(super) fn last_key(&self, space: Space) -> Result<Option<Vec<u8>>, Error> {
        self.read(|opened| {
            let last = opened.space(space).and_then(Keyspace::last_key_value);
            last.map(|guard| guard.key().map(|key| key.to_vec())).transpose()
        })
    }

    /// The days of which ids are kept.
    pub(super) fn days(&self) -> Result<Vec<i64>, Error> {
        self.read(|opened| Ok(opened.ids.keys().copied().collect()))
    }

    /// About how many ids are kept.
    pub(super) fn count_ids(&self) -> Result<u64, Error> {
        self.read(|opened| Ok(opened.ids.values().map(|day| day.approximate_len() as u64).sum()))
    }

    /// Drops the ids of a day.
    pub(super) fn drop_day(&self, day: i64) -> Result<(), Error> {
        let mut opened = self.opened.write();
        let Some(opened) = opened.as_mut() else { return Err(self.closed()) };
        let Some(keyspace) = opened.ids.remove(&day) else { return Ok(()) };
        note_dropped(&self.folder, keyspace.id())
            .map_err(|error| Error::file("write to", &self.folder, error))?;
        self.guarded("drop old ids of", || opened.database.delete_keyspace(keyspace))
    }

    /// Writes all of it or nothing, and returns when it would survive a power cut. Nobody sees any of it
    /// before.
    pub(super) fn commit(&self, writes: Vec<Write>) -> Result<(), Error> {
        self.make_days(&writes)?;
        self.read(|opened| {
            opened.wait_for_order()?;
            let mut batch = opened.database.batch().durability(Some(PersistMode::SyncAll));
            for Write { space, key, value } in writes {
                let Some(keyspace) = opened.space(space) else { continue };
                match value {
                    Some(value) => batch.insert(keyspace, &*key, value),
                    None => batch.remove(keyspace, &*key),
                }
            }
            batch.commit()
        })
    }

    /// Makes room for the ids of days that have none yet.
    fn make_days(&self, writes: &[Write]) -> Result<(), Error> {
        let day = |write: &Write| match write.space {
            Space::Ids(day) => Some(day),
            _ => None,
        };
        let days: BTreeSet<i64> = writes.iter().filter_map(day).collect();
        for day in days {
            let is_there =
                self.opened.read().as_ref().is_some_and(|opened| opened.ids.contains_key(&day));
            if is_there {
                continue;
            }
            let mut opened = self.opened.write();
            let Some(opened) = opened.as_mut() else { return Err(self.closed()) };
            let name = format!("{IDS}{day}");
            let keyspace =
                self.guarded("write to", || opened.database.keyspace(&name, || ids(self.setup)))?;
            opened.ids.insert(day, keyspace);
        }
        Ok(())
    }

    fn read<T>(&self, read: impl FnOnce(&Opened) -> fjall::Result<T>) -> Result<T, Error> {
        let opened = self.opened.read();
        match &*opened {
            Some(opened) => self.guarded("use", || read(opened)),
            None => Err(self.closed()),
        }
    }

    /// Calls the engine, whose failures and panics become errors.
    fn guarded<T>(
        &self,
        action: &'static str,
        call: impl FnOnce() -> fjall::Result<T>,
    ) -> Result<T, Error> {
        match catch_unwind(AssertUnwindSafe(call)) {
            Ok(Ok(done)) => Ok(done),
            Ok(Err(fjall::Error::Locked)) => {
                Err(Error::store_in_use(&self.folder, holder(&self.folder)))
            }
            Ok(Err(fjall::Error::Io(error))) if error.kind() == ErrorKind::StorageFull => {
                Err(Error::store(action, &self.folder, FULL, error))
            }
            Ok(Err(fjall::Error::Poisoned)) => {
                Err(Error::store(action, &self.folder, REMEDY, IN_THE_BACKGROUND))
            }
            Ok(Err(error)) => Err(Error::store(action, &self.folder, REMEDY, error)),
            Err(_) => Err(Error::store(action, &self.folder, REMEDY, "the engine panicked")),
        }
    }

    fn closed(&self) -> Error {
        Error::store_refuses(&self.folder, "it is being opened again after a failure")
    }
}

const REMEDY: &str = "look at the cause; where the disk is sound, restore the store from a back-up";
const IDS: &str = "ids-";
const WORKERS: usize = 2;
const WAITING_FOR_ORDER: Duration = Duration::from_millis(1);
const FULL: &str = "its disk is full: free some of it";
const IN_THE_BACKGROUND: &str =
    "what was stored could not be put in order in the background: the disk may be full or broken";

impl Opened {
    fn open(folder: &Path, setup: Setup) -> fjall::Result<Self> {
        let database = Database::builder(folder)
            .cache_size(setup.cache_bytes)
            .max_journaling_size(setup.journal_bytes)
            // Journals are checked by compressing again what was compressed: another version of the
            // compressor could refuse them.
            .journal_compression(CompressionType::None)
            // With more, a flush that fails can leave a commit waiting for ever.
            .worker_threads(WORKERS)
            .open()?;
        Self::with_keyspaces(database, setup)
    }

    fn with_keyspaces(database: Database, setup: Setup) -> fjall::Result<Self> {
        let with_memtable =
            move |options: KeyspaceCreateOptions| options.max_memtable_size(setup.memtable_bytes);
        let plain = move || with_memtable(KeyspaceCreateOptions::default());
        let meta = database.keyspace("meta", plain)?;
        let names = database.keyspace("names", plain)?;
        let rows = database.keyspace("rows", move || with_memtable(point_reads()))?;
        let outbox = database.keyspace("outbox", move || with_memtable(read_in_order()))?;
        let dead = database.keyspace("dead", plain)?;
        let mut ids = BTreeMap::new();
        for name in database.list_keyspace_names() {
            if let Some(day) = name.strip_prefix(IDS).and_then(|day| day.parse().ok()) {
                ids.insert(day, database.keyspace(&name, || self::ids(setup))?);
            }
        }
        Ok(Self { database, meta, names, rows, outbox, dead, ids })
    }

    /// Waits until what was written lately is put in order, or cannot be. The engine does so itself at the
    /// end of a commit, but for ever where its workers have failed: with a full disk, after it was opened
    /// with several journals. One commit lets the count below rise by two at most, and it waits at four.
    fn wait_for_order(&self) -> fjall::Result<()> {
        let fixed = [&self.meta, &self.names, &self.rows, &self.outbox, &self.dead];
        let is_behind = |keyspace: &&Keyspace| {
            keyspace.sealed_memtable_count() >= 2 || keyspace.l0_table_count() >= 20
        };
        while fixed.into_iter().chain(self.ids.values()).any(|keyspace| is_behind(&keyspace)) {
            // Writes nothing; it fails where a worker has.
            self.database.persist(PersistMode::Buffer)?;
            std::thread::sleep(WAITING_FOR_ORDER);
        }
        Ok(())
    }

    fn space(&self, space: Space) -> Option<&Keyspace> {
        match space {
            Space::Meta => Some(&self.meta),
            Space::Names => Some(&self.names),
            Space::Rows => Some(&self.rows),
            Space::Outbox => Some(&self.outbox),
            Space::Dead => Some(&self.dead),
            Space::Ids(day) => self.ids.get(&day),
        }
    }
}

/// For keys that are mostly asked for and mostly not there: every level has a filter, which stays in
/// memory, so that a miss reads nothing. A key is looked for in each of up to 20 tables that are not yet
/// in levels, so that a filter must be wrong in far less than one case of a thousand.
fn point_reads() -> KeyspaceCreateOptions {
    let filter = FilterPolicyEntry::Bloom(BloomConstructionPolicy::BitsPerKey(16.0));
    KeyspaceCreateOptions::default()
        .filter_policy(FilterPolicy::all(filter))
        .filter_block_pinning_policy(PinningPolicy::all(true))
        .index_block_pinning_policy(PinningPolicy::all(true))
        .filter_block_partitioning_policy(PartitioningPolicy::all(false))
        .index_block_partitioning_policy(PartitioningPolicy::all(false))
        .expect_point_read_hits(false)
}

/// For keys that are read one after the other: large blocks, and no filter.
fn read_in_order() -> KeyspaceCreateOptions {
    KeyspaceCreateOptions::default()
        .filter_policy(FilterPolicy::disabled())
        .data_block_size_policy(BlockSizePolicy::all(16 * 1024))
}

/// Ids are small, and in memory each takes several times its size.
fn ids(setup: Setup) -> KeyspaceCreateOptions {
    point_reads().max_memtable_size(setup.memtable_bytes / 4)
}

impl std::fmt::Debug for Engine {
    fn fmt(&self, formatter: &mut std::fmt::Formatter<'_>) -> std::fmt::Result {
        formatter.debug_struct("Engine").field("folder", &self.folder).finish_non_exhaustive()
    }
}
