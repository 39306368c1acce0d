//! What a store's folder must hold before the engine may open it.
//!
//! Must not know what stands in the journals. The engine takes some missing files for a new start and
//! deletes what they belonged to, or panics; here they are refused first, and nothing is changed.

use std::collections::BTreeSet;
use std::fs::{self, File};
use std::io::{self, Write as _};
use std::path::{Path, PathBuf};

use xxhash_rust::xxh3::xxh3_128;

use crate::error::Error;
use crate::store::durable::holder::holder;

const VERSION: &[u8] = b"FJL\x03";
const META: u64 = 0;
/// The file of the ids of dropped keyspaces, one a line, and of those that were made again.
const DROPPED: &str = "dropped";
const MADE: &str = "made ";

/// A journal and the number in its name.
#[derive(Debug)]
pub(super) struct JournalFile {
    pub(super) number: u64,
    pub(super) path: PathBuf,
}

/// A folder's parts.
#[derive(Debug)]
pub(super) struct Folder {
    /// From the oldest to the one that is written.
    pub(super) journals: Vec<JournalFile>,
    /// Ids of the keyspaces that the engine will open.
    pub(super) keyspaces: BTreeSet<u64>,
    /// Ids of those that it takes for never finished, and deletes.
    pub(super) unfinished: BTreeSet<u64>,
    /// Ids of those that were dropped: journals may still name them.
    pub(super) dropped: BTreeSet<u64>,
    /// Whether the engine's mark says that the folder was made completely.
    is_complete: bool,
}

/// Held while a folder is looked at: the engine takes the same lock.
#[derive(Debug)]
pub(super) struct Lock {
    _file: File,
}

/// Locks a folder; `None` if there is nothing in it to lock.
pub(super) fn lock(folder: &Path) -> Result<Option<Lock>, Error> {
    let path = folder.join("lock");
    let is_store = path.exists() || folder.join("version").exists() || !list(folder)?.is_empty();
    if !folder.exists() || !is_store {
        return Ok(None);
    }
    let file = File::options().create(true).truncate(false).write(true).read(true).open(&path);
    let file = file.map_err(|source| Error::file("open", &path, source))?;
    match file.try_lock() {
        Ok(()) => Ok(Some(Lock { _file: file })),
        Err(fs::TryLockError::WouldBlock) => Err(Error::store_in_use(folder, holder(folder))),
        Err(fs::TryLockError::Error(source)) => Err(Error::file("lock", path, source)),
    }
}

impl Folder {
    /// Lists a folder's parts.
    pub(super) fn read(folder: &Path) -> Result<Self, Error> {
        let version = folder.join("version");
        let mark = match fs::read(&version) {
            Ok(mark) => mark,
            Err(error) if error.kind() == io::ErrorKind::NotFound => Vec::new(),
            Err(source) => return Err(Error::file("read", version, source)),
        };
        let is_complete = mark.starts_with(VERSION);
        if !is_complete && !VERSION.starts_with(&mark) {
            return Err(Error::store_folder(version, "is not the mark of a format known here"));
        }
        let journals = journals(folder)?;
        let (keyspaces, unfinished) = keyspaces(folder)?;
        let dropped = dropped(folder)?;
        Ok(Self { journals, keyspaces, unfinished, dropped, is_complete })
    }

    /// Whether commits may name a keyspace: it is there, or it was dropped.
    pub(super) fn had(&self, id: u64) -> bool {
        self.keyspaces.contains(&id) || self.dropped.contains(&id)
    }

    /// Whether the making of this folder was cut off before anything could be stored in it.
    pub(super) fn was_never_made(&self) -> bool {
        !self.is_complete && self.keyspaces.is_empty() && self.unfinished.is_empty()
    }

    /// Commits go to keyspaces, all of which stand in the list that is part 0.
    pub(super) fn fault_with_commits(&self, folder: &Path) -> Option<Error> {
        let problem = "has lost its part 0, the list of the others";
        let is_lost = !self.keyspaces.contains(&META);
        is_lost.then(|| Error::store_folder(folder.join("keyspaces"), problem))
    }

    /// What is missing or damaged, as far as it can be told without opening the store.
    pub(super) fn faults(&self, folder: &Path) -> Result<Vec<Error>, Error> {
        let mut faults = Vec::new();
        let mut fault = |path: PathBuf, problem| faults.push(Error::store_folder(path, problem));
        if !self.is_complete {
            fault(folder.join("version"), "is missing or cut off");
        }
        if self.journals.is_empty() {
            fault(folder.to_path_buf(), "holds no journal (*.jnl)");
        }
        for (journal, next) in self.journals.iter().zip(self.journals.iter().skip(1)) {
            if journal.number.saturating_add(1) != next.number {
                fault(next.path.clone(), "does not follow its predecessor: a journal is missing");
            }
        }
        for id in self.keyspaces.iter().chain(&self.unfinished) {
            let keyspace = folder.join("keyspaces").join(id.to_string());
            if let Some(strange) = strange_table(&keyspace)? {
                fault(strange, "is no table of the store: move it away");
            }
            // The engine takes `current` away first, and may be stopped before it comes to the tables.
            let is_half_gone = self.unfinished.contains(id) && self.dropped.contains(id);
            if let Some(problem) = manifest_fault(&keyspace)?.filter(|_| !is_half_gone) {
                fault(keyspace, problem);
            }
        }
        if !self.keyspaces.is_empty() {
            faults.extend(self.fault_with_commits(folder));
        }
        Ok(faults)
    }
}

/// The engine takes a keyspace without `current` for one never finished, and deletes it; and it does
/// not hold a manifest against the checksum that `current` has of it.
fn manifest_fault(keyspace: &Path) -> Result<Option<&'static str>, Error> {
    let current = match fs::read(keyspace.join("current")) {
        Ok(current) => current,
        Err(error) if error.kind() == io::ErrorKind::NotFound => {
            let holds_tables = list(&keyspace.join("tables"))?.into_iter().next().is_some();
            return Ok(holds_tables.then_some("has lost its file `current`, but not its tables"));
        }
        Err(source) => return Err(Error::file("read", keyspace.join("current"), source)),
    };
    let parts = current.split_first_chunk::<8>();
    let Some((id, Some((checksum, [0])))) = parts.map(|(id, rest)| (id, rest.split_first_chunk()))
    else {
        return Ok(Some("has a damaged file `current`"));
    };
    let manifest = keyspace.join(format!("v{}", u64::from_le_bytes(*id)));
    match fs::read(&manifest) {
        Ok(bytes) if xxh3_128(&bytes) == u128::from_le_bytes(*checksum) => Ok(None),
        Ok(_) => Ok(Some("has a manifest (v*) that differs from its checksum")),
        Err(error) if error.kind() == io::ErrorKind::NotFound => {
            Ok(Some("has lost the manifest (v*) that its file `current` names"))
        }
        Err(source) => Err(Error::file("read", manifest, source)),
    }
}

/// The engine panics, and by that ends the process, on a folder among the tables. It passes over what
/// some systems put into every folder.
fn strange_table(keyspace: &Path) -> Result<Option<PathBuf>, Error> {
    let is_strange = |(name, path): &(String, PathBuf)| {
        let is_passed_over = name == ".DS_Store" || name.starts_with("._");
        !is_passed_over && (name.parse::<u64>().is_err() || !path.is_file())
    };
    Ok(list(&keyspace.join("tables"))?.into_iter().find(is_strange).map(|(_, path)| path))
}

/// Says, before a keyspace is dropped, that journals may name it and it need not be there.
pub(in crate::store::durable) fn note_dropped(folder: &Path, id: u64) -> io::Result<()> {
    note(folder, &id.to_string())
}

/// Says that there is a keyspace with an id that was dropped once: it must be there from now on.
pub(in crate::store::durable) fn note_made(folder: &Path, id: u64) -> Result<(), Error> {
    if !dropped(folder)?.contains(&id) {
        return Ok(());
    }
    note(folder, &format!("{MADE}{id}"))
        .map_err(|error| Error::file("write to", folder.join(DROPPED), error))
}

fn note(folder: &Path, line: &str) -> io::Result<()> {
    let mut file = File::options().create(true).append(true).open(folder.join(DROPPED))?;
    // A line that was torn before must not run into this one.
    write!(file, "\n{line}\n")?;
    file.sync_all()?;
    File::open(folder)?.sync_all()
}

/// The ids that were noted; of a last line that was being written, what is there of it is no id.
fn dropped(folder: &Path) -> Result<BTreeSet<u64>, Error> {
    let path = folder.join(DROPPED);
    let text = match fs::read(&path) {
        // What was torn while it was written may be anything.
        Ok(bytes) => String::from_utf8_lossy(&bytes).into_owned(),
        Err(error) if error.kind() == io::ErrorKind::NotFound => return Ok(BTreeSet::new()),
        Err(source) => return Err(Error::file("read", path, source)),
    };
    let mut ids = BTreeSet::new();
    for line in text.split_inclusive('\n').filter_map(|line| line.strip_suffix('\n')) {
        match line.strip_prefix(MADE) {
            Some(made) => ids.retain(|id| made.parse() != Ok(*id)),
            None => ids.extend(line.parse::<u64>()),
        }
    }
    Ok(ids)
}

fn journals(folder: &Path) -> Result<Vec<JournalFile>, Error> {
    let mut journals = Vec::new();
    for (name, path) in list(folder)? {
        let Some((number, ending)) = name.rsplit_once('.') else { continue };
        if !ending.eq_ignore_ascii_case("jnl") {
            continue;
        }
        match number.parse() {
            Ok(number) if ending == "jnl" && path.is_file() => {
                journals.push(JournalFile { number, path });
            }
            _ => return Err(Error::store_folder(path, "is no journal of the store: move it away")),
        }
    }
    journals.sort_by_key(|journal| journal.number);
    Ok(journals)
}

/// The engine panics, and by that ends the process, on a folder here whose name is no number.
fn keyspaces(folder: &Path) -> Result<(BTreeSet<u64>, BTreeSet<u64>), Error> {
    let (mut whole, mut unfinished) = (BTreeSet::new(), BTreeSet::new());
    for (name, path) in list(&folder.join("keyspaces"))? {
        match name.parse() {
            _ if path.is_file() => {}
            Ok(id) if path.join("current").exists() => {
                whole.insert(id);
            }
            Ok(id) => {
                unfinished.insert(id);
            }
            Err(_) => {
                return Err(Error::store_folder(path, "is no part of the store: move it away"));
            }
        }
    }
    Ok((whole, unfinished))
}

/// Names and paths of a folder's entries; none if it is not there.
fn list(folder: &Path) -> Result<Vec<(String, PathBuf)>, Error> {
    let entries = match fs::read_dir(folder) {
        Ok(entries) => entries,
        Err(error) if error.kind() == io::ErrorKind::NotFound => return Ok(Vec::new()),
        Err(source) => return Err(Error::file("list", folder, source)),
    };
    entries
        .map(|entry| match entry {
            Ok(entry) => Ok((entry.file_name().to_string_lossy().into_owned(), entry.path())),
            Err(source) => Err(Error::file("list", folder, source)),
        })
        .collect()
}
