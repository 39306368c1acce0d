//! Variate: an experimentation and feature-flag decision engine that reads Optimizely datafiles.

pub mod allocation;
pub mod attribution;
pub mod client;
pub mod clock;
pub mod datafile;
pub mod decide;
pub mod error;
pub mod events;
pub mod hash;
pub mod store;
pub mod targeting;
pub mod value;
pub mod version;

pub use client::{
    Activate, Activated, Client, ClientBuilder, DecideOptions, Decision, Track, Tracked,
    UserContext,
};
pub use datafile::Datafile;
pub use error::Error;
