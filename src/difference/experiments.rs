//! Experiments and the groups that they are in.
//!
//! Must not know flags.

use std::collections::BTreeSet;

use super::change::{Change, Place};
use super::matched::{Matched, Side};
use super::rules::{self, Versions};
use super::traffic::{self, Lanes};
use crate::datafile::{Datafile, Group, GroupIndex, Rule, RuleIndex};

/// The differences between the experiments, in groups or not.
pub(super) fn changes(matched: &Matched<'_>, found: &mut Vec<Change>) {
    for pair in &matched.experiments {
        let old = pair.old.and_then(|place| matched.old.rule_at(place));
        let new = pair.new.and_then(|place| matched.new.rule_at(place));
        let place_of = |key: &str| Place::default().within("experiment", key);
        match (old, new) {
            (Some(old), Some(new)) => {
                let versions = Versions { old, new, flags: (None, None) };
                rules::changes(&place_of(new.key()), versions, matched, found);
            }
            (None, Some(new)) => {
                found.push(place_of(new.key()).added(&rules::summary(&matched.new, new)));
            }
            (Some(old), None) => {
                let removed = place_of(old.key()).removed(&rules::summary(&matched.old, old));
                found.push(removed.meaning(if old.is_running() {
                    "nobody gets a variation of it any more"
                } else {
                    ""
                }));
            }
            (None, None) => {}
        }
    }
    shared_keys(matched, found);
}

/// Of several experiments with one key, callers reach the last: which one that is may change although
/// the experiments do not.
fn shared_keys(matched: &Matched<'_>, found: &mut Vec<Change>) {
    let reached = |side: &Side<'_>, key: &str| {
        let index = side.datafile.experiment_index(key)?;
        Some((side.rule(index.place() as usize), side.datafile.rule(index)?.id().to_owned()))
    };
    let keys: BTreeSet<&str> = matched.old.datafile.experiments().map(Rule::key).collect();
    for key in keys {
        let (Some((before, old_id)), Some((after, new_id))) =
            (reached(&matched.old, key), reached(&matched.new, key))
        else {
            continue;
        };
        if before != after {
            let place = Place::default().within("key", key);
            let change = place.changed_text("experiment", Some(&old_id), Some(&new_id));
            let meaning = "code that asks for the key gets another experiment";
            found.extend(change.map(|change| change.meaning(meaning).rebucketing(true)));
        }
    }
}

/// The differences between the groups themselves.
pub(super) fn group_changes(matched: &Matched<'_>, found: &mut Vec<Change>) {
    for pair in &matched.groups {
        let old = pair.old.and_then(|place| matched.old.datafile.groups().get(place));
        let new = pair.new.and_then(|place| matched.new.datafile.groups().get(place));
        let place_of = |group: &Group| Place::default().within("group", group.id());
        match (old, new) {
            (Some(old), Some(new)) => group(&place_of(new), (old, new), matched, found),
            (None, Some(new)) => {
                found.push(place_of(new).added(&summary(&matched.new, new)));
            }
            (Some(old), None) => {
                found.push(place_of(old).removed(&summary(&matched.old, old)));
            }
            (None, None) => {}
        }
    }
}

fn group(
    place: &Place,
    (old, new): (&Group, &Group),
    matched: &Matched<'_>,
    found: &mut Vec<Change>,
) {
    if old.id() != new.id() {
        let meaning = "the id is part of the hash: which of its experiments a user may be in is drawn anew for everybody";
        let is_drawn = old.is_exclusive() && new.is_exclusive();
        let change = place.recreated(old.id(), new.id());
        found.push(if is_drawn {
            change.meaning(meaning).rebucketing(true)
        } else {
            change.meaning("nobody is bucketed anew: only an exclusive group has buckets")
        });
    }
    let policy = |group: &Group| if group.is_exclusive() { "exclusive" } else { "overlapping" };
    let change = place.changed_text("policy", Some(policy(old)), Some(policy(new)));
    found.extend(change.map(|change| {
        change.meaning(if new.is_exclusive() {
            "a user is in at most one of its experiments"
        } else {
            "its experiments do not keep users from each other"
        })
    }));
    let lanes = (lanes(&matched.old, old), lanes(&matched.new, new));
    found.extend(traffic::compare(place, (&lanes.0, &lanes.1), "experiment", old.id() == new.id()));
}

fn lanes(side: &Side<'_>, group: &Group) -> Lanes {
    Lanes::new(group.allocation(), |number| {
        let key = side.datafile.rule(RuleIndex::at(number))?.key();
        Some((side.rule(number as usize), key.to_owned()))
    })
}

fn summary(side: &Side<'_>, group: &Group) -> String {
    let is_member =
        |index: GroupIndex| side.datafile.group(index).is_some_and(|one| std::ptr::eq(one, group));
    let members = Datafile::experiments(side.datafile)
        .filter(|rule| rule.group().is_some_and(is_member))
        .map(|rule| super::words::name(rule.key()));
    let policy = if group.is_exclusive() { "exclusive" } else { "overlapping" };
    format!("{policy}, with {}", members.collect::<Vec<_>>().join(", "))
}
