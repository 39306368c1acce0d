//! Condition trees as jump code: the form that decisions run.
//!
//! Must not know what the leaves are.
//!
//! At the root, unknown counts as false. So the only question is whether a tree is *definitely* true,
//! and that needs two values, not three: `not` is pushed down to the leaves, each of which is then
//! asked whether it definitely has the value wanted of it. An unknown leaf never has.

use super::tree::Tree;

/// Stands for "the tree is definitely true" where a step's place is expected.
const ACCEPT: u32 = u32::MAX;
/// Stands for "it is not".
const REJECT: u32 = u32::MAX - 1;

/// A compiled condition tree.
#[derive(Debug, Clone)]
pub struct Program<L> {
    steps: Box<[Step<L>]>,
    entry: u32,
}

#[derive(Debug, Clone)]
struct Step<L> {
    leaf: L,
    wanted: bool,
    if_met: u32,
    otherwise: u32,
}

impl<L: Clone> Program<L> {
    /// Compiles the question whether a tree definitely is true (or, with `wanted` false, is false).
    #[must_use]
    pub fn new(tree: &Tree<L>, wanted: bool) -> Self {
        let mut steps = Vec::new();
        let entry = emit(tree, wanted, (ACCEPT, REJECT), &mut steps);
        Self { steps: steps.into(), entry }
    }
}

impl<L> Program<L> {
    /// Answers it, asking of each leaf that matters whether it definitely has the value given.
    #[inline(always)]
    pub fn holds(&self, mut leaf_is: impl FnMut(&L, bool) -> bool) -> bool {
        let mut place = self.entry;
        // Jumps only lead to steps emitted earlier, so this ends.
        while let Some(step) = self.steps.get(place as usize) {
            place = if leaf_is(&step.leaf, step.wanted) { step.if_met } else { step.otherwise };
        }
        place == ACCEPT
    }

    /// Whether the answer is yes whatever the leaves are.
    #[must_use]
    pub fn always_holds(&self) -> bool {
        self.entry == ACCEPT
    }
}

/// Emits the steps of a tree, last part first, and returns the place where it begins.
///
/// `(met, otherwise)` are the places to go to once it is known whether the tree definitely is `wanted`.
fn emit<L: Clone>(
    tree: &Tree<L>,
    wanted: bool,
    (met, otherwise): (u32, u32),
    steps: &mut Vec<Step<L>>,
) -> u32 {
    match tree {
        Tree::Unknown => otherwise,
        Tree::Not(part) => emit(part, !wanted, (met, otherwise), steps),
        Tree::Leaf(leaf) => {
            let place = u32::try_from(steps.len()).unwrap_or(REJECT);
            if place >= REJECT {
                return otherwise;
            }
            steps.push(Step { leaf: leaf.clone(), wanted, if_met: met, otherwise });
            place
        }
        Tree::And(parts) | Tree::Or(parts) => {
            // "All of them" for a true `and` and a false `or`; "one of them" for the other two.
            let all = matches!(tree, Tree::And(_)) == wanted;
            let none_left = if all { met } else { otherwise };
            parts.iter().rev().fold(none_left, |next, part| {
                let exits = if all { (next, otherwise) } else { (met, next) };
                emit(part, wanted, exits, steps)
            })
        }
    }
}
