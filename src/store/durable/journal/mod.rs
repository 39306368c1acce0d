//! Looks through a store's journals before the engine may open them, and cuts off the one commit that
//! was being written when the power went.
//!
//! Must not know what the records mean. It leans on two habits of the store. A commit is one batch, made
//! durable before the next one begins: so at most one batch can be torn, it was never acknowledged, and
//! nothing stands behind it. And no keyspace is ever emptied, or dropped without a note before: so the numbers of batches only
//! rise, and what a batch wrote into is there. Everything else is damage to what was acknowledged. The
//! engine itself may answer a torn batch with a failure, and answers a flipped tag in the middle by
//! dropping all that follows, without a word.

mod folder;
mod reader;

use std::fs::{self, File};
use std::io;
use std::path::{Path, PathBuf};

use crate::error::Error;
use folder::{Folder, JournalFile};
pub(super) use folder::{note_dropped, note_made};
use reader::{Batch, Reader};

/// No run of the engine counts so far between two batches.
const LARGEST_STEP: u64 = 1 << 40;
/// Where a journal is in more pieces than this, further ones are not told apart.
const MOST_DAMAGES: usize = 100;
/// Candidates may be read through so many times their journal's length, in all, before it is given up
/// telling a torn batch from damage; only a journal made for it comes near.
const MOST_READINGS: u64 = 8;

/// What mending did.
#[derive(Debug, Clone, Copy, Default, PartialEq, Eq)]
#[non_exhaustive]
pub struct Mended {
    /// Bytes of a commit that was never acknowledged, cut off.
    pub cut_bytes: u64,
}

/// What looking found; nothing was changed.
#[derive(Debug, Default)]
#[non_exhaustive]
pub struct Inspected {
    /// Commits that are whole.
    pub commits: u64,
    /// Bytes of a last commit that was never acknowledged: mending cuts them off.
    pub torn_bytes: u64,
    /// Damage to what was acknowledged, each with its place; where there is any, mending refuses.
    pub damages: Vec<Error>,
}

/// The end of the sound part of a journal, with something behind it that is no batch.
struct Torn {
    path: PathBuf,
    sound_bytes: u64,
}

/// Makes a store's folder safe to open after a power cut, a kill or a full disk: cuts off a commit that
/// was never acknowledged, and clears away a store that was never completely made.
///
/// # Errors
///
/// If the store is in use, or damaged in what was acknowledged. Then nothing is changed.
pub fn mend(folder: &Path) -> Result<Mended, Error> {
    mend_refused(folder, u64::MAX)
}

/// The same, where a commit of this number or a higher one was refused, whole as it may be.
pub(super) fn mend_refused(folder: &Path, refused_from: u64) -> Result<Mended, Error> {
    let Some(_lock) = folder::lock(folder)? else { return Ok(Mended::default()) };
    let parts = Folder::read(folder)?;
    let mut look = look(folder, &parts, refused_from)?;
    if look.found.commits == 0 && parts.was_never_made() {
        return clear(folder, &parts);
    }
    if !look.found.damages.is_empty() {
        return Err(look.found.damages.swap_remove(0));
    }
    if let Some(torn) = look.torn {
        cut(folder, &torn).map_err(|source| Error::file("cut", torn.path, source))?;
    }
    Ok(Mended { cut_bytes: look.found.torn_bytes })
}

/// Looks through a store's folder as [`mend`] does, and changes nothing.
///
/// # Errors
///
/// If the store is in use or cannot be read.
pub fn inspect(folder: &Path) -> Result<Inspected, Error> {
    let Some(_lock) = folder::lock(folder)? else { return Ok(Inspected::default()) };
    Ok(look(folder, &Folder::read(folder)?, u64::MAX)?.found)
}

fn look<'a>(folder: &Path, parts: &'a Folder, refused_from: u64) -> Result<Look<'a>, Error> {
    let found = Inspected::default();
    let mut look = Look { parts, refused_from, found, torn: None, highest: None };
    look.found.damages = parts.faults(folder)?;
    for journal in &parts.journals {
        look.journal(journal).map_err(|source| Error::file("read", &journal.path, source))?;
    }
    if look.found.commits > 0
        && let Some(fault) = parts.fault_with_commits(folder)
    {
        look.found.damages.push(fault);
    }
    Ok(look)
}

/// Where the looking stands.
struct Look<'a> {
    parts: &'a Folder,
    /// Commits from this number on were refused.
    refused_from: u64,
    found: Inspected,
    torn: Option<Torn>,
    /// The number of the last batch.
    highest: Option<u64>,
}

impl Look<'_> {
    fn journal(&mut self, journal: &JournalFile) -> io::Result<()> {
        let mut reader = Reader::open(&journal.path)?;
        let mut at = 0;
        while self.found.damages.len() < MOST_DAMAGES {
            while let Some(batch) = reader.batch_at(at)? {
                if batch.number >= self.refused_from {
                    self.tear(&journal.path, at, reader.length());
                    return Ok(());
                }
                self.count(&journal.path, at, &batch);
                at = batch.end;
            }
            if reader.first_byte_set(at)?.is_none() {
                return Ok(());
            }
            match batch_behind(&mut reader, at)? {
                Behind::Batch(next) => {
                    self.damage(&journal.path, at, "bytes that are no commit, and commits behind");
                    at = next;
                }
                Behind::Unclear => {
                    self.damage(&journal.path, at, "bytes that are no commit");
                    return Ok(());
                }
                Behind::Nothing => {
                    self.tear(&journal.path, at, reader.length());
                    return Ok(());
                }
            }
        }
        Ok(())
    }

    fn count(&mut self, path: &Path, at: u64, batch: &Batch) {
        if let Some(torn) = self.torn.take() {
            self.damage(
                &torn.path,
                torn.sound_bytes,
                "bytes that are no commit, and commits behind",
            );
            self.found.torn_bytes = 0;
        }
        self.found.commits = self.found.commits.saturating_add(1);
        let is_lost = batch.keyspaces.iter().any(|id| !self.parts.had(*id));
        if is_lost && self.found.damages.is_empty() {
            self.damage(path, at, "a commit into a part of the store that is lost");
        }
        let expected = self.highest.map_or(0..=LARGEST_STEP, |highest| {
            highest.saturating_add(1)..=highest.saturating_add(LARGEST_STEP)
        });
        if !expected.contains(&batch.number) {
            self.damage(path, at, "a commit whose number is out of order");
        }
        self.highest = Some(batch.number);
    }

    fn tear(&mut self, path: &Path, at: u64, length: u64) {
        // Only one commit is ever being written: of two torn ones, the earlier was whole once.
        if let Some(torn) = &self.torn {
            let (path, at) = (torn.path.clone(), torn.sound_bytes);
            self.damage(&path, at, "bytes that are no commit, and more of them behind");
        }
        self.found.torn_bytes = length.saturating_sub(at);
        self.torn = Some(Torn { path: path.to_path_buf(), sound_bytes: at });
    }

    fn damage(&mut self, path: &Path, at: u64, problem: &'static str) {
        self.found.damages.push(Error::store_journal(path, at, problem));
    }
}

/// Looks for a whole batch behind bytes that are none.
fn batch_behind(reader: &mut Reader, from: u64) -> io::Result<Behind> {
    let mut readings_left = reader.length().saturating_mul(MOST_READINGS);
    let mut at = from.saturating_add(1);
    while let Some(candidate) = reader.candidate(at)? {
        if reader.batch_at(candidate)?.is_some() {
            return Ok(Behind::Batch(candidate));
        }
        let read = reader.place().saturating_sub(candidate);
        let Some(left) = readings_left.checked_sub(read) else { return Ok(Behind::Unclear) };
        readings_left = left;
        at = candidate.saturating_add(1);
    }
    Ok(Behind::Nothing)
}

/// What stands behind bytes that are no batch.
enum Behind {
    Nothing,
    Batch(u64),
    Unclear,
}

fn cut(folder: &Path, torn: &Torn) -> io::Result<()> {
    let file = File::options().write(true).open(&torn.path)?;
    file.set_len(torn.sound_bytes)?;
    file.sync_all()?;
    File::open(folder)?.sync_all()
}

/// The engine makes its mark last and cannot go on with a folder that it left before: what stands there
/// never held a record.
fn clear(folder: &Path, parts: &Folder) -> Result<Mended, Error> {
    let journals = parts.journals.iter().map(|journal| journal.path.clone());
    for path in journals.chain([folder.join("version")]) {
        match fs::remove_file(&path) {
            Err(error) if error.kind() != io::ErrorKind::NotFound => {
                return Err(Error::file("clear away", path, error));
            }
            _ => {}
        }
    }
    Ok(Mended::default())
}
