//! What all who ask others over HTTP have in common: addresses without their secrets, whom to trust, and
//! what an answer says about when to come back.
//!
//! Must not know who asks, or for what.

mod address;
mod answer;
mod trust;

pub(crate) use address::WebAddress;
pub(crate) use answer::{problem_of, retry_after};
pub(crate) use trust::{UNTRUSTED, trust, trust_on_the_way};

use std::time::Duration;

/// How this crate calls itself.
pub(crate) const USER_AGENT: &str = concat!("variate/", env!("CARGO_PKG_VERSION"));
/// Longer than this no connection is waited for.
pub(crate) const LONGEST_CONNECTING: Duration = Duration::from_secs(5);
