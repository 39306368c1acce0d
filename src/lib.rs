//! Variate: an experimentation and feature-flag decision engine that reads Optimizely datafiles.

pub mod allocation;
pub mod attribution;
pub mod clock;
pub mod error;
pub mod events;
pub mod hash;
pub mod store;
pub mod targeting;
pub mod value;
pub mod version;

pub mod datafile;
