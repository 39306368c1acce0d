//! The trace of a decision: what the evaluator tells about each step, and who listens.
//!
//! Must not know how a trace is shown.

use crate::value::AttributeValue;

/// Listens to the evaluator. Steps nest: what happens between `open` and `close` belongs to the step
/// that `close` gives. Steps are made only if someone listens.
pub trait Trace {
    /// A step begins.
    fn open(&mut self);
    /// The step begun last ends, and is now known.
    fn close(&mut self, step: impl FnOnce() -> Step);
    /// A step without parts.
    fn add(&mut self, step: impl FnOnce() -> Step);
}

/// Nobody listens: deciding costs nothing more.
#[derive(Debug, Clone, Copy, Default)]
pub struct Silent;

impl Trace for Silent {
    #[inline]
    fn open(&mut self) {}
    #[inline]
    fn close(&mut self, _step: impl FnOnce() -> Step) {}
    #[inline]
    fn add(&mut self, _step: impl FnOnce() -> Step) {}
}

/// A step and its parts.
#[derive(Debug, Clone, PartialEq)]
pub struct Traced {
    /// What happened.
    pub step: Step,
    /// What it consisted of, in the order in which it happened.
    pub parts: Vec<Traced>,
}

/// Keeps every step.
#[derive(Debug, Default)]
pub(crate) struct Recorder {
    finished: Vec<Traced>,
    open: Vec<Vec<Traced>>,
}

impl Recorder {
    pub(crate) fn into_steps(self) -> Vec<Traced> {
        self.finished
    }

    fn push(&mut self, traced: Traced) {
        self.open.last_mut().unwrap_or(&mut self.finished).push(traced);
    }
}

impl Trace for Recorder {
    fn open(&mut self) {
        self.open.push(Vec::new());
    }

    fn close(&mut self, step: impl FnOnce() -> Step) {
        let parts = self.open.pop().unwrap_or_default();
        self.push(Traced { step: step(), parts });
    }

    fn add(&mut self, step: impl FnOnce() -> Step) {
        self.push(Traced { step: step(), parts: Vec::new() });
    }
}

/// One step of a decision. Keys and ids are the datafile's.
#[derive(Debug, Clone, PartialEq)]
#[non_exhaustive]
pub enum Step {
    /// An experiment was decided; `variation` is its key, if there is one.
    Experiment {
        /// The experiment's key.
        key: String,
        /// The variation's key.
        variation: Option<String>,
    },
    /// A rollout rule was decided.
    RolloutRule {
        /// The rule's key.
        key: String,
        /// Its place from 1, or `Everyone Else` for the last.
        name: String,
        /// The variation's key.
        variation: Option<String>,
    },
    /// A holdout was decided.
    Holdout {
        /// The holdout's key.
        key: String,
        /// The rule that it guards, if it is a local one.
        rule: Option<String>,
        /// The variation's key, if the user is held out.
        variation: Option<String>,
    },
    /// The experiment does not run.
    NotRunning {
        /// Its key.
        key: String,
        /// Its status.
        status: String,
    },
    /// A holdout that excludes targeted deliveries holds the user out: only those and the rollout go on.
    HoldoutSetAside {
        /// The holdout's key.
        key: String,
    },
    /// An experiment was passed over because such a holdout holds the user out.
    PassedOver {
        /// The experiment's key.
        key: String,
    },
    /// A forced decision was set for the flag or rule.
    ForcedDecision {
        /// The flag's key.
        flag: String,
        /// The rule's key; `None` for the whole flag.
        rule: Option<String>,
        /// The variation's key as it was set.
        variation: String,
        /// Whether the flag has such a variation.
        is_valid: bool,
    },
    /// A variation was forced for the user.
    ForcedVariation {
        /// The experiment's key.
        experiment: String,
        /// The variation's key, or its id if it is gone.
        variation: String,
        /// Whether the experiment has such a variation.
        is_valid: bool,
    },
    /// The datafile's whitelist names the user.
    Whitelist {
        /// The experiment's key.
        experiment: String,
        /// The variation's key as written.
        variation: String,
        /// Whether the experiment has such a variation.
        is_valid: bool,
    },
    /// The user's profile holds a variation.
    Profile {
        /// The experiment's key.
        experiment: String,
        /// The variation's key, or its id if it is gone.
        variation: String,
        /// Whether the experiment has such a variation.
        is_valid: bool,
    },
    /// One condition was asked.
    Condition {
        /// The attribute's key.
        attribute: String,
        /// The test in words, such as `exact "us"`.
        test: String,
        /// The value that the user has.
        seen: Seen,
        /// True, false or unknown.
        outcome: Option<bool>,
    },
    /// One audience was asked.
    Audience {
        /// Its id.
        id: String,
        /// Its name.
        name: String,
        /// Whether it was asked to be true; under a `not` it is asked to be false.
        wanted: bool,
        /// Whether it definitely is so.
        is_met: bool,
    },
    /// The audiences of a rule were asked.
    Audiences {
        /// The rule's key, or its name in a rollout.
        name: String,
        /// Whether everyone is in, because none is named.
        is_everyone: bool,
        /// Whether the user is in.
        is_met: bool,
    },
    /// A hash was taken and looked up in a traffic allocation.
    Bucket(BucketStep),
    /// The user's group was asked which experiment the user is in.
    Group {
        /// The group's id.
        id: String,
        /// The experiment asked for.
        experiment: String,
        /// Whether the group gives it to the user.
        is_chosen: bool,
    },
    /// A contextual bandit's prediction was needed.
    Prediction {
        /// The rule's key.
        rule: String,
        /// The variation predicted, if there was an answer that names one.
        variation: Option<String>,
        /// Whether there was an answer at all.
        is_answered: bool,
    },
    /// The audience was met but the traffic not: the rules between are passed over.
    ToEveryoneElse {
        /// The rule's name.
        from: String,
    },
    /// Nothing else happened: there is no rule that could decide.
    NoRule,
}

/// A hash, its bucket, and the range that the bucket falls into.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct BucketStep {
    /// What was hashed in front of the parent id.
    pub bucketing_id: String,
    /// What was hashed behind it: the id of the rule or group.
    pub parent_id: String,
    /// The bucket, 0 to 9999.
    pub bucket: u16,
    /// The range (from, to; the end is exclusive), if there is one.
    pub range: Option<(u16, u16)>,
    /// What the range leads to, in words.
    pub leads_to: String,
}

/// An attribute's value as a condition saw it.
#[derive(Debug, Clone, PartialEq)]
#[non_exhaustive]
pub enum Seen {
    /// The user does not have the attribute.
    Missing,
    /// Text.
    String(String),
    /// A whole number.
    Integer(i64),
    /// A number.
    Double(f64),
    /// True or false.
    Boolean(bool),
    /// Null.
    Null,
    /// A list or an object.
    Other,
    /// The user's segments, if they were fetched.
    Segments(Option<Vec<String>>),
}

impl From<Option<AttributeValue<'_>>> for Seen {
    fn from(value: Option<AttributeValue<'_>>) -> Self {
        match value {
            None => Self::Missing,
            Some(AttributeValue::String(text)) => Self::String(text.to_owned()),
            Some(AttributeValue::Integer(number)) => Self::Integer(number),
            Some(AttributeValue::Double(number)) => Self::Double(number),
            Some(AttributeValue::Boolean(flag)) => Self::Boolean(flag),
            Some(AttributeValue::Null) => Self::Null,
            Some(AttributeValue::Other) => Self::Other,
        }
    }
}
