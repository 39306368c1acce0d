//! What users have in common, and an experiment prepared for it.
//!
//! Must not know threads.

use super::bucketing::Traffic;
use super::whitelist::Listed;
use crate::allocation::Target;
use crate::datafile::{Datafile, Rule, RuleIndex, VariationIndex};
use crate::decide::{self, ExperimentDecision, Given, How, Silent, User};
use crate::hash::{Prefix, PreparedParent};
use crate::targeting::Attribute;

/// What users have in common; by default no attributes, and segments that were never fetched.
#[derive(Debug, Clone, Copy, Default)]
pub struct Crowd<'a> {
    /// The attributes of each of them. Of a key given twice, the last counts.
    pub attributes: &'a [Attribute<'a>],
    /// The segments that each of them is in; `None` where they were never fetched.
    pub segments: Option<&'a [&'a str]>,
}

impl<'a> Crowd<'a> {
    fn user(self, id: &'a str) -> User<'a> {
        User::known(id, self.attributes, self.segments)
    }

    /// Whether the attributes replace every user's id for hashing.
    fn shares_a_bucketing_id(self) -> bool {
        self.user("a").bucketing_id() == self.user("b").bucketing_id()
    }
}

/// The place of a decision in [`PreparedExperiment::outcomes`]: a third of its size.
#[derive(Debug, Clone, Copy, PartialEq, Eq, PartialOrd, Ord, Hash, Default)]
pub struct Outcome(u32);

impl Outcome {
    /// The place as a number.
    #[must_use]
    pub fn place(self) -> usize {
        self.0 as usize
    }
}

/// An experiment, with all decided that does not depend on the user id.
#[derive(Debug, Clone)]
pub struct PreparedExperiment<'d> {
    /// Who is not whitelisted comes first: with nobody bucketed, one decision for all.
    outcomes: Vec<ExperimentDecision>,
    listed: Option<Listed<'d>>,
    bucketing: Option<Bucketing<'d>>,
}

#[derive(Debug, Clone)]
struct Bucketing<'d> {
    own: Traffic<'d>,
    /// Of an experiment in an exclusive group: the group's traffic, which is asked first.
    group: Option<Traffic<'d>>,
}

/// The outcome of who has no place in the traffic; in a group, any other means to be let in.
const OUTSIDE: u32 = 0;

impl<'d> PreparedExperiment<'d> {
    /// Prepares an experiment for users who have this in common.
    #[must_use]
    pub fn new(datafile: &'d Datafile, index: RuleIndex, crowd: Crowd<'_>) -> Self {
        let Some(rule) = datafile.rule(index) else {
            let nothing = ExperimentDecision { variation: None, how: How::NoRule };
            return Self { outcomes: vec![nothing], listed: None, bucketing: None };
        };
        let not_listed = someone_not_listed(rule);
        let user = crowd.user(&not_listed);
        let decision = decide::experiment(datafile, index, &user, &Given::default(), &mut Silent);
        let is_running = decision.how != How::NotRunning;
        let is_same =
            !is_running || decision.how == How::OutsideAudience || crowd.shares_a_bucketing_id();
        let mut outcomes = vec![decision];
        let mut bucketing = None;
        if !is_same {
            outcomes = vec![ExperimentDecision { variation: None, how: How::OutsideTraffic }];
            bucketing = Some(Bucketing::new(datafile, index, rule, &mut outcomes));
        }
        let whitelist = Some(&rule.whitelist).filter(|list| is_running && !list.is_empty());
        let listed = whitelist.map(|whitelist| Listed::new(whitelist, &mut outcomes));
        if let (Some(bucketing), Some(_)) = (&mut bucketing, &listed) {
            bucketing.look_closer_at(rule.whitelist.keys().map(AsRef::as_ref));
        }
        Self { outcomes, listed, bucketing }
    }

    /// The decisions that there are; two may be equal.
    #[must_use]
    pub fn outcomes(&self) -> &[ExperimentDecision] {
        &self.outcomes
    }

    /// The decision for a user of the crowd.
    ///
    /// Of a contextual bandit that would give the user a variation, it is [`How::NeedsPrediction`].
    #[inline]
    #[must_use]
    pub fn decide(&self, user_id: &str) -> ExperimentDecision {
        self.decision(self.outcome(user_id))
    }

    /// A decision, by its place.
    #[inline]
    #[must_use]
    pub fn decision(&self, outcome: Outcome) -> ExperimentDecision {
        let nothing = ExperimentDecision { variation: None, how: How::NoRule };
        self.outcomes.get(outcome.place()).copied().unwrap_or(nothing)
    }

    /// The decision for a user of the crowd, as its place in [`PreparedExperiment::outcomes`].
    #[inline]
    #[must_use]
    pub fn outcome(&self, user_id: &str) -> Outcome {
        if let Some(Bucketing { group: Some(_), .. }) = &self.bucketing {
            return self.outcome_after(user_id, &Prefix::new(user_id));
        }
        self.outcome_with(user_id, |parent| parent.bucket(user_id))
    }

    /// The same for a user whose id is hashed already, as far as it goes.
    #[inline]
    #[must_use]
    pub fn outcome_after(&self, user_id: &str, prefix: &Prefix) -> Outcome {
        self.outcome_with(user_id, |parent| parent.bucket_after(prefix))
    }

    /// The outcomes for many users of the crowd, in order, as far as there is room.
    pub fn outcomes_into<I: AsRef<str>>(&self, user_ids: &[I], outcomes: &mut [Outcome]) {
        let users = user_ids.iter().map(AsRef::as_ref).zip(outcomes);
        // Chosen once, so that the loop of most experiments has no choice left in it.
        match &self.bucketing {
            Some(Bucketing { own, group: None }) => users.for_each(|(id, outcome)| {
                let bucket = own.parent.bucket(id);
                let found = own.outcome(bucket);
                *outcome = Outcome(found.unwrap_or_else(|| self.look_closer(own, id, bucket)));
            }),
            _ => users.for_each(|(id, outcome)| *outcome = self.outcome(id)),
        }
    }

    #[inline]
    fn outcome_with(&self, user_id: &str, bucket: impl Fn(&PreparedParent) -> u16) -> Outcome {
        let Some(Bucketing { own, group }) = &self.bucketing else {
            return Outcome(self.listed_as(user_id).unwrap_or(OUTSIDE));
        };
        let Some(group) = group else {
            let bucket = bucket(own.parent);
            let found = own.outcome(bucket);
            return Outcome(found.unwrap_or_else(|| self.look_closer(own, user_id, bucket)));
        };
        let group_bucket = bucket(group.parent);
        let admitted = group.outcome(group_bucket).or_else(|| {
            (self.listed_as(user_id).is_none()).then(|| group.exact_outcome(group_bucket))
        });
        Outcome(match admitted {
            None => self.listed_as(user_id).unwrap_or(OUTSIDE),
            Some(OUTSIDE) => OUTSIDE,
            // Whose group's bucket needed no closer look is on no list.
            Some(_) => {
                let own_bucket = bucket(own.parent);
                own.outcome(own_bucket).unwrap_or_else(|| own.exact_outcome(own_bucket))
            }
        })
    }

    #[cold]
    fn look_closer(&self, own: &Traffic<'_>, user_id: &str, bucket: u16) -> u32 {
        self.listed_as(user_id).unwrap_or_else(|| own.exact_outcome(bucket))
    }

    fn listed_as(&self, user_id: &str) -> Option<u32> {
        self.listed.as_ref().and_then(|listed| listed.outcome(user_id))
    }
}

/// An id that the experiment's whitelist does not name, so that the whitelist does not decide.
fn someone_not_listed(rule: &Rule) -> String {
    let mut id = String::new();
    while rule.whitelist.contains_key(&*id) {
        id.push('.');
    }
    id
}

impl<'d> Bucketing<'d> {
    /// Prepares the hash, and adds what it may lead to.
    fn new(
        datafile: &'d Datafile,
        index: RuleIndex,
        rule: &'d Rule,
        outcomes: &mut Vec<ExperimentDecision>,
    ) -> Self {
        let group = rule.group.and_then(|group| datafile.group(group));
        let group = group.filter(|group| group.is_exclusive).map(|group| {
            let admits = |target| target == Some(Target::Entity(index.place()));
            Traffic::new(&group.parent, &group.allocation, |target| u32::from(admits(target)))
        });
        let mut add = |variation, how| {
            outcomes.push(ExperimentDecision { variation, how });
            u32::try_from(outcomes.len() - 1).unwrap_or(OUTSIDE)
        };
        let own = Traffic::new(&rule.parent, &rule.allocation, |target| match target {
            Some(Target::Entity(_)) if rule.is_contextual_bandit() => {
                add(None, How::NeedsPrediction)
            }
            Some(Target::Entity(variation)) => {
                add(Some(VariationIndex::at(variation)), How::Bucket)
            }
            Some(Target::Empty | Target::Dangling) | None => OUTSIDE,
        });
        Self { own, group }
    }

    /// Makes the traffic that is asked first look closer at these users.
    fn look_closer_at<'u>(&mut self, user_ids: impl Iterator<Item = &'u str>) {
        let first = self.group.as_mut().unwrap_or(&mut self.own);
        user_ids.for_each(|user_id| first.look_closer_at(first.parent.bucket(user_id)));
    }
}
