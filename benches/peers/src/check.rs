//! Whether the engines do the work that is measured: halves for all of them, and for ours the right
//! answer for each person.
//!
//! Must not know clocks.

use anyhow::{Result, ensure};

use crate::case::Case;
use crate::engines::OURS;
use crate::work::{ASKED_ID, Person};

/// The share of people with the treatment that a split into halves may come to, in per cent.
const HALF_PERCENT: std::ops::RangeInclusive<f64> = 48.0..=52.0;
/// The end of the first half, in buckets of 10 000.
const BOUNDARY: u64 = 5_000;

/// What was found.
#[derive(Debug, serde::Serialize)]
pub(crate) struct Checked {
    /// Cases whose share of treatment is that of a half, and the same when asked again.
    pub(crate) cases: usize,
    /// People for whom each of our calls gave the variation that the published formula gives.
    pub(crate) people: usize,
    /// People for whom another engine that reads the same datafile gave the other variation: those whose
    /// bucket is the end of a range, and no others.
    pub(crate) peer_differs_at_boundary: usize,
}

/// Runs every case over all people.
pub(crate) fn check(cases: &[Case], people: &[Person]) -> Result<Checked> {
    for case in cases {
        let treated = case.run(people);
        #[expect(clippy::cast_precision_loss, reason = "far below 2^53")]
        let percent = treated as f64 * 100.0 / people.len() as f64;
        let name = format!("{}, {}, {:?}", case.engine, case.call, case.audience);
        ensure!(HALF_PERCENT.contains(&percent), "{name}: {percent} % got the treatment, not half");
        ensure!(case.run(people) == treated, "{name}: other answers when asked again");
    }
    let is_right = |case: &&Case| case.engine == OURS;
    for case in cases.iter().filter(is_right) {
        let wrong =
            people.iter().find(|person| is_treated(case, person) != (bucket(person) >= BOUNDARY));
        case.tidy(people);
        ensure!(wrong.is_none(), "{}: the wrong variation for {wrong:?}", case.call);
    }
    let mut differs = 0;
    let reads_the_same = |case: &&Case| case.engine.starts_with("optimizely");
    for case in cases.iter().filter(reads_the_same) {
        let other = |person: &&Person| is_treated(case, person) != (bucket(person) >= BOUNDARY);
        let others: Vec<_> = people.iter().filter(other).collect();
        let elsewhere = others.iter().find(|person| bucket(person) != BOUNDARY);
        ensure!(elsewhere.is_none(), "{}: differs for {elsewhere:?}", case.call);
        differs = others.len();
    }
    Ok(Checked { cases: cases.len(), people: people.len(), peer_differs_at_boundary: differs })
}

fn is_treated(case: &Case, person: &Person) -> bool {
    (case.batch)(std::slice::from_ref(person)) == 1
}

/// Optimizely's published formula, by another implementation of the hash than ours.
fn bucket(person: &Person) -> u64 {
    let mut key = std::io::Cursor::new(format!("{}{ASKED_ID}", person.id));
    let hash = murmur3::murmur3_32(&mut key, 1).unwrap_or_default();
    (u64::from(hash) * 10_000) >> 32
}
