//! What mending does with one journal: cuts the torn end, and refuses damage before it.

use std::fs;
use std::path::Path;
use std::sync::LazyLock;
use std::time::Duration;

use super::disk::{Picture, lay_out, picture};
use super::history::{History, Round};
use super::world::{Found, World, restart};

const COMMITS: u64 = 20;
/// The engine makes 64 MiB ready; fewer do as well.
const ZEROES_BEHIND: usize = 300_000;

/// Where the commits of the journal start, and where the last one ends.
fn starts(journal: &[u8]) -> Vec<usize> {
    let start = |at: usize| journal[at] == 1 && journal[at + 13] == 2 && journal[at + 1] == 12;
    let end = journal.windows(4).rposition(|end| end == b"FJL\x03").unwrap() + 4;
    let mut starts: Vec<usize> = Vec::new();
    for at in 0..end {
        let is_first = at == 0 || journal[..at].ends_with(b"FJL\x03");
        if is_first && start(at) {
            starts.push(at);
        }
    }
    starts.push(end);
    starts
}

/// Lays out a store whose one journal holds the commits; gives its bytes and where they start.
fn twenty_commits(folder: &Path) -> (Vec<u8>, Vec<usize>) {
    static MADE: LazyLock<Picture> = LazyLock::new(|| {
        let home = tempfile::tempdir().unwrap();
        let world = World::open(home.path(), 64 << 20, 100).unwrap();
        (0..COMMITS).for_each(|commit| world.commit(commit));
        drop(world);
        picture(home.path())
    });
    lay_out(&MADE, folder);
    let journal = MADE[Path::new("0.jnl")].bytes.to_vec();
    let starts = starts(&journal);
    (journal, starts)
}

/// `edit` gets the journal's bytes and the starts of its commits; `expect` is `commits N cut` (`cut` being
/// whether something was cut), or words of the refusal.
fn check(edit: impl Fn(&mut Vec<u8>, &[usize]), expect: &str) {
    let home = tempfile::tempdir().unwrap();
    let (mut journal, starts) = twenty_commits(home.path());
    let path = home.path().join("0.jnl");
    journal.resize(starts[starts.len() - 1] + ZEROES_BEHIND, 0);
    assert_eq!(starts.len() as u64, COMMITS + 1);
    edit(&mut journal, &starts);
    fs::write(&path, &journal).unwrap();

    let said = match restart(home.path(), COMMITS + 1, 100) {
        Ok((Found::Commits(commits), cut)) => {
            format!("commits {commits}{}", if cut > 0 { " cut" } else { "" })
        }
        Ok((wrong, _)) => format!("{wrong:?}"),
        Err(error) => {
            assert_eq!(fs::read(&path).unwrap(), journal, "a refusal changes nothing");
            error
        }
    };
    assert!(said.contains(expect), "said {said:?}, expected {expect:?}");
    if expect.starts_with("commits") {
        assert_eq!(said, expect);
        goes_on(home.path());
    }
}

/// A mended store takes commits again, and keeps them.
fn goes_on(folder: &Path) {
    let world = World::open(folder, 64 << 20, 100).unwrap();
    let Found::Commits(commits) = world.found(COMMITS + 1).unwrap() else { panic!("wrong") };
    world.commit(commits);
    drop(world);
    assert_eq!(restart(folder, COMMITS + 2, 100).unwrap(), (Found::Commits(commits + 1), 0));
}

#[test]
fn whole_journals() {
    check(|_, _| {}, "commits 20");
    check(|journal, starts| journal.truncate(starts[20]), "commits 20");
    check(|journal, starts| journal.truncate(starts[20] + 7), "commits 20");
}

#[test]
fn torn_ends_are_cut() {
    for kept in [1, 5, 13, 14, 30, 60, 200] {
        check(|journal, starts| journal.truncate(starts[19] + kept), "commits 19 cut");
        check(|journal, starts| journal[starts[19] + kept..].fill(0), "commits 19 cut");
        check(
            |journal, starts| journal[starts[19] + kept..starts[20]].fill(0xEE),
            "commits 19 cut",
        );
        check(|journal, starts| journal[starts[19]..starts[19] + kept].fill(0), "commits 19 cut");
    }
    check(|journal, starts| journal[starts[20] - 1] = 0, "commits 19 cut");
    // The engine would make room for 4 GiB.
    check(|journal, starts| journal[starts[19] + 27..starts[19] + 34].fill(0xFF), "commits 19 cut");
    check(|journal, starts| journal[starts[20] + 9000] = 1, "commits 20 cut");
    check(|journal, starts| journal[starts[19]..].fill(1), "commits 19 cut");
}

#[test]
fn damage_before_the_end_is_refused() {
    let byte =
        |at: usize| move |journal: &mut Vec<u8>, starts: &[usize]| journal[starts[7] + at] ^= 0x5A;
    for at in [0, 1, 13, 14, 15, 20, 24, 26, 30, 34, 60, 300] {
        check(byte(at), "0.jnl is damaged at byte");
    }
    check(|journal, starts| journal[starts[7]..starts[8]].fill(0), "no commit, and commits behind");
    check(
        |journal, starts| journal[starts[1]..starts[19]].fill(0),
        "no commit, and commits behind",
    );
    check(|journal, starts| drop(journal.drain(starts[4]..starts[4] + 9)), "is damaged at byte");
    check(|journal, _| journal[0] = 9, "damaged at byte 0 ");
}

#[test]
fn numbers_that_no_checksum_covers_are_refused() {
    check(|journal, starts| journal[starts[7] + 5] ^= 0x40, "out of order");
    check(|journal, starts| journal[starts[7] + 12] ^= 0x80, "out of order");
    check(|journal, starts| journal[starts[19] + 12] ^= 0x80, "out of order");
    check(
        |journal, starts| {
            let again = journal[starts[3]..starts[4]].to_vec();
            journal[starts[20]..starts[20] + again.len()].copy_from_slice(&again);
        },
        "out of order",
    );
}

#[test]
fn a_torn_end_with_a_later_journal_behind_it() {
    let home = tempfile::tempdir().unwrap();
    let (journal, starts) = twenty_commits(home.path());
    let path = home.path().join("0.jnl");
    fs::write(&path, &journal[..starts[10] + 50]).unwrap();
    fs::write(home.path().join("1.jnl"), &journal[starts[11]..]).unwrap();
    let error = variate::store::mend(home.path()).unwrap_err();
    assert!(error.is_damaged_store());
    assert!(
        error.to_string().contains(&format!("0.jnl is damaged at byte {}", starts[10])),
        "{error}"
    );
    let found = variate::store::inspect(home.path()).unwrap();
    assert_eq!((found.commits, found.damages.len(), found.torn_bytes), (19, 1, 0));

    let (first, third) = (home.path().join("1.jnl"), home.path().join("3.jnl"));
    fs::rename(&first, &third).unwrap();
    let found = variate::store::inspect(home.path()).unwrap();
    assert!(found.damages[0].to_string().contains("a journal is missing"), "{found:?}");
    fs::rename(&third, &first).unwrap();

    // Made ready for the next commit, and never written: the disk was full.
    fs::write(home.path().join("1.jnl"), [0; 5000]).unwrap();
    assert_eq!(variate::store::inspect(home.path()).unwrap().torn_bytes, 50);
    assert_eq!(restart(home.path(), COMMITS, 100).unwrap(), (Found::Commits(10), 50));
}

#[test]
fn a_store_in_use_is_left_alone() {
    let home = tempfile::tempdir().unwrap();
    let world = World::open(home.path(), 64 << 20, 100).unwrap();
    world.commit(0);
    assert!(variate::store::mend(home.path()).unwrap_err().is_store_in_use());
    assert!(variate::store::inspect(home.path()).unwrap_err().is_store_in_use());
    drop(world);
    assert_eq!(restart(home.path(), 2, 100).unwrap(), (Found::Commits(1), 0));
}

#[test]
fn a_folder_that_holds_no_store_yet() {
    let home = tempfile::tempdir().unwrap();
    let at = |name: &str| home.path().join(name);
    assert_eq!(restart(&at("new"), 1, 100).unwrap(), (Found::Commits(0), 0));
    // The engine was stopped while it made its folder, before and within its mark.
    for mark in [None, Some(""), Some("FJ")] {
        let folder = at(&format!("unfinished{mark:?}"));
        fs::create_dir_all(folder.join("keyspaces")).unwrap();
        fs::write(folder.join("lock"), "").unwrap();
        fs::write(folder.join("0.jnl"), [0; 100]).unwrap();
        if let Some(mark) = mark {
            fs::write(folder.join("version"), mark).unwrap();
        }
        assert_eq!(restart(&folder, 1, 100).unwrap(), (Found::Commits(0), 0));
    }
}

/// Whether the store's folder is sound after `edit`, which gets it with many tables and the name of what
/// holds its second keyspace.
fn is_sound(edit: impl Fn(&Path, &Path)) -> bool {
    let home = tempfile::tempdir().unwrap();
    let world = World::open(home.path(), 25_000, 200).unwrap();
    (0..3 * COMMITS).for_each(|commit| world.commit(commit));
    // Tables are written in the background.
    while fs::read_dir(home.path().join("keyspaces/2/tables")).unwrap().next().is_none() {
        std::thread::sleep(Duration::from_millis(1));
    }
    drop(world);
    let second = home.path().join("keyspaces/2");
    edit(home.path(), &second);
    let found = variate::store::inspect(home.path()).unwrap();
    let is_sound = found.damages.is_empty();
    assert_eq!(restart(home.path(), 3 * COMMITS, 200).is_ok(), is_sound, "{found:?}");
    is_sound
}

#[test]
fn a_part_that_is_lost_and_one_that_was_dropped() {
    let note = |home: &Path, text: &[u8]| fs::write(home.join("dropped"), text).unwrap();
    let half = |second: &Path| fs::remove_file(second.join("current")).unwrap();
    let all = |second: &Path| fs::remove_dir_all(second).unwrap();
    assert!(is_sound(|_, _| {}));
    assert!(!is_sound(|_, second| half(second)));
    assert!(!is_sound(|_, second| all(second)));
    assert!(is_sound(|home, second| (note(home, b"\n2\n"), half(second)).1));
    assert!(is_sound(|home, second| (note(home, b"\n2\n"), all(second)).1));
    // There was another one with this number before, and it is not what is missing.
    assert!(!is_sound(|home, second| (note(home, b"\n2\n\nmade 2\n"), all(second)).1));
    assert!(is_sound(|home, second| (note(home, b"\n2\n\nmade 2\n\n2\n"), all(second)).1));
    // Notes that were torn say nothing.
    assert!(!is_sound(|home, second| (note(home, b"\n2"), all(second)).1));
    assert!(is_sound(|home, second| (note(home, b"\n2\n\nma\xff\xc0\n"), all(second)).1));
}

/// The first day's ids have the number 9. A day that is over makes room for a new one with its number.
#[test]
fn a_number_that_is_given_again_is_noted() {
    let home = tempfile::tempdir().unwrap();
    let open = |day| History::begin(home.path(), day);
    drop(open(0));
    fs::write(home.path().join("dropped"), "\n9\n\n11\n").unwrap();
    open(0).round(Round { calls: 1, padding: None, steps: 0 }, 0);
    assert!(home.path().join("keyspaces/9").exists());
    let noted = fs::read_to_string(home.path().join("dropped")).unwrap();
    assert_eq!(noted, "\n9\n\n11\n\nmade 9\n");
    // Stopped between the two: it is noted when the store is opened.
    fs::write(home.path().join("dropped"), "\n9\n").unwrap();
    drop(open(0));
    let noted = fs::read_to_string(home.path().join("dropped")).unwrap();
    assert_eq!(noted, "\n9\n\nmade 9\n");
    // A part that earlier versions had not: in their stores its number may have been a day's.
    fs::write(home.path().join("dropped"), "\n7\n\n8\n").unwrap();
    drop(open(0));
    let noted = fs::read_to_string(home.path().join("dropped")).unwrap();
    assert_eq!(noted, "\n7\n\n8\n\nmade 7\n\nmade 8\n");
}
