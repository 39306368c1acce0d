//! Which records and dead letters are meant.
//!
//! Must not know where they come from.

use crate::attribution::Record;
use crate::cli::arguments::{FilterArguments, RecordType};
use crate::cli::failure::Failure;
use crate::cli::words::{listed, name};
use crate::clock::TimeMs;
use crate::settings::nearest;
use crate::store::{Cursor, DeadLetter, DurableStore};

/// Which records and dead letters are meant: all of it must hold.
#[derive(Debug, Clone, Copy)]
pub(super) struct Filter<'a> {
    given: &'a FilterArguments,
    /// Records up to this number are not meant: the sink that was asked for has them.
    delivered: u64,
}

impl<'a> Filter<'a> {
    /// Names that the store does not know are slips of the finger, and told.
    pub(super) fn new(given: &'a FilterArguments, store: &DurableStore) -> Result<Self, Failure> {
        if let Some(environment) = &given.environment {
            refuse_unknown_environment(store, environment)?;
        }
        let delivered = match &given.sink {
            Some(sink) => {
                let sinks = store.cursors().map_err(Failure::store)?;
                known_sink(&sinks, sink)?.through
            }
            None => 0,
        };
        Ok(Self { given, delivered })
    }

    /// Whether everything is meant.
    pub(super) fn is_open(&self) -> bool {
        let FilterArguments { environment, user, r#type, event, experiment, since, until, sink } =
            self.given;
        let texts = [environment, user, event, experiment, sink];
        let has_text = texts.iter().any(|text| text.is_some());
        !has_text && r#type.is_none() && since.is_none() && until.is_none()
    }

    /// The first record that may be meant.
    pub(super) fn first(&self) -> u64 {
        self.delivered.saturating_add(1)
    }

    pub(super) fn takes(&self, record: &Record) -> bool {
        self.takes_time(record.about().received_at_ms) && self.takes_content(record)
    }

    pub(super) fn takes_letter(&self, letter: &DeadLetter) -> bool {
        let is_of_sink = match (&self.given.sink, &letter.sink) {
            (Some(asked), Some(sink)) => **asked == **sink,
            // What was shed did not reach any.
            _ => true,
        };
        is_of_sink
            && self.takes_time(letter.at_ms)
            && letter
                .record
                .as_ref()
                .map_or_else(|| !self.asks_for_content(), |record| self.takes_content(record))
    }

    fn takes_time(&self, time_ms: TimeMs) -> bool {
        let FilterArguments { since, until, .. } = self.given;
        since.is_none_or(|since| since <= time_ms) && until.is_none_or(|until| time_ms < until)
    }

    fn asks_for_content(&self) -> bool {
        let FilterArguments { environment, user, r#type, event, experiment, .. } = self.given;
        let has_text = [environment, user, event, experiment].iter().any(|text| text.is_some());
        has_text || r#type.is_some()
    }

    fn takes_content(&self, record: &Record) -> bool {
        let FilterArguments { environment, user, r#type, event, experiment, .. } = self.given;
        let about = record.about();
        let is_it = |asked: &Option<String>, is: &str| {
            asked.as_ref().is_none_or(|asked| asked.as_str() == is)
        };
        let is_of_type = matches!(
            (r#type, record),
            (Some(RecordType::Impression), Record::Impression(_))
                | (Some(RecordType::Conversion), Record::Conversion(_))
                | (None, _)
        );
        is_it(environment, &about.environment)
            && is_it(user, &about.user_id)
            && is_of_type
            && event.as_ref().is_none_or(|key| is_of_event(record, key))
            && experiment.as_ref().is_none_or(|asked| is_of_experiment(record, asked))
    }
}

fn is_of_event(record: &Record, key: &str) -> bool {
    matches!(record, Record::Conversion(record) if *record.event.key == *key)
}

fn is_of_experiment(record: &Record, asked: &str) -> bool {
    let mut experiments = match record {
        Record::Impression(record) => record.shown.iter().collect::<Vec<_>>(),
        Record::Conversion(record) => {
            record.credits.iter().map(|credit| &credit.experiment).collect()
        }
    }
    .into_iter();
    experiments.any(|of| *of.experiment_key == *asked || *of.experiment_id == *asked)
}

pub(super) fn refuse_unknown_environment(
    store: &DurableStore,
    environment: &str,
) -> Result<(), Failure> {
    let environments = store.environments();
    let known: Vec<&str> = environments.iter().map(|known| &**known).collect();
    if known.contains(&environment) {
        return Ok(());
    }
    Err(unknown("environment", environment, &known))
}

fn known_sink<'s>(sinks: &'s [(Box<str>, Cursor)], sink: &str) -> Result<&'s Cursor, Failure> {
    let known = sinks.iter().find(|(known, _)| **known == *sink).map(|(_, cursor)| cursor);
    known.ok_or_else(|| {
        let known: Vec<&str> = sinks.iter().map(|(known, _)| &**known).collect();
        unknown("sink", sink, &known)
    })
}

fn unknown(what: &str, given: &str, known: &[&str]) -> Failure {
    let given_name = name(given);
    let remedy = match (known, nearest(given, known.iter().copied())) {
        ([], _) => format!("it has seen no {what} yet"),
        (_, Some(near)) => format!("did you mean {}?", name(near)),
        _ => format!("it knows {}", listed(known.iter().map(|known| name(known)))),
    };
    Failure::unknown_key(format!("the store has no {what} {given_name}: {remedy}"))
}
