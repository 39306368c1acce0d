//! Answers calls with the library's client: the only part of the command that knows it.
//!
//! Must not know where calls come from or how answers are shown.

use std::collections::HashMap;
use std::path::Path;
use std::sync::Arc;

use super::answer::{Answer, DecisionAnswer, TrackedAnswer, ordered_variables, to_json};
use super::call::{Ask, Call, TrackedEvent};
use super::ledger::Ledger;
use crate::attribution::{Record, Rules};
use crate::client::{Activate, Client, Durability, MemoryProfileService, Track, UserContext};
use crate::clock::{Clock, TimeMs, system_time_ms};
use crate::datafile::Datafile;
use crate::decide::ForcedDecisions;
use crate::error::Error;
use crate::store::{Receipt, Statistics};

/// A client for one run of calls, with its clock, its ledger and what was forced.
#[derive(Debug)]
pub(super) struct Engine {
    client: Client,
    clock: Arc<Clock>,
    ledger: Ledger,
    forced_decisions: HashMap<Box<str>, ForcedDecisions>,
}

/// How an engine is set up.
#[derive(Debug, Clone, Copy)]
pub(super) struct Setup<'a> {
    /// The folder of a store on disk; without one, everything is in memory.
    pub(super) store: Option<&'a Path>,
    /// Keep a profile per user, so that variations stay.
    pub(super) is_sticky: bool,
    pub(super) late_window_ms: i64,
    /// Make records of what is sent.
    pub(super) makes_records: bool,
}

impl Engine {
    pub(super) fn new(datafile: Datafile, setup: Setup<'_>) -> Result<Self, Error> {
        // The file says when its calls were received, so the clock starts before all of them.
        let clock = Arc::new(Clock::manual(TimeMs::MIN));
        let ledger = match setup.store {
            Some(folder) => Ledger::on_disk(folder, &clock, setup.makes_records)?,
            None => Ledger::in_memory(Arc::clone(&clock), setup.makes_records),
        };
        let rules = Rules { late_window_ms: setup.late_window_ms, ..Rules::default() };
        let builder = Client::builder()
            .datafile(datafile)
            .rules(rules)
            .store(ledger.store())
            .durability(Durability::Wait);
        let client = if setup.is_sticky {
            builder.profile_service(MemoryProfileService::default()).build()?
        } else {
            builder.build()?
        };
        let forced_decisions = HashMap::new();
        Ok(Self { client, clock, ledger, forced_decisions })
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
                match refusal(&activated.receipt) {
                    Some(refused) => refused,
                    None => Answer::activation(&activated),
                }
            }
            Ask::GetVariation { experiment_key } => {
                Answer::variation(user.get_variation(experiment_key).variation_key())
            }
            Ask::Track(event) => {
                let tracked = user.track(track(event));
                match refusal(&tracked.receipt) {
                    Some(refused) => refused,
                    None => Answer::Tracked(TrackedAnswer::new(tracked)),
                }
            }
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
    pub(super) fn take_records(&mut self) -> Result<Vec<Arc<Record>>, Error> {
        self.ledger.take_records()
    }

    /// Whether something that the last call would have recorded was not stored.
    pub(super) fn has_refused(&mut self) -> bool {
        self.ledger.has_refused()
    }

    pub(super) fn statistics(&self) -> Statistics {
        self.ledger.statistics()
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

/// The answer where the store has refused: what was not stored is not acknowledged.
fn refusal(receipt: &Receipt) -> Option<Answer> {
    let mut error = receipt.refusal()?.to_string();
    let mut cause = std::error::Error::source(receipt.refusal()?);
    while let Some(deeper) = cause {
        error = format!("{error}: {deeper}");
        cause = deeper.source();
    }
    Some(Answer::Error { error })
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
