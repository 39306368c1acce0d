//! Settling a flag's decision: it is recorded where it exposes the user, and listeners are told of it, once.
//!
//! Must not know how a decision is made. Who answers by a decision may find out only then that the user is
//! shown nothing of it: such a decision is kept unsettled until that is said. To decide again for it would
//! cost everything twice, and tell it twice.

use std::sync::Arc;

use super::decide::Decision;
use super::listener::{DecisionKind, DecisionNotice};
use super::user::UserContext;
use crate::datafile::{Datafile, FlagIndex};
use crate::decide::{FlagDecision, How, Source};
use crate::store::Receipt;

impl UserContext<'_> {
    /// Records the impression of a decision; before it that of a holdout which was set aside.
    #[inline]
    pub(super) fn record_flag(
        &self,
        datafile: &Arc<Datafile>,
        (index, decided): (FlagIndex, &FlagDecision),
        prediction_id: Option<&str>,
    ) -> Vec<Receipt> {
        let set_aside =
            decided.set_aside.filter(|_| decided.source != Source::Holdout).map(|held| {
                FlagDecision {
                    source: Source::Holdout,
                    rule: Some(held.0),
                    variation: Some(held),
                    how: How::Bucket,
                    set_aside: None,
                }
            });
        let holdout = set_aside.and_then(|held| self.flag_impression(datafile, index, &held, None));
        let result = self.flag_impression(datafile, index, decided, prediction_id);
        let impressions = holdout.into_iter().chain(result);
        impressions.map(|impression| self.record_impression(&impression).receipt).collect()
    }

    /// Tells listeners of a decision, with what came of recording it.
    #[inline]
    pub(super) fn tell_flag(
        &self,
        datafile: &Arc<Datafile>,
        decided: (FlagIndex, &FlagDecision),
        decision: &Decision,
    ) {
        let listeners = &self.inner.listeners;
        if listeners.is_empty() {
            return;
        }
        let is_dispatched = !decision.receipts.is_empty();
        let notice = DecisionNotice {
            variables: Some(&decision.variables),
            reasons: &decision.reasons,
            ..self.feature_notice(DecisionKind::Flag, datafile, decided, is_dispatched)
        };
        listeners.tell(|listener| listener.decision(&notice));
    }
}

/// A decision of which nothing was recorded yet, and of which nobody was told.
#[cfg(feature = "server")]
#[must_use = "it is recorded, and listeners hear of it, when it is settled"]
pub(crate) struct Unsettled<'c, 'u> {
    pub(super) context: &'c UserContext<'u>,
    /// What there is to settle; nothing of an error decision.
    pub(super) open: Option<Open<'c>>,
    pub(super) decision: Decision,
}

/// What was decided for a flag.
#[cfg(feature = "server")]
pub(super) struct Open<'c> {
    pub(super) datafile: &'c Arc<Datafile>,
    pub(super) flag: FlagIndex,
    pub(super) decided: FlagDecision,
    /// Of the prediction behind it.
    pub(super) prediction_id: Option<Box<str>>,
    /// Whether the call records exposures at all.
    pub(super) is_recorded: bool,
}

#[cfg(feature = "server")]
impl Unsettled<'_, '_> {
    /// What was decided; its receipts come when it is settled.
    pub(crate) const fn decision(&self) -> &Decision {
        &self.decision
    }

    /// Records the decision, if the user is exposed by it and the call records exposures, and tells
    /// listeners of it.
    pub(crate) fn settle(self, is_exposed: bool) -> Decision {
        let Self { context, open, mut decision } = self;
        let Some(open) = open else { return decision };
        let Open { datafile, flag, decided, prediction_id, is_recorded } = open;
        if is_exposed && is_recorded {
            let prediction_id = prediction_id.as_deref();
            decision.receipts = context.record_flag(datafile, (flag, &decided), prediction_id);
        }
        context.tell_flag(datafile, (flag, &decided), &decision);
        decision
    }
}
