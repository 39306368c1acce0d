//! What is looked at every second: sources and the store, for the age of datafiles and for the log.
//!
//! Must not know requests.

use std::collections::HashMap;
use std::sync::Arc;
use std::time::Duration;

use tokio::sync::watch;
use tokio::time::{MissedTickBehavior, interval};

use super::app::App;
use super::problems::{ProblemKind, Problems};
use super::refusal::error_chain;
use super::shared_keys;
use crate::source::{Readiness, SourceStatus};

const EVERY: Duration = Duration::from_secs(1);

/// Looks until it is to stop.
pub(super) async fn run(app: Arc<App>, mut stopping: watch::Receiver<bool>) {
    let mut ticks = interval(EVERY);
    ticks.set_missed_tick_behavior(MissedTickBehavior::Delay);
    let (mut seen, mut was_refusing, mut shared) = (HashMap::new(), false, Vec::new());
    loop {
        tokio::select! {
            _ = ticks.tick() => {
                look(&app, &mut seen);
                shared = shared_keys::look(&app, &shared);
                was_refusing = look_at_store(&app, was_refusing);
            }
            _ = stopping.wait_for(|is_stopping| *is_stopping) => return,
        }
    }
}

/// What was last said of a source.
#[derive(Debug, Clone, PartialEq, Eq)]
struct Said {
    readiness: Readiness,
    changes: u64,
    /// Why it gives nothing that can be used now; the same reason is not said twice.
    problem: Option<Box<str>>,
    held_back: Option<Box<str>>,
    /// Why the datafile in force is not there after a restart.
    keep_problem: Option<Box<str>>,
}

impl Said {
    fn of(status: &SourceStatus) -> Self {
        let problem = status.last_problem.as_ref().filter(|_| status.consecutive_failures > 0);
        Self {
            readiness: status.readiness,
            changes: status.changes,
            problem: problem.map(|problem| problem.text.clone()),
            held_back: status.held_back.as_ref().map(|held_back| held_back.revision.clone()),
            keep_problem: status.keep_problem.as_ref().map(|problem| problem.text.clone()),
        }
    }
}

fn look(app: &App, seen: &mut HashMap<String, Said>) {
    for environment in app.environments.iter() {
        let Some(status) = environment.look() else { continue };
        let now = Said::of(&status);
        let before = seen.get(environment.name());
        if before != Some(&now) {
            say(environment.name(), &status, before, &now);
            note(&app.problems, environment.name(), before, &now);
            seen.insert(environment.name().to_owned(), now);
        }
    }
    app.figures.traffic.sample();
    app.figures.upkeep();
}

/// Gives whether it refuses what comes.
fn look_at_store(app: &App, was_refusing: bool) -> bool {
    let refusal = app.store.refusal();
    match &refusal {
        Some(refusal) if !was_refusing => {
            let reason = error_chain(refusal);
            app.problems.note(ProblemKind::Store, "", &reason);
            tracing::error!(reason, "the store takes nothing");
        }
        None if was_refusing => tracing::info!("the store takes what comes again"),
        _ => {}
    }
    refusal.is_some()
}

fn say(environment: &str, status: &SourceStatus, before: Option<&Said>, now: &Said) {
    let source = &*status.source;
    let revision = status.revision.as_deref().unwrap_or_default();
    if before.map(|before| before.changes) != Some(now.changes) && status.revision.is_some() {
        let findings = status.finding_count;
        let from = status.came_from.map_or("", |from| from.as_str());
        tracing::info!(environment, source, revision, findings, from, "datafile in force");
    }
    let was_failing = before.and_then(|before| before.problem.as_ref());
    match &now.problem {
        Some(problem) if was_failing != Some(problem) => {
            tracing::warn!(environment, source, %problem, "no datafile from the source");
        }
        None if was_failing.is_some() => {
            tracing::info!(environment, source, "the source gives datafiles again");
        }
        _ => {}
    }
    let was_held_back = before.and_then(|before| before.held_back.as_ref());
    if let Some(held_back) = now.held_back.as_ref().filter(|now| was_held_back != Some(*now)) {
        tracing::warn!(environment, source, revision, %held_back, "a lower revision is held back");
    }
    let state_before = before.map_or(Readiness::Fresh, |before| before.readiness);
    if state_before != now.readiness {
        let state = now.readiness.as_str();
        if now.readiness == Readiness::Fresh {
            tracing::info!(environment, source, state, "readiness changed");
        } else {
            tracing::warn!(environment, source, state, "readiness changed");
        }
    }
}

/// The same for the list of problems, which has no place for what is well.
fn note(problems: &Problems, environment: &str, before: Option<&Said>, now: &Said) {
    let note = |text: &str| problems.note(ProblemKind::Source, environment, text);
    let is_new = |of: fn(&Said) -> &Option<Box<str>>| {
        of(now).as_ref().filter(|text| before.and_then(|before| of(before).as_ref()) != Some(*text))
    };
    if let Some(problem) = is_new(|said| &said.problem) {
        note(problem);
    }
    if let Some(problem) = is_new(|said| &said.keep_problem) {
        note(problem);
    }
    if let Some(revision) = is_new(|said| &said.held_back) {
        note(&format!(
            "revision {revision} is lower than the one in force, and held back until it is accepted"
        ));
    }
    let was_stale = before.is_some_and(|before| before.readiness == Readiness::Stale);
    if now.readiness == Readiness::Stale && !was_stale {
        note("the datafile is stale: its source has not confirmed it for longer than it may be");
    }
}
