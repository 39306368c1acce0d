//! Which records and dead letters a query means, by the same words as `variate events`.
//!
//! Must not know where they come from.

use crate::clock::TimeMs;
use crate::events::{RecordFilter, RecordKind};
use crate::server::app::App;
use crate::server::asked::Asked;
use crate::server::refusal::Refusal;

const FILTERS: [&str; 8] =
    ["environment", "user", "type", "event", "experiment", "since", "until", "sink"];

/// What a query says by those words; `others` are what else it may say.
pub(super) fn filter(asked: &Asked, others: &[&str]) -> Result<RecordFilter, Refusal> {
    asked.only(&[&FILTERS, others])?;
    let text = |name| asked.first(name).map(str::to_owned);
    Ok(RecordFilter {
        environment: text("environment"),
        user: text("user"),
        kind: asked.all("type").next().map(kind).transpose()?,
        event: text("event"),
        experiment: text("experiment"),
        since_ms: time(asked, "since")?,
        until_ms: time(asked, "until")?,
        sink: text("sink"),
        delivered: 0,
    })
}

/// The kind of records that a word means.
pub(super) fn kind(word: &str) -> Result<RecordKind, Refusal> {
    RecordKind::parse(word).ok_or_else(|| {
        Refusal::bad_request(format!("type {word:?} is unknown: use impression or conversion"))
    })
}

/// An environment that nobody knows is a slip of the finger, and told.
pub(super) fn must_be_known(app: &App, environment: &str) -> Result<(), Refusal> {
    let known = app.store.environments();
    let is_running = app.environments.iter().any(|own| own.name() == environment);
    if is_running || known.iter().any(|known| **known == *environment) {
        return Ok(());
    }
    let known: Vec<&str> = known.iter().map(|known| &**known).collect();
    let text = match known.as_slice() {
        [] => format!("the store has no environment {environment:?}: it has seen none yet"),
        known => {
            format!("the store has no environment {environment:?}: it knows {}", known.join(", "))
        }
    };
    Err(Refusal::not_there(text))
}

/// Looks up how far the sink is that a filter names; what the store does not know is a slip of the finger, and told.
pub(super) fn placed(app: &App, filter: RecordFilter) -> Result<RecordFilter, Refusal> {
    filter.environment.iter().try_for_each(|environment| must_be_known(app, environment))?;
    let Some(sink) = &filter.sink else { return Ok(filter) };
    let cursors = app.store.cursors().map_err(|error| Refusal::unreadable(&error))?;
    let found = cursors.iter().find(|(known, _)| **known == **sink);
    let Some((_, cursor)) = found else {
        let known: Vec<&str> = cursors.iter().map(|(known, _)| &**known).collect();
        let text = match known.as_slice() {
            [] => format!("the store has no sink {sink:?}: it has seen no sink yet"),
            known => format!("the store has no sink {sink:?}: it knows {}", known.join(", ")),
        };
        return Err(Refusal::not_there(text));
    };
    Ok(RecordFilter { delivered: cursor.through, ..filter })
}

fn time(asked: &Asked, name: &str) -> Result<Option<TimeMs>, Refusal> {
    let read = |text: &str| {
        text.parse().map_err(|_| {
            Refusal::bad_request(format!(
                "{name} {text:?} is no time: write milliseconds since 1970"
            ))
        })
    };
    asked.all(name).next().map(read).transpose()
}
