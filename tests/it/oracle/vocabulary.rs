//! The names in a datafile that calls may use, with what belongs to what.
//! Must not know calls.

use serde_json::Value;

/// What calls on a datafile can be about.
pub(super) struct Vocabulary {
    pub(super) flags: Vec<FlagNames>,
    pub(super) experiments: Vec<RuleNames>,
    /// The experiments and the rollout rules.
    pub(super) rules: Vec<RuleNames>,
    pub(super) variation_keys: Vec<String>,
    pub(super) event_keys: Vec<String>,
}

#[derive(Clone, Default)]
pub(super) struct FlagNames {
    pub(super) key: String,
    pub(super) variable_keys: Vec<String>,
    pub(super) rule_keys: Vec<String>,
    pub(super) variation_keys: Vec<String>,
}

#[derive(Clone, Default)]
pub(super) struct RuleNames {
    id: String,
    variation_ids: Vec<String>,
    pub(super) key: String,
    pub(super) variation_keys: Vec<String>,
}

impl Vocabulary {
    pub(super) fn of(datafile: &Value) -> Self {
        let mut experiments = rules(&elements(datafile, "experiments"));
        experiments.extend(
            elements(datafile, "groups")
                .iter()
                .flat_map(|group| rules(&elements(group, "experiments"))),
        );
        let mut rules_of_all = experiments.clone();
        let rollouts = elements(datafile, "rollouts");
        rules_of_all
            .extend(rollouts.iter().flat_map(|rollout| rules(&elements(rollout, "experiments"))));
        let flag_names = |flag: &Value| {
            let rollout = rollouts.iter().find(|rollout| rollout["id"] == flag["rolloutId"]);
            let mut own =
                rollout.map(|rollout| rules(&elements(rollout, "experiments"))).unwrap_or_default();
            let ids = elements(flag, "experimentIds");
            own.extend(
                experiments
                    .iter()
                    .filter(|experiment| ids.iter().any(|id| *id == experiment.id))
                    .cloned(),
            );
            FlagNames {
                key: text(&flag["key"]),
                variable_keys: keys(&elements(flag, "variables")),
                rule_keys: own.iter().map(|rule| rule.key.clone()).collect(),
                variation_keys: own.iter().flat_map(|rule| rule.variation_keys.clone()).collect(),
            }
        };
        Self {
            flags: elements(datafile, "featureFlags").iter().map(flag_names).collect(),
            variation_keys: rules_of_all
                .iter()
                .flat_map(|rule| rule.variation_keys.clone())
                .collect(),
            event_keys: keys(&elements(datafile, "events")),
            experiments,
            rules: rules_of_all,
        }
    }
}

impl RuleNames {
    /// The experiment's id and one of its variations' ids, as a profile stores them.
    pub(super) fn stored(&self) -> (String, String) {
        (self.id.clone(), self.variation_ids.last().cloned().unwrap_or_default())
    }
}

fn rules(of: &[Value]) -> Vec<RuleNames> {
    let names = |rule: &Value| RuleNames {
        id: text(&rule["id"]),
        variation_ids: elements(rule, "variations")
            .iter()
            .map(|variation| text(&variation["id"]))
            .collect(),
        key: text(&rule["key"]),
        variation_keys: keys(&elements(rule, "variations")),
    };
    of.iter().map(names).collect()
}

fn elements(of: &Value, list: &str) -> Vec<Value> {
    of.get(list).and_then(Value::as_array).cloned().unwrap_or_default()
}

fn keys(of: &[Value]) -> Vec<String> {
    of.iter().map(|item| text(&item["key"])).collect()
}

fn text(of: &Value) -> String {
    of.as_str().unwrap_or_default().to_owned()
}
