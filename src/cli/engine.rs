//! Answers calls with the library's client: the only part of the command that knows it.
//!
//! Must not know where calls come from or how answers are shown.

use std::collections::HashMap;
use std::sync::Arc;
use std::time::Duration;

use super::answer::{Answer, DecisionAnswer, TrackedAnswer, ordered_variables, to_json};
use super::call::{Ask, Call, TrackedEvent};
use crate::attribution::{Record, Rules};
use crate::client::{Activate, Client, MemoryProfileService, Track, UserContext};
use crate::clock::{Clock, TimeMs, system_time_ms};
use crate::datafile::Datafile;
use crate::decide::ForcedDecisions;
use crate::error::Error;
use crate::store::{MemoryLimits, MemoryStore, Outbox as _, Statistics, Store as _};

/// A client for one run of calls, with its clock, its ledger and what was forced.
#[derive(Debug)]
pub(super) struct Engine {
    client: Client,
    clock: Arc<Clock>,
    store: Arc<MemoryStore>,
    forced_decisions: HashMap<Box<str>, ForcedDecisions>,
    records_taken: u64,
}

/// How an engine is set up.
#[derive(Debug, Clone, Copy)]
pub(super) struct Setup {
    /// Keep a profile per user, so that variations stay.
    pub(super) is_sticky: bool,
    pub(super) late_window_ms: i64,
    /// Make records of what is sent.
    pub(super) makes_records: bool,
}

impl Engine {
    pub(super) fn new(datafile: Datafile, setup: Setup) -> Result<Self, Error> {
        // The file says when its calls were received, so the clock starts before all of them.
        let clock = Arc::new(Clock::manual(TimeMs::MIN));
        let store = Arc::new(MemoryStore::new(Arc::clone(&clock), limits(setup.makes_records)));
        let rules = Rules { late_window_ms: setup.late_window_ms, ..Rules::default() };
        let builder = Client::builder().datafile(datafile).rules(rules).store(store.clone());
        let client = if setup.is_sticky {
            builder.profile_service(MemoryProfileService::default()).build()?
        } else {
            builder.build()?
        };
        let forced_decisions = HashMap::new();
        Ok(Self { client, clock, store, forced_decisions, records_taken: 0 })
    }

    /// The time of a call's receipt: the call's own, else now, but never before that of an earlier call.
    ///
    /// What records nothing moves the clock only if it has a time: a change of the datafile within an
    /// old file of calls is not to end every window.
    pub(super) fn receive(&self, call: &Call<'_>) -> TimeMs {
        match call.time_ms {
            Some(time_ms) => self.clock.advance_to(time_ms),
            None if call.ask.may_record() => self.clock.advance_to(system_time_ms()),
            None => match self.clock.now_ms() {
                TimeMs::MIN => system_time_ms(),
                now_ms => now_ms,
            },
        }
    }

    /// Answers a call. `setDatafile` is for [`Engine::swap`].
    pub(super) fn answer(&mut self, call: &Call<'_>) -> Answer {
        if let Some(answer) = self.arrange(call) {
            return answer;
        }
        let user = self.user(call);
        match &call.ask {
            Ask::Activate { experiment_key, id } => {
                let activate = Activate::new(experiment_key);
                let activated = user.activate(match id {
                    Some(id) => activate.id(id),
                    None => activate,
                });
                Answer::activation(&activated)
            }
            Ask::GetVariation { experiment_key } => {
                Answer::variation(user.get_variation(experiment_key).variation_key())
            }
            Ask::Track(event) => Answer::Tracked(TrackedAnswer::new(user.track(track(event)))),
            Ask::IsFeatureEnabled { flag_key } => {
                Answer::Enabled { enabled: user.is_feature_enabled(flag_key) }
            }
            Ask::GetEnabledFeatures => {
                let mut flag_keys = user.get_enabled_features();
                flag_keys.sort_unstable();
                Answer::FlagKeys { flag_keys }
            }
            Ask::GetFeatureVariable { flag_key, variable_key } => {
                let value = user.get_feature_variable(flag_key, variable_key);
                Answer::Value { value: value.as_ref().map(to_json) }
            }
            Ask::GetAllFeatureVariables { flag_key } => {
                let variables = user.get_all_feature_variables(flag_key);
                Answer::Variables { variables: variables.as_ref().map(ordered_variables) }
            }
            _ => self.decide(call),
        }
    }

    /// Puts another datafile in force.
    pub(super) fn swap(&self, datafile: Datafile) {
        self.client.swap(datafile);
    }

    /// The records made since they were last taken.
    pub(super) fn take_records(&mut self) -> Vec<Arc<Record>> {
        let waiting = self.store.outbox(self.records_taken, usize::MAX, Duration::ZERO);
        // The store in memory can always be read.
        let waiting = waiting.unwrap_or_default();
        if let Some((latest, _)) = waiting.last() {
            self.records_taken = *latest;
            self.store.release(*latest);
        }
        waiting.into_iter().map(|(_, record)| record).collect()
    }

    pub(super) fn statistics(&self) -> Statistics {
        self.store.statistics()
    }

    /// Answers the calls that only change what later calls see, or look at that.
    fn arrange(&mut self, call: &Call<'_>) -> Option<Answer> {
        let user = self.client.user(call.user_id);
        let forced = &mut self.forced_decisions;
        let ok = match &call.ask {
            Ask::SetForcedVariation { experiment_key, variation_key } => {
                user.set_forced_variation(experiment_key, *variation_key)
            }
            Ask::GetForcedVariation { experiment_key } => {
                let variation_key = user.get_forced_variation(experiment_key);
                return Some(Answer::variation(variation_key.as_deref()));
            }
            Ask::SetForcedDecision { flag_key, rule_key, variation_key } => {
                let of_user = forced.entry(call.user_id.into()).or_default();
                of_user.set(flag_key, *rule_key, variation_key);
                true
            }
            Ask::RemoveForcedDecision { flag_key, rule_key } => forced
                .get_mut(call.user_id)
                .is_some_and(|of_user| of_user.remove(flag_key, *rule_key)),
            Ask::RemoveAllForcedDecisions => {
                forced.remove(call.user_id);
                true
            }
            _ => return None,
        };
        Some(Answer::Done { ok })
    }

    /// Answers the decide calls: only they see segments and forced decisions, as in the SDKs.
    fn decide(&self, call: &Call<'_>) -> Answer {
        let mut user = self.user(call);
        if let Some(segments) = &call.segments {
            user = user.with_segments(segments);
        }
        if let Some(forced) = self.forced_decisions.get(call.user_id) {
            user = user.with_forced_decisions(forced.clone());
        }
        match &call.ask {
            Ask::Decide { flag_key, options } => Answer::Decision(DecisionAnswer::new(
                user.decide_with(flag_key, *options),
                *options,
            )),
            Ask::DecideForKeys { flag_keys, options } => {
                Answer::decisions(user.decide_for_keys(flag_keys, *options), *options)
            }
            Ask::DecideAll { options } => Answer::decisions(user.decide_all(*options), *options),
            _ => Answer::Done { ok: false },
        }
    }

    fn user<'c>(&'c self, call: &'c Call<'_>) -> UserContext<'c> {
        let user = self.client.user(call.user_id);
        let user = match call.time_ms {
            Some(time_ms) => user.at(time_ms),
            None => user,
        };
        let with = |user: UserContext<'c>, (key, value)| user.with(key, value);
        call.attributes.iter().map(|attribute| (attribute.key(), attribute.value)).fold(user, with)
    }
}

/// A replay forgets nothing of what its file tells: memory is the only bound.
fn limits(makes_records: bool) -> MemoryLimits {
    MemoryLimits {
        users: usize::MAX,
        activations_per_user: usize::MAX,
        pending_events: usize::MAX,
        pending_events_per_user: usize::MAX,
        ids: usize::MAX,
        waiting_records: if makes_records { usize::MAX } else { 0 },
        dead_letters: usize::MAX,
    }
}

fn track<'e>(event: &TrackedEvent<'e>) -> Track<'e> {
    let mut track = Track::new(event.event_key);
    if let Some(id) = event.id {
        track = track.id(id);
    }
    if let Some(tags) = event.tags {
        track = track.tags(tags.clone());
    }
    if let Some(count) = event.count {
        track = track.count(count);
    }
    if let Some(seconds) = event.duration_seconds {
        track = track.duration_seconds(seconds);
    }
    track
}
