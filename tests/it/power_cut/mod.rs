//! Power cuts and damaged files: what was acknowledged is there, or the store says what is wrong.

mod cut;
mod cuts;
pub(crate) mod disk;
mod history;
mod journals;
mod truth;
mod world;
