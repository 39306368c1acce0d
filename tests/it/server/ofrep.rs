//! OFREP: one flag, all flags, their values and reasons, and what is wrong with a request.
//!
//! Must not know how a decision is made.

mod bulk;
mod clients;
mod events;
mod scene;
mod single;
mod sticky;
mod tokens;
mod track;
