//! Not a rule of its own: of references that lead nowhere, which compiling reports, those in which a key
//! or name stands where an id belongs (or the other way round) get the id as their remedy.
//!
//! Must not know why a reference leads nowhere.

use hashbrown::HashMap;

use super::context::Context;
use crate::datafile::findings::{Dangling, Findings, quoted};
use crate::datafile::wire::{WireRule, WireVariation};

/// The kinds of things that are found by id anywhere in the datafile, as messages call them.
const EXPERIMENT: &str = "experiment";
const RULE: &str = "rule";
const AUDIENCE: &str = "audience";
const ATTRIBUTE: &str = "attribute";
const VARIABLE: &str = "variable";

pub(super) fn lint(context: &Context<'_>, findings: &mut Findings) {
    if findings.has_dangling() {
        let known = Known::new(context);
        findings.mend_dangling(|dangling| known.remedy(dangling));
    }
}

struct Known<'a> {
    /// `None` where several things have the name.
    id_by_name: HashMap<(&'static str, &'a str), Option<&'a str>>,
    rule_by_place: HashMap<String, &'a WireRule<'a>>,
}

impl<'a> Known<'a> {
    fn new(context: &Context<'a>) -> Self {
        let mut known = Self { id_by_name: HashMap::new(), rule_by_place: HashMap::new() };
        let wire = context.wire;
        for (rule, _) in &context.rules {
            known.rule_by_place.insert(rule.place.to_string(), rule);
        }
        let of_groups = wire.groups.iter().flat_map(|group| &group.experiments);
        for rule in wire.experiments.iter().chain(of_groups) {
            known.add(EXPERIMENT, &rule.key, &rule.id);
            known.add(RULE, &rule.key, &rule.id);
        }
        for rule in wire.rollouts.iter().flat_map(|rollout| &rollout.rules) {
            known.add(RULE, &rule.key, &rule.id);
        }
        for audience in wire.audiences.iter().chain(&wire.typed_audiences) {
            known.add(AUDIENCE, &audience.name, &audience.id);
        }
        for attribute in &wire.attributes {
            known.add(ATTRIBUTE, &attribute.key, &attribute.id);
        }
        for variable in wire.flags.iter().flat_map(|flag| &flag.variables) {
            known.add(VARIABLE, &variable.key, &variable.id);
        }
        known
    }

    fn add(&mut self, kind: &'static str, name: &'a str, id: &'a str) {
        let known = self.id_by_name.entry((kind, name)).or_insert(Some(id));
        *known = known.filter(|other| *other == id);
    }

    fn remedy(&self, dangling: &Dangling<'_>) -> Option<String> {
        let Dangling { kind, name, path } = *dangling;
        if let Some((rule, _)) = path.split_once(".forcedVariations") {
            let key = self.variation(rule, |one| one.id == name)?.key.to_string();
            return Some(format!("that is an id: write the variation's key, {}", quoted(&key)));
        }
        let id = match path.split_once(".trafficAllocation[") {
            Some((rule, _)) if self.rule_by_place.contains_key(rule) => {
                &*self.variation(rule, |one| one.key == name)?.id
            }
            _ => {
                // An experiment of a group is called so, since only those are looked through.
                let kind = if kind.starts_with(EXPERIMENT) { EXPERIMENT } else { kind };
                self.id_by_name.get(&(kind, name)).copied().flatten()?
            }
        };
        let what = if kind == AUDIENCE { "name" } else { "key" };
        Some(format!("that is a {what}: write the id, {}", quoted(id)))
    }

    fn variation(
        &self,
        rule: &str,
        is_it: impl Fn(&&WireVariation<'a>) -> bool,
    ) -> Option<&'a WireVariation<'a>> {
        self.rule_by_place.get(rule)?.variations.iter().find(is_it)
    }
}
