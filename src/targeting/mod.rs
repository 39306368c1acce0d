//! Who is in an audience: condition trees, compiled to jump code, and the matchers of their leaves.
//!
//! Must not know datafiles or serde: the datafile's compiler builds the trees.

mod attribute;
mod condition;
mod program;
mod tree;

pub use attribute::Attribute;
pub use condition::{Comparison, Condition, Test};
pub use program::Program;
pub use tree::Tree;
