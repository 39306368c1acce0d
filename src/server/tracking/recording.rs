//! One part of a payload, and the call that records it.
//!
//! Must not know the form that it came in, nor when it is stored.

use std::collections::BTreeMap;
use std::time::Duration;

use super::names::event_key;
use super::payload::{NewEvent, NewExposure, NewMerge, Person};
use super::storing::{Seat, Storing};
use super::unused::{Reason, Unused};
use crate::client::{Exposure, Merge, Snapshot, Track, UserContext};
use crate::clock::{Stopwatch, TimeMs};
use crate::datafile::Datafile;
use crate::server::environment::Environment;
use crate::settings::TrackingSystem;
use crate::store::Receipt;

/// So long merges go on before it is looked whether others wait for this thread.
const MERGING: Duration = Duration::from_millis(10);
/// The longest user id: it stands in each of the user's records.
const LONGEST_ID_BYTES: usize = 4096;
/// A clock may be so far ahead of this one; times further ahead are never believed.
const A_LITTLE_AHEAD_MS: TimeMs = 5 * 60 * 1000;

/// A time as far as it is believed. A sender's clock may be a little ahead of this one, and what a request tells
/// has happened before it came in: its receipt is the time then, as it is of what has none. It is that of the
/// request, however long its parts wait for the disk. What is further ahead the store knows.
pub(super) fn believed(time_ms: Option<TimeMs>, received_at_ms: TimeMs) -> TimeMs {
    let is_ahead =
        |time_ms: TimeMs| (1..=A_LITTLE_AHEAD_MS).contains(&time_ms.saturating_sub(received_at_ms));
    time_ms.filter(|time_ms| !is_ahead(*time_ms)).unwrap_or(received_at_ms)
}

/// A user's id as it is recorded, if there is one that is not too long.
pub(super) fn user_id(prefix: &str, id: &str, of_nobody: &'static str) -> Result<String, Unused> {
    match id.len() {
        0 => Err(Unused::plain(Reason::NoUser, of_nobody)),
        1..=LONGEST_ID_BYTES => Ok(format!("{prefix}{id}")),
        _ => Err(Unused::plain(Reason::TooLarge, "the id of a user")),
    }
}

/// What all parts of a request are recorded with.
pub(super) struct Recording<'a> {
    pub(super) environment: &'a Environment,
    pub(super) system: TrackingSystem,
    pub(super) snapshot: &'a Snapshot<'a>,
    pub(super) datafile: &'a Datafile,
    pub(super) prefix: &'a str,
    pub(super) mapped: &'a BTreeMap<String, String>,
    pub(super) received_at_ms: TimeMs,
}

impl Recording<'_> {
    pub(super) fn expose(&self, new: &NewExposure) -> Result<Receipt, Unused> {
        let user_id = self.user_id(&new.person.id, "what nobody did")?;
        let user = self.user(&user_id, &new.person);
        let names = [(&new.experiment, &new.variation)].into_iter();
        let names =
            names.chain(new.or.iter().map(|(experiment, variation)| (experiment, variation)));
        let mut unused = None;
        for (experiment, variation) in names {
            let exposed = user.expose(self.exposure(new, experiment, variation));
            let Some(unknown) = exposed.unknown else {
                if exposed.is_activation {
                    self.environment.figures.activated(&exposed.receipt);
                }
                return Ok(exposed.receipt);
            };
            let reason = Reason::from(unknown);
            let of_no_use = if reason == Reason::UnknownExperiment {
                let flag_key = new.flag_key.as_ref().filter(|_| experiment.is_empty());
                let name = flag_key.unwrap_or(experiment);
                Unused::named(reason, "an exposure to the experiment", name)
            } else {
                Unused::named(reason, "an exposure to the variation", variation)
            };
            // Of several names, one that is half known tells more.
            if unused.is_none() || reason == Reason::UnknownVariation {
                unused = Some(of_no_use);
            }
        }
        Err(unused.unwrap_or(Unused::plain(Reason::NoName, "an exposure without a name")))
    }

    fn exposure<'n>(
        &self,
        new: &'n NewExposure,
        experiment: &'n str,
        variation: &'n str,
    ) -> Exposure<'n> {
        let mut exposure = match &new.flag_key {
            Some(flag_key) if experiment.is_empty() => {
                let variation = Some(variation).filter(|key| !key.is_empty());
                Exposure::without_rule(flag_key, variation)
            }
            Some(flag_key) => Exposure::new(experiment, variation).of_flag(flag_key),
            None => Exposure::new(experiment, variation),
        };
        if let Some(id) = &new.mark.id {
            exposure = exposure.id(id);
        }
        exposure.time_ms(believed(new.mark.time_ms, self.received_at_ms))
    }

    /// Each may read and credit all that waits for both users, which is to hold up nobody else: others go on on another
    /// thread meanwhile. That takes one, so that it is asked for once for many merges. Nothing comes after the first
    /// that the store refuses, so that who stops there gives back no seat of what is being stored.
    pub(super) fn merge_some<'n>(
        &self,
        merges: &mut std::slice::Iter<'n, NewMerge>,
        seat: Seat,
        storing: &mut Storing,
    ) -> Vec<(Seat, Result<Receipt, Unused>)> {
        tokio::task::block_in_place(|| {
            let watch = Stopwatch::start();
            let mut next_seat = Some(seat);
            let mut merged = Vec::new();
            while let (Some(seat), Some(merge)) = (next_seat.take(), merges.as_slice().first()) {
                let made = self.merge(merge);
                let is_refused = made.as_ref().is_ok_and(|receipt| receipt.refusal().is_some());
                merged.push((seat, made));
                merges.next();
                if !is_refused && watch.elapsed() < MERGING {
                    next_seat = storing.free_seat();
                }
            }
            merged
        })
    }

    fn merge(&self, new: &NewMerge) -> Result<Receipt, Unused> {
        let of = |id: &str| self.user_id(id, "a merge of nobody");
        let (from, into) = (of(&new.from_id)?, of(&new.into_id)?);
        let merge = Merge::new(&from).id(new.id.as_deref().unwrap_or_default());
        let user = self.snapshot.user(&into).from_origin(self.system.origin());
        Ok(user.merge_from(merge).receipt)
    }

    pub(super) fn track(&self, new: NewEvent) -> Result<Receipt, Unused> {
        let user_id = self.user_id(&new.person.id, "what nobody did")?;
        if new.name.is_empty() {
            return Err(Unused::plain(Reason::NoName, "an event without a name"));
        }
        let key = event_key(self.datafile, self.mapped, &new.name, new.or_id.as_deref());
        // What is unknown is counted as such by the call.
        let mut call = Track::new(key.unwrap_or(&new.name)).tags(new.tags);
        if new.has_plain_tags {
            call = call.measuring(new.revenue_cents, new.value);
        } else {
            call = new.revenue_cents.into_iter().fold(call, Track::revenue_cents);
            call = new.value.into_iter().fold(call, Track::value);
        }
        if let Some(count) = new.count {
            call = call.count(count);
        }
        if let Some(seconds) = new.duration_seconds {
            call = call.duration_seconds(seconds);
        }
        if let Some(id) = &new.mark.id {
            call = call.id(id);
        }
        call = call.time_ms(believed(new.mark.time_ms, self.received_at_ms));
        let tracked = self.user(&user_id, &new.person).track(call);
        if tracked.receipt.refusal().is_none() {
            self.environment.figures.tracked(&tracked.credits, tracked.reason);
        }
        if !tracked.is_known && tracked.reason.is_some() {
            return Err(Unused::named(Reason::UnknownEvent, "the event", &new.name));
        }
        Ok(tracked.receipt)
    }

    fn user_id(&self, id: &str, of_nobody: &'static str) -> Result<String, Unused> {
        user_id(self.prefix, id, of_nobody)
    }

    fn user<'u>(&'u self, user_id: &'u str, person: &'u Person) -> UserContext<'u> {
        let user = self.snapshot.user(user_id).from_origin(self.system.origin());
        user.with_all(person.shared.iter().chain(&person.own))
    }
}
