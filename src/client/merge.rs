//! Merging: two user ids turn out to be one person.
//!
//! Must not know what a merge means for the ledger.

use super::listener::ConversionNotice;
use super::user::UserContext;
use crate::attribution::{Credit, MergeOutcome, NewMerge};
use crate::store::{Receipt, Recorded};

/// What [`UserContext::merge_from`] is told: the old user id, and perhaps an id of the merge itself.
#[derive(Debug, Clone, Copy)]
#[must_use]
pub struct Merge<'a> {
    from_user_id: &'a str,
    id: Option<&'a str>,
}

impl<'a> Merge<'a> {
    /// The id that the user had before.
    pub fn new(from_user_id: &'a str) -> Self {
        Self { from_user_id, id: None }
    }

    /// Gives the merge an id: a repeat with the same id is acknowledged as a duplicate, and nothing is done.
    /// Ids are unique in the environment, not per user; an empty one is none.
    pub fn id(mut self, id: &'a str) -> Self {
        self.id = Some(id);
        self
    }
}

impl<'a> From<&'a str> for Merge<'a> {
    fn from(from_user_id: &'a str) -> Self {
        Self::new(from_user_id)
    }
}

impl<'a> From<&'a String> for Merge<'a> {
    fn from(from_user_id: &'a String) -> Self {
        Self::new(from_user_id)
    }
}

/// What became of a merge.
#[derive(Debug)]
#[non_exhaustive]
pub struct Merged {
    /// Whether the id was seen before: acknowledged, and nothing is done.
    pub duplicate: bool,
    /// How many activations this user lacked, and has from the old id now.
    pub copied_activations: usize,
    /// How many of the old id's events now wait for late activations of this user.
    pub moved_events: usize,
    /// Credits of earlier events, tracked under either id, by activations under the other one; if the
    /// receipt is a refusal, what they would have been.
    pub late_credits: Vec<Credit>,
    /// Tells when it is stored.
    pub receipt: Receipt,
}

impl UserContext<'_> {
    /// Says that this user was known by another id before, as after a login: Segment's `alias`, Countly's
    /// change of the device id with a merge. All of it happens at once, or nothing.
    ///
    /// This user keeps every activation of its own, and gets those of the old id in experiments and holdouts
    /// in which it has none, with their variations and times. From then on what this user does is
    /// credited to them, and so is what was tracked shortly before under this id and waits for late
    /// activations. What waits under the old id waits under this one, and is credited for what this user
    /// alone was activated in. No credit that was given is changed. The attributes of both are one
    /// history, for events that come without any.
    ///
    /// The old id keeps its activations. What is recorded under it afterwards is its own, until it is merged
    /// again; merging the same again, or an id that nobody knows, or this very one, adds nothing.
    /// Records keep the id that they were recorded under, and no impression is sent. Forgetting one of the
    /// ids does not forget the other.
    ///
    /// What was arranged for the old id is not merged: forced variations and decisions, overrides, and the
    /// profiles of sticky bucketing. They say what an id is to be shown, not what it was shown.
    ///
    /// ```
    /// # fn main() -> Result<(), variate::Error> {
    /// # let text = include_bytes!("../../datafiles/shop.json");
    /// let client = variate::Client::from_datafile(text)?;
    /// let visitor = client.user("visitor-17").with("country", "SE").with("age", 34);
    /// visitor.activate("checkout_button");
    ///
    /// let anna = client.user("anna");
    /// assert!(anna.merge_from("visitor-17").copied_activations > 0);
    /// assert!(!anna.track("purchase").credits.is_empty());
    /// # Ok(())
    /// # }
    /// ```
    pub fn merge_from<'k>(&self, old: impl Into<Merge<'k>>) -> Merged {
        let Merge { from_user_id, id } = old.into();
        let id = id.filter(|id| !id.is_empty());
        let merge = NewMerge { id, origin: self.origin, from_user_id, into_user_id: self.id() };
        let inner = self.inner;
        let recorded = inner.store.merge(&inner.environment, &inner.rules, &merge);
        let Recorded { outcome, receipt } = inner.durability.settled(recorded);
        let MergeOutcome { duplicate, copied_activations, moved_events, late_credits } = outcome;
        if !late_credits.is_empty() && receipt.refusal().is_none() {
            let notice = ConversionNotice {
                user_id: self.id(),
                event_key: None,
                credits: &late_credits,
                late: true,
            };
            inner.listeners.tell(|listener| listener.conversion(&notice));
        }
        Merged { duplicate, copied_activations, moved_events, late_credits, receipt }
    }
}
