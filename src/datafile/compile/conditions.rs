//! Condition trees: of audiences, and of rules over audiences.
//!
//! Must not know what the leaves are. A list without an operator is an `or`; what cannot be
//! understood is unknown, and the rest of the tree still counts.

use crate::datafile::findings::Findings;
use crate::datafile::wire::{Kind, Nested, Node};
use crate::targeting::Tree;

/// How deep conditions may be nested. Everything that walks a tree relies on it.
const MOST_LEVELS: usize = 128;

/// Compiles a tree, given how what is not an array is read.
pub(super) fn compile<L>(
    node: &Node<'_>,
    leaf: &mut dyn FnMut(&Node<'_>, &mut Findings) -> Tree<L>,
    findings: &mut Findings,
) -> Tree<L> {
    level(&Nested::read(node, MOST_LEVELS), leaf, findings)
}

fn level<L>(
    nested: &Nested<'_>,
    leaf: &mut dyn FnMut(&Node<'_>, &mut Findings) -> Tree<L>,
    findings: &mut Findings,
) -> Tree<L> {
    let (node, items) = match nested {
        Nested::List(node, items) => (node, items),
        Nested::Whole(node) if node.kind() == Kind::Array => return too_deep(node, findings),
        Nested::Whole(node) => return leaf(node, findings),
    };
    let operator = items.first().and_then(|first| Operator::of(first.node()));
    let operands = items.get(usize::from(operator.is_some())..).unwrap_or_default();
    let mut each = |operands: &[Nested<'_>], findings: &mut Findings| -> Vec<Tree<L>> {
        operands.iter().map(|operand| level(operand, leaf, findings)).collect()
    };
    match operator {
        Some(Operator::And) => Tree::And(each(operands, findings)),
        Some(Operator::Or) | None => Tree::Or(each(operands, findings)),
        Some(Operator::Not) => {
            report_operands_of_not(node, operands.len(), findings);
            let first = operands.get(..1).unwrap_or_default();
            each(first, findings)
                .pop()
                .map_or(Tree::Unknown, |operand| Tree::Not(Box::new(operand)))
        }
    }
}

fn too_deep<L>(node: &Node<'_>, findings: &mut Findings) -> Tree<L> {
    let message = || {
        format!(
            "conditions are nested beyond {MOST_LEVELS} levels, what is inside is neither true nor false"
        )
    };
    findings.error("nested-too-deep", node.place(), message, "write them flatter");
    Tree::Unknown
}

#[derive(Debug, Clone, Copy)]
enum Operator {
    And,
    Or,
    Not,
}

impl Operator {
    /// Operators hold no escapes, so the JSON text can be compared as it is.
    fn of(node: &Node<'_>) -> Option<Self> {
        match node.text() {
            "\"and\"" => Some(Self::And),
            "\"or\"" => Some(Self::Or),
            "\"not\"" => Some(Self::Not),
            _ => None,
        }
    }
}

fn report_operands_of_not(node: &Node<'_>, count: usize, findings: &mut Findings) {
    match count {
        0 => {
            let message = "\"not\" has no operand, so it is neither true nor false";
            findings.error("bad-conditions", node.place(), message, "give it one");
        }
        1 => {}
        _ => {
            let message = "\"not\" has more than one operand, only the first one counts";
            findings.warning("bad-conditions", node.place(), message, "put an \"or\" around them");
        }
    }
}
