//! What a decision depends on besides the datafile: the user, and what was arranged for the user before.
//!
//! Must not know where any of it is kept.

use hashbrown::HashMap;
use smallvec::SmallVec;

use crate::datafile::RuleIndex;
use crate::targeting::Attribute;
use crate::value::AttributeValue;

/// The reserved attribute whose text replaces the user id for hashing.
const BUCKETING_ID: &str = "$opt_bucketing_id";

/// As many attributes as this are kept without an allocation.
const INLINE_ATTRIBUTES: usize = 8;

/// So many are looked for one by one; of more, a table knows the places.
const FEW_ATTRIBUTES: usize = 32;

/// The user to decide for; what is known is borrowed from the caller.
///
/// It holds the list of attributes, so that who keeps users hands them to decisions as they are.
#[derive(Debug, Clone)]
pub struct User<'a> {
    id: &'a str,
    attributes: SmallVec<[Attribute<'a>; INLINE_ATTRIBUTES]>,
    segments: Option<&'a [&'a str]>,
    /// Whether an attribute may replace the id for hashing: few users have one, and it is known early.
    may_be_renamed: bool,
}

impl<'a> User<'a> {
    /// A user of whom only the id is known: any text, also empty. It is not trimmed or normalised.
    #[inline]
    #[must_use]
    pub fn new(id: &'a str) -> Self {
        Self { id, attributes: SmallVec::new(), segments: None, may_be_renamed: false }
    }

    /// A user with all that is known. Of a key given twice, the last value counts.
    #[must_use]
    pub fn known(
        id: &'a str,
        attributes: &[Attribute<'a>],
        segments: Option<&'a [&'a str]>,
    ) -> Self {
        // Taken as they are: to look for keys given twice would cost the square of a long list.
        let may_be_renamed = attributes.iter().any(|attribute| attribute.key() == BUCKETING_ID);
        Self { id, attributes: attributes.into(), segments, may_be_renamed }
    }

    /// Adds an attribute; of a key given twice, the last value counts.
    #[inline(always)]
    pub fn set(&mut self, added: Attribute<'a>) {
        self.may_be_renamed |= added.key() == BUCKETING_ID;
        let is_same = |attribute: &&mut Attribute<'_>| attribute.seen_key() == added.seen_key();
        match self.attributes.iter_mut().rev().find(is_same) {
            Some(attribute) => attribute.value = added.value,
            None => self.attributes.push(added),
        }
    }

    /// Adds many attributes, as [`set`](Self::set) would one by one, in a time that grows as their number does.
    pub fn set_all(&mut self, added: impl IntoIterator<Item = Attribute<'a>>) {
        let mut added = added.into_iter();
        for attribute in added.by_ref().take(FEW_ATTRIBUTES) {
            self.set(attribute);
        }
        let Some(next) = added.next() else { return };
        let mut places: HashMap<&str, usize> = HashMap::new();
        let known = std::mem::take(&mut self.attributes);
        for attribute in known.into_iter().chain([next]).chain(added) {
            self.may_be_renamed |= attribute.key() == BUCKETING_ID;
            let place = *places.entry(attribute.key()).or_insert(self.attributes.len());
            match self.attributes.get_mut(place) {
                Some(before) => before.value = attribute.value,
                None => self.attributes.push(attribute),
            }
        }
    }

    /// Says which segments the user is in. Without it, they were never fetched.
    #[inline]
    pub fn set_segments(&mut self, segments: &'a [&'a str]) {
        self.segments = Some(segments);
    }

    /// The user id.
    #[inline]
    #[must_use]
    pub fn id(&self) -> &'a str {
        self.id
    }

    /// The attributes. Of a key given twice, the last counts.
    #[inline]
    #[must_use]
    pub fn attributes(&self) -> &[Attribute<'a>] {
        &self.attributes
    }

    /// The segments; `None` where they were never fetched.
    #[inline]
    #[must_use]
    pub fn segments(&self) -> Option<&'a [&'a str]> {
        self.segments
    }

    /// The text that is hashed: the attribute `$opt_bucketing_id` if it is text, else the user id.
    #[inline(always)]
    #[must_use]
    pub fn bucketing_id(&self) -> &'a str {
        if self.may_be_renamed { self.renamed_id() } else { self.id }
    }

    #[inline(never)]
    fn renamed_id(&self) -> &'a str {
        match self.attributes.iter().rev().find(|attribute| attribute.key() == BUCKETING_ID) {
            Some(Attribute { value: AttributeValue::String(id), .. }) => id,
            _ => self.id,
        }
    }
}

/// What was arranged for the user before the decision.
#[derive(Debug, Clone, Copy, Default)]
pub struct Given<'a> {
    /// Forced variations of experiments.
    pub forced_variations: Option<&'a ForcedVariations>,
    /// Forced decisions of flags.
    pub forced_decisions: Option<&'a ForcedDecisions>,
    /// Variations that the user was bucketed into before.
    pub profile: Option<&'a Profile>,
    /// Predictions for rules that are contextual bandits.
    pub predictions: &'a [Prediction],
}

impl Given<'_> {
    /// Nothing was arranged.
    pub const NOTHING: Given<'static> =
        Given { forced_variations: None, forced_decisions: None, profile: None, predictions: &[] };

    /// Whether a variation may have been chosen for the user before the experiment is asked.
    #[inline]
    pub(super) fn has_arrangements(&self) -> bool {
        self.forced_variations.is_some() || self.profile.is_some()
    }
}

/// The forced variations of one user: experiment id to variation id.
#[derive(Debug, Clone, Default, PartialEq, Eq)]
pub struct ForcedVariations {
    variation_ids: HashMap<Box<str>, Box<str>>,
}

impl ForcedVariations {
    /// Forces a variation of an experiment.
    pub fn set(&mut self, experiment_id: &str, variation_id: &str) {
        self.variation_ids.insert(experiment_id.into(), variation_id.into());
    }

    /// Takes back what was forced for an experiment; tells whether there was anything.
    pub fn remove(&mut self, experiment_id: &str) -> bool {
        self.variation_ids.remove(experiment_id).is_some()
    }

    /// The id of the variation that is forced for an experiment.
    #[must_use]
    pub fn get(&self, experiment_id: &str) -> Option<&str> {
        self.variation_ids.get(experiment_id).map(AsRef::as_ref)
    }

    /// Whether nothing is forced.
    #[must_use]
    pub fn is_empty(&self) -> bool {
        self.variation_ids.is_empty()
    }
}

/// The forced decisions of one user: flag and, if one is named, rule to variation key.
///
/// Nothing is checked when one is set, as in the SDKs; what names no variation is ignored by decisions.
#[derive(Debug, Clone, Default, PartialEq, Eq)]
pub struct ForcedDecisions {
    entries: Vec<ForcedDecision>,
}

#[derive(Debug, Clone, PartialEq, Eq)]
struct ForcedDecision {
    flag_key: Box<str>,
    rule_key: Option<Box<str>>,
    variation_key: Box<str>,
}

impl ForcedDecisions {
    /// Forces a variation of a flag, for one rule or (without one) whatever the rules say.
    pub fn set(&mut self, flag_key: &str, rule_key: Option<&str>, variation_key: &str) {
        self.remove(flag_key, rule_key);
        self.entries.push(ForcedDecision {
            flag_key: flag_key.into(),
            rule_key: rule_key.map(Into::into),
            variation_key: variation_key.into(),
        });
    }

    /// Takes one back; tells whether there was one.
    pub fn remove(&mut self, flag_key: &str, rule_key: Option<&str>) -> bool {
        let before = self.entries.len();
        self.entries.retain(|entry| !entry.is_for(flag_key, rule_key));
        self.entries.len() < before
    }

    /// Takes all back.
    pub fn clear(&mut self) {
        self.entries.clear();
    }

    /// The key of the variation that is forced for a flag and rule.
    #[must_use]
    pub fn get(&self, flag_key: &str, rule_key: Option<&str>) -> Option<&str> {
        self.entries
            .iter()
            .find(|entry| entry.is_for(flag_key, rule_key))
            .map(|entry| &*entry.variation_key)
    }

    /// Whether nothing is forced.
    #[must_use]
    pub fn is_empty(&self) -> bool {
        self.entries.is_empty()
    }
}

impl ForcedDecision {
    fn is_for(&self, flag_key: &str, rule_key: Option<&str>) -> bool {
        *self.flag_key == *flag_key && self.rule_key.as_deref() == rule_key
    }
}

/// The sticky profile of one user: experiment id to the id of the variation bucketed into before.
#[derive(Debug, Clone, Default, PartialEq, Eq)]
pub struct Profile {
    variation_ids: HashMap<Box<str>, Box<str>>,
}

impl Profile {
    /// Remembers a variation; tells whether this changed anything.
    pub fn set(&mut self, experiment_id: &str, variation_id: &str) -> bool {
        let before = self.variation_ids.insert(experiment_id.into(), variation_id.into());
        before.is_none_or(|before| *before != *variation_id)
    }

    /// The id of the variation remembered for an experiment.
    #[must_use]
    pub fn get(&self, experiment_id: &str) -> Option<&str> {
        self.variation_ids.get(experiment_id).map(AsRef::as_ref)
    }

    /// Remembers all that another one does, over what it has.
    pub fn add(&mut self, new: &Self) {
        for (experiment_id, variation_id) in new.iter() {
            self.set(experiment_id, variation_id);
        }
    }

    /// Whether it remembers nothing.
    #[must_use]
    pub fn is_empty(&self) -> bool {
        self.variation_ids.is_empty()
    }

    /// All experiments and their variations, in no order.
    pub fn iter(&self) -> impl Iterator<Item = (&str, &str)> {
        self.variation_ids.iter().map(|(experiment, variation)| (&**experiment, &**variation))
    }
}

/// What a contextual bandit's service answered for one rule and user.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct Prediction {
    /// The rule that it is for.
    pub rule: RuleIndex,
    /// The id of the variation predicted; `None` if there is no answer.
    pub variation_id: Option<Box<str>>,
    /// The service's id of the prediction, sent with the impression.
    pub prediction_id: Option<Box<str>>,
}
