//! One thread reads, some assign, one writes in the order of the file; memory is bounded by the few
//! batches that go round.
//!
//! Must not know what is assigned.

use std::collections::BTreeMap;
use std::panic::{self, AssertUnwindSafe};
use std::sync::mpsc::{Receiver, Sender, channel};
use std::sync::{Arc, Weak};
use std::thread;

use parking_lot::Mutex;

use super::assign::{Assigner, Counts};
use crate::cli::failure::Failure;
use crate::cli::progress::Progress;
use crate::cli::users::{Block, Layout, UsersFile};
use crate::cli::words::counted;
use crate::error::Error;

/// Batches beyond one for each thread: one being read, one being written, some that wait.
const SPARE_BATCHES: usize = 4;

/// So many malformed lines are told one by one.
const MOST_TOLD: usize = 5;

/// What was assigned.
#[derive(Debug)]
pub(super) struct Assigned {
    pub(super) counts: Counts,
    pub(super) bytes: u64,
    pub(super) faults: Faults,
}

/// Lines that hold no user.
#[derive(Debug, Default)]
pub(super) struct Faults {
    pub(super) count: u64,
    first: Vec<String>,
}

/// A block on its way: read, assigned, written, and read anew.
#[derive(Default)]
struct Batch {
    number: u64,
    block: Block,
    text: Vec<u8>,
    counts: Counts,
    faults: Faults,
}

/// Assigns all users of a file, and gives the lines to `write` in the file's order.
pub(super) fn run(
    mut users: UsersFile,
    assigner: &Assigner<'_>,
    threads: usize,
    progress: Progress,
    write: &mut dyn FnMut(&[u8]) -> Result<(), Failure>,
) -> Result<Assigned, Failure> {
    let layout = users.layout().clone();
    let (free, to_read) = channel();
    let (read, to_assign) = channel();
    let (assigned, to_write) = channel();
    for _ in 0..threads + SPARE_BATCHES {
        let _ = free.send(Batch { counts: assigner.no_counts(), ..Batch::default() });
    }
    let to_assign = Mutex::new(to_assign);
    let read = Arc::new(read);
    let stop = Stop { to_assigners: Arc::downgrade(&read), assigners: threads };
    // Not of the scope: it may wait for input for ever, and nobody else does once nobody writes.
    let reader = thread::Builder::new().spawn(move || read_all(&mut users, &to_read, &read));
    let reader = reader.map_err(|error| Failure::usage(Error::thread("bucket", error)))?;
    let written = thread::scope(|scope| {
        let stop = stop;
        for _ in 0..threads {
            let (assigned, layout, to_assign) = (assigned.clone(), &layout, &to_assign);
            spawn(scope, move || assign_all(assigner, layout, to_assign, &assigned))?;
        }
        drop(assigned);
        let written = write_all((to_write, free), progress, assigner.no_counts(), write)?;
        drop(stop);
        Ok::<_, Failure>(written)
    })?;
    // Had the reader panicked, those that it feeds would have ended as at the end of the file.
    reader.join().map_err(|_| incomplete())??;
    Ok(written)
}

/// Ends those who assign, whatever the reader waits for.
struct Stop {
    /// The reader's own; gone when the reader is, and then nobody waits.
    to_assigners: Weak<Sender<Option<Batch>>>,
    assigners: usize,
}

impl Drop for Stop {
    fn drop(&mut self) {
        if let Some(sender) = self.to_assigners.upgrade() {
            (0..self.assigners).for_each(|_| drop(sender.send(None)));
        }
    }
}

fn spawn<'scope>(
    scope: &'scope thread::Scope<'scope, '_>,
    work: impl FnOnce() + Send + 'scope,
) -> Result<(), Failure> {
    let spawned = thread::Builder::new().spawn_scoped(scope, work);
    spawned.map(drop).map_err(|error| Failure::usage(Error::thread("bucket", error)))
}

/// A thread panicked, and has told that by itself; the output lacks users.
fn incomplete() -> Failure {
    Failure::defect(
        "a thread failed, so variations are missing: do not use the output, and report this"
            .to_owned(),
    )
}

fn read_all(
    users: &mut UsersFile,
    free: &Receiver<Batch>,
    read: &Sender<Option<Batch>>,
) -> Result<(), Failure> {
    let mut number = 0;
    // Whoever is no longer there has met an error and tells it.
    while let Ok(mut batch) = free.recv() {
        if !users.next_block(&mut batch.block)? {
            break;
        }
        batch.number = number;
        number += 1;
        if read.send(Some(batch)).is_err() {
            break;
        }
    }
    Ok(())
}

fn assign_all(
    assigner: &Assigner<'_>,
    layout: &Layout,
    to_assign: &Mutex<Receiver<Option<Batch>>>,
    assigned: &Sender<Result<Batch, Failure>>,
) {
    loop {
        let received = to_assign.lock().recv();
        let Ok(Some(mut batch)) = received else { break };
        // The others would wait for ever for a batch that is lost.
        let done = panic::catch_unwind(AssertUnwindSafe(|| batch.assign(assigner, layout)));
        let sent = assigned.send(done.map(|()| batch).map_err(|_| incomplete()));
        if sent.is_err() {
            break;
        }
    }
}

fn write_all(
    (to_write, free): (Receiver<Result<Batch, Failure>>, Sender<Batch>),
    mut progress: Progress,
    counts: Counts,
    write: &mut dyn FnMut(&[u8]) -> Result<(), Failure>,
) -> Result<Assigned, Failure> {
    let mut written = Assigned { counts, bytes: 0, faults: Faults::default() };
    let mut early = BTreeMap::new();
    let mut next = 0;
    for batch in to_write {
        let batch = batch?;
        early.insert(batch.number, batch);
        while let Some(batch) = early.remove(&next) {
            write(&batch.text)?;
            next += 1;
            let bytes = batch.block.text.len();
            progress.add(batch.counts.users, bytes);
            written.bytes += u64::try_from(bytes).unwrap_or(u64::MAX);
            written.counts.merge(&batch.counts);
            written.faults.merge(&batch.faults);
            // At the end of the file nobody reads any more.
            let _ = free.send(batch);
        }
    }
    progress.finish();
    if early.is_empty() { Ok(written) } else { Err(incomplete()) }
}

impl Batch {
    fn assign(&mut self, assigner: &Assigner<'_>, layout: &Layout) {
        let Self { block, text, counts, faults, .. } = self;
        text.clear();
        counts.clear();
        *faults = Faults::default();
        let done: Result<(), std::convert::Infallible> =
            layout.read(block, &mut |(number, user)| {
                match user {
                    Ok(user) => assigner.assign(&user, text, counts),
                    Err(fault) => faults.add(number, &fault),
                }
                Ok(())
            });
        // There is no way for it to fail.
        let Ok(()) = done;
    }
}

impl Faults {
    fn add(&mut self, line: u64, fault: &str) {
        self.count += 1;
        if self.first.len() < MOST_TOLD {
            self.first.push(format!("line {line}: {fault}"));
        }
    }

    fn merge(&mut self, later: &Self) {
        self.count += later.count;
        let room = MOST_TOLD - self.first.len();
        self.first.extend(later.first.iter().take(room).cloned());
    }

    /// What is said of them; nothing if there are none.
    pub(super) fn lines(&self) -> Vec<String> {
        if self.count == 0 {
            return Vec::new();
        }
        let told = self.first.iter().map(|fault| format!("error: {fault}"));
        let lines = counted(self.count, "malformed line");
        told.chain([format!("error: {lines}, left out of the output")]).collect()
    }
}
