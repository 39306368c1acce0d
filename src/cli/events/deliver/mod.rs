//! `variate events deliver`: gives sinks what waits for them, and what is to be sent again.
//!
//! Must not know how anything is delivered.

mod guard;
mod patient;
mod report;

use std::fs;
use std::io;
use std::path::Path;
use std::process::ExitCode;
use std::sync::Arc;
use std::sync::atomic::{AtomicBool, Ordering};
use std::thread;
use std::time::Duration;

use anyhow::anyhow;

use self::guard::refuse_to_pass_over;
use self::patient::Patient;
use self::report::{Refusals, Report};
use super::answer;
use super::json::json_line;
use crate::cli::arguments::{DeliverArguments, Format};
use crate::cli::failure::{Failure, MALFORMED};
use crate::cli::progress::Progress;
use crate::cli::say;
use crate::clock::{Clock, TimeMs};
use crate::error::Error;
use crate::events::{Delivery, DeliverySettings, Sink, SinkTarget};
use crate::store::{DurableSettings, DurableStore, Outbox as _, is_own_file, is_there};

/// How often the progress is shown anew.
const LOOK: Duration = Duration::from_millis(100);
const LETTERS_AT_ONCE: usize = 1000;

pub(super) fn run(arguments: &DeliverArguments) -> Result<ExitCode, Failure> {
    let targets: Vec<SinkTarget> = arguments
        .sinks
        .iter()
        .map(|text| text.parse().map_err(Failure::usage))
        .collect::<Result<_, _>>()?;
    // Records and the answer cannot both be what a program reads there.
    let writes_records = targets.contains(&SinkTarget::Stdout);
    if writes_records && arguments.store.format == Format::Json {
        return Err(Failure::usage(anyhow!(
            "records and the answer would both go to standard output: leave out --format json, or deliver to a file"
        )));
    }
    let sinks = build(&targets, arguments)?;
    let (store, clock) = open(&arguments.store.store)?;
    let names: Vec<&str> = sinks.iter().map(Sink::name).collect();
    refuse_to_pass_over(&store, &names, &arguments.leave_out)?;
    let refusals = Refusals::default();
    let settings =
        DeliverySettings { clock, last_drain: Duration::ZERO, on_batch: Some(refusals.listener()) };
    let sinks = sinks.into_iter().map(|sink| Box::new(sink) as Box<dyn Sink>).collect();
    let outbox = Arc::clone(&store);
    let delivery = Delivery::start_with(outbox, sinks, settings).map_err(unstarted)?;
    let patience = Duration::from_millis(u64::try_from(arguments.timeout).unwrap_or_default());
    // What is missing is in the statistics.
    drain(&delivery, patience).unwrap_or_default();
    let report = Report::new(delivery.statistics(), &refusals, |sink| retried(&store, sink));
    drop(delivery);
    let exit_code = if report.is_all_done() { 0 } else { MALFORMED };
    match arguments.store.format {
        Format::Json => answer(&json_line(&report), exit_code),
        Format::Text if writes_records => {
            say(report.text().trim_end());
            Ok(ExitCode::from(exit_code))
        }
        Format::Text => answer(&report.text(), exit_code),
    }
}

fn build(targets: &[SinkTarget], arguments: &DeliverArguments) -> Result<Vec<Patient>, Failure> {
    let mut sinks: Vec<Patient> = Vec::new();
    for target in targets {
        if let SinkTarget::File(path) = target {
            must_be_a_file(path)?;
            if is_own_file(path, &arguments.store.store) {
                return Err(Failure::usage(anyhow!(
                    "sink {target} would write into a file of the store: give another name or place"
                )));
            }
        }
        let secret = arguments.webhook_secret.as_deref();
        let sink = target.build(arguments.attribution.into(), secret).map_err(Failure::usage)?;
        if sinks.iter().any(|other| other.name() == sink.name()) {
            let name = sink.name();
            return Err(Failure::usage(anyhow!("sink {name} is given twice: leave out one")));
        }
        sinks.push(Patient(sink));
    }
    Ok(sinks)
}

/// Said before the store is opened, which remembers every sink that it has ever seen.
fn must_be_a_file(path: &Path) -> Result<(), Failure> {
    if path.is_dir() {
        return Err(Failure::usage(Error::sink_file(path, "is a folder: give a file in it")));
    }
    let folder = path.parent().filter(|folder| *folder != Path::new("")).unwrap_or(Path::new("."));
    match fs::metadata(folder) {
        Ok(found) if found.is_dir() => Ok(()),
        Ok(_) => Err(Failure::usage(Error::file(
            "append to",
            path,
            io::Error::from(io::ErrorKind::NotADirectory),
        ))),
        Err(error) => Err(Failure::usage(Error::file("append to", path, error))),
    }
}

/// Opens a store that is there, by a clock that stands at its latest time: nothing grows too old, and
/// nothing is taken away to make room.
fn open(folder: &Path) -> Result<(Arc<DurableStore>, Arc<Clock>), Failure> {
    if !is_there(folder).map_err(Failure::store)? {
        return Err(Failure::store(Error::no_store(folder)));
    }
    let settings = DurableSettings {
        activation_retention_ms: i64::MAX,
        record_retention_ms: i64::MAX,
        budget_bytes: u64::MAX,
        reserved_bytes: 0,
        ..DurableSettings::default()
    };
    let clock = Arc::new(Clock::manual(TimeMs::MIN));
    let store = DurableStore::open(folder, Arc::clone(&clock), settings).map_err(Failure::store)?;
    if let Some(time_ms) = store.latest_time_ms().map_err(Failure::store)? {
        clock.advance_to(time_ms);
    }
    Ok((Arc::new(store), clock))
}

/// A sink that cannot begin is wrong usage, but for what the store is to blame for.
fn unstarted(error: Error) -> Failure {
    if error.is_file() { Failure::usage(error) } else { Failure::store(error) }
}

/// How many dead letters of a sink are to be sent again; 0 where the store does not tell.
fn retried(store: &DurableStore, sink: &str) -> u64 {
    let (mut count, mut after) = (0, 0);
    while let Ok(letters) = store.retried_letters(sink, after, LETTERS_AT_ONCE) {
        let Some(last) = letters.last() else { break };
        after = last.number;
        count += letters.len() as u64;
    }
    count
}

/// Waits for the sinks, and shows how far they are.
fn drain(delivery: &Delivery, patience: Duration) -> Result<(), Error> {
    let waiting =
        |delivery: &Delivery| delivery.statistics().iter().map(|sink| sink.waiting).sum::<u64>();
    let total = waiting(delivery);
    let is_over = AtomicBool::new(false);
    thread::scope(|scope| {
        let shows = scope.spawn(|| {
            let mut progress = Progress::start_steps("records", total).alone_on_the_terminal();
            let mut left = total;
            while !is_over.load(Ordering::Acquire) {
                let now = waiting(delivery);
                progress.add(left.saturating_sub(now), 0);
                left = left.min(now);
                thread::park_timeout(LOOK);
            }
            progress.finish();
        });
        let drained = delivery.drain(patience);
        is_over.store(true, Ordering::Release);
        shows.thread().unpark();
        drained
    })
}
