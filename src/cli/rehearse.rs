//! A replay in memory: the code of `variate replay` without its files, for the project's fuzzer.
//!
//! Must not answer anything itself.

use std::path::Path;

use super::arguments::Format;
use super::engine::{Engine, Setup};
use super::failure::Failure;
use super::replay::{Events, Replay, Surroundings};
use crate::datafile::Datafile;
use crate::events::AttributionMode;

/// The options of a replay. No interface: it is public for the project's fuzzer only.
#[doc(hidden)]
#[derive(Debug, Clone, Copy)]
pub struct RehearsalSetup {
    /// `--sticky`.
    pub is_sticky: bool,
    /// `--late-window`.
    pub late_window_ms: i64,
    /// `--format text`.
    pub is_for_people: bool,
    /// `--attribution`.
    pub mode: AttributionMode,
}

/// What a replay wrote. No interface: it is public for the project's fuzzer only.
#[doc(hidden)]
#[derive(Debug, Default)]
pub struct Rehearsal {
    /// To standard output.
    pub answers: Vec<u8>,
    /// To the file of `--events`.
    pub events: Vec<u8>,
    /// How many lines were malformed.
    pub malformed_lines: u64,
}

/// Replays calls in memory. `load` gives the datafiles that `setDatafile` names. No interface: it is
/// public for the project's fuzzer only.
///
/// # Errors
///
/// In words, where the command would end early.
#[doc(hidden)]
pub fn rehearse(
    datafile: Datafile,
    calls: &[u8],
    setup: RehearsalSetup,
    load: &dyn Fn(&Path) -> Datafile,
) -> Result<Rehearsal, String> {
    let mut rehearsal = Rehearsal::default();
    rehearsal.malformed_lines = write(datafile, calls, setup, load, &mut rehearsal)
        .map_err(|failure| format!("{failure:?}"))?;
    Ok(rehearsal)
}

fn write(
    datafile: Datafile,
    calls: &[u8],
    setup: RehearsalSetup,
    load: &dyn Fn(&Path) -> Datafile,
    rehearsal: &mut Rehearsal,
) -> Result<u64, Failure> {
    let RehearsalSetup { is_sticky, late_window_ms, is_for_people, mode } = setup;
    let engine = Engine::new(
        datafile,
        Setup { store: None, is_sticky, late_window_ms, makes_records: true },
    )
    .map_err(Failure::usage)?;
    let mut replay = Replay::within(
        engine,
        Surroundings {
            answers: Box::new(&mut rehearsal.answers),
            events: Some(Events::to(Path::new("memory"), Box::new(&mut rehearsal.events), mode)),
            load: Box::new(|path| Ok(load(path))),
            format: if is_for_people { Format::Text } else { Format::Json },
        },
    );
    for (number, line) in (1..).zip(calls.split_inclusive(|byte| *byte == b'\n')) {
        replay.read(number, line)?;
    }
    replay.sum_up()?;
    Ok(replay.malformed.count)
}
