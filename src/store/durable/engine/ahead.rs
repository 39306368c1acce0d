//! Zeros ahead of the commits in the journal.
//!
//! Must not know commits. The engine makes a journal as one long hole, so that each commit would also be
//! about finding blocks for it: more to write, and more to wait for, with each sync. Where blocks have been
//! written before, a sync is about what the commit says and nothing else.
//!
//! Nothing that can be read changes: zeros are written only where zeros are read, within the journal's length,
//! by the one thread that commits, between its commits. Where that cannot be done, commits are slower.

use std::fs::File;
use std::io;
use std::os::unix::fs::FileExt as _;
use std::path::Path;

/// So much is written at once, and at least so much is ahead then.
const STEP: u64 = 256 << 10;
const BLOCK: u64 = 4096;
const ZEROS: [u8; BLOCK as usize] = [0; BLOCK as usize];

/// How far the newest journal is written ahead.
#[derive(Debug, Default)]
pub(super) struct Ahead {
    journal: Option<Journal>,
    /// About so much has been committed since it was looked at.
    committed_bytes: u64,
}

#[derive(Debug)]
struct Journal {
    number: u64,
    file: File,
    /// The block that commits have come to.
    reached: u64,
    /// Blocks before this one have been written.
    written_to: u64,
}

impl Ahead {
    /// Says that about so much was committed.
    pub(super) fn note(&mut self, folder: &Path, bytes: u64) {
        self.committed_bytes = self.committed_bytes.saturating_add(bytes);
        if self.committed_bytes < STEP {
            return;
        }
        self.committed_bytes = 0;
        if self.write(folder).is_err() {
            self.journal = None;
        }
    }

    fn write(&mut self, folder: &Path) -> io::Result<()> {
        let Some(number) = newest(folder)? else { return Ok(()) };
        if self.journal.as_ref().is_none_or(|journal| journal.number != number) {
            let path = folder.join(format!("{number}.jnl"));
            let file = File::options().read(true).write(true).open(path)?;
            self.journal = Some(Journal { number, file, reached: 0, written_to: 0 });
        }
        self.journal.as_mut().map_or(Ok(()), Journal::write)
    }
}

impl Journal {
    fn write(&mut self) -> io::Result<()> {
        let end = self.file.metadata()?.len() / BLOCK * BLOCK;
        while self.reached < end && !self.is_zero(self.reached)? {
            self.reached += BLOCK;
        }
        self.written_to = self.written_to.max(self.reached);
        while self.written_to < end.min(self.reached.saturating_add(2 * STEP)) {
            if self.is_zero(self.written_to)? {
                self.file.write_all_at(&ZEROS, self.written_to)?;
            }
            self.written_to += BLOCK;
        }
        Ok(())
    }

    fn is_zero(&self, at: u64) -> io::Result<bool> {
        let mut block = ZEROS;
        self.file.read_exact_at(&mut block, at)?;
        Ok(block == ZEROS)
    }
}

/// The number of the newest journal.
fn newest(folder: &Path) -> io::Result<Option<u64>> {
    let mut newest = None;
    for entry in std::fs::read_dir(folder)? {
        let name = entry?.file_name();
        let number = name.to_str().and_then(|name| name.strip_suffix(".jnl")?.parse().ok());
        newest = newest.max(number);
    }
    Ok(newest)
}
