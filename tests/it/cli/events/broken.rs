//! Stores that are broken on purpose: each fault is found, and damaged ones are left as they are.

use std::fs;
use std::path::{Path, PathBuf};
use std::sync::Arc;
use std::time::Duration;

use fjall::{Database, Keyspace, KeyspaceCreateOptions, PersistMode};
use rand::rngs::StdRng;
use rand::{RngExt as _, SeedableRng as _};
use serde_json::Value;
use variate::clock::Clock;
use variate::store::{DurableSettings, DurableStore};

use super::{USES, delivered, events, morning, transcript};
use crate::cli::without_folder;

/// What stands in a store, as the engine sees it.
struct Inside {
    database: Database,
}

impl Inside {
    fn space(&self, name: &str) -> Keyspace {
        self.database.keyspace(name, KeyspaceCreateOptions::default).unwrap()
    }

    fn set(&self, space: &str, key: &[u8], value: &[u8]) {
        self.space(space).insert(key, value).unwrap();
    }

    fn remove(&self, space: &str, key: &[u8]) {
        self.space(space).remove(key).unwrap();
    }

    /// The keyspace of ids, and the first of them.
    fn first_id(&self) -> (String, Vec<u8>) {
        let names = self.database.list_keyspace_names();
        let name = names.iter().find(|name| name.starts_with("ids-")).unwrap().to_string();
        let key = self.space(&name).first_key_value().unwrap().key().unwrap().to_vec();
        (name, key)
    }

    fn row_of(user: &str) -> Vec<u8> {
        [&0_u32.to_be_bytes(), user.as_bytes()].concat()
    }
}

fn edit(folder: &Path, change: impl FnOnce(&Inside)) {
    let inside = Inside { database: Database::builder(folder).open().unwrap() };
    change(&inside);
    inside.database.persist(PersistMode::SyncAll).unwrap();
}

fn number(number: u64) -> [u8; 8] {
    number.to_be_bytes()
}

/// Breaks a store; gives what `verify` says of it.
fn verified(change: impl FnOnce(&Inside)) -> String {
    let folder = delivered();
    edit(folder.path(), change);
    let (text, said, exit_code) = events(folder.path(), &["verify"]);
    assert_eq!((said.as_str(), exit_code), ("", 1), "{text}");
    let json = events(folder.path(), &["verify", "--format", "json"]).0;
    let json: Value = serde_json::from_str(&json).unwrap();
    assert_eq!(json["isSound"], false);
    for fault in json["faults"].as_array().unwrap() {
        let line =
            format!("{}: {}", fault["kind"].as_str().unwrap(), fault["text"].as_str().unwrap());
        assert!(text.contains(&line), "{line} in {text}");
    }
    // How many commits are in the journals is the engine's affair.
    let (_, told) = text.split_once("; ").unwrap();
    without_folder(told, folder.path())
}

/// What is done to a store, in words and as it is done.
type Change<'c> = (&'c str, &'c dyn Fn(&Inside));

#[test]
fn each_fault_is_found() {
    let changes: &[Change<'_>] = &[
        ("a record is missing", &|inside| inside.remove("outbox", &number(2))),
        ("the latest records are missing", &|inside| {
            inside.remove("outbox", &number(4));
            inside.remove("outbox", &number(5));
        }),
        ("all records are missing", &|inside| {
            (1..=5).for_each(|record| inside.remove("outbox", &number(record)));
        }),
        ("a record too many", &|inside| {
            let record = inside.space("outbox").get(number(5)).unwrap().unwrap();
            inside.set("outbox", &number(7), &record);
        }),
        ("a record of an event is another's", &|inside| {
            let record = inside.space("outbox").get(number(3)).unwrap().unwrap();
            inside.set("outbox", &number(4), &record);
        }),
        ("a record is garbled", &|inside| inside.set("outbox", &number(3), b"\x01garbled")),
        ("a record of a later layout", &|inside| inside.set("outbox", &number(5), b"\x02")),
        ("the totals are garbled", &|inside| inside.set("meta", b"totals", b"\x01")),
        ("the totals are missing", &|inside| inside.remove("meta", b"totals")),
        ("the format is missing", &|inside| inside.remove("meta", b"format")),
        ("a name is missing", &|inside| inside.remove("names", b"s\0\0\0\x01")),
        ("a datafile is garbled", &|inside| inside.set("datafiles", b":production", b"\x01\xff")),
        ("a row is garbled", &|inside| inside.set("rows", &Inside::row_of("anna"), b"\x01\xff")),
        ("a row is missing", &|inside| inside.remove("rows", &Inside::row_of("b"))),
        ("a row of no environment", &|inside| {
            inside.set("rows", b"\0\0\0\x09anna", b"\x01\0\0\0");
        }),
        ("an id is garbled", &|inside| {
            let (space, key) = inside.first_id();
            inside.set(&space, &key, b"soon");
        }),
        ("an id in the wrong day", &|inside| {
            let (space, key) = inside.first_id();
            inside.set(&space, &key, &number(5));
        }),
        ("a dead letter is garbled", &|inside| inside.set("dead", &number(1), b"\x01\x05")),
        ("a dead letter is missing", &|inside| inside.remove("dead", &number(2))),
        ("a sink's place is garbled", &|inside| inside.set("meta", b"cursor:file", b"\x01")),
        ("a sink is beyond the latest", &|inside| {
            inside.set("meta", b"cursor:file", b"\x01\x63\0\0")
        }),
        ("a dead letter is asked for again that is not there", &|inside| {
            inside.set("meta", b"retried:webhook\xff\0\0\0\0\0\0\0\x09", b"");
        }),
        ("more is released than there is", &|inside| inside.set("meta", b"released", &number(99))),
    ];
    let mut text = String::new();
    for (name, change) in changes {
        text += &format!("# {name}\n{}\n", verified(change));
    }
    insta::assert_snapshot!(text);
}

/// Old records are taken away in time, so that only the totals tell those that were not.
#[test]
fn the_oldest_record_is_missed() {
    let told = |folder: &Path| {
        edit(folder, |inside| inside.remove("outbox", &number(1)));
        let (text, _, exit_code) = events(folder, &["verify"]);
        assert_eq!(exit_code, 1, "{text}");
        assert!(text.contains("\ntotals: bytes of records: "), "{text}");
        text.contains("\nmissing-records: record 1 is missing\n")
    };
    assert!(told(morning().path()));
    assert!(!told(delivered().path()));
}

#[test]
fn what_was_taken_away_for_room_is_no_fault() {
    let folder = delivered();
    edit(folder.path(), |inside| inside.set("meta", b"cursor:old", b"\x01\0\0\0"));
    let settings =
        DurableSettings { reserved_bytes: 0, budget_bytes: 0, ..DurableSettings::default() };
    let clock = Arc::new(Clock::manual(1_772_446_000_000));
    let store = DurableStore::open(folder.path(), clock, settings).unwrap();
    while store.retained().unwrap().oldest < 4 {
        std::thread::sleep(Duration::from_millis(20));
    }
    drop(store);
    insta::assert_snapshot!(transcript(folder.path(), &[&["verify"]]));
}

#[test]
fn what_can_be_read_of_a_damaged_store_is_given() {
    let folder = delivered();
    edit(folder.path(), |inside| inside.set("outbox", &number(3), b"\x01garbled"));
    let left_out =
        "error: left out 1 record that cannot be read: `variate events verify` says which\n";
    let (exported, said, exit_code) = events(folder.path(), &["export"]);
    assert_eq!((exported.lines().count(), said.as_str(), exit_code), (4, left_out, 1));
    for arguments in [&["stats"][..], &["tail"]] {
        let (_, said, exit_code) = events(folder.path(), arguments);
        assert_eq!((said.as_str(), exit_code), (left_out, 1), "{arguments:?}");
    }
}

#[test]
fn a_store_of_a_later_version_is_refused() {
    let folder = delivered();
    edit(folder.path(), |inside| inside.set("meta", b"format", &2_u32.to_be_bytes()));
    for arguments in USES {
        let (answer, _, exit_code) = events(folder.path(), arguments);
        assert_eq!((answer.as_str(), exit_code), ("", 3), "{arguments:?}");
    }
    insta::assert_snapshot!(transcript(folder.path(), &[&["verify"]]));
}

fn journal(folder: &Path) -> PathBuf {
    let mut journals: Vec<_> = fs::read_dir(folder)
        .unwrap()
        .map(|entry| entry.unwrap().path())
        .filter(|path| path.extension().is_some_and(|ending| ending == "jnl"))
        .collect();
    journals.sort();
    journals.pop().unwrap()
}

fn end_of(bytes: &[u8]) -> usize {
    bytes.iter().rposition(|byte| *byte != 0).unwrap() + 1
}

#[test]
fn a_store_that_cannot_be_opened_is_told_from_its_files() {
    let folder = delivered();
    let path = journal(folder.path());
    let mut bytes = fs::read(&path).unwrap();
    let half = end_of(&bytes) / 2;
    bytes[half] ^= 0x40;
    fs::write(&path, &bytes).unwrap();
    for arguments in USES.iter().filter(|arguments| arguments[0] != "verify") {
        let (answer, said, exit_code) = events(folder.path(), arguments);
        assert_eq!((answer.as_str(), exit_code), ("", 3), "{arguments:?} {said}");
        assert!(said.contains("variate events verify"), "{said}");
    }
    let text = transcript(folder.path(), &[&["verify"], &["verify", "--format", "json"]]);
    assert!(fs::read(&path).unwrap() == bytes, "nothing was changed");
    let without_places = |line: &str| {
        let words = line.split(' ');
        let is_number = |word: &str| word.trim_end_matches(':').parse::<u64>().is_ok();
        let words = words.map(|word| if is_number(word) { "N" } else { word });
        words.collect::<Vec<_>>().join(" ")
    };
    let text = text.lines().filter(|line| !line.starts_with('{')).map(without_places);
    insta::assert_snapshot!(text.collect::<Vec<_>>().join("\n"));
}

#[test]
fn lost_files_are_told() {
    let text = ["version", "keyspaces"].map(|name| {
        let folder = delivered();
        let path = folder.path().join(name);
        if path.is_dir() { fs::remove_dir_all(&path) } else { fs::remove_file(&path) }.unwrap();
        let (text, _, exit_code) = events(folder.path(), &["verify"]);
        assert_eq!(exit_code, 1, "{text}");
        let told = without_folder(&text, folder.path());
        told.lines().filter(|line| !line.starts_with("looked")).collect::<Vec<_>>().join("\n")
    });
    let text = text.map(|told| told.split("; the ").next().unwrap().to_owned());
    insta::assert_snapshot!(text.join("\n\n"));
}

#[test]
fn what_was_never_acknowledged_is_cut_off() {
    let folder = delivered();
    let path = journal(folder.path());
    let mut bytes = fs::read(&path).unwrap();
    bytes.truncate(end_of(&bytes));
    bytes.extend(b"\x01half a commit");
    fs::write(&path, &bytes).unwrap();
    let (text, _, exit_code) = events(folder.path(), &["verify"]);
    assert!(text.contains("of a commit that was never acknowledged\nsound"), "{text}");
    assert_eq!(exit_code, 0);
    let (text, _, _) = events(folder.path(), &["verify"]);
    assert!(!text.contains("cut off"), "{text}");
}

/// Every file below a folder.
fn files(folder: &Path) -> Vec<PathBuf> {
    let mut found = Vec::new();
    for entry in fs::read_dir(folder).unwrap() {
        let path = entry.unwrap().path();
        if path.is_dir() { found.extend(files(&path)) } else { found.push(path) }
    }
    found.sort();
    found
}

/// What stands in tables is checked when it is read, which the journals' inspection does not do.
#[test]
fn a_byte_flipped_in_a_table_loses_nothing_in_silence() {
    let folder = delivered();
    let spaces = ["meta", "names", "rows", "outbox", "dead"];
    edit(folder.path(), |inside| {
        spaces.iter().for_each(|space| inside.space(space).rotate_memtable_and_wait().unwrap());
    });
    let is_table = |path: &PathBuf| path.iter().any(|part| part == "tables");
    let tables: Vec<_> = files(folder.path()).into_iter().filter(is_table).collect();
    assert!(tables.len() >= spaces.len(), "{tables:?}");
    let mut random = StdRng::seed_from_u64(5);
    let mut told = 0;
    for path in &tables {
        let sound = fs::read(path).unwrap();
        for _ in 0..8 {
            let at = random.random_range(0..sound.len());
            let mut bytes = sound.clone();
            bytes[at] ^= 1 << random.random_range(0..8);
            fs::write(path, &bytes).unwrap();
            let name = format!("{} byte {at}", path.strip_prefix(folder.path()).unwrap().display());
            let (text, said, exit_code) = events(folder.path(), &["verify"]);
            assert!([0, 1, 3].contains(&exit_code), "{name}: {exit_code} {said}");
            let is_whole = text.contains(
                "5 records (1 to 5), 3 users, 3 activations, 2 pending events, 5 ids, 2 dead letters, 2 sinks",
            );
            assert_eq!(is_whole && exit_code == 0, exit_code == 0, "{name}: {text}");
            told += usize::from(exit_code != 0);
        }
        fs::write(path, &sound).unwrap();
    }
    assert!(told > tables.len(), "only {told} flips were seen");
    assert_eq!(events(folder.path(), &["verify"]).2, 0);
}

/// The engine reads its tables before it opens: a store without one of them is damaged, not unknown.
#[test]
fn a_table_that_is_gone_or_damaged_is_told_as_damage() {
    let tables = |folder: &Path| {
        let tables = folder.join("keyspaces/0/tables");
        let table = fs::read_dir(tables).unwrap().next().unwrap().unwrap();
        table.path()
    };
    let check = |change: &dyn Fn(&Path)| {
        let folder = morning();
        change(&tables(folder.path()));
        let (answer, said, exit_code) = events(folder.path(), &["verify", "--format", "json"]);
        assert_eq!(exit_code, 1, "{said}");
        let answer: Value = serde_json::from_str(&answer).unwrap();
        assert!(answer.to_string().contains("keyspaces"), "{answer}");
        let (_, said, exit_code) = events(folder.path(), &["stats"]);
        assert_eq!(exit_code, 3, "{said}");
    };
    check(&|table| fs::remove_file(table).unwrap());
    check(&|table| fs::write(table, b"").unwrap());
    check(&|table| {
        let mut bytes = fs::read(table).unwrap();
        let last = bytes.len() - 40;
        bytes[last] ^= 1;
        fs::write(table, bytes).unwrap();
    });
}
