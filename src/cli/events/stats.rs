//! `variate events stats`: what a store holds, how far each sink is, and what waits.
//!
//! Must not know how it is kept.

use std::collections::BTreeMap;
use std::ops::ControlFlow;
use std::process::ExitCode;

use serde::Serialize;

use super::datafiles::{self, DatafileReport};
use super::filter::filter;
use super::json::json_line;
use super::scan::{Whole, count_of, each_letter, each_record};
use super::wording::moment;
use super::{answer, open};
use crate::attribution::Record;
use crate::cli::arguments::{FilterArguments, Format, StatsArguments};
use crate::cli::failure::Failure;
use crate::cli::progress::Progress;
use crate::cli::words::{counted, name};
use crate::clock::TimeMs;
use crate::events::RecordFilter;
use crate::store::{DurableStore, Store as _};

/// What a store holds. Counts of records are of those that are meant; the rest is of the whole store.
#[derive(Debug, Serialize)]
#[serde(rename_all = "camelCase")]
struct Report {
    users: u64,
    activations: u64,
    pending_events: u64,
    /// About as many.
    ids: u64,
    records: Kept,
    dead_letters: u64,
    sinks: Vec<SinkReport>,
    environments: Vec<EnvironmentReport>,
    datafiles: Vec<DatafileReport>,
}

#[derive(Debug, Serialize)]
struct Kept {
    kept: u64,
    oldest: Option<u64>,
    latest: Option<u64>,
    released: u64,
    waiting: u64,
}

#[derive(Debug, Serialize)]
#[serde(rename_all = "camelCase")]
struct SinkReport {
    name: String,
    through: u64,
    waiting: u64,
    dead_letters: u64,
}

#[derive(Debug, Serialize)]
#[serde(rename_all = "camelCase")]
struct EnvironmentReport {
    environment: String,
    #[serde(flatten)]
    counts: Counts,
}

#[derive(Debug, Default, Serialize)]
#[serde(rename_all = "camelCase")]
struct Counts {
    activations: u64,
    other_impressions: u64,
    credited_events: u64,
    uncredited_events: u64,
    late_credits: u64,
    first_received_at: Option<TimeMs>,
    last_received_at: Option<TimeMs>,
}

pub(super) fn run(arguments: &StatsArguments) -> Result<ExitCode, Failure> {
    let store = open(arguments.held.folder())?;
    let filter = filter(&arguments.filter, &store)?;
    let (report, whole) = report(&store, &filter, &arguments.filter)?;
    let text = match arguments.held.format {
        Format::Json => json_line(&report),
        Format::Text => text(&report, filter.is_open()),
    };
    answer(&text, whole.exit_code())
}

fn report(
    store: &DurableStore,
    filter: &RecordFilter,
    given: &FilterArguments,
) -> Result<(Report, Whole), Failure> {
    let statistics = store.statistics();
    let retained = store.retained().map_err(Failure::store)?;
    let (environments, whole) = environments(store, filter)?;
    let report = Report {
        users: statistics.users,
        activations: statistics.activations,
        pending_events: statistics.pending_events,
        ids: statistics.ids,
        records: Kept {
            kept: retained.count(),
            oldest: retained.oldest_kept(),
            latest: retained.latest_stored(),
            released: retained.released,
            waiting: statistics.waiting_records,
        },
        dead_letters: statistics.dead_letters,
        sinks: sinks(store, filter, given, retained.latest)?,
        environments,
        datafiles: datafiles::reports(store)?,
    };
    Ok((report, whole))
}

/// Dead letters of what was shed are nobody's, and counted for none.
fn sinks(
    store: &DurableStore,
    filter: &RecordFilter,
    given: &FilterArguments,
    latest: u64,
) -> Result<Vec<SinkReport>, Failure> {
    let mut dead: BTreeMap<Box<str>, u64> = BTreeMap::new();
    each_letter(store, filter, &mut |letter| {
        if let Some(sink) = letter.sink {
            *dead.entry(sink).or_default() += 1;
        }
        Ok(ControlFlow::Continue(()))
    })?;
    let cursors = store.cursors().map_err(Failure::store)?;
    let asked = cursors
        .into_iter()
        .filter(|(sink, _)| given.sink.as_ref().is_none_or(|asked| **asked == **sink));
    let sink = |(sink, cursor): (Box<str>, crate::store::Cursor)| SinkReport {
        dead_letters: dead.get(&sink).copied().unwrap_or_default(),
        name: sink.into(),
        through: cursor.through,
        waiting: latest.saturating_sub(cursor.through),
    };
    Ok(asked.map(sink).collect())
}

fn environments(
    store: &DurableStore,
    filter: &RecordFilter,
) -> Result<(Vec<EnvironmentReport>, Whole), Failure> {
    let mut counts: BTreeMap<Box<str>, Counts> = BTreeMap::new();
    let progress = Progress::start_steps("records", count_of(store, filter)?);
    let whole = each_record(store, filter, progress.alone_on_the_terminal(), &mut |_, record| {
        match counts.get_mut(&*record.about().environment) {
            Some(counts) => counts.add(record),
            None => counts.entry((*record.about().environment).into()).or_default().add(record),
        }
        Ok(ControlFlow::Continue(()))
    })?;
    let report = |(environment, counts): (Box<str>, Counts)| EnvironmentReport {
        environment: environment.into(),
        counts,
    };
    Ok((counts.into_iter().map(report).collect(), whole))
}

impl Counts {
    fn add(&mut self, record: &Record) {
        match record {
            Record::Impression(record) if record.is_activation => self.activations += 1,
            Record::Impression(_) => self.other_impressions += 1,
            Record::Conversion(record) if record.late => self.late_credits += 1,
            Record::Conversion(record) if record.credits.is_empty() => self.uncredited_events += 1,
            Record::Conversion(_) => self.credited_events += 1,
        }
        let received_at_ms = record.about().received_at_ms;
        let first = self.first_received_at.get_or_insert(received_at_ms);
        *first = (*first).min(received_at_ms);
        let last = self.last_received_at.get_or_insert(received_at_ms);
        *last = (*last).max(received_at_ms);
    }
}

fn text(report: &Report, is_all: bool) -> String {
    let mut lines = Vec::new();
    let mut line = |what: &str, value: String| lines.push(format!("{what:<15} {value}"));
    line("users", report.users.to_string());
    line("activations", report.activations.to_string());
    line("pending events", report.pending_events.to_string());
    line("ids", format!("about {}", report.ids));
    line("records", kept_words(&report.records));
    line("dead letters", report.dead_letters.to_string());
    lines.push(String::new());
    lines.extend(sink_lines(&report.sinks));
    lines.push(String::new());
    lines.extend(environment_lines(&report.environments, is_all));
    lines.extend(datafiles::lines(&report.datafiles));
    lines.join("\n") + "\n"
}

fn kept_words(kept: &Kept) -> String {
    let waiting = kept.waiting;
    match (kept.oldest, kept.latest) {
        (Some(oldest), Some(latest)) => {
            format!("{} kept (number {oldest} to {latest}), {waiting} waiting", kept.kept)
        }
        (None, Some(latest)) => format!("none kept, the latest was number {latest}"),
        _ => "none".to_owned(),
    }
}

fn sink_lines(sinks: &[SinkReport]) -> Vec<String> {
    if sinks.is_empty() {
        return vec!["no sink has delivered yet".to_owned()];
    }
    let line = |sink: &SinkReport| {
        let SinkReport { name, through, waiting, dead_letters } = sink;
        let dead = counted(*dead_letters, "dead letter");
        format!("sink {name}: has up to number {through}, {waiting} waiting, {dead}")
    };
    sinks.iter().map(line).collect()
}

fn environment_lines(environments: &[EnvironmentReport], is_all: bool) -> Vec<String> {
    if environments.is_empty() {
        let none = if is_all { "no records are kept" } else { "none of the records kept is meant" };
        return vec![none.to_owned()];
    }
    let mut lines = Vec::new();
    for EnvironmentReport { environment, counts } in environments {
        let which = if is_all { "records kept" } else { "records that are meant" };
        let mut line = format!("environment {}, {which}", name(environment));
        if let (Some(first), Some(last)) = (counts.first_received_at, counts.last_received_at) {
            line = format!("{line}, received {} to {}", moment(first), moment(last));
        }
        lines.push(line);
        let others = counted(counts.other_impressions, "other impression");
        lines.push(format!("  {}, {others}", counted(counts.activations, "activation")));
        lines.push(format!(
            "  {}, {} without credits, {}",
            counted(counts.credited_events, "credited event"),
            counts.uncredited_events,
            counted(counts.late_credits, "late credit"),
        ));
    }
    lines
}
