//! From a compiled datafile to its configuration view.
//!
//! Must not know who looks at it.

use hashbrown::HashMap;

use super::audience_text::audience_text;
use super::{
    Config, ConfigAttribute, ConfigAudience, ConfigEvent, ConfigExperiment, ConfigFeature,
    ConfigVariable, ConfigVariation,
};
use crate::datafile::{Datafile, FILLER_AUDIENCE_ID, Flag, Rule, RuleIndex, Variable, Variation};

impl Config {
    /// The view of a datafile.
    #[must_use]
    pub fn new(datafile: &Datafile) -> Self {
        let shown =
            datafile.audiences().iter().filter(|audience| audience.id() != FILLER_AUDIENCE_ID);
        let names = shown.clone().map(|audience| (audience.id(), audience.name())).collect();
        let builder = Builder { datafile, names };
        Self {
            revision: datafile.revision().to_owned(),
            sdk_key: datafile.sdk_key().unwrap_or_default().to_owned(),
            environment_key: datafile.environment_key().unwrap_or_default().to_owned(),
            attributes: attributes(datafile),
            audiences: shown
                .map(|audience| ConfigAudience {
                    id: audience.id().to_owned(),
                    name: audience.name().to_owned(),
                    conditions: audience.conditions_text().to_owned(),
                })
                .collect(),
            events: events(datafile),
            experiments: last_by_key(datafile.experiments(), Rule::key)
                .map(|rule| builder.experiment(rule))
                .collect(),
            features: datafile.flags().iter().map(|flag| builder.feature(flag)).collect(),
        }
    }
}

struct Builder<'d> {
    datafile: &'d Datafile,
    /// Audience names by id.
    names: HashMap<&'d str, &'d str>,
}

impl Builder<'_> {
    fn feature(&self, flag: &Flag) -> ConfigFeature {
        let rules = |indices: &[RuleIndex]| -> Vec<&Rule> {
            indices.iter().filter_map(|index| self.datafile.rule(*index)).collect()
        };
        ConfigFeature {
            id: flag.id().to_owned(),
            key: flag.key().to_owned(),
            variables: variables(flag, None),
            experiment_rules: rules(flag.experiments())
                .into_iter()
                .map(|rule| self.experiment(rule))
                .collect(),
            delivery_rules: rules(flag.rollout())
                .into_iter()
                .map(|rule| self.rule(rule, Some(flag)))
                .collect(),
        }
    }

    /// An experiment shows the variables of the first flag that uses it.
    fn experiment(&self, rule: &Rule) -> ConfigExperiment {
        self.rule(rule, rule.flag().and_then(|flag| self.datafile.flag(flag)))
    }

    fn rule(&self, rule: &Rule, flag: Option<&Flag>) -> ConfigExperiment {
        let variation = |variation: &Variation| ConfigVariation {
            id: variation.id().to_owned(),
            key: variation.key().to_owned(),
            is_feature_enabled: variation.is_feature_enabled(),
            variables: flag.map(|flag| variables(flag, Some(variation))).unwrap_or_default(),
        };
        let conditions = rule.audience_conditions_text();
        ConfigExperiment {
            id: rule.id().to_owned(),
            key: rule.key().to_owned(),
            audiences: conditions.map(|text| audience_text(text, &self.names)).unwrap_or_default(),
            variations: last_by_key(rule.variations(), Variation::key).map(variation).collect(),
        }
    }
}

/// A flag's variables: the defaults, or what a variation that switches the flag on makes of them.
fn variables(flag: &Flag, variation: Option<&Variation>) -> Vec<ConfigVariable> {
    let variation = variation.filter(|variation| variation.is_feature_enabled());
    let value = |variable: &Variable| {
        variation
            .and_then(|variation| variation.value_text(variable.id()))
            .unwrap_or(variable.default_text())
            .to_owned()
    };
    last_by_key(flag.variables(), Variable::key)
        .map(|variable| ConfigVariable {
            id: variable.id().to_owned(),
            key: variable.key().to_owned(),
            kind: variable.kind_text().to_owned(),
            value: value(variable),
        })
        .collect()
}

fn attributes(datafile: &Datafile) -> Vec<ConfigAttribute> {
    let attribute = |attribute: &crate::datafile::DeclaredAttribute| ConfigAttribute {
        id: attribute.id().to_owned(),
        key: attribute.key().to_owned(),
    };
    datafile.attributes().iter().map(attribute).collect()
}

fn events(datafile: &Datafile) -> Vec<ConfigEvent> {
    let event = |event: &crate::datafile::Event| ConfigEvent {
        id: event.id().to_owned(),
        key: event.key().to_owned(),
        experiment_ids: event.experiment_ids().map(str::to_owned).collect(),
    };
    datafile.events().iter().map(event).collect()
}

/// Of several with one key, the last, in the place of the first.
fn last_by_key<'d, T: 'd>(
    all: impl IntoIterator<Item = &'d T>,
    key: impl Fn(&'d T) -> &'d str,
) -> impl Iterator<Item = &'d T> {
    let mut places: HashMap<&str, usize> = HashMap::new();
    let mut kept = Vec::new();
    for one in all {
        let place = *places.entry(key(one)).or_insert(kept.len());
        match kept.get_mut(place) {
            Some(earlier) => *earlier = one,
            None => kept.push(one),
        }
    }
    kept.into_iter()
}
