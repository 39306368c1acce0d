//! A small store written straight with the engine, as the durable store writes it: one batch for each
//! commit, synced, one after the other. Every value follows from its key.

use std::panic::{AssertUnwindSafe, catch_unwind};
use std::path::Path;

use fjall::{CompressionType, Database, Keyspace, KeyspaceCreateOptions, PersistMode};

pub(super) const ITEMS_PER_COMMIT: u64 = 6;

pub(super) struct World {
    pub(super) database: Database,
    rows: Keyspace,
    outbox: Keyspace,
    value_bytes: usize,
}

/// What is found of the commits.
#[derive(Debug, PartialEq, Eq)]
pub(super) enum Found {
    /// These many commits from the first on, all whole.
    Commits(u64),
    /// A commit is missing in whole or in part although a later one is there, or a value is wrong.
    Wrong(String),
}

impl World {
    pub(super) fn open(
        folder: &Path,
        memtable_bytes: u64,
        value_bytes: usize,
    ) -> fjall::Result<Self> {
        let options = || KeyspaceCreateOptions::default().max_memtable_size(memtable_bytes);
        let database = Database::builder(folder)
            .journal_compression(CompressionType::None)
            .worker_threads(2)
            .open()?;
        let rows = database.keyspace("rows", options)?;
        let outbox = database.keyspace("outbox", options)?;
        Ok(Self { database, rows, outbox, value_bytes })
    }

    pub(super) fn commit(&self, commit: u64) {
        let mut batch = self.database.batch().durability(Some(PersistMode::SyncAll));
        for item in commit * ITEMS_PER_COMMIT..(commit + 1) * ITEMS_PER_COMMIT {
            batch.insert(&self.rows, user(item), value(item, self.value_bytes));
            batch.insert(&self.outbox, item.to_be_bytes(), value(item + 1, self.value_bytes));
        }
        batch.commit().unwrap();
    }

    /// Reads every commit of `0..limit`, and an error where the engine gives one.
    pub(super) fn found(&self, limit: u64) -> fjall::Result<Found> {
        let mut whole = 0;
        for commit in 0..limit {
            let present = self.items_of(commit)?;
            match present {
                Some(0) => {}
                Some(count) if count == 2 * ITEMS_PER_COMMIT && whole == commit => whole += 1,
                other => return Ok(Found::Wrong(format!("commit {commit} has {other:?} items"))),
            }
        }
        Ok(Found::Commits(whole))
    }

    /// How many items of a commit are there; `None` if one is there with another value.
    fn items_of(&self, commit: u64) -> fjall::Result<Option<u64>> {
        let mut count = 0;
        for item in commit * ITEMS_PER_COMMIT..(commit + 1) * ITEMS_PER_COMMIT {
            let row = self.rows.get(user(item))?;
            let record = self.outbox.get(item.to_be_bytes())?;
            for (found, seed) in [(row, item), (record, item + 1)] {
                match found {
                    Some(bytes) if *bytes != value(seed, self.value_bytes)[..] => return Ok(None),
                    Some(_) => count += 1,
                    None => {}
                }
            }
        }
        Ok(Some(count))
    }
}

/// Mends and opens a folder and reads it all: what a restart does.
pub(super) fn restart(
    folder: &Path,
    limit: u64,
    value_bytes: usize,
) -> Result<(Found, u64), String> {
    let mended = variate::store::mend(folder).map_err(|error| error.to_string())?;
    let opened =
        catch_unwind(AssertUnwindSafe(|| World::open(folder, 64 << 20, value_bytes)?.found(limit)));
    match opened {
        Ok(Ok(found)) => Ok((found, mended.cut_bytes)),
        Ok(Err(error)) => Err(format!("{error:?}")),
        Err(_) => panic!("the engine panicked on {}", folder.display()),
    }
}

fn user(item: u64) -> Vec<u8> {
    format!("user-{:08}", item.wrapping_mul(7919) % 100_000_000).into_bytes()
}

fn value(seed: u64, bytes: usize) -> Vec<u8> {
    let length = bytes / 2 + usize::try_from(seed % 17).unwrap() * bytes / 34;
    let word = (seed.wrapping_mul(0x9E37_79B9_7F4A_7C15) | 1).to_le_bytes();
    let mut value = word.repeat(length / word.len() + 1);
    value.truncate(length);
    value
}
