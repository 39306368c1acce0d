//! A sink without repeats: a file, cut back to where the store says that it was.

use std::fs::File;
use std::io::{Seek, SeekFrom, Write};
use std::path::Path;
use std::sync::Arc;
use std::time::Duration;

use variate::attribution::Record;
use variate::events::record_json;
use variate::store::{Cursor, Step, Store};

/// The names of the sinks.
pub(super) const SINKS: [&str; 2] = ["file", "slow"];

/// A file with a line for each record: its number and the record.
pub(super) struct ExactFile {
    name: &'static str,
    file: File,
    cursor: Cursor,
}

/// Claims the outbox for all sinks.
pub(super) fn claim(store: &dyn Store, folder: &Path) -> Vec<ExactFile> {
    let cursors = store.claim_outbox(&SINKS).unwrap();
    let open = |(name, cursor)| ExactFile::open(folder, name, cursor);
    SINKS.into_iter().zip(cursors).map(open).collect()
}

impl ExactFile {
    fn open(folder: &Path, name: &'static str, cursor: Cursor) -> Self {
        let path = folder.join(name);
        let mut file = File::options().create(true).truncate(false).write(true).open(path).unwrap();
        let length = if cursor.state.is_empty() { 0 } else { cursor.state.parse().unwrap() };
        assert!(
            file.metadata().unwrap().len() >= length,
            "what the cursor tells of is in the file"
        );
        file.set_len(length).unwrap();
        file.seek(SeekFrom::End(0)).unwrap();
        Self { name, file, cursor }
    }

    /// Takes what is there, or waits for it; gives how many records it took.
    pub(super) fn deliver(&mut self, store: &dyn Store, limit: usize, patience: Duration) -> usize {
        let records = store.outbox(self.cursor.through, limit, patience).unwrap();
        let Some((last, _)) = records.last() else { return 0 };
        let line = |(sequence, record): &(u64, Arc<Record>)| {
            format!("{sequence} {}\n", record_json(record))
        };
        let lines: String = records.iter().map(line).collect();
        self.file.write_all(lines.as_bytes()).unwrap();
        self.file.sync_data().unwrap();
        let state = self.file.stream_position().unwrap().to_string().into();
        self.cursor = Cursor { through: *last, state };
        let step = Step { cursor: self.cursor.clone(), ..Step::default() };
        store.advance(self.name, step).unwrap();
        records.len()
    }
}
