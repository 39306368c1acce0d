//! `GET /events/stats`: what the store holds, how far each sink is, what waits.
//!
//! Must not know how it is kept. Records are counted as a whole; to count them by what they tell, each would
//! have to be read: `/events/export` gives them.

use std::collections::HashMap;
use std::sync::Arc;
use std::time::Duration;

use axum::extract::State;
use axum::response::{IntoResponse as _, Response};

use super::reading::read;
use super::wire::{DatafileAnswer, KeptAnswer, SinkAnswer, StatsAnswer};
use crate::clock::TimeMs;
use crate::error::Error;
use crate::events::{SinkStatistics, SinkStatus};
use crate::server::answer::Json;
use crate::server::app::App;
use crate::server::refusal::Refusal;
use crate::store::{Cursor, KeptDatafile, Outbox as _, Store as _};

pub(super) async fn stats(State(app): State<Arc<App>>) -> Result<Response, Refusal> {
    Ok(Json(read(&app, stats_of).await?).into_response())
}

fn stats_of(app: &App) -> Result<StatsAnswer, Error> {
    let statistics = app.store.statistics();
    let retained = app.store.retained()?;
    Ok(StatsAnswer {
        users: statistics.users,
        activations: statistics.activations,
        pending_events: statistics.pending_events,
        ids: statistics.ids,
        records: KeptAnswer {
            kept: retained.count(),
            oldest: retained.oldest_kept(),
            latest: retained.latest_stored(),
            released: retained.released,
            waiting: statistics.waiting_records,
        },
        dead_letters: statistics.dead_letters,
        sinks: sinks(app, retained.latest)?,
        datafiles: app.store.kept_datafiles()?.into_iter().map(datafile).collect(),
    })
}

/// Sinks that the store knows, also those that are not among the settings any more.
pub(super) fn sinks(app: &App, latest: u64) -> Result<Vec<SinkAnswer>, Error> {
    let statistics = app.delivery.statistics().into_iter();
    let mut running: HashMap<String, SinkStatistics> =
        statistics.map(|sink| (sink.name.clone(), sink)).collect();
    let mut sinks = Vec::new();
    for (name, cursor) in app.store.cursors()? {
        sinks.push(match running.remove(&*name) {
            Some(sink) => of_running(sink),
            None => left_out(app, name, &cursor, latest),
        });
    }
    Ok(sinks)
}

fn of_running(sink: SinkStatistics) -> SinkAnswer {
    let (state, until) = match sink.status {
        SinkStatus::Waiting => ("waiting", None),
        SinkStatus::Delivering { .. } => ("delivering", None),
        SinkStatus::Stopped { until_ms } => ("stopped", Some(until_ms)),
    };
    SinkAnswer {
        name: sink.name,
        state,
        next_attempt_at: until,
        through: sink.through,
        waiting: sink.waiting,
        oldest_waiting_seconds: sink.oldest_waiting.map(|oldest: Duration| oldest.as_secs()),
        delivered: sink.delivered,
        failures: sink.failures,
        dead_letters: sink.dead_letters,
        last_error: sink.last_error,
        last_warning: sink.last_warning,
    }
}

fn left_out(app: &App, name: Box<str>, cursor: &Cursor, latest: u64) -> SinkAnswer {
    SinkAnswer {
        state: "left-out",
        next_attempt_at: None::<TimeMs>,
        through: cursor.through,
        waiting: latest.saturating_sub(cursor.through),
        oldest_waiting_seconds: None,
        delivered: 0,
        failures: 0,
        dead_letters: app.store.count_dead_letters(&name),
        last_error: None,
        last_warning: None,
        name: name.into(),
    }
}

fn datafile((environment, kept): (Box<str>, KeptDatafile)) -> DatafileAnswer {
    DatafileAnswer {
        environment: environment.into(),
        revision: kept.revision.into(),
        fetched_at: kept.fetched_at_ms,
        bytes: kept.text.len(),
    }
}
