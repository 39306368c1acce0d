//! The client's source: what it supplies is swapped in, and its last good datafile kept in the store.
//!
//! Must not know how a source is asked. Source and store do not know each other; here they meet.

use std::sync::{Arc, Weak};
use std::time::Duration;

use super::{Client, Inner};
use crate::clock::Clock;
use crate::datafile::Datafile;
use crate::error::Error;
use crate::source::{LastGood, Prepared, Source, SourceStatus, Supply, Taker, Validators};
use crate::store::{KeptDatafile, Store};

impl Client {
    /// How the source is doing; `None` without one.
    #[must_use]
    pub fn source_status(&self) -> Option<SourceStatus> {
        self.supply.as_deref().map(Supply::status)
    }

    /// Has the source asked at once, and returns at once: for webhooks and the like. Calls that come
    /// together are answered by asking once; an address that asked to be left alone (`Retry-After`) is.
    pub fn refresh(&self) {
        if let Some(supply) = &self.supply {
            supply.refresh();
        }
    }

    /// The same, and waits until the source was asked; gives whether that was within the time. What came
    /// of it, [`Client::source_status`] says.
    #[must_use]
    pub fn refresh_and_wait(&self, patience: Duration) -> bool {
        self.supply.as_ref().is_none_or(|supply| supply.refresh_and_wait(patience))
    }

    /// Puts the datafile in force that the source holds back, if it is of this revision; gives whether it
    /// was. It must not be called from a listener.
    #[must_use]
    pub fn accept_datafile(&self, revision: &str) -> bool {
        self.supply.as_ref().is_some_and(|supply| supply.accept(revision))
    }

    /// Waits until there is a datafile, whoever gave it: until then everything is answered as by SDKs that
    /// are not ready.
    ///
    /// # Errors
    ///
    /// If there is none within the time; the message says why, as far as that is known.
    pub fn wait_until_ready(&self, patience: Duration) -> Result<(), Error> {
        if self.inner.swaps.wait_until(|| self.datafile().is_some(), patience) {
            return Ok(());
        }
        let problem = self.source_status().and_then(|status| status.last_problem);
        Err(Error::not_loaded(patience, problem.as_ref().map(|problem| &*problem.text)))
    }
}

/// A source that has what it can have without waiting for anybody.
pub(super) fn prepare(source: Source, clock: &Arc<Clock>) -> Result<Prepared, Error> {
    Prepared::new(source, Arc::clone(clock))
}

/// The datafile to begin with: the source's, the last good one of an earlier run, or the program's own.
pub(super) fn begin(
    prepared: &Prepared,
    own: Option<Arc<Datafile>>,
    store: &dyn Store,
    environment: &str,
) -> Option<Arc<Datafile>> {
    if let Some(own) = own {
        prepared.fall_back(own);
    }
    let kept = store.kept_datafile(environment);
    prepared.restore(kept.map(|kept| kept.map(last_good)));
    prepared.datafile()
}

/// Starts it for a client that begins with its datafile.
pub(super) fn start(prepared: Prepared, inner: &Arc<Inner>) -> Result<Supply, Error> {
    let client = Arc::downgrade(inner);
    let (store, environment) = (Arc::clone(&inner.store), inner.environment.clone());
    prepared.start(Taker {
        put_in_force: Box::new(move |datafile| put_in_force(&client, datafile)),
        keep: Box::new(move |last_good| store.keep_datafile(&environment, &kept(last_good))),
    })
}

/// The source does not keep the client alive, which would never end then.
fn put_in_force(client: &Weak<Inner>, datafile: Arc<Datafile>) {
    if let Some(inner) = client.upgrade() {
        inner.swap(datafile);
    }
}

fn kept(last_good: LastGood) -> KeptDatafile {
    let LastGood { text, revision, fetched_at_ms, source, validators } = last_good;
    let Validators { etag, last_modified } = validators;
    KeptDatafile { text, revision, fetched_at_ms, source, etag, last_modified }
}

fn last_good(kept: KeptDatafile) -> LastGood {
    let KeptDatafile { text, revision, fetched_at_ms, source, etag, last_modified } = kept;
    let validators = Validators { etag, last_modified };
    LastGood { text, revision, fetched_at_ms, source, validators }
}
