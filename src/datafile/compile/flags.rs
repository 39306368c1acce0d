//! Flags and their variables.
//!
//! Must not know what is in a rule beyond its variations.

use std::sync::Arc;

use hashbrown::HashMap;

use super::draft::{Drafts, duplicate_key, keep_last};
use super::values::{kind_name, parsed};
use crate::datafile::findings::{Findings, quoted};
use crate::datafile::model::{Flag, FlagIndex, Rule, RuleIndex, Variable};
use crate::datafile::wire::{WireFlag, WireVariable};
use crate::value::VariableType;

/// Of several flags with one key, the last.
pub(super) fn one_per_key<'a>(
    wire: Vec<WireFlag<'a>>,
    findings: &mut Findings,
) -> Vec<WireFlag<'a>> {
    let report = |one: &WireFlag<'_>| duplicate_key(&one.place, "flag", &one.key, findings);
    keep_last(wire, |one| &one.key, report).0
}

/// Compiles the flags, and tells each rule which flag uses it first.
pub(super) fn compile(
    wire: Vec<WireFlag<'_>>,
    drafts: &Drafts<'_>,
    rules: &mut [Rule],
    findings: &mut Findings,
) -> (Vec<Flag>, HashMap<Box<str>, FlagIndex>) {
    let mut flags = Vec::with_capacity(wire.len());
    let mut flag_by_key = HashMap::new();
    let mut rollouts = Rollouts::new();
    for (place, one) in (0..).zip(wire) {
        let index = FlagIndex::at(place);
        let experiments = experiments(&one, drafts, findings);
        for rule in &experiments {
            if let Some(rule) = rules.get_mut(rule.place() as usize) {
                rule.flag.get_or_insert(index);
            }
        }
        let rollout = rollout(&one, drafts, &mut rollouts, findings);
        let (variables, variable_by_key) = variables(one.variables, findings);
        flag_by_key.insert((*one.key).into(), index);
        flags.push(Flag {
            id: one.id.into(),
            key: (&*one.key).into(),
            experiments,
            rollout,
            variables,
            variable_by_key,
        });
    }
    (flags, flag_by_key)
}

fn experiments(
    flag: &WireFlag<'_>,
    drafts: &Drafts<'_>,
    findings: &mut Findings,
) -> Vec<RuleIndex> {
    let mut experiments = Vec::with_capacity(flag.experiment_ids.len());
    for reference in &flag.experiment_ids {
        match drafts.ordinary_rule(&reference.name) {
            Some(index) => experiments.push(index),
            None => findings.dangling(
                &reference.place,
                "experiment",
                &reference.name,
                "the flag goes on without it",
            ),
        }
    }
    experiments
}

/// The rules of each rollout that a flag has named: flags that share one share its list.
type Rollouts = HashMap<Box<str>, Arc<[RuleIndex]>>;

/// The rules of the flag's rollout, each by its id: of two with one id, the last one serves in both places.
fn rollout(
    flag: &WireFlag<'_>,
    drafts: &Drafts<'_>,
    known: &mut Rollouts,
    findings: &mut Findings,
) -> Arc<[RuleIndex]> {
    let Some(reference) = &flag.rollout_id else { return Arc::default() };
    let Some(rules) = drafts.rollout_by_id.get(&*reference.name) else {
        findings.dangling(
            &reference.place,
            "rollout",
            &reference.name,
            "the flag goes on without it",
        );
        return Arc::default();
    };
    let by_id = |index: &RuleIndex| drafts.ordinary_rule(&drafts.get(*index)?.wire.id);
    let list = || rules.iter().filter_map(by_id).collect();
    Arc::clone(known.entry((*reference.name).into()).or_insert_with(list))
}

fn variables(
    wire: Vec<WireVariable<'_>>,
    findings: &mut Findings,
) -> (Vec<Variable>, HashMap<Box<str>, usize>) {
    let report = |one: &WireVariable<'_>| duplicate_key(&one.place, "variable", &one.key, findings);
    let (kept, index_by_key) = keep_last(wire, |one| &one.key, report);
    let mut variables = Vec::with_capacity(kept.len());
    for one in kept {
        let kind = kind_of(&one).unwrap_or_else(|| {
            let message = || {
                format!(
                    "the type {} is not known, the variable is served as text",
                    quoted(&one.type_name)
                )
            };
            let remedy = "use \"boolean\", \"string\", \"integer\", \"double\" or \"json\"";
            findings.warning("unknown-type", &one.place.field("type"), message, remedy);
            VariableType::String
        });
        let default = one.default.as_ref().and_then(|written| {
            let value = parsed(written, kind);
            if value.is_none() {
                let message = || {
                    format!(
                        "{} is not {}, so it is served as null",
                        quoted(&written.text),
                        kind_name(kind)
                    )
                };
                let place = one.place.field("defaultValue");
                findings.error(
                    "bad-variable",
                    &place,
                    message,
                    "give a value of the variable's type",
                );
            }
            value
        });
        // A string of sub-type "json" is of the type "json" everywhere, as in the SDKs.
        let kind_text =
            if kind == VariableType::Json { "json".into() } else { one.type_name.into() };
        let default_text = one.default.map(|written| written.text).unwrap_or_default().into();
        variables.push(Variable {
            id: one.id.into(),
            key: one.key.into(),
            kind,
            kind_text,
            default_text,
            default,
        });
    }
    (variables, index_by_key.into_iter().map(|(key, index)| (key, index as usize)).collect())
}

/// The type of a variable; `None` if it is none that is known.
pub(super) fn kind_of(variable: &WireVariable<'_>) -> Option<VariableType> {
    match &*variable.type_name {
        "boolean" => Some(VariableType::Boolean),
        "string" if variable.sub_type.as_deref() == Some("json") => Some(VariableType::Json),
        "string" => Some(VariableType::String),
        "integer" => Some(VariableType::Integer),
        "double" => Some(VariableType::Double),
        "json" => Some(VariableType::Json),
        _ => None,
    }
}
