//! The store on disk: what it has acknowledged, a power cut does not take away.
//!
//! Must not know sources, sinks or servers. A call takes its turn in memory (`turn`), on what the disk
//! holds and what is in flight (`flight`), and hands row, id and records to one thread (`committer`),
//! which stores all that waits in one commit, durable before anybody sees it. `engine` is the only file
//! that knows the engine, and says which keyspaces there are; `wire` says what stands in them. Readers
//! of the outbox see only what is durable.

mod arranged;
mod at_rest;
mod commit;
mod committer;
mod engine;
mod entry;
mod flight;
mod holder;
mod ids;
mod journal;
mod kept_datafiles;
mod keys;
mod late;
mod letters;
mod merge;
mod meta;
mod names;
mod outbox;
mod places;
mod queue;
mod reading;
mod settings;
mod sinks;
mod tidy;
mod turn;
mod unreadable;
mod verify;
mod wire;

pub use arranged::KeptProfile;
#[cfg(feature = "cli")]
pub(crate) use at_rest::is_inside;
#[cfg(feature = "server")]
pub(crate) use at_rest::is_own_file;
pub use at_rest::is_there;
pub(super) use commit::{Commit, Waiter};
pub use journal::{Inspected, Mended, inspect, mend};
pub use reading::{HeldUser, Retained, RetainedRecords};
pub use settings::{DurableSettings, WhenFull, WhenOverBudget};
pub use verify::{Fault, FaultKind, Verified, verify};

use std::path::Path;
use std::sync::Arc;
use std::sync::atomic::AtomicU64;
use std::thread::{self, JoinHandle};
use std::time::Duration;

use parking_lot::{Condvar, Mutex};

use self::engine::{Engine, Space};
use self::entry::Totals;
use self::flight::Flight;
use self::keys::{everything, number};
use self::names::Names;
use self::queue::{Numbers, Queue};
use self::sinks::Sinks;
use self::tidy::Tidying;
use self::turn::{Arriving, Begun};
use self::unreadable::Unreadable;
use super::{KeptDatafile, Recorded, Statistics, Store};
use crate::attribution::{
    Event, EventOutcome, ImpressionOutcome, MergeOutcome, NewImpression, NewMerge, Rules,
};
use crate::clock::Clock;
use crate::error::Error;

const THREAD: &str = "variate-store";

/// The store on disk.
///
/// One process has it open at a time. It is closed when it is dropped: what it has taken is stored then.
pub struct DurableStore {
    inner: Arc<Inner>,
    committer: Option<JoinHandle<()>>,
}

/// What callers and the committer share.
struct Inner {
    engine: Engine,
    names: Names,
    clock: Arc<Clock>,
    settings: DurableSettings,
    queue: Queue,
    flight: Flight,
    stored: Mutex<Stored>,
    /// Rung when there is more that is stored.
    published: Condvar,
    sinks: Mutex<Sinks>,
    /// Held while letters are looked up and taken away, until that is stored.
    letter_turn: Mutex<()>,
    tidying: Mutex<Tidying>,
    /// Bytes written since the room was looked at.
    unlooked_bytes: AtomicU64,
    /// What happened since the store was opened.
    counts: Mutex<Statistics>,
}

/// How far the store is, as far as it is durable.
#[derive(Debug, Clone, Copy)]
struct Stored {
    totals: Totals,
    /// The sequence number of the latest record.
    latest: u64,
    /// The number of the latest dead letter.
    latest_letter: u64,
    /// The sequence number up to which nobody needs records.
    released: u64,
    /// No record before this one is left, or will be.
    oldest: u64,
}

impl Stored {
    /// What a new store has.
    const NOTHING: Self =
        Self { totals: Totals::NONE, latest: 0, latest_letter: 0, released: 0, oldest: 1 };
}

impl DurableStore {
    /// Opens the store in a folder, which is made if it is not there. Receipts are dated by the clock,
    /// which the client should share.
    ///
    /// What a power cut left half-written, and was never acknowledged, is cut off.
    ///
    /// # Errors
    ///
    /// If another process has it open, it cannot be read or written, was made by a later version, or is
    /// damaged in what was acknowledged: then nothing is changed.
    pub fn open(
        folder: impl AsRef<Path>,
        clock: Arc<Clock>,
        settings: DurableSettings,
    ) -> Result<Self, Error> {
        at_rest::must_be_named(folder.as_ref())?;
        let engine = Engine::open(folder.as_ref(), settings.setup())?;
        holder::note(engine.folder());
        let inner = Arc::new(Inner::unloaded(engine, clock, settings));
        // First: a later version's names may look otherwise.
        inner.check_format()?;
        inner.load_names()?;
        let numbers = inner.read_state()?;
        inner.queue.accept(numbers);
        inner.queue.pause(inner.check_room().err());
        let shared = Arc::clone(&inner);
        let committer = thread::Builder::new()
            .name(THREAD.into())
            .spawn(move || shared.store_entries())
            .map_err(|error| Error::thread(THREAD, error))?;
        Ok(Self { inner, committer: Some(committer) })
    }

    /// Why the store refuses entries now, if it does: it goes on by itself when the cause is mended.
    #[must_use]
    pub fn refusal(&self) -> Option<Error> {
        self.inner.queue.refusal()
    }
}

impl Store for DurableStore {
    fn record_impression(
        &self,
        environment: &str,
        rules: &Rules,
        impression: &NewImpression<'_>,
    ) -> Recorded<ImpressionOutcome> {
        let arriving = Arriving {
            kind: "impression",
            environment,
            rules,
            origin: impression.origin,
            user_id: impression.user_id,
            id: impression.id,
            time_ms: impression.time_ms,
        };
        match self.inner.begin(&arriving) {
            Begun::Turn(turn) => turn.take_impression(impression),
            Begun::Repeat(time_ms, receipt) => {
                Recorded { outcome: ImpressionOutcome::repeated(time_ms), receipt }
            }
        }
    }

    fn record_event(
        &self,
        environment: &str,
        rules: &Rules,
        event: Event,
    ) -> Recorded<EventOutcome> {
        let envelope = &event.envelope;
        let arriving = Arriving {
            kind: "event",
            environment,
            rules,
            origin: envelope.origin,
            user_id: &envelope.user_id,
            id: envelope.id.as_deref(),
            time_ms: envelope.time_ms,
        };
        match self.inner.begin(&arriving) {
            Begun::Turn(turn) => turn.take_event(event),
            Begun::Repeat(time_ms, receipt) => {
                Recorded { outcome: EventOutcome::repeated(time_ms), receipt }
            }
        }
    }

    fn merge(
        &self,
        environment: &str,
        rules: &Rules,
        merge: &NewMerge<'_>,
    ) -> Recorded<MergeOutcome> {
        self.inner.merge(environment, rules, merge)
    }

    fn forget(&self, environment: &str, user_id: &str) -> Result<bool, Error> {
        let (was_there, receipt) = self.inner.forget(environment, user_id)?;
        receipt.wait()?;
        Ok(self.forget_arranged(environment, user_id)? || was_there)
    }

    fn keep_datafile(&self, environment: &str, datafile: &KeptDatafile) -> Result<(), Error> {
        self.inner.keep_datafile(environment, datafile)
    }

    fn kept_datafile(&self, environment: &str) -> Result<Option<KeptDatafile>, Error> {
        self.inner.kept_datafile(environment)
    }

    fn flush(&self, timeout: Duration) -> Result<(), Error> {
        let Some(commit) = self.inner.queue.latest_commit() else {
            // Nothing waits; but what came since the store began to refuse is not stored.
            return self.inner.queue.refusal().map_or(Ok(()), |why| Err(Error::not_stored(why)));
        };
        commit.wait_for(timeout).unwrap_or_else(|| Err(Error::not_stored_in_time()))
    }

    fn statistics(&self) -> Statistics {
        let Stored { totals, latest, released, .. } = *self.inner.stored.lock();
        let held = |count: i64| u64::try_from(count).unwrap_or_default();
        Statistics {
            users: held(totals.users),
            activations: held(totals.activations),
            pending_events: held(totals.pending_events),
            ids: self.inner.engine.count_ids().unwrap_or_default(),
            waiting_records: latest.saturating_sub(released),
            dead_letters: held(totals.dead_letters),
            ..*self.inner.counts.lock()
        }
    }
}

impl Inner {
    /// Nothing of what stands in the engine is known yet.
    fn unloaded(engine: Engine, clock: Arc<Clock>, settings: DurableSettings) -> Self {
        Self {
            engine,
            names: Names::default(),
            clock,
            settings,
            queue: Queue::new(settings.waiting_entries, settings.when_full),
            flight: Flight::new(),
            stored: Mutex::new(Stored::NOTHING),
            published: Condvar::new(),
            sinks: Mutex::default(),
            letter_turn: Mutex::default(),
            tidying: Mutex::default(),
            unlooked_bytes: AtomicU64::new(0),
            counts: Mutex::default(),
        }
    }

    fn count(&self, add: impl FnOnce(&mut Statistics)) {
        add(&mut self.counts.lock());
    }

    fn unreadable(&self, what: &str, why: &Unreadable) -> Error {
        let remedy = "restore the store from a back-up, or use the version that wrote it";
        Error::store_content(self.engine.folder(), format!("{what}: {why}"), remedy)
    }

    fn load_names(&self) -> Result<(), Error> {
        for (key, value) in self.engine.all(Space::Names, everything())? {
            self.names.add(&key, &value).map_err(|why| self.unreadable("a name", &why))?;
        }
        Ok(())
    }

    /// Whether the store has a format yet, which is then this version's.
    fn has_format(&self) -> Result<bool, Error> {
        let format = self.engine.get(Space::Meta, meta::FORMAT_KEY)?;
        match format.as_deref().map(<[u8; 4]>::try_from) {
            None => Ok(false),
            Some(Ok(format)) if u32::from_be_bytes(format) == meta::FORMAT => Ok(true),
            Some(format) => {
                let found = format.map(u32::from_be_bytes).unwrap_or_default();
                let why =
                    Unreadable::new(format!("format {found}, this version reads {}", meta::FORMAT));
                Err(self.unreadable("the store", &why))
            }
        }
    }

    /// A new store gets its format.
    fn check_format(&self) -> Result<(), Error> {
        if self.has_format()? { Ok(()) } else { self.engine.commit(vec![meta::format()]) }
    }

    /// Reads how far the store is. Whatever part of it tells of the highest number, no number is given
    /// twice.
    fn read_state(&self) -> Result<Numbers, Error> {
        let known = self.known_sinks()?;
        let mut stored = match self.engine.get(Space::Meta, meta::TOTALS_KEY)? {
            Some(bytes) => meta::unpacked_totals(&bytes)
                .map_err(|why: Unreadable| self.unreadable("its totals", &why))?,
            None => Stored::NOTHING,
        };
        let released = self.engine.get(Space::Meta, meta::RELEASED_KEY)?;
        stored.released = released.and_then(|bytes| number(&bytes)).unwrap_or_default();
        let through = known.values().map(|known| known.cursor.through);
        let told = through.chain([self.last_number(Space::Outbox)?, stored.released]);
        stored.latest = told.fold(stored.latest, u64::max);
        stored.latest_letter = stored.latest_letter.max(self.last_number(Space::Dead)?);
        let oldest = self.engine.page(Space::Outbox, everything(), 1)?;
        let oldest = oldest.first().and_then(|(key, _)| number(key));
        stored.oldest = oldest.unwrap_or(stored.latest.saturating_add(1));
        let mut sinks = self.sinks.lock();
        sinks.load(known);
        stored.released = sinks.held_back(stored.released);
        *self.stored.lock() = stored;
        let Stored { latest, latest_letter, .. } = stored;
        Ok(Numbers { sequence: latest + 1, letter: latest_letter + 1 })
    }

    fn last_number(&self, space: Space) -> Result<u64, Error> {
        let last = self.engine.last_key(space)?;
        Ok(last.and_then(|key| number(&key)).unwrap_or_default())
    }
}

impl Drop for DurableStore {
    fn drop(&mut self) {
        self.inner.queue.stop();
        // A thread that panicked has been heard of already: what it left is refused or still in the queue.
        if let Some(committer) = self.committer.take() {
            drop(committer.join());
        }
        holder::take_away(self.inner.engine.folder());
    }
}

/// Counts only: the rows are about users.
impl std::fmt::Debug for DurableStore {
    fn fmt(&self, formatter: &mut std::fmt::Formatter<'_>) -> std::fmt::Result {
        formatter
            .debug_struct("DurableStore")
            .field("folder", &self.inner.engine.folder())
            .field("statistics", &self.statistics())
            .finish_non_exhaustive()
    }
}
