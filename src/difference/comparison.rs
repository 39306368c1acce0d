//! Deciding for users in both datafiles, and counting who gets what before and after.
//!
//! Must not know where users come from.

use std::collections::BTreeMap;

use hashbrown::HashMap;

use super::asked;
use super::effect::{Effect, Name, SubjectEffect, Transition};
use super::got::{self, Got, Outcome};
use super::matched::Matched;
use super::matching::{Identity, Pair};
use super::variations::identities_of_new;
use crate::datafile::{Datafile, Flag, FlagIndex, RuleIndex};
use crate::decide::{User, variable_values};

/// Two datafiles, ready to decide for users in both.
#[derive(Debug)]
pub struct Comparison<'d> {
    matched: Matched<'d>,
    subjects: Vec<Subject>,
    /// Places in `subjects`, of experiments and of flags.
    experiments: usize,
}

/// An experiment or flag that one datafile has, or both.
#[derive(Debug, Clone, Copy)]
struct Subject {
    is_flag: bool,
    old: Option<u32>,
    new: Option<u32>,
}

/// How many users got what, before and after.
#[derive(Debug, Clone, Default)]
pub struct Tally {
    users: u64,
    by_subject: Vec<HashMap<(Got, Got), u64>>,
}

/// Before, after, and whether both are the same variation by the same rule.
type Way = (Outcome, Outcome, bool);

impl<'d> Comparison<'d> {
    /// Pairs the experiments and flags of two datafiles as callers ask for them: experiments by the key
    /// that leads to them, else by their id.
    #[must_use]
    pub fn new(old: &'d Datafile, new: &'d Datafile) -> Self {
        let matched = Matched::new(old, new);
        let number = |place: Option<usize>| place.and_then(|place| u32::try_from(place).ok());
        let subject = |is_flag: bool| {
            move |pair: &Pair| Subject { is_flag, old: number(pair.old), new: number(pair.new) }
        };
        let mut subjects: Vec<Subject> =
            asked::experiments(&matched).iter().map(subject(false)).collect();
        let experiments = subjects.len();
        subjects.extend(matched.flags.iter().map(subject(true)));
        Self { matched, subjects, experiments }
    }

    /// Decides for one user in both datafiles, and counts what comes of it.
    pub fn count(&self, user: &User<'_>, tally: &mut Tally) {
        tally.users += 1;
        tally.by_subject.resize_with(self.subjects.len(), HashMap::new);
        let (old, new) = self.datafiles();
        for (subject, counts) in self.subjects.iter().zip(&mut tally.by_subject) {
            let got = |datafile: &Datafile, place: Option<u32>| match place {
                None => Got::Nothing,
                Some(place) if subject.is_flag => {
                    got::of_flag(datafile, FlagIndex::at(place), user)
                }
                Some(place) => got::of_experiment(datafile, RuleIndex::at(place), user),
            };
            let both = (got(old, subject.old), got(new, subject.new));
            *counts.entry(both).or_default() += 1;
        }
    }

    /// What a tally says.
    #[must_use]
    pub fn effect(&self, tally: &Tally) -> Effect {
        let nobody = HashMap::new();
        let counts = tally.by_subject.iter().chain(std::iter::repeat(&nobody));
        let mut experiments: Vec<SubjectEffect> = self
            .subjects
            .iter()
            .zip(counts)
            .map(|(subject, counts)| self.one(*subject, counts))
            .collect();
        let flags = experiments.split_off(self.experiments.min(experiments.len()));
        Effect { users: tally.users, experiments, flags }
    }

    fn datafiles(&self) -> (&'d Datafile, &'d Datafile) {
        (self.matched.old.datafile, self.matched.new.datafile)
    }

    fn one(&self, subject: Subject, counts: &HashMap<(Got, Got), u64>) -> SubjectEffect {
        let (old, new) = self.datafiles();
        let mut ways: BTreeMap<Way, u64> = BTreeMap::new();
        let mut values_changed = 0;
        for (both, users) in counts {
            let (before, after) = *both;
            if self.gives_other_values(subject, before, after) {
                values_changed += users;
            }
            let is_renamed = self.is_same(before, after);
            let before = before.outcome(old, subject.is_flag);
            let after = after.outcome(new, subject.is_flag);
            *ways.entry((before, after, is_renamed)).or_default() += users;
        }
        let transition = |((before, after, is_same), users): (Way, u64)| {
            let is_open = is_open(&before, &after);
            let is_renamed = is_same && before != after && before.enabled == after.enabled;
            let transition = Transition { before, after, is_open, is_renamed, users };
            (is_open || transition.before != transition.after).then_some(transition)
        };
        let mut transitions: Vec<Transition> = ways.into_iter().filter_map(transition).collect();
        transitions.sort_by_key(|transition| std::cmp::Reverse(transition.users));
        let total = |is_wanted: fn(&Transition) -> bool| {
            let wanted = transitions.iter().filter(|transition| is_wanted(transition));
            wanted.map(|transition| transition.users).sum()
        };
        SubjectEffect {
            old: name(old, subject.is_flag, subject.old),
            new: name(new, subject.is_flag, subject.new),
            changed: total(|transition| !transition.is_open),
            renamed: total(|transition| transition.is_renamed),
            open: total(|transition| transition.is_open),
            values_changed,
            transitions,
        }
    }

    /// Whether both are the same variation by the same rule, whatever they are called.
    fn is_same(&self, before: Got, after: Got) -> bool {
        let (
            Got::Variation { rule: old_rule, of: old_of, variation: old_variation },
            Got::Variation { rule: new_rule, of: new_of, variation: new_variation },
        ) = (before, after)
        else {
            return false;
        };
        let Matched { old, new, .. } = &self.matched;
        let old_identity = |index: RuleIndex| old.rule(index.place() as usize);
        let new_identity = |index: RuleIndex| new.rule(index.place() as usize);
        let rules = old.datafile.rule(old_of).zip(new.datafile.rule(new_of));
        old_rule.map(old_identity) == new_rule.map(new_identity)
            && old_identity(old_of) == new_identity(new_of)
            && rules.is_some_and(|(old, new)| {
                let identity =
                    identities_of_new(old, new).get(new_variation.place() as usize).copied();
                identity == Some(Identity::Old(old_variation.place() as usize))
            })
    }

    fn gives_other_values(&self, subject: Subject, before: Got, after: Got) -> bool {
        let flag =
            |datafile: &'d Datafile, place: Option<u32>| datafile.flag(FlagIndex::at(place?));
        let is_known = |got: Got| !matches!(got, Got::Prediction { .. });
        let (old_datafile, new_datafile) = self.datafiles();
        let flags = (flag(old_datafile, subject.old), flag(new_datafile, subject.new));
        match flags {
            (Some(old), Some(new)) if subject.is_flag && is_known(before) && is_known(after) => {
                are_different((old_datafile, old, before), (new_datafile, new, after))
            }
            _ => false,
        }
    }
}

type Served<'d> = (&'d Datafile, &'d Flag, Got);

fn are_different(before: Served<'_>, after: Served<'_>) -> bool {
    let (old_decision, new_decision) = (before.2.decision(), after.2.decision());
    let old: HashMap<_, _> = variable_values(before.0, before.1, &old_decision).collect();
    let new: HashMap<_, _> = variable_values(after.0, after.1, &new_decision).collect();
    old != new
}

/// A prediction may give the same variation as before; that it gives none is not expected of it. Where
/// a flag's rule is another one, the decision is another one, whatever is predicted.
fn is_open(before: &Outcome, after: &Outcome) -> bool {
    (before.is_predicted || after.is_predicted)
        && !before.is_nothing()
        && !after.is_nothing()
        && before.rule_key == after.rule_key
}

fn name(datafile: &Datafile, is_flag: bool, place: Option<u32>) -> Option<Name> {
    let (id, key) = if is_flag {
        let flag = datafile.flag(FlagIndex::at(place?))?;
        (flag.id(), flag.key())
    } else {
        let rule = datafile.rule(RuleIndex::at(place?))?;
        (rule.id(), rule.key())
    };
    Some(Name { id: id.to_owned(), key: key.to_owned() })
}

impl Tally {
    /// Adds another tally of the same comparison.
    pub fn merge(&mut self, other: Self) {
        self.users += other.users;
        let length = self.by_subject.len().max(other.by_subject.len());
        self.by_subject.resize_with(length, HashMap::new);
        for (counts, others) in self.by_subject.iter_mut().zip(other.by_subject) {
            for (both, users) in others {
                *counts.entry(both).or_default() += users;
            }
        }
    }

    /// How many users were decided for.
    #[must_use]
    pub fn users(&self) -> u64 {
        self.users
    }
}
