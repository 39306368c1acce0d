//! Folders as bytes: what they held when a commit was acknowledged, and copies as a cut leaves them.

use std::collections::BTreeMap;
use std::fs;
use std::io::{ErrorKind, Read, Seek, SeekFrom, Write};
use std::path::{Path, PathBuf};
use std::sync::Arc;

/// A file's bytes up to the last one that is not zero, and its length.
#[derive(Debug, Clone, PartialEq, Eq)]
pub(super) struct Content {
    pub(super) bytes: Arc<Vec<u8>>,
    pub(super) length: u64,
}

impl Content {
    /// All of a file.
    pub(super) fn of(bytes: Vec<u8>) -> Self {
        Self { length: bytes.len() as u64, bytes: Arc::new(bytes) }
    }
}

/// Every file of a folder by its path inside it.
pub(super) type Picture = BTreeMap<PathBuf, Content>;

/// A picture of a folder in which background work goes on: taken again until nothing moved meanwhile.
pub(super) fn picture(folder: &Path) -> Picture {
    let mut last = Picture::new();
    loop {
        let mut now = Picture::new();
        if read(folder, Path::new(""), &mut now).is_some() && now == last {
            return now;
        }
        last = now;
    }
}

fn read(root: &Path, inside: &Path, picture: &mut Picture) -> Option<()> {
    for entry in fs::read_dir(root.join(inside)).ok()? {
        let entry = entry.ok()?;
        let path = inside.join(entry.file_name());
        match entry.file_type() {
            Ok(kind) if kind.is_dir() => read(root, &path, picture)?,
            _ => {
                let content = match fs::File::open(root.join(&path)) {
                    Err(error) if error.kind() == ErrorKind::NotFound => return None,
                    file => content(file.unwrap()),
                };
                picture.insert(path, content);
            }
        }
    }
    Some(())
}

/// Writes something behind the last commit of the newest journal, as a cut in the middle of one leaves it.
pub(crate) fn tear(folder: &Path, part: &[u8]) {
    let paths = fs::read_dir(folder).unwrap().map(|entry| entry.unwrap().path());
    let newest = paths.filter(|path| is_journal(path)).max_by_key(|path| journal_number(path));
    let newest = newest.unwrap();
    let end = content(fs::File::open(&newest).unwrap()).bytes.len() as u64;
    let mut file = fs::File::options().write(true).open(newest).unwrap();
    file.seek(SeekFrom::Start(end)).unwrap();
    file.write_all(part).unwrap();
}

/// Most of a journal is zeroes made ready for later commits: they are compared by blocks.
fn content(mut file: fs::File) -> Content {
    static ZEROES: [u8; 1 << 16] = [0; 1 << 16];
    let (mut bytes, mut length, mut block) = (Vec::new(), 0, vec![0; ZEROES.len()]);
    loop {
        let read = file.read(&mut block).unwrap();
        if read == 0 {
            let set = bytes.len() - bytes.iter().rev().take_while(|byte| **byte == 0).count();
            bytes.truncate(set);
            return Content { bytes: Arc::new(bytes), length };
        }
        if block[..read] != ZEROES[..read] {
            bytes.resize(usize::try_from(length).unwrap(), 0);
            bytes.extend_from_slice(&block[..read]);
        }
        length += read as u64;
    }
}

/// Lays a picture out as a folder; the zeroes behind the bytes are holes.
pub(super) fn lay_out(picture: &Picture, folder: &Path) {
    for (path, content) in picture {
        let path = folder.join(path);
        fs::create_dir_all(path.parent().unwrap()).unwrap();
        fs::write(&path, &*content.bytes).unwrap();
        fs::File::options().write(true).open(&path).unwrap().set_len(content.length).unwrap();
    }
}

pub(super) fn is_journal(path: &Path) -> bool {
    path.extension().is_some_and(|ending| ending == "jnl")
}

/// The number in a journal's name.
pub(super) fn journal_number(path: &Path) -> u64 {
    path.file_stem().unwrap().to_str().unwrap().parse().unwrap()
}

/// Where commits end in a journal, from a place on where one begins.
pub(super) fn commit_ends(journal: &[u8], from: usize) -> Vec<usize> {
    let mut ends = Vec::new();
    let mut at = from;
    while let Some(end) = commit_end(journal, at) {
        ends.push(end);
        at = end;
    }
    ends
}

/// A commit is a head, its items with their lengths, and an end with a checksum; see `reader` in the store.
fn commit_end(journal: &[u8], start: usize) -> Option<usize> {
    let number = |at: usize, bytes: usize| {
        let mut number = [0; 8];
        number[..bytes].copy_from_slice(&journal[at..at + bytes]);
        usize::try_from(u64::from_le_bytes(number)).unwrap()
    };
    if *journal.get(start)? != 1 {
        return None;
    }
    let mut at = start + 1 + 4 + 8;
    for _ in 0..number(start + 1, 4) {
        assert_eq!(journal[at], 2, "the store empties nothing");
        at += 21 + number(at + 11, 2) + number(at + 17, 4);
    }
    assert_eq!(journal[at], 3);
    Some(at + 1 + 8 + 4)
}
