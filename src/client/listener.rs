//! Listeners: the caller's code that is told of decisions, activations, conversions and new datafiles.
//!
//! Must not know how any of them come about.

use std::panic::{AssertUnwindSafe, catch_unwind};
use std::sync::Arc;
use std::sync::atomic::{AtomicU64, Ordering};

use serde_json::{Map, Value};

use super::variables::Variables;
use crate::attribution::{Credit, RecordedAttribute};
use crate::clock::TimeMs;
use crate::events::BatchNotice;
use crate::targeting::Attribute;

/// Is told of what the client does, on the caller's thread where it does not say otherwise: keep it short.
///
/// A listener that panics is caught and counted; the call goes on.
pub trait Listener: Send + Sync {
    /// A decision was made.
    fn decision(&self, _notice: &DecisionNotice<'_>) {}
    /// A user was exposed to a variation of an experiment or holdout.
    fn activation(&self, _notice: &ActivationNotice<'_>) {}
    /// An event was handed to the store, and was no repeat.
    fn track(&self, _notice: &TrackNotice<'_>) {}
    /// An event was credited, at once or late.
    fn conversion(&self, _notice: &ConversionNotice<'_>) {}
    /// A datafile came into force. Other threads decide with it meanwhile, but their swaps wait until it was told;
    /// a swap from here is told of after it.
    fn datafile_update(&self, _revision: &str) {}
    /// A batch was handed to a sink. Told on that sink's thread, which waits for it.
    fn batch(&self, _notice: &BatchNotice<'_>) {}
}

impl<L: Listener + ?Sized> Listener for Arc<L> {
    fn decision(&self, notice: &DecisionNotice<'_>) {
        (**self).decision(notice);
    }

    fn activation(&self, notice: &ActivationNotice<'_>) {
        (**self).activation(notice);
    }

    fn track(&self, notice: &TrackNotice<'_>) {
        (**self).track(notice);
    }

    fn conversion(&self, notice: &ConversionNotice<'_>) {
        (**self).conversion(notice);
    }

    fn datafile_update(&self, revision: &str) {
        (**self).datafile_update(revision);
    }

    fn batch(&self, notice: &BatchNotice<'_>) {
        (**self).batch(notice);
    }
}

/// Which call a decision was made for: the SDKs' notification types.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
#[non_exhaustive]
pub enum DecisionKind {
    /// An experiment that no flag uses.
    AbTest,
    /// An experiment that a flag uses.
    FeatureTest,
    /// `is_feature_enabled`.
    Feature,
    /// One variable of a flag.
    FeatureVariable,
    /// All variables of a flag.
    AllFeatureVariables,
    /// `decide` and its kin.
    Flag,
}

/// A decision, as listeners see it.
#[derive(Debug, Clone)]
#[non_exhaustive]
pub struct DecisionNotice<'a> {
    /// Which call it was made for.
    pub kind: DecisionKind,
    /// The user.
    pub user_id: &'a str,
    /// The user's attributes.
    pub attributes: &'a [Attribute<'a>],
    /// The flag; `None` for a call on an experiment.
    pub flag_key: Option<&'a str>,
    /// The experiment, rollout rule or holdout that decided; for a call on an experiment, that.
    pub rule_key: Option<&'a str>,
    /// Its id, where it gave a variation.
    pub rule_id: Option<&'a str>,
    /// The variation.
    pub variation_key: Option<&'a str>,
    /// Its id.
    pub variation_id: Option<&'a str>,
    /// The values of the flag's variables: for `decide` and its kin.
    pub variables: Option<&'a Variables>,
    /// Why: for `decide` and its kin, where reasons were asked for.
    pub reasons: &'a [String],
    /// Whether the variation switches the flag on.
    pub is_enabled: bool,
    /// Whether an impression was handed to the store, and was no repeat.
    pub is_dispatched: bool,
}

/// An activation, as listeners see it.
#[derive(Debug, Clone)]
#[non_exhaustive]
pub struct ActivationNotice<'a> {
    /// The user.
    pub user_id: &'a str,
    /// The experiment or holdout.
    pub experiment_key: &'a str,
    /// The variation.
    pub variation_key: &'a str,
    /// When.
    pub time_ms: TimeMs,
    /// Whether it is the user's first of that experiment.
    pub first: bool,
}

/// An event, as listeners see it.
#[derive(Debug, Clone)]
#[non_exhaustive]
pub struct TrackNotice<'a> {
    /// The user.
    pub user_id: &'a str,
    /// The user's attributes, as given with the call.
    pub attributes: &'a [Attribute<'a>],
    /// Those of them that go out with the event.
    pub recorded_attributes: &'a [RecordedAttribute],
    /// The event.
    pub event_key: &'a str,
    /// Its id in the datafile.
    pub event_id: &'a str,
    /// The tags as given, if there were any.
    pub tags: Option<&'a Map<String, Value>>,
    /// Revenue in cents.
    pub revenue_cents: Option<i64>,
    /// The value that the event measures.
    pub value: Option<f64>,
}

/// A conversion, as listeners see it.
#[derive(Debug, Clone)]
#[non_exhaustive]
pub struct ConversionNotice<'a> {
    /// The user.
    pub user_id: &'a str,
    /// The event; `None` where a late activation or a merge gave credits of earlier events.
    pub event_key: Option<&'a str>,
    /// What it counts for.
    pub credits: &'a [Credit],
    /// Whether the credits came after the event.
    pub late: bool,
}

/// Clones share the listeners and the count.
#[derive(Default, Clone)]
pub(super) struct Listeners {
    listeners: Vec<Arc<dyn Listener>>,
    panics: Arc<AtomicU64>,
}

impl Listeners {
    pub(super) fn add(&mut self, listener: Arc<dyn Listener>) {
        self.listeners.push(listener);
    }

    pub(super) fn is_empty(&self) -> bool {
        self.listeners.is_empty()
    }

    pub(super) fn panics(&self) -> u64 {
        self.panics.load(Ordering::Relaxed)
    }

    pub(super) fn tell(&self, notice: impl Fn(&dyn Listener)) {
        for listener in &self.listeners {
            if catch_unwind(AssertUnwindSafe(|| notice(&**listener))).is_err() {
                self.panics.fetch_add(1, Ordering::Relaxed);
            }
        }
    }
}

impl std::fmt::Debug for Listeners {
    fn fmt(&self, formatter: &mut std::fmt::Formatter<'_>) -> std::fmt::Result {
        formatter
            .debug_struct("Listeners")
            .field("count", &self.listeners.len())
            .finish_non_exhaustive()
    }
}
