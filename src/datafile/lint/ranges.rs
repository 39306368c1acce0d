//! Rule: traffic ranges rise, each to an end of its own, up to 10000.
//!
//! A range is only its end, and the first one whose end lies behind the bucket counts: one that ends
//! where, or before, another in front of it ends can never be found. No fault: a range that ends at 0
//! in front of all that end higher (somebody wrote 0 %; behind one of those it runs backwards), an empty
//! one behind all the others, and a rollout rule, delivery, holdout or group that ends below 10000. An
//! experiment that does gets a note, since it could say so with an empty range at the end, unless the
//! gap is so small that only rounding explains it, or the ends so low that percent must be meant: those
//! are warnings.
//!
//! Must not know who falls into a range.

use super::context::Context;
use crate::datafile::findings::{Findings, quoted};
use crate::datafile::model::{Rule, RuleKind, RuleType};
use crate::datafile::place::Place;
use crate::datafile::wire::{WireRange, WireRule};

const ALL: u16 = 10_000;

/// All, as who thinks of percent writes it.
const HUNDRED_PERCENT: u16 = 100;

pub(super) fn lint(context: &Context<'_>, findings: &mut Findings) {
    for (wire, rule) in &context.rules {
        // The ranges of a contextual bandit are not used.
        if rule.is_contextual_bandit() {
            continue;
        }
        let key_of = |id: &str| {
            let found = wire.variations.iter().find(|variation| variation.id == id);
            found.map_or_else(|| id.to_owned(), |variation| variation.key.to_string())
        };
        order(context, &wire.allocation, key_of, findings);
        let place = wire.place.field("trafficAllocation");
        let is_reported = end_is_rounded(&wire.allocation, &place, findings)
            || end_is_percent(&wire.allocation, (&place, is_often_small(rule)), findings);
        if !is_reported && is_expected_to_be_full(rule) {
            falls_short(wire, &place, findings);
        }
    }
    for group in &context.wire.groups {
        let place = group.place.field("trafficAllocation");
        if group.is_exclusive {
            let key_of = |id: &str| {
                let found = group.experiments.iter().find(|experiment| experiment.id == id);
                found.map_or_else(|| id.to_owned(), |experiment| experiment.key.to_string())
            };
            order(context, &group.allocation, key_of, findings);
            if !end_is_rounded(&group.allocation, &place, findings) {
                end_is_percent(&group.allocation, (&place, false), findings);
            }
        } else if !group.allocation.is_empty() {
            let message = "the group's policy is not \"random\", so its experiments overlap and the ranges mean nothing";
            let remedy = "make the policy \"random\" if a user is to be in one of them, else take the ranges out";
            findings.warning("ignored-field", &place, message, remedy);
        }
    }
}

fn order(
    context: &Context<'_>,
    ranges: &[WireRange<'_>],
    key_of: impl Fn(&str) -> String,
    findings: &mut Findings,
) {
    let mut reached = 0;
    for range in ranges {
        let (end, before) = (range.end, reached);
        reached = reached.max(end);
        let is_backwards = end < before;
        let is_for_somebody = range.entity_id.is_some() && end == before && end > 0;
        if !is_backwards && !is_for_somebody {
            continue;
        }
        let place = range.place.field("endOfRange");
        if context.is_reported(&place) {
            continue;
        }
        let of = || match &range.entity_id {
            Some(id) => format!("the range of {}", quoted(&key_of(id))),
            None => "the empty range".to_owned(),
        };
        if is_backwards {
            let message = || {
                format!(
                    "{} ends at {end}, but one in front of it ends at {before}: nobody falls into it",
                    of()
                )
            };
            let remedy = "let the ends rise: each is the sum of the shares up to there";
            findings.warning("range-backwards", &place, message, remedy);
        } else if end == ALL {
            let message = || {
                format!(
                    "the ranges in front of {} already take all traffic: nobody falls into it",
                    of()
                )
            };
            let remedy = "lower the ends in front of it, or take the range out";
            findings.warning("over-allocated", &place, message, remedy);
        } else {
            let message = || {
                format!(
                    "{} ends at {end}, and so does one in front of it: nobody falls into it",
                    of()
                )
            };
            let remedy = "raise its end, lower the one in front, or take the range out";
            findings.warning("range-overlaps", &place, message, remedy);
        }
    }
}

/// Shares cut to whole hundredths of a percent lose less than one each.
fn end_is_rounded(ranges: &[WireRange<'_>], place: &Place, findings: &mut Findings) -> bool {
    let end = end_of(ranges);
    let missing = ALL.saturating_sub(end);
    let is_rounded = missing > 0 && usize::from(missing) < ranges.len();
    if is_rounded {
        let message = || {
            format!(
                "the ranges end at {end}, just short of {ALL}: rounding leaves {} out",
                percent(missing)
            )
        };
        findings.warning("range-falls-short", place, message, "end the last range at 10000");
    }
    is_rounded
}

/// Ends that look like percent: all of them between 0 and 100. A rollout rule, delivery or holdout may
/// well be for a percent of the users, so of those it takes two ranges, the last up to 100.
fn end_is_percent(
    ranges: &[WireRange<'_>],
    (place, is_often_small): (&Place, bool),
    findings: &mut Findings,
) -> bool {
    let end = end_of(ranges);
    let lanes = ranges.iter().filter(|range| range.end > 0).count();
    let is_percent = if is_often_small {
        lanes > 1 && end == HUNDRED_PERCENT
    } else {
        (1..=HUNDRED_PERCENT).contains(&end)
    };
    if is_percent {
        let message = || {
            format!(
                "the ranges end at {end}, which is {}: ends are in hundredths of a percent, up to {ALL}",
                percent(end)
            )
        };
        let remedy = "if percent are meant, multiply the ends by 100; if so few users are, say so with a last range to 10000 with an empty \"entityId\"";
        findings.warning("range-falls-short", place, message, remedy);
    }
    is_percent
}

fn is_often_small(rule: &Rule) -> bool {
    let is_delivery =
        matches!(rule.rule_type, RuleType::TargetedDelivery | RuleType::FeatureRollout);
    rule.kind != RuleKind::Experiment || is_delivery
}

/// Rules that deliver something often go to a share of the users; experiments seldom.
fn is_expected_to_be_full(rule: &Rule) -> bool {
    let is_experiment =
        matches!(rule.rule_type, RuleType::AbTest | RuleType::MultiArmedBandit | RuleType::Other);
    rule.kind == RuleKind::Experiment && rule.is_running && is_experiment
}

fn falls_short(wire: &WireRule<'_>, place: &Place, findings: &mut Findings) {
    let end = end_of(&wire.allocation);
    if end == 0 || end >= ALL {
        return;
    }
    let message = || {
        let missing = percent(ALL.saturating_sub(end));
        format!("the ranges end at {end}: {missing} of those who are let in get no variation")
    };
    let remedy = "if that is meant, say so with a last range to 10000 with an empty \"entityId\", else raise the ends";
    findings.note("range-falls-short", place, message, remedy);
}

fn end_of(ranges: &[WireRange<'_>]) -> u16 {
    ranges.iter().map(|range| range.end).max().unwrap_or(0)
}

fn percent(hundredths: u16) -> String {
    format!("{} %", f64::from(hundredths) / 100.0)
}
