//! One way in which a power cut may leave a store between two rounds, drawn at random.
//!
//! The page of `power_cut` says what is synced and in which order; this is that page as code.

use std::collections::BTreeSet;
use std::path::{Path, PathBuf};
use std::sync::Arc;

use rand::RngExt;
use rand::rngs::StdRng;

use super::disk::{Content, Picture, commit_ends, is_journal, journal_number};

/// Zeroes behind a journal: the engine makes 64 MiB ready; fewer do as well.
const ZEROES_BEHIND: u64 = 300_000;
const META: &str = "keyspaces/0";

/// What a drawn copy is like.
#[derive(Debug, Clone, Copy, Default)]
pub(super) struct Drawn {
    /// A commit is torn.
    pub(super) is_torn: bool,
    /// Keyspaces have other tables than when the round began.
    pub(super) moved: u64,
    /// Journals that were there when the round began are not any more.
    pub(super) is_journal_gone: bool,
    /// Keyspaces are half made, or half dropped.
    pub(super) half: u64,
}

/// A store when a round began, and when it was over.
pub(super) struct Cut<'a> {
    pub(super) synced: &'a Picture,
    pub(super) later: &'a Picture,
    /// Which copy it is: some are cut before the first commit, while keyspaces come and go.
    pub(super) number: u64,
}

impl Cut<'_> {
    pub(super) fn draw(&self, random: &mut StdRng) -> (Picture, Drawn) {
        let (mut copy, mut drawn) = (Picture::new(), Drawn::default());
        // Commits are in tables only when they are in the journal: so either tables or the journal are as
        // they were before.
        let must_be_new = !self.later.contains_key(&self.newest_journal());
        let is_early = self.is_early();
        let are_tables_new = must_be_new || !is_early && random.random_range(0..3) == 0;
        let commits = if are_tables_new {
            usize::MAX
        } else {
            self.torn_journals(&mut copy, &mut drawn, random)
        };
        let is_meta_new =
            self.keyspaces_that_come_and_go(commits > 0, &mut copy, &mut drawn, random);
        let mut are_all_new = true;
        for keyspace in self.steady_keyspaces() {
            let is_meta = keyspace == Path::new(META);
            let has_moved = self.synced.get(&keyspace.join("current"))
                != self.later.get(&keyspace.join("current"));
            let is_new = if is_meta {
                is_meta_new
            } else {
                must_be_new || are_tables_new && random.random_range(0..4) > 0
            };
            drawn.moved += u64::from(is_new && has_moved && !is_meta);
            are_all_new &= is_new || !has_moved;
            self.keyspace(&keyspace, is_new, &mut copy, random);
        }
        if are_tables_new {
            drawn.is_journal_gone =
                self.whole_journals(must_be_new || are_all_new && random.random(), &mut copy);
        }
        for name in ["version", "lock"].map(PathBuf::from) {
            copy.insert(name.clone(), self.synced[&name].clone());
        }
        // The note of who has the store open is never synced.
        if random.random() {
            copy.insert("process".into(), spoil(&Content::of(b"4711\n".to_vec()), 0, random));
        }
        (copy, drawn)
    }

    fn is_early(&self) -> bool {
        let has_changed = Self::keyspaces_in(self.synced) != Self::keyspaces_in(self.later);
        has_changed && self.number.is_multiple_of(2)
    }

    /// The journal that was written to when the round began. If it is gone, all tables are new.
    fn newest_journal(&self) -> PathBuf {
        let journals = self.synced.keys().filter(|path| is_journal(path));
        journals.max_by_key(|path| journal_number(path)).unwrap().clone()
    }

    fn keyspaces_in(picture: &Picture) -> BTreeSet<PathBuf> {
        let of =
            |path: &PathBuf| path.ends_with("current").then(|| path.parent().unwrap().to_owned());
        picture.keys().filter_map(of).collect()
    }

    fn steady_keyspaces(&self) -> Vec<PathBuf> {
        let later = Self::keyspaces_in(self.later);
        Self::keyspaces_in(self.synced).intersection(&later).cloned().collect()
    }

    /// Those of a day that was new in the round, and of one that was over. Gives whether the list of
    /// keyspaces is the later one.
    fn keyspaces_that_come_and_go(
        &self,
        has_commits: bool,
        copy: &mut Picture,
        drawn: &mut Drawn,
        random: &mut StdRng,
    ) -> bool {
        let (before, after) = (Self::keyspaces_in(self.synced), Self::keyspaces_in(self.later));
        // It is made before it is listed, and listed before the first commit into it.
        let is_early = self.is_early();
        let is_listed =
            has_commits || if is_early { self.number.is_multiple_of(4) } else { random.random() };
        for made in after.difference(&before) {
            if is_listed || !is_early && random.random() {
                self.take(self.later, made, copy);
            } else if is_early || random.random() {
                drawn.half += 1;
                half_made(self.later, made, copy, random);
            }
        }
        // The note comes first, then the list, then the keyspace itself, `current` before all else.
        let dropped = Path::new("dropped");
        let (old_note, new_note) = (self.synced.get(dropped), self.later.get(dropped));
        for gone in before.difference(&after) {
            match random.random_range(0..3) {
                0 => self.take(self.synced, gone, copy),
                1 if is_listed => {
                    drawn.half += 1;
                    half_gone(self.synced, gone, copy, random);
                }
                _ if is_listed => {}
                _ => self.take(self.synced, gone, copy),
            }
        }
        match (old_note, new_note) {
            (Some(old), Some(new)) if !is_listed && old != new => {
                copy.insert(dropped.into(), spoil(new, old.bytes.len(), random));
            }
            (None, Some(new)) if !is_listed => {
                drop(copy.insert(dropped.into(), spoil(new, 0, random)))
            }
            (_, Some(new)) => drop(copy.insert(dropped.into(), new.clone())),
            (old, None) => assert!(old.is_none(), "the note of what was dropped stays"),
        }
        is_listed
    }

    fn take(&self, from: &Picture, keyspace: &Path, copy: &mut Picture) {
        let files = from.iter().filter(|(path, _)| path.starts_with(keyspace));
        copy.extend(files.map(|(path, content)| (path.clone(), content.clone())));
    }

    /// The one state whole; of the other, what nothing refers to: there or not, and spoilt where it was
    /// being written.
    fn keyspace(&self, keyspace: &Path, is_new: bool, copy: &mut Picture, random: &mut StdRng) {
        let (kept, other) =
            if is_new { (self.later, self.synced) } else { (self.synced, self.later) };
        self.take(kept, keyspace, copy);
        for (path, content) in other.iter().filter(|(path, _)| path.starts_with(keyspace)) {
            if !copy.contains_key(path) && random.random() {
                let spoilt = if is_new { content.clone() } else { spoil(content, 0, random) };
                copy.insert(path.clone(), spoilt);
            }
        }
        if !is_new && random.random_range(0..4) == 0 {
            // `current` is written beside and renamed; this was not.
            let current = &self.later[&keyspace.join("current")];
            copy.insert(keyspace.join(".tmpAb3xYz"), spoil(current, 0, random));
        }
    }

    /// The journals of the end; those that were there at the beginning may be gone where all is in tables.
    /// Gives whether some are.
    fn whole_journals(&self, may_be_gone: bool, copy: &mut Picture) -> bool {
        let later = self.later.iter().filter(|(path, _)| is_journal(path));
        let mut journals: Picture =
            later.map(|(path, content)| (path.clone(), content.clone())).collect();
        let mut is_gone = false;
        for (path, content) in self.synced.iter().filter(|(path, _)| is_journal(path)) {
            if !journals.contains_key(path) && may_be_gone {
                is_gone = true;
            } else {
                journals.entry(path.clone()).or_insert_with(|| content.clone());
            }
        }
        copy.extend(journals.into_iter().map(|(path, content)| (path, short(content))));
        is_gone
    }

    /// Some commits of the round are whole, of the next one there is a part, and nothing behind. Gives
    /// how many are whole.
    fn torn_journals(&self, copy: &mut Picture, drawn: &mut Drawn, random: &mut StdRng) -> usize {
        let mut journals = Picture::new();
        self.whole_journals(false, &mut journals);
        let newest = journal_number(&self.newest_journal());
        let mut commits = Vec::new();
        let mut numbers: Vec<&PathBuf> = journals.keys().collect();
        numbers.sort_by_key(|path| journal_number(path));
        for path in numbers.into_iter().filter(|path| journal_number(path) >= newest) {
            let from = match self.synced.get(path) {
                Some(content) => content.bytes.len(),
                None => 0,
            };
            let ends = commit_ends(&self.later[path].bytes, from);
            let starts = std::iter::once(from).chain(ends.iter().copied());
            commits.extend(starts.zip(ends.clone()).map(|(start, end)| (path.clone(), start, end)));
        }
        assert!(!commits.is_empty(), "a round has commits");
        let whole = if self.is_early() { 0 } else { random.random_range(0..commits.len()) };
        let (path, start, end) = commits[whole].clone();
        let last = journal_number(&path);
        journals.retain(|path, _| journal_number(path) <= last);
        let content = &self.later[&path];
        let part =
            Content { bytes: Arc::new(content.bytes[..end].to_vec()), length: content.length };
        let torn = spoil(&part, start, random);
        // By chance all of it may be there: then it is whole, and what must be safe before it is.
        let is_whole = torn.bytes.starts_with(&part.bytes);
        drawn.is_torn = torn.bytes.len() > start && !is_whole;
        journals.insert(path, torn);
        copy.extend(journals);
        whole + usize::from(is_whole)
    }
}

/// A keyspace that was being made: without `current`, which is made last, and the rest as it may be.
fn half_made(later: &Picture, keyspace: &Path, copy: &mut Picture, random: &mut StdRng) {
    for (path, content) in without_current(later, keyspace) {
        if random.random() {
            copy.insert(path.clone(), spoil(content, 0, random));
        }
    }
}

/// A keyspace that was being taken away, `current` first, all others in any order.
fn half_gone(before: &Picture, keyspace: &Path, copy: &mut Picture, random: &mut StdRng) {
    for (path, content) in without_current(before, keyspace) {
        if random.random() {
            copy.insert(path.clone(), content.clone());
        }
    }
}

fn without_current<'a>(
    picture: &'a Picture,
    keyspace: &Path,
) -> impl Iterator<Item = (&'a PathBuf, &'a Content)> {
    let is_of = move |path: &PathBuf| path.starts_with(keyspace) && !path.ends_with("current");
    picture.iter().filter(move |(path, _)| is_of(path))
}

fn short(content: Content) -> Content {
    let least = content.bytes.len() as u64;
    Content { length: content.length.min(least + ZEROES_BEHIND), ..content }
}

/// Keeps the first `kept` bytes; those behind may be there, cut off, zeroes or anything, by sectors.
pub(super) fn spoil(content: &Content, kept: usize, random: &mut StdRng) -> Content {
    let mut bytes = content.bytes.to_vec();
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
    let least = bytes.len() as u64;
    let length = if random.random() {
        least
    } else {
        (least + ZEROES_BEHIND).min(content.length).max(least)
    };
    Content { bytes: Arc::new(bytes), length }
}
