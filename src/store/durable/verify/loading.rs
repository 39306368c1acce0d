//! What a store knows when it is open: format, names, totals. What cannot be read is a fault here, and
//! the looking goes on without it.
//!
//! Must not know records or rows.

use hashbrown::HashSet;

use super::{FaultKind, Look};
use crate::clock::TimeMs;
use crate::error::Error;
use crate::store::durable::engine::Space;
use crate::store::durable::keys::{everything, number};
use crate::store::durable::{Stored, meta};

impl Look<'_> {
    /// An error where the store is of a later version.
    pub(super) fn learn(&mut self) -> Result<(), Error> {
        let has_format = self.inner.has_format()?;
        self.load_names()?;
        self.load_totals()?;
        if !has_format && self.found.latest > 0 {
            self.fault(FaultKind::Totals, "the version of its format is missing");
        }
        let (released, latest) = (self.released, self.found.latest);
        let totals = self.totals.unwrap_or(super::Totals::NONE);
        *self.inner.stored.lock() = Stored { totals, latest, released, ..Stored::NOTHING };
        // What cannot be read is found again by who looks for it.
        let now_ms = self.inner.latest_time_ms();
        self.now_ms = now_ms.ok().flatten().unwrap_or(TimeMs::MIN);
        let held = |count: i64| u64::try_from(count).unwrap_or_default();
        self.all_keys = held(totals.users)
            .saturating_add(held(totals.dead_letters))
            .saturating_add(latest.saturating_sub(released))
            .saturating_add(self.inner.engine.count_ids()?);
        Ok(())
    }

    /// Behind a name that is lost the others of its kind cannot be told apart.
    fn load_names(&mut self) -> Result<(), Error> {
        let mut broken = HashSet::new();
        for (key, value) in self.inner.engine.all(Space::Names, everything())? {
            let kind = key.first().copied();
            if broken.contains(&kind) {
                continue;
            }
            if let Err(why) = self.inner.names.add(&key, &value) {
                broken.insert(kind);
                self.found.is_usable = false;
                let key = key.escape_ascii();
                let text =
                    format!("the name {key}: {why}; what bears it or a later one cannot be read");
                self.fault(FaultKind::Names, text);
            }
        }
        Ok(())
    }

    fn load_totals(&mut self) -> Result<(), Error> {
        let engine = &self.inner.engine;
        let last = engine.last_key(Space::Outbox)?.and_then(|key| number(&key));
        self.found.latest = last.unwrap_or_default();
        let released = engine.get(Space::Meta, meta::RELEASED_KEY)?;
        let totals = engine.get(Space::Meta, meta::TOTALS_KEY)?;
        let stored = released.as_deref().map(number);
        self.released = stored.flatten().unwrap_or_default();
        if stored == Some(None) {
            self.fault(FaultKind::Released, "how much is released cannot be read");
        }
        match totals.map(|bytes| meta::unpacked_totals(&bytes)) {
            Some(Ok(Stored { totals, latest, .. })) => {
                self.totals = Some(totals);
                self.found.latest = latest;
            }
            Some(Err(why)) => {
                self.found.is_usable = false;
                self.fault(FaultKind::Totals, format!("the totals cannot be read: {why}"));
            }
            None if last.is_some() => {
                self.found.is_usable = false;
                self.fault(FaultKind::Totals, "the totals are missing");
            }
            None => self.totals = Some(super::Totals::NONE),
        }
        Ok(())
    }
}
