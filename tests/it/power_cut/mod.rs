//! Power cuts and damaged files: what was acknowledged is there, or the store says what is wrong.

mod cut;
mod cuts;
mod damages;
pub(crate) mod disk;
mod history;
mod journals;
mod seen;
mod simulated;
mod trace;
mod traced;
mod truth;
mod world;
