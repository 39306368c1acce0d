//! Assigns the users of a block and counts who got what.
//!
//! Must not know files or threads.

use super::form::{OutputForm, push_cell};
use crate::bulk::{Crowd, EveryExperiment, EveryExperimentOfCrowd, PreparedExperiment};
use crate::cli::users::FileUser;
use crate::datafile::{Datafile, Rule, RuleIndex};
use crate::decide::{self, ExperimentDecision, Given, How, Silent, User};
use crate::targeting::Attribute;

/// Why a user has no variation, in the order in which it is counted and told.
pub(super) const REASONS: [&str; 4] =
    ["outside the audience", "outside the traffic", "in need of a prediction", "not running"];

/// Assigns users of one datafile.
#[derive(Debug)]
pub(super) struct Assigner<'d> {
    datafile: &'d Datafile,
    subject: Subject<'d>,
    shared: &'d [Attribute<'d>],
    form: OutputForm,
    pub(super) columns: Vec<Column<'d>>,
}

/// What is asked for: for users without attributes of their own, and for others.
#[derive(Debug)]
enum Subject<'d> {
    One(RuleIndex, PreparedExperiment<'d>),
    Every(EveryExperimentOfCrowd<'d>, EveryExperiment<'d>),
}

/// An experiment in the output.
#[derive(Debug)]
pub(super) struct Column<'d> {
    pub(super) rule: &'d Rule,
    /// The text of each variation and, last, of none.
    texts: Vec<Vec<u8>>,
}

/// How many users got what: for each column the variations, then the reasons for none.
#[derive(Debug, Default, Clone)]
pub(super) struct Counts {
    pub(super) users: u64,
    pub(super) of_columns: Vec<Vec<u64>>,
}

impl<'d> Assigner<'d> {
    /// Prepares one experiment (the key is known to be the datafile's) or all.
    pub(super) fn new(
        datafile: &'d Datafile,
        (key, crowd): (Option<&str>, Crowd<'d>),
        form: OutputForm,
    ) -> Self {
        let (subject, rules): (_, Vec<&Rule>) =
            match key.and_then(|key| Some((datafile.experiment_index(key)?, key))) {
                Some((index, key)) => {
                    let prepared = PreparedExperiment::new(datafile, index, crowd);
                    let rules = datafile.experiment_by_key(key).into_iter().collect();
                    (Subject::One(index, prepared), rules)
                }
                None => {
                    let of_crowd = EveryExperimentOfCrowd::new(datafile, crowd);
                    let every = EveryExperiment::new(datafile);
                    let rules = of_crowd.experiments().filter_map(|index| datafile.rule(index));
                    let rules = rules.collect();
                    (Subject::Every(of_crowd, every), rules)
                }
            };
        let columns = rules.into_iter().map(|rule| Column::new(rule, form)).collect();
        Self { datafile, subject, shared: crowd.attributes, form, columns }
    }

    /// The first line of CSV.
    pub(super) fn header(&self) -> Vec<u8> {
        let mut text = b"user_id".to_vec();
        for column in &self.columns {
            text.push(b',');
            let is_one = matches!(self.subject, Subject::One(..));
            push_cell(if is_one { "variation" } else { column.rule.key() }, &mut text);
        }
        text.push(b'\n');
        text
    }

    /// Counts of nobody.
    pub(super) fn no_counts(&self) -> Counts {
        let slots = |column: &Column<'_>| vec![0; column.rule.variations().len() + REASONS.len()];
        Counts { users: 0, of_columns: self.columns.iter().map(slots).collect() }
    }

    /// Assigns a user: a line of output, and one more in the counts.
    #[inline]
    pub(super) fn assign(&self, user: &FileUser<'_>, text: &mut Vec<u8>, counts: &mut Counts) {
        text.extend_from_slice(self.form.before_id);
        self.form.push_id(&user.id, text);
        let mut line = Line { text, counts, before: self.form.after_id, place: 0 };
        match &self.subject {
            Subject::One(_, prepared) if user.attributes.is_empty() => {
                line.add(self, prepared.decide(&user.id));
            }
            Subject::Every(of_crowd, _) if user.attributes.is_empty() => {
                of_crowd.decide(&user.id, |_, decision| line.add(self, decision));
            }
            _ => self.assign_by_attributes(user, &mut line),
        }
        text.extend_from_slice(self.form.end);
        counts.users += 1;
    }

    /// The user's own attributes win over the shared ones: of a key given twice, the last counts.
    fn assign_by_attributes(&self, user: &FileUser<'_>, line: &mut Line<'_>) {
        let own = user.attributes();
        let attributes: Vec<_> = self.shared.iter().chain(&own).copied().collect();
        let user = User::known(&user.id, &attributes, None);
        match &self.subject {
            Subject::One(index, _) => {
                let given = Given::default();
                let decision =
                    decide::experiment(self.datafile, *index, &user, &given, &mut Silent);
                line.add(self, decision);
            }
            Subject::Every(_, every) => {
                every.decide(&user, |_, decision| line.add(self, decision));
            }
        }
    }
}

/// A line that is being written.
struct Line<'l> {
    text: &'l mut Vec<u8>,
    counts: &'l mut Counts,
    /// What stands before the next column.
    before: &'static [u8],
    place: usize,
}

impl Line<'_> {
    /// The decision for the next column.
    #[inline]
    fn add(&mut self, assigner: &Assigner<'_>, decision: ExperimentDecision) {
        let Some(column) = assigner.columns.get(self.place) else { return };
        let none = column.texts.len() - 1;
        let variation = decision.variation.map(|variation| variation.place() as usize);
        let slot = variation.unwrap_or_else(|| none + reason_of(decision.how));
        self.text.extend_from_slice(self.before);
        if let Some(text) = column.texts.get(slot.min(none)) {
            self.text.extend_from_slice(text);
        }
        let counts = self.counts.of_columns.get_mut(self.place);
        if let Some(count) = counts.and_then(|counts| counts.get_mut(slot)) {
            *count += 1;
        }
        (self.before, self.place) = (assigner.form.between, self.place + 1);
    }
}

/// The place in [`REASONS`].
fn reason_of(how: How) -> usize {
    match how {
        How::OutsideAudience => 0,
        How::NeedsPrediction => 2,
        How::NotRunning => 3,
        _ => 1,
    }
}

impl<'d> Column<'d> {
    fn new(rule: &'d Rule, form: OutputForm) -> Self {
        let keys = rule.variations().iter().map(|variation| Some(variation.key()));
        let texts = keys.chain([None]).map(|key| form.variation(rule.key(), key)).collect();
        Self { rule, texts }
    }
}

impl Counts {
    /// Adds other counts of the same columns.
    pub(super) fn merge(&mut self, other: &Self) {
        self.users += other.users;
        for (mine, theirs) in self.of_columns.iter_mut().zip(&other.of_columns) {
            mine.iter_mut().zip(theirs).for_each(|(mine, theirs)| *mine += theirs);
        }
    }

    /// Back to nobody.
    pub(super) fn clear(&mut self) {
        self.users = 0;
        self.of_columns.iter_mut().for_each(|of| of.fill(0));
    }
}
