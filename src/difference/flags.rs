//! Flags: their experiments, rollouts and variables.
//!
//! Must not know what is in a rule.

use super::change::{Change, Place};
use super::matched::{Matched, Side, pairs_of};
use super::matching::{Identity, pairs};
use super::rules::{self, Versions};
use super::words::{name, text};
use crate::datafile::{Flag, Rule, RuleIndex, Variable};

/// The differences between the flags.
pub(super) fn changes(matched: &Matched<'_>, found: &mut Vec<Change>) {
    for pair in &matched.flags {
        let old = pair.old.and_then(|place| matched.old.datafile.flags().get(place));
        let new = pair.new.and_then(|place| matched.new.datafile.flags().get(place));
        let place_of = |flag: &Flag| Place::default().within("flag", flag.key());
        match (old, new) {
            (Some(old), Some(new)) => changed(&place_of(new), (old, new), matched, found),
            (None, Some(new)) => found.push(place_of(new).added(&summary(&matched.new, new))),
            (Some(old), None) => {
                let removed = place_of(old).removed(&summary(&matched.old, old));
                found.push(removed.meaning("code that asks for it is told that it is off"));
            }
            (None, None) => {}
        }
    }
}

fn summary(side: &Side<'_>, flag: &Flag) -> String {
    let keys = |rules: &[RuleIndex]| match rules {
        [] => "none".to_owned(),
        rules => rules.iter().map(|index| text(side.key_of(*index))).collect::<Vec<_>>().join(", "),
    };
    let (experiments, rollout) = (keys(flag.experiments()), keys(flag.rollout()));
    format!("experiments {experiments}; rollout rules {rollout}")
}

fn changed(
    place: &Place,
    (old, new): (&Flag, &Flag),
    matched: &Matched<'_>,
    found: &mut Vec<Change>,
) {
    if old.key() != new.key() {
        let meaning = "code that asks for the old key is told that the flag is off";
        found.push(place.renamed(old.key()).meaning(meaning));
    }
    if old.id() != new.id() {
        let meaning = "nobody is affected: flag ids are not part of the hash";
        found.push(place.recreated(old.id(), new.id()).meaning(meaning));
    }
    experiments(place, (old, new), matched, found);
    rollout(place, (old, new), matched, found);
    variables(place, (old, new), found);
}

/// A rule of a flag: what it is, and its key.
type Listed<'d> = (Identity, &'d str);

fn experiments(
    place: &Place,
    (old, new): (&Flag, &Flag),
    matched: &Matched<'_>,
    found: &mut Vec<Change>,
) {
    let before = listed(&matched.old, old.experiments());
    let after = listed(&matched.new, new.experiments());
    for (_, key) in missing_from(&after, &before) {
        let words = format!("{} uses experiment {} now", place.phrase(), name(key));
        found.push(place.within("use-of-experiment", key).added("").in_words(words));
    }
    for (_, key) in missing_from(&before, &after) {
        let words = format!("{} does not use experiment {} any more", place.phrase(), name(key));
        found.push(place.within("use-of-experiment", key).removed("").in_words(words));
    }
    found.extend(order((place, "experiment"), &before, &after));
}

fn listed<'d>(side: &Side<'d>, rules: &[RuleIndex]) -> Vec<Listed<'d>> {
    rules.iter().map(|index| (side.rule(index.place() as usize), side.key_of(*index))).collect()
}

fn missing_from<'d>(list: &[Listed<'d>], other: &[Listed<'d>]) -> Vec<Listed<'d>> {
    let is_known = |one: &Listed<'_>| other.iter().any(|(identity, _)| *identity == one.0);
    list.iter().filter(|one| !is_known(one)).copied().collect()
}

/// The order of what both have, if it is not the same.
fn order(
    (place, what): (&Place, &'static str),
    before: &[Listed<'_>],
    after: &[Listed<'_>],
) -> Option<Change> {
    let common = |list: &[Listed<'_>], other: &[Listed<'_>]| -> Vec<Identity> {
        let is_common = |one: &&Listed<'_>| other.iter().any(|(identity, _)| *identity == one.0);
        list.iter().filter(is_common).map(|(identity, _)| *identity).collect()
    };
    if common(before, after) == common(after, before) {
        return None;
    }
    let keys =
        |list: &[Listed<'_>]| list.iter().map(|(_, key)| (*key).to_owned()).collect::<Vec<_>>();
    let (before, after) = (keys(before), keys(after));
    let [before, after] =
        [&before, &after].map(|keys| keys.iter().map(String::as_str).collect::<Vec<_>>());
    let change = place.reordered(what, &before, &after);
    Some(change.meaning("the first that decides counts: who is in several may get another"))
}

fn rollout(
    place: &Place,
    (old_flag, new_flag): (&Flag, &Flag),
    matched: &Matched<'_>,
    found: &mut Vec<Change>,
) {
    let rules = |side: &Side<'_>, flag: &Flag| -> Vec<RuleIndex> {
        let known = flag.rollout().iter().filter(|index| side.datafile.rule(**index).is_some());
        known.copied().collect()
    };
    let (before, after) = (rules(&matched.old, old_flag), rules(&matched.new, new_flag));
    let old_rules: Vec<&Rule> =
        before.iter().filter_map(|i| matched.old.datafile.rule(*i)).collect();
    let new_rules: Vec<&Rule> =
        after.iter().filter_map(|i| matched.new.datafile.rule(*i)).collect();
    let [old_names, new_names] = [&old_rules, &new_rules]
        .map(|rules| rules.iter().map(|rule| (rule.id(), rule.key())).collect::<Vec<_>>());
    let place_of = |rule: &Rule| place.within("rollout-rule", rule.key());
    let found_pairs = pairs(&old_names, &new_names);
    for pair in &found_pairs {
        let old = pair.old.and_then(|at| old_rules.get(at));
        let new = pair.new.and_then(|at| new_rules.get(at));
        match (old, new) {
            (Some(old), Some(new)) => {
                let versions = Versions { old, new, flags: (Some(old_flag), Some(new_flag)) };
                rules::changes(&place_of(new), versions, matched, found);
            }
            (None, Some(new)) => {
                let ordinal = pair.new.map_or(0, |at| at + 1);
                let detail = rules::summary(&matched.new, new);
                found.push(place_of(new).added(&format!("rule {ordinal}, {detail}")));
            }
            (Some(old), None) => {
                found.push(place_of(old).removed(&rules::summary(&matched.old, old)));
            }
            (None, None) => {}
        }
    }
    let before: Vec<Listed<'_>> = listed_rules(&old_rules, Identity::Old);
    let identities = super::matching::identities(&found_pairs, new_rules.len());
    let after =
        listed_rules(&new_rules, |at| identities.get(at).copied().unwrap_or(Identity::New(at)));
    found.extend(order((place, "rollout-rule"), &before, &after));
}

fn listed_rules<'d>(rules: &[&'d Rule], identity: impl Fn(usize) -> Identity) -> Vec<Listed<'d>> {
    rules.iter().enumerate().map(|(at, rule)| (identity(at), rule.key())).collect()
}

fn variables(place: &Place, (old, new): (&Flag, &Flag), found: &mut Vec<Change>) {
    let place_of = |variable: &Variable| place.within("variable", variable.key());
    let detail = |variable: &Variable| {
        format!("{}, {} by default", text(variable.kind_text()), text(variable.default_text()))
    };
    let named = |variable| (Variable::id(variable), Variable::key(variable));
    for pair in pairs_of(old.variables(), new.variables(), named) {
        let before = pair.old.and_then(|at| old.variables().get(at));
        let after = pair.new.and_then(|at| new.variables().get(at));
        match (before, after) {
            (Some(before), Some(after)) => variable(&place_of(after), before, after, found),
            (None, Some(after)) => found.push(place_of(after).added(&detail(after))),
            (Some(before), None) => {
                let change = place_of(before).removed(&detail(before));
                found.push(change.meaning("code that asks for it gets null"));
            }
            (None, None) => {}
        }
    }
}

fn variable(place: &Place, before: &Variable, after: &Variable, found: &mut Vec<Change>) {
    if before.key() != after.key() {
        let meaning = "code that asks for the old key gets null";
        found.push(place.renamed(before.key()).meaning(meaning));
    }
    if before.id() != after.id() {
        let meaning = "variations give values by id: those under the old id do not count";
        found.push(place.recreated(before.id(), after.id()).meaning(meaning));
    }
    let kinds = (Some(before.kind_text()), Some(after.kind_text()));
    found.extend(place.changed_text("type", kinds.0, kinds.1));
    let defaults = (Some(before.default_text()), Some(after.default_text()));
    let change = place.changed_text("default", defaults.0, defaults.1);
    found.extend(change.map(|change| {
        change.meaning("users whose variation gives no value of its own get another one")
    }));
}
