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

/// How far a journal has come. It is opened anew each time, so that one that the engine has taken away does
/// not hold its room on the disk.
#[derive(Debug, Clone, Copy)]
struct Journal {
    number: u64,
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
        // What was come to is kept, so that nothing is read twice where this cannot be done.
        let _: io::Result<()> = self.write(folder);
    }

    fn write(&mut self, folder: &Path) -> io::Result<()> {
        let Some(number) = newest(folder)? else { return Ok(()) };
        let file = folder.join(format!("{number}.jnl"));
        let file = File::options().read(true).write(true).open(file)?;
        let mut journal = self
            .journal
            .filter(|journal| journal.number == number)
            .unwrap_or(Journal { number, reached: 0, written_to: 0 });
        let written = journal.write(&file);
        self.journal = Some(journal);
        written
    }
}

impl Journal {
    fn write(&mut self, file: &File) -> io::Result<()> {
        let end = file.metadata()?.len() / BLOCK * BLOCK;
        while self.reached < end && !is_zero(file, self.reached)? {
            self.reached += BLOCK;
        }
        self.written_to = self.written_to.max(self.reached);
        while self.written_to < end.min(self.reached.saturating_add(2 * STEP)) {
            if is_zero(file, self.written_to)? {
                file.write_all_at(&ZEROS, self.written_to)?;
            }
            self.written_to += BLOCK;
        }
        Ok(())
    }
}

fn is_zero(file: &File, at: u64) -> io::Result<bool> {
    let mut block = ZEROS;
    file.read_exact_at(&mut block, at)?;
    Ok(block == ZEROS)
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
