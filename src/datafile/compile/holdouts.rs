//! Holdouts: which run, and which rules the local ones stand before.
//!
//! Must not know what is in a rule.

use super::draft::{Draft, Drafts};
use crate::datafile::findings::Findings;
use crate::datafile::model::{Rule, RuleIndex, RuleKind};

/// The holdouts that run.
#[derive(Debug, Default)]
pub(super) struct Holdouts {
    pub(super) global: Vec<RuleIndex>,
    pub(super) running: Vec<RuleIndex>,
}

/// Lists the holdouts that run and puts the local ones before their rules.
pub(super) fn tie(drafts: &Drafts<'_>, rules: &mut [Rule], findings: &mut Findings) -> Holdouts {
    let mut holdouts = Holdouts::default();
    let all = (0..)
        .map(RuleIndex::at)
        .zip(&drafts.list)
        .filter(|(_, draft)| draft.kind == RuleKind::Holdout);
    for (index, draft) in all {
        let is_running = rules.get(index.place() as usize).is_some_and(|rule| rule.is_running);
        // Of several things with one id, only one can be credited under it.
        if is_running && drafts.owner_of(&draft.wire.id) == Some(index) {
            holdouts.running.push(index);
        }
        if draft.is_local {
            for rule in included(draft, drafts, findings) {
                let rule = rules.get_mut(rule.place() as usize).filter(|_| is_running);
                if let Some(rule) = rule.filter(|rule| rule.local_holdouts.last() != Some(&index)) {
                    rule.local_holdouts.push(index);
                }
            }
        } else if is_running {
            holdouts.global.push(index);
        }
    }
    holdouts
}

fn included(draft: &Draft<'_>, drafts: &Drafts<'_>, findings: &mut Findings) -> Vec<RuleIndex> {
    let references = draft.wire.included_rules.as_deref().unwrap_or_default();
    if references.is_empty() {
        let place = draft.wire.place.field("includedRules");
        let message = "no rule is named, the holdout holds nobody out";
        findings.error(
            "missing-field",
            &place,
            message,
            "add the ids of the rules that it holds out of",
        );
    }
    let mut rules = Vec::with_capacity(references.len());
    for reference in references {
        match drafts.ordinary_rule(&reference.name) {
            Some(rule) => rules.push(rule),
            None => findings.dangling(
                &reference.place,
                "rule",
                &reference.name,
                "the holdout goes on without it",
            ),
        }
    }
    rules
}
