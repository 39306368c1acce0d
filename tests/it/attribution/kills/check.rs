//! What must hold after all the kills, by the sinks' files: they are what arrived.

use std::collections::{BTreeMap, BTreeSet};
use std::path::Path;
use std::time::Duration;

use serde_json::Value;

use super::super::model::{Arrival, Expected, What, expected};
use super::super::world::{EVENTS, Folded, Given, PLANS, World};
use super::harness::Heard;
use super::plan::plan;
use super::sink::{SINKS, claim};
use super::writer::RULES;

/// Delivers the rest and looks at everything; gives a summary.
pub(in crate::attribution) fn check(world: World, folder: &Path, heard: &Heard) -> String {
    for mut file in claim(&*world.store, folder) {
        while file.deliver(&*world.store, 1000, Duration::ZERO) > 0 {}
    }
    let (statistics, latest) = (world.store.statistics(), world.store.latest());
    drop(world);
    let [first, second] = SINKS.map(|name| std::fs::read_to_string(folder.join(name)).unwrap());
    assert!(first == second, "both sinks have the same bytes");
    let records = numbered(&first);
    assert_eq!(latest, records.len() as u64, "all that is stored arrived");
    assert_eq!(statistics.waiting_records, 0);

    let arrivals = arrivals(&records);
    let stored: BTreeSet<_> = arrivals.iter().map(|arrival| id_of(arrival).to_owned()).collect();
    assert_eq!(stored.len(), arrivals.len(), "an id arrived twice");
    let lost: Vec<_> = heard.acknowledged.difference(&stored).take(9).collect();
    assert!(lost.is_empty(), "acknowledged and lost: {lost:?}");
    let unheard: Vec<_> =
        stored.iter().filter(|id| !heard.sent.contains_key(*id)).take(9).collect();
    assert!(unheard.is_empty(), "stored and never sent: {unheard:?}");

    let expect = expected_by_user(&arrivals);
    assert_eq!(fold(&records), expect.folded);
    assert_eq!(statistics.activations, expect.firsts, "{statistics:?}");
    let late = records.len() - arrivals.len();
    format!(
        "{} ids sent in {} calls: {} acknowledged, {} of the calls as repeats; without an answer at a \
         kill: {} had been stored, {} had not, {} unknown to the end; {late} late records, {} credits",
        heard.sent.len(),
        heard.sent.values().sum::<u64>(),
        heard.acknowledged.len(),
        heard.repeats,
        heard.survived,
        heard.gone,
        heard.sent.len() - heard.acknowledged.len(),
        expect.folded.len(),
    )
}

/// The records of a sink's file, whose numbers have no gaps.
fn numbered(lines: &str) -> Vec<Value> {
    let record = |(line, number): (&str, u64)| {
        let (sequence, record) = line.split_once(' ').unwrap();
        assert_eq!(sequence, number.to_string(), "a gap, or a repeat, in a sink's file");
        serde_json::from_str(record).unwrap()
    };
    lines.lines().zip(1..).map(record).collect()
}

fn text<'a>(record: &'a Value, field: &str) -> &'a str {
    record[field].as_str().unwrap_or_else(|| panic!("no {field} in {record}"))
}

fn id_of(arrival: &Arrival) -> &str {
    arrival.given.id.as_deref().unwrap()
}

/// What the records say that arrived: it is what was sent by these ids.
fn arrivals(records: &[Value]) -> Vec<Arrival> {
    let own = records.iter().filter(|record| record["late"] != true);
    own.map(arrival).collect()
}

fn arrival(record: &Value) -> Arrival {
    let (given, what) = plan(text(record, "id"));
    let datafile = PLANS.iter().position(|plan| plan.revision == text(record, "revision")).unwrap();
    let Given { environment, user, time_ms, .. } = &given;
    assert_eq!(text(record, "userId"), user);
    assert_eq!(text(record, "environment"), *environment);
    assert_eq!(record["time"].as_i64(), *time_ms);
    let is_as_sent = match what {
        What::Activation { experiment, variation } => {
            text(record, "experimentId") == experiment && text(record, "variationId") == variation
        }
        What::Event { key } => text(record, "eventKey") == EVENTS[key],
    };
    assert!(is_as_sent, "{record}");
    Arrival { given: given.datafile(datafile), pause_ms: 0, what }
}

/// The model's answer; users have nothing to do with each other, and it is slow.
fn expected_by_user(arrivals: &[Arrival]) -> Expected {
    let mut by_user = BTreeMap::<_, Vec<Arrival>>::new();
    for arrival in arrivals {
        let Given { environment, user, .. } = &arrival.given;
        by_user.entry((environment, user)).or_default().push(arrival.clone());
    }
    let mut all = Expected::default();
    for arrivals in by_user.values() {
        let part = expected(arrivals, &RULES);
        all.folded.extend(part.folded);
        all.firsts += part.firsts;
    }
    all
}

/// Folds credits by id, as a reader of the file would.
fn fold(records: &[Value]) -> Folded {
    let mut latest = BTreeMap::new();
    for record in records {
        for credit in record["credits"].as_array().into_iter().flatten() {
            let before = latest.insert(text(credit, "id"), (text(record, "eventId"), credit));
            assert_eq!(before.is_some(), credit["replaces"] == true, "{record}");
        }
    }
    let standing = latest.into_values().filter(|(_, credit)| credit["withdrawn"] == false);
    let folded = standing.map(|(event_id, credit)| {
        let what = (text(credit, "variationId").into(), credit["activatedAt"].as_i64().unwrap());
        ((event_id.into(), text(credit, "experimentId").into()), what)
    });
    folded.collect()
}
