//! Jump code, held against a plain three-valued evaluation of the tree that it was compiled from.

use proptest::prelude::*;
use variate::targeting::{Program, Tree};

const LEAVES: usize = 6;

/// As Kleene defines it: `None` is unknown.
fn naive(tree: &Tree<usize>, values: &[Option<bool>]) -> Option<bool> {
    let all = |parts: &[Tree<usize>], breaks: bool| {
        let answers: Vec<Option<bool>> = parts.iter().map(|part| naive(part, values)).collect();
        if answers.contains(&Some(breaks)) {
            Some(breaks)
        } else if answers.contains(&None) {
            None
        } else {
            Some(!breaks)
        }
    };
    match tree {
        Tree::And(parts) => all(parts, false),
        Tree::Or(parts) => all(parts, true),
        Tree::Not(part) => naive(part, values).map(|answer| !answer),
        Tree::Leaf(leaf) => values[*leaf],
        Tree::Unknown => None,
    }
}

fn check(tree: &Tree<usize>, values: &[Option<bool>]) {
    for wanted in [true, false] {
        let program = Program::new(tree, wanted);
        let mut asked = 0;
        let holds = program.holds(|leaf, value| {
            asked += 1;
            values[*leaf] == Some(value)
        });
        let expected = naive(tree, values) == Some(wanted);
        assert_eq!(holds, expected, "{wanted} of {tree:?} with {values:?}");
        assert!(asked <= tree.leaves().count(), "{tree:?} asks a leaf twice");
        assert!(!program.always_holds() || (expected && asked == 0), "{tree:?}");
    }
}

fn any_tree() -> impl Strategy<Value = Tree<usize>> {
    let leaf = prop_oneof![8 => (0..LEAVES).prop_map(Tree::Leaf), 1 => Just(Tree::Unknown)];
    leaf.prop_recursive(6, 48, 4, |part| {
        let parts = proptest::collection::vec(part.clone(), 0..4);
        prop_oneof![
            parts.clone().prop_map(Tree::And),
            parts.prop_map(Tree::Or),
            part.prop_map(|part| Tree::Not(Box::new(part))),
        ]
    })
}

fn any_values() -> impl Strategy<Value = Vec<Option<bool>>> {
    proptest::collection::vec(proptest::option::weighted(0.75, any::<bool>()), LEAVES)
}

proptest! {
    #![proptest_config(ProptestConfig::with_cases(2000))]
    #[test]
    fn any_tree_with_any_values(tree in any_tree(), values in any_values()) {
        check(&tree, &values);
    }
}

#[test]
fn identities_and_unknowns() {
    let leaf = || Tree::Leaf(0);
    let trees = [
        Tree::And(vec![]),
        Tree::Or(vec![]),
        Tree::Unknown,
        Tree::Not(Box::new(Tree::Unknown)),
        Tree::Not(Box::new(Tree::Or(vec![]))),
        Tree::Not(Box::new(Tree::Not(Box::new(leaf())))),
        Tree::And(vec![leaf(), Tree::Unknown]),
        Tree::Or(vec![Tree::Unknown, leaf()]),
        Tree::Not(Box::new(Tree::And(vec![leaf(), Tree::Unknown]))),
    ];
    for tree in &trees {
        for value in [Some(true), Some(false), None] {
            check(tree, &[value]);
        }
    }
}
