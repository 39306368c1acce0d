//! Whether conditions can be met at all: a decision procedure over the values that users can have.
//!
//! Must not know datafiles. For each attribute, its values fall into finitely many classes that the
//! conditions cannot tell apart; the search goes through the classes. Where a class is only thought to
//! exist (a version that also contains some text), it is searched, too: so "no user" is never wrong,
//! and at worst something that no user can meet goes unnoticed. Work is bounded: beyond the budget
//! there is no verdict.

mod formula;
mod search;
mod text;
mod values;
mod version;

pub(super) use formula::{Formula, Shape};
pub(super) use search::{Solver, Wanted};
