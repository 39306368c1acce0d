//! A decision that is made and not settled: whether it exposes the user is said afterwards, once.
//!
//! Must not know how a decision is made. Who answers by a decision may find out only then that the user is
//! shown nothing of it; deciding again for that would cost and tell everything twice.

use std::sync::Arc;

use super::decide::Decision;
use super::listener::{DecisionKind, DecisionNotice};
use super::user::UserContext;
use crate::datafile::{Datafile, FlagIndex};
use crate::decide::{FlagDecision, How, Source};
use crate::store::Receipt;

/// A decision of which nothing was recorded yet, and of which nobody was told.
#[must_use = "it is recorded, and listeners hear of it, when it is settled"]
pub(crate) struct Unsettled<'c, 'u> {
    context: &'c UserContext<'u>,
    /// What there is to settle; nothing of an error decision.
    open: Option<Open<'c>>,
    decision: Decision,
}

/// What was decided for a flag.
pub(super) struct Open<'c> {
    pub(super) datafile: &'c Arc<Datafile>,
    pub(super) flag: FlagIndex,
    pub(super) decided: FlagDecision,
    /// Of the prediction behind it.
    pub(super) prediction_id: Option<Box<str>>,
    /// Whether exposures of the call are recorded at all.
    pub(super) is_recorded: bool,
}

impl<'c, 'u> Unsettled<'c, 'u> {
    #[inline]
    pub(super) const fn new(
        context: &'c UserContext<'u>,
        open: Option<Open<'c>>,
        decision: Decision,
    ) -> Self {
        Self { context, open, decision }
    }

    /// What was decided; its receipts come when it is settled.
    pub(crate) const fn decision(&self) -> &Decision {
        &self.decision
    }

    /// Records the decision, if the user is exposed by it and the call records exposures, and tells
    /// listeners of it.
    #[inline]
    pub(crate) fn settle(mut self, is_exposed: bool) -> Decision {
        if let Some(open) = &self.open {
            if is_exposed && open.is_recorded {
                self.decision.receipts = record(self.context, open);
            }
            tell(self.context, open, &self.decision);
        }
        self.decision
    }
}

/// Records the impression of a decision; before it that of a holdout which was set aside.
fn record(context: &UserContext<'_>, open: &Open<'_>) -> Vec<Receipt> {
    let Open { datafile, flag, decided, prediction_id, .. } = open;
    let set_aside =
        decided.set_aside.filter(|_| decided.source != Source::Holdout).map(|held| FlagDecision {
            source: Source::Holdout,
            rule: Some(held.0),
            variation: Some(held),
            how: How::Bucket,
            set_aside: None,
        });
    let holdout = set_aside.and_then(|held| context.flag_impression(datafile, *flag, &held, None));
    let result = context.flag_impression(datafile, *flag, decided, prediction_id.as_deref());
    let impressions = holdout.into_iter().chain(result);
    impressions.map(|impression| context.record_impression(&impression).receipt).collect()
}

fn tell(context: &UserContext<'_>, open: &Open<'_>, decision: &Decision) {
    let listeners = &context.inner.listeners;
    if listeners.is_empty() {
        return;
    }
    let is_dispatched = !decision.receipts.is_empty();
    let flag = (open.flag, &open.decided);
    let notice = DecisionNotice {
        variables: Some(&decision.variables),
        reasons: &decision.reasons,
        ..context.feature_notice(DecisionKind::Flag, open.datafile, flag, is_dispatched)
    };
    listeners.tell(|listener| listener.decision(&notice));
}
