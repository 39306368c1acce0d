//! The engine under the store: fjall, opened, read and committed to; its handles never leave this file.
//!
//! Must not know rows or records: keys and values are bytes. The engine refuses everything after its
//! first failure to write, until it is closed and opened again; when that is tried is for others to say.
//!
//! A commit that fails may stand in the journal all the same, whole or in the engine's buffers: closing
//! writes these, a worker can make it durable meanwhile, and the next opening takes it for done. So what
//! was refused is cut off before anybody is told that it is ([`Engine::cut_refused`]); only where the disk
//! does not let it be, those who wait are told that. A commit's number is noted before it is written:
//! workers take numbers, too, so that the latest one says nothing afterwards.
//!
//! | keyspace | key | value |
//! | --- | --- | --- |
//! | `meta` | name | see `meta` |
//! | `names` | kind, number (4 bytes) | a name, see `names` |
//! | `rows` | number of the environment (4 bytes), user id | the user's row |
//! | `outbox` | sequence number (8 bytes) | a record |
//! | `dead` | number (8 bytes) | a dead letter |
//! | `datafiles` | a colon, name of the environment | its last good datafile |
//! | `overrides` | environment, ff, user id, ff, experiment key | an override, see `arranged` |
//! | `profiles` | environment, ff, user id | the user's profile, see `arranged` |
//! | `ids-N` | UUID of an id (16 bytes) | when it stops being recognised (8 bytes, ms) |
//!
//! Numbers in keys are big-endian. `ids-N` has the ids that stop being recognised in the Nth day since
//! the epoch, so that a whole day is dropped at once.

mod ahead;
mod opened;

use std::collections::BTreeSet;
use std::fs::{self, File};
use std::io::ErrorKind;
use std::ops::RangeInclusive;
use std::panic::{AssertUnwindSafe, catch_unwind};
use std::path::{Path, PathBuf};
use std::sync::atomic::{AtomicU64, Ordering};
use std::time::Duration;

use fjall::{Keyspace, OwnedWriteBatch, PersistMode};
use parking_lot::{Mutex, RwLock, RwLockUpgradableReadGuard, RwLockWriteGuard};

use self::ahead::Ahead;
use self::opened::Opened;
use super::holder::holder;
use super::journal::{mend_refused, note_dropped, note_made};
use crate::clock::Stopwatch;
use crate::error::Error;

/// A place to write to.
#[derive(Debug, Clone, Copy, PartialEq, Eq, PartialOrd, Ord, Hash)]
pub(super) enum Space {
    Meta,
    Names,
    Rows,
    Outbox,
    Dead,
    Datafiles,
    Overrides,
    Profiles,
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

impl Write {
    pub(super) fn bytes(&self) -> u64 {
        let value = self.value.as_ref().map_or(0, Vec::len);
        self.key.len().saturating_add(value) as u64
    }
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
    /// From the root, links resolved: what the process or an operator does to the way there must not lead to the
    /// folder of another store.
    folder: PathBuf,
    setup: Setup,
    opened: RwLock<Option<Opened>>,
    /// The number of the commit that is being written, or was refused and is not cut off yet; no earlier
    /// one was refused, and no later one written.
    refused_from: AtomicU64,
    ahead: Mutex<Ahead>,
}

impl Engine {
    pub(super) fn open(folder: &Path, setup: Setup) -> Result<Self, Error> {
        let (opened, refused_from) = (RwLock::new(None), AtomicU64::new(NOTHING));
        let ahead = Mutex::default();
        let folder = fs::create_dir_all(folder)
            .and_then(|()| fs::canonicalize(folder))
            .map_err(|error| Error::file("create", folder, error))?;
        let engine = Self { folder, setup, opened, refused_from, ahead };
        engine.reopen()?;
        Ok(engine)
    }

    pub(super) fn folder(&self) -> &Path {
        &self.folder
    }

    /// Closes and opens it. Meanwhile, who asks it is refused at once.
    pub(super) fn reopen(&self) -> Result<(), Error> {
        self.cut_refused()?;
        let opened = self.guarded("open", || Opened::open(&self.folder, self.setup))?;
        self.sync_names()?;
        for made in opened.ids.values().chain(opened.later()) {
            note_made(&self.folder, made.id())?;
        }
        *self.ahead.lock() = Ahead::default();
        *self.opened.write() = Some(opened);
        Ok(())
    }

    /// Closes it, and cuts off what was written of a commit that failed: whatever happens then, that does
    /// not come back.
    pub(super) fn cut_refused(&self) -> Result<(), Error> {
        // Closing waits for what goes on in the background, which those who read must not.
        let closed = self.opened.write().take();
        let was_open = closed.is_some();
        self.guarded("close", || {
            drop(closed);
            Ok(())
        })?;
        fs::create_dir_all(&self.folder)
            .map_err(|error| Error::file("create", &self.folder, error))?;
        self.mend(was_open)?;
        self.refused_from.store(NOTHING, Ordering::Relaxed);
        Ok(())
    }

    /// Threads of the engine that was just closed may hold its lock a moment longer.
    fn mend(&self, was_open: bool) -> Result<(), Error> {
        let closed = Stopwatch::start();
        loop {
            match mend_refused(&self.folder, self.refused_from.load(Ordering::Relaxed)) {
                Err(error) if was_open && error.is_store_in_use() && closed.elapsed() < CLOSING => {
                    std::thread::sleep(CLOSING / 100);
                }
                mended => return mended.map(drop),
            }
        }
    }

    pub(super) fn get(&self, space: Space, key: &[u8]) -> Result<Option<Vec<u8>>, Error> {
        self.read(|opened| match opened.space(space) {
            Some(keyspace) => Ok(keyspace.get(key)?.map(|value| value.to_vec())),
            None => Ok(None),
        })
    }

    /// Keys and values in a range of keys, in order: at most `limit`, and fewer where they are large. None
    /// only where there are none.
    pub(super) fn page(
        &self,
        space: Space,
        keys: RangeInclusive<Vec<u8>>,
        limit: usize,
    ) -> Result<Vec<Pair>, Error> {
        self.range(space, keys, limit, PAGE_BYTES)
    }

    /// All of them, where there are never many.
    pub(super) fn all(
        &self,
        space: Space,
        keys: RangeInclusive<Vec<u8>>,
    ) -> Result<Vec<Pair>, Error> {
        self.range(space, keys, usize::MAX, usize::MAX)
    }

    fn range(
        &self,
        space: Space,
        keys: RangeInclusive<Vec<u8>>,
        limit: usize,
        most_bytes: usize,
    ) -> Result<Vec<Pair>, Error> {
        self.read(|opened| {
            let mut pairs = Vec::new();
            let mut bytes = 0_usize;
            let found = opened.space(space).into_iter().flat_map(|space| space.range(keys.clone()));
            for guard in found.take(limit) {
                let (key, value) = guard.into_inner()?;
                bytes = bytes.saturating_add(key.len()).saturating_add(value.len());
                pairs.push((key.to_vec(), value.to_vec()));
                if bytes >= most_bytes {
                    break;
                }
            }
            Ok(pairs)
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
        let Some(known) = opened.as_mut() else { return Err(self.closed()) };
        let Some(keyspace) = known.ids.remove(&day) else { return Ok(()) };
        // Who reads does not wait for the disk, but at most for others who read.
        let opened = RwLockWriteGuard::downgrade(opened);
        note_dropped(&self.folder, keyspace.id())
            .map_err(|error| Error::file("write to", &self.folder, error))?;
        let Some(opened) = &*opened else { return Err(self.closed()) };
        self.guarded("drop old ids of", || opened.database.delete_keyspace(keyspace))
    }

    /// Writes all of it or nothing, and returns when it would survive a power cut. Nobody sees any of it
    /// before.
    pub(super) fn commit(&self, writes: Vec<Write>) -> Result<(), Error> {
        self.make_days(&writes)?;
        // Nobody else commits while zeros are written.
        let mut ahead = self.ahead.lock();
        let opened = self.opened.read();
        let opened = opened.as_ref().ok_or_else(|| self.closed())?;
        let bytes = writes.iter().map(|write| write.bytes().saturating_add(ITEM_BYTES)).sum();
        let batch = self.batch(opened, writes)?;
        self.guarded("write to", || {
            opened.put_in_order(self.setup.memtable_bytes)?;
            self.refused_from.store(opened.database.seqno(), Ordering::Relaxed);
            batch.commit()
        })?;
        self.refused_from.store(NOTHING, Ordering::Relaxed);
        ahead.note(&self.folder, bytes);
        Ok(())
    }

    /// A write that has no place must not be lost in silence.
    fn batch(&self, opened: &Opened, writes: Vec<Write>) -> Result<OwnedWriteBatch, Error> {
        let mut batch = opened.database.batch().durability(Some(PersistMode::SyncData));
        for Write { space, key, value } in writes {
            let Some(keyspace) = opened.space(space) else {
                let cause = format!("there is no keyspace for {space:?}");
                return Err(Error::store("write to", &self.folder, DEFECT, cause));
            };
            match value {
                Some(value) => batch.insert(keyspace, &*key, value),
                None => batch.remove(keyspace, &*key),
            }
        }
        Ok(batch)
    }

    /// Makes room for the ids of days that have none yet.
    fn make_days(&self, writes: &[Write]) -> Result<(), Error> {
        let day = |write: &Write| match write.space {
            Space::Ids(day) => Some(day),
            _ => None,
        };
        let days: BTreeSet<i64> = writes.iter().filter_map(day).collect();
        for day in days {
            // Who reads does not wait for the disk, but at most for others who read. Nobody else makes or
            // drops days.
            let opened = self.opened.upgradable_read();
            let Some(known) = &*opened else { return Err(self.closed()) };
            if known.ids.contains_key(&day) {
                continue;
            }
            let keyspace = self.guarded("write to", || known.make_day(day))?;
            self.sync_names()?;
            note_made(&self.folder, keyspace.id())?;
            if let Some(known) = RwLockUpgradableReadGuard::upgrade(opened).as_mut() {
                known.ids.insert(day, keyspace);
            }
        }
        Ok(())
    }

    /// Makes the names of the store's folder and of those of its keyspaces safe: the engine syncs what is in
    /// these, and a folder that is lost takes along all that is in it.
    fn sync_names(&self) -> Result<(), Error> {
        let parent = self.folder.parent().filter(|parent| !parent.as_os_str().is_empty());
        for folder in [parent.unwrap_or(Path::new(".")), &self.folder.join(KEYSPACES)] {
            let synced = File::open(folder).and_then(|folder| folder.sync_all());
            synced.map_err(|error| Error::file("sync", folder, error))?;
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
            Ok(Err(fjall::Error::Poisoned)) => {
                Err(Error::store(action, &self.folder, REMEDY, IN_THE_BACKGROUND))
            }
            Ok(Err(fjall::Error::Io(error))) => {
                Err(Error::store(action, &self.folder, remedy_of(&error), error))
            }
            Ok(Err(error)) => Err(Error::store(action, &self.folder, remedy_of(&error), error)),
            Err(_) => Err(Error::store(action, &self.folder, REMEDY, "the engine panicked")),
        }
    }

    fn closed(&self) -> Error {
        Error::store_refuses(&self.folder, "it is being opened again after a failure")
    }
}

/// What to do about a failure, by what the system said of it.
fn remedy_of(error: &(dyn std::error::Error + 'static)) -> &'static str {
    let mut cause = Some(error);
    while let Some(error) = cause {
        match error.downcast_ref::<std::io::Error>().map(std::io::Error::kind) {
            Some(ErrorKind::StorageFull) => return FULL,
            Some(ErrorKind::PermissionDenied | ErrorKind::ReadOnlyFilesystem) => return FORBIDDEN,
            _ => cause = error.source(),
        }
    }
    REMEDY
}

/// So many bytes are read at once, and what is over with the last value.
pub(super) const PAGE_BYTES: usize = 4 << 20;
/// For so long the lock is waited for after closing.
const CLOSING: Duration = Duration::from_secs(1);
/// What the journal has for each write, beside its key and value.
const ITEM_BYTES: u64 = 21;
/// No commit has this number.
const NOTHING: u64 = u64::MAX;
pub(super) const DEFECT: &str = "report it: this is a defect of the program";
const REMEDY: &str = "look at the cause; where the disk is sound, restore the store from a back-up";
const FORBIDDEN: &str =
    "allow this process to read and write all that is in it, on a disk that takes writes";
const KEYSPACES: &str = "keyspaces";
const FULL: &str = "its disk is full: free some of it";
const IN_THE_BACKGROUND: &str =
    "what was stored could not be put in order in the background: the disk may be full or broken";

impl std::fmt::Debug for Engine {
    fn fmt(&self, formatter: &mut std::fmt::Formatter<'_>) -> std::fmt::Result {
        formatter.debug_struct("Engine").field("folder", &self.folder).finish_non_exhaustive()
    }
}

#[cfg(test)]
mod tests;
