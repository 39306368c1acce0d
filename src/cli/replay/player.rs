//! Plays calls against a client, and gives the answers as JSON.
//!
//! Must not know files or formats.

use std::collections::HashMap;
use std::sync::Arc;
use std::time::Duration;

use serde_json::{Value, json};

use crate::attribution::{Record, Rules};
use crate::cli::call::{Call, Kind, TrackCall};
use crate::cli::failure::say;
use crate::cli::{answer, value};
use crate::client::{Activate, Client, ClientStatistics, MemoryProfileService, Track, UserContext};
use crate::clock::{Clock, TimeMs, system_time_ms};
use crate::datafile::Datafile;
use crate::decide::ForcedDecisions;
use crate::error::Error;
use crate::store::{MemoryLimits, MemoryStore, Store};

pub(super) struct PlayerSettings {
    pub(super) is_sticky: bool,
    pub(super) late_window_ms: i64,
    /// Whether someone takes the records after each call.
    pub(super) keeps_records: bool,
}

pub(super) struct Player {
    client: Client,
    /// Receipt times follow the calls' times, so that windows mean the same as when it happened.
    clock: Arc<Clock>,
    store: Arc<MemoryStore>,
    forced_decisions: HashMap<String, ForcedDecisions>,
    taken: u64,
}

impl Player {
    pub(super) fn new(datafile: Datafile, settings: &PlayerSettings) -> Result<Self, Error> {
        let clock = Arc::new(Clock::manual(TimeMs::MIN));
        let mut limits = MemoryLimits::default();
        if !settings.keeps_records {
            limits.waiting_records = 0;
        }
        let store = Arc::new(MemoryStore::new(Arc::clone(&clock), limits));
        let rules = Rules { late_window_ms: settings.late_window_ms, ..Rules::default() };
        let shared: Arc<dyn Store> = Arc::<MemoryStore>::clone(&store);
        let mut builder = Client::builder().datafile(datafile).store(shared).rules(rules);
        if settings.is_sticky {
            builder = builder.profile_service(MemoryProfileService::default());
        }
        Ok(Self {
            client: builder.build()?,
            clock,
            store,
            forced_decisions: HashMap::new(),
            taken: 0,
        })
    }

    /// The records that came since the last time.
    pub(super) fn take_records(&mut self) -> Vec<Arc<Record>> {
        let records = self.store.outbox(self.taken, usize::MAX, Duration::ZERO);
        if let Some((latest, _)) = records.last() {
            self.taken = *latest;
            self.store.release(self.taken);
        }
        records.into_iter().map(|(_, record)| record).collect()
    }

    pub(super) fn statistics(&self) -> ClientStatistics {
        self.client.statistics()
    }

    pub(super) fn now_ms(&self) -> TimeMs {
        self.clock.now_ms()
    }

    pub(super) fn answer(&mut self, call: &Call) -> Value {
        match (call.time_ms, &call.kind) {
            (Some(time_ms), _) => self.clock.advance_to(time_ms),
            // It happens to nobody, so it need not happen now.
            (None, Kind::SetDatafile { .. }) => self.clock.now_ms(),
            (None, _) => self.clock.advance_to(system_time_ms()),
        };
        match &call.kind {
            Kind::SetForcedDecision { flag_key, rule_key, variation_key } => {
                self.forced_decisions_of(call).set(flag_key, rule_key.as_deref(), variation_key);
                json!({ "ok": true })
            }
            Kind::RemoveForcedDecision { flag_key, rule_key } => {
                json!({ "ok": self.forced_decisions_of(call).remove(flag_key, rule_key.as_deref()) })
            }
            Kind::RemoveAllForcedDecisions => {
                self.forced_decisions.remove(&call.user_id);
                json!({ "ok": true })
            }
            Kind::SetDatafile { path } => json!({ "ok": self.set_datafile(path) }),
            Kind::Decide { .. } | Kind::DecideAll { .. } | Kind::DecideForKeys { .. } => {
                self.decide(call)
            }
            Kind::Activate { .. } | Kind::GetVariation { .. } | Kind::Track(_) => {
                self.experiment(call)
            }
            _ => self.feature(call),
        }
    }

    fn forced_decisions_of(&mut self, call: &Call) -> &mut ForcedDecisions {
        self.forced_decisions.entry(call.user_id.clone()).or_default()
    }

    fn user<'a>(&'a self, call: &'a Call) -> UserContext<'a> {
        let user = self.client.user(&call.user_id);
        let user = call
            .attributes
            .iter()
            .fold(user, |user, (key, given)| user.with(key, value::attribute(given)));
        match call.time_ms {
            Some(time_ms) => user.at(time_ms),
            None => user,
        }
    }

    fn experiment(&self, call: &Call) -> Value {
        let user = self.user(call);
        match &call.kind {
            Kind::Activate { experiment_key, id } => {
                let activate = Activate::new(experiment_key);
                let activate = id.as_deref().map_or(activate, |id| activate.id(id));
                answer::variation(user.activate(activate).variation_key())
            }
            Kind::GetVariation { experiment_key } => {
                answer::variation(user.get_variation(experiment_key).variation_key())
            }
            Kind::Track(track) => answer::tracked(&user.track(tracked_event(track))),
            _ => Value::Null,
        }
    }

    /// Only here are segments and forced decisions seen: the SDKs' other calls take none.
    fn decide(&self, call: &Call) -> Value {
        let segments = call.segments.as_ref();
        let segments: Option<Vec<&str>> =
            segments.map(|segments| segments.iter().map(String::as_str).collect());
        let forced = self.forced_decisions.get(&call.user_id).cloned().unwrap_or_default();
        let mut user = self.user(call).with_forced_decisions(forced);
        if let Some(segments) = &segments {
            user = user.with_segments(segments);
        }
        match &call.kind {
            Kind::Decide { flag_key, options } => {
                answer::decision(&user.decide_with(flag_key, *options), *options)
            }
            Kind::DecideAll { options } => answer::decisions(&user.decide_all(*options), *options),
            Kind::DecideForKeys { flag_keys, options } => {
                let flag_keys: Vec<&str> = flag_keys.iter().map(String::as_str).collect();
                answer::decisions(&user.decide_for_keys(&flag_keys, *options), *options)
            }
            _ => Value::Null,
        }
    }

    fn feature(&self, call: &Call) -> Value {
        let user = self.user(call);
        match &call.kind {
            Kind::IsFeatureEnabled { flag_key } => {
                json!({ "enabled": user.is_feature_enabled(flag_key) })
            }
            Kind::GetEnabledFeatures => {
                let mut flag_keys = user.get_enabled_features();
                flag_keys.sort_unstable();
                json!({ "flagKeys": flag_keys })
            }
            Kind::GetFeatureVariable { flag_key, variable_key } => {
                let found = user.get_feature_variable(flag_key, variable_key);
                json!({ "value": value::variable(found.as_ref()) })
            }
            Kind::GetAllFeatureVariables { flag_key } => {
                let found = user.get_all_feature_variables(flag_key);
                json!({ "variables": found.as_ref().map(value::variables) })
            }
            Kind::SetForcedVariation { experiment_key, variation_key } => {
                json!({ "ok": user.set_forced_variation(experiment_key, variation_key.as_deref()) })
            }
            Kind::GetForcedVariation { experiment_key } => {
                answer::variation(user.get_forced_variation(experiment_key).as_deref())
            }
            _ => Value::Null,
        }
    }

    fn set_datafile(&self, path: &str) -> bool {
        let compiled = std::fs::read(path)
            .map_err(anyhow::Error::from)
            .and_then(|text| Ok(Datafile::compile(&text)?));
        match compiled {
            Ok(compiled) => {
                self.client.swap(compiled.datafile);
                true
            }
            Err(error) => {
                let stays = "is not taken, the one before stays";
                say(&format!("variate: the datafile {path} {stays}: {error:#}"));
                false
            }
        }
    }
}

fn tracked_event(call: &TrackCall) -> Track<'_> {
    let mut track = Track::new(&call.event_key);
    if let Some(id) = &call.id {
        track = track.id(id);
    }
    if let Some(tags) = &call.tags {
        track = track.tags(tags.clone());
    }
    if let Some(count) = call.count {
        track = track.count(count);
    }
    if let Some(seconds) = call.duration_seconds {
        track = track.duration_seconds(seconds);
    }
    track
}
