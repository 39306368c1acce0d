//! How often a token may be used: a bucket that fills evenly, and is as large as a whole span's worth.
//!
//! Must not know tokens.

use std::collections::HashMap;
use std::fmt;

use governor::clock::{Clock as _, DefaultClock};
use governor::{DefaultDirectRateLimiter, Quota};
use parking_lot::Mutex;

use super::refused::Refused;
use crate::settings::Rate;

/// Whoever is not among so many shares one bucket.
const MOST_NAMES: usize = 1024;

pub(super) struct Bucket(DefaultDirectRateLimiter);

impl Bucket {
    pub(super) fn new(rate: Rate) -> Self {
        let each = rate.per() / rate.count().get();
        // Never none: a rate is of a second at least, and of fewer than so many nanoseconds.
        let quota = Quota::with_period(each).unwrap_or_else(|| Quota::per_second(rate.count()));
        Self(DefaultDirectRateLimiter::direct(quota.allow_burst(rate.count())))
    }

    /// Takes one use out of it.
    pub(super) fn take(&self) -> Result<(), Refused> {
        self.0.check().map_err(|not_until| {
            let wait = not_until.wait_time_from(DefaultClock::default().now());
            Refused::TooOften { wait_seconds: wait.as_secs().saturating_add(1) }
        })
    }
}

impl fmt::Debug for Bucket {
    fn fmt(&self, formatter: &mut fmt::Formatter<'_>) -> fmt::Result {
        formatter.debug_struct("Bucket").finish_non_exhaustive()
    }
}

/// Buckets by name, for who is not known beforehand; their number is bounded.
#[derive(Debug)]
pub(super) struct Buckets {
    rate: Rate,
    named: Mutex<HashMap<Box<str>, Bucket>>,
    others: Bucket,
}

impl Buckets {
    pub(super) fn new(rate: Rate) -> Self {
        Self { rate, named: Mutex::default(), others: Bucket::new(rate) }
    }

    pub(super) fn take(&self, name: &str) -> Result<(), Refused> {
        let mut named = self.named.lock();
        if let Some(bucket) = named.get(name) {
            return bucket.take();
        }
        if named.len() >= MOST_NAMES {
            return self.others.take();
        }
        named.entry(name.into()).or_insert_with(|| Bucket::new(self.rate)).take()
    }
}
