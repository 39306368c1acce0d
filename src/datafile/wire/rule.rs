//! Readers of rules (experiments, rollout rules and holdouts) and what is in them.
//!
//! Must not know the compiled form.

use super::form::{Reference, Text, WireBandit, WireRange, WireRule, WireValue, WireVariation};
use super::node::Node;
use super::object::{Object, id_of, wrong_type};
use super::read::{read_list, read_references, value_text};
use crate::datafile::findings::{Findings, shortened};
use crate::hash::BUCKETS;

/// Reads an experiment, rollout rule or holdout.
pub(super) fn read_rule<'a>(object: &Object<'a>, findings: &mut Findings) -> Option<WireRule<'a>> {
    let id = object.needed_id("id", "rule", findings)?;
    let key = object.needed_id("key", "rule", findings)?;
    for name in ["variations", "trafficAllocation"] {
        if object.get(name).is_none() {
            object.missing(name, "the rule gives nobody a variation", findings);
        }
    }
    let included_rules = object
        .get("includedRules")
        .is_some()
        .then(|| read_references(object, "includedRules", findings));
    Some(WireRule {
        place: object.place().clone(),
        id,
        key,
        layer_id: object.id("layerId", findings),
        status: object.string("status", findings).unwrap_or_default(),
        type_name: object.string("type", findings),
        audience_ids: object.get("audienceIds").cloned(),
        audience_conditions: object.get("audienceConditions").cloned(),
        variations: read_list(object, "variations", findings, read_variation),
        allocation: read_allocation(object, findings),
        whitelist: read_whitelist(object, findings),
        bandit: read_bandit(object, findings),
        included_rules,
        excludes_targeted_deliveries: object
            .boolean("excludeTargetedDeliveries", findings)
            .unwrap_or(false),
    })
}

fn read_variation<'a>(object: &Object<'a>, findings: &mut Findings) -> Option<WireVariation<'a>> {
    let id = object.needed_id("id", "variation", findings)?;
    let key = object.needed_id("key", "variation", findings)?;
    let is_feature_enabled = object.switch("featureEnabled", findings);
    let says_true =
        object.get("featureEnabled").is_some_and(|node| node.as_boolean() == Some(true));
    let values = object
        .get("variables")
        .is_some()
        .then(|| read_list(object, "variables", findings, read_value));
    Some(WireVariation {
        place: object.place().clone(),
        id,
        key,
        is_feature_enabled,
        says_true,
        values,
    })
}

fn read_value<'a>(object: &Object<'a>, findings: &mut Findings) -> Option<WireValue<'a>> {
    let variable_id = object.needed_id("id", "value", findings)?;
    let Some(node) = object.get("value") else {
        object.missing("value", "the variable keeps its default", findings);
        return None;
    };
    let written = value_text(node, findings)?;
    Some(WireValue { place: object.place().clone(), variable_id, written })
}

fn read_whitelist<'a>(
    object: &Object<'a>,
    findings: &mut Findings,
) -> Vec<(Text<'a>, Reference<'a>)> {
    let Some(node) = object.get("forcedVariations") else { return Vec::new() };
    let Some(users) = node.as_object(findings) else {
        wrong_type(node, "an object", "it was taken as empty", findings);
        return Vec::new();
    };
    let mut whitelist = Vec::new();
    for (user_id, node) in users.into_fields() {
        match node.as_string(findings) {
            Some(name) => {
                whitelist.push((user_id, Reference { name, place: node.place().clone() }))
            }
            None => wrong_type(&node, "a variation key", "the user is not whitelisted", findings),
        }
    }
    whitelist
}

fn read_bandit<'a>(object: &Object<'a>, findings: &mut Findings) -> Option<WireBandit<'a>> {
    let node = object.get("cmab")?;
    let Some(bandit) = node.as_object(findings) else {
        wrong_type(node, "an object", "the rule was taken as an ordinary one", findings);
        return None;
    };
    if bandit.get("trafficAllocation").is_none() {
        bandit.missing("trafficAllocation", "nobody takes part", findings);
    }
    let end =
        bandit.get("trafficAllocation").and_then(|node| read_end(node, findings)).unwrap_or(0);
    let attribute_ids = read_references(&bandit, "attributeIds", findings);
    Some(WireBandit { place: node.place().clone(), attribute_ids, end })
}

/// Reads a traffic allocation; absent is empty.
pub(super) fn read_allocation<'a>(
    object: &Object<'a>,
    findings: &mut Findings,
) -> Vec<WireRange<'a>> {
    read_list(object, "trafficAllocation", findings, read_range)
}

fn read_range<'a>(object: &Object<'a>, findings: &mut Findings) -> Option<WireRange<'a>> {
    let Some(node) = object.get("endOfRange") else {
        object.missing("endOfRange", "the range was left out", findings);
        return None;
    };
    let end = read_end(node, findings)?;
    let entity_id = match object.get("entityId") {
        None => None,
        Some(node) => Some(id_of(node, findings)?).filter(|id| !id.is_empty()),
    };
    Some(WireRange { place: object.place().clone(), entity_id, end })
}

/// The first bucket behind a range. Buckets are whole, so an end between two is the same as the upper one.
fn read_end(node: &Node<'_>, findings: &mut Findings) -> Option<u16> {
    let Some(written) = node.as_number() else {
        wrong_type(node, "a number", "it was left out", findings);
        return None;
    };
    let usable = written.ceil().clamp(0.0, f64::from(BUCKETS));
    #[expect(clippy::float_cmp, reason = "whole numbers in range are unchanged exactly")]
    let is_changed = usable != written;
    if is_changed {
        let message = || {
            format!(
                "{} is not a whole number from 0 to 10000, {usable} was taken",
                shortened(node.text())
            )
        };
        findings.warning(
            "bad-range",
            node.place(),
            message,
            "give the end in hundredths of a percent",
        );
    }
    #[expect(
        clippy::cast_possible_truncation,
        clippy::cast_sign_loss,
        reason = "clamped to 0 to 10000"
    )]
    let end = usable as u16;
    Some(end)
}
