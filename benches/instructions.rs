//! Runs one case so many times, for a counter of instructions: `instructions CASE TIMES`.
//!
//! Two runs, of which one does a case twice as often, differ by the instructions of the calls, whatever
//! the set-up takes; `tests/it/instructions.rs` does that and holds the limits. Time plays no part, so
//! that any machine, however busy, comes to the same figures.

mod world;

use std::hint::black_box;
use std::process::ExitCode;
use std::sync::Arc;

use variate::clock::Clock;
use variate::store::{MemoryLimits, MemoryStore};
use variate::{Client, Datafile, DecideOptions, Error, Track};
use world::{ASKED, Audience, EVENT, EXPERIMENTS, client, datafile_text, ids, known};

/// The most that a case may be run: so many people are there, whatever is asked, so that the set-up is
/// the same.
const MOST: usize = 20_000;

/// Runs a case for each of these people; counts something of the answers, so that they are needed.
type Case = fn(&[String], usize) -> Result<usize, Error>;

const CASES: &[(&str, Case)] = &[
    ("decision", |ids, times| decision(ids, times, Audience::Everyone)),
    ("decision-audience", |ids, times| decision(ids, times, Audience::TwoConditions)),
    ("decision-held", |ids, times| held(ids, times, Audience::Everyone)),
    ("decision-audience-held", |ids, times| held(ids, times, Audience::TwoConditions)),
    ("decision-looked-up", |ids, times| looked_up(ids, times, Audience::Everyone)),
    ("decision-audience-looked-up", |ids, times| looked_up(ids, times, Audience::TwoConditions)),
    ("flag", |ids, times| flag(ids, times, Audience::Everyone)),
    ("flag-audience", |ids, times| flag(ids, times, Audience::TwoConditions)),
    ("activate-first", |ids, times| activate(ids, times, Ledger::HasNobody)),
    ("activate-repeated", |ids, times| activate(ids, times, Ledger::HasThem)),
    ("activate-repeated-looked-up", activate_looked_up),
    ("track", track),
];

#[derive(Clone, Copy, PartialEq, Eq)]
enum Ledger {
    HasNobody,
    HasThem,
}

fn main() -> ExitCode {
    // `cargo bench` adds this to what the caller gives.
    let arguments: Vec<String> =
        std::env::args().skip(1).filter(|text| text != "--bench").collect();
    let outcome = match arguments.iter().map(String::as_str).collect::<Vec<_>>().as_slice() {
        [] => Ok(usage()),
        [name, times] => run(name, times),
        _ => Err(usage()),
    };
    let (text, code) = match outcome {
        Ok(text) => (text, ExitCode::SUCCESS),
        Err(text) => (text, ExitCode::from(2)),
    };
    #[expect(clippy::print_stderr, reason = "a program of its own: this is how it speaks")]
    {
        eprintln!("{text}");
    }
    code
}

fn run(name: &str, times: &str) -> Result<String, String> {
    let (_, case) = CASES.iter().find(|(case, _)| *case == name).ok_or_else(usage)?;
    let times = times.parse().ok().filter(|times| *times <= MOST).ok_or_else(usage)?;
    let counted = case(&ids(MOST), times).map_err(|error| error.to_string())?;
    Ok(format!("{name}: {times} times, {counted} counted"))
}

fn usage() -> String {
    let names: Vec<_> = CASES.iter().map(|(name, _)| *name).collect();
    format!(
        "this is run under a counter of instructions, see benches/README.md: give a case ({}) and how often, up to {MOST}",
        names.join(", ")
    )
}

fn for_each(ids: &[String], times: usize, mut call: impl FnMut(&str) -> bool) -> usize {
    ids.iter().take(times).filter(|id| black_box(call(black_box(id.as_str())))).count()
}

fn decision(ids: &[String], times: usize, audience: Audience) -> Result<usize, Error> {
    let client = client(audience)?;
    Ok(for_each(ids, times, |id| {
        let chosen = known(client.user(id), audience).get_variation(black_box(ASKED));
        chosen.variation_key() == Some("treatment")
    }))
}

/// With a snapshot that the caller holds.
fn held(ids: &[String], times: usize, audience: Audience) -> Result<usize, Error> {
    let client = client(audience)?;
    let snapshot = client.snapshot();
    Ok(for_each(ids, times, |id| {
        let chosen = known(snapshot.user(id), audience).get_variation(black_box(ASKED));
        chosen.variation_key() == Some("treatment")
    }))
}

/// And with the experiment looked up once.
fn looked_up(ids: &[String], times: usize, audience: Audience) -> Result<usize, Error> {
    let client = client(audience)?;
    let snapshot = client.snapshot();
    let Some(experiment) = snapshot.experiment(ASKED) else { return Ok(0) };
    Ok(for_each(ids, times, |id| {
        let chosen = experiment.get_variation(&known(snapshot.user(id), audience));
        chosen.variation_key() == Some("treatment")
    }))
}

fn flag(ids: &[String], times: usize, audience: Audience) -> Result<usize, Error> {
    let client = client(audience)?;
    let options = DecideOptions::DISABLE_DECISION_EVENT | DecideOptions::EXCLUDE_VARIABLES;
    Ok(for_each(ids, times, |id| {
        known(client.user(id), audience).decide_with(black_box(ASKED), options).enabled
    }))
}

fn activate(ids: &[String], times: usize, ledger: Ledger) -> Result<usize, Error> {
    let client = capturing_client(Audience::Everyone)?;
    if ledger == Ledger::HasThem {
        ids.iter().for_each(|id| drop(client.user(id).activate(ASKED)));
    }
    Ok(for_each(ids, times, |id| {
        let activated = client.user(id).activate(black_box(ASKED));
        activated.outcome.is_some_and(|outcome| outcome.first == (ledger == Ledger::HasNobody))
    }))
}

fn activate_looked_up(ids: &[String], times: usize) -> Result<usize, Error> {
    let client = capturing_client(Audience::Everyone)?;
    ids.iter().for_each(|id| drop(client.user(id).activate(ASKED)));
    let snapshot = client.snapshot();
    let Some(experiment) = snapshot.experiment(ASKED) else { return Ok(0) };
    Ok(for_each(ids, times, |id| {
        let activated = experiment.activate(&snapshot.user(id));
        activated.outcome.is_some_and(|outcome| !outcome.first)
    }))
}

/// An event that counts for the one experiment that people were activated in.
fn track(ids: &[String], times: usize) -> Result<usize, Error> {
    let client = capturing_client(Audience::Everyone)?;
    ids.iter().for_each(|id| drop(client.user(id).activate(ASKED)));
    Ok(for_each(ids, times, |id| {
        let event = Track::new(black_box(EVENT)).revenue_cents(129_900);
        client.user(id).track(event).credits.len() == 1
    }))
}

/// A client whose impressions and conversions are captured: they wait in the store, which nobody reads.
fn capturing_client(audience: Audience) -> Result<Client, Error> {
    let limits = MemoryLimits { waiting_records: usize::MAX, ..MemoryLimits::default() };
    let store = MemoryStore::new(Arc::new(Clock::system()), limits);
    let datafile = Datafile::compile(datafile_text(EXPERIMENTS, audience))?.datafile;
    Client::builder().datafile(datafile).store(Arc::new(store)).build()
}
