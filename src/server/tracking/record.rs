//! From a payload to the store, and back to what became of it.
//!
//! Must not know the form that it came in.

use std::collections::BTreeMap;

use super::names::event_key;
use super::payload::{NewEvent, NewExposure, NewMerge, Payload, Person};
use super::unused::{AllUnused, Reason, Unused};
use crate::client::{Exposure, Merge, Snapshot, Track, UserContext};
use crate::clock::{TimeMs, system_time_ms};
use crate::datafile::Datafile;
use crate::server::app::App;
use crate::server::environment::Environment;
use crate::server::refusal::Refusal;
use crate::settings::TrackingSystem;
use crate::store::Receipt;

/// So many are handed to the store before others get their turn.
const BETWEEN_TURNS: usize = 64;
/// So many of a request wait for the disk at most, and no more than a part of all that may. Each may hold a row of the
/// ledger until it is stored.
const MOST_AT_ONCE: usize = 512;
const PARTS_OF_THE_QUEUE: usize = 128;
/// The longest user id: it stands in each of the user's records.
const LONGEST_ID_BYTES: usize = 4096;
/// A clock may be so far ahead of this one; times further ahead are never believed.
const A_LITTLE_AHEAD_MS: TimeMs = 5 * 60 * 1000;

/// Records all of a payload: exposures, then merges, then events. When it returns, all of it is stored; a refusal means
/// that some of it is not, and all of it is to be sent again.
pub(super) async fn record(
    app: &App,
    environment: &Environment,
    system: TrackingSystem,
    payload: Payload,
) -> Result<(), Refusal> {
    let settings = app.in_force.now();
    let snapshot = environment.client.snapshot();
    let Some(datafile) = snapshot.datafile() else { return Err(Refusal::not_ready()) };
    let recording = Recording {
        environment,
        system,
        snapshot: &snapshot,
        datafile,
        prefix: settings.tracking.user_prefixes.get(&system).map_or("", String::as_str),
        mapped: &settings.tracking.events,
        received_at_ms: system_time_ms(),
    };
    let Payload { exposures, merges, events, unused } = payload;
    let mut storing = Storing::new(app, environment, unused);
    for exposure in &exposures {
        storing.keep(recording.expose(exposure)).await?;
    }
    for merge in &merges {
        // It may read and credit all that waits for both.
        let merged = tokio::task::block_in_place(|| recording.merge(merge));
        storing.keep(merged).await?;
    }
    for event in events {
        storing.keep(recording.track(event)).await?;
    }
    storing.wait().await?;
    storing.unused.note(app, Some(environment), system);
    Ok(())
}

/// Lets others have their turn, every so often.
pub(super) async fn let_others(place: usize) {
    if place % BETWEEN_TURNS == BETWEEN_TURNS - 1 {
        tokio::task::yield_now().await;
    }
}

/// A time as far as it is believed. A sender's clock may be a little ahead of this one, and what a request tells
/// has happened before it came in: its receipt is the time then, as it is of what has none. It is that of the
/// request, however long its parts wait for the disk. What is further ahead the store knows.
pub(super) fn believed(time_ms: Option<TimeMs>, received_at_ms: TimeMs) -> TimeMs {
    let is_ahead =
        |time_ms: TimeMs| (1..=A_LITTLE_AHEAD_MS).contains(&time_ms.saturating_sub(received_at_ms));
    time_ms.filter(|time_ms| !is_ahead(*time_ms)).unwrap_or(received_at_ms)
}

/// What is being stored: some of it at a time, so that one request neither fills the store's queue nor is ever too
/// large for it.
struct Storing<'a> {
    environment: &'a Environment,
    at_once: usize,
    receipts: Vec<Receipt>,
    place: usize,
    used: usize,
    unused: AllUnused,
}

impl<'a> Storing<'a> {
    fn new(app: &App, environment: &'a Environment, unused: AllUnused) -> Self {
        let at_once = app.settings.store.queue_entries / PARTS_OF_THE_QUEUE;
        let at_once = at_once.clamp(1, MOST_AT_ONCE);
        Self { environment, at_once, receipts: Vec::new(), place: 0, used: 0, unused }
    }

    async fn keep(&mut self, made: Result<Receipt, Unused>) -> Result<(), Refusal> {
        match made {
            Ok(receipt) => {
                self.used += 1;
                self.receipts.push(receipt);
            }
            Err(of_no_use) => self.unused.push(of_no_use),
        }
        if self.receipts.len() >= self.at_once {
            self.wait().await?;
        }
        self.place += 1;
        let_others(self.place).await;
        Ok(())
    }

    /// Waits until all is stored that was handed to the store.
    async fn wait(&mut self) -> Result<(), Refusal> {
        let (receipts, environment, used) = (&mut self.receipts, self.environment, self.used);
        let stored = async {
            let mut stored = Ok(());
            for receipt in receipts.drain(..) {
                stored = stored.and(receipt.await);
            }
            stored.map_err(|cause| {
                let refusal = environment.not_stored(&cause);
                if used > 1 { Refusal::not_all_stored() } else { refusal }
            })
        };
        environment.in_time(stored).await
    }
}

struct Recording<'a> {
    environment: &'a Environment,
    system: TrackingSystem,
    snapshot: &'a Snapshot<'a>,
    datafile: &'a Datafile,
    prefix: &'a str,
    mapped: &'a BTreeMap<String, String>,
    received_at_ms: TimeMs,
}

impl Recording<'_> {
    fn expose(&self, new: &NewExposure) -> Result<Receipt, Unused> {
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

    fn merge(&self, new: &NewMerge) -> Result<Receipt, Unused> {
        let of = |id: &str| self.user_id(id, "a merge of nobody");
        let (from, into) = (of(&new.from_id)?, of(&new.into_id)?);
        let merge = Merge::new(&from).id(new.id.as_deref().unwrap_or_default());
        let user = self.snapshot.user(&into).from_origin(self.system.origin());
        Ok(user.merge_from(merge).receipt)
    }

    fn track(&self, new: NewEvent) -> Result<Receipt, Unused> {
        let user_id = self.user_id(&new.person.id, "what nobody did")?;
        if new.name.is_empty() {
            return Err(Unused::plain(Reason::NoName, "an event without a name"));
        }
        let key = event_key(self.datafile, self.mapped, &new.name);
        // What is unknown is counted as such by the call.
        let mut call = Track::new(key.unwrap_or(&new.name)).tags(new.tags);
        if let Some(cents) = new.revenue_cents {
            call = call.revenue_cents(cents);
        }
        if let Some(value) = new.value {
            call = call.value(value);
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
        match id.len() {
            0 => Err(Unused::plain(Reason::NoUser, of_nobody)),
            1..=LONGEST_ID_BYTES => Ok(format!("{}{id}", self.prefix)),
            _ => Err(Unused::plain(Reason::TooLarge, "the id of a user")),
        }
    }

    fn user<'u>(&'u self, user_id: &'u str, person: &'u Person) -> UserContext<'u> {
        let user = self.snapshot.user(user_id).from_origin(self.system.origin());
        user.with_all(person.shared.iter().chain(&person.own))
    }
}
