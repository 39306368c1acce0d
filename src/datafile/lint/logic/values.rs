//! The classes of values that an attribute can have, as far as some conditions can tell them apart.
//!
//! Must not know trees. What the conditions make of a value is asked of the evaluator itself.

use std::collections::BTreeSet;

use super::formula::{FALSE, TRUE, UNKNOWN};
use super::{text, version};
use crate::targeting::{Attribute, Condition, Test};
use crate::value::AttributeValue;

/// The largest magnitude of numbers that are compared.
const LARGEST_NUMBER: f64 = 9_007_199_254_740_992.0;

/// More classes than this are not searched.
const MOST_CHOICES: usize = 20_000;

/// What each of the conditions is for one class of values.
pub(super) type Choice = Vec<u8>;

/// What conditions on one attribute (or on one segment) are for the very values that they compare with, and
/// for a few others; `None` if that is too much work.
pub(super) fn examples(conditions: &[&Condition], budget: &mut u64) -> Option<Vec<Choice>> {
    let mut found = Found { conditions, choices: BTreeSet::new(), budget };
    if !found.add_segments()? {
        found.add_all_but_texts()?;
        let texts = conditions.iter().filter_map(|condition| match &condition.test {
            Test::ExactString(text) => Some(&**text),
            Test::Substring(text) => Some(&**text),
            Test::Version(_, version) => Some(version.as_str()),
            _ => None,
        });
        for text in texts.chain(["", "0", "999999"]) {
            found.add(Some(text.into()))?;
        }
    }
    Some(found.choices.into_iter().collect())
}

/// All that the conditions can be together; `None` if that is too much work.
pub(super) fn choices(conditions: &[&Condition], budget: &mut u64) -> Option<Vec<Choice>> {
    let tests: Vec<&Test> = conditions.iter().map(|condition| &condition.test).collect();
    let mut found = Found { conditions, choices: BTreeSet::new(), budget };
    if !found.add_segments()? {
        found.add_all_but_texts()?;
        for test in &tests {
            if let Test::ExactString(text) = test {
                found.add(Some((&**text).into()))?;
            }
        }
        add_other_texts(&tests, &mut found)?;
    }
    Some(found.choices.into_iter().collect())
}

struct Found<'a> {
    conditions: &'a [&'a Condition],
    choices: BTreeSet<Choice>,
    budget: &'a mut u64,
}

impl Found<'_> {
    /// Adds being in the segment and not being in it, if that is what the conditions are about.
    fn add_segments(&mut self) -> Option<bool> {
        let is_segment = self
            .conditions
            .first()
            .is_some_and(|condition| matches!(condition.test, Test::Qualified(_)));
        if is_segment {
            self.insert(vec![TRUE; self.conditions.len()])?;
            self.insert(vec![FALSE; self.conditions.len()])?;
        }
        Some(is_segment)
    }

    fn add_all_but_texts(&mut self) -> Option<()> {
        self.add(None)?;
        for value in [AttributeValue::Other, true.into(), false.into()] {
            self.add(Some(value))?;
        }
        numbers(self.conditions).into_iter().try_for_each(|number| self.add(Some(number.into())))
    }

    /// Adds what the conditions make of a value; `None` is no value at all.
    fn add(&mut self, value: Option<AttributeValue<'_>>) -> Option<()> {
        self.spend()?;
        let choice = self.conditions.iter().map(|condition| outcome(condition, value)).collect();
        self.insert(choice)
    }

    fn insert(&mut self, choice: Choice) -> Option<()> {
        self.choices.insert(choice);
        (self.choices.len() <= MOST_CHOICES).then_some(())
    }

    fn spend(&mut self) -> Option<()> {
        *self.budget = self.budget.checked_sub(self.conditions.len() as u64)?;
        Some(())
    }
}

/// Texts that equal none of those compared with: versions or not, with any of the substrings.
fn add_other_texts(tests: &[&Test], found: &mut Found<'_>) -> Option<()> {
    let versions = tests.iter().filter_map(|test| match test {
        Test::Version(_, version) => Some(version),
        _ => None,
    });
    // What is no version makes all conditions on versions unknown, as a lone space does.
    let mut skeletons: BTreeSet<Choice> = BTreeSet::new();
    for version in
        [" ".to_owned()].into_iter().chain(version::classes(&versions.collect::<Vec<_>>())?)
    {
        found.spend()?;
        let of_text = |condition: &&Condition| match condition.test {
            // A class holds many texts, and one of them is another than those that are compared with.
            Test::ExactString(_) => FALSE,
            _ => outcome(condition, Some((&*version).into())),
        };
        skeletons.insert(found.conditions.iter().map(of_text).collect());
    }
    let substrings = tests.iter().filter_map(|test| match test {
        Test::Substring(part) => Some(&**part),
        _ => None,
    });
    for contained in text::sets_of_substrings(&substrings.collect::<Vec<_>>())? {
        for skeleton in &skeletons {
            found.spend()?;
            let mut choice = skeleton.clone();
            for (test, value) in tests.iter().zip(&mut choice) {
                if let Test::Substring(part) = test {
                    *value = if contained.contains(&&**part) { TRUE } else { FALSE };
                }
            }
            found.insert(choice)?;
        }
    }
    Some(())
}

/// What the evaluator makes of a value.
fn outcome(condition: &Condition, value: Option<AttributeValue<'_>>) -> u8 {
    let attribute = value.map(|value| Attribute::new(&condition.attribute, value));
    match condition.evaluate(attribute.as_slice(), None) {
        Some(true) => TRUE,
        Some(false) => FALSE,
        None => UNKNOWN,
    }
}

/// A number of each class: the bounds themselves, one between each two, one below and one above all.
fn numbers(conditions: &[&Condition]) -> Vec<f64> {
    let bound = |condition: &&Condition| match condition.test {
        Test::ExactNumber(number) | Test::Number(_, number) => Some(number),
        _ => None,
    };
    let mut bounds: Vec<f64> = conditions.iter().filter_map(bound).collect();
    bounds.extend([-LARGEST_NUMBER, LARGEST_NUMBER]);
    bounds.sort_by(f64::total_cmp);
    bounds.dedup();
    // Of two neighbours among the numbers, this is one of them, which does no harm.
    let between = bounds.windows(2).filter_map(|pair| match pair {
        [low, high] => Some(low / 2.0 + high / 2.0),
        _ => None,
    });
    let between: Vec<f64> = between.collect();
    [bounds, between].concat()
}
