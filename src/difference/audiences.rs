//! Audiences, and which of them rules are for.
//!
//! Must not know what else is in a rule.

use super::change::{Change, Place, Said};
use super::matched::{Matched, Side};
use super::matching::Identity;
use super::words::{name, simplified, text, tree};
use crate::datafile::{
    Audience, AudienceIndex, Audiences, FILLER_AUDIENCE_ID, Movement, Rule, RuleKind,
};
use crate::targeting::{Condition, Tree};

/// So many of the rules that use an audience are named.
const MOST_RULES: usize = 8;

/// The differences between the audiences.
pub(super) fn changes(matched: &Matched<'_>, found: &mut Vec<Change>) {
    for pair in &matched.audiences {
        let old = pair.old.and_then(|place| matched.old.datafile.audiences().get(place));
        let new = pair.new.and_then(|place| matched.new.datafile.audiences().get(place));
        match (old, new) {
            (Some(old), Some(new)) => changed(old, new, matched, found),
            (None, Some(new)) => found.push(place_of(new).added(&conditions(new))),
            (Some(old), None) => found.push(place_of(old).removed(&conditions(old))),
            (None, None) => {}
        }
    }
}

fn place_of(audience: &Audience) -> Place {
    Place::default().within("audience", label(audience))
}

/// Its name; its id where it has none.
fn label(audience: &Audience) -> &str {
    if audience.name().is_empty() { audience.id() } else { audience.name() }
}

fn changed(old: &Audience, new: &Audience, matched: &Matched<'_>, found: &mut Vec<Change>) {
    let place = place_of(new);
    if old.name() != new.name() {
        found.push(place.renamed(label(old)).meaning("nobody is affected"));
    }
    if old.id() != new.id() {
        let meaning = "nobody is bucketed anew: audience ids are not part of the hash";
        found.push(place.recreated(old.id(), new.id()).meaning(meaning));
    }
    let (before, after) = (simplified(old.conditions()), simplified(new.conditions()));
    if before != after && new.id() != FILLER_AUDIENCE_ID {
        let change = place.changed(
            "conditions",
            Said::words(conditions_of(&before)),
            Said::words(conditions_of(&after)),
        );
        let movement = Movement::of_conditions(old.conditions(), new.conditions());
        found.push(change.meaning(used_by(new, movement, matched)));
    }
}

/// Which rules of the new datafile a change of an audience concerns.
fn used_by(audience: &Audience, movement: Movement, matched: &Matched<'_>) -> String {
    let datafile = matched.new.datafile;
    let is_it = |index: &AudienceIndex| {
        datafile.audience(*index).is_some_and(|one| std::ptr::eq(one, audience))
    };
    let uses = |rule: &&Rule| match rule.audiences() {
        Audiences::Everyone => false,
        Audiences::One(index) => is_it(index),
        Audiences::Tree(tree, _) => tree.leaves().any(is_it),
    };
    let said = |rule: &Rule| format!("{} {}", kind_name(rule.kind()), name(rule.key()));
    // Who leaves the audience may enter a rule that is for those outside it.
    let is_turned = |rule: &Rule| match rule.audiences() {
        Audiences::Tree(tree, _) => is_below_not(tree, &is_it),
        Audiences::Everyone | Audiences::One(_) => false,
    };
    let may_move = movement.may_enter || movement.may_leave;
    let movement = if may_move && datafile.rules().iter().any(is_turned) {
        Movement { may_enter: true, may_leave: true }
    } else {
        movement
    };
    let count = datafile.rules().iter().filter(uses).count();
    let mut users: Vec<String> =
        datafile.rules().iter().filter(uses).take(MOST_RULES).map(said).collect();
    if users.is_empty() {
        return "no rule uses it: nobody is affected".to_owned();
    }
    if count > users.len() {
        users.push(format!("{} more", count - users.len()));
    }
    format!("{}: {}", moves(movement), users.join(", "))
}

fn is_below_not<L>(tree: &Tree<L>, is_it: &impl Fn(&L) -> bool) -> bool {
    match tree {
        Tree::And(parts) | Tree::Or(parts) => parts.iter().any(|part| is_below_not(part, is_it)),
        Tree::Not(part) => part.leaves().any(is_it),
        Tree::Leaf(_) | Tree::Unknown => false,
    }
}

/// Who comes and goes, in words.
fn moves(Movement { may_enter, may_leave }: Movement) -> &'static str {
    match (may_enter, may_leave) {
        (true, true) => "users enter and leave, nobody is bucketed anew",
        (true, false) => "users enter and nobody leaves or is bucketed anew",
        (false, true) => "users leave and nobody enters or is bucketed anew",
        (false, false) => "nobody enters, leaves or is bucketed anew",
    }
}

/// What a rule is, in a word.
fn kind_name(kind: RuleKind) -> &'static str {
    match kind {
        RuleKind::Experiment => "experiment",
        RuleKind::Rollout => "rollout rule",
        RuleKind::Holdout => "holdout",
    }
}

fn conditions(audience: &Audience) -> String {
    conditions_of(&simplified(audience.conditions()))
}

fn conditions_of(conditions: &Tree<Condition>) -> String {
    let condition =
        |condition: &Condition| format!("{} {}", text(&condition.attribute), condition.test);
    tree(conditions, &condition)
}

/// The difference between the audiences that two rules are for.
pub(super) fn of_rules(
    place: &Place,
    (old, old_rule): (&Side<'_>, &Rule),
    (new, new_rule): (&Side<'_>, &Rule),
) -> Option<Change> {
    let (before, after) = (named(old, old_rule.audiences()), named(new, new_rule.audiences()));
    let identity = |tree: &Option<Tree<(Identity, String)>>| tree.as_ref().map(identities_of);
    if identity(&before) == identity(&after) {
        return None;
    }
    let change = place.changed("audience", said(before), said(after));
    let movement = Movement::of_rules(
        (old.datafile, old_rule.audiences()),
        (new.datafile, new_rule.audiences()),
    );
    Some(change.meaning(moves(movement)))
}

/// Which audiences a rule is for, in words.
pub(super) fn words(side: &Side<'_>, rule: &Rule) -> String {
    said(named(side, rule.audiences())).words
}

fn said(audiences: Option<Tree<(Identity, String)>>) -> Said {
    Said::words(match audiences {
        None => "everyone".to_owned(),
        Some(audiences) => tree(&audiences, &|(_, label)| name(label)),
    })
}

/// The tree with identities and names in place of indices; `None` is everyone.
fn named(side: &Side<'_>, audiences: &Audiences) -> Option<Tree<(Identity, String)>> {
    let leaf = |index: &AudienceIndex| {
        let label = side.datafile.audience(*index).map(label);
        side.audience(*index).zip(label).map(|(identity, label)| (identity, label.to_owned()))
    };
    match audiences {
        Audiences::Everyone => None,
        Audiences::One(index) => Some(leaf(index).map_or(Tree::Unknown, Tree::Leaf)),
        Audiences::Tree(tree, _) => Some(simplified(&mapped(tree, &leaf))),
    }
}

fn identities_of(tree: &Tree<(Identity, String)>) -> Tree<Identity> {
    mapped(tree, &|(identity, _)| Some(*identity))
}

/// A tree with other leaves; where there is none, it cannot be answered.
fn mapped<L, M>(tree: &Tree<L>, leaf: &dyn Fn(&L) -> Option<M>) -> Tree<M> {
    let all = |parts: &[Tree<L>]| parts.iter().map(|part| mapped(part, leaf)).collect();
    match tree {
        Tree::And(parts) => Tree::And(all(parts)),
        Tree::Or(parts) => Tree::Or(all(parts)),
        Tree::Not(part) => Tree::Not(Box::new(mapped(part, leaf))),
        Tree::Leaf(found) => leaf(found).map_or(Tree::Unknown, Tree::Leaf),
        Tree::Unknown => Tree::Unknown,
    }
}
