//! The ids of entries that were accepted, so that a repeat is not counted again.
//!
//! Must not know what the entries say. They are remembered as UUIDs, by the day in which they stop being
//! recognised.

use std::sync::Arc;

use parking_lot::MutexGuard;
use uuid::Uuid;

use super::Inner;
use super::commit::Commit;
use super::engine::Space;
use super::entry::AcceptedId;
use super::flight::Ids;
use super::turn::Arriving;
use crate::attribution::Rules;
use crate::clock::TimeMs;
use crate::error::Error;
use crate::store::Receipt;

/// The namespace of the ids that are remembered: UUIDv5 of `urn:variate:accepted-id` in the URL namespace.
pub(super) const ID_NAMESPACE: Uuid = Uuid::from_u128(0xe860_3d6d_2fd6_5842_a0e2_320c_245d_ade4);

/// The ids of a day are a keyspace, of which the engine can have fewer than a thousand.
const LONGEST_REPEAT_WINDOW_MS: i64 = 900 * 24 * 60 * 60 * 1000;

/// An id under its lock.
pub(super) struct Claim<'s> {
    ids: MutexGuard<'s, Ids>,
    id: Uuid,
}

/// What is found out about an entry's id.
pub(super) enum Claimed<'s> {
    /// It is the entry's now, if it has one.
    Free(Option<Claim<'s>>),
    /// It was accepted before, and this is when that is stored.
    Repeat(Receipt),
}

impl Claim<'_> {
    pub(super) fn accepted(&self, rules: &Rules, received_at_ms: TimeMs) -> AcceptedId {
        let repeat_window_ms = rules.repeat_window_ms.min(LONGEST_REPEAT_WINDOW_MS);
        AcceptedId { id: self.id, until_ms: received_at_ms.saturating_add(repeat_window_ms) }
    }

    /// Says which commit stores it.
    pub(super) fn fly(mut self, commit: &Arc<Commit>) {
        self.ids.insert(self.id, Arc::clone(commit));
    }
}

impl Inner {
    /// Locks an entry's id, in its user's turn.
    pub(super) fn claim_id(
        &self,
        arriving: &Arriving<'_>,
        received_at_ms: TimeMs,
    ) -> Result<Claimed<'_>, Error> {
        let Some(text) = arriving.id else { return Ok(Claimed::Free(None)) };
        let id = remembered_id(arriving, text);
        let ids = self.flight.id_turn(&id);
        Ok(match self.repeats(&ids, &id, received_at_ms)? {
            Some(receipt) => {
                self.count(|counts| counts.duplicates += 1);
                Claimed::Repeat(receipt)
            }
            None => Claimed::Free(Some(Claim { ids, id })),
        })
    }

    /// Where an id was accepted before: the receipt of that.
    fn repeats(&self, ids: &Ids, id: &Uuid, now_ms: TimeMs) -> Result<Option<Receipt>, Error> {
        if let Some(commit) = ids.get(id) {
            return Ok(Some(Receipt::of_commit(Arc::clone(commit))));
        }
        for day in self.engine.days()?.into_iter().filter(|day| *day >= day_of(now_ms)) {
            let until_ms = self.engine.get(Space::Ids(day), id.as_bytes())?;
            let until_ms =
                until_ms.and_then(|bytes| bytes.try_into().ok()).map(TimeMs::from_be_bytes);
            if until_ms.is_some_and(|until_ms| now_ms < until_ms) {
                return Ok(Some(Receipt::stored()));
            }
        }
        Ok(None)
    }
}

/// The day since the epoch that a time is in.
pub(super) const fn day_of(time_ms: TimeMs) -> i64 {
    time_ms.div_euclid(24 * 60 * 60 * 1000)
}

/// An id as it is remembered: with all within which it is unique.
fn remembered_id(arriving: &Arriving<'_>, text: &str) -> Uuid {
    let Arriving { kind, origin, environment, .. } = arriving;
    let length = environment.len();
    let name = format!("{kind}:{}:{length}:{environment}:{text}", origin.as_str());
    Uuid::new_v5(&ID_NAMESPACE, name.as_bytes())
}
