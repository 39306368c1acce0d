//! What the engine does that no call of the store shows.

use std::fs::{self, File};
use std::io::Write as _;
use std::sync::mpsc::channel;
use std::time::Duration;

use fjall::AbstractTree as _;
use rustix::fs::{CWD, FileType, Mode, mknodat};
use tempfile::TempDir;

use super::{Engine, Setup, Space, Write};

const MEMTABLE_BYTES: u64 = 1 << 20;

fn engine() -> (TempDir, Engine) {
    let folder = tempfile::tempdir().unwrap();
    let setup =
        Setup { cache_bytes: 1 << 20, journal_bytes: 64 << 20, memtable_bytes: MEMTABLE_BYTES };
    let engine = Engine::open(folder.path(), setup).unwrap();
    (folder, engine)
}

fn write(space: Space, key: &str, bytes: usize) -> Write {
    Write { space, key: key.as_bytes().into(), value: Some(vec![7; bytes]) }
}

fn is_there(engine: &Engine, key: &str) -> bool {
    engine.get(Space::Outbox, key.as_bytes()).unwrap().is_some()
}

#[test]
fn the_remedy_is_that_of_the_cause() {
    let check = |kind: std::io::ErrorKind, expect: &str| {
        let error = || std::io::Error::from(kind);
        let both = [fjall::Error::Io(error()), fjall::Error::Storage(error().into())];
        assert_eq!(both.each_ref().map(|error| super::remedy_of(error)), [expect; 2], "{kind}");
    };
    check(std::io::ErrorKind::StorageFull, super::FULL);
    check(std::io::ErrorKind::PermissionDenied, super::FORBIDDEN);
    check(std::io::ErrorKind::ReadOnlyFilesystem, super::FORBIDDEN);
    check(std::io::ErrorKind::Other, super::REMEDY);
    assert_eq!(super::remedy_of(&fjall::Error::Unrecoverable), super::REMEDY);
}

/// A pipe in the place of a file that is read first holds the opening up for as long as wanted.
#[test]
fn who_asks_is_refused_at_once_while_it_is_opened_again() {
    let (folder, engine) = engine();
    let (version, aside) = (folder.path().join("version"), folder.path().join("aside"));
    fs::rename(&version, &aside).unwrap();
    mknodat(CWD, &version, FileType::Fifo, Mode::RWXU, 0).unwrap();
    let (sender, answers) = channel();
    std::thread::scope(|scope| {
        let opening = scope.spawn(|| engine.reopen());
        scope.spawn(|| {
            // Until it is closed, it answers.
            while engine.get(Space::Rows, b"nobody").is_ok() {}
            sender.send(engine.get(Space::Rows, b"nobody").is_err()).unwrap();
        });
        let answer = answers.recv_timeout(Duration::from_secs(20));
        let mut pipe = File::options().write(true).open(&version).unwrap();
        fs::rename(&aside, &version).unwrap();
        pipe.write_all(b"FJL\x03").unwrap();
        drop(pipe);
        opening.join().unwrap().unwrap();
        assert_eq!(answer, Ok(true), "it waited for the opening");
    });
    assert!(engine.get(Space::Rows, b"nobody").is_ok());
}

#[test]
fn a_write_without_a_place_is_an_error() {
    let (_folder, engine) = engine();
    let opened = engine.opened.read();
    let writes = vec![write(Space::Ids(7), "id", 8), write(Space::Outbox, "1", 8)];
    let error = engine.batch(opened.as_ref().unwrap(), writes).err().unwrap();
    let cause = std::error::Error::source(&error).unwrap().to_string();
    assert_eq!(cause, "there is no keyspace for Ids(7)");
}

/// Orders to the engine's workers are what they can wait for each other for: there is one for a memtable,
/// given by who commits.
#[test]
fn memtables_are_put_aside_by_who_commits_and_by_nobody_else() {
    let (_folder, engine) = engine();
    let size = || {
        let opened = engine.opened.read();
        opened.as_ref().unwrap().space(Space::Outbox).unwrap().tree.active_memtable().size()
    };
    let commit = || engine.commit(vec![write(Space::Outbox, "1", 100_000)]).unwrap();
    while size() <= MEMTABLE_BYTES {
        commit();
    }
    for _ in 0..20 {
        std::thread::sleep(Duration::from_millis(10));
        assert!(size() > MEMTABLE_BYTES, "somebody else put it aside");
    }
    commit();
    assert!(size() < MEMTABLE_BYTES);
}

/// Tables of which no worker was told: there is no order that could put them into a level.
#[test]
fn tables_that_no_worker_compacts_are_compacted_by_who_commits() {
    let (_folder, engine) = engine();
    let tables = || {
        let opened = engine.opened.read();
        opened.as_ref().unwrap().space(Space::Outbox).unwrap().l0_table_count()
    };
    for _ in 0..20 {
        engine.commit(vec![write(Space::Outbox, "1", 8), write(Space::Outbox, "2", 8)]).unwrap();
        let opened = engine.opened.read();
        opened
            .as_ref()
            .unwrap()
            .space(Space::Outbox)
            .unwrap()
            .tree
            .flush_active_memtable(0)
            .unwrap();
    }
    assert_eq!(tables(), 20);
    let (sender, committed) = channel();
    std::thread::scope(|scope| {
        scope.spawn(|| sender.send(engine.commit(vec![write(Space::Outbox, "3", 8)])));
        let committed = committed.recv_timeout(Duration::from_secs(20));
        if committed.is_err() {
            // Lets go of who waits for ever, so that this test ends.
            let opened = engine.opened.read();
            opened.as_ref().unwrap().space(Space::Outbox).unwrap().major_compact().unwrap();
        }
        committed.unwrap().unwrap();
    });
    assert!(tables() < 20 && ["1", "2", "3"].iter().all(|key| is_there(&engine, key)));
}

#[test]
fn what_was_refused_is_cut_off() {
    let (_folder, engine) = engine();
    engine.commit(vec![write(Space::Outbox, "stored", 8)]).unwrap();
    let next = engine.opened.read().as_ref().unwrap().database.seqno();
    engine.commit(vec![write(Space::Outbox, "refused", 8)]).unwrap();
    // As if the last step of it had failed.
    engine.refused_from.store(next, std::sync::atomic::Ordering::Relaxed);
    engine.reopen().unwrap();
    assert_eq!((is_there(&engine, "stored"), is_there(&engine, "refused")), (true, false));
    engine.commit(vec![write(Space::Outbox, "next", 8)]).unwrap();
    engine.reopen().unwrap();
    assert!(is_there(&engine, "next"));
}

/// What can be read stays as it is; that the blocks have been written before is all that is new.
#[test]
fn a_journal_is_written_ahead_and_says_the_same() {
    use std::os::unix::fs::MetadataExt as _;

    let (folder, engine) = engine();
    let commit = |key: &str| engine.commit(vec![write(Space::Outbox, key, 50_000)]).unwrap();
    let path = folder.path().join("0.jnl");
    let journal = || (fs::read(&path).unwrap(), fs::metadata(&path).unwrap().blocks() * 512);
    (1..4).for_each(|key| commit(&key.to_string()));
    let (says, takes) = journal();
    engine.ahead.lock().note(folder.path(), u64::MAX);
    let (still_says, takes_now) = journal();
    assert!(says == still_says, "what can be read has changed");
    assert!(takes_now >= takes + (500 << 10), "{takes}, then {takes_now}");
    for key in 4..60 {
        commit(&key.to_string());
        engine.ahead.lock().note(folder.path(), u64::MAX);
    }
    engine.reopen().unwrap();
    let (says, _) = journal();
    engine.ahead.lock().note(folder.path(), u64::MAX);
    assert!(says == journal().0, "one that is cut to its length is not made longer");
    assert!((1..60).all(|key| is_there(&engine, &key.to_string())));
}
