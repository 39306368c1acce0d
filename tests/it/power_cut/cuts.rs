//! A power cut at a random moment: what was synced stays, the rest is cut, zeroed or garbled.
//!
//! The order that the engine syncs in is part of the model: tables and manifest before `current`, which
//! is renamed in one step; a commit gets into tables only after it is synced in the journal; a journal
//! goes only after the tables that replace it, and the next one comes only after all of it is synced.

use std::collections::BTreeSet;
use std::path::{Path, PathBuf};

use rand::rngs::StdRng;
use rand::{RngExt, SeedableRng};

use super::disk::{Content, Picture, is_journal, lay_out, picture};
use super::world::{Found, World, restart};

struct Plan {
    seed: u64,
    rounds: u64,
    commits_per_round: u64,
    memtable_bytes: u64,
    value_bytes: usize,
    copies: u64,
    /// The engine goes on to a next one after 64 MB.
    journals_left: u64,
}

#[test]
fn small_commits() {
    check(&Plan {
        seed: 1,
        rounds: 6,
        commits_per_round: 25,
        memtable_bytes: 1 << 20,
        value_bytes: 150,
        copies: 12,
        journals_left: 0,
    });
}

#[test]
fn while_tables_are_written_all_the_time() {
    check(&Plan {
        seed: 2,
        rounds: 6,
        commits_per_round: 12,
        memtable_bytes: 20_000,
        value_bytes: 600,
        copies: 12,
        journals_left: 0,
    });
}

#[test]
fn while_journals_come_and_go() {
    check(&Plan {
        seed: 3,
        rounds: 8,
        commits_per_round: 100,
        memtable_bytes: 6 << 20,
        value_bytes: 30_000,
        copies: 2,
        journals_left: 2,
    });
}

fn check(plan: &Plan) {
    let mut random = StdRng::seed_from_u64(plan.seed);
    let home = tempfile::tempdir().unwrap();
    let folder = home.path().join("store");
    let world = World::open(&folder, plan.memtable_bytes, plan.value_bytes).unwrap();
    let (mut acknowledged, mut cut_bytes) = (0, 0);
    for round in 0..plan.rounds {
        for _ in 0..random.random_range(plan.commits_per_round / 2..=plan.commits_per_round) {
            world.commit(acknowledged);
            acknowledged += 1;
        }
        let synced = picture(&folder);
        world.commit(acknowledged);
        let later = picture(&folder);
        for copy in 0..plan.copies {
            let cut = Cut { synced: &synced, later: &later }.draw(&mut random);
            let place = home.path().join(format!("copy-{round}-{copy}"));
            lay_out(&cut, &place);
            let limit = acknowledged + 1;
            let (found, cut) = restart(&place, limit, plan.value_bytes).unwrap_or_else(|error| {
                panic!("seed {} round {round} copy {copy}: {error}", plan.seed)
            });
            cut_bytes += cut;
            let is_right =
                [Found::Commits(acknowledged), Found::Commits(acknowledged + 1)].contains(&found);
            assert!(
                is_right,
                "seed {} round {round} copy {copy}: {found:?} of {acknowledged}",
                plan.seed
            );
            std::fs::remove_dir_all(place).unwrap();
        }
        acknowledged += 1;
    }
    assert!(cut_bytes > 0, "nothing was torn: this tests nothing");
    let journals = picture(&folder).into_keys().filter(|path| is_journal(path));
    let newest = journals.map(|path| number(&path)).max().unwrap();
    assert!(newest >= plan.journals_left, "journals do not come and go: the newest is {newest}");
}

struct Cut<'a> {
    synced: &'a Picture,
    later: &'a Picture,
}

impl Cut<'_> {
    fn draw(&self, random: &mut StdRng) -> Picture {
        let mut cut = Picture::new();
        let (mut all_are_new, mut tables_moved) = (true, false);
        for keyspace in self.keyspaces() {
            let current = keyspace.join("current");
            let is_same = self.synced.get(&current) == self.later.get(&current);
            let is_new = is_same || random.random();
            all_are_new &= is_new;
            tables_moved |= is_new && !is_same;
            self.keyspace(&keyspace, is_new, &mut cut, random);
        }
        if tables_moved {
            self.whole_journals(all_are_new, &mut cut);
        } else {
            self.torn_journals(&mut cut, random);
        }
        for name in ["version", "lock"].map(PathBuf::from) {
            cut.insert(name.clone(), self.synced[&name].clone());
        }
        cut
    }

    fn keyspaces(&self) -> BTreeSet<PathBuf> {
        let of =
            |path: &PathBuf| path.ends_with("current").then(|| path.parent().unwrap().to_owned());
        self.synced.keys().filter_map(of).collect()
    }

    fn keyspace(&self, keyspace: &Path, is_new: bool, cut: &mut Picture, random: &mut StdRng) {
        let (kept, other) =
            if is_new { (self.later, self.synced) } else { (self.synced, self.later) };
        for (path, content) in kept.iter().filter(|(path, _)| path.starts_with(keyspace)) {
            cut.insert(path.clone(), content.clone());
        }
        for (path, content) in other.iter().filter(|(path, _)| path.starts_with(keyspace)) {
            if !cut.contains_key(path) && random.random() {
                cut.insert(path.clone(), spoil(content, 0, random));
            }
        }
    }

    /// The commit may be in tables, so it is in the journal.
    fn whole_journals(&self, may_be_gone: bool, cut: &mut Picture) {
        let synced = self.synced.iter().filter(|_| !may_be_gone);
        for (path, content) in synced.chain(self.later).filter(|(path, _)| is_journal(path)) {
            cut.insert(path.clone(), content.clone());
        }
    }

    /// The last journal of either time is torn behind what was synced; the others are whole.
    fn torn_journals(&self, cut: &mut Picture, random: &mut StdRng) {
        self.whole_journals(false, cut);
        let Some(newest) = cut.keys().filter(|path| is_journal(path)).max_by_key(|p| number(p))
        else {
            return;
        };
        let kept = self.synced.get(newest).map_or(0, |content| content.bytes.len());
        let torn = spoil(&cut[newest], kept, random);
        cut.insert(newest.clone(), torn);
    }
}

fn number(path: &Path) -> u64 {
    path.file_stem().unwrap().to_str().unwrap().parse().unwrap()
}

/// Keeps the first `kept` bytes; those behind may be there, cut off, zeroes or anything, by sectors.
fn spoil(content: &Content, kept: usize, random: &mut StdRng) -> Content {
    let mut bytes = content.bytes.clone();
    let end = random.random_range(kept..=bytes.len());
    let sector = [1, 64, 512, 4096][random.random_range(0..4)];
    let ways: u32 = random.random_range(0..5);
    for part in bytes[kept..].chunks_mut(sector) {
        match (ways, random.random_range(0..3)) {
            (0 | 1, _) | (_, 0) => {}
            (2, _) | (4, 1) => part.fill(0),
            _ => random.fill(part),
        }
    }
    if ways < 2 {
        bytes.truncate(end);
    }
    let length = if random.random() {
        bytes.len() as u64
    } else {
        (bytes.len() as u64 + 300_000).min(content.length).max(bytes.len() as u64)
    };
    Content { bytes, length }
}
