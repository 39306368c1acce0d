//! Merging two users: what every store must do, and any history against a plain model.

mod bounds;
mod clauses;
#[cfg(feature = "durable")]
mod durable;
mod histories;
pub(crate) mod model;
mod threads;

pub(super) use clauses::CLAUSES;
