//! The daemon: environments, one store and its delivery, and the servers in front of them.
//!
//! Must not know the command line, nor where settings were written. A request is read, becomes calls of a
//! [`Client`](crate::Client), and what these answer is put into the words of whoever asked: one file a
//! thing that can be asked. `run` starts and ends it all, `app` is what requests share, `environment` is one
//! datafile with its client, `listener` and `around` are what all requests have in common.

mod admin;
mod agent;
mod answer;
mod app;
mod around;
mod arriving;
mod asked;
mod batch;
mod body;
mod client_json;
mod current;
mod datafiles;
mod deadline;
mod direct;
mod environment;
mod environments;
mod etag;
mod explained;
mod feed;
mod figures;
mod guard;
mod health;
mod hook;
mod listener;
mod ofrep;
mod openapi;
mod overrides;
mod problems;
mod profiles;
mod refusal;
mod reload;
mod router;
mod run;
mod shared_keys;
mod signal;
mod sinks;
mod slips;
mod ticker;
mod timers;
mod tracking;
mod traffic;
mod unpacked;
mod wire;

pub use run::{Addresses, Server};
pub use signal::{Hangups, Signalled, Signals};
