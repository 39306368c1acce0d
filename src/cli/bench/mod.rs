//! `variate bench`: what the engine costs on this machine, on the user's datafile.
//!
//! Must not know how anything is decided, bucketed or recorded: it calls and looks at the clock.

mod measure;
mod report;
mod scene;

use std::io::{self, Write as _};
use std::process::ExitCode;

use super::arguments::{BenchArguments, Format};
use super::failure::Failure;
use super::load::load_datafile;
use super::progress::Progress;
use super::subject::refuse_unknown_key;
use crate::datafile::Datafile;
use measure::{Measurement, measure};
use report::Report;
use scene::{Scene, What};

/// The shop of the project, for who has no datafile at hand.
const SHOP: &str = include_str!("../../../datafiles/shop.json");

/// Measures, and reports.
pub(super) fn run(arguments: &BenchArguments) -> Result<ExitCode, Failure> {
    let datafile = match &arguments.datafile {
        Some(path) => load_datafile(path, arguments.findings).map_err(Failure::datafile)?,
        None => Datafile::compile(SHOP).map_err(Failure::usage)?.datafile,
    };
    let (flag, experiment) = (arguments.flag.as_deref(), arguments.experiment.as_deref());
    refuse_unknown_key(&datafile, (flag, None))?;
    refuse_unknown_key(&datafile, (None, experiment))?;
    let flag = flag.or_else(|| datafile.flags().first().map(|flag| flag.key())).map(str::to_owned);
    let experiment = experiment.map(str::to_owned).or_else(|| first_to_measure(&datafile));
    if flag.is_none() && experiment.is_none() {
        return Err(Failure::unknown_key(
            "the datafile has neither a running experiment nor a flag: there is nothing to measure"
                .to_owned(),
        ));
    }
    let attributes = arguments.attributes();
    let scene = Scene::new(datafile, (experiment, flag), &attributes).map_err(Failure::usage)?;
    let measurements = measure_all(arguments, &scene)?;
    let report = Report::new(arguments, &scene, measurements);
    let text = match arguments.format {
        Format::Json => report.json().to_string(),
        Format::Text => report.text(),
    };
    let mut stdout = io::stdout().lock();
    writeln!(stdout, "{text}").and_then(|()| stdout.flush()).map_err(Failure::output)?;
    Ok(ExitCode::SUCCESS)
}

/// A running experiment whose variations no prediction chooses; else any that runs.
fn first_to_measure(datafile: &Datafile) -> Option<String> {
    let running = || datafile.experiments().filter(|rule| rule.is_running());
    let decided_here = running().find(|rule| !rule.is_contextual_bandit());
    decided_here.or_else(|| running().next()).map(|rule| rule.key().to_owned())
}

fn measure_all(arguments: &BenchArguments, scene: &Scene<'_>) -> Result<Vec<Measurement>, Failure> {
    let groups = What::GROUPS.map(|group| {
        let can_be_measured = |what: &What| scene.can_measure(*what);
        group.iter().copied().filter(can_be_measured).collect::<Vec<_>>()
    });
    let thread_counts = arguments.thread_counts();
    let total = (groups.len() * thread_counts.len()) as u64;
    let mut progress = Progress::start_steps("measurements", total).alone_on_the_terminal();
    let mut measurements = Vec::new();
    for threads in thread_counts {
        for group in groups.iter().filter(|group| !group.is_empty()) {
            measurements.extend(measure(scene, group, threads, arguments.duration())?);
            progress.add(1, 0);
        }
    }
    progress.finish();
    Ok(measurements)
}
