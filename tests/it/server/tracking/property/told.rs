//! A history, and the requests that tell it: cut, in any order, some of it again.
//!
//! Must not know what becomes of it.

use proptest::prelude::*;
use proptest::sample::Index;

use super::facts::{Fact, System, What, history};
use super::sent::{Case, Sent};
use super::{by_device, by_event, by_key, by_message};

/// A history, and how it is told.
#[derive(Debug, Clone)]
pub(super) struct Told {
    facts: Vec<Fact>,
    /// How many facts go into a request, at most.
    cuts: Vec<usize>,
    /// What requests are sorted by.
    order: Vec<u32>,
    /// Which facts are told again, in another request or the same, if they have ids of their own.
    again: Vec<Index>,
    /// Which requests are sent twice, and where.
    repeats: Vec<(Index, Index)>,
    pub(super) is_at_once: bool,
}

pub(super) fn told() -> impl Strategy<Value = Told> {
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
    pub(super) fn sent(&self, case: &Case) -> Vec<Sent> {
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
