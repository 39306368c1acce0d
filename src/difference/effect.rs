//! What a new datafile does to people: whose variation changes, and from which to which.
//!
//! Must not know how users are decided for.
//!
//! Users are decided for as they stand: without forced variations, forced decisions and profiles. A
//! user with a profile may keep a variation that is counted here as changed. Where a prediction
//! chooses, only who takes part is compared.

use super::got::Outcome;

/// What the new datafile does to the users of a tally.
#[derive(Debug, Clone)]
#[non_exhaustive]
pub struct Effect {
    /// How many users were decided for.
    pub users: u64,
    /// The experiments of both datafiles by key, as `get_variation` answers.
    pub experiments: Vec<SubjectEffect>,
    /// The flags of both datafiles by key, as `decide` answers.
    pub flags: Vec<SubjectEffect>,
}

/// What the new datafile does to the users of one experiment or flag.
#[derive(Debug, Clone)]
#[non_exhaustive]
pub struct SubjectEffect {
    /// Its id and key in the old datafile; `None` if it is new.
    pub old: Option<Name>,
    /// Its id and key in the new datafile; `None` if it is gone.
    pub new: Option<Name>,
    /// Users who get another variation; of a flag also those who get it by another rule, or for whom
    /// it is on instead of off, or off instead of on.
    pub changed: u64,
    /// Those of them who keep their variation, and only its name or the rule's is another one.
    pub renamed: u64,
    /// Users of whom it cannot be told, since a prediction chooses their variation.
    pub open: u64,
    /// Of a flag in both datafiles: users who get another value of a variable, or other variables,
    /// whether their variation changed or not. Without those of whom it cannot be told.
    pub values_changed: u64,
    /// From which to which: all that is counted in `changed` and `open`, the most users first.
    pub transitions: Vec<Transition>,
}

/// The id and key of an experiment or flag.
#[derive(Debug, Clone, PartialEq, Eq, PartialOrd, Ord)]
pub struct Name {
    /// The id.
    pub id: String,
    /// The key.
    pub key: String,
}

/// Users who went one way.
#[derive(Debug, Clone, PartialEq, Eq)]
#[non_exhaustive]
pub struct Transition {
    /// What they get by the old datafile.
    pub before: Outcome,
    /// What they get by the new one.
    pub after: Outcome,
    /// Whether it cannot be told if their variation changes.
    pub is_open: bool,
    /// Whether they keep their variation, and only its name or the rule's is another one.
    pub is_renamed: bool,
    /// How many they are.
    pub users: u64,
}

impl SubjectEffect {
    /// Its key: in the new datafile, else in the old one.
    #[must_use]
    pub fn key(&self) -> &str {
        self.new.as_ref().or(self.old.as_ref()).map_or("", |name| &name.key)
    }
}
