//! What readers of the daemon's records see of a case, and what the plain model says.
//!
//! Must not know the forms.

use std::collections::{BTreeMap, BTreeSet};

use proptest::prelude::*;
use serde_json::{Value, json};
use variate::attribution::Rules;

use super::facts::{Fact, Measures, System, What, event_key};
use super::sent::{At, Case, Sent};
use super::shop::tied;
use crate::attribution::merges::model::Model;
use crate::server::Daemon;

/// By fact and experiment the variations and the times of their activations: one for each time that it counts.
pub(super) type Counted = BTreeMap<(usize, String), Vec<(String, At)>>;

/// Conversions after a record, and the number of the last one.
pub(super) fn conversions(daemon: &Daemon, mut after: u64) -> (Vec<Value>, u64) {
    let mut records = Vec::new();
    loop {
        let page =
            daemon.ask_admin(&format!("GET /events?type=conversion&limit=10000&after={after}"));
        let next = page.header("variate-next").unwrap().parse().unwrap();
        records.extend(page.body.lines().map(|line| serde_json::from_str::<Value>(line).unwrap()));
        if next == after {
            return (records, after);
        }
        after = next;
    }
}

/// Folds credits by their ids, as readers do: the last one of an id counts, unless it is withdrawn.
pub(super) fn folded(case: &Case, records: &[Value]) -> Counted {
    let mut latest: BTreeMap<&str, (&Value, &Value)> = BTreeMap::new();
    for record in records {
        for credit in record["credits"].as_array().unwrap() {
            let before = latest.insert(credit["id"].as_str().unwrap(), (record, credit));
            let is_same = |(other, of): (&Value, &Value)| {
                other["eventId"] == record["eventId"]
                    && of["experimentId"] == credit["experimentId"]
            };
            assert!(before.is_none_or(is_same), "an id of two: {record}");
        }
    }
    let mut counted = Counted::new();
    for (record, credit) in latest.into_values().filter(|(_, credit)| credit["withdrawn"] != true) {
        let text = |name: &str| credit[name].as_str().unwrap().to_owned();
        let at = case.at(credit["activatedAt"].as_i64().unwrap());
        let key = (fact_of(record), text("experimentId"));
        counted.entry(key).or_default().push((text("variationId"), at));
    }
    counted.values_mut().for_each(|all| all.sort());
    counted
}

fn fact_of(record: &Value) -> usize {
    usize::try_from(record["tags"]["fact"].as_u64().unwrap()).unwrap()
}

/// What the model says of requests in this order.
pub(super) fn expected(sent: &[Sent], now_ms: i64) -> Counted {
    let rules = Rules { late_window_ms: 1_000_000, ..Rules::default() };
    let mut model = Model::new(rules);
    let mut known = BTreeSet::new();
    let mut facts = Vec::new();
    for (step, sent) in sent.iter().enumerate() {
        for arrival in &sent.arrivals {
            let fact = &arrival.fact;
            if arrival.is_known_again && !known.insert(fact.number) {
                continue;
            }
            let time_ms = match arrival.at {
                At::Ms(ms) => ms,
                At::Receipt => now_ms + i64::try_from(step).unwrap(),
            };
            match fact.what {
                What::Shown { experiment, variation } => {
                    let shown = (experiment.id, experiment.variations[variation].0);
                    model.activate(fact.user, shown, time_ms);
                }
                What::Merged { from } => drop(model.merge(fact.user, from)),
                What::Done { event } => {
                    model.track(facts.len(), fact.user, time_ms, tied(event_key(event)));
                    facts.push(fact.number);
                }
            }
        }
    }
    let mut counted = Counted::new();
    for ((at, experiment), (variation, first_ms)) in model.folded() {
        let fact = facts[at.parse::<usize>().unwrap()];
        let at = if first_ms >= now_ms { At::Receipt } else { At::Ms(first_ms) };
        counted.entry((fact, experiment)).or_default().push((variation, at));
    }
    counted.values_mut().for_each(|all| all.sort());
    counted
}

/// Each record says of its event what was told of it.
pub(super) fn check_records(
    case: &Case,
    sent: &[Sent],
    records: &[Value],
) -> Result<(), TestCaseError> {
    let all = || sent.iter().flat_map(|sent| &sent.arrivals);
    for record in records {
        let number = fact_of(record);
        let arrival = all().find(|arrival| arrival.fact.number == number).unwrap();
        let fact = &arrival.fact;
        let What::Done { event } = fact.what else { panic!("no event: {record}") };
        let told =
            (&record["eventKey"], &record["origin"], case.at(record["time"].as_i64().unwrap()));
        let expect = (&json!(event_key(event)), &json!(origin(fact.system)), arrival.at);
        prop_assert_eq!(told, expect, "{}", record);
        let measures = Measures {
            revenue_cents: record["revenue"].as_i64(),
            value: record["value"].as_f64(),
            count: record["count"].as_u64(),
            duration_seconds: record["duration"].as_f64(),
        };
        prop_assert_eq!(measures, measured(fact), "{}", record);
        let has_attributes = !matches!(fact.system, System::Segment | System::Countly);
        let attributes = record["attributes"].to_string();
        prop_assert!(!has_attributes || attributes.contains("SE"), "{}", record);
        let user = record["userId"].as_str().unwrap();
        prop_assert!(user.starts_with(&case.prefix), "{}", record);
    }
    Ok(())
}

const fn origin(system: System) -> &'static str {
    match system {
        System::Optimizely => "optimizely",
        System::Flagger => "flagger",
        System::Segment => "segment",
        System::Thrivestack => "thrivestack",
        System::Countly => "countly",
        System::Onboardflow => "onboardflow",
        System::Agent => "agent",
        System::Ofrep => "ofrep",
    }
}

/// Countly has no revenue, and nobody else has counts and durations.
fn measured(fact: &Fact) -> Measures {
    let all = fact.measures;
    match fact.system {
        System::Countly => Measures { revenue_cents: None, ..all },
        _ => Measures { count: None, duration_seconds: None, ..all },
    }
}
