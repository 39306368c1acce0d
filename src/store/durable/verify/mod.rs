//! Looks at everything that a store keeps: whether each part can be read, and whether the parts agree.
//!
//! Must not know what is done about what it finds. Damage that keeps a store from being opened is told
//! from its files alone, by `journal`; of one that opens, every key is read.
//!
//! What must agree: records are numbered without gaps from the oldest that is kept to the latest that the
//! totals name, and none is gone that was not released; every event that still waits in a row has its
//! record, whoever it was tracked for; the totals are what rows and dead letters add up to; an id stands in the day
//! in which it stops being recognised; no cursor, dead letter or release goes beyond the latest record; a
//! sink has as many dead letters as it is said to have, and what is to be delivered again is one of them.

mod arranged;
mod datafiles;
mod fault;
mod loading;
mod records;
mod rows;
mod sides;

pub use fault::{Fault, FaultKind};

use std::collections::BTreeMap;
use std::path::Path;

use hashbrown::HashSet;

use super::engine::Engine;
use super::entry::{RowKey, Totals};
use super::{Inner, at_rest, holder, inspect};
use crate::clock::TimeMs;
use crate::error::Error;

/// So many faults are told one by one.
const MOST_FAULTS: usize = 1000;

/// What was looked at, and what was found.
#[derive(Debug, Default)]
#[non_exhaustive]
pub struct Verified {
    /// Whether the engine could open the store; if not, only its journals were looked at.
    pub is_opened: bool,
    /// Whether the store can be used without losing more: names, totals and places of sinks can be read,
    /// and nothing is ahead of the latest record.
    pub is_usable: bool,
    /// Whole commits in the journals.
    pub commits: u64,
    /// Bytes of a last commit that was never acknowledged, cut off.
    pub torn_bytes: u64,
    /// Records that are there and sound.
    pub records: u64,
    /// The oldest record that is there; 0 where none is.
    pub oldest: u64,
    /// The latest record by the totals.
    pub latest: u64,
    /// Users with a sound row.
    pub users: u64,
    /// Activations in those rows.
    pub activations: u64,
    /// Events in those rows that wait for late activations.
    pub pending_events: u64,
    /// Ids held against repeats.
    pub ids: u64,
    /// Dead letters that are sound.
    pub dead_letters: u64,
    /// Sinks whose place is known.
    pub sinks: u64,
    /// Last good datafiles that are sound.
    pub datafiles: u64,
    /// Overrides that are sound.
    pub overrides: u64,
    /// Profiles that are sound.
    pub profiles: u64,
    /// Records that are missing or cannot be read.
    pub lost_records: u64,
    /// Users who lost something: the row, which may be missing, or the record of an event that waits.
    pub harmed_users: u64,
    /// How many faults there are.
    pub fault_count: u64,
    /// The first of them.
    pub faults: Vec<Fault>,
    /// What is no fault, and worth knowing.
    pub notes: Vec<String>,
}

impl Verified {
    /// Whether nothing is missing or damaged.
    #[must_use]
    pub const fn is_sound(&self) -> bool {
        self.fault_count == 0
    }

    fn fault(&mut self, kind: FaultKind, text: String) {
        self.fault_count += 1;
        if self.faults.len() < MOST_FAULTS {
            self.faults.push(Fault { kind, text });
        }
    }
}

/// Looks at everything in a store that nobody uses. `progress` is told how many keys were looked at, of
/// about how many.
///
/// Opening cuts off a commit that was never acknowledged, as every opening does; nothing else is changed.
///
/// # Errors
///
/// If there is no store, it is in use, was made by a later version, or may not be read.
pub fn verify(
    folder: impl AsRef<Path>,
    progress: &mut dyn FnMut(u64, u64),
) -> Result<Verified, Error> {
    let folder = folder.as_ref();
    at_rest::must_be_there(folder)?;
    let mut found = Verified::default();
    let damages = match inspect(folder) {
        Ok(inspected) => {
            found.commits = inspected.commits;
            found.torn_bytes = inspected.torn_bytes;
            inspected.damages
        }
        Err(error) if error.is_damaged_store() => vec![error],
        Err(error) => return Err(error),
    };
    for damage in &damages {
        let text = damage.store_damage().unwrap_or_else(|| damage.to_string());
        found.fault(FaultKind::Damage, text);
    }
    if !damages.is_empty() {
        return Ok(found);
    }
    let settings = at_rest::settings();
    let engine = match Engine::open(folder, settings.setup()) {
        Ok(engine) => engine,
        Err(error) => {
            let Some(problem) = error.unreadable_store() else { return Err(error) };
            let place = folder.join("keyspaces");
            let place = place.display();
            let text = format!(
                "a table, or the list of tables, under {place} is missing or damaged: {problem}"
            );
            found.fault(FaultKind::Damage, text);
            return Ok(found);
        }
    };
    let inner = Inner::unloaded(engine, at_rest::clock(), settings);
    found.is_opened = true;
    found.is_usable = true;
    holder::note(folder);
    let mut look = Look::new(&inner, found, progress);
    let verified = look.learn().and_then(|()| look.everything());
    holder::take_away(folder);
    verified
}

/// Where the looking stands.
struct Look<'a> {
    inner: &'a Inner,
    found: Verified,
    /// As the store has them; `None` where they cannot be read.
    totals: Option<Totals>,
    released: u64,
    /// As they add up.
    counted: Totals,
    /// Dead letters by their sinks, and those of them that can be delivered.
    letters: BTreeMap<Box<str>, u64>,
    deliverable: HashSet<(Box<str>, u64)>,
    /// The store's time: what waited up to then waits no more.
    now_ms: TimeMs,
    harmed: HashSet<RowKey>,
    /// Events that wait whose records were taken away to make room.
    unclaimable: u64,
    /// Rows that are there, sound or not.
    rows: u64,
    keys: u64,
    all_keys: u64,
    progress: &'a mut dyn FnMut(u64, u64),
}

impl<'a> Look<'a> {
    fn new(inner: &'a Inner, found: Verified, progress: &'a mut dyn FnMut(u64, u64)) -> Self {
        Self {
            inner,
            found,
            totals: None,
            released: 0,
            counted: Totals::NONE,
            letters: BTreeMap::new(),
            deliverable: HashSet::new(),
            now_ms: TimeMs::MIN,
            harmed: HashSet::new(),
            unclaimable: 0,
            rows: 0,
            keys: 0,
            all_keys: 0,
            progress,
        }
    }

    fn everything(mut self) -> Result<Verified, Error> {
        self.records();
        self.rows();
        self.note_unclaimable();
        self.ids()?;
        self.letters();
        self.retried_letters();
        self.sinks();
        self.datafiles();
        self.arranged();
        self.totals();
        self.found.harmed_users = (self.harmed.len() as u64).saturating_add(self.missing_rows());
        Ok(self.found)
    }

    fn fault(&mut self, kind: FaultKind, text: impl Into<String>) {
        self.found.fault(kind, text.into());
    }

    /// Says that so many more keys were looked at.
    fn tick(&mut self, keys: usize) {
        self.keys += keys as u64;
        (self.progress)(self.keys, self.all_keys.max(self.keys));
    }

    /// Users whom the totals count and who have no row at all.
    fn missing_rows(&self) -> u64 {
        let total = self.totals.map_or(0, |totals| totals.users);
        u64::try_from(total).unwrap_or_default().saturating_sub(self.rows)
    }

    fn totals(&mut self) {
        let Some(totals) = self.totals else { return };
        let Totals { users, activations, pending_events, dead_letters, record_bytes } = totals;
        let counted = self.counted;
        let pairs = [
            ("users", users, counted.users),
            ("activations", activations, counted.activations),
            ("events that wait", pending_events, counted.pending_events),
            ("dead letters", dead_letters, counted.dead_letters),
            ("bytes of records", record_bytes, counted.record_bytes),
        ];
        for (what, total, there) in pairs.into_iter().filter(|(_, total, there)| total != there) {
            self.fault(
                FaultKind::Totals,
                format!("{what}: {total} by the totals, {there} are there"),
            );
        }
    }
}
