//! Rules: experiments, rollout rules and holdouts.
//!
//! Must not know flags.

use std::sync::Arc;

use hashbrown::{HashMap, HashSet};

use super::allocation;
use super::audiences::Table;
use super::draft::{Draft, Drafts, duplicate_id, duplicate_key};
use super::values::Values;
use crate::datafile::findings::Findings;
use crate::datafile::model::{
    DeclaredAttribute, Rule, RuleKind, RuleType, Variation, VariationIndex,
};
use crate::datafile::shown::Shown;
use crate::datafile::wire::{Text, WireBandit, WireRule, WireVariation};
use crate::hash::PreparedParent;

/// The status of a rule that takes part.
const RUNNING: &str = "Running";

type ByName = HashMap<Box<str>, VariationIndex>;

/// Compiles all rules, in their order.
pub(super) fn compile(
    drafts: &Drafts<'_>,
    audiences: &Table,
    values: &Values,
    attributes: &[DeclaredAttribute],
    findings: &mut Findings,
) -> Vec<Rule> {
    let attribute_ids: HashSet<&str> = attributes.iter().map(|attribute| &*attribute.id).collect();
    let mut rules = Vec::with_capacity(drafts.list.len());
    for draft in &drafts.list {
        let bandit = bandit_of(draft, &attribute_ids, findings);
        rules.push(one(draft, bandit, (audiences, values), findings));
    }
    rules
}

fn one(
    draft: &Draft<'_>,
    bandit: Option<&WireBandit<'_>>,
    known: (&Table, &Values),
    findings: &mut Findings,
) -> Rule {
    let (audiences, values) = known;
    let wire = &draft.wire;
    let id: Arc<str> = (&*wire.id).into();
    let layer_id =
        wire.layer_id.as_deref().filter(|id| !id.is_empty() && draft.kind != RuleKind::Holdout);
    let (variation_by_key, variation_by_id) = index(draft, findings);
    let allocation = match bandit {
        Some(bandit) => allocation::participation(bandit.end),
        None => {
            let variation = |id: &str| variation_by_id.get(id).map(|index| index.place());
            allocation::compile(&wire.allocation, "variation of this rule", variation, findings)
        }
    };
    let mut rule = Rule {
        key: (&*wire.key).into(),
        campaign_id: layer_id.map_or_else(|| Arc::clone(&id), Into::into),
        kind: draft.kind,
        rule_type: rule_type_of(wire.type_name.as_deref(), bandit.is_some()),
        status: (*wire.status).into(),
        is_running: wire.status == RUNNING,
        is_plain: false,
        group: draft.group,
        audiences: audiences.of_rule(wire, findings),
        audience_conditions_text: wire.audience_conditions.as_ref().map(|node| node.text().into()),
        parent: PreparedParent::new(&id),
        allocation,
        variations: wire
            .variations
            .iter()
            .map(|variation| variation_of(variation, values))
            .collect(),
        shown: Box::default(),
        own_variations: draft.own_variations().len(),
        whitelist: whitelist_of(wire, &variation_by_key, findings),
        variation_by_key,
        variation_by_id,
        local_holdouts: Vec::new(),
        prediction_attribute_ids: bandit.map(prediction_attribute_ids).unwrap_or_default(),
        excludes_targeted_deliveries: wire.excludes_targeted_deliveries,
        flag: None,
        id,
    };
    rule.is_plain = rule.is_running
        && rule.whitelist.is_empty()
        && rule.group.is_none()
        && !rule.is_contextual_bandit();
    rule.shown = rule.variations.iter().map(|one| Arc::new(Shown::new(&rule, one))).collect();
    rule
}

/// The SDKs ask for a prediction where there is a `cmab` object, whatever the type is called.
fn rule_type_of(name: Option<&str>, is_bandit: bool) -> RuleType {
    match name {
        _ if is_bandit => RuleType::ContextualBandit,
        None | Some("ab") => RuleType::AbTest,
        Some("mab") => RuleType::MultiArmedBandit,
        Some("td") => RuleType::TargetedDelivery,
        Some("fr") => RuleType::FeatureRollout,
        Some(_) => RuleType::Other,
    }
}

fn bandit_of<'a>(
    draft: &'a Draft<'_>,
    attribute_ids: &HashSet<&str>,
    findings: &mut Findings,
) -> Option<&'a WireBandit<'a>> {
    let wire = &draft.wire;
    let is_experiment = draft.kind == RuleKind::Experiment;
    let Some(bandit) = &wire.bandit else {
        if is_experiment && wire.type_name.as_deref() == Some("cmab") {
            let message = "\"cmab\" is missing, the rule was taken as an ordinary experiment";
            findings.error(
                "missing-field",
                &wire.place,
                message,
                "add the field, or make the type \"ab\"",
            );
        }
        return None;
    };
    if !is_experiment {
        let message = "\"cmab\" means nothing here, the rule was taken as an ordinary one";
        findings.warning("ignored-field", &bandit.place, message, "take it out");
        return None;
    }
    for reference in &bandit.attribute_ids {
        if !attribute_ids.contains(&*reference.name) {
            findings.dangling(
                &reference.place,
                "attribute",
                &reference.name,
                "predictions go without it",
            );
        }
    }
    Some(bandit)
}

fn prediction_attribute_ids(bandit: &WireBandit<'_>) -> Vec<Box<str>> {
    bandit.attribute_ids.iter().map(|reference| (*reference.name).into()).collect()
}

/// Variations by key and by id; the last one wins: of own variations with one key it stands for all of
/// them, as in JavaScript. Borrowed ones may share names with the rule's own.
fn index(draft: &Draft<'_>, findings: &mut Findings) -> (ByName, ByName) {
    let (mut by_key, mut by_id) = (ByName::new(), ByName::new());
    let own_count = draft.own_variations().len();
    let own = (0..).map(VariationIndex::at).zip(draft.own_variations());
    let last_of_key: HashMap<&str, VariationIndex> =
        own.map(|(index, variation)| (&*variation.key, index)).collect();
    for (index, variation) in (0..).map(VariationIndex::at).zip(&draft.wire.variations) {
        let is_own = (index.place() as usize) < own_count;
        let standing = last_of_key.get(&*variation.key).copied().filter(|_| is_own);
        let is_known = by_id.insert((*variation.id).into(), standing.unwrap_or(index)).is_some();
        let is_known_key = by_key.insert((*variation.key).into(), index).is_some();
        if !is_own {
            continue;
        }
        if is_known {
            duplicate_id(&variation.place, "variation", &variation.id, findings);
        } else if is_known_key {
            duplicate_key(&variation.place, "variation", &variation.key, findings);
        }
    }
    (by_key, by_id)
}

fn variation_of(wire: &WireVariation<'_>, values: &Values) -> Variation {
    Variation {
        id: (&*wire.id).into(),
        key: (&*wire.key).into(),
        is_feature_enabled: wire.is_feature_enabled,
        says_true: wire.says_true,
        values: values.of(&wire.id),
    }
}

fn whitelist_of(
    wire: &WireRule<'_>,
    variation_by_key: &ByName,
    findings: &mut Findings,
) -> HashMap<Box<str>, Result<VariationIndex, Box<str>>> {
    let mut whitelist = HashMap::with_capacity(wire.whitelist.len());
    for (user_id, reference) in &wire.whitelist {
        let found = variation_by_key.get(&*reference.name).copied().ok_or_else(|| {
            findings.dangling_lightly(
                &reference.place,
                "variation of this rule",
                &reference.name,
                "the user is decided like any other",
            );
            Box::from(&*reference.name)
        });
        whitelist.insert(Box::from(text(user_id)), found);
    }
    whitelist
}

fn text<'a>(text: &'a Text<'_>) -> &'a str {
    text
}
