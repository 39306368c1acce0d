//! From a payload to the store, and back to what became of it.
//!
//! Must not know the form that it came in.

use std::collections::BTreeMap;

use super::names::event_key;
use super::origin;
use super::payload::{NewEvent, NewExposure, NewMerge, Payload, Person};
use super::unused::{Reason, Unused};
use crate::client::{Exposure, Merge, Snapshot, Track, UserContext};
use crate::datafile::Datafile;
use crate::server::app::App;
use crate::server::environment::Environment;
use crate::server::refusal::Refusal;
use crate::settings::TrackingSystem;
use crate::store::Receipt;

/// So many are handed to the store before others get their turn.
const AT_ONCE: usize = 64;

/// What became of a payload that is stored.
#[derive(Debug, Default, Clone, Copy, PartialEq, Eq)]
pub(super) struct Done {
    /// Exposures and events of which use was made.
    pub(super) used: usize,
    /// Parts that were of no use, and are counted as such.
    pub(super) unused: usize,
}

/// Records all of a payload: exposures, then merges, then events. When it returns, all of it is stored; a refusal means
/// that some of it is not, and all of it is to be sent again.
pub(super) async fn record(
    app: &App,
    environment: &Environment,
    system: TrackingSystem,
    payload: Payload,
) -> Result<Done, Refusal> {
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
    };
    let Payload { exposures, merges, events, mut unused } = payload;
    let mut receipts = Vec::with_capacity(exposures.len() + merges.len() + events.len());
    for (place, exposure) in exposures.iter().enumerate() {
        let_others(place).await;
        keep(recording.expose(exposure), &mut receipts, &mut unused);
    }
    for (place, merge) in merges.iter().enumerate() {
        let_others(place).await;
        // It may read and credit all that waits for both.
        let merged = tokio::task::block_in_place(|| recording.merge(merge));
        keep(merged, &mut receipts, &mut unused);
    }
    for (place, event) in events.into_iter().enumerate() {
        let_others(place).await;
        keep(recording.track(event), &mut receipts, &mut unused);
    }
    let done = Done { used: receipts.len(), unused: unused.len() };
    let storing = async {
        let mut stored = Ok(());
        for receipt in receipts {
            stored = stored.and(receipt.await);
        }
        stored.map_err(|cause| {
            let refusal = environment.not_stored(&cause);
            if done.used > 1 { Refusal::not_all_stored() } else { refusal }
        })
    };
    environment.in_time(storing).await?;
    unused.iter().for_each(|unused| unused.note(app, environment, system));
    Ok(done)
}

/// Lets others have their turn, every so often.
pub(super) async fn let_others(place: usize) {
    if place % AT_ONCE == AT_ONCE - 1 {
        tokio::task::yield_now().await;
    }
}

fn keep(made: Result<Receipt, Unused>, receipts: &mut Vec<Receipt>, unused: &mut Vec<Unused>) {
    match made {
        Ok(receipt) => receipts.push(receipt),
        Err(of_no_use) => unused.push(of_no_use),
    }
}

struct Recording<'a> {
    environment: &'a Environment,
    system: TrackingSystem,
    snapshot: &'a Snapshot<'a>,
    datafile: &'a Datafile,
    prefix: &'a str,
    mapped: &'a BTreeMap<String, String>,
}

impl Recording<'_> {
    fn expose(&self, new: &NewExposure) -> Result<Receipt, Unused> {
        let user_id = self.user_id(&new.person)?;
        let user = self.user(&user_id, &new.person);
        let names = [(&new.experiment, &new.variation)].into_iter();
        let names =
            names.chain(new.or.iter().map(|(experiment, variation)| (experiment, variation)));
        let mut unused = None;
        for (experiment, variation) in names {
            let exposed = user.expose(Self::exposure(new, experiment, variation));
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

    fn exposure<'n>(new: &'n NewExposure, experiment: &'n str, variation: &'n str) -> Exposure<'n> {
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
        if let Some(time_ms) = new.mark.time_ms {
            exposure = exposure.time_ms(time_ms);
        }
        exposure
    }

    fn merge(&self, new: &NewMerge) -> Result<Receipt, Unused> {
        if new.from_id.is_empty() || new.into_id.is_empty() {
            return Err(Unused::plain(Reason::NoUser, "a merge of nobody"));
        }
        let of = |id: &str| format!("{}{id}", self.prefix);
        let (from, into) = (of(&new.from_id), of(&new.into_id));
        let merge = Merge::new(&from).id(new.id.as_deref().unwrap_or_default());
        let user = self.snapshot.user(&into).from_origin(origin(self.system));
        Ok(user.merge_from(merge).receipt)
    }

    fn track(&self, new: NewEvent) -> Result<Receipt, Unused> {
        let user_id = self.user_id(&new.person)?;
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
        if let Some(time_ms) = new.mark.time_ms {
            call = call.time_ms(time_ms);
        }
        let tracked = self.user(&user_id, &new.person).track(call);
        if tracked.receipt.refusal().is_none() {
            self.environment.figures.tracked(&tracked.credits, tracked.reason);
        }
        if !tracked.is_known && tracked.reason.is_some() {
            return Err(Unused::named(Reason::UnknownEvent, "the event", &new.name));
        }
        Ok(tracked.receipt)
    }

    fn user_id(&self, person: &Person) -> Result<String, Unused> {
        if person.id.is_empty() {
            return Err(Unused::plain(Reason::NoUser, "what nobody did"));
        }
        Ok(format!("{}{}", self.prefix, person.id))
    }

    fn user<'u>(&'u self, user_id: &'u str, person: &'u Person) -> UserContext<'u> {
        let user = self.snapshot.user(user_id).from_origin(origin(self.system));
        person.attributes.iter().fold(user, |user, (key, value)| user.with(key, value))
    }
}
