//! Rule: what is asked for by key is found, and ids are not shared.
//!
//! Compiling reports keys and ids that hide another thing of the same list. What is left: experiments,
//! whose keys may be shared as long as flags lead to them (worth a note, since calls on experiments find
//! one of them only); rules of one flag, whose forced decisions go
//! by key; and ids that only events carry.
//!
//! Must not know what is in a rule.

use hashbrown::{HashMap, HashSet};

use super::context::Context;
use crate::datafile::findings::{Findings, quoted};
use crate::datafile::model::{RuleIndex, RuleKind};
use crate::datafile::place::Place;

pub(super) fn lint(context: &Context<'_>, findings: &mut Findings) {
    let wire = context.wire;
    ids("attribute", wire.attributes.iter().map(|one| (&*one.id, &*one.key, &one.place)), findings);
    ids("event", wire.events.iter().map(|one| (&*one.id, &*one.key, &one.place)), findings);
    ids("flag", wire.flags.iter().map(|one| (&*one.id, &*one.key, &one.place)), findings);
    let mut reported = HashSet::new();
    hidden_experiments(context, &mut reported, findings);
    rules_of_one_flag(context, &mut reported, findings);
}

/// Of two with one key the last counts, which is another fault: only different keys are looked at.
fn ids<'a>(
    kind: &str,
    list: impl Iterator<Item = (&'a str, &'a str, &'a Place)>,
    findings: &mut Findings,
) {
    let mut key_by_id: HashMap<&str, &str> = HashMap::new();
    for (id, key, place) in list.filter(|(id, ..)| !id.is_empty()) {
        let Some(other) = key_by_id.insert(id, key).filter(|other| *other != key) else { continue };
        let message = || {
            format!(
                "the {kind}s {} and {} have the same id {}: what is sent cannot tell them apart",
                quoted(other),
                quoted(key),
                quoted(id)
            )
        };
        findings.warning("duplicate-id", place, message, "give each its own id");
    }
}

/// An experiment that no flag leads to is only found by its key.
fn hidden_experiments(
    context: &Context<'_>,
    reported: &mut HashSet<RuleIndex>,
    findings: &mut Findings,
) {
    for (index, (wire, rule)) in (0..).map(RuleIndex::at).zip(&context.rules) {
        let is_alone = rule.kind == RuleKind::Experiment && rule.flag.is_none();
        let found = context.datafile.experiment_index(&rule.key);
        let has_its_id = context.datafile.rule_index(&rule.id) == Some(index);
        if is_alone && has_its_id && found != Some(index) {
            let message = || {
                format!(
                    "another experiment behind this one has the key {}, and is found by it: nobody gets to this one",
                    quoted(&rule.key)
                )
            };
            findings.warning("duplicate-key", &wire.place, message, "give each its own key");
            reported.insert(index);
        } else if rule.kind == RuleKind::Experiment
            && has_its_id
            && found
                .and_then(|found| context.datafile.rule(found))
                .is_some_and(|found| found.flag != rule.flag)
        {
            let message = || {
                format!(
                    "another experiment behind this one has the key {}: calls on experiments find that one, only the flag leads here",
                    quoted(&rule.key)
                )
            };
            let remedy = "give each its own key, if experiments are asked for by key";
            findings.note("duplicate-key", &wire.place, message, remedy);
        }
    }
}

fn rules_of_one_flag(
    context: &Context<'_>,
    reported: &mut HashSet<RuleIndex>,
    findings: &mut Findings,
) {
    for flag in &context.datafile.flags {
        let mut index_by_key: HashMap<&str, RuleIndex> = HashMap::new();
        for index in flag.experiments.iter().chain(flag.rollout.iter()) {
            let Some((wire, rule)) = context.rules.get(index.place() as usize) else { continue };
            let other = index_by_key.insert(&rule.key, *index);
            if other.is_none_or(|other| other == *index) || !reported.insert(*index) {
                continue;
            }
            let message = || {
                let (key, flag) = (quoted(&rule.key), quoted(&flag.key));
                format!(
                    "two rules of the flag {flag} have the key {key}: overrides and reports cannot tell them apart"
                )
            };
            findings.warning("duplicate-key", &wire.place, message, "give each its own key");
        }
    }
}
