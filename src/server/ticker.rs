//! What is looked at every second: sources, for the age of datafiles and for the log.
//!
//! Must not know requests.

use std::collections::HashMap;
use std::sync::Arc;
use std::time::Duration;

use tokio::sync::watch;
use tokio::time::{MissedTickBehavior, interval};

use super::app::App;
use crate::source::{Readiness, SourceStatus};

const EVERY: Duration = Duration::from_secs(1);

/// Looks until it is to stop.
pub(super) async fn run(app: Arc<App>, mut stopping: watch::Receiver<bool>) {
    let mut ticks = interval(EVERY);
    ticks.set_missed_tick_behavior(MissedTickBehavior::Delay);
    let mut seen = HashMap::new();
    loop {
        tokio::select! {
            _ = ticks.tick() => look(&app, &mut seen),
            _ = stopping.wait_for(|is_stopping| *is_stopping) => return,
        }
    }
}

/// What was last said of a source.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
struct Said {
    readiness: Readiness,
    changes: u64,
    failures: u64,
    is_held_back: bool,
}

fn look(app: &App, seen: &mut HashMap<String, Said>) {
    for environment in app.environments.iter() {
        let Some(status) = environment.look() else { continue };
        let now = Said {
            readiness: status.readiness,
            changes: status.changes,
            failures: status.failures,
            is_held_back: status.held_back.is_some(),
        };
        if seen.get(environment.name()) != Some(&now) {
            say(environment.name(), &status, seen.get(environment.name()), now);
            seen.insert(environment.name().to_owned(), now);
        }
    }
    app.figures.upkeep();
}

fn say(environment: &str, status: &SourceStatus, before: Option<&Said>, now: Said) {
    let source = &*status.source;
    let revision = status.revision.as_deref().unwrap_or_default();
    if before.map(|before| before.changes) != Some(now.changes) && status.revision.is_some() {
        let findings = status.finding_count;
        let from = status.came_from.map_or("", |from| from.as_str());
        tracing::info!(environment, source, revision, findings, from, "datafile in force");
    }
    if before.map_or(0, |before| before.failures) != now.failures {
        let problem = status.last_problem.as_ref().map_or("", |problem| &problem.text);
        tracing::warn!(environment, source, problem, "no datafile from the source");
    }
    if now.is_held_back && before.is_none_or(|before| !before.is_held_back) {
        let held_back = status.held_back.as_ref().map_or("", |held_back| &held_back.revision);
        tracing::warn!(environment, source, revision, held_back, "an older datafile is held back");
    }
    if before.is_some_and(|before| before.readiness != now.readiness)
        || (before.is_none() && now.readiness != Readiness::Fresh)
    {
        let state = now.readiness.as_str();
        tracing::warn!(environment, source, state, "readiness changed");
    }
}
