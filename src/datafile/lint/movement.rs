//! Whether somebody may enter or leave, when conditions or a rule's audiences become others.
//!
//! Must not know what differs in words. Whom it is not certain of is taken to be possible.

use super::logic::{Formula, Shape, Solver, Wanted};
use crate::datafile::model::{Audience, AudienceIndex, Audiences, Datafile};
use crate::datafile::place::Place;
use crate::targeting::{Condition, Tree};

/// Who may come and go.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub(crate) struct Movement {
    pub(crate) may_enter: bool,
    pub(crate) may_leave: bool,
}

impl Movement {
    /// Between the conditions of two audiences.
    pub(crate) fn of_conditions(old: &Tree<Condition>, new: &Tree<Condition>) -> Self {
        let mut conditions = Vec::new();
        let (old, new) = (of_audience(old, &mut conditions), of_audience(new, &mut conditions));
        Self::between(&old, &new, conditions)
    }

    /// Between the audiences that two rules are for, each with its datafile.
    pub(crate) fn of_rules(old: (&Datafile, &Audiences), new: (&Datafile, &Audiences)) -> Self {
        let mut conditions = Vec::new();
        let (old, new) = (of_rule(old, &mut conditions), of_rule(new, &mut conditions));
        Self::between(&old, &new, conditions)
    }

    fn between(old: &Formula, new: &Formula, conditions: Vec<&Condition>) -> Self {
        let mut solver = Solver::new(conditions);
        let mut may_move = |from: &Formula, to: &Formula| {
            !solver.is_impossible(&[Wanted::True(to), Wanted::NotTrue(from)])
        };
        Self { may_enter: may_move(old, new), may_leave: may_move(new, old) }
    }
}

fn of_audience<'t>(tree: &'t Tree<Condition>, conditions: &mut Vec<&'t Condition>) -> Formula {
    formula(tree, &mut |condition| {
        conditions.push(condition);
        Shape::Leaf(conditions.len().saturating_sub(1))
    })
}

fn of_rule<'d>(
    (datafile, audiences): (&'d Datafile, &'d Audiences),
    conditions: &mut Vec<&'d Condition>,
) -> Formula {
    let mut leaf = |index: &AudienceIndex| {
        let tree = datafile.audience(*index).map(Audience::conditions);
        tree.map_or(Shape::Free, |tree| of_audience(tree, conditions).shape)
    };
    match audiences {
        Audiences::Everyone => placeless(Shape::And(Vec::new())),
        Audiences::One(index) => placeless(leaf(index)),
        Audiences::Tree(tree, _) => formula(tree, &mut leaf),
    }
}

fn formula<'t, L>(tree: &'t Tree<L>, leaf: &mut dyn FnMut(&'t L) -> Shape) -> Formula {
    let mut all = |parts: &'t [Tree<L>]| parts.iter().map(|part| formula(part, leaf)).collect();
    placeless(match tree {
        Tree::And(parts) => Shape::And(all(parts)),
        Tree::Or(parts) => Shape::Or(all(parts)),
        Tree::Not(part) => Shape::Not(Box::new(formula(part, leaf))),
        Tree::Leaf(one) => leaf(one),
        Tree::Unknown => Shape::Free,
    })
}

fn placeless(shape: Shape) -> Formula {
    Formula { place: Place::default(), shape }
}
