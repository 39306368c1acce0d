//! Restarts behind a store on disk: the last good datafile is there before anybody is asked.

use std::fs;
use std::path::Path;
use std::sync::Arc;

use variate::Client;
use variate::clock::Clock;
use variate::source::{CameFrom, Readiness, Source};
use variate::store::{DurableSettings, DurableStore, Store as _};

use super::world::{check, decided, status, text};

const NOON_MS: i64 = 1_800_000_000_000;

/// Opens the store in a folder; the disk of the machine that tests is its own affair.
fn store(folder: &Path, clock: &Arc<Clock>) -> Arc<DurableStore> {
    let settings = DurableSettings { reserved_bytes: 0, ..DurableSettings::default() };
    Arc::new(DurableStore::open(folder, clock.clone(), settings).unwrap())
}

fn client(folder: &Path, at_ms: i64, source: impl Into<Source>) -> Client {
    let clock = Arc::new(Clock::manual(at_ms));
    let builder = Client::builder().store(store(folder, &clock)).clock(clock);
    builder.environment("production").source(source).build().unwrap()
}

/// A file that is broken when the client begins is not what the client begins with.
#[test]
fn a_broken_file_is_stood_in_for() {
    let folder = tempfile::tempdir().unwrap();
    let (ledger, file) = (folder.path().join("ledger"), folder.path().join("shop.json"));
    let source = || Source::file(&file).interval_ms(100);
    fs::write(&file, text("1")).unwrap();
    let first = client(&ledger, NOON_MS, source());
    check(&first, "fresh revision 1 from file");
    fs::write(&file, text("2")).unwrap();
    check(&first, "fresh revision 2 from file");
    fs::write(&file, "{\"version\"").unwrap();
    drop(first);
    let second = client(&ledger, NOON_MS + 60_000, source());
    let now = status(&second);
    assert_eq!(decided(&second), "2");
    assert_eq!((now.came_from, now.readiness), (Some(CameFrom::Store), Readiness::Fresh));
    assert_eq!(now.fetched_at_ms, Some(NOON_MS));
    assert!(now.checked_ago_ms >= Some(60_000), "{now:?}");
    assert!(now.last_problem.is_some());
    drop(second);
    let later = client(&ledger, NOON_MS + 3_600_000, source());
    assert_eq!((status(&later).readiness, decided(&later)), (Readiness::Stale, "2".to_owned()));
    fs::write(&file, text("1")).unwrap();
    check(&later, "fresh revision 1 from file");
    drop(later);
    fs::remove_file(&file).unwrap();
    let last = client(&ledger, NOON_MS + 3_600_000, source());
    assert_eq!(decided(&last), "1", "what was taken last is what was kept");
}

/// Another source of the same environment does not begin with what this one gave.
#[test]
fn another_source_has_nothing_to_begin_with() {
    let folder = tempfile::tempdir().unwrap();
    let (ledger, file) = (folder.path().join("ledger"), folder.path().join("shop.json"));
    fs::write(&file, text("1")).unwrap();
    drop(client(&ledger, NOON_MS, Source::file(&file)));
    let other = client(&ledger, NOON_MS, Source::file(folder.path().join("other.json")));
    assert_eq!(
        (status(&other).readiness, decided(&other).as_str()),
        (Readiness::NeverLoaded, "none")
    );
}

/// The file decides, whatever was kept: also where it went back while nobody looked.
#[test]
fn a_good_file_comes_before_the_store() {
    let folder = tempfile::tempdir().unwrap();
    let (ledger, file) = (folder.path().join("ledger"), folder.path().join("shop.json"));
    fs::write(&file, text("7")).unwrap();
    drop(client(&ledger, NOON_MS, Source::file(&file)));
    fs::write(&file, text("6")).unwrap();
    let second = client(&ledger, NOON_MS, Source::file(&file));
    assert_eq!((status(&second).came_from, decided(&second).as_str()), (Some(CameFrom::File), "6"));
}

/// What the store cannot keep is in force all the same.
#[test]
fn what_cannot_be_kept_is_said() {
    let folder = tempfile::tempdir().unwrap();
    let file = folder.path().join("shop.json");
    fs::write(&file, text("1")).unwrap();
    let long = "x".repeat(70_000);
    let clock = Arc::new(Clock::manual(NOON_MS));
    let builder =
        Client::builder().store(store(&folder.path().join("ledger"), &clock)).clock(clock);
    let client = builder.environment(&long).source(Source::file(&file)).build().unwrap();
    assert_eq!(decided(&client), "1");
    let problem = status(&client).keep_problem.unwrap().to_string();
    let expect = "the datafile is in force, but is not there after a restart: the store in ";
    assert!(problem.starts_with(expect) && problem.contains("too long for a key"), "{problem}");
}

/// What was kept and cannot be read is said, and is no reason not to begin.
#[test]
fn a_kept_datafile_that_is_damaged_is_done_without() {
    let folder = tempfile::tempdir().unwrap();
    let (ledger, file) = (folder.path().join("ledger"), folder.path().join("shop.json"));
    fs::write(&file, text("1")).unwrap();
    let source = || Source::file(&file).interval_ms(100);
    drop(client(&ledger, NOON_MS, source()));
    let database = fjall::Database::builder(&ledger).open().unwrap();
    let kept = database.keyspace("datafiles", fjall::KeyspaceCreateOptions::default).unwrap();
    kept.insert(":production", "garbled").unwrap();
    database.persist(fjall::PersistMode::SyncAll).unwrap();
    drop((kept, database));
    fs::remove_file(&file).unwrap();
    let second = client(&ledger, NOON_MS, source());
    let now = status(&second);
    assert_eq!((now.readiness, decided(&second).as_str()), (Readiness::NeverLoaded, "none"));
    let problem = now.keep_problem.unwrap().to_string();
    assert!(
        problem.starts_with("the last good datafile cannot be read: the store in "),
        "{problem}"
    );
    fs::write(&file, text("2")).unwrap();
    check(&second, "fresh revision 2 from file");
    drop(second);
    fs::remove_file(&file).unwrap();
    let third = client(&ledger, NOON_MS, source());
    assert_eq!((decided(&third).as_str(), status(&third).keep_problem), ("2", None));
}

#[test]
fn a_store_tells_what_it_keeps() {
    let folder = tempfile::tempdir().unwrap();
    let (ledger, file) = (folder.path().join("ledger"), folder.path().join("shop.json"));
    fs::write(&file, text("7")).unwrap();
    drop(client(&ledger, NOON_MS, Source::file(&file)));
    let store = store(&ledger, &Arc::new(Clock::manual(NOON_MS)));
    let kept = store.kept_datafiles().unwrap();
    let kept: Vec<_> = kept.iter().map(|(name, kept)| (&**name, &*kept.revision)).collect();
    assert_eq!(kept, [("production", "7")]);
    assert_eq!(store.kept_datafile("production").unwrap().unwrap().text, text("7").into());
    drop(store);
    let verified = variate::store::verify(&ledger, &mut |_, _| ()).unwrap();
    assert!(verified.is_sound() && verified.datafiles == 1, "{verified:?}");
}

#[cfg(feature = "http")]
mod addresses {
    //! The same with addresses.

    use super::super::stage::{Stage, answer};
    use super::super::world::{LONG, said};
    use super::*;

    /// Fetches revision 5 with an `ETag`, and ends.
    fn with_five_kept(ledger: &Path) -> Stage {
        let stage = Stage::new(answer(200, &["ETag: \"five\"", "Last-Modified: then"], text("5")));
        let first = client(ledger, NOON_MS, stage.source());
        assert!(first.refresh_and_wait(LONG));
        check(&first, "fresh revision 5 from network");
        assert!(status(&first).keep_problem.is_none());
        stage
    }

    #[test]
    fn a_restart_without_a_network_answers_at_once() {
        let folder = tempfile::tempdir().unwrap();
        let stage = with_five_kept(folder.path());
        let asked = stage.requests().len();
        stage.set(answer(503, &[], ""));
        let second = client(folder.path(), NOON_MS + 1_000, stage.source());
        assert_eq!(
            (decided(&second).as_str(), status(&second).came_from),
            ("5", Some(CameFrom::Store))
        );
        second.wait_until_ready(LONG).unwrap();
        assert!(second.refresh_and_wait(LONG));
        let now = status(&second);
        assert!(said(&now).starts_with("fresh revision 5 from store ("), "{}", said(&now));
        assert!(now.checked_ago_ms >= Some(1_000) && now.fetched_at_ms == Some(NOON_MS));
        let request = stage.requests().swap_remove(asked);
        assert_eq!(
            (request.header("if-none-match"), request.header("if-modified-since")),
            (Some("\"five\""), Some("then"))
        );
        stage.set(answer(304, &[], ""));
        assert!(second.refresh_and_wait(LONG));
        check(&second, "fresh revision 5 from network");
        assert_eq!(status(&second).last_success_ms, Some(NOON_MS + 1_000));
    }

    /// What is kept says what it was kept with: a lower revision is held back after a restart, too.
    #[test]
    fn a_restart_goes_on_by_the_same_rules() {
        let folder = tempfile::tempdir().unwrap();
        let stage = with_five_kept(folder.path());
        stage.set(answer(200, &["ETag: \"four\""], text("4")));
        let second = client(folder.path(), NOON_MS, stage.source());
        assert!(second.refresh_and_wait(LONG));
        check(&second, "fresh revision 5 from store holds back 4");
        drop(second);
        let third = client(folder.path(), NOON_MS, stage.source());
        assert!(third.refresh_and_wait(LONG));
        check(&third, "fresh revision 5 from store holds back 4");
        assert!(third.accept_datafile("4"));
        drop(third);
        stage.set(answer(304, &[], ""));
        let fourth = client(folder.path(), NOON_MS, stage.source());
        assert_eq!(decided(&fourth), "4", "what was accepted is kept");
        assert!(fourth.refresh_and_wait(LONG));
        assert_eq!(stage.last_request().header("if-none-match"), Some("\"four\""));
        check(&fourth, "fresh revision 4 from network");
    }

    #[test]
    fn another_key_has_nothing_to_begin_with() {
        let folder = tempfile::tempdir().unwrap();
        let stage = Stage::new(answer(200, &["ETag: \"five\""], text("5")));
        let source = |key: &str| {
            Source::url(stage.url("/datafiles/%s.json")).sdk_key(key).interval_ms(3_600_000)
        };
        let first = client(folder.path(), NOON_MS, source("abc"));
        assert!(first.refresh_and_wait(LONG));
        drop(first);
        stage.set(answer(403, &[], ""));
        let same = client(folder.path(), NOON_MS, source("abc:token"));
        assert_eq!(decided(&same), "5", "a token is no other source");
        drop(same);
        let other = client(folder.path(), NOON_MS, source("abd"));
        assert!(other.refresh_and_wait(LONG));
        assert_eq!(
            (status(&other).readiness, decided(&other).as_str()),
            (Readiness::NeverLoaded, "none")
        );
        assert_eq!(stage.last_request().header("if-none-match"), None);
    }

    /// Whichever is later of what the program brings along and what was kept.
    #[test]
    fn the_later_of_two_is_begun_with() {
        let folder = tempfile::tempdir().unwrap();
        let stage = with_five_kept(folder.path());
        stage.set(answer(503, &[], ""));
        let begin = |own: &str| {
            let own = variate::Datafile::compile(text(own)).unwrap().datafile;
            let clock = Arc::new(Clock::manual(NOON_MS));
            let builder = Client::builder().store(store(folder.path(), &clock)).clock(clock);
            let builder = builder.environment("production").datafile(own);
            builder.source(stage.source()).build().unwrap()
        };
        let check = |own: &str, expect: &str, came_from: CameFrom, etag: Option<&str>| {
            let client = begin(own);
            assert!(client.refresh_and_wait(LONG));
            assert_eq!(
                (decided(&client).as_str(), status(&client).came_from),
                (expect, Some(came_from))
            );
            assert_eq!(stage.last_request().header("if-none-match"), etag);
        };
        check("4", "5", CameFrom::Store, Some("\"five\""));
        check("5", "5", CameFrom::Store, Some("\"five\""));
        check("6", "6", CameFrom::Embedded, None);
    }
}
