//! What a second thread adds: calls per second of two threads over those of one, and the same for plain
//! arithmetic, which shares nothing but the machine.
//!
//! Must not know any engine.

use std::hint::black_box;
use std::sync::Barrier;
use std::thread;
use std::time::{Duration, Instant};

use crate::case::{Case, count};
use crate::work::{BATCH, Person};

/// How often a thread repeats its batch in one measurement.
const REPEATS: usize = 20;
const REPEATS_QUICK: usize = 2;

/// The factors of one case, a number for each round.
#[derive(Debug, Default, Clone)]
pub(crate) struct Factors {
    /// Calls per second of two threads over those of one.
    pub(crate) factor: Vec<f64>,
    /// That over the factor of the arithmetic in the same round.
    pub(crate) of_control: Vec<f64>,
}

/// Measures all cases for so many rounds. The first factors are those of the control.
pub(crate) fn measure(
    cases: &[&Case],
    people: &[Person],
    rounds: usize,
    quick: bool,
) -> Vec<Factors> {
    let repeats = if quick { REPEATS_QUICK } else { REPEATS };
    let mut all = vec![Factors::default(); cases.len() + 1];
    let batches: Vec<&[Person]> = people.chunks_exact(BATCH).collect();
    let pairs = batches.iter().zip(batches.iter().cycle().skip(1)).cycle();
    for (mine, yours) in pairs.take(rounds) {
        let control = factor(&arithmetic, [*mine, *yours], repeats);
        let of_cases = cases.iter().map(|case| factor(&case.batch, [*mine, *yours], repeats));
        let factors = std::iter::once(control).chain(of_cases);
        for (of_case, factor) in all.iter_mut().zip(factors) {
            of_case.factor.push(factor);
            of_case.of_control.push(factor / control);
        }
    }
    all
}

type Work<'w> = &'w (dyn Fn(&[Person]) -> usize + Sync);

fn factor(work: Work<'_>, batches: [&[Person]; 2], repeats: usize) -> f64 {
    let [mine, _] = batches;
    let alone = slowest(work, &[mine], repeats);
    let together = slowest(work, &batches, repeats);
    2.0 * alone.as_secs_f64() / together.as_secs_f64()
}

/// The time of the slowest of the threads, which start together, one for each batch.
fn slowest(work: Work<'_>, batches: &[&[Person]], repeats: usize) -> Duration {
    let start = Barrier::new(batches.len());
    let run = |people: &[Person]| {
        black_box(work(people));
        start.wait();
        let begun = Instant::now();
        for _ in 0..repeats {
            black_box(work(black_box(people)));
        }
        begun.elapsed()
    };
    thread::scope(|scope| {
        let threads: Vec<_> = batches.iter().map(|people| scope.spawn(|| run(people))).collect();
        let times = threads.into_iter().map(|thread| thread.join().unwrap_or_default());
        times.max().unwrap_or_default()
    })
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
