//! Datafiles: from JSON text to the immutable form that decisions use.
//!
//! Must not know users and does no I/O. [`Datafile::compile`] is the whole way: `wire` reads the text
//! element by element, `compile` resolves every reference, and what is wrong becomes a [`Finding`].

mod check;
mod code;
mod compile;
mod finding;
mod findings;
mod lint;
mod model;
mod place;
mod project;
mod shown;
mod span;
pub(crate) mod unescaped;
mod view;
mod view_parts;
mod wire;

pub use check::{Checked, LocatedFinding};
pub use code::{CODES, Code};
pub use compile::Compiled;
pub use finding::{Finding, Severity};
pub(crate) use lint::Movement;
pub use model::{
    Audience, AudienceIndex, Audiences, Datafile, DeclaredAttribute, Event, EventIndex, Flag,
    FlagIndex, Group, GroupIndex, Integration, Rule, RuleIndex, RuleKind, RuleType, Variable,
    Variation, VariationIndex,
};
pub(crate) use model::{FILLER_AUDIENCE_ID, RESERVED};
pub use project::{Project, Region};
pub use shown::Shown;
pub use span::TextSpan;
