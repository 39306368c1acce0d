//! A merge: the turn of two users at once, who may be in two shards.
//!
//! Must not know the rule. Of two shards the one with the lower place is locked first, by everybody.

use std::cmp::Ordering;
use std::hash::BuildHasher;

use parking_lot::MutexGuard;

use super::MemoryStore;
use super::ids::{EntryKind, IdKey};
use super::shard::{Held, Shard, UserKey};
use super::turn::late_records;
use crate::attribution::{MergeOutcome, MergePlan, NewMerge, Rules, UserRow, plan_merge};
use crate::clock::TimeMs;
use crate::store::{Receipt, Recorded};

/// The shards of the two users of a merge, locked.
struct Shards<'s> {
    into: MutexGuard<'s, Shard>,
    /// `None` where it is the same one.
    from: Option<MutexGuard<'s, Shard>>,
}

impl Shards<'_> {
    fn from(&mut self) -> &mut Shard {
        self.from.as_deref_mut().unwrap_or(&mut self.into)
    }
}

impl MemoryStore {
    pub(super) fn take_merge(
        &self,
        environment: &str,
        rules: &Rules,
        merge: &NewMerge<'_>,
    ) -> Recorded<MergeOutcome> {
        let into = self.user(environment, merge.into_user_id);
        let from = self.user(environment, merge.from_user_id);
        let mut shards = self.shards_of(&into, &from);
        let received_at_ms = self.clock.now_ms();
        shards.into.sweep(received_at_ms);
        shards.from().sweep(received_at_ms);
        let mut claim = None;
        if let Some(id) = merge.id {
            let key = IdKey { environment, kind: EntryKind::Merge, origin: merge.origin, id };
            claim = self.ids.claim(&key, received_at_ms);
            if claim.is_none() {
                shards.into.counts.duplicates += 1;
                let outcome = MergeOutcome::repeated();
                return Recorded { outcome, receipt: Receipt::stored() };
            }
        }
        let plan = shards.plan((&into, &from), rules, received_at_ms);
        let outcome = plan.as_ref().map(MergeOutcome::from).unwrap_or_default();
        let has_records = !outcome.late_credits.is_empty();
        if has_records && let Err(refusal) = self.records.reserve() {
            shards.into.counts.refused_records += outcome.late_credits.len() as u64;
            return Recorded { outcome, receipt: Receipt::refused(refusal) };
        }
        if let Some(claim) = claim {
            claim.accept(received_at_ms.saturating_add(rules.repeat_window_ms));
        }
        if let Some(plan) = plan {
            self.commit_merge(&mut shards, (&into, &from), plan);
        }
        drop(shards);
        if has_records {
            self.records.wake();
        }
        Recorded { outcome, receipt: Receipt::stored() }
    }

    fn commit_merge(
        &self,
        shards: &mut Shards<'_>,
        (into, from): (&UserKey<'_>, &UserKey<'_>),
        plan: MergePlan<Held>,
    ) {
        if !plan.late_credits.is_empty() && self.records.are_kept() {
            let records = late_records(&plan.into, plan.late_credits);
            // What both were shown before comes before it.
            if let Some(shard) = &mut shards.from {
                self.records.bring(shard.captured.take());
            }
            self.records.arrive(shards.into.captured.take(), records);
        }
        // First, so that there is room for the other one where the shard is full.
        shards.from().put_row(from, plan.from, false);
        shards.into.put_row(into, plan.into, plan.moved > 0);
        shards.into.counts.crossovers += plan.crossovers as u64;
        shards.into.counts.forgotten_activations += plan.forgotten.activations as u64;
        shards.into.counts.forgotten_events += plan.forgotten.pending_events as u64;
    }

    fn user<'a>(&self, environment: &'a str, user_id: &'a str) -> UserKey<'a> {
        UserKey { hash: self.hasher.hash_one((environment, user_id)), environment, user_id }
    }

    fn shards_of(&self, into: &UserKey<'_>, from: &UserKey<'_>) -> Shards<'_> {
        let lock = |user: &UserKey<'_>| self.shard(user.hash).lock();
        match self.shard_place(into.hash).cmp(&self.shard_place(from.hash)) {
            Ordering::Equal => Shards { into: lock(into), from: None },
            Ordering::Less => {
                let into = lock(into);
                Shards { into, from: Some(lock(from)) }
            }
            Ordering::Greater => {
                let from = lock(from);
                Shards { into: lock(into), from: Some(from) }
            }
        }
    }
}

impl Shards<'_> {
    /// `None` where it means nothing: there is no such user, or it is the same one.
    fn plan(
        &mut self,
        (into, from): (&UserKey<'_>, &UserKey<'_>),
        rules: &Rules,
        now_ms: TimeMs,
    ) -> Option<MergePlan<Held>> {
        if into.user_id == from.user_id {
            return None;
        }
        let from = self.from().living_row(from, now_ms)?;
        let bounds = *self.into.row_bounds();
        let row: Option<UserRow<Held>> = self.into.living_row(into, now_ms);
        Some(plan_merge(row.unwrap_or_default(), from, into.environment, rules, &bounds))
    }
}
