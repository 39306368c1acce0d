//! OptimizelyConfig as JSON. Objects by key keep the datafile's order.
//!
//! Must not know how the view came about.

use serde::Serialize as Written;
use serde::ser::{Serialize, Serializer};

use crate::client::{
    Config, ConfigAttribute, ConfigAudience, ConfigEvent, ConfigExperiment, ConfigFeature,
    ConfigVariable, ConfigVariation,
};

#[derive(Debug, Written)]
#[serde(rename_all = "camelCase")]
pub(super) struct ConfigAnswer<'a> {
    environment_key: &'a str,
    sdk_key: &'a str,
    revision: &'a str,
    experiments_map: ByKey<&'a str, Experiment<'a>>,
    features_map: ByKey<&'a str, Feature<'a>>,
    attributes: Vec<Attribute<'a>>,
    audiences: Vec<Audience<'a>>,
    events: Vec<Event<'a>>,
}

#[derive(Debug, Written)]
#[serde(rename_all = "camelCase")]
struct Experiment<'a> {
    id: &'a str,
    key: &'a str,
    audiences: &'a str,
    variations_map: ByKey<&'a str, Variation<'a>>,
}

#[derive(Debug, Written)]
#[serde(rename_all = "camelCase")]
struct Variation<'a> {
    id: &'a str,
    key: &'a str,
    feature_enabled: bool,
    variables_map: ByKey<&'a str, Variable<'a>>,
}

#[derive(Debug, Written)]
struct Variable<'a> {
    id: &'a str,
    key: &'a str,
    r#type: &'a str,
    value: &'a str,
}

/// `experimentsMap` is an old form of `experimentRules`.
#[derive(Debug, Written)]
#[serde(rename_all = "camelCase")]
struct Feature<'a> {
    id: &'a str,
    key: &'a str,
    experiment_rules: Vec<Experiment<'a>>,
    delivery_rules: Vec<Experiment<'a>>,
    variables_map: ByKey<&'a str, Variable<'a>>,
    experiments_map: ByKey<&'a str, Experiment<'a>>,
}

#[derive(Debug, Written)]
struct Attribute<'a> {
    id: &'a str,
    key: &'a str,
}

#[derive(Debug, Written)]
struct Audience<'a> {
    id: &'a str,
    name: &'a str,
    conditions: &'a str,
}

#[derive(Debug, Written)]
#[serde(rename_all = "camelCase")]
struct Event<'a> {
    id: &'a str,
    key: &'a str,
    experiment_ids: &'a [String],
}

/// A list that is written as an object.
#[derive(Debug)]
struct ByKey<K, V>(Vec<(K, V)>);

impl<K: Serialize, V: Serialize> Serialize for ByKey<K, V> {
    fn serialize<S: Serializer>(&self, serializer: S) -> Result<S::Ok, S::Error> {
        serializer.collect_map(self.0.iter().map(|(key, value)| (key, value)))
    }
}

impl<'a> ConfigAnswer<'a> {
    pub(super) fn new(config: &'a Config) -> Self {
        Self {
            environment_key: &config.environment_key,
            sdk_key: &config.sdk_key,
            revision: &config.revision,
            experiments_map: experiments(&config.experiments),
            features_map: ByKey(
                config.features.iter().map(|one| (one.key.as_str(), feature(one))).collect(),
            ),
            attributes: config.attributes.iter().map(attribute).collect(),
            audiences: config.audiences.iter().map(audience).collect(),
            events: config.events.iter().map(event).collect(),
        }
    }
}

fn experiments(all: &[ConfigExperiment]) -> ByKey<&str, Experiment<'_>> {
    ByKey(all.iter().map(|one| (one.key.as_str(), experiment(one))).collect())
}

fn experiment(experiment: &ConfigExperiment) -> Experiment<'_> {
    let variations = experiment.variations.iter().map(|one| (one.key.as_str(), variation(one)));
    Experiment {
        id: &experiment.id,
        key: &experiment.key,
        audiences: &experiment.audiences,
        variations_map: ByKey(variations.collect()),
    }
}

fn variation(variation: &ConfigVariation) -> Variation<'_> {
    Variation {
        id: &variation.id,
        key: &variation.key,
        feature_enabled: variation.is_feature_enabled,
        variables_map: variables(&variation.variables),
    }
}

fn variables(all: &[ConfigVariable]) -> ByKey<&str, Variable<'_>> {
    ByKey(all.iter().map(|one| (one.key.as_str(), variable(one))).collect())
}

fn variable(variable: &ConfigVariable) -> Variable<'_> {
    let ConfigVariable { id, key, kind, value } = variable;
    Variable { id, key, r#type: kind, value }
}

fn feature(feature: &ConfigFeature) -> Feature<'_> {
    Feature {
        id: &feature.id,
        key: &feature.key,
        experiment_rules: feature.experiment_rules.iter().map(experiment).collect(),
        delivery_rules: feature.delivery_rules.iter().map(experiment).collect(),
        variables_map: variables(&feature.variables),
        experiments_map: experiments(&feature.experiment_rules),
    }
}

fn attribute(attribute: &ConfigAttribute) -> Attribute<'_> {
    Attribute { id: &attribute.id, key: &attribute.key }
}

fn audience(audience: &ConfigAudience) -> Audience<'_> {
    Audience { id: &audience.id, name: &audience.name, conditions: &audience.conditions }
}

fn event(event: &ConfigEvent) -> Event<'_> {
    Event { id: &event.id, key: &event.key, experiment_ids: &event.experiment_ids }
}
