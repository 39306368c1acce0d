//! Damage anywhere: one byte is another, a file is cut, emptied or gone. The store opens, or refuses and says
//! where it is broken and what to do; it never panics or hangs, and what it lost, `verify` says.

#![expect(
    clippy::disallowed_methods,
    clippy::print_stdout,
    reason = "the environment says how many copies are made; the summary is for who asked for it"
)]

use std::collections::BTreeMap;
use std::fs;
use std::path::{Path, PathBuf};
use std::sync::mpsc::channel;
use std::sync::{Arc, LazyLock};
use std::time::Duration;

use rand::rngs::StdRng;
use rand::{RngExt, SeedableRng};

use super::disk::{Content, Picture, commit_ends, is_journal, lay_out, picture};
use super::history::{History, Round};
use super::seen::{Seen, Told, look};

/// How many times as many copies as usual are made.
const DAMAGES: &str = "VARIATE_DAMAGES";
/// Nothing takes so long but what never ends.
const PATIENCE: Duration = Duration::from_secs(120);

/// A store that is closed, and all that can be seen in it.
struct Sound {
    picture: Picture,
    seen: Seen,
    now_ms: i64,
    /// Where the last commit begins in the newest journal, which cannot be told from one that was never
    /// finished.
    last_commit: (PathBuf, usize),
}

static SOUND: LazyLock<Sound> = LazyLock::new(|| {
    static PADDING: LazyLock<String> = LazyLock::new(|| "0123456789abcdef".repeat(2500));
    let home = tempfile::tempdir().unwrap();
    let folder = home.path().join("store");
    let mut history = History::begin(&folder, 0);
    for round in 0..3 {
        if round == 2 {
            history.sleep_until_tomorrow();
        }
        history.round(Round { calls: 60, padding: Some(&PADDING), steps: 8 }, round);
    }
    let now_ms = history.clock.now_ms();
    let ids: Vec<String> = history.truth.acknowledged.iter().cloned().collect();
    drop(history);
    let mut picture = picture(&folder);
    for content in picture.values_mut() {
        // The engine makes 64 MiB ready; fewer do as well.
        content.length = content.length.min(content.bytes.len() as u64 + 100_000);
    }
    let tables = picture.keys().filter(|path| path.parent().unwrap().ends_with("tables")).count();
    assert!(tables > 5, "{tables} tables are few");
    let newest = picture.keys().rfind(|path| is_journal(path)).unwrap().clone();
    let ends = commit_ends(&picture[&newest].bytes, 0);
    let last_commit = (newest, ends[ends.len() - 2]);
    lay_out(&picture, &home.path().join("copy"));
    let Told::Opened(seen) = look(&home.path().join("copy"), &ids, now_ms) else {
        panic!("it is sound")
    };
    assert!(seen.rows.len() > 50 && seen.letters.as_ref().unwrap().len() > 2, "{seen:?}");
    Sound { picture, seen: *seen, now_ms, last_commit }
});

/// What was seen, by words for it.
type Tally = BTreeMap<&'static str, u64>;

/// Lays the store out, damages it, and looks at it; gives a word for what happened. Where `may_go_back`, a
/// store that is what it was some commits before is right as well.
fn check(name: &str, may_go_back: bool, damage: impl FnOnce(&Path)) -> &'static str {
    let sound = &*SOUND;
    let home = tempfile::tempdir().unwrap();
    let [opened, verified] = ["opened", "verified"].map(|name| home.path().join(name));
    lay_out(&sound.picture, &opened);
    damage(&opened);
    copy(&opened, &verified);
    let told = within_time(name, {
        let (opened, ids) = (opened.clone(), sound.seen.ids());
        move || look(&opened, &ids, sound.now_ms)
    });
    let found = within_time(name, {
        let verified = verified.clone();
        move || variate::store::verify(verified, &mut |_, _| {})
    });
    let faults = match &found {
        Ok(found) if found.is_sound() => None,
        Ok(found) => Some(found.faults.iter().map(|fault| fault.text.clone()).collect()),
        Err(error) => {
            assert_helps(name, &error.to_string(), &verified);
            Some(error.to_string())
        }
    };
    match told {
        Told::Refused(said) => {
            assert_helps(name, &said, &opened);
            assert!(faults.is_some(), "{name}: refused ({said}), and sound by verify");
            "refused"
        }
        Told::Opened(seen) if *seen == sound.seen => "opened, with everything",
        Told::Opened(seen) if may_go_back && seen.is_prefix_of(&sound.seen) => {
            "opened, as it was before"
        }
        Told::Opened(seen) => {
            let lacks = seen.lacks(&sound.seen);
            let said = faults.unwrap_or_else(|| panic!("{name}: {lacks} in silence"));
            assert!(said.len() > 10, "{name}: {lacks}, and verify says only {said:?}");
            "opened, and verify says what is lost"
        }
    }
}

/// Place and remedy.
fn assert_helps(name: &str, said: &str, folder: &Path) {
    assert!(said.contains(folder.to_str().unwrap()), "{name}: no place in {said:?}");
    let remedies = ["restore the store", "move it away", "check that", "give "];
    assert!(remedies.iter().any(|remedy| said.contains(remedy)), "{name}: no remedy in {said:?}");
    assert!(!said.contains("panicked"), "{name}: {said}");
}

fn within_time<T: Send + 'static>(name: &str, work: impl FnOnce() -> T + Send + 'static) -> T {
    let (sender, done) = channel();
    let worker = std::thread::spawn(move || drop(sender.send(work())));
    match done.recv_timeout(PATIENCE) {
        Ok(done) => done,
        Err(_) if worker.is_finished() => panic!("{name}: it panics"),
        Err(_) => panic!("{name}: it hangs"),
    }
}

fn copy(from: &Path, to: &Path) {
    fs::create_dir_all(to).unwrap();
    for entry in fs::read_dir(from).unwrap() {
        let entry = entry.unwrap();
        let to = to.join(entry.file_name());
        if entry.file_type().unwrap().is_dir() {
            copy(&entry.path(), &to);
        } else {
            fs::copy(entry.path(), to).unwrap();
        }
    }
}

fn times() -> usize {
    std::env::var(DAMAGES).map_or(1, |times| times.parse().expect(DAMAGES))
}

/// Files by what is in them, so that those of which there are many do not get all of the damage.
fn kind(path: &Path) -> &'static str {
    match path.file_name().unwrap().to_str().unwrap() {
        _ if is_journal(path) => "journal",
        _ if path.parent().unwrap().ends_with("tables") => "table",
        "current" => "current",
        name if name.starts_with('v') && path.starts_with("keyspaces") => "manifest",
        _ => "other",
    }
}

fn files(wanted: &str) -> Vec<&'static PathBuf> {
    SOUND.picture.keys().filter(|path| kind(path) == wanted).collect()
}

fn say(what: &str, tally: &Tally) {
    println!("{what}: {tally:?}");
}

#[test]
fn one_byte_is_another() {
    let mut random = StdRng::seed_from_u64(11);
    let mut tally = Tally::new();
    for (wanted, many) in
        [("journal", 10), ("table", 12), ("manifest", 4), ("current", 3), ("other", 3)]
    {
        for _ in 0..many * times() {
            let files = files(wanted);
            let path = files[random.random_range(0..files.len())];
            let content = &SOUND.picture[path];
            if content.bytes.is_empty() {
                continue;
            }
            let at = random.random_range(0..content.bytes.len());
            let bit = 1_u8 << random.random_range(0..8);
            let name = format!("{} byte {at} bit {bit}", path.display());
            let may_go_back = *path == SOUND.last_commit.0 && at >= SOUND.last_commit.1;
            let seen = check(&name, may_go_back, |folder| {
                let mut bytes = content.bytes.to_vec();
                bytes[at] ^= bit;
                rewrite(folder, path, &Content { bytes: Arc::new(bytes), length: content.length });
            });
            *tally.entry(seen).or_default() += 1;
        }
    }
    say("one byte is another", &tally);
    assert!(tally["refused"] > 0, "{tally:?}");
}

#[test]
fn a_file_is_cut_or_gone() {
    let mut random = StdRng::seed_from_u64(12);
    let mut tally = Tally::new();
    for (wanted, many) in
        [("journal", 3), ("table", 5), ("manifest", 3), ("current", 3), ("other", 5)]
    {
        for number in 0..many * times() {
            let files = files(wanted);
            let path = files[random.random_range(0..files.len())];
            let content = &SOUND.picture[path];
            let kept = random.random_range(0..=content.bytes.len());
            let kept = [0, kept, content.bytes.len()][number % 3];
            let is_gone = kept == content.bytes.len();
            let name = format!("{} cut to {kept} bytes, or gone: {is_gone}", path.display());
            // The newest journal, cut short, is one of a store from before: no file says otherwise.
            let may_go_back = *path == SOUND.last_commit.0 && !is_gone && kept > 0;
            let seen = check(&name, may_go_back, |folder| match is_gone {
                true => fs::remove_file(folder.join(path)).unwrap(),
                false => rewrite(folder, path, &Content::of(content.bytes[..kept].to_vec())),
            });
            *tally.entry(seen).or_default() += 1;
        }
    }
    say("a file is cut or gone", &tally);
    assert!(tally["refused"] > 0, "{tally:?}");
}

#[test]
fn folders_are_gone_or_strange() {
    let mut tally = Tally::new();
    let mut count = |seen| *tally.entry(seen).or_default() += 1;
    for part in ["keyspaces", "keyspaces/0", "keyspaces/3", "keyspaces/4/tables"] {
        count(check(part, false, |folder| fs::remove_dir_all(folder.join(part)).unwrap()));
    }
    // On these the engine panics twice, which would end the process.
    let strange =
        |path: &'static str| move |folder: &Path| fs::create_dir(folder.join(path)).unwrap();
    count(check("a strange part", false, strange("keyspaces/old")));
    count(check("a folder as journal", false, strange("7.jnl")));
    count(check("a folder as table", false, strange("keyspaces/4/tables/900")));
    count(check("a strange journal", false, |folder| {
        fs::write(folder.join("a.jnl"), "x").unwrap()
    }));
    count(check("a strange table", false, |folder| {
        fs::write(folder.join("keyspaces/4/tables/x"), "x").unwrap()
    }));
    say("folders are gone or strange", &tally);
}

fn rewrite(folder: &Path, path: &Path, content: &Content) {
    let one = Picture::from([(path.to_path_buf(), content.clone())]);
    lay_out(&one, folder);
}
