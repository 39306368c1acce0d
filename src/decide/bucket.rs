//! From a bucketing id to a variation: groups and traffic allocations.
//!
//! Must not know audiences, overrides or profiles.

use std::num::NonZeroU32;

use super::trace::{BucketStep, Step, Trace};
use crate::allocation::{Allocation, Target};
use crate::datafile::{Datafile, Group, Rule, RuleIndex, VariationIndex};
use crate::hash::PreparedParent;

/// Whether a rule's exclusive group, if it is in one, gives the user this rule.
#[inline(never)]
pub(super) fn group_admits<T: Trace>(
    datafile: &Datafile,
    (index, rule): (RuleIndex, &Rule),
    bucketing_id: &str,
    trace: &mut T,
) -> bool {
    match rule.group.and_then(|group| datafile.group(group)) {
        Some(group) if group.is_exclusive => {
            group_chooses(datafile, group, (index, rule), bucketing_id, trace)
        }
        _ => true,
    }
}

fn group_chooses<T: Trace>(
    datafile: &Datafile,
    group: &Group,
    (index, rule): (RuleIndex, &Rule),
    bucketing_id: &str,
    trace: &mut T,
) -> bool {
    trace.open();
    let chosen = bucket(&group.parent, &group.allocation, bucketing_id, trace, |target| {
        (group.id.to_string(), describe_experiment(datafile, group, target))
    });
    let is_chosen = chosen.map(RuleIndex::counted) == Some(index);
    trace.close(|| Step::Group {
        id: group.id.to_string(),
        experiment: rule.key.to_string(),
        is_chosen,
    });
    is_chosen
}

/// The variation that a rule's own traffic allocation gives, for flags. Not inlined: they ask for it at
/// several places, and stay small.
#[inline(never)]
pub(super) fn variation<T: Trace>(
    rule: &Rule,
    bucketing_id: &str,
    trace: &mut T,
) -> Option<VariationIndex> {
    variation_inlined(rule, bucketing_id, trace)
}

/// The same, for who asks for it at one place.
#[inline(always)]
pub(super) fn variation_inlined<T: Trace>(
    rule: &Rule,
    bucketing_id: &str,
    trace: &mut T,
) -> Option<VariationIndex> {
    let chosen = bucket(&rule.parent, &rule.allocation, bucketing_id, trace, |target| {
        (rule.id.to_string(), describe_variation(rule, target))
    });
    chosen.map(VariationIndex::counted)
}

#[inline(always)]
fn bucket<T: Trace>(
    parent: &PreparedParent,
    allocation: &Allocation,
    bucketing_id: &str,
    trace: &mut T,
    describe: impl FnOnce(Option<Target>) -> (String, String),
) -> Option<NonZeroU32> {
    let bucket = parent.bucket(bucketing_id);
    trace.add(|| {
        let (parent_id, leads_to) = describe(allocation.pick(bucket));
        let range =
            allocation.range_of(bucket).map(|range| (allocation.start_of(bucket), range.end));
        Step::Bucket(BucketStep {
            bucketing_id: bucketing_id.to_owned(),
            parent_id,
            bucket,
            range,
            leads_to,
        })
    });
    allocation.entity(bucket)
}

fn describe_variation(rule: &Rule, target: Option<Target>) -> String {
    match target {
        None => "no variation".to_owned(),
        Some(Target::Empty) => "no variation, on purpose".to_owned(),
        Some(Target::Dangling) => "a variation that does not exist".to_owned(),
        Some(Target::Entity(_)) if rule.is_contextual_bandit() => "a prediction".to_owned(),
        Some(Target::Entity(variation)) => {
            rule.variation(VariationIndex::at(variation)).map_or_else(
                || "no variation".to_owned(),
                |variation| format!("variation \"{}\"", variation.key),
            )
        }
    }
}

fn describe_experiment(datafile: &Datafile, group: &Group, target: Option<Target>) -> String {
    match target {
        None => "no experiment".to_owned(),
        Some(Target::Empty) => "no experiment, on purpose".to_owned(),
        Some(Target::Dangling) => format!("an experiment that group {} does not have", group.id),
        Some(Target::Entity(rule)) => datafile.rule(RuleIndex::at(rule)).map_or_else(
            || "no experiment".to_owned(),
            |rule| format!("experiment \"{}\"", rule.key),
        ),
    }
}
