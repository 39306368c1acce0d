//! Rules in front of a rule, as they are passed one by one: whom do they leave for it?
//!
//! Must not know flags, rollouts or holdouts.

use super::logic::{Formula, Solver, Wanted};

/// More rules than this in front of one are not looked at together.
const MOST_TAKERS: usize = 100;

/// The rules so far that take everyone whom they are for.
#[derive(Debug, Default)]
pub(super) struct Takers {
    /// Whom each takes, and what it is called.
    list: Vec<(Formula, String)>,
}

impl Takers {
    /// Adds a rule that takes everyone whom it is for.
    pub(super) fn push(&mut self, formula: Formula, key: &str) {
        if self.list.len() < MOST_TAKERS {
            self.list.push((formula, key.to_owned()));
        }
    }

    /// Whether some rule is for somebody, but the takers leave nobody of them.
    pub(super) fn leave_nobody_of(&self, formula: &Formula, solver: &mut Solver<'_>) -> bool {
        if self.list.is_empty() {
            return false;
        }
        let wanted: Vec<_> = self.wanted().chain([Wanted::True(formula)]).collect();
        // A rule that is for nobody is another fault.
        solver.is_impossible(&wanted) && !solver.is_impossible(&[Wanted::True(formula)])
    }

    /// Whether the takers leave nobody at all.
    pub(super) fn leave_nobody(&self, solver: &mut Solver<'_>) -> bool {
        let wanted: Vec<_> = self.wanted().collect();
        !wanted.is_empty() && solver.is_impossible(&wanted)
    }

    /// The one taker that leaves nobody of a rule, if one is enough.
    pub(super) fn name_one(&self, formula: &Formula, solver: &mut Solver<'_>) -> Option<&str> {
        let takes_all = |taker: &&(Formula, String)| {
            solver.is_impossible(&[Wanted::True(formula), Wanted::NotTrue(&taker.0)])
        };
        self.list.iter().find(takes_all).map(|(_, key)| &**key)
    }

    fn wanted(&self) -> impl Iterator<Item = Wanted<'_>> {
        self.list.iter().map(|(formula, _)| Wanted::NotTrue(formula))
    }
}
