//! What a flag says of somebody who has no id.
//!
//! Must not know requests. A flag that gives everybody with the same attributes the same needs no id;
//! for all others an id that is made up would be another user at each request.

use crate::allocation::Allocation;
use crate::datafile::{Datafile, Flag, Rule, RuleIndex, RuleType};

/// Whether two users with the same attributes can get different answers.
pub(super) fn depends_on_user(datafile: &Datafile, flag: &Flag) -> bool {
    let mut rules = asked(datafile, flag);
    rules.any(|rule| splits(datafile, rule) || names_users(rule))
}

/// Whether a rule gives variations to users by their ids.
pub(super) fn names_users(rule: &Rule) -> bool {
    rule.whitelist().next().is_some()
}

/// Whether a rule gives different users different variations, or some none.
pub(super) fn splits(datafile: &Datafile, rule: &Rule) -> bool {
    let group = rule.group().and_then(|index| datafile.group(index));
    let is_among_others =
        group.is_some_and(|group| group.is_exclusive() && is_split(group.allocation()));
    rule.rule_type() == RuleType::ContextualBandit || is_among_others || is_split(rule.allocation())
}

/// All rules that may decide a flag: holdouts, experiments that run, its rollout.
pub(super) fn asked<'d>(datafile: &'d Datafile, flag: &'d Flag) -> impl Iterator<Item = &'d Rule> {
    let rule = |index: &RuleIndex| datafile.rule(*index);
    let experiments = flag.experiments().iter().filter_map(rule).filter(|rule| rule.is_running());
    let own = experiments.chain(flag.rollout().iter().filter_map(rule));
    let guarded =
        own.flat_map(move |own| own.local_holdouts().iter().filter_map(rule).chain([own]));
    datafile.global_holdouts().iter().filter_map(rule).chain(guarded)
}

/// Whether not all buckets lead to the same.
fn is_split(allocation: &Allocation) -> bool {
    const BUCKETS: u16 = 10_000;
    let ranges = allocation.ranges();
    let mut targets = ranges.iter().map(|range| range.target.entity());
    let Some(first) = targets.next() else { return false };
    let is_open = ranges.last().is_some_and(|last| last.end < BUCKETS);
    targets.any(|target| target != first) || (is_open && first.is_some())
}

#[cfg(test)]
mod tests {
    //! Which allocations treat users differently.

    use super::is_split;
    use crate::allocation::{Allocation, Range, Target};

    #[track_caller]
    fn check(ranges: &[(u16, Target)], expect: bool) {
        let ranges = ranges.iter().map(|(end, target)| Range { end: *end, target: *target });
        assert_eq!(is_split(&Allocation::new(ranges)), expect);
    }

    #[test]
    fn allocations() {
        let (one, other) = (Target::Entity(0), Target::Entity(1));
        check(&[], false);
        check(&[(10_000, one)], false);
        check(&[(5_000, one), (10_000, one)], false);
        check(&[(5_000, Target::Empty), (9_000, Target::Dangling)], false);
        check(&[(9_999, one)], true);
        check(&[(5_000, one), (10_000, other)], true);
        check(&[(5_000, Target::Empty), (10_000, one)], true);
    }
}
