//! The search for a user who meets what is wanted.
//!
//! Must not know how values fall into classes.

use std::collections::BTreeMap;
use std::rc::Rc;

use hashbrown::HashMap;

use super::formula::{ANY, FALSE, Formula, Shape, TRUE, UNKNOWN};
use super::values::{Choice, choices, examples};
use crate::targeting::{Comparison, Condition, Test};

/// Steps that one search may take.
const MOST_STEPS_OF_ONE: u64 = 100_000;
/// Steps that all searches in a datafile may take together: well under a second.
const MOST_STEPS: u64 = 5_000_000;
/// Searches over more conditions than this are not begun.
const MOST_LEAVES: usize = 400;

/// No more values than this are kept for the next search.
const MOST_KNOWN: usize = 10_000_000;

/// What a tree must be for the user who is looked for.
#[derive(Debug, Clone, Copy)]
pub(in crate::datafile::lint) enum Wanted<'a> {
    /// Definitely true.
    True(&'a Formula),
    /// False or unknown.
    NotTrue(&'a Formula),
}

/// The conditions of a datafile, and what is left of the budget.
#[derive(Debug)]
pub(in crate::datafile::lint) struct Solver<'a> {
    conditions: Vec<&'a Condition>,
    /// The values that each condition can have, as far as the search has got.
    values: Vec<u8>,
    /// The conditions whose values the search has changed.
    touched: Vec<usize>,
    steps_left: u64,
    /// What conditions on one thing can be together, for those that were asked for already.
    known: HashMap<Vec<usize>, Rc<Vec<Choice>>>,
    /// How many values `known` holds.
    known_size: usize,
}

impl<'a> Solver<'a> {
    pub(in crate::datafile::lint) fn new(conditions: Vec<&'a Condition>) -> Self {
        let values = vec![ANY; conditions.len()];
        let (touched, known) = (Vec::new(), HashMap::new());
        Self { conditions, values, touched, steps_left: MOST_STEPS, known, known_size: 0 }
    }

    /// A condition by its number.
    pub(in crate::datafile::lint) fn condition(&self, index: usize) -> Option<&'a Condition> {
        self.conditions.get(index).copied()
    }

    /// Whether some user certainly meets a condition, and some other certainly does not: so it is with all
    /// but those that ask for less than the least, or more than the most.
    pub(in crate::datafile::lint) fn is_plain(&self, formula: &Formula) -> bool {
        let Shape::Leaf(index) = &formula.shape else { return false };
        self.condition(*index).is_some_and(|condition| match &condition.test {
            Test::Version(Comparison::Less, _)
            | Test::Number(Comparison::Less | Comparison::Greater, _) => false,
            _ => !condition.attribute.is_empty(),
        })
    }

    /// Whether there certainly is no user for whom all of this is so.
    pub(in crate::datafile::lint) fn is_impossible(&mut self, wanted: &[Wanted<'_>]) -> bool {
        let allowed = self.steps_left.min(MOST_STEPS_OF_ONE);
        let mut budget = allowed;
        let can_be = self.can_be(wanted, &mut budget);
        for leaf in self.touched.drain(..) {
            if let Some(known) = self.values.get_mut(leaf) {
                *known = ANY;
            }
        }
        self.steps_left = self.steps_left.saturating_sub(allowed.saturating_sub(budget));
        can_be == Some(false)
    }

    fn can_be(&mut self, wanted: &[Wanted<'_>], budget: &mut u64) -> Option<bool> {
        // What does not depend on conditions needs no search, whatever its size.
        if let Some(answer) = self.answer(wanted, budget)? {
            return Some(answer);
        }
        // Mostly there is such a user, and one is soon found among those who have the very values that
        // are compared with. Only that there is none needs all classes.
        for depth in [Depth::Examples, Depth::All] {
            let variables = self.variables(wanted, depth, budget)?;
            for variable in &variables {
                self.touched.extend(&variable.leaves);
                self.set_back(variable);
            }
            let is_found = self.search(wanted, &variables, budget)?;
            if is_found || depth == Depth::All {
                return Some(is_found);
            }
        }
        None
    }

    /// What the conditions depend on: an attribute's value, or whether the user is in a segment.
    fn variables(
        &mut self,
        wanted: &[Wanted<'_>],
        depth: Depth,
        budget: &mut u64,
    ) -> Option<Vec<Variable>> {
        let mut leaves = Vec::new();
        for one in wanted {
            one.formula().each_leaf(budget, &mut |leaf| leaves.push(leaf))?;
        }
        leaves.sort_unstable();
        leaves.dedup();
        if leaves.len() > MOST_LEAVES {
            return None;
        }
        let mut leaves_by_variable: BTreeMap<(bool, &str), Vec<usize>> = BTreeMap::new();
        for leaf in leaves {
            let condition = self.condition(leaf)?;
            let variable = match &condition.test {
                // It may be anything, and stays so.
                Test::Unknown => continue,
                Test::Qualified(segment) => (true, &**segment),
                _ => (false, &*condition.attribute),
            };
            leaves_by_variable.entry(variable).or_default().push(leaf);
        }
        let mut variables = Vec::new();
        for leaves in leaves_by_variable.into_values() {
            let choices = match depth {
                Depth::Examples => Rc::new(examples(&self.conditions_of(&leaves), budget)?),
                Depth::All => self.choices_of(&leaves, budget)?,
            };
            variables.push(Variable { leaves, choices });
        }
        variables.sort_by_key(|variable| variable.choices.len());
        Some(variables)
    }

    fn conditions_of(&self, leaves: &[usize]) -> Vec<&'a Condition> {
        leaves.iter().filter_map(|leaf| self.condition(*leaf)).collect()
    }

    fn choices_of(&mut self, leaves: &[usize], budget: &mut u64) -> Option<Rc<Vec<Choice>>> {
        if let Some(known) = self.known.get(leaves) {
            return Some(Rc::clone(known));
        }
        let choices = Rc::new(choices(&self.conditions_of(leaves), budget)?);
        let size = choices.len().saturating_mul(leaves.len());
        self.known_size = self.known_size.saturating_add(size);
        if self.known_size > MOST_KNOWN {
            self.known.clear();
            self.known_size = size;
        }
        self.known.insert(leaves.to_vec(), Rc::clone(&choices));
        Some(choices)
    }

    fn search(
        &mut self,
        wanted: &[Wanted<'_>],
        variables: &[Variable],
        budget: &mut u64,
    ) -> Option<bool> {
        if let Some(answer) = self.answer(wanted, budget)? {
            return Some(answer);
        }
        // With nothing left to choose, all that is open is what may be anything.
        let Some((variable, others)) = variables.split_first() else { return Some(true) };
        for choice in variable.choices.iter() {
            for (leaf, values) in variable.leaves.iter().zip(choice) {
                if let Some(known) = self.values.get_mut(*leaf) {
                    *known = *values;
                }
            }
            if self.search(wanted, others, budget)? {
                return Some(true);
            }
        }
        self.set_back(variable);
        Some(false)
    }

    /// Whether it is so for all users who are left, or for none; `None` inside if it is open.
    fn answer(&self, wanted: &[Wanted<'_>], budget: &mut u64) -> Option<Option<bool>> {
        let mut is_certain = true;
        for one in wanted {
            let (good, bad) = match one {
                Wanted::True(_) => (TRUE, FALSE | UNKNOWN),
                Wanted::NotTrue(_) => (FALSE | UNKNOWN, TRUE),
            };
            let values = one.formula().values(&self.values, budget)?;
            if values & good == 0 {
                return Some(Some(false));
            }
            is_certain &= values & bad == 0;
        }
        Some(is_certain.then_some(true))
    }

    /// Lets the conditions of a variable have any value that one of its choices gives them.
    fn set_back(&mut self, variable: &Variable) {
        for (place, leaf) in variable.leaves.iter().enumerate() {
            let of_choice = |choice: &Choice| choice.get(place).copied().unwrap_or(ANY);
            let any = variable.choices.iter().fold(0, |any, choice| any | of_choice(choice));
            if let Some(known) = self.values.get_mut(*leaf) {
                *known = any;
            }
        }
    }
}

/// Which values are searched.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
enum Depth {
    /// Some.
    Examples,
    /// One of each class.
    All,
}

/// Conditions that depend on one thing, and the values that they can have together.
struct Variable {
    leaves: Vec<usize>,
    choices: Rc<Vec<Choice>>,
}

impl<'a> Wanted<'a> {
    fn formula(self) -> &'a Formula {
        match self {
            Self::True(formula) | Self::NotTrue(formula) => formula,
        }
    }
}
