//! Attribution: which activations an event is credited to.
//!
//! Must not know clocks, locks or I/O. A store calls it with a user's row, inside that user's turn:
//! the plan functions judge an activation or event without changing the row, and once the store has
//! decided to accept it, the commit functions change the row. That way a refusal leaves no trace.

mod attributes;
mod credit;
mod entry;
mod entry_id;
mod history;
mod merge;
mod outcome;
mod plan;
mod record;
mod row;
mod rules;
mod tie;

pub use crate::datafile::{Project, Shown};
pub use attributes::{Attributes, GivenAttributes, RecordedAttribute};
pub use credit::{Credit, credit_id};
pub use entry::{Envelope, Event, Impression, ImpressionSource, NewImpression, NewMerge, Origin};
pub use entry_id::EntryId;
pub use history::AttributeSpan;
pub use merge::{MergePlan, plan_merge};
pub use outcome::{EventOutcome, ImpressionOutcome, MergeOutcome, NotCredited};
pub use plan::{
    ActivationFact, ActivationPlan, EventFact, EventPlan, LateCredit, plan_activation, plan_event,
};
pub use record::{About, Acceptance, ConversionRecord, ImpressionRecord, Record, TrackedEvent};
pub use row::{Activation, Bounds, Forgotten, PendingEvent, UserRow};
pub use rules::Rules;
pub use tie::Tie;
