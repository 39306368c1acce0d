//! The handle for one user: who it is, and what is known about the user.
//!
//! Must not know deciding: the calls themselves stand in the files named after them.

use super::Inner;
use super::snapshot::{InForce, Snapshot};
use crate::attribution::Origin;
use crate::clock::TimeMs;
use crate::decide::{ForcedDecisions, User};
use crate::targeting::Attribute;
use crate::value::AttributeValue;

/// A user, as the calls of a client see one.
///
/// Made by [`Client::user`](super::Client::user); borrows what it is given.
///
/// ```
/// # fn main() -> Result<(), variate::Error> {
/// # let text = include_bytes!("../../datafiles/shop.json");
/// let client = variate::Client::from_datafile(text)?;
/// let user = client.user("anna").with("country", "SE").with("age", 34);
/// if user.activate("checkout_button").variation_key() == Some("green") {
///     // show the green button
/// }
/// let tracked = user.track(variate::Track::new("purchase").revenue_cents(129_900));
/// assert_eq!(tracked.credits[0].experiment.experiment_key.as_ref(), "checkout_button");
/// # Ok(())
/// # }
/// ```
#[derive(Clone)]
pub struct UserContext<'a> {
    pub(super) inner: &'a Inner,
    /// The snapshot that the caller holds, if this was made by one.
    held: Option<&'a Snapshot<'a>>,
    pub(super) user: User<'a>,
    pub(super) time_ms: Option<TimeMs>,
    pub(super) origin: Origin,
    /// Boxed, since few users have any, and each user handle would carry the room.
    pub(super) forced_decisions: Option<Box<ForcedDecisions>>,
}

impl<'a> UserContext<'a> {
    #[inline]
    pub(super) fn new(inner: &'a Inner, held: Option<&'a Snapshot<'a>>, id: &'a str) -> Self {
        Self {
            inner,
            held,
            user: User::new(id),
            time_ms: None,
            origin: Origin::Library,
            forced_decisions: None,
        }
    }

    /// Adds an attribute; of a key given twice, the last value counts.
    #[inline(always)]
    #[must_use]
    pub fn with(mut self, key: &'a str, value: impl Into<AttributeValue<'a>>) -> Self {
        self.user.set(Attribute::new(key, value));
        self
    }

    /// Adds many attributes, as those of a JSON object, in a time that grows as their number does.
    #[must_use]
    pub fn with_all<V: Into<AttributeValue<'a>>>(
        mut self,
        attributes: impl IntoIterator<Item = (&'a String, V)>,
    ) -> Self {
        let attributes = attributes.into_iter();
        self.user.set_all(attributes.map(|(key, value)| Attribute::new(key, value)));
        self
    }

    /// Says which segments the user is in; without it, none were ever fetched, and `qualified`
    /// conditions are false.
    #[must_use]
    pub fn with_segments(mut self, segments: &'a [&'a str]) -> Self {
        self.user.set_segments(segments);
        self
    }

    /// Gives the time (milliseconds since the epoch) of all that is recorded with this handle.
    /// Default: the time of each call.
    #[must_use]
    pub fn at(mut self, time_ms: TimeMs) -> Self {
        self.time_ms = Some(time_ms);
        self
    }

    /// Says which entrance the calls came through: ids are unique within one. Default:
    /// [`Origin::Library`].
    #[must_use]
    pub fn from_origin(mut self, origin: Origin) -> Self {
        self.origin = origin;
        self
    }

    /// Gives forced decisions that were kept elsewhere.
    #[must_use]
    pub fn with_forced_decisions(mut self, forced_decisions: ForcedDecisions) -> Self {
        self.forced_decisions = Some(Box::new(forced_decisions));
        self
    }

    /// Forces a variation of a flag, for one of its rules or (without one) whatever its rules say.
    ///
    /// Only the decide calls of this handle and its clones see it. Nothing is checked here: what names
    /// no variation of the flag is ignored by decisions.
    pub fn set_forced_decision(
        &mut self,
        flag_key: &str,
        rule_key: Option<&str>,
        variation_key: &str,
    ) {
        let forced = self.forced_decisions.get_or_insert_default();
        forced.set(flag_key, rule_key, variation_key);
    }

    /// The variation that is forced for a flag and rule.
    #[must_use]
    pub fn get_forced_decision(&self, flag_key: &str, rule_key: Option<&str>) -> Option<&str> {
        self.forced_decisions.as_ref()?.get(flag_key, rule_key)
    }

    /// Takes a forced decision back; tells whether there was one.
    pub fn remove_forced_decision(&mut self, flag_key: &str, rule_key: Option<&str>) -> bool {
        let forced = self.forced_decisions.as_mut();
        forced.is_some_and(|forced| forced.remove(flag_key, rule_key))
    }

    /// Takes all forced decisions back.
    pub fn remove_all_forced_decisions(&mut self) {
        self.forced_decisions = None;
    }

    /// The user id.
    #[must_use]
    pub fn id(&self) -> &'a str {
        self.user.id()
    }

    /// The attributes.
    #[must_use]
    pub fn attributes(&self) -> &[Attribute<'a>] {
        self.user.attributes()
    }

    /// The datafile of one call: each call takes it exactly once.
    #[inline]
    pub(super) fn in_force(&self) -> InForce<'a> {
        match self.held {
            Some(snapshot) => InForce::Held(snapshot.datafile()),
            None => self.inner.in_force(),
        }
    }
}

/// One line, for logs: the user and the attributes, without the client behind.
impl std::fmt::Debug for UserContext<'_> {
    fn fmt(&self, formatter: &mut std::fmt::Formatter<'_>) -> std::fmt::Result {
        formatter
            .debug_struct("UserContext")
            .field("id", &self.id())
            .field("attributes", &self.attributes().len())
            .finish_non_exhaustive()
    }
}
