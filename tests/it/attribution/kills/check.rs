//! What must hold of the records after all the kills: none is missing, none is there twice, none was never
//! sent, and their credits are the plain model's.

use std::collections::{BTreeMap, BTreeSet};
use std::path::Path;
use std::sync::Arc;
use std::time::Duration;

use serde_json::Value;
use variate::attribution::Record;
use variate::events::{Delivery, FileSink, Sink, record_json};
use variate::store::{DurableStore, Outbox as _, Statistics};

use super::super::model::{Arrival, Expected, What, expected};
use super::super::world::{EVENTS, Folded, Given, PLANS, World};
use super::calls::RULES;
use super::heard::Heard;
use super::plan::{merging, plan};
use super::sinks::MODE;

/// Delivers all to two files and looks at everything; gives a summary.
pub(in crate::attribution) fn check(world: World, folder: &Path, heard: &Heard) -> String {
    let records = numbered(world.records(), world.store.latest());
    let files = ["first", "second"].map(|name| folder.join(name));
    let sink = |path| Box::new(FileSink::new(path, MODE)) as Box<dyn Sink>;
    let delivery = Delivery::start(world.store.clone(), files.iter().map(sink).collect()).unwrap();
    delivery.drain(Duration::from_secs(60)).unwrap();
    let lines: String = records.iter().map(|record| record_json(record) + "\n").collect();
    for file in files {
        assert!(std::fs::read_to_string(&file).unwrap() == lines, "{file:?} has all, and once");
    }
    let statistics = world.store.statistics();
    assert_eq!(statistics.waiting_records, 0);
    check_records(&records, &statistics, heard)
}

/// All records of a store, which gives them a page at a time.
pub(crate) fn retained_from(store: &DurableStore, first: u64) -> Vec<(u64, Arc<Record>)> {
    let (mut next, latest) = (first, store.latest());
    let mut records = Vec::new();
    while next <= latest {
        let page = store.retained_records(next, latest);
        assert_eq!(page.unreadable, 0);
        records.extend(page.records);
        next = page.through + 1;
    }
    records
}

/// The records up to the latest, whose numbers have no gaps.
pub(crate) fn numbered(records: Vec<(u64, Arc<Record>)>, latest: u64) -> Vec<Arc<Record>> {
    assert_eq!(records.len() as u64, latest);
    let record = |((number, record), place): ((u64, Arc<Record>), u64)| {
        assert_eq!(number, place, "a gap, or a number twice");
        record
    };
    records.into_iter().zip(1..).map(record).collect()
}

/// Looks at all records of a store; gives a summary.
pub(super) fn check_records(
    records: &[Arc<Record>],
    statistics: &Statistics,
    heard: &Heard,
) -> String {
    let value = |record: &Arc<Record>| serde_json::from_str(&record_json(record)).unwrap();
    check_values(&records.iter().map(value).collect::<Vec<_>>(), statistics, heard)
}

/// The same of records as JSON, which may have no attributes.
pub(crate) fn check_values(records: &[Value], statistics: &Statistics, heard: &Heard) -> String {
    let arrivals = arrivals(records);
    let stored: BTreeSet<_> = arrivals.iter().map(|arrival| id_of(arrival).to_owned()).collect();
    assert_eq!(stored.len(), arrivals.len(), "an id arrived twice");
    let lost: Vec<_> = heard.acknowledged.difference(&stored).take(9).collect();
    assert!(lost.is_empty(), "acknowledged and lost: {lost:?}");
    let unheard: Vec<_> =
        stored.iter().filter(|id| !heard.sent.contains_key(*id)).take(9).collect();
    assert!(unheard.is_empty(), "stored and never sent: {unheard:?}");

    let expect = expected_by_user(&arrivals);
    assert_eq!(fold(records), expect.folded);
    assert_eq!(fold_in_any_order(records), expect.folded);
    assert_eq!(statistics.activations, expect.firsts, "{statistics:?}");
    let late = records.len() - arrivals.len();
    format!(
        "{} ids sent in {} calls: {} acknowledged, {} of the calls as repeats; without an answer at a \
         kill: {} had been stored, {} had not, {} unknown to the end, {} of them stored; {late} late \
         records, {} credits",
        heard.sent.len(),
        heard.sent.values().sum::<u64>(),
        heard.acknowledged.len(),
        heard.repeats,
        heard.survived,
        heard.gone,
        heard.sent.len() - heard.acknowledged.len(),
        stored.len() - heard.acknowledged.len(),
        expect.folded.len(),
    )
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

/// The model's answer; users have nothing to do with each other, and it is slow. What a visitor was activated in is
/// the person's, too, in the end.
fn expected_by_user(arrivals: &[Arrival]) -> Expected {
    let mut by_user = BTreeMap::<_, Vec<Arrival>>::new();
    let mut all = Expected::default();
    for arrival in arrivals {
        let mut arrival = arrival.clone();
        if let Some(merging) = merging(id_of(&arrival)) {
            all.firsts += u64::from(merging.is_visitors);
            arrival.given.user = merging.person;
        }
        let Given { environment, user, .. } = &arrival.given;
        by_user.entry((*environment, user.clone())).or_default().push(arrival);
    }
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
    standing(latest)
}

/// Folds them as a reader must whom records reach in any order, as they do where one was a dead letter: of
/// one id, the credit of the earliest activation stands, at equal times that of the smaller variation.
fn fold_in_any_order(records: &[Value]) -> Folded {
    let mut earliest = BTreeMap::<&str, (&str, &Value)>::new();
    let rank = |credit: &Value| {
        (credit["activatedAt"].as_i64().unwrap(), text(credit, "variationId").to_owned())
    };
    for record in records.iter().rev() {
        for credit in record["credits"].as_array().into_iter().flatten() {
            let found =
                earliest.entry(text(credit, "id")).or_insert((text(record, "eventId"), credit));
            if rank(credit) < rank(found.1) {
                found.1 = credit;
            }
        }
    }
    standing(earliest)
}

fn standing(credits: BTreeMap<&str, (&str, &Value)>) -> Folded {
    let standing = credits.into_values().filter(|(_, credit)| credit["withdrawn"] == false);
    let folded = standing.map(|(event_id, credit)| {
        let what = (text(credit, "variationId").into(), credit["activatedAt"].as_i64().unwrap());
        ((event_id.into(), text(credit, "experimentId").into()), what)
    });
    folded.collect()
}
