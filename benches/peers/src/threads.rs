//! What a second thread adds: calls per second of two threads over those of one, and the same for plain
//! arithmetic, which shares nothing but the machine, and for one counter, which is all shared.
//!
//! Each thread has a CPU of its own. Left to itself, the system often keeps two new threads on one CPU
//! for longer than a measurement takes; then one runs after the other: work shorter than a time slice
//! seems to double, whatever it shares, and longer work seems not to gain at all.
//!
//! Must not know any engine.

use std::hint::black_box;
use std::sync::Barrier;
use std::sync::atomic::{AtomicUsize, Ordering};
use std::thread;
use std::time::Instant;

use core_affinity::CoreId;

use crate::case::{Case, count};
use crate::measure::median;
use crate::work::{BATCH, Person};

/// How often a thread repeats its batch in one measurement: for longer than a time slice.
const REPEATS: usize = 200;
const REPEATS_QUICK: usize = 20;

/// The factors of one case, a number for each round that counts.
#[derive(Debug, Default, Clone)]
pub(crate) struct Factors {
    /// Calls per second of two threads over those of one; no number for a round in which the threads
    /// never ran at the same time.
    pub(crate) factor: Vec<f64>,
    /// That over the factor of the arithmetic in the same round.
    pub(crate) of_control: Vec<f64>,
}

/// Measures all cases for so many rounds. The first factors are those of the arithmetic, the second those
/// of the counter; there are none at all on a machine with one CPU.
pub(crate) fn measure(
    cases: &[&Case],
    people: &[Person],
    rounds: usize,
    quick: bool,
) -> Vec<Factors> {
    let Some([one_cpu, other_cpu]) = two_cpus() else { return Vec::new() };
    let repeats = if quick { REPEATS_QUICK } else { REPEATS };
    let counter = AtomicUsize::new(0);
    let counting = |people: &[Person]| counting(&counter, people);
    let controls: [Work<'_>; 2] = [&arithmetic, &counting];
    let works: Vec<Work<'_>> =
        controls.into_iter().chain(cases.iter().map(|case| &case.batch as Work<'_>)).collect();
    let mut all = vec![Factors::default(); works.len()];
    let batches: Vec<&[Person]> = people.chunks_exact(BATCH).collect();
    let pairs = batches.iter().zip(batches.iter().cycle().skip(1)).cycle();
    for (mine, yours) in pairs.take(rounds) {
        let given = [(one_cpu, *mine), (other_cpu, *yours)];
        let factors: Vec<Option<f64>> =
            works.iter().map(|work| factor(work, given, repeats)).collect();
        let control = factors.first().copied().flatten();
        for (of_work, factor) in all.iter_mut().zip(factors) {
            of_work.factor.extend(factor);
            of_work
                .of_control
                .extend(factor.zip(control).map(|(factor, control)| factor / control));
        }
    }
    all
}

type Work<'w> = &'w (dyn Fn(&[Person]) -> usize + Sync);
/// Where a thread runs, and on whose behalf it calls.
type Given<'p> = (CoreId, &'p [Person]);

/// The first and the last: neighbours may be two halves of one core.
fn two_cpus() -> Option<[CoreId; 2]> {
    let cpus = core_affinity::get_core_ids()?;
    match cpus.as_slice() {
        [first, .., last] => Some([*first, *last]),
        _ => None,
    }
}

/// Nothing where the threads never ran at the same time: other programs had the CPUs.
fn factor(work: Work<'_>, given: [Given<'_>; 2], repeats: usize) -> Option<f64> {
    let [first, _] = given;
    let (alone, together) = (times(work, &[first], repeats), times(work, &given, repeats));
    let ([alone], [one, other]) = (alone.as_slice(), together.as_slice()) else { return None };
    let alone_s = median(alone.iter().map(Span::seconds).collect());
    let factor = alone_s / seconds_beside(one, other) + alone_s / seconds_beside(other, one);
    factor.is_finite().then_some(factor)
}

/// When a batch ran; of the day, since waiting for the other thread counts, too.
struct Span {
    begun: Instant,
    ended: Instant,
}

impl Span {
    fn of(work: impl FnOnce() -> usize) -> Self {
        let begun = Instant::now();
        black_box(work());
        Self { begun, ended: Instant::now() }
    }

    fn seconds(&self) -> f64 {
        self.ended.duration_since(self.begun).as_secs_f64()
    }
}

/// The batches of threads that start together, each on its CPU.
fn times(work: Work<'_>, given: &[Given<'_>], repeats: usize) -> Vec<Vec<Span>> {
    let start = Barrier::new(given.len());
    let run = |(cpu, people): Given<'_>| -> Vec<Span> {
        core_affinity::set_for_current(cpu);
        black_box(work(people));
        start.wait();
        (0..repeats).map(|_| Span::of(|| work(black_box(people)))).collect()
    };
    thread::scope(|scope| {
        let threads: Vec<_> = given.iter().map(|given| scope.spawn(|| run(*given))).collect();
        threads.into_iter().map(|thread| thread.join().unwrap_or_default()).collect()
    })
}

/// The time of a batch while the other thread runs, which shows by a batch that it ends meanwhile. The
/// median leaves out the batches in which the system gave the CPU to another program.
fn seconds_beside(own: &[Span], other: &[Span]) -> f64 {
    let is_beside = |batch: &&Span| {
        let next = other.partition_point(|others| others.ended <= batch.begun);
        other.get(next).is_some_and(|others| others.ended <= batch.ended)
    };
    median(own.iter().filter(is_beside).map(Span::seconds).collect())
}

/// Four chains of additions and shifts that never touch memory, about as long as a decision.
fn arithmetic(people: &[Person]) -> usize {
    count(people, |person| {
        let mut chains =
            [1_u64, 2, 3, 4].map(|seed| seed + u64::from(person.age.unsigned_abs() > 0));
        for step in 0..16_u64 {
            chains = chains.map(|chain| chain.rotate_left(5).wrapping_add(chain ^ step));
        }
        let [first, second, third, fourth] = chains;
        (first ^ second ^ third ^ fourth) & 1 == 1
    })
}

/// The arithmetic, and one counter that all threads count in, as they would in the count of an `Arc`
/// that each call clones: tells that the measurement shows it where threads wait for each other.
fn counting(counter: &AtomicUsize, people: &[Person]) -> usize {
    count(people, |person| {
        counter.fetch_add(1, Ordering::Relaxed);
        let treated = arithmetic(std::slice::from_ref(person));
        counter.fetch_sub(1, Ordering::Release);
        treated > 0
    })
}
