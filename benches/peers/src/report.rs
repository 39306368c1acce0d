//! What was measured, as text (tables in Markdown, to be pasted) and as JSON.
//!
//! Must not know how it was measured.

use std::fmt;

use serde::Serialize;

use crate::case::{Case, Configuration, Work};
use crate::check::Checked;
use crate::machine::Machine;
use crate::measure::{Samples, median};
use crate::table::Table;
use crate::threads::Factors;
use crate::work::Audience;

/// The whole report.
#[derive(Debug, Serialize)]
pub(crate) struct Report {
    pub(crate) machine: Machine,
    pub(crate) rounds: usize,
    pub(crate) calls_per_round: usize,
    pub(crate) checked: Checked,
    pub(crate) rows: Vec<Row>,
    pub(crate) threads: Vec<ThreadRow>,
}

/// One case.
#[derive(Debug, Serialize)]
pub(crate) struct Row {
    audience: Audience,
    work: Work,
    engine: &'static str,
    call: &'static str,
    configuration: Configuration,
    best_ns: f64,
    median_ns: f64,
    /// With the work of other threads, where there are some.
    median_all_threads_ns: Option<f64>,
    /// The time of the fastest peer at this work over this one's, within a round: the median of that.
    times_ahead_median: f64,
    /// The same of the best rounds.
    times_ahead_best: f64,
}

/// What a second thread adds to a case.
#[derive(Debug, Serialize)]
pub(crate) struct ThreadRow {
    name: String,
    factor_median: f64,
    of_control_median: f64,
}

/// The rows of all cases.
pub(crate) fn rows(cases: &[Case], samples: &[Samples]) -> Vec<Row> {
    let pairs = || cases.iter().zip(samples);
    let row = |(case, own): (&Case, &Samples)| {
        let peers: Vec<&Samples> = pairs()
            .filter(|(peer, _)| {
                peer.is_peer() && peer.audience == case.audience && peer.work == case.work
            })
            .map(|(_, samples)| samples)
            .collect();
        let fastest_peer = |round: usize| {
            peers
                .iter()
                .filter_map(|peer| peer.thread_ns.get(round))
                .copied()
                .fold(f64::INFINITY, f64::min)
        };
        let ahead = own.thread_ns.iter().enumerate().map(|(round, ns)| fastest_peer(round) / ns);
        let best_peer =
            peers.iter().map(|peer| best(&peer.thread_ns)).fold(f64::INFINITY, f64::min);
        Row {
            audience: case.audience,
            work: case.work,
            engine: case.engine,
            call: case.call,
            configuration: case.configuration,
            best_ns: best(&own.thread_ns),
            median_ns: median(own.thread_ns.clone()),
            median_all_threads_ns: case.finish.is_some().then(|| median(own.process_ns.clone())),
            times_ahead_median: median(ahead.collect()),
            times_ahead_best: best_peer / best(&own.thread_ns),
        }
    };
    pairs().map(row).collect()
}

/// The rows of the two controls and of all cases.
pub(crate) fn thread_rows(cases: &[&Case], factors: &[Factors]) -> Vec<ThreadRow> {
    let name = |case: &&Case| format!("{}: {}, {}", case.audience.letter(), case.engine, case.call);
    let names = ["arithmetic", "arithmetic, one counter for all"]
        .map(str::to_owned)
        .into_iter()
        .chain(cases.iter().map(name));
    let row = |(name, factors): (String, &Factors)| ThreadRow {
        name,
        factor_median: median(factors.factor.clone()),
        of_control_median: median(factors.of_control.clone()),
    };
    names.zip(factors).map(row).collect()
}

fn best(values: &[f64]) -> f64 {
    values.iter().copied().fold(f64::INFINITY, f64::min)
}

impl fmt::Display for Report {
    fn fmt(&self, formatter: &mut fmt::Formatter<'_>) -> fmt::Result {
        let Self { machine, rounds, calls_per_round, checked, .. } = self;
        writeln!(formatter, "{machine}.")?;
        writeln!(
            formatter,
            "{rounds} rounds of {calls_per_round} calls of each case. Checked: {} cases give the treatment to half \
             of the people, ours to the right half of {}; `optimizely` gives {} of them the other variation, all at \
             the end of a range.",
            checked.cases, checked.people, checked.peer_differs_at_boundary,
        )?;
        for (work, title) in
            [(Work::Decision, "Decisions"), (Work::Exposure, "With the exposure's event")]
        {
            for audience in Audience::BOTH {
                let rows: Vec<_> = self
                    .rows
                    .iter()
                    .filter(|row| row.work == work && row.audience == audience)
                    .collect();
                if !rows.is_empty() {
                    write!(formatter, "\n{title}, {}:\n\n{}", audience.title(), table(&rows))?;
                }
            }
        }
        if !self.threads.is_empty() {
            write!(formatter, "\nTwo threads over one:\n\n{}", thread_table(&self.threads))?;
        }
        Ok(())
    }
}

fn table(rows: &[&Row]) -> Table {
    let has_other_threads = rows.iter().any(|row| row.median_all_threads_ns.is_some());
    let mut head = vec!["engine", "call", "configuration", "best ns", "median ns"];
    head.extend(has_other_threads.then_some("all threads ns"));
    head.extend(["ahead, median", "ahead, best"]);
    let mut table = Table::new(&head, 3);
    for row in rows {
        let configuration = match row.configuration {
            Configuration::Loaded => "loaded per call",
            Configuration::Held => "held",
        };
        let mut cells = vec![row.engine.to_owned(), row.call.to_owned(), configuration.to_owned()];
        cells.extend([row.best_ns, row.median_ns].map(|ns| format!("{ns:.1}")));
        if has_other_threads {
            cells
                .push(row.median_all_threads_ns.map_or("same".to_owned(), |ns| format!("{ns:.1}")));
        }
        cells.extend(
            [row.times_ahead_median, row.times_ahead_best].map(|times| format!("{times:.2}")),
        );
        table.add(cells);
    }
    table
}

fn thread_table(rows: &[ThreadRow]) -> Table {
    let mut table = Table::new(&["case", "factor, median", "of the arithmetic's, median"], 1);
    for row in rows {
        let factors =
            [row.factor_median, row.of_control_median].map(|factor| format!("{factor:.2}"));
        table.add(std::iter::once(row.name.clone()).chain(factors).collect());
    }
    table
}
