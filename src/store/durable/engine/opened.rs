//! The engine's handles while it is open, and how what was written is put in order.
//!
//! Must not know commits.
//!
//! Of fjall 3.1.13 this must be known, which its documentation does not say. Its workers take their orders
//! from a queue of 1000, and wait for room in it when they put a memtable aside. Every commit that finds a
//! memtable over its limit adds an order for each. So while all workers are busy, a thousand small commits
//! fill the queue, and then all can wait for room that only they could make: nothing is put in order any
//! more, and memory grows without end. It took half a minute of commits on a quick disk. Therefore memtables
//! have no limit that the engine knows, and who commits puts them aside: that is one order for one memtable,
//! of which there are never more than three for a keyspace. When it is opened it gives one order for each
//! keyspace, before there are workers: there must be fewer than a thousand, so ids cannot be remembered for
//! years.
//!
//! There are four workers. The first keeps itself free for memtables: it gives each order to compact back to
//! the queue, without a pause, until another takes it. With two, that is a core for nothing as long as the
//! second compacts; with one alone, memtables wait for what is compacted, and commits for memtables. A table
//! that was made of a memtable is one order for each worker, which deeper levels can use up; where too many
//! tables wait for their level, nobody commits, so that no orders come any more either: then who would commit
//! compacts.

use std::collections::BTreeMap;
use std::path::Path;
use std::sync::Arc;
use std::time::Duration;

use fjall::compaction::Leveled;
use fjall::config::{
    BlockSizePolicy, BloomConstructionPolicy, FilterPolicy, FilterPolicyEntry, PartitioningPolicy,
    PinningPolicy,
};
use fjall::{
    AbstractTree as _, CompressionType, Database, Keyspace, KeyspaceCreateOptions, PersistMode,
};

use super::{Setup, Space};

const IDS: &str = "ids-";
const WORKERS: usize = 4;
/// As many memtables are put aside, or tables wait for a level, at most.
const MOST_SEALED: usize = 2;
const MOST_UNSORTED_TABLES: usize = 20;
const TABLE_BYTES: u64 = 16 << 20;
const WAITING_FOR_ORDER: Duration = Duration::from_millis(1);

pub(super) struct Opened {
    pub(super) database: Database,
    meta: Keyspace,
    names: Keyspace,
    rows: Keyspace,
    outbox: Keyspace,
    dead: Keyspace,
    datafiles: Keyspace,
    overrides: Keyspace,
    profiles: Keyspace,
    pub(super) ids: BTreeMap<i64, Keyspace>,
}

impl Opened {
    pub(super) fn open(folder: &Path, setup: Setup) -> fjall::Result<Self> {
        let database = Database::builder(folder)
            .cache_size(setup.cache_bytes)
            .max_journaling_size(setup.journal_bytes)
            // Journals are checked by compressing again what was compressed: another version of the
            // compressor could refuse them.
            .journal_compression(CompressionType::None)
            .worker_threads(WORKERS)
            .open()?;
        Self::with_keyspaces(database)
    }

    fn with_keyspaces(database: Database) -> fjall::Result<Self> {
        let meta = database.keyspace("meta", plain)?;
        let names = database.keyspace("names", plain)?;
        let rows = database.keyspace("rows", point_reads)?;
        let outbox = database.keyspace("outbox", read_in_order)?;
        let dead = database.keyspace("dead", plain)?;
        let datafiles = database.keyspace("datafiles", plain)?;
        let overrides = database.keyspace("overrides", plain)?;
        let profiles = database.keyspace("profiles", point_reads)?;
        let mut ids = BTreeMap::new();
        for name in database.list_keyspace_names() {
            if let Some(day) = name.strip_prefix(IDS).and_then(|day| day.parse().ok()) {
                ids.insert(day, database.keyspace(&name, point_reads)?);
            }
        }
        Ok(Self { database, meta, names, rows, outbox, dead, datafiles, overrides, profiles, ids })
    }

    /// Waits until what was written lately is put in order, or cannot be, and puts aside what became large
    /// since. The engine itself waits at the end of a commit until a keyspace has fewer than four memtables
    /// that were put aside, and fewer than thirty tables that wait for a level, but for ever where its workers
    /// have failed: here it has two and twenty at most when a commit begins, and a failure is seen.
    pub(super) fn put_in_order(&self, memtable_bytes: u64) -> fjall::Result<()> {
        let has_many = |keyspace: &&Keyspace| keyspace.l0_table_count() >= MOST_UNSORTED_TABLES;
        let is_behind = |keyspace: &Keyspace| {
            keyspace.sealed_memtable_count() >= MOST_SEALED || has_many(&keyspace)
        };
        while self.keyspaces().any(is_behind) {
            // Writes nothing; it fails where a worker has.
            self.database.persist(PersistMode::Buffer)?;
            if self.database.active_compactions() == 0
                && let Some(keyspace) = self.keyspaces().find(has_many)
            {
                self.compact(keyspace)?;
            }
            std::thread::sleep(WAITING_FOR_ORDER);
        }
        let fixed = self.fixed().into_iter().map(|keyspace| (keyspace, memtable_bytes));
        // Ids are small, and in memory each takes several times its size.
        let ids = self.ids.values().map(|keyspace| (keyspace, memtable_bytes / 4));
        for (keyspace, most_bytes) in fixed.chain(ids) {
            if keyspace.tree.active_memtable().size() > most_bytes {
                keyspace.rotate_memtable()?;
            }
        }
        Ok(())
    }

    /// One step, as a worker would do it.
    fn compact(&self, keyspace: &Keyspace) -> fjall::Result<()> {
        let strategy = Arc::clone(&keyspace.config.compaction_strategy);
        let unseen_from = self.database.supervisor.snapshot_tracker.get_seqno_safe_to_gc();
        keyspace.tree.compact(strategy, unseen_from)?;
        Ok(())
    }

    /// Makes room for the ids of a day; it is not among the others yet.
    pub(super) fn make_day(&self, day: i64) -> fjall::Result<Keyspace> {
        self.database.keyspace(&format!("{IDS}{day}"), point_reads)
    }

    fn keyspaces(&self) -> impl Iterator<Item = &Keyspace> {
        self.fixed().into_iter().chain(self.ids.values())
    }

    const fn fixed(&self) -> [&Keyspace; 8] {
        let Self { meta, names, rows, outbox, dead, datafiles, overrides, profiles, .. } = self;
        [meta, names, rows, outbox, dead, datafiles, overrides, profiles]
    }

    /// Those that a store of an earlier version may not have: they get ids that others may have had.
    pub(super) const fn later(&self) -> [&Keyspace; 2] {
        [&self.overrides, &self.profiles]
    }

    pub(super) fn space(&self, space: Space) -> Option<&Keyspace> {
        match space {
            Space::Meta => Some(&self.meta),
            Space::Names => Some(&self.names),
            Space::Rows => Some(&self.rows),
            Space::Outbox => Some(&self.outbox),
            Space::Dead => Some(&self.dead),
            Space::Datafiles => Some(&self.datafiles),
            Space::Overrides => Some(&self.overrides),
            Space::Profiles => Some(&self.profiles),
            Space::Ids(day) => self.ids.get(&day),
        }
    }
}

/// Memtables without a limit: see the top of this file. Small tables: whoever writes one has the hash of
/// each of its keys in memory until it is complete.
fn plain() -> KeyspaceCreateOptions {
    let tables = Leveled::default().with_table_target_size(TABLE_BYTES);
    KeyspaceCreateOptions::default()
        .max_memtable_size(u64::MAX)
        .compaction_strategy(Arc::new(tables))
}

/// For keys that are mostly asked for and mostly not there: every level has a filter, which stays in
/// memory, so that a miss reads nothing. A key is looked for in each of up to 20 tables that are not yet
/// in levels, so that a filter must be wrong in far less than one case of a thousand.
fn point_reads() -> KeyspaceCreateOptions {
    let filter = FilterPolicyEntry::Bloom(BloomConstructionPolicy::BitsPerKey(16.0));
    plain()
        .filter_policy(FilterPolicy::all(filter))
        .filter_block_pinning_policy(PinningPolicy::all(true))
        .index_block_pinning_policy(PinningPolicy::all(true))
        .filter_block_partitioning_policy(PartitioningPolicy::all(false))
        .index_block_partitioning_policy(PartitioningPolicy::all(false))
        .expect_point_read_hits(false)
}

/// For keys that are read one after the other: large blocks, and no filter.
fn read_in_order() -> KeyspaceCreateOptions {
    plain()
        .filter_policy(FilterPolicy::disabled())
        .data_block_size_policy(BlockSizePolicy::all(16 * 1024))
}
