//! The file sink and what others do: stores put back from older back-ups, files moved away, two sinks on
//! one path.

use std::collections::BTreeSet;
use std::fs;
use std::path::{Path, PathBuf};
use std::sync::Arc;

use rand::rngs::SmallRng;
use rand::{RngExt as _, SeedableRng as _};
use variate::attribution::{EntryId, Record};
use variate::events::{AttributionMode, Batch, Delivery, FileSettings, FileSink, Sink};

use super::world::world;

/// Events with ids.
struct Events(Record);

impl Events {
    fn new() -> Self {
        let world = world();
        Self((*world.track(world.event("free"))).clone())
    }

    fn of(&self, ids: &[String]) -> Vec<Arc<Record>> {
        let record = |id: &String| {
            let Record::Conversion(mut record) = self.0.clone() else { panic!("an event") };
            record.id = EntryId::Given(id.as_str().into());
            Arc::new(Record::Conversion(record))
        };
        ids.iter().map(record).collect()
    }
}

fn sink(path: &Path, most_bytes: Option<u64>) -> FileSink {
    let mode = AttributionMode::Backend;
    FileSink::with(path, FileSettings { mode, most_bytes, ..FileSettings::default() })
}

fn deliver(sink: &mut FileSink, records: &[Arc<Record>]) {
    for batch in Batch::of(sink, records) {
        sink.deliver(&batch).unwrap();
    }
}

/// The ids in a file; half a line at its end is none.
fn ids(path: &Path) -> Vec<String> {
    let text = String::from_utf8_lossy(&fs::read(path).unwrap_or_default()).into_owned();
    let whole = text.rsplit_once('\n').map_or("", |(whole, _)| whole);
    let id = |line: &str| {
        let record: serde_json::Value = serde_json::from_str(line).unwrap();
        record["id"].as_str().unwrap().to_owned()
    };
    whole.lines().map(id).collect()
}

/// The files of a folder with what is in them, but for empty ones, by name.
fn found(folder: &Path) -> Vec<(String, String)> {
    let mut found: Vec<_> = fs::read_dir(folder)
        .unwrap()
        .map(|entry| {
            let entry = entry.unwrap();
            (entry.file_name().to_string_lossy().into_owned(), ids(&entry.path()).join(" "))
        })
        .filter(|(_, ids)| !ids.is_empty())
        .collect();
    found.sort();
    found
}

fn named(ids: &str) -> Vec<String> {
    ids.split_whitespace().map(str::to_owned).collect()
}

/// What is done to a sink and its file: `+a b` a batch that the store keeps, `?a b` one that it does not,
/// `keep` what the sink says, `save`, `restart`, `back` to what was saved, `mv r r.old` and `cut r` on files.
#[track_caller]
fn check(most_lines: Option<u64>, steps: &[&str], expect: &[(&str, &str)]) {
    let folder = tempfile::tempdir().unwrap();
    let (path, events) = (folder.path().join("r"), Events::new());
    let line = variate::events::record_json(&events.of(&named("a"))[0]).len() as u64 + 1;
    let new = || sink(&path, most_lines.map(|lines| lines * line));
    let (mut here, mut kept, mut saved) = (new(), String::new(), String::new());
    here.open("").unwrap();
    for step in steps {
        let words = named(step);
        match words[0].as_str() {
            "keep" => kept = here.state(),
            "save" => saved.clone_from(&kept),
            "back" => kept.clone_from(&saved),
            "mv" => {
                fs::rename(folder.path().join(&words[1]), folder.path().join(&words[2])).unwrap()
            }
            "make" => fs::write(folder.path().join(&words[1]), "").unwrap(),
            _ => {}
        }
        if let Some(ids) = step.strip_prefix('+') {
            deliver(&mut here, &events.of(&named(ids)));
            kept = here.state();
        } else if let Some(ids) = step.strip_prefix('?') {
            deliver(&mut here, &events.of(&named(ids)));
        } else if ["restart", "back"].contains(step) {
            drop(here);
            here = new();
            here.open(&kept).unwrap_or_else(|error| panic!("{error}"));
        }
    }
    let expect: Vec<_> = expect.iter().map(|(name, ids)| ((*name).into(), (*ids).into())).collect();
    assert_eq!(found(folder.path()), expect);
}

#[test]
fn what_a_store_that_was_put_back_does_not_know_is_moved_aside() {
    let none = None;
    // The store that was put back has records of its own.
    check(
        none,
        &["+a b", "save", "+c d", "+e", "back", "+f"],
        &[("r", "a b f"), ("r.aside-1", "c d e")],
    );
    // One batch is as much as many: the store knows nothing of it either.
    check(none, &["+a b", "save", "+c d", "back", "+f"], &[("r", "a b f"), ("r.aside-1", "c d")]);
    // What it delivers again is there already; only what is behind that is moved.
    check(
        none,
        &["+a b", "save", "+c d", "+e f", "back", "+c", "+d e", "+g"],
        &[("r", "a b c d e g"), ("r.aside-1", "f")],
    );
    // Nothing that was moved aside is replaced.
    check(
        none,
        &["+a", "save", "+b", "back", "+c", "back", "+d", "+e"],
        &[("r", "a d e"), ("r.aside-1", "b"), ("r.aside-2", "c")],
    );
    // From before the first record; and from before the sink, whose file is then anybody's.
    check(none, &["keep", "save", "+a", "+b", "back", "+c"], &[("r", "c"), ("r.aside-1", "a b")]);
    check(none, &["save", "restart", "+a", "+b", "back", "+c"], &[("r", "a b c")]);
}

#[test]
fn rotated_files_are_not_emptied_by_a_store_that_was_put_back() {
    let two = Some(2);
    check(
        two,
        &["+a b", "save", "+c d", "+e f", "+g", "back", "+x"],
        &[
            ("r", "x"),
            ("r.1", "a b"),
            ("r.aside-1", "c d"),
            ("r.aside-2", "e f"),
            ("r.aside-3", "g"),
        ],
    );
    check(
        two,
        &["+a", "save", "+b", "+c d", "+e", "back", "+x", "+y"],
        &[("r", "x y"), ("r.1", "a"), ("r.aside-1", "b"), ("r.aside-2", "c d"), ("r.aside-3", "e")],
    );
    // All of it is delivered again.
    check(
        two,
        &["+a b", "save", "+c d", "+e f", "+g", "back", "+c d e", "+f g h", "restart", "+i"],
        &[("r", "i"), ("r.1", "a b"), ("r.2", "c d"), ("r.3", "e f"), ("r.4", "g h")],
    );
}

#[test]
fn a_batch_that_the_store_does_not_know_of_is_gone_on_with() {
    for batches in [&["+b c"][..], &["+b", "+c"], &["+b c d"], &["restart", "+b", "restart", "+c"]]
    {
        let steps = [&["+a", "?b c", "restart"], batches, &["+e"]].concat();
        let all = if batches[0].ends_with('d') { "a b c d e" } else { "a b c e" };
        check(None, &steps, &[("r", all)]);
    }
}

#[test]
fn a_file_that_is_moved_away_before_a_kill_does_not_stop_the_sink() {
    // Between two batches, the second of which the store does not know of.
    check(None, &["+a", "mv r old", "?b", "restart", "+b", "+c"], &[("old", "a"), ("r", "b c")]);
    // With a new file in its place, as logrotate makes one.
    check(
        None,
        &["+a", "mv r old", "make r", "?b", "restart", "+b", "+c"],
        &[("old", "a"), ("r", "b c")],
    );
    check(None, &["+a", "mv r old", "make r", "restart", "+b"], &[("old", "a"), ("r", "b")]);
    check(None, &["+a", "mv r old", "make r", "+b", "+c"], &[("old", "a"), ("r", "b c")]);
    // After the batch, to a name that begins alike: it does not come again.
    for name in ["r.1", "r-20260302", "r.old"] {
        let away = format!("mv r {name}");
        check(
            None,
            &["+a", "?b", &away, "restart", "+b", "+c"],
            &[("r", "c"), (name, "a b")].map(|(name, ids)| (name, ids)),
        );
    }
    // To another name it is not found, and comes again.
    check(None, &["+a", "?b", "mv r old", "restart", "+b c"], &[("old", "a b"), ("r", "b c")]);
}

/// All whole lines in a folder.
fn lines(folder: &Path) -> BTreeSet<String> {
    found(folder).into_iter().flat_map(|(_, ids)| named(&ids)).collect()
}

/// Delivers, is killed, put back and moved about at random. Nothing that was ever a whole line is gone at
/// any time; and at the end everything that the store knows of is there once.
#[test]
fn no_line_is_ever_lost() {
    let events = Events::new();
    let line = variate::events::record_json(&events.of(&named("e-1-1"))[0]).len() as u64 + 1;
    for seed in 0..60 {
        let mut random = SmallRng::seed_from_u64(seed);
        let folder = tempfile::tempdir().unwrap();
        let path = folder.path().join("r");
        let most_bytes = random.random_bool(0.5).then(|| line * random.random_range(2..9));
        let new = |state: &str| {
            let mut sink = sink(&path, most_bytes);
            sink.open(state).unwrap_or_else(|error| panic!("{error}, seed {seed}"));
            sink
        };
        // What the store has: ids of records, how many the sink has, the sink's state.
        let mut here = new("");
        let mut store = (Vec::<String>::new(), 0, here.state());
        let (mut saved, mut life) = (store.clone(), 1);
        let mut seen = BTreeSet::new();
        let mut old = Vec::<PathBuf>::new();
        for step in 0..random.random_range(5..40) {
            for _ in 0..random.random_range(0..4) {
                store.0.push(format!("e-{life}-{}", 1 + store.0.len()));
            }
            let through = store.0.len().min(store.1 + random.random_range(1..6));
            let batch = events.of(&store.0[store.1..through]);
            match random.random_range(0..10) {
                0..5 => {
                    deliver(&mut here, &batch);
                    (store.1, store.2) = (through, here.state());
                }
                5..7 => {
                    deliver(&mut here, &batch);
                    drop(here);
                    here = new(&store.2);
                }
                7 => saved = store.clone(),
                8 => {
                    drop(here);
                    store = saved.clone();
                    life += 1;
                    here = new(&store.2);
                }
                _ if path.exists() => {
                    let away = folder.path().join(format!("r-{step}"));
                    fs::rename(&path, &away).unwrap();
                    old.push(away);
                }
                _ => {}
            }
            let now = lines(folder.path());
            assert!(seen.is_subset(&now), "seed {seed}, step {step}: lost {:?}", &seen - &now);
            seen = now;
        }
        // What does not come next is moved aside when something else comes.
        store.0.push("e-0-0".into());
        for batch in store.0[store.1..].chunks(3) {
            deliver(&mut here, &events.of(batch));
        }
        let known: BTreeSet<_> = store.0.iter().cloned().collect();
        let is_ours = |name: &str| !name.contains("aside") && !name.contains('-');
        let mut ours: Vec<String> = Vec::new();
        for (_, ids) in found(folder.path()).into_iter().filter(|(name, _)| is_ours(name)) {
            ours.extend(named(&ids));
        }
        let distinct: BTreeSet<_> = ours.iter().cloned().collect();
        assert_eq!(ours.len(), distinct.len(), "seed {seed}: twice in {:?}", found(folder.path()));
        assert!(distinct.is_subset(&known), "seed {seed}: {:?}", &distinct - &known);
        assert!(known.is_subset(&lines(folder.path())), "seed {seed}");
    }
}

#[test]
fn two_sinks_do_not_write_to_one_file() {
    let folder = tempfile::tempdir().unwrap();
    let path = folder.path().join("r");
    let link = folder.path().join("l");
    let world = world();
    let error = Delivery::start(
        world.store.clone(),
        vec![Box::new(sink(&path, None)), Box::new(sink(&path, None))],
    )
    .unwrap_err();
    let expect = format!("the file sink's {} is written to by another sink", path.display());
    assert!(error.to_string().starts_with(&expect), "{error}");
    let delivery = world.deliver(vec![Box::new(sink(&path, None))]);
    std::os::unix::fs::symlink(&path, &link).unwrap();
    for path in [&path, &link] {
        let error = sink(path, None).open("").unwrap_err();
        assert!(error.is_file() && error.to_string().contains("another sink"), "{error}");
    }
    drop(delivery);
    sink(&link, None).open("").unwrap();
}

#[test]
fn what_was_found_is_said() {
    let folder = tempfile::tempdir().unwrap();
    let (path, events) = (folder.path().join("r"), Events::new());
    let said = |sink: &mut FileSink| {
        let said = sink.warning().unwrap_or_default();
        assert_eq!(sink.warning(), None, "once");
        said.replace(&path.display().to_string(), "PATH")
    };
    let new = |state: &str| {
        let mut sink = sink(&path, None);
        sink.open(state).unwrap();
        sink
    };
    let mut first = new("");
    deliver(&mut first, &events.of(&named("a")));
    let state = first.state();
    deliver(&mut first, &events.of(&named("b c")));
    assert_eq!(said(&mut first), "");
    drop(first);
    let mut second = new(&state);
    deliver(&mut second, &events.of(&named("d")));
    assert_eq!(
        said(&mut second),
        "the file sink's PATH had 2 lines that the store does not know of, as when it was put back from an older back-up: they are in PATH.aside-1 now; look whether they are missed elsewhere"
    );
    // Moved away while it is in use, it is nothing to be told of.
    fs::rename(&path, folder.path().join("old")).unwrap();
    deliver(&mut second, &events.of(&named("e")));
    assert_eq!(said(&mut second), "");
    let state = second.state();
    drop(second);
    fs::rename(&path, folder.path().join("r-1")).unwrap();
    assert_eq!(
        said(&mut new(&state)),
        "the file sink's PATH was moved away, to PATH-1; a new one is begun"
    );
    fs::rename(folder.path().join("r-1"), folder.path().join("old")).unwrap();
    assert_eq!(
        said(&mut new(&state)),
        "the file sink's PATH was moved away, and is not found beside it; a new one is begun, and a last batch that the store does not know of may be in both"
    );
}

/// The ids of users who were activated, in the order of a file.
#[cfg(feature = "durable")]
fn users(path: &Path) -> String {
    let text = fs::read_to_string(path).unwrap_or_default();
    let user = |line: &str| {
        let record: serde_json::Value = serde_json::from_str(line).unwrap();
        record["userId"].as_str().unwrap().to_owned()
    };
    text.lines().map(user).collect::<Vec<_>>().join(" ")
}

/// A day of a service: its store from a folder, its records to a file.
#[cfg(feature = "durable")]
fn day(store: &Path, path: &Path, activated: &str) -> variate::events::SinkStatistics {
    let builder = variate::Client::builder().datafile(world().datafile).store(store);
    let client = builder.sink(sink(path, None)).build().unwrap();
    for user in activated.split_whitespace() {
        client.user(user).activate("plain").receipt.wait().unwrap();
    }
    client.drain(super::world::LONG).unwrap();
    client.statistics().sinks.remove(0)
}

#[cfg(feature = "durable")]
fn copy_folder(from: &Path, to: &Path) {
    fs::create_dir_all(to).unwrap();
    for entry in fs::read_dir(from).unwrap() {
        let (path, name) = {
            let entry = entry.unwrap();
            (entry.path(), entry.file_name())
        };
        if path.is_dir() {
            copy_folder(&path, &to.join(name));
        } else {
            fs::copy(&path, to.join(name)).unwrap();
        }
    }
}

#[cfg(feature = "durable")]
#[test]
fn a_store_is_put_back_from_last_nights_back_up() {
    let folder = tempfile::tempdir().unwrap();
    let at = |name: &str| folder.path().join(name);
    let (store, path) = (at("store"), at("records.ndjson"));
    day(&store, &path, "anna bo");
    copy_folder(&store, &at("back-up"));
    let statistics = day(&store, &path, "carl dora");
    assert_eq!(statistics.last_warning, None);
    fs::remove_dir_all(&store).unwrap();
    copy_folder(&at("back-up"), &store);
    let statistics = day(&store, &path, "eva");
    assert_eq!(users(&path), "anna bo eva");
    assert_eq!(users(&at("records.ndjson.aside-1")), "carl dora");
    let said = statistics.last_warning.unwrap();
    assert!(said.contains("had 2 lines that the store does not know of"), "{said}");
    assert_eq!((statistics.last_error, statistics.waiting), (None, 0));
}
