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

use std::cell::Cell;

use proptest::prelude::*;
use proptest::sample::Index;
use proptest::test_runner::TestRunner;
use serde_json::Value;
use variate::clock::system_time_ms;
use variate::settings::TrackingSystem;

use super::super::Daemon;
use super::super::http::{Answer, ask};
use facts::{Fact, System, What, history};
use heard::{check_records, conversions, expected, folded};
use sent::{Case, Sent};
use shop::EXPERIMENTS;

const CASES: &str = "VARIATE_TRACKING_CASES";
/// So many clients send at the same time, where order has no meaning.
const CLIENTS: usize = 3;

/// A history, and how it is told.
#[derive(Debug, Clone)]
struct Told {
    facts: Vec<Fact>,
    /// How many facts go into a request, at most.
    cuts: Vec<usize>,
    /// What requests are sorted by.
    order: Vec<u32>,
    /// Which facts are told again, in another request or the same, if they have ids of their own.
    again: Vec<Index>,
    /// Which requests are sent twice, and where.
    repeats: Vec<(Index, Index)>,
    is_at_once: bool,
}

fn told() -> impl Strategy<Value = Told> {
    let facts = prop_oneof![
        2 => (history(true, true), Just(false)),
        1 => (history(true, false), Just(false)),
        1 => (history(false, true), Just(false)),
        2 => (history(false, false), Just(true)),
    ];
    let cuts = prop::collection::vec(1..7_usize, 1..5);
    let order = prop::collection::vec(any::<u32>(), 31);
    let again = prop::collection::vec(any::<Index>(), 0..4);
    let repeats = prop::collection::vec((any::<Index>(), any::<Index>()), 0..4);
    (facts, (cuts, order), (again, repeats)).prop_map(
        |((facts, is_at_once), (cuts, order), (again, repeats))| Told {
            facts,
            cuts,
            order,
            again,
            repeats,
            is_at_once,
        },
    )
}

impl Told {
    /// All requests in their order.
    fn sent(&self, case: &Case) -> Vec<Sent> {
        let mut facts: Vec<&Fact> = self.facts.iter().collect();
        facts.sort_by_key(|fact| self.order[fact.number % self.order.len()].rotate_left(16));
        let again = self.again.iter().map(|which| which.get(&self.facts));
        facts.extend(again.filter(|fact| fact.has_id && has_own_ids(fact.system)));
        facts.sort_by_key(|fact| fact.system);
        let mut sent = Vec::new();
        for of_system in facts.chunk_by(|one, other| one.system == other.system) {
            let mut rest: Vec<Fact> = of_system.iter().map(|fact| (*fact).clone()).collect();
            for cut in self.cuts.iter().cycle() {
                let next = rest.split_off((*cut).min(rest.len()));
                sent.extend(requests(case, &rest));
                rest = next;
                if rest.is_empty() {
                    break;
                }
            }
        }
        let mut numbered: Vec<_> = sent.into_iter().enumerate().collect();
        numbered.sort_by_key(|(number, _)| self.order[number % self.order.len()]);
        let mut sent: Vec<Sent> = numbered.into_iter().map(|(_, sent)| sent).collect();
        for (which, place) in &self.repeats {
            let repeat = which.get(&sent).clone();
            sent.insert(place.index(sent.len() + 1), repeat);
        }
        sent
    }
}

/// Whether a part is known by its own id, whatever request it is in.
const fn has_own_ids(system: System) -> bool {
    matches!(system, System::Optimizely | System::Segment | System::Thrivestack)
}

fn requests(case: &Case, facts: &[Fact]) -> Vec<Sent> {
    let each = |tell: &dyn Fn(&Fact, usize) -> Sent| {
        facts
            .iter()
            .map(|fact| match fact.what {
                What::Done { event } => tell(fact, event),
                _ => by_event::agent(case, fact),
            })
            .collect()
    };
    match facts[0].system {
        System::Optimizely => vec![by_key::optimizely(case, facts)],
        System::Flagger => vec![by_key::flagger(case, facts)],
        System::Segment => by_message::segment(case, facts),
        System::Thrivestack => by_message::thrivestack(case, facts),
        System::Countly => by_device::countly(case, facts),
        System::Onboardflow => each(&|fact, event| by_event::onboardflow(case, fact, event)),
        System::Agent => each(&|fact, _| by_event::agent(case, fact)),
        System::Ofrep => each(&|fact, event| by_event::ofrep(case, fact, event)),
    }
}

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
    let cases = std::env::var(CASES).map(|cases| cases.parse().expect(CASES)).unwrap_or(64);
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
