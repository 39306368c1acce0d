//! The compiled datafile: flat lists, every reference resolved to an index, everything prepared that
//! can be prepared.
//!
//! Must not know the wire form, users or I/O. Immutable once built.

use std::cmp::Ordering;
use std::num::NonZeroU32;
use std::sync::Arc;

use hashbrown::HashMap;

use super::project::Project;
use super::shown::Shown;
use crate::allocation::Allocation;
use crate::hash::PreparedParent;
use crate::name::NameTable;
use crate::targeting::{Condition, Program, Tree};
use crate::value::{VariableType, VariableValue};

macro_rules! index {
    ($(#[$doc:meta])* $name:ident) => {
        $(#[$doc])*
        ///
        /// Kept one higher than the place, so that an optional one is as small and comes back in a register.
        #[derive(Clone, Copy, PartialEq, Eq, PartialOrd, Ord, Hash)]
        pub struct $name(NonZeroU32);

        impl $name {
            /// Of the place, counted from 0.
            #[inline]
            pub(crate) const fn at(place: u32) -> Self {
                Self(NonZeroU32::MIN.saturating_add(place))
            }

            /// The place, counted from 0.
            #[inline]
            pub(crate) const fn place(self) -> u32 {
                self.0.get() - 1
            }
        }

        impl std::fmt::Debug for $name {
            fn fmt(&self, formatter: &mut std::fmt::Formatter<'_>) -> std::fmt::Result {
                write!(formatter, "{}({})", stringify!($name), self.place())
            }
        }
    };
}

index! {
    /// The place of a rule (experiment, rollout rule or holdout) in [`Datafile::rules`].
    RuleIndex
}
index! {
    /// The place of a variation in [`Rule::variations`].
    VariationIndex
}
index! {
    /// The place of a flag in [`Datafile::flags`].
    FlagIndex
}
index! {
    /// The place of an event in [`Datafile::events`].
    EventIndex
}
index! {
    /// The place of an audience in [`Datafile::audiences`].
    AudienceIndex
}
index! {
    /// The place of a group in [`Datafile::groups`].
    GroupIndex
}

impl RuleIndex {
    /// Of the place, counted from 1.
    #[inline]
    pub(crate) const fn counted(from_one: NonZeroU32) -> Self {
        Self(from_one)
    }
}

impl VariationIndex {
    /// Of the place, counted from 1.
    #[inline]
    pub(crate) const fn counted(from_one: NonZeroU32) -> Self {
        Self(from_one)
    }
}

/// The start of the keys of reserved attributes, which are sent though no datafile declares them.
pub(crate) const RESERVED: &str = "$opt_";

/// The id that stands in for typed audiences before SDKs that do not know them. It matches nobody.
pub(crate) const FILLER_AUDIENCE_ID: &str = "$opt_dummy_audience";

/// A compiled datafile.
///
/// It begins a line of the cache of its own: the count of its owners, which lies before it, is written
/// with each record that is made or dropped, and those who decide must not wait for that.
#[repr(align(64))]
pub struct Datafile {
    pub(crate) version: Box<str>,
    pub(crate) project: Arc<Project>,
    pub(crate) sdk_key: Option<Box<str>>,
    pub(crate) environment_key: Option<Box<str>>,
    pub(crate) sends_flag_decisions: bool,
    pub(crate) text: Box<str>,

    pub(crate) attributes: Vec<DeclaredAttribute>,
    pub(crate) audiences: Vec<Audience>,
    pub(crate) groups: Vec<Group>,
    /// Experiments, then those of groups, then rollout rules, then holdouts.
    pub(crate) rules: Vec<Rule>,
    pub(crate) flags: Vec<Flag>,
    pub(crate) events: Vec<Event>,
    pub(crate) integrations: Vec<Integration>,

    /// Global holdouts that run, in the datafile's order.
    pub(crate) global_holdouts: Vec<RuleIndex>,
    /// All holdouts that run, global and local: each is tied to every event.
    pub(crate) running_holdouts: Vec<RuleIndex>,

    pub(crate) attribute_by_key: NameTable<usize>,
    /// Experiments only: a rollout rule never hides an experiment of the same key.
    pub(crate) experiment_by_key: NameTable<RuleIndex>,
    /// Rules of every kind.
    pub(crate) rule_by_id: HashMap<Box<str>, RuleIndex>,
    pub(crate) flag_by_key: NameTable<FlagIndex>,
    pub(crate) event_by_key: NameTable<EventIndex>,
    pub(crate) event_by_id: HashMap<Box<str>, EventIndex>,
}

/// An attribute that the datafile declares: only these, and reserved ones, are sent with events.
#[derive(Debug, Clone)]
pub struct DeclaredAttribute {
    pub(crate) id: Arc<str>,
    pub(crate) key: Arc<str>,
}

/// An audience.
#[derive(Debug, Clone)]
pub struct Audience {
    pub(crate) id: Box<str>,
    pub(crate) name: Box<str>,
    /// The conditions as JSON text, for the configuration view.
    pub(crate) conditions_text: Box<str>,
    pub(crate) is_typed: bool,
    pub(crate) tree: Tree<Condition>,
    /// Whether the tree is definitely true.
    pub(crate) when_true: Program<Condition>,
    /// Whether the tree is definitely false, for use under a `not`.
    pub(crate) when_false: Program<Condition>,
}

/// Which audiences a rule is for.
// Each decision asks which: one comparison, where the tag has a byte of its own.
#[derive(Debug, Clone)]
#[non_exhaustive]
#[repr(u8)]
pub enum Audiences {
    /// Everyone: no audience is named.
    Everyone,
    /// One audience.
    One(AudienceIndex),
    /// A tree of audiences.
    Tree(Tree<AudienceIndex>, Program<AudienceIndex>),
}

/// A group of experiments.
#[derive(Debug, Clone)]
pub struct Group {
    pub(crate) id: Box<str>,
    /// Whether a user is in at most one of its experiments (policy `random`).
    pub(crate) is_exclusive: bool,
    pub(crate) parent: PreparedParent,
    /// Targets are places in [`Datafile::rules`].
    pub(crate) allocation: Allocation,
}

/// What a rule is.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
#[non_exhaustive]
pub enum RuleKind {
    /// An experiment, in a group or not.
    Experiment,
    /// A targeting rule of a rollout.
    Rollout,
    /// A holdout, global or local.
    Holdout,
}

/// The datafile's `type` of an experiment or rule.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
#[non_exhaustive]
pub enum RuleType {
    /// `ab`, or not given.
    AbTest,
    /// `mab`: a multi-armed bandit.
    MultiArmedBandit,
    /// `cmab`: a contextual bandit, whose variation a prediction chooses.
    ContextualBandit,
    /// `td`: a targeted delivery, which some holdouts leave alone.
    TargetedDelivery,
    /// `fr`: a feature rollout, whose remaining traffic gets the everyone-else variation.
    FeatureRollout,
    /// Something newer: treated as an ordinary experiment.
    Other,
}

/// An experiment, rollout rule or holdout.
#[derive(Debug, Clone)]
pub struct Rule {
    pub(crate) id: Arc<str>,
    pub(crate) key: Arc<str>,
    /// The campaign id of its events: the layer id where there is one, else its own id.
    pub(crate) campaign_id: Arc<str>,
    pub(crate) kind: RuleKind,
    pub(crate) rule_type: RuleType,
    pub(crate) status: Box<str>,
    /// Whether the status is exactly `Running`. Rollout rules serve whatever theirs is.
    pub(crate) is_running: bool,
    /// Whether nothing but audience and traffic allocation decides for whom nothing was arranged: it runs,
    /// whitelists nobody, is in no group and needs no prediction. One test for decisions instead of four.
    pub(crate) is_plain: bool,
    pub(crate) group: Option<GroupIndex>,
    pub(crate) audiences: Audiences,
    /// The audience conditions as JSON text, for the configuration view; `None` where only ids are named.
    pub(crate) audience_conditions_text: Option<Box<str>>,
    pub(crate) parent: PreparedParent,
    /// Targets are places in `variations`. Of a contextual bandit: who takes part at all (target 0).
    pub(crate) allocation: Allocation,
    pub(crate) variations: Vec<Variation>,
    /// What is remembered of a user who was shown one of them, in the same order.
    pub(crate) shown: Box<[Arc<Shown>]>,
    /// How many of them are its own; those behind are borrowed by a feature rollout.
    pub(crate) own_variations: usize,
    pub(crate) variation_by_key: HashMap<Box<str>, VariationIndex>,
    pub(crate) variation_by_id: HashMap<Box<str>, VariationIndex>,
    /// The datafile's `forcedVariations`: user id to variation, or to a key that names none.
    pub(crate) whitelist: HashMap<Box<str>, Result<VariationIndex, Box<str>>>,
    /// Local holdouts that run and name this rule, in the datafile's order.
    pub(crate) local_holdouts: Vec<RuleIndex>,
    /// Of a contextual bandit: the attributes that the prediction may use, by id.
    pub(crate) prediction_attribute_ids: Vec<Box<str>>,
    /// Of a holdout: whether targeted deliveries are decided as if it were not there.
    pub(crate) excludes_targeted_deliveries: bool,
    /// The first flag that uses it as an experiment, for decision notifications.
    pub(crate) flag: Option<FlagIndex>,
}

/// One variation of a rule.
#[derive(Debug, Clone)]
pub struct Variation {
    pub(crate) id: Arc<str>,
    pub(crate) key: Arc<str>,
    pub(crate) is_feature_enabled: bool,
    /// Whether it is on by `true`, and by nothing else that stands for it.
    pub(crate) says_true: bool,
    /// The values that it gives to variables, in the order of [`VariationValue::order_against`].
    pub(crate) values: Arc<[VariationValue]>,
}

/// The value that a variation gives to one variable.
#[derive(Debug, Clone)]
pub(crate) struct VariationValue {
    pub(crate) variable_id: Box<str>,
    pub(crate) kind: VariableType,
    pub(crate) text: Box<str>,
    pub(crate) value: Option<VariableValue>,
}

/// A feature flag.
#[derive(Debug, Clone)]
pub struct Flag {
    pub(crate) id: Box<str>,
    pub(crate) key: Arc<str>,
    pub(crate) experiments: Vec<RuleIndex>,
    /// The rules of its rollout in order; the last one is "Everyone Else".
    pub(crate) rollout: Arc<[RuleIndex]>,
    pub(crate) variables: Vec<Variable>,
    pub(crate) variable_by_key: HashMap<Box<str>, usize>,
}

/// A variable of a flag.
#[derive(Debug, Clone)]
pub struct Variable {
    pub(crate) id: Box<str>,
    pub(crate) key: Box<str>,
    pub(crate) kind: VariableType,
    /// The datafile's word for the type, for the configuration view.
    pub(crate) kind_text: Box<str>,
    pub(crate) default_text: Box<str>,
    pub(crate) default: Option<VariableValue>,
}

/// An event that may be tracked.
#[derive(Debug, Clone)]
pub struct Event {
    pub(crate) id: Arc<str>,
    pub(crate) key: Arc<str>,
    /// The ids that the datafile ties to it, as written, for the configuration view.
    pub(crate) experiment_ids: Vec<Box<str>>,
    /// Those of them that the datafile has.
    pub(crate) experiments: Vec<RuleIndex>,
}

/// An integration with another product.
#[derive(Debug, Clone)]
pub struct Integration {
    pub(crate) key: Box<str>,
    pub(crate) host: Option<Box<str>>,
    pub(crate) public_key: Option<Box<str>>,
}

impl Datafile {
    /// The rule at a place.
    #[inline]
    #[must_use]
    pub fn rule(&self, index: RuleIndex) -> Option<&Rule> {
        self.rules.get(index.place() as usize)
    }

    /// The flag at a place.
    #[inline]
    #[must_use]
    pub fn flag(&self, index: FlagIndex) -> Option<&Flag> {
        self.flags.get(index.place() as usize)
    }

    /// The event at a place.
    #[inline]
    #[must_use]
    pub fn event(&self, index: EventIndex) -> Option<&Event> {
        self.events.get(index.place() as usize)
    }

    /// The place of a rule of any kind, by id.
    #[must_use]
    pub fn rule_index(&self, id: &str) -> Option<RuleIndex> {
        self.rule_by_id.get(id).copied()
    }

    /// The place of an event, by key.
    #[inline]
    #[must_use]
    pub fn event_index(&self, key: &str) -> Option<EventIndex> {
        self.event_by_key.get(key)
    }

    /// The place of an experiment (of a group or not), by key.
    #[inline(always)]
    #[must_use]
    pub fn experiment_index(&self, key: &str) -> Option<RuleIndex> {
        self.experiment_by_key.get(key)
    }

    /// The place of a flag, by key.
    #[inline]
    #[must_use]
    pub fn flag_index(&self, key: &str) -> Option<FlagIndex> {
        self.flag_by_key.get(key)
    }

    /// The rule and the variation that a forced decision means by a variation key: the first rule of the
    /// flag that has one of that key, experiments before the rollout. Of a rule's own variations the
    /// last counts, before borrowed ones.
    ///
    /// It is searched for, since it is seldom needed: a table per flag would cost its rules times their
    /// variations.
    #[must_use]
    pub fn flag_variation(&self, flag: &Flag, key: &str) -> Option<(RuleIndex, VariationIndex)> {
        flag.experiments.iter().chain(flag.rollout.iter()).find_map(|index| {
            let rule = self.rule(*index)?;
            let has_key = |variation: &Variation| *variation.key == *key;
            let own = rule.variations.get(..rule.own_variations).unwrap_or_default();
            let place = own.iter().rposition(has_key);
            let place = place.or_else(|| rule.variations.iter().position(has_key))?;
            Some((*index, VariationIndex::at(u32::try_from(place).ok()?)))
        })
    }

    /// The group at a place.
    #[inline]
    #[must_use]
    pub fn group(&self, index: GroupIndex) -> Option<&Group> {
        self.groups.get(index.place() as usize)
    }

    /// The audience at a place.
    #[inline]
    #[must_use]
    pub fn audience(&self, index: AudienceIndex) -> Option<&Audience> {
        self.audiences.get(index.place() as usize)
    }
}

impl Rule {
    /// What it is.
    #[inline]
    #[must_use]
    pub fn kind(&self) -> RuleKind {
        self.kind
    }

    /// The place of a variation, by id.
    #[must_use]
    pub fn variation_index(&self, id: &str) -> Option<VariationIndex> {
        self.variation_by_id.get(id).copied()
    }

    /// The variation at a place.
    #[inline]
    #[must_use]
    pub fn variation(&self, index: VariationIndex) -> Option<&Variation> {
        self.variations.get(index.place() as usize)
    }

    /// What is remembered of a user who was shown a variation.
    #[inline]
    #[must_use]
    pub fn shown(&self, index: VariationIndex) -> Option<&Arc<Shown>> {
        self.shown.get(index.place() as usize)
    }

    /// Whether two of its variations have the same key.
    #[inline]
    #[must_use]
    pub(crate) fn has_ambiguous_keys(&self) -> bool {
        self.variation_by_key.len() < self.variations.len()
    }

    /// Whether a prediction chooses its variation.
    #[inline]
    #[must_use]
    pub fn is_contextual_bandit(&self) -> bool {
        self.rule_type == RuleType::ContextualBandit
    }
}

impl Variation {
    /// What it gives to a variable: nothing, or a value, or text that is not of the type (`Some(None)`).
    #[must_use]
    pub(crate) fn value_of(&self, variable: &Variable) -> Option<&Option<VariableValue>> {
        let order = |value: &VariationValue| value.order_against(&variable.id, variable.kind);
        let place = self.values.binary_search_by(order).ok()?;
        self.values.get(place).map(|value| &value.value)
    }
}

impl VariationValue {
    /// The order that the values of a variation stand in: by variable id, then by type.
    pub(crate) fn order_against(&self, variable_id: &str, kind: VariableType) -> Ordering {
        (&*self.variable_id, self.kind).cmp(&(variable_id, kind))
    }
}
