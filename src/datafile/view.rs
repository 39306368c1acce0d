//! What a user of the crate sees of a compiled datafile and its rules.
//!
//! Must not know how it is made or used.

use std::sync::Arc;

use super::model::{
    Audience, Audiences, Datafile, DeclaredAttribute, Event, Flag, FlagIndex, Group, GroupIndex,
    Integration, Rule, RuleIndex, RuleKind, RuleType, Variation,
};
use super::project::{Project, Region};
use crate::allocation::Allocation;

impl Datafile {
    /// The version of its format: `"2"`, `"3"` or `"4"`.
    #[must_use]
    pub fn version(&self) -> &str {
        &self.version
    }

    /// The account that it belongs to.
    #[must_use]
    pub fn account_id(&self) -> &str {
        &self.project.account_id
    }

    /// The project that it belongs to.
    #[must_use]
    pub fn project_id(&self) -> &str {
        &self.project.project_id
    }

    /// Its revision, as written.
    #[must_use]
    pub fn revision(&self) -> &str {
        &self.project.revision
    }

    /// What the event API is told of it with every record: account, project, revision and the like.
    #[must_use]
    pub fn project(&self) -> &Arc<Project> {
        &self.project
    }

    /// The SDK key that it was made for.
    #[must_use]
    pub fn sdk_key(&self) -> Option<&str> {
        self.sdk_key.as_deref()
    }

    /// The environment that it was made for.
    #[must_use]
    pub fn environment_key(&self) -> Option<&str> {
        self.environment_key.as_deref()
    }

    /// Where the results service of its project stands.
    #[must_use]
    pub fn region(&self) -> Region {
        self.project.region
    }

    /// Whether the results service is asked to forget addresses.
    #[must_use]
    pub fn anonymizes_ip(&self) -> bool {
        self.project.anonymizes_ip
    }

    /// Whether bots are filtered; `None` where the datafile says nothing.
    #[must_use]
    pub fn bot_filtering(&self) -> Option<bool> {
        self.project.filters_bots
    }

    /// Whether decisions by rollouts, and empty ones, are reported.
    #[must_use]
    pub fn sends_flag_decisions(&self) -> bool {
        self.sends_flag_decisions
    }

    /// The JSON text that it was compiled from, without a byte-order mark.
    #[must_use]
    pub fn text(&self) -> &str {
        &self.text
    }

    /// The attributes that it declares.
    #[must_use]
    pub fn attributes(&self) -> &[DeclaredAttribute] {
        &self.attributes
    }

    /// The audiences: typed ones, then the others.
    #[must_use]
    pub fn audiences(&self) -> &[Audience] {
        &self.audiences
    }

    /// The groups of experiments.
    #[must_use]
    pub fn groups(&self) -> &[Group] {
        &self.groups
    }

    /// All rules: experiments, those of groups, rollout rules, holdouts.
    #[must_use]
    pub fn rules(&self) -> &[Rule] {
        &self.rules
    }

    /// The experiments, in groups or not.
    pub fn experiments(&self) -> impl Iterator<Item = &Rule> {
        self.rules.iter().filter(|rule| rule.kind == RuleKind::Experiment)
    }

    /// The holdouts, global and local, whatever their status.
    pub fn holdouts(&self) -> impl Iterator<Item = &Rule> {
        self.rules.iter().filter(|rule| rule.kind == RuleKind::Holdout)
    }

    /// The feature flags.
    #[must_use]
    pub fn flags(&self) -> &[Flag] {
        &self.flags
    }

    /// The events.
    #[must_use]
    pub fn events(&self) -> &[Event] {
        &self.events
    }

    /// The integrations with other products.
    #[must_use]
    pub fn integrations(&self) -> &[Integration] {
        &self.integrations
    }

    /// The global holdouts that run.
    #[must_use]
    pub fn global_holdouts(&self) -> &[RuleIndex] {
        &self.global_holdouts
    }

    /// All holdouts that run, global and local.
    #[must_use]
    pub fn running_holdouts(&self) -> &[RuleIndex] {
        &self.running_holdouts
    }

    /// The experiment with a key; of several, the last.
    #[must_use]
    pub fn experiment_by_key(&self, key: &str) -> Option<&Rule> {
        self.rule(self.experiment_by_key.get(key)?)
    }

    /// The rule of any kind with an id; of several, the last, but never a holdout in place of another rule.
    #[must_use]
    pub fn rule_by_id(&self, id: &str) -> Option<&Rule> {
        self.rule(*self.rule_by_id.get(id)?)
    }

    /// The flag with a key; of several, the last.
    #[must_use]
    pub fn flag_by_key(&self, key: &str) -> Option<&Flag> {
        self.flag(self.flag_by_key.get(key)?)
    }

    /// The event with a key; of several, the last.
    #[must_use]
    pub fn event_by_key(&self, key: &str) -> Option<&Event> {
        self.event(self.event_by_key.get(key)?)
    }

    /// The event with an id; of several, the first.
    #[must_use]
    pub fn event_by_id(&self, id: &str) -> Option<&Event> {
        self.event(*self.event_by_id.get(id)?)
    }

    /// The attribute with a key; of several, the last.
    #[must_use]
    pub fn attribute_by_key(&self, key: &str) -> Option<&DeclaredAttribute> {
        self.attributes.get(self.attribute_by_key.get(key)?)
    }
}

impl Rule {
    /// Its id.
    #[must_use]
    pub fn id(&self) -> &str {
        &self.id
    }

    /// Its key.
    #[must_use]
    pub fn key(&self) -> &str {
        &self.key
    }

    /// The campaign id of its events: the layer id where there is one, else its own id.
    #[must_use]
    pub fn campaign_id(&self) -> &str {
        &self.campaign_id
    }

    /// Its type.
    #[must_use]
    pub fn rule_type(&self) -> RuleType {
        self.rule_type
    }

    /// Its status, as written; empty where there is none.
    #[must_use]
    pub fn status(&self) -> &str {
        &self.status
    }

    /// Whether its status is `Running`. Rollout rules serve whatever theirs is.
    #[must_use]
    pub fn is_running(&self) -> bool {
        self.is_running
    }

    /// The group that it is in.
    #[must_use]
    pub fn group(&self) -> Option<GroupIndex> {
        self.group
    }

    /// Which audiences it is for.
    #[must_use]
    pub fn audiences(&self) -> &Audiences {
        &self.audiences
    }

    /// Its audience conditions as JSON text, as written; `None` where only audience ids are named.
    #[must_use]
    pub fn audience_conditions_text(&self) -> Option<&str> {
        self.audience_conditions_text.as_deref()
    }

    /// How its traffic is split; targets are places in [`Rule::variations`]. Of a contextual bandit: who takes part.
    #[must_use]
    pub fn allocation(&self) -> &Allocation {
        &self.allocation
    }

    /// Its variations.
    #[must_use]
    pub fn variations(&self) -> &[Variation] {
        &self.variations
    }

    /// The variation with a key; of several, the last.
    #[must_use]
    pub fn variation_by_key(&self, key: &str) -> Option<&Variation> {
        self.variation(*self.variation_by_key.get(key)?)
    }

    /// The variation with an id; of several, the last.
    #[must_use]
    pub fn variation_by_id(&self, id: &str) -> Option<&Variation> {
        self.variation(*self.variation_by_id.get(id)?)
    }

    /// The users that the datafile gives a variation to, in no order; `Err` holds a key that names none.
    pub fn whitelist(&self) -> impl Iterator<Item = (&str, Result<&Variation, &str>)> {
        self.whitelist.iter().map(|(user_id, found)| {
            let found = match found {
                Ok(index) => self.variation(*index).ok_or(""),
                Err(key) => Err(&**key),
            };
            (&**user_id, found)
        })
    }

    /// The local holdouts that run and name it.
    #[must_use]
    pub fn local_holdouts(&self) -> &[RuleIndex] {
        &self.local_holdouts
    }

    /// Of a contextual bandit: the ids of the attributes that its prediction may use.
    pub fn prediction_attribute_ids(&self) -> impl Iterator<Item = &str> {
        self.prediction_attribute_ids.iter().map(|id| &**id)
    }

    /// Of a holdout: whether targeted deliveries are decided as if it were not there.
    #[must_use]
    pub fn excludes_targeted_deliveries(&self) -> bool {
        self.excludes_targeted_deliveries
    }

    /// The first flag that uses it as an experiment.
    #[must_use]
    pub fn flag(&self) -> Option<FlagIndex> {
        self.flag
    }
}

impl Variation {
    /// Its id.
    #[must_use]
    pub fn id(&self) -> &str {
        &self.id
    }

    /// Its key.
    #[must_use]
    pub fn key(&self) -> &str {
        &self.key
    }

    /// Whether the flag is on for users with it.
    #[must_use]
    pub fn is_feature_enabled(&self) -> bool {
        self.is_feature_enabled
    }

    /// The text that it gives to a variable, by the variable's id; `None` where the default stays.
    #[must_use]
    pub fn value_text(&self, variable_id: &str) -> Option<&str> {
        // Values stand in the order of their variables' ids.
        let place = self.values.partition_point(|value| *value.variable_id < *variable_id);
        let value = self.values.get(place).filter(|value| *value.variable_id == *variable_id);
        value.map(|value| &*value.text)
    }
}

/// One line: what it is, not all that is in it.
impl std::fmt::Debug for Datafile {
    fn fmt(&self, formatter: &mut std::fmt::Formatter<'_>) -> std::fmt::Result {
        formatter
            .debug_struct("Datafile")
            .field("project_id", &self.project_id())
            .field("revision", &self.revision())
            .field("flags", &self.flags.len())
            .field("rules", &self.rules.len())
            .finish_non_exhaustive()
    }
}
