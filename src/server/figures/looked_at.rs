//! What is asked of others when somebody looks at the figures: sources, sinks, the store.
//!
//! Must not know requests. Times are in seconds.
//!
//! | name | what |
//! | --- | --- |
//! | `variate_requests_total`, `variate_request_duration_seconds` | by `listener`, `endpoint`, and `status` |
//! | `variate_decisions_total` | by `environment` and `source` |
//! | `variate_activations_total`, `_events_total`, `_conversions_total` | by `environment` |
//! | `variate_credits_total`, `variate_not_credited_total` | by `environment`, and `experiment` or `reason` |
//! | `variate_not_recorded_total` | by `environment`, and `call`: `refused` or `answered` |
//! | all others | the tables of this file |

use std::time::Duration;

use metrics::{SharedString, Unit, counter, describe_counter, describe_gauge, gauge};

use crate::events::{SinkStatistics, SinkStatus};
use crate::server::app::App;
use crate::server::environment::Environment;
use crate::source::{Readiness, SourceStatus};
use crate::store::{Statistics, Store as _};

/// Where a figure is found.
type Figure<T> = fn(&T) -> u64;
/// A name, what is said of it, and where it is found.
type Row<T> = (&'static str, &'static str, Figure<T>);

/// Of an environment's source: counters.
const OF_SOURCES: &[Row<SourceStatus>] = &[
    ("variate_datafile_changes_total", "Times that another datafile was put in force", |status| {
        status.changes
    }),
    ("variate_source_attempts_total", "Times that the source was asked", |status| status.attempts),
    (
        "variate_source_failures_total",
        "Times that the source gave nothing that can be used",
        |status| status.failures,
    ),
];

/// Of a sink: gauges.
const OF_SINKS: &[Row<SinkStatistics>] = &[
    ("variate_sink_waiting_records", "Records that the sink has not got to", |sink| sink.waiting),
    (
        "variate_sink_dead_letters",
        "Records that the sink will not be given again unless somebody asks for it",
        |sink| sink.dead_letters,
    ),
    ("variate_sink_stopped", "1 where the sink is unavailable, and will be asked again", |sink| {
        u64::from(matches!(sink.status, SinkStatus::Stopped { .. }))
    }),
];

/// Of a sink: counters.
const TOTALS_OF_SINKS: &[Row<SinkStatistics>] = &[
    ("variate_sink_delivered_total", "Records that the sink has taken", |sink| sink.delivered),
    ("variate_sink_failures_total", "Times that the sink did not take a batch", |sink| {
        sink.failures
    }),
    (
        "variate_sink_warnings_total",
        "Times that the sink found something that people should know and that did not stop it",
        |sink| sink.warnings,
    ),
];

/// Of the store: what it holds.
const HELD: &[Row<Statistics>] = &[
    ("variate_store_users", "Users in the ledger", |store| store.users),
    ("variate_store_activations", "Activations in the ledger", |store| store.activations),
    (
        "variate_store_pending_events",
        "Events held for activations that arrive after them",
        |store| store.pending_events,
    ),
    ("variate_store_ids", "Ids held against repeats, about", |store| store.ids),
    ("variate_store_waiting_records", "Records that some sink does not have yet", |store| {
        store.waiting_records
    }),
    ("variate_store_dead_letters", "Dead letters of all sinks", |store| store.dead_letters),
];

/// Of the store: counters.
const TOTALS_OF_THE_STORE: &[Row<Statistics>] = &[
    (
        "variate_store_refused_total",
        "Records refused because the store had no room for them: too many were waiting, its disk was full, or its budget was used up",
        |store| store.refused_records,
    ),
    (
        "variate_store_dropped_records_total",
        "Records dropped for their age or their room before there was any sink to have them",
        |store| store.dropped_records,
    ),
    (
        "variate_store_dropped_dead_letters_total",
        "Dead letters dropped because there were too many",
        |store| store.dropped_dead_letters,
    ),
    (
        "variate_store_unreadable_total",
        "Rows and records that could not be read when the store was tidied",
        |store| store.unreadable,
    ),
    ("variate_store_duplicates_total", "Entries acknowledged as repeats", |store| store.duplicates),
    (
        "variate_store_crossovers_total",
        "Users seen in a second variation of one experiment",
        |store| store.crossovers,
    ),
    (
        "variate_store_clamped_times_total",
        "Entries dated too far in the future, and set to the time of their receipt",
        |store| store.clamped_times,
    ),
    (
        "variate_store_unknown_user_events_total",
        "Events of users whose activations this ledger does not hold",
        |store| store.unknown_user_events,
    ),
];

/// What the store forgot, by `what`.
const FORGOTTEN: &[(&str, Figure<Statistics>)] = &[
    ("users", |store| store.forgotten_users),
    ("activations", |store| store.forgotten_activations),
    ("events", |store| store.forgotten_events),
    ("ids", |store| store.forgotten_ids),
];

const INFO: &str = "variate_info";
const UPTIME: &str = "variate_uptime_seconds";
const DATAFILE_STATE: &str = "variate_datafile_state";
const DATAFILE_AGE: &str = "variate_datafile_age_seconds";
const HELD_BACK: &str = "variate_datafile_held_back";
const LAST_SUCCESS: &str = "variate_source_last_success_timestamp_seconds";
const OLDEST_WAITING: &str = "variate_sink_oldest_waiting_seconds";
const TAKING: &str = "variate_store_taking";
const FORGOTTEN_TOTAL: &str = "variate_store_forgotten_total";

pub(super) fn describe() {
    describe_gauge!(INFO, "1, with the version that runs");
    describe_gauge!(UPTIME, Unit::Seconds, "How long the daemon has been running");
    describe_gauge!(
        DATAFILE_STATE,
        "1 for the state that the environment's datafile is in: never-loaded, stale or fresh"
    );
    describe_gauge!(
        DATAFILE_AGE,
        Unit::Seconds,
        "How long it has been since the source gave or confirmed the datafile"
    );
    describe_gauge!(HELD_BACK, "1 where a lower revision waits to be accepted");
    describe_gauge!(
        LAST_SUCCESS,
        Unit::Seconds,
        "When the source last gave or confirmed a datafile, since 1970"
    );
    describe_gauge!(
        OLDEST_WAITING,
        Unit::Seconds,
        "How long the oldest record has been waiting that the sink has not got to"
    );
    describe_gauge!(TAKING, "1 where the store takes what is recorded, 0 where it refuses it");
    describe_counter!(
        FORGOTTEN_TOTAL,
        "What the store forgot before its time for want of room, by what it is"
    );
    OF_SOURCES.iter().for_each(|(name, help, _)| describe_counter!(*name, *help));
    OF_SINKS.iter().for_each(|(name, help, _)| describe_gauge!(*name, *help));
    TOTALS_OF_SINKS.iter().for_each(|(name, help, _)| describe_counter!(*name, *help));
    HELD.iter().for_each(|(name, help, _)| describe_gauge!(*name, *help));
    TOTALS_OF_THE_STORE.iter().for_each(|(name, help, _)| describe_counter!(*name, *help));
}

/// Counts it; to be called with the recorder in place.
pub(in crate::server) fn count(app: &App) {
    gauge!(INFO, "version" => env!("CARGO_PKG_VERSION")).set(1);
    gauge!(UPTIME).set(app.started.elapsed().as_secs_f64());
    app.environments.iter().for_each(|environment| count_environment(environment));
    app.delivery.statistics().into_iter().for_each(count_sink);
    gauge!(TAKING).set(flag(app.store.refusal().is_none()));
    count_store(&app.store.statistics());
}

fn count_environment(environment: &Environment) {
    let Some(status) = environment.look() else { return };
    let name = SharedString::from(environment.name().to_owned());
    for state in [Readiness::NeverLoaded, Readiness::Stale, Readiness::Fresh] {
        gauge!(DATAFILE_STATE, "environment" => name.clone(), "state" => state.as_str())
            .set(flag(status.readiness == state));
    }
    if let Some(ago_ms) = status.checked_ago_ms {
        let age = Duration::from_millis(ago_ms).as_secs_f64();
        gauge!(DATAFILE_AGE, "environment" => name.clone()).set(age);
    }
    if let Some(at_ms) = status.last_success_ms {
        let since_1970 = Duration::from_millis(u64::try_from(at_ms).unwrap_or_default());
        gauge!(LAST_SUCCESS, "environment" => name.clone()).set(since_1970.as_secs_f64());
    }
    gauge!(HELD_BACK, "environment" => name.clone()).set(flag(status.held_back.is_some()));
    for (total, _, of) in OF_SOURCES {
        counter!(*total, "environment" => name.clone()).absolute(of(&status));
    }
}

fn count_sink(sink: SinkStatistics) {
    let name = SharedString::from(sink.name.clone());
    let oldest = sink.oldest_waiting.unwrap_or_default().as_secs_f64();
    gauge!(OLDEST_WAITING, "sink" => name.clone()).set(oldest);
    for (held, _, of) in OF_SINKS {
        gauge!(*held, "sink" => name.clone()).set(float(of(&sink)));
    }
    for (total, _, of) in TOTALS_OF_SINKS {
        counter!(*total, "sink" => name.clone()).absolute(of(&sink));
    }
}

fn count_store(store: &Statistics) {
    for (held, _, of) in HELD {
        gauge!(*held).set(float(of(store)));
    }
    for (what, of) in FORGOTTEN {
        counter!(FORGOTTEN_TOTAL, "what" => *what).absolute(of(store));
    }
    for (total, _, of) in TOTALS_OF_THE_STORE {
        counter!(*total).absolute(of(store));
    }
}

fn flag(is_so: bool) -> f64 {
    f64::from(u8::from(is_so))
}

#[expect(clippy::cast_precision_loss, reason = "counts are far below 2^53")]
fn float(count: u64) -> f64 {
    count as f64
}
