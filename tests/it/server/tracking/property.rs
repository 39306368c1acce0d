//! Any history, told by the clients of all systems in any requests and any order, against the plain model.
//!
//! Must not know the attribution rule.

mod by_device;
mod by_event;
mod by_key;
mod by_message;
mod facts;
mod heard;
mod sent;
mod shop;
mod told;

use std::cell::Cell;

use proptest::prelude::*;
use proptest::test_runner::TestRunner;
use serde_json::Value;
use variate::clock::system_time_ms;
use variate::settings::TrackingSystem;

use super::super::Daemon;
use super::super::http::{Answer, ask};
use facts::{System, What};
use heard::{check_records, conversions, expected, folded};
use sent::{Case, Sent};
use shop::EXPERIMENTS;
use told::{Told, told};

const CASES: &str = "VARIATE_TRACKING_CASES";
/// So many clients send at the same time, where order has no meaning.
const CLIENTS: usize = 3;

fn tell(daemon: &Daemon, sent: &Sent) -> Answer {
    let answer = ask(daemon.api(), &sent.request);
    assert_eq!(answer.status, sent.status, "{sent:?}: {answer:?}");
    answer
}

/// One after the other, each in a millisecond of its own. What Agent's interface showed, it says.
fn in_turn(daemon: &Daemon, sent: &mut [Sent]) {
    for sent in sent {
        let before_ms = system_time_ms();
        while system_time_ms() == before_ms {
            std::thread::yield_now();
        }
        let answer = tell(daemon, sent);
        for arrival in &mut sent.arrivals {
            if let (System::Agent, What::Shown { variation, .. }) =
                (arrival.fact.system, &mut arrival.fact.what)
            {
                let shown = answer.json()[0]["variationKey"].clone();
                let mut all = EXPERIMENTS[0].variations.iter();
                *variation = all.position(|(_, key)| shown == *key).unwrap();
            }
        }
    }
}

fn at_once(daemon: &Daemon, sent: &[Sent]) {
    std::thread::scope(|scope| {
        for client in 0..CLIENTS {
            scope.spawn(move || {
                sent.iter().skip(client).step_by(CLIENTS).for_each(|sent| drop(tell(daemon, sent)));
            });
        }
    });
}

/// What was seen of all cases: a property of nothing would hold as well.
#[derive(Debug, Default)]
struct Seen {
    cases: Cell<usize>,
    records: Cell<u64>,
    credits: Cell<usize>,
    corrected: Cell<usize>,
}

fn check(daemon: &Daemon, seen: &Seen, told: &Told) -> Result<(), TestCaseError> {
    let case = Case::new(seen.cases.replace(seen.cases.get() + 1));
    let mut sent = told.sent(&case);
    let now_ms = system_time_ms();
    if told.is_at_once {
        at_once(daemon, &sent)
    } else {
        in_turn(daemon, &mut sent)
    }
    let (records, last) = conversions(daemon, seen.records.get());
    seen.records.set(last);
    let expect = expected(&sent, now_ms);
    let order: Vec<_> = sent.iter().map(|sent| &sent.arrivals).collect();
    prop_assert_eq!(folded(&case, &records), expect.clone(), "{:#?}\n{:#?}", order, records);
    check_records(&case, &sent, &records)?;
    seen.credits.set(seen.credits.get() + expect.len());
    let is_corrected = |record: &&Value| record["credits"][0]["replaces"] == true;
    seen.corrected.set(seen.corrected.get() + records.iter().filter(is_corrected).count());
    Ok(())
}

#[test]
#[expect(clippy::disallowed_methods, reason = "says how many cases to try")]
fn any_history_told_in_any_way_is_what_the_model_says() {
    let cases = std::env::var(CASES).map(|cases| cases.parse().expect(CASES)).unwrap_or(160);
    let daemon = Daemon::with(|given| {
        given.tracking.known_by_content =
            vec![TrackingSystem::Onboardflow, TrackingSystem::Thrivestack];
    });
    let seen = Seen::default();
    let config = ProptestConfig {
        cases,
        failure_persistence: None,
        max_shrink_iters: 500,
        ..ProptestConfig::default()
    };
    let mut runner = TestRunner::new(config);
    if let Err(error) = runner.run(&told(), |told| check(&daemon, &seen, &told)) {
        panic!("{error}");
    }
    assert!(seen.credits.get() > seen.cases.get(), "{seen:?}");
    assert!(seen.corrected.get() > 0, "{seen:?}");
    let unused = daemon.ask_admin("GET /metrics").body;
    assert!(!unused.contains("variate_tracking_unused_total{"), "all of it is valid: {unused}");
}
