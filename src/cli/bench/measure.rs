//! Runs batches of calls on some threads at once, and sums up how long they took.
//!
//! Must not know what is called.

use std::sync::Barrier;
use std::thread;
use std::time::Duration;

use super::scene::{Scene, What, Worker};
use crate::cli::failure::Failure;
use crate::clock::Stopwatch;
use crate::error::Error;

/// So many batches are kept for the latencies; of longer runs, the latest.
const MOST_BATCHES: usize = 200_000;

/// This part of the duration is run before it, unmeasured.
const WARM_UP_PART: u32 = 10;

/// What was measured of one kind of call on so many threads.
#[derive(Debug)]
pub(super) struct Measurement {
    pub(super) what: What,
    pub(super) threads: usize,
    pub(super) calls: u64,
    /// Calls a second, of all threads together.
    pub(super) per_second: f64,
    /// Nanoseconds a call, over the batches of all threads.
    pub(super) best_ns: f64,
    pub(super) median_ns: f64,
    pub(super) p99_ns: f64,
}

/// What one thread did of one kind.
#[derive(Debug, Default)]
struct Tally {
    calls: u64,
    busy: Duration,
    batches: u64,
    /// Nanoseconds a call, of each batch.
    per_call_ns: Vec<f64>,
}

/// Measures kinds of calls in turn, batch by batch, so that the machine's moods meet them all alike.
pub(super) fn measure(
    scene: &Scene<'_>,
    group: &[What],
    threads: usize,
    duration: Duration,
) -> Result<Vec<Measurement>, Failure> {
    let barrier = Barrier::new(threads);
    let duration = duration.saturating_mul(u32::try_from(group.len()).unwrap_or(1));
    let run = |number| {
        let mut worker = Worker::new(scene, number);
        run_for(&mut worker, group, duration / WARM_UP_PART);
        barrier.wait();
        run_for(&mut worker, group, duration)
    };
    let tallies: Vec<Vec<Tally>> = thread::scope(|scope| {
        let spawn = |number| {
            let run = &run;
            thread::Builder::new().spawn_scoped(scope, move || run(number))
        };
        let failed = |error| Failure::usage(Error::thread("bench", error));
        // A missing thread would leave the others at the barrier, so this one runs last of all.
        let helpers: Result<Vec<_>, _> = (1..threads).map(spawn).collect();
        let helpers = helpers.map_err(failed)?;
        let own = run(0);
        let lost = "a thread failed, so the figures are incomplete: report this";
        let joined = helpers.into_iter().map(|helper| helper.join());
        let others = joined.map(|found| found.map_err(|_| Failure::defect(lost.to_owned())));
        others.chain([Ok(own)]).collect::<Result<_, Failure>>()
    })?;
    let of_kind = |place: usize| tallies.iter().filter_map(move |of_thread| of_thread.get(place));
    Ok((0..).zip(group).map(|(place, what)| sum_up(*what, of_kind(place))).collect())
}

/// Runs whole rounds of the group, at least one, until the time is over.
fn run_for(worker: &mut Worker<'_, '_>, group: &[What], duration: Duration) -> Vec<Tally> {
    let mut tallies: Vec<Tally> = group.iter().map(|_| Tally::default()).collect();
    let watch = Stopwatch::start();
    loop {
        for (what, tally) in group.iter().zip(&mut tallies) {
            let (calls, busy) = worker.batch(*what);
            tally.add(calls, busy);
        }
        if watch.elapsed() >= duration {
            return tallies;
        }
    }
}

impl Tally {
    fn add(&mut self, calls: usize, busy: Duration) {
        self.calls += calls as u64;
        self.busy += busy;
        #[expect(clippy::cast_precision_loss, reason = "batches are small")]
        let per_call_ns = busy.as_secs_f64() * 1e9 / calls.max(1) as f64;
        let place = usize::try_from(self.batches).unwrap_or(0) % MOST_BATCHES;
        match self.per_call_ns.get_mut(place) {
            Some(oldest) => *oldest = per_call_ns,
            None => self.per_call_ns.push(per_call_ns),
        }
        self.batches += 1;
    }
}

fn sum_up<'t>(what: What, tallies: impl Iterator<Item = &'t Tally> + Clone) -> Measurement {
    let mut sorted: Vec<f64> =
        tallies.clone().flat_map(|tally| tally.per_call_ns.iter().copied()).collect();
    sorted.sort_by(f64::total_cmp);
    let part = |percent: usize| {
        let place = sorted.len().saturating_sub(1) * percent / 100;
        sorted.get(place).copied().unwrap_or_default()
    };
    #[expect(clippy::cast_precision_loss, reason = "a speed")]
    let per_second = |tally: &Tally| tally.calls as f64 / tally.busy.as_secs_f64().max(1e-9);
    Measurement {
        what,
        threads: tallies.clone().count(),
        calls: tallies.clone().map(|tally| tally.calls).sum(),
        per_second: tallies.map(per_second).sum(),
        best_ns: part(0),
        median_ns: part(50),
        p99_ns: part(99),
    }
}
