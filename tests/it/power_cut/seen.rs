//! All that can be seen in a store, for holding two against each other.

use std::collections::BTreeMap;
use std::path::Path;
use std::sync::Arc;

use variate::attribution::Record;
use variate::clock::Clock;
use variate::store::{Cursor, DeadLetter, DurableStore, HeldUser, Outbox as _};

use super::history::settings;
use crate::attribution::kills::calls::Callers;
use crate::attribution::kills::plan::user_of;

/// What a store has; where it gives an error instead, the error.
#[derive(Debug, PartialEq)]
pub(super) struct Seen {
    pub(super) records: Vec<(u64, Arc<Record>)>,
    pub(super) unreadable: u64,
    pub(super) latest: u64,
    pub(super) cursors: Result<Vec<(Box<str>, Cursor)>, String>,
    pub(super) letters: Result<Vec<DeadLetter>, String>,
    /// Of every user, by environment and id.
    pub(super) rows: BTreeMap<(&'static str, String), Result<Option<HeldUser>, String>>,
    /// Whether calls, by their ids, are taken for repeats.
    pub(super) repeats: BTreeMap<String, Result<bool, String>>,
}

/// What opening a store comes to.
#[derive(Debug)]
pub(super) enum Told {
    Opened(Box<Seen>),
    Refused(String),
}

/// Opens the store and looks at all that the calls with these ids left in it; then makes them again.
pub(super) fn look(folder: &Path, ids: &[String], now_ms: i64) -> Told {
    let clock = Arc::new(Clock::manual(now_ms));
    let store = match DurableStore::open(folder, clock.clone(), settings()) {
        Ok(store) => Arc::new(store),
        Err(error) => return Told::Refused(error.to_string()),
    };
    let latest = store.latest();
    let retained = store.retained_records(1, latest);
    let row = |id: &String| {
        let (environment, user) = user_of(id);
        let held = store.held_user(environment, &user).map_err(|error| error.to_string());
        ((environment, user), held)
    };
    let mut seen = Seen {
        records: retained.records,
        unreadable: retained.unreadable,
        latest,
        cursors: store.cursors().map_err(|error| error.to_string()),
        letters: store.dead_letters(0, usize::MAX).map_err(|error| error.to_string()),
        rows: ids.iter().map(row).collect(),
        repeats: BTreeMap::new(),
    };
    let callers = Callers::new(store.clone(), clock);
    let sent: Vec<_> = ids.iter().map(|id| (id, callers.send(id, None))).collect();
    for (id, (is_repeat, receipt)) in sent {
        let taken = receipt.wait().map(|()| is_repeat).map_err(|error| error.to_string());
        seen.repeats.insert(id.clone(), taken);
    }
    Told::Opened(Box::new(seen))
}

impl Seen {
    pub(super) fn ids(&self) -> Vec<String> {
        self.repeats.keys().cloned().collect()
    }

    /// Whether it is what the other one was a commit before.
    pub(super) fn is_prefix_of(&self, whole: &Self) -> bool {
        let is_as_before =
            |(key, row): (&_, &Result<_, _>)| whole.rows.contains_key(key) && row.is_ok();
        whole.records.starts_with(&self.records)
            && self.latest == self.records.len() as u64
            && self.unreadable == 0
            && self.cursors.is_ok()
            && self.letters.is_ok()
            && self.rows.iter().all(is_as_before)
            && self.repeats.values().all(Result::is_ok)
    }

    /// In words, what it lacks of what the other one has.
    pub(super) fn lacks(&self, whole: &Self) -> String {
        let rows = self.rows.iter().filter(|(key, row)| whole.rows.get(key) != Some(row));
        let repeats =
            self.repeats.iter().filter(|(id, taken)| whole.repeats.get(*id) != Some(taken));
        format!(
            "{} of {} records are there and {} unreadable, the latest is {} of {}; cursors as before: {}, letters: {}; {} other rows: {:?}; {} repeats otherwise: {:?}",
            self.records.len(),
            whole.records.len(),
            self.unreadable,
            self.latest,
            whole.latest,
            self.cursors == whole.cursors,
            self.letters == whole.letters,
            rows.clone().count(),
            rows.clone().next(),
            repeats.clone().count(),
            repeats.clone().next(),
        )
    }
}
