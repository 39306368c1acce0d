//! Files: written in place, in halves, renamed, linked, gone and back.

use std::fs::{self, File};
use std::io::Write as _;
use std::path::{Path, PathBuf};

use tempfile::TempDir;
use variate::source::{CameFrom, FileSource, Readiness, Source};
use variate::{Client, Datafile};

use super::world::{LONG, check, comes_true, said, status, text};

/// Only ever told of changes, for as long as a test runs.
const HOUR_MS: u64 = 3_600_000;

/// A folder with the datafile `shop.json` of revision 1.
struct Place {
    folder: TempDir,
}

impl Place {
    fn new() -> Self {
        let place = Self { folder: tempfile::tempdir().unwrap() };
        fs::write(place.file(), text("1")).unwrap();
        place
    }

    fn file(&self) -> PathBuf {
        self.path("shop.json")
    }

    fn path(&self, name: &str) -> PathBuf {
        self.folder.path().join(name)
    }

    /// With the path of the folder taken out of what is said.
    #[track_caller]
    fn check(&self, client: &Client, expect: &str) {
        let folder = format!("{}/", self.folder.path().display());
        let is_so = || said(&status(client)).replace(&folder, "") == expect;
        if !comes_true(is_so) {
            assert_eq!(said(&status(client)).replace(&folder, ""), expect);
        }
    }
}

fn client(source: FileSource) -> Client {
    Client::builder().source(source).build().unwrap()
}

/// Runs a test twice: told of changes alone, and looking at the file alone.
fn both_ways(test: impl Fn(fn(&Path) -> FileSource)) {
    if cfg!(feature = "watch") {
        test(|path| Source::file(path).interval_ms(HOUR_MS));
    }
    test(|path| Source::file(path).interval_ms(100).watch(false));
}

#[test]
fn a_file_is_there_from_the_start() {
    let place = Place::new();
    let client = client(Source::file(place.file()));
    assert_eq!(said(&status(&client)), "fresh revision 1 from file");
    client.wait_until_ready(LONG).unwrap();
    assert_eq!(client.environment(), "shop");
    check(&client, "fresh revision 1 from file");
    let status = status(&client);
    assert_eq!((status.attempts, status.failures, status.changes), (1, 0, 1));
    assert!(status.last_attempt_ms.is_some() && status.last_success_ms.is_some());
    assert_eq!(&*status.source, place.file().to_str().unwrap());
}

#[test]
fn changes_are_taken_whatever_their_revision() {
    both_ways(|source| {
        let place = Place::new();
        let client = client(source(&place.file()));
        for revision in ["2", "1", "b", "", "7"] {
            fs::write(place.file(), text(revision)).unwrap();
            let named =
                if revision.is_empty() { "revision " } else { &format!("revision {revision}") };
            place.check(&client, &format!("fresh {named} from file"));
        }
        check(&client, "fresh revision 7 from file");
        assert_eq!(status(&client).changes, 6);
    });
}

#[test]
fn files_are_replaced_by_renaming() {
    both_ways(|source| {
        let place = Place::new();
        let client = client(source(&place.file()));
        for revision in ["2", "3", "4"] {
            fs::write(place.path("new"), text(revision)).unwrap();
            fs::rename(place.path("new"), place.file()).unwrap();
            check(&client, &format!("fresh revision {revision} from file"));
        }
    });
}

#[test]
fn half_written_files_replace_nothing() {
    both_ways(|source| {
        let place = Place::new();
        let client = client(source(&place.file()));
        let whole = text("2");
        let (half, rest) = whole.split_at(whole.len() / 2);
        let mut file = File::create(place.file()).unwrap();
        let refused = "fresh revision 1 from file (shop.json gave what cannot be used: the datafile is not readable JSON at line 1, column";
        file.write_all(half.as_bytes()).unwrap();
        file.sync_all().unwrap();
        assert!(comes_true(|| status(&client).consecutive_failures > 0));
        let found =
            said(&status(&client)).replace(&format!("{}/", place.folder.path().display()), "");
        assert!(found.starts_with(refused), "{found}");
        file.write_all(rest.as_bytes()).unwrap();
        drop(file);
        check(&client, "fresh revision 2 from file");
        let status = status(&client);
        assert!(status.failures > 0 && status.last_problem.is_some());
    });
}

#[test]
fn missing_files_and_what_is_in_their_place_replace_nothing() {
    both_ways(|source| {
        let place = Place::new();
        let client = client(source(&place.file()));
        fs::remove_file(place.file()).unwrap();
        place.check(
            &client,
            "fresh revision 1 from file (shop.json is not there: put it back, or give another path)",
        );
        fs::create_dir(place.file()).unwrap();
        place.check(
            &client,
            "fresh revision 1 from file (shop.json is a folder: put the datafile there, or give its path)",
        );
        fs::remove_dir(place.file()).unwrap();
        fs::write(place.file(), text("2")).unwrap();
        check(&client, "fresh revision 2 from file");
    });
}

/// As Kubernetes does: the file is a link into `..data`, which is a link to a folder that is replaced.
#[cfg(unix)]
#[test]
fn links_are_swapped_under_the_file() {
    use std::os::unix::fs::symlink;

    both_ways(|source| {
        let place = Place::new();
        fs::remove_file(place.file()).unwrap();
        let publish = |revision: &str| {
            let folder = place.path(&format!("..{revision}"));
            fs::create_dir(&folder).unwrap();
            fs::write(folder.join("shop.json"), text(revision)).unwrap();
            symlink(&folder, place.path("..data_tmp")).unwrap();
            fs::rename(place.path("..data_tmp"), place.path("..data")).unwrap();
        };
        publish("1");
        symlink("..data/shop.json", place.file()).unwrap();
        let client = client(source(&place.file()));
        check(&client, "fresh revision 1 from file");
        for revision in ["2", "3"] {
            publish(revision);
            check(&client, &format!("fresh revision {revision} from file"));
        }
        // What is written where the link leads is seen, too.
        fs::write(place.path("..3").join("shop.json"), text("4")).unwrap();
        check(&client, "fresh revision 4 from file");
    });
}

#[test]
fn a_folder_that_comes_back_is_seen_again() {
    let place = Place::new();
    let folder = place.path("conf");
    fs::create_dir(&folder).unwrap();
    fs::write(folder.join("shop.json"), text("1")).unwrap();
    let client = client(Source::file(folder.join("shop.json")).interval_ms(100));
    check(&client, "fresh revision 1 from file");
    fs::remove_dir_all(&folder).unwrap();
    assert!(comes_true(|| status(&client).consecutive_failures > 0));
    fs::create_dir(&folder).unwrap();
    fs::write(folder.join("shop.json"), text("2")).unwrap();
    check(&client, "fresh revision 2 from file");
    assert!(comes_true(|| status(&client).watch_problem.is_none()));
}

#[cfg(feature = "watch")]
#[test]
fn folders_that_cannot_be_watched_are_looked_at() {
    let place = Place::new();
    let client = client(Source::file(place.path("conf/shop.json")).interval_ms(100));
    assert!(comes_true(|| status(&client).watch_problem.is_some()));
    fs::create_dir(place.path("conf")).unwrap();
    fs::write(place.path("conf/shop.json"), text("1")).unwrap();
    check(&client, "fresh revision 1 from file");
}

#[cfg(feature = "watch")]
#[test]
fn other_files_in_the_folder_are_nobodys_business() {
    let place = Place::new();
    let client = client(Source::file(place.file()).interval_ms(HOUR_MS));
    for number in 0..20 {
        fs::write(place.path(&format!("other{number}")), "x").unwrap();
    }
    fs::write(place.file(), text("2")).unwrap();
    check(&client, "fresh revision 2 from file");
    // Begun with, changed, and perhaps looked at once more while it was written.
    assert!(status(&client).attempts <= 4, "{:?}", status(&client));
}

#[test]
fn files_that_are_too_large_are_not_read() {
    let place = Place::new();
    let size = text("1").len() as u64;
    let at_most = |max_bytes| client(Source::file(place.file()).max_bytes(max_bytes));
    place.check(&at_most(size), "fresh revision 1 from file");
    let small = at_most(size - 1);
    let problem = format!(
        "never-loaded (shop.json is larger than {} bytes, the most that is taken: look whether it is the datafile, and where a program of yours sets that limit, raise it)",
        size - 1
    );
    place.check(&small, &problem);
}

#[cfg(unix)]
#[test]
fn pipes_are_not_waited_for() {
    let place = Place::new();
    let pipe = place.path("pipe");
    let made = std::process::Command::new("mkfifo").arg(&pipe).status().unwrap();
    assert!(made.success());
    place.check(
        &client(Source::file(pipe)),
        "never-loaded (pipe is no regular file: put the datafile there, or give its path)",
    );
}

#[test]
fn waiting_for_what_does_not_come_says_why() {
    let place = Place::new();
    fs::write(place.file(), "{").unwrap();
    let client = client(Source::file(place.file()).interval_ms(100));
    let error = client.wait_until_ready(std::time::Duration::from_millis(20)).unwrap_err();
    assert!(error.is_not_ready());
    let said = error.to_string();
    assert!(said.starts_with("there was no datafile within 20 ms: /"), "{said}");
    assert!(said.contains("not readable JSON at line 1, column 1"), "{said}");
    assert_eq!(client.user("anna").activate("x").variation_key(), None);
    let waiting = client.clone();
    let waiter = std::thread::spawn(move || waiting.wait_until_ready(LONG));
    fs::write(place.file(), text("1")).unwrap();
    waiter.join().unwrap().unwrap();
    check(&client, "fresh revision 1 from file");
}

#[test]
fn a_file_becomes_stale_while_it_is_broken() {
    let place = Place::new();
    let client = client(Source::file(place.file()).interval_ms(100).stale_after_ms(300));
    assert_eq!(status(&client).readiness, Readiness::Fresh);
    fs::write(place.file(), "broken").unwrap();
    assert!(comes_true(|| status(&client).readiness == Readiness::Stale));
    assert!(status(&client).checked_ago_ms > Some(300));
    fs::write(place.file(), text("1")).unwrap();
    check(&client, "fresh revision 1 from file");
}

#[test]
fn a_files_revisions_are_told_to_listeners_in_order() {
    struct Heard(std::sync::mpsc::Sender<String>);
    impl variate::client::Listener for Heard {
        fn datafile_update(&self, revision: &str) {
            self.0.send(revision.to_owned()).unwrap();
        }
    }
    let place = Place::new();
    let (heard, updates) = std::sync::mpsc::channel();
    let builder = Client::builder().source(Source::file(place.file()).interval_ms(100));
    let client = builder.listener(Heard(heard)).build().unwrap();
    for revision in ["2", "3"] {
        fs::write(place.file(), text(revision)).unwrap();
        assert_eq!(updates.recv_timeout(LONG).unwrap(), revision);
    }
    drop(client);
    assert!(updates.recv().is_err(), "nothing is told after the end");
}

#[test]
fn embedded_datafiles_are_in_force_for_ever() {
    let client = Client::builder().source(Source::embedded(text("1"))).build().unwrap();
    assert!(client.refresh_and_wait(LONG));
    check(&client, "fresh revision 1 from embedded");
    assert_eq!(status(&client).next_attempt_ms, None);
    assert!(!client.accept_datafile("1"));
    let error = Client::builder().source(Source::embedded("{")).build().unwrap_err();
    assert!(error.is_datafile());
}

/// The program's own datafile is begun with, until the file is there.
#[test]
fn a_datafile_of_the_programs_own_is_begun_with() {
    let place = Place::new();
    fs::remove_file(place.file()).unwrap();
    let own = Datafile::compile(text("5")).unwrap().datafile;
    let source = Source::file(place.file()).interval_ms(100);
    let client = Client::builder().datafile(own).source(source).build().unwrap();
    let before = status(&client);
    assert_eq!(before.came_from, Some(CameFrom::Embedded));
    assert_eq!(before.readiness, Readiness::Stale, "nobody has confirmed it");
    assert_eq!(super::world::decided(&client), "5");
    fs::write(place.file(), text("1")).unwrap();
    check(&client, "fresh revision 1 from file");
}

#[test]
fn without_a_source_there_is_nothing_to_ask() {
    let client = Client::builder().build().unwrap();
    assert!(client.source_status().is_none() && client.refresh_and_wait(LONG));
    client.refresh();
    assert!(!client.accept_datafile("1"));
    let error = client.wait_until_ready(std::time::Duration::from_millis(1)).unwrap_err();
    assert_eq!(
        error.to_string(),
        "there was no datafile within 1 ms: give the client one, or wait for longer"
    );
    let waiting = client.clone();
    let waiter = std::thread::spawn(move || waiting.wait_until_ready(LONG));
    client.swap(Datafile::compile(text("1")).unwrap().datafile);
    waiter.join().unwrap().unwrap();
}
