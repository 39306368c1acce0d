//! Rule: what runs can be had by bucketing.
//!
//! An experiment that runs has ranges; in an exclusive group, one of the group's ranges leads to it; and
//! each of its variations has a range or a whitelisted user. No fault: a range that ends at 0 beside
//! others, which says that nobody is meant, and bandits, which move their traffic themselves. An experiment
//! that nobody can get a variation of is worth a warning, unless it is for whitelisted users.
//!
//! Must not know the order of ranges.

use hashbrown::{HashMap, HashSet};

use super::context::Context;
use crate::datafile::findings::{Findings, quoted};
use crate::datafile::model::{Rule, RuleKind, RuleType};
use crate::datafile::wire::{WireRange, WireRule};

pub(super) fn lint(context: &Context<'_>, findings: &mut Findings) {
    let experiments_of_groups = experiments_of_groups(context);
    for (wire, rule) in &context.rules {
        let is_experiment = rule.kind == RuleKind::Experiment && rule.is_running;
        if !is_experiment || context.is_reported(&wire.place) {
            continue;
        }
        let group = rule.group.and_then(|group| context.datafile.group(group));
        let reached = group
            .filter(|group| group.is_exclusive)
            .and_then(|group| experiments_of_groups.get(&*group.id));
        if reached.is_some_and(|reached| !reached.contains(&*rule.id)) {
            let message = || {
                let key = quoted(&rule.key);
                format!(
                    "{key} runs, but no range of its group leads to it: nobody is bucketed into it"
                )
            };
            let remedy = "give it a range in the group's \"trafficAllocation\", or pause it";
            findings.warning("no-traffic", &wire.place, message, remedy);
        }
        if !rule.is_contextual_bandit() {
            of_variations(context, wire, rule, findings);
        }
    }
}

/// The experiments that the ranges of exclusive groups lead to, by the group's id. Of two groups with one
/// id only the last one's ranges count, which is another fault.
fn experiments_of_groups<'a>(context: &Context<'a>) -> HashMap<&'a str, HashSet<&'a str>> {
    let mut by_group: HashMap<&str, HashSet<&str>> = HashMap::new();
    for group in &context.wire.groups {
        let reached = group.allocation.iter().filter_map(|range| range.entity_id.as_deref());
        by_group.entry(&group.id).or_default().extend(reached);
    }
    by_group
}

/// Whether no bucket leads to a variation. Ranges of bandits count only where there are none.
fn is_for_nobody(wire: &WireRule<'_>, rule: &Rule) -> bool {
    if rule.rule_type == RuleType::MultiArmedBandit {
        return wire.allocation.is_empty();
    }
    let mut start = 0;
    let mut is_for_somebody = |range: &WireRange<'_>| {
        let is_wide = range.end > start;
        start = start.max(range.end);
        is_wide && range.entity_id.is_some()
    };
    !wire.allocation.iter().any(&mut is_for_somebody)
}

fn of_variations(context: &Context<'_>, wire: &WireRule<'_>, rule: &Rule, findings: &mut Findings) {
    let is_for_listed = !wire.whitelist.is_empty() && !wire.allocation.is_empty();
    let may_be_empty = is_for_listed || rule.rule_type == RuleType::FeatureRollout;
    if !may_be_empty && is_for_nobody(wire, rule) {
        let place = wire.place.field("trafficAllocation");
        if !context.is_reported(&place) {
            let why = if wire.allocation.is_empty() {
                "has no traffic ranges"
            } else {
                "all its traffic leads to no variation"
            };
            let message =
                || format!("{} runs, but {why}: nobody is bucketed into it", quoted(&rule.key));
            findings.warning("no-traffic", &place, message, "give it ranges, or pause it");
        }
        return;
    }
    // A range that leads nowhere may have been meant for any of them, which is another fault.
    let is_dangling = |range: &WireRange<'_>| {
        range.entity_id.as_deref().is_some_and(|id| rule.variation_index(id).is_none())
    };
    let is_any_dangling = wire.allocation.iter().any(is_dangling);
    if rule.rule_type == RuleType::MultiArmedBandit || wire.allocation.is_empty() || is_any_dangling
    {
        return;
    }
    let whitelisted: HashSet<&str> =
        wire.whitelist.iter().map(|(_, variation)| &*variation.name).collect();
    let reached: HashSet<&str> =
        wire.allocation.iter().filter_map(|range| range.entity_id.as_deref()).collect();
    for variation in &wire.variations {
        let is_had = reached.contains(&*variation.id) || whitelisted.contains(&*variation.key);
        if is_had || context.is_reported(&variation.place) {
            continue;
        }
        let message =
            || format!("no traffic range leads to the variation {}", quoted(&variation.key));
        let remedy = "give it a range, or take it out if it is not forced on users either";
        findings.note("no-traffic", &variation.place, message, remedy);
    }
}
