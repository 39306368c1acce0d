//! Audiences, and which of them a rule is for.
//!
//! Must not know what else is in a rule.

use hashbrown::HashMap;

use super::draft::{duplicate_id, keep_last, place_of};
use super::{condition, conditions};
use crate::datafile::findings::{Findings, quoted};
use crate::datafile::model::{Audience, AudienceIndex, Audiences, FILLER_AUDIENCE_ID};
use crate::datafile::wire::{Kind, Node, WireAudience, WireRule, wrong_type};
use crate::targeting::{Condition, Program, Tree};

/// The audiences of a datafile: the typed ones, then the untyped ones whose ids are not among them.
#[derive(Debug)]
pub(super) struct Table {
    list: Vec<Audience>,
    index_by_id: HashMap<Box<str>, AudienceIndex>,
}

impl Table {
    pub(super) fn new(
        untyped: Vec<WireAudience<'_>>,
        typed: Vec<WireAudience<'_>>,
        findings: &mut Findings,
    ) -> Self {
        let mut table = Self { list: Vec::new(), index_by_id: HashMap::new() };
        for (wire, is_typed) in [(typed, true), (untyped, false)] {
            let report =
                |one: &WireAudience<'_>| duplicate_id(&one.place, "audience", &one.id, findings);
            let (kept, _) = keep_last(wire, |one| &one.id, report);
            for one in kept {
                if !table.index_by_id.contains_key(&*one.id) {
                    let index = AudienceIndex::at(place_of(&table.list));
                    table.index_by_id.insert((*one.id).into(), index);
                    table.list.push(compile(one, is_typed, findings));
                }
            }
        }
        table
    }

    pub(super) fn into_list(self) -> Vec<Audience> {
        self.list
    }

    /// Which audiences a rule is for. The SDKs read its ids as they read conditions, with operators and all, where it
    /// has no conditions. Only what is not there or an empty list is for everyone: what cannot be read is for nobody.
    pub(super) fn of_rule(&self, rule: &WireRule<'_>, findings: &mut Findings) -> Audiences {
        let Some(node) = rule.audience_node() else { return Audiences::Everyone };
        let is_empty = node.as_array().is_some_and(|items| items.is_empty());
        if is_empty {
            return Audiences::Everyone;
        }
        if rule.audience_conditions.is_none() && node.kind() == Kind::String {
            wrong_type(node, "an array of ids", "it was read as the id of one audience", findings);
        }
        match conditions::compile(node, &mut |node, findings| self.named(node, findings), findings)
        {
            Tree::Leaf(index) => Audiences::One(index),
            Tree::Or(parts) => match parts.as_slice() {
                [Tree::Leaf(index)] if rule.audience_conditions.is_none() => Audiences::One(*index),
                _ => of_tree(Tree::Or(parts)),
            },
            tree => of_tree(tree),
        }
    }

    fn named(&self, node: &Node<'_>, findings: &mut Findings) -> Tree<AudienceIndex> {
        let Some(id) = node.as_string(findings) else {
            wrong_type(node, "an audience's id or an array", OUTCOME, findings);
            return Tree::Unknown;
        };
        let Some(index) = self.index_by_id.get(&*id) else {
            if id != FILLER_AUDIENCE_ID {
                findings.dangling(node.place(), "audience", &id, OUTCOME);
            }
            return Tree::Unknown;
        };
        Tree::Leaf(*index)
    }
}

const OUTCOME: &str = "it is neither true nor false";

fn of_tree(tree: Tree<AudienceIndex>) -> Audiences {
    let program = Program::new(&tree, true);
    Audiences::Tree(tree, program)
}

fn compile(wire: WireAudience<'_>, is_typed: bool, findings: &mut Findings) -> Audience {
    let (tree, conditions_text) = match (&wire.conditions, is_typed) {
        (None, _) => {
            let message = "\"conditions\" is missing, the audience is neither true nor false";
            findings.error("missing-field", &wire.place, message, "add the field");
            (Tree::Unknown, Box::default())
        }
        (Some(node), true) => (tree_of(node, findings), node.text().into()),
        (Some(node), false) => untyped(node, findings),
    };
    let when_true = Program::new(&tree, true);
    let when_false = Program::new(&tree, false);
    Audience {
        id: wire.id.into(),
        name: wire.name.into(),
        conditions_text,
        is_typed,
        tree,
        when_true,
        when_false,
    }
}

/// The conditions of an untyped audience: JSON in a string.
fn untyped(node: &Node<'_>, findings: &mut Findings) -> (Tree<Condition>, Box<str>) {
    let Some(text) = node.as_string(findings) else {
        let message = || {
            format!(
                "this is {}, not a string that holds JSON, it was read as it stands",
                node.kind().name()
            )
        };
        findings.warning(
            "wrong-type",
            node.place(),
            message,
            "write it as a string, or move it to \"typedAudiences\"",
        );
        return (tree_of(node, findings), node.text().into());
    };
    let tree = match Node::parse(&text, node.place().clone()) {
        Ok(inner) => tree_of(&inner, findings),
        Err(source) => {
            let message = || {
                format!("the text is not JSON ({source}), the audience is neither true nor false")
            };
            findings.error(
                "bad-conditions",
                node.place(),
                message,
                "write the conditions as JSON in a string",
            );
            Tree::Unknown
        }
    };
    (tree, text.into())
}

fn tree_of(node: &Node<'_>, findings: &mut Findings) -> Tree<Condition> {
    conditions::compile(node, &mut leaf, findings)
}

fn leaf(node: &Node<'_>, findings: &mut Findings) -> Tree<Condition> {
    if let Some(object) = node.as_object(findings) {
        return Tree::Leaf(condition::compile(&object, findings));
    }
    if node.kind() == Kind::String {
        let name = node.as_string(findings).unwrap_or_default();
        let message =
            || format!("{} is no operator here, it is neither true nor false", quoted(&name));
        let remedy = "begin a list with \"and\", \"or\" or \"not\", in lower case";
        findings.error("unknown-operator", node.place(), message, remedy);
    } else {
        wrong_type(node, "a condition or an array", "it is neither true nor false", findings);
    }
    Tree::Unknown
}
