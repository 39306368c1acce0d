//! Time per call, all cases interleaved in one process.
//!
//! A machine that others use moves between fast and slow phases. So each round runs every case once, in
//! an order of its own and on the same people, and cases are compared within a round; the best round is
//! that of the fastest phase. Time is that of the CPU, not of the day.
//!
//! Must not know any engine.

use cpu_time::{ProcessTime, ThreadTime};

use crate::case::Case;
use crate::work::{BATCH, Person};

/// Calls before each measurement, so that no case pays for what the one before it left in the caches.
const WARM_UP: usize = 256;

/// Nanoseconds per call of one case, a number for each round.
#[derive(Debug, Default, Clone)]
pub(crate) struct Samples {
    /// Of the calling thread.
    pub(crate) thread_ns: Vec<f64>,
    /// Of all threads, until what the batch set off is done.
    pub(crate) process_ns: Vec<f64>,
}

/// Measures all cases for so many rounds; the samples are in the order of the cases.
pub(crate) fn measure(cases: &[Case], people: &[Person], rounds: usize) -> Vec<Samples> {
    let mut samples = vec![Samples::default(); cases.len()];
    let mut order: Vec<usize> = (0..cases.len()).collect();
    let mut dice = Dice(0x9E37_79B9_7F4A_7C15);
    let batches = people.chunks_exact(BATCH).cycle();
    for batch in batches.take(rounds) {
        dice.shuffle(&mut order);
        for &index in &order {
            if let (Some(case), Some(samples)) = (cases.get(index), samples.get_mut(index)) {
                let (thread_ns, process_ns) = time(case, batch);
                samples.thread_ns.push(thread_ns);
                samples.process_ns.push(process_ns);
            }
        }
    }
    samples
}

/// The one in the middle; of an even number, the greater of the two.
pub(crate) fn median(mut values: Vec<f64>) -> f64 {
    values.sort_by(f64::total_cmp);
    values.get(values.len() / 2).copied().unwrap_or(f64::NAN)
}

fn time(case: &Case, people: &[Person]) -> (f64, f64) {
    let (warm_up, _) = people.split_at(WARM_UP.min(people.len()));
    case.run(warm_up);
    let process = ProcessTime::now();
    let thread = ThreadTime::now();
    std::hint::black_box((case.batch)(std::hint::black_box(people)));
    let thread_ns = per_call(thread.elapsed(), people);
    if let Some(finish) = &case.finish {
        finish();
    }
    let process_ns = per_call(process.elapsed(), people);
    if let Some(restore) = &case.restore {
        restore(people);
    }
    (thread_ns, process_ns)
}

fn per_call(time: std::time::Duration, people: &[Person]) -> f64 {
    #[expect(clippy::cast_precision_loss, reason = "a batch is small")]
    let calls = people.len() as f64;
    time.as_secs_f64() * 1e9 / calls
}

/// Xorshift: an order for each round, the same in each run.
struct Dice(u64);

impl Dice {
    fn shuffle(&mut self, order: &mut [usize]) {
        for end in (1..order.len()).rev() {
            self.0 ^= self.0 << 13;
            self.0 ^= self.0 >> 7;
            self.0 ^= self.0 << 17;
            let sides = u64::try_from(end + 1).unwrap_or(1);
            order.swap(end, usize::try_from(self.0 % sides).unwrap_or_default());
        }
    }
}
