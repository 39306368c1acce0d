//! The plain model of attribution: a list of entries, and brute force over it.

use std::collections::{BTreeMap, BTreeSet};

use super::world::{EVENTS, Folded, Given, PLANS};
use variate::attribution::Rules;

/// One arrival.
#[derive(Debug, Clone)]
pub(super) struct Arrival {
    pub(super) given: Given,
    /// How far the clock moves before it.
    pub(super) pause_ms: i64,
    pub(super) what: What,
}

/// What arrives.
#[derive(Debug, Clone)]
pub(super) enum What {
    Activation { experiment: &'static str, variation: &'static str },
    Event { key: usize },
}

/// What the model remembers of an accepted arrival.
struct Accepted<'a> {
    arrival: &'a Arrival,
    received_at_ms: i64,
    time_ms: i64,
}

/// What should come out.
#[derive(Debug, Default, PartialEq, Eq)]
pub(super) struct Expected {
    pub(super) folded: Folded,
    /// By the arrival's place in the list, of events that had no credit when they arrived.
    pub(super) reasons: BTreeMap<usize, &'static str>,
    pub(super) duplicates: u64,
    pub(super) firsts: u64,
    pub(super) crossovers: u64,
}

/// Works it out from the list of arrivals, the clock starting at 1000.
pub(super) fn expected(arrivals: &[Arrival], rules: &Rules) -> Expected {
    let mut expected = Expected::default();
    let accepted = accepted(arrivals, rules, &mut expected);
    let mut variations = BTreeMap::<_, BTreeSet<_>>::new();
    for (&at, entry) in &accepted {
        match entry.arrival.what {
            What::Activation { experiment, variation } => {
                let Given { environment, user, .. } = &entry.arrival.given;
                variations.entry((environment, user, experiment)).or_default().insert(variation);
            }
            What::Event { key } => credit_event(&mut expected, &accepted, rules, (at, key)),
        }
    }
    expected.firsts = variations.len() as u64;
    expected.crossovers = variations.values().filter(|seen| seen.len() > 1).count() as u64;
    expected
}

fn accepted<'a>(
    arrivals: &'a [Arrival],
    rules: &Rules,
    expected: &mut Expected,
) -> BTreeMap<usize, Accepted<'a>> {
    let (mut now_ms, mut ids) = (1000, BTreeMap::new());
    let mut accepted = BTreeMap::new();
    for (at, arrival) in arrivals.iter().enumerate() {
        now_ms += arrival.pause_ms;
        if let Some(id) = &arrival.given.id {
            let key = (arrival.given.environment, matches!(arrival.what, What::Event { .. }), id);
            if ids.get(&key).is_some_and(|&at_ms| now_ms - at_ms < rules.repeat_window_ms) {
                expected.duplicates += 1;
                continue;
            }
            ids.insert(key, now_ms);
        }
        let given_ms = arrival.given.time_ms.unwrap_or(now_ms);
        let time_ms = if given_ms > now_ms + rules.future_tolerance_ms { now_ms } else { given_ms };
        accepted.insert(at, Accepted { arrival, received_at_ms: now_ms, time_ms });
    }
    accepted
}

fn credit_event(
    expected: &mut Expected,
    accepted: &BTreeMap<usize, Accepted<'_>>,
    rules: &Rules,
    (at, key): (usize, usize),
) {
    let event = &accepted[&at];
    let plan = &PLANS[event.arrival.given.datafile];
    let until_ms = event.received_at_ms + rules.late_window_ms;
    let tied: BTreeSet<_> = plan.ties[key].iter().chain(plan.running_holdouts).copied().collect();
    let is_holdout = |experiment: &str| experiment.starts_with('2');
    let mut ranks = vec![];
    for experiment in
        tied.iter().copied().filter(|id| !is_holdout(id) || plan.running_holdouts.contains(id))
    {
        // What was there when the event arrived decides the reason; what was there when its late
        // window ended decides the credit.
        let on_arrival = first(accepted, event, experiment, |other_at, _| other_at < at);
        let in_the_end = first(accepted, event, experiment, |other_at, other| {
            other_at < at || other.received_at_ms < until_ms
        });
        if !plan.running.contains(&experiment) {
            ranks.push("not-running");
            continue;
        }
        match on_arrival.map(|(first_ms, _)| standing(first_ms, event.time_ms, rules)) {
            Some(standing) => ranks.push(standing),
            None if is_holdout(experiment) => {}
            None => ranks.push("no-activation"),
        }
        if let Some((first_ms, variation)) = in_the_end
            && standing(first_ms, event.time_ms, rules) == "credited"
        {
            let id = event.arrival.given.id.clone().unwrap_or_default();
            expected.folded.insert((id, experiment.to_owned()), (variation.to_owned(), first_ms));
        }
    }
    let order = ["credited", "outside-window", "before-activation", "no-activation", "not-running"];
    let best = order.into_iter().find(|rank| ranks.contains(rank));
    let otherwise = if plan.running_holdouts.is_empty() { "not-tied" } else { "no-activation" };
    match best.unwrap_or(otherwise) {
        "credited" => {}
        reason => {
            expected.reasons.insert(at, reason);
        }
    }
    assert!(key < EVENTS.len());
}

/// The earliest activation of an experiment by the event's user, at equal times the smaller variation.
fn first<'a>(
    accepted: &BTreeMap<usize, Accepted<'a>>,
    event: &Accepted<'_>,
    wanted: &str,
    is_seen: impl Fn(usize, &Accepted<'a>) -> bool,
) -> Option<(i64, &'a str)> {
    let (user, environment) = (&event.arrival.given.user, event.arrival.given.environment);
    let seen = accepted.iter().filter(|&(&at, other)| {
        other.arrival.given.user == *user
            && other.arrival.given.environment == environment
            && is_seen(at, other)
    });
    let times = seen.filter_map(|(_, other)| match &other.arrival.what {
        What::Activation { experiment, variation } if *experiment == wanted => {
            Some((other.time_ms, *variation))
        }
        _ => None,
    });
    times.min()
}

fn standing(first_ms: i64, event_ms: i64, rules: &Rules) -> &'static str {
    if first_ms > event_ms + rules.early_tolerance_ms {
        "before-activation"
    } else if rules.window_ms.is_some_and(|window_ms| event_ms - first_ms > window_ms) {
        "outside-window"
    } else {
        "credited"
    }
}
