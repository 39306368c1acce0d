//! Condition trees as they are searched: with the places of their parts, audiences inlined.
//!
//! Must not know attributes or values.

use std::rc::Rc;

use crate::datafile::place::Place;

/// Sets of truth values, as bits.
pub(super) const TRUE: u8 = 1;
pub(super) const FALSE: u8 = 2;
pub(super) const UNKNOWN: u8 = 4;
pub(super) const ANY: u8 = TRUE | FALSE | UNKNOWN;

/// A condition tree.
#[derive(Debug, Clone)]
pub(in crate::datafile::lint) struct Formula {
    /// Where it stands.
    pub(in crate::datafile::lint) place: Place,
    pub(in crate::datafile::lint) shape: Shape,
}

#[derive(Debug, Clone)]
pub(in crate::datafile::lint) enum Shape {
    And(Vec<Formula>),
    Or(Vec<Formula>),
    Not(Box<Formula>),
    /// A condition, by its number.
    Leaf(usize),
    /// An audience: its name and its conditions, which stand elsewhere.
    Audience(Rc<str>, Rc<Formula>),
    /// A part that is reported already: it may be anything.
    Free,
}

impl Formula {
    /// The truth values that it can have, given those of its leaves, as if these did not depend on each
    /// other; `None` once the budget is used up. Trees are nested to a limited depth.
    pub(super) fn values(&self, leaves: &[u8], budget: &mut u64) -> Option<u8> {
        *budget = budget.checked_sub(1)?;
        Some(match &self.shape {
            Shape::Leaf(index) => leaves.get(*index).copied().unwrap_or(ANY),
            Shape::Free => ANY,
            Shape::Audience(_, inner) => inner.values(leaves, budget)?,
            Shape::Not(part) => opposite(part.values(leaves, budget)?),
            Shape::And(parts) => all_of(parts, |part| part.values(leaves, budget))?,
            // An `or` is the opposite of the `and` of the opposites.
            Shape::Or(parts) => {
                let of_opposites = all_of(parts, |part| part.values(leaves, budget).map(opposite))?;
                opposite(of_opposites)
            }
        })
    }

    /// Calls a function with the number of each leaf, until the budget is used up.
    pub(super) fn each_leaf(&self, budget: &mut u64, visit: &mut dyn FnMut(usize)) -> Option<()> {
        *budget = budget.checked_sub(1)?;
        match &self.shape {
            Shape::Leaf(index) => visit(*index),
            Shape::Free => {}
            Shape::Audience(_, inner) => inner.each_leaf(budget, visit)?,
            Shape::Not(part) => part.each_leaf(budget, visit)?,
            Shape::And(parts) | Shape::Or(parts) => {
                parts.iter().try_for_each(|part| part.each_leaf(budget, visit))?;
            }
        }
        Some(())
    }
}

fn opposite(values: u8) -> u8 {
    let (is_true, is_false) = (values & TRUE != 0, values & FALSE != 0);
    (values & UNKNOWN) | if is_true { FALSE } else { 0 } | if is_false { TRUE } else { 0 }
}

/// The values of an `and`: true if all are, false if one is, else unknown.
fn all_of(parts: &[Formula], mut values_of: impl FnMut(&Formula) -> Option<u8>) -> Option<u8> {
    // Whether all can be true, one can be false, and, with none of them false, one can be unknown.
    let (mut can_be_true, mut can_be_false) = (true, false);
    let (mut can_avoid_false, mut can_be_unknown) = (true, false);
    for part in parts {
        let values = values_of(part)?;
        can_be_true &= values & TRUE != 0;
        can_be_false |= values & FALSE != 0;
        can_avoid_false &= values & (TRUE | UNKNOWN) != 0;
        can_be_unknown |= values & UNKNOWN != 0;
        if values == FALSE {
            return Some(FALSE);
        }
    }
    let bit = |is_set: bool, bit: u8| if is_set { bit } else { 0 };
    Some(
        bit(can_be_true, TRUE)
            | bit(can_be_false, FALSE)
            | bit(can_avoid_false && can_be_unknown, UNKNOWN),
    )
}
