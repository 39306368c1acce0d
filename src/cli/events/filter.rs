//! Which records and dead letters are meant.
//!
//! Must not know where they come from.

use crate::cli::arguments::{FilterArguments, RecordType};
use crate::cli::failure::Failure;
use crate::cli::words::{listed, name};
use crate::events::{RecordFilter, RecordKind};
use crate::settings::nearest;
use crate::store::{Cursor, DurableStore};

/// Names that the store does not know are slips of the finger, and told.
pub(super) fn filter(
    given: &FilterArguments,
    store: &DurableStore,
) -> Result<RecordFilter, Failure> {
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
    Ok(RecordFilter { delivered, ..asked(given) })
}

/// What was asked for, whatever the store knows.
pub(super) fn asked(given: &FilterArguments) -> RecordFilter {
    let kind = given.r#type.map(|kind| match kind {
        RecordType::Impression => RecordKind::Impression,
        RecordType::Conversion => RecordKind::Conversion,
    });
    RecordFilter {
        environment: given.environment.clone(),
        user: given.user.clone(),
        kind,
        event: given.event.clone(),
        experiment: given.experiment.clone(),
        since_ms: given.since,
        until_ms: given.until,
        sink: given.sink.clone(),
        delivered: 0,
    }
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
