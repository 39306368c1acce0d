//! The tests that run, as an SDK lists them: their variations, and what each makes of their parameter.
//!
//! Must not know who asked. Nobody is exposed by a list.

use std::collections::BTreeSet;

use serde_json::{Map, Value, json};

use super::remote::{Remote, lone};
use crate::client::DecideOptions;
use crate::datafile::{Flag, Rule, Variation};
use crate::server::ofrep::flag_value;

/// The tests of a datafile, for one device.
pub(super) struct Tests<'r, 'a> {
    remote: &'r Remote<'a>,
}

/// An experiment, and the parameter that it changes.
struct Test<'d> {
    experiment: &'d Rule,
    flag: Option<&'d Flag>,
}

impl Test<'_> {
    fn parameter(&self) -> &str {
        self.flag.map_or_else(|| self.experiment.key(), Flag::key)
    }
}

impl<'r, 'a> Tests<'r, 'a> {
    pub(super) const fn of(remote: &'r Remote<'a>) -> Self {
        Self { remote }
    }

    /// By parameter; no keys are all.
    pub(super) fn variants(&self, keys: &BTreeSet<String>) -> Value {
        let mut parameters = Map::new();
        for test in self.all() {
            let parameter = test.parameter();
            if !keys.is_empty() && !keys.contains(parameter) {
                continue;
            }
            let listed = parameters.entry(parameter).or_insert_with(|| json!([]));
            let variants = test.experiment.variations().iter().map(
                |variation| json!({"name": variation.key(), "value": self.value(&test, variation)}),
            );
            if let Some(listed) = listed.as_array_mut() {
                listed.extend(variants);
            }
        }
        Value::Object(parameters)
    }

    pub(super) fn experiments(&self) -> Value {
        let experiment = |test: Test<'_>| {
            let variants = test.experiment.variations().iter().map(|variation| {
                let value = self.value(&test, variation);
                (variation.key().to_owned(), json!({test.parameter(): value}))
            });
            json!({
                "id": test.experiment.id(),
                "name": test.experiment.key(),
                "description": "",
                "currentVariant": self.current(&test),
                "variants": variants.collect::<Map<_, _>>(),
            })
        };
        self.all().map(experiment).collect()
    }

    fn all(&self) -> impl Iterator<Item = Test<'a>> {
        let datafile = self.remote.datafile;
        let of_flags = datafile.flags().iter().flat_map(move |flag| {
            let experiments = flag.experiments().iter().filter_map(|index| datafile.rule(*index));
            let running = experiments.filter(|experiment| experiment.is_running());
            running.map(move |experiment| Test { experiment, flag: Some(flag) })
        });
        of_flags.chain(lone(datafile).map(|experiment| Test { experiment, flag: None }))
    }

    /// What the parameter is in a variation.
    fn value(&self, test: &Test<'_>, variation: &Variation) -> Value {
        let Some(flag) = test.flag else { return variation.key().into() };
        let mut user = self.remote.user.clone();
        user.set_forced_decision(flag.key(), None, variation.key());
        let unsettled =
            user.decide_unsettled(self.remote.datafile, flag.key(), DecideOptions::NONE);
        let value = flag_value(unsettled.decision(), self.remote.settings).ok().flatten();
        value.and_then(|value| serde_json::to_value(value).ok()).unwrap_or_default()
    }

    /// The variation that the device has, if it has one. It is only looked at: neither a profile nor a listener
    /// is told.
    fn current(&self, test: &Test<'_>) -> Option<String> {
        let user = &self.remote.user;
        let Some(flag) = test.flag else {
            return user.preview_experiment(test.experiment.key())?.0;
        };
        let (decision, _) = user.preview(flag.key())?;
        let is_its_own = decision.rule_key.as_deref() == Some(test.experiment.key());
        decision.variation_key.filter(|_| is_its_own)
    }
}
