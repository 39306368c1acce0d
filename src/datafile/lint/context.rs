//! What all rules of the linter look at: the wire form and the compiled form side by side.
//!
//! Must not know the rules.

use std::rc::Rc;

use hashbrown::{HashMap, HashSet};

use super::logic::{Formula, Shape, Solver};
use crate::datafile::findings::Findings;
use crate::datafile::model::{Audience, AudienceIndex, Audiences, Datafile, Rule};
use crate::datafile::place::Place;
use crate::datafile::wire::{Kind, Node, Object, WireAudience, WireDatafile, WireRule};
use crate::targeting::{Condition, Tree};

/// Conditions are not looked into beyond this depth; compiling does not read them either.
const MOST_LEVELS: usize = 128;

/// Both forms of a datafile.
pub(super) struct Context<'a> {
    pub(super) wire: &'a WireDatafile<'a>,
    pub(super) datafile: &'a Datafile,
    /// Both forms of each rule, in the order of [`Datafile::rules`].
    pub(super) rules: Vec<(&'a WireRule<'a>, &'a Rule)>,
    /// Both forms of each audience, in the order of [`Datafile::audiences`].
    pub(super) audiences: Vec<(&'a WireAudience<'a>, &'a Audience)>,
    pub(super) solver: Solver<'a>,
    /// The conditions of each audience.
    pub(super) formulas: Vec<Rc<Formula>>,
    /// The paths of what compiling reported: one fault is not reported twice.
    reported: HashSet<String>,
}

impl<'a> Context<'a> {
    pub(super) fn new(
        wire: &'a WireDatafile<'a>,
        datafile: &'a Datafile,
        reported: HashSet<String>,
    ) -> Self {
        let audiences = audiences(wire, datafile);
        let mut conditions = Vec::new();
        let formulas = audiences
            .iter()
            .map(|(wire, audience)| Rc::new(formula_of_audience(wire, audience, &mut conditions)));
        let formulas = formulas.collect();
        let rules = wire_rules(wire).zip(&datafile.rules).collect();
        let solver = Solver::new(conditions);
        Self { wire, datafile, rules, audiences, solver, formulas, reported }
    }

    /// Whether compiling reported something of this very place.
    pub(super) fn is_reported(&self, place: &Place) -> bool {
        self.reported.contains(&place.to_string())
    }

    /// Whom a rule is for, given what stands for each audience.
    pub(super) fn formula_of_rule(
        &self,
        wire: &WireRule<'_>,
        rule: &Rule,
        shape_of: impl Fn(AudienceIndex) -> Shape,
    ) -> Formula {
        let mut leaf = |index: &AudienceIndex| shape_of(*index);
        match (&rule.audiences, wire.audience_node()) {
            (Audiences::Everyone, _) | (_, None) => {
                Formula { place: wire.place.clone(), shape: Shape::And(Vec::new()) }
            }
            (Audiences::One(index), Some(node)) => {
                // Alone in a list, or without one.
                let alone = node.as_array().and_then(|mut items| items.pop());
                let place = alone.as_ref().unwrap_or(node).place().clone();
                Formula { place, shape: shape_of(*index) }
            }
            (Audiences::Tree(tree, _), Some(node)) => placed(tree, node, &mut leaf),
        }
    }

    /// An audience by its place, as a part of a rule's formula.
    pub(super) fn shape_of_audience(&self, index: AudienceIndex) -> Shape {
        let place = index.place() as usize;
        match (self.audiences.get(place), self.formulas.get(place)) {
            (Some((_, audience)), Some(formula)) => {
                Shape::Audience((&*audience.name).into(), Rc::clone(formula))
            }
            _ => Shape::Free,
        }
    }

    /// Calls a function with each condition of each audience, as it is written.
    pub(super) fn each_condition(&self, visit: &mut dyn FnMut(usize, &Object<'_>)) {
        for (index, (wire, audience)) in self.audiences.iter().enumerate() {
            with_conditions(wire, audience, |node| {
                if let Some(node) = node {
                    each_leaf(node, MOST_LEVELS, &mut |object| visit(index, object));
                }
            });
        }
    }
}

/// The rules in the order in which compiling lists them.
fn wire_rules<'a>(wire: &'a WireDatafile<'a>) -> impl Iterator<Item = &'a WireRule<'a>> {
    let of_groups = wire.groups.iter().flat_map(|group| &group.experiments);
    let of_rollouts = wire.rollouts.iter().flat_map(|rollout| &rollout.rules);
    let local = wire.local_holdouts.iter().filter(|holdout| holdout.included_rules.is_some());
    let holdouts = wire.holdouts.iter().chain(local);
    wire.experiments.iter().chain(of_groups).chain(of_rollouts).chain(holdouts)
}

/// Of several audiences with one id the last typed one counts, else the last one.
fn audiences<'a>(
    wire: &'a WireDatafile<'a>,
    datafile: &'a Datafile,
) -> Vec<(&'a WireAudience<'a>, &'a Audience)> {
    let by_id = |list: &'a [WireAudience<'a>]| {
        list.iter().map(|one| (&*one.id, one)).collect::<HashMap<_, _>>()
    };
    let (typed, untyped) = (by_id(&wire.typed_audiences), by_id(&wire.audiences));
    let both = |audience: &'a Audience| {
        let list = if audience.is_typed { &typed } else { &untyped };
        Some((*list.get(&*audience.id)?, audience))
    };
    datafile.audiences.iter().filter_map(both).collect()
}

/// The conditions of an audience as JSON, also where they stand in a string.
fn with_conditions<R>(
    wire: &WireAudience<'_>,
    audience: &Audience,
    look: impl FnOnce(Option<&Node<'_>>) -> R,
) -> R {
    let Some(node) = &wire.conditions else { return look(None) };
    let text = if audience.is_typed { None } else { node.as_string(&mut Findings::default()) };
    match text {
        None => look(Some(node)),
        Some(text) => look(Node::parse(&text, node.place().clone()).ok().as_ref()),
    }
}

fn formula_of_audience<'a>(
    wire: &WireAudience<'_>,
    audience: &'a Audience,
    conditions: &mut Vec<&'a Condition>,
) -> Formula {
    with_conditions(wire, audience, |node| match node {
        None => Formula { place: wire.place.clone(), shape: Shape::Free },
        Some(node) => placed(&audience.tree, node, &mut |condition| {
            conditions.push(condition);
            Shape::Leaf(conditions.len().saturating_sub(1))
        }),
    })
}

/// A tree with the places of its parts, taken from the JSON that it was compiled from.
fn placed<'a, L>(
    tree: &'a Tree<L>,
    node: &Node<'_>,
    leaf: &mut dyn FnMut(&'a L) -> Shape,
) -> Formula {
    let items = || node.as_array().unwrap_or_default();
    // The operator is left out where it is an `or`.
    let mut parts_of = |parts: &'a [Tree<L>]| {
        let items = items();
        let operators = items.len().saturating_sub(parts.len());
        let parts = parts.iter().zip(items.iter().skip(operators));
        parts.map(|(part, node)| placed(part, node, leaf)).collect()
    };
    let shape = match tree {
        Tree::Unknown => Shape::Free,
        Tree::And(parts) => Shape::And(parts_of(parts)),
        Tree::Or(parts) => Shape::Or(parts_of(parts)),
        Tree::Not(part) => match items().get(1) {
            Some(node) => Shape::Not(Box::new(placed(part, node, leaf))),
            None => Shape::Free,
        },
        Tree::Leaf(one) => leaf(one),
    };
    Formula { place: node.place().clone(), shape }
}

fn each_leaf(node: &Node<'_>, levels_left: usize, visit: &mut dyn FnMut(&Object<'_>)) {
    match node.kind() {
        Kind::Array if levels_left > 0 => {
            for item in node.as_array().unwrap_or_default() {
                each_leaf(&item, levels_left.saturating_sub(1), visit);
            }
        }
        Kind::Object => node.as_object(&mut Findings::default()).iter().for_each(visit),
        _ => {}
    }
}
