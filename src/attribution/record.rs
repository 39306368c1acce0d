//! Records: what waits for the sinks.
//!
//! Must not know sinks or their forms. A record says all by itself, without the datafile, so that it
//! can wait on a disk and outlive the process that made it.

use std::sync::Arc;

use serde_json::{Map, Value};

use super::attributes::Attributes;
use super::credit::{Credit, late_record_id};
use super::entry::{Event, Impression, ImpressionSource, Origin};
use super::entry_id::EntryId;
use crate::clock::TimeMs;
use crate::datafile::{Project, Rule, Shown, Variation};

/// What waits for the sinks.
#[derive(Debug, Clone, PartialEq)]
#[non_exhaustive]
pub enum Record {
    /// An impression.
    Impression(ImpressionRecord),
    /// An event with its credits, or further credits of one.
    Conversion(ConversionRecord),
}

/// What every record says of the impression or event that it is about.
#[derive(Debug, Clone, PartialEq)]
pub struct About {
    /// The id of the impression or event, which never changes.
    pub id: EntryId,
    /// The environment that it belongs to.
    pub environment: Arc<str>,
    /// The entrance that it came through.
    pub origin: Origin,
    /// Whom it is about.
    pub user_id: Box<str>,
    /// When it happened.
    pub time_ms: TimeMs,
    /// When it was received.
    pub received_at_ms: TimeMs,
    /// The project of the datafile in force when it was accepted.
    pub project: Arc<Project>,
}

/// The record of an impression.
#[derive(Debug, Clone, PartialEq)]
pub struct ImpressionRecord {
    /// Id, user, times.
    pub about: About,
    /// The key of the flag that was decided; `None` for a call on an experiment.
    pub flag_key: Option<Arc<str>>,
    /// What was shown, and what decided: an experiment, a rollout rule or a holdout. Where nothing
    /// decided (a variation forced for the whole flag), the texts of the experiment are empty.
    pub shown: Option<Arc<Shown>>,
    /// Whether it is an activation: see [`Impression::activates`].
    pub is_activation: bool,
    /// Which kind of decision it reports.
    pub source: ImpressionSource,
    /// Whether the flag (or experiment) was on for the user.
    pub is_enabled: bool,
    /// Whether someone chose the variation.
    pub is_forced: bool,
    /// See [`ImpressionOutcome::first`](super::ImpressionOutcome::first).
    pub first: bool,
    /// The caller's attributes.
    pub attributes: Attributes,
    /// The id of the prediction behind a contextual bandit's decision.
    pub prediction_id: Option<Box<str>>,
}

/// The record of an event with its credits, or of further credits of one (`late`).
#[derive(Debug, Clone, PartialEq)]
pub struct ConversionRecord {
    /// Its id, which never changes: the event's, or of a late record one derived from its credit.
    pub id: EntryId,
    /// The event, shared by all its records.
    pub event: Arc<TrackedEvent>,
    /// What it counts for: nothing, in the record of an event that is not credited.
    pub credits: Vec<Credit>,
    /// Whether these are further credits (or corrections) of an event that has a record already.
    pub late: bool,
    /// Where the caller gave the event no attributes at all: those of the user's latest activation at
    /// or before the event's time.
    pub inherited_attributes: Option<Attributes>,
}

/// An event as it was accepted.
#[derive(Debug, Clone, PartialEq)]
pub struct TrackedEvent {
    /// Id, user, times.
    pub about: About,
    /// The event's key.
    pub key: Arc<str>,
    /// The event's id in the datafile.
    pub entity_id: Arc<str>,
    /// The caller's attributes; `None` where the caller gave none at all.
    pub attributes: Option<Attributes>,
    /// The caller's tags, verbatim; `None` where there were none.
    pub tags: Option<Map<String, Value>>,
    /// Revenue in cents.
    pub revenue_cents: Option<i64>,
    /// The value that the event measures.
    pub value: Option<f64>,
    /// How often it happened, where one event stands for several.
    pub count: Option<u64>,
    /// How long it took, in seconds.
    pub duration_seconds: Option<f64>,
}

/// What a store adds to an entry when it accepts it.
#[derive(Debug, Clone)]
pub struct Acceptance {
    /// Its id.
    pub id: EntryId,
    /// Its environment.
    pub environment: Arc<str>,
    /// When it happened.
    pub time_ms: TimeMs,
    /// When it was received.
    pub received_at_ms: TimeMs,
}

impl Record {
    /// The record's id, which never changes.
    #[must_use]
    pub const fn id(&self) -> &EntryId {
        match self {
            Self::Impression(record) => &record.about.id,
            Self::Conversion(record) => &record.id,
        }
    }

    /// What it says of the impression or event that it is about.
    #[must_use]
    pub fn about(&self) -> &About {
        match self {
            Self::Impression(record) => &record.about,
            Self::Conversion(record) => &record.event.about,
        }
    }
}

impl About {
    fn new(acceptance: Acceptance, origin: Origin, user_id: &str, project: &Arc<Project>) -> Self {
        let Acceptance { id, environment, time_ms, received_at_ms } = acceptance;
        let project = Arc::clone(project);
        Self { id, environment, origin, user_id: user_id.into(), time_ms, received_at_ms, project }
    }
}

impl ImpressionRecord {
    /// The record of an impression that was accepted.
    #[must_use]
    pub fn new(impression: Impression, first: bool, acceptance: Acceptance) -> Self {
        let datafile = &*impression.envelope.datafile;
        let envelope = &impression.envelope;
        Self {
            about: About::new(acceptance, envelope.origin, &envelope.user_id, datafile.project()),
            flag_key: impression
                .flag
                .and_then(|flag| datafile.flag(flag))
                .map(|flag| Arc::clone(&flag.key)),
            shown: impression.shown(),
            is_activation: impression.activates().is_some(),
            source: impression.source,
            is_enabled: impression.is_enabled,
            is_forced: impression.is_forced,
            first,
            attributes: impression.attributes,
            prediction_id: impression.prediction_id,
        }
    }
}

impl TrackedEvent {
    /// An event that was accepted.
    #[must_use]
    pub fn new(event: Event, acceptance: Acceptance) -> Self {
        let datafile = &*event.envelope.datafile;
        let envelope = &event.envelope;
        // Its datafile always knows it, or it would not have been taken.
        let (key, entity_id) = datafile
            .event(event.event)
            .map(|declared| (Arc::clone(&declared.key), Arc::clone(&declared.id)))
            .unwrap_or_default();
        Self {
            about: About::new(acceptance, envelope.origin, &envelope.user_id, datafile.project()),
            key,
            entity_id,
            attributes: event.attributes,
            tags: event.tags,
            revenue_cents: event.revenue_cents,
            value: event.value,
            count: event.count,
            duration_seconds: event.duration_seconds,
        }
    }
}

impl ConversionRecord {
    /// The record of an event that was just accepted.
    #[must_use]
    pub fn new(
        event: Arc<TrackedEvent>,
        credits: Vec<Credit>,
        inherited_attributes: Option<Attributes>,
    ) -> Self {
        Self { id: event.about.id.clone(), event, credits, late: false, inherited_attributes }
    }

    /// The record of a credit that a later received activation gives, corrects or withdraws, or a merge
    /// gives.
    #[must_use]
    pub fn late(
        event: Arc<TrackedEvent>,
        credit: Credit,
        inherited_attributes: Option<Attributes>,
    ) -> Self {
        let id = EntryId::Made(late_record_id(&credit));
        Self { id, event, credits: vec![credit], late: true, inherited_attributes }
    }
}

impl Impression {
    /// What was shown, and what decided, by name.
    fn shown(&self) -> Option<Arc<Shown>> {
        let datafile = &*self.envelope.datafile;
        let (of_rule, variation) = self.variation?;
        if self.rule == Some(of_rule) {
            return datafile.rule(of_rule)?.shown(variation).cloned();
        }
        let shown: &Variation = datafile.rule(of_rule)?.variation(variation)?;
        let by: Option<&Rule> = self.rule();
        Some(Arc::new(by.map_or_else(|| Shown::unattributed(shown), |by| Shown::new(by, shown))))
    }
}
