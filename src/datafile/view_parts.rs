//! What a user of the crate sees of a datafile's flags, audiences, events and small parts.
//!
//! Must not know how it is made or used.

use super::model::{
    Audience, DeclaredAttribute, Event, Flag, Group, Integration, RuleIndex, Variable,
};
use crate::allocation::Allocation;
use crate::targeting::{Condition, Tree};
use crate::value::{VariableType, VariableValue};

impl Flag {
    /// Its id.
    #[must_use]
    pub fn id(&self) -> &str {
        &self.id
    }

    /// Its key.
    #[must_use]
    pub fn key(&self) -> &str {
        &self.key
    }

    /// Its experiments, in the order in which they are asked.
    #[must_use]
    pub fn experiments(&self) -> &[RuleIndex] {
        &self.experiments
    }

    /// The rules of its rollout in order; the last one is for everyone else.
    #[must_use]
    pub fn rollout(&self) -> &[RuleIndex] {
        &self.rollout
    }

    /// Its variables.
    #[must_use]
    pub fn variables(&self) -> &[Variable] {
        &self.variables
    }

    /// The variable with a key; of several, the last.
    #[must_use]
    pub fn variable_by_key(&self, key: &str) -> Option<&Variable> {
        self.variables.get(*self.variable_by_key.get(key)?)
    }
}

impl Variable {
    /// Its id.
    #[must_use]
    pub fn id(&self) -> &str {
        &self.id
    }

    /// Its key.
    #[must_use]
    pub fn key(&self) -> &str {
        &self.key
    }

    /// Its type.
    #[must_use]
    pub fn kind(&self) -> VariableType {
        self.kind
    }

    /// The datafile's word for its type.
    #[must_use]
    pub fn kind_text(&self) -> &str {
        &self.kind_text
    }

    /// Its default, as written; empty where there is none.
    #[must_use]
    pub fn default_text(&self) -> &str {
        &self.default_text
    }

    /// Its default; `None` where it is missing or not of its type.
    #[must_use]
    pub fn default_value(&self) -> Option<&VariableValue> {
        self.default.as_ref()
    }
}

impl Audience {
    /// Its id.
    #[must_use]
    pub fn id(&self) -> &str {
        &self.id
    }

    /// Its name.
    #[must_use]
    pub fn name(&self) -> &str {
        &self.name
    }

    /// Its conditions as JSON text.
    #[must_use]
    pub fn conditions_text(&self) -> &str {
        &self.conditions_text
    }

    /// Whether it is in the datafile's list of typed audiences.
    #[must_use]
    pub fn is_typed(&self) -> bool {
        self.is_typed
    }

    /// Its conditions.
    #[must_use]
    pub fn conditions(&self) -> &Tree<Condition> {
        &self.tree
    }
}

impl Group {
    /// Its id.
    #[must_use]
    pub fn id(&self) -> &str {
        &self.id
    }

    /// Whether a user is in at most one of its experiments.
    #[must_use]
    pub fn is_exclusive(&self) -> bool {
        self.is_exclusive
    }

    /// How its traffic is split; targets are places in [`Datafile::rules`](super::Datafile::rules).
    #[must_use]
    pub fn allocation(&self) -> &Allocation {
        &self.allocation
    }
}

impl DeclaredAttribute {
    /// Its id, as sent with events.
    #[must_use]
    pub fn id(&self) -> &str {
        &self.id
    }

    /// Its key, as used by callers.
    #[must_use]
    pub fn key(&self) -> &str {
        &self.key
    }
}

impl Event {
    /// Its id.
    #[must_use]
    pub fn id(&self) -> &str {
        &self.id
    }

    /// Its key.
    #[must_use]
    pub fn key(&self) -> &str {
        &self.key
    }

    /// The ids of the experiments that the datafile ties to it, as written.
    pub fn experiment_ids(&self) -> impl Iterator<Item = &str> {
        self.experiment_ids.iter().map(|id| &**id)
    }

    /// Those of them that the datafile has.
    #[must_use]
    pub fn experiments(&self) -> &[RuleIndex] {
        &self.experiments
    }
}

impl Integration {
    /// Its key; `odp` is the one with a meaning.
    #[must_use]
    pub fn key(&self) -> &str {
        &self.key
    }

    /// The host of its service.
    #[must_use]
    pub fn host(&self) -> Option<&str> {
        self.host.as_deref()
    }

    /// The key of its service.
    #[must_use]
    pub fn public_key(&self) -> Option<&str> {
        self.public_key.as_deref()
    }
}
