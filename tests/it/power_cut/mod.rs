//! Power cuts and damaged files: what was acknowledged is there, or the store says what is wrong.

mod cuts;
mod damages;
mod disk;
mod journals;
mod world;
