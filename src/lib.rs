//! Variate decides which variation of an experiment or flag a user gets, remembers who was really
//! exposed, and credits events only to experiments that the user was activated in before. It reads
//! Optimizely datafiles and answers exactly as the official SDKs do.
//!
//! # In short
//!
//! ```
//! # fn main() -> Result<(), variate::Error> {
//! use variate::{Client, Track};
//!
//! let client = Client::from_datafile(include_bytes!("../datafiles/shop.json"))?;
//! let anna = client.user("anna").with("country", "SE").with("age", 34);
//!
//! assert_eq!(anna.activate("checkout_button").variation_key(), Some("green"));
//!
//! let tracked = anna.track(Track::new("purchase").revenue_cents(129_900).id("order-1001"));
//! let credited: Vec<_> = tracked.credits.iter().map(|credit| &*credit.experiment.experiment_key).collect();
//! assert!(credited.contains(&"checkout_button"));
//! # Ok(())
//! # }
//! ```
//!
//! # The tour, from the ground up
//!
//! - [`error`], [`value`], [`hash`], [`name`], [`version`], [`clock`]: what everything else stands on.
//! - [`targeting`] and [`allocation`]: who is in an audience, and which bucket leads where.
//! - [`datafile`]: JSON text in, an immutable [`Datafile`] and findings out.
//! - [`decide`]: the pure decision, with or without a trace. [`attribution`]: the pure rule that credits
//!   events to activations.
//! - [`difference`]: two datafiles side by side, in words and in what it does to people.
//! - [`bulk`]: decisions of an experiment for many users at once, at the cost of hashing.
//! - [`source`]: where datafiles come from, and how they are kept up to date.
//! - [`store`]: where activations and events become facts, behind the trait [`store::Store`].
//! - [`events`]: what sinks are told, and how it gets to them.
//! - [`client`]: all of it together, as the calls that the SDKs have.
//!
//! # Features
//!
//! On by default: `cli` builds the command `variate`, and brings `server` and `durable`; `http` the sinks that
//! post and datafiles from an address; `watch` has changes of a datafile's file seen at once. Without them, this
//! is the in-process engine alone.
//!
//! By themselves: `durable` is the store on disk, in a folder or as `store::DurableStore`; `server` the daemon in
//! the library, `server::Server`, and brings `durable` and `http`.

mod back_off;
pub mod clock;
pub mod error;
pub mod hash;
pub mod name;
mod threads;
pub mod value;
pub mod version;

pub mod allocation;
pub mod targeting;
#[cfg(feature = "http")]
mod web;

pub mod datafile;

pub mod attribution;
pub mod decide;

pub mod bulk;
pub mod difference;
pub mod source;
pub mod store;

pub mod events;

pub mod client;
#[cfg(feature = "server")]
pub mod settings;

#[cfg(feature = "server")]
pub mod server;

#[cfg(feature = "cli")]
pub mod cli;

pub use client::{
    Activate, Activated, Client, ClientBuilder, DecideOptions, Decision, Exposed, Exposure, Merge,
    Merged, Track, Tracked, UserContext,
};
pub use datafile::Datafile;
pub use error::Error;

/// The code of the README, run as a test.
#[cfg(doctest)]
#[doc = include_str!("../README.md")]
struct Readme;
