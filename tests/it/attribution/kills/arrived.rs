//! What arrived at the sinks: all that the store took, once by its id, as the same bytes; the file, once.

use std::collections::BTreeSet;
use std::fmt::Write as _;
use std::fs;
use std::path::Path;
use std::sync::Arc;
use std::time::Duration;

use variate::attribution::Record;
use variate::clock::Stopwatch;
use variate::events::{Delivery, event_api_request, record_json};
use variate::store::{DurableStore, Outbox as _, Store as _};

use super::check::{check_records, numbered, retained_from};
use super::destination::{Destination, REFUSAL};
use super::heard::Heard;
use super::kept::{Element, Kept, of_event_api, of_webhook};
use super::plan::is_poison;
use super::sinks::{MODE, WEBHOOK, file, sinks};
use super::writer::open;

const LONG: Duration = Duration::from_secs(120);

/// Delivers what is left to the destination, which is well now, and looks at everything; gives a summary.
pub(super) fn deliver_and_check(folder: &Path, destination: &Destination, heard: &Heard) -> String {
    let (store, callers) = open(folder);
    // Whoever was killed before is merged now; who was merged before stays as they are.
    for receipt in heard.sent.keys().filter_map(|id| callers.merge(id)) {
        receipt.wait().unwrap();
    }
    let sinks = sinks(folder, destination.port, [200; 3]);
    let delivery = Delivery::start(store.clone(), sinks).unwrap();
    drain(&delivery);
    let records = numbered(retained_from(&store, 1), store.latest());
    let letters = dead_letters_are_poison(&store, &records);
    destination.take_poison();
    assert_eq!(delivery.retry_dead_letters(&letters).unwrap(), letters.len() as u64);
    let since = Stopwatch::start();
    while store.statistics().dead_letters > 0 {
        assert!(since.elapsed() < LONG, "{:?}", delivery.statistics());
        std::thread::sleep(Duration::from_millis(5));
    }
    delivery.shut_down(LONG).unwrap();
    let statistics = store.statistics();
    assert_eq!(statistics.waiting_records, 0);

    the_file_has_all_once(folder, &records);
    let [hook, api] = destination.kept();
    let posted: Vec<String> = records.iter().map(|record| record_json(record)).collect();
    has_all_once("webhook", &hook, of_webhook(&format!("[{}]", posted.join(","))));
    let told = records.iter().filter_map(|record| event_api_request(record, MODE));
    let told = told.flat_map(|request| of_event_api(&request.body.to_string())).collect();
    has_all_once("event API", &api, told);

    let mut words = check_records(&records, &statistics, heard);
    let (hooks, apis) = (hook.repeats, api.repeats);
    let poison = letters.len();
    write!(words, "\n{} records at each sink; repeats: {hooks} at the webhook, {apis} at the event API; {poison} dead letters, sent again", records.len()).unwrap();
    for (what, count) in destination.counts() {
        write!(words, "\n  {count} {what}").unwrap();
    }
    words
}

/// However slow the machine is: as long as less and less is waiting.
fn drain(delivery: &Delivery) {
    let mut waiting_before = u64::MAX;
    while let Err(error) = delivery.drain(LONG) {
        let statistics = delivery.statistics();
        let waiting = statistics.iter().map(|sink| sink.waiting).sum();
        assert!(waiting < waiting_before, "{error}: {statistics:#?}");
        waiting_before = waiting;
    }
}

/// Nothing but poison died, at the webhook alone, and each with words that say why; gives the numbers.
fn dead_letters_are_poison(store: &DurableStore, records: &[Arc<Record>]) -> Vec<u64> {
    let letters = store.dead_letters(0, usize::MAX).unwrap();
    for letter in &letters {
        assert!(letter.sink.as_deref().unwrap().ends_with(WEBHOOK), "{letter:?}");
        assert!(letter.reason.contains(REFUSAL) && letter.reason.contains("400"), "{letter:?}");
    }
    let dead: Vec<String> =
        letters.iter().map(|letter| record_json(letter.record.as_ref().unwrap())).collect();
    let is_poison = |text: &String| {
        let record: serde_json::Value = serde_json::from_str(text).unwrap();
        is_poison(record["eventId"].as_str().or(record["id"].as_str()).unwrap())
    };
    let expect: Vec<String> =
        records.iter().map(|record| record_json(record)).filter(is_poison).collect();
    assert_eq!(dead.len(), expect.len(), "each poison record is one letter");
    let (dead, expect): (BTreeSet<_>, BTreeSet<_>) =
        (dead.into_iter().collect(), expect.into_iter().collect());
    assert!(dead == expect, "all of poison, and nothing else, is dead");
    letters.iter().map(|letter| letter.number).collect()
}

/// The file and those that it was rotated to are the records, line by line.
fn the_file_has_all_once(folder: &Path, records: &[Arc<Record>]) {
    let path = file(folder);
    let rotated = (1..).map(|number| path.with_extension(format!("ndjson.{number}")));
    let mut found = String::new();
    for path in rotated.take_while(|path| path.exists()) {
        found.push_str(&fs::read_to_string(path).unwrap());
    }
    found.push_str(&fs::read_to_string(&path).unwrap());
    let mut lines = found.lines();
    for (record, number) in records.iter().zip(1..) {
        assert_eq!(lines.next(), Some(&*record_json(record)), "the record {number} in the file");
    }
    assert_eq!(lines.next(), None, "behind all records in the file");
}

/// What was kept is this, byte by byte, and the same whenever it came.
fn has_all_once(sink: &str, kept: &Kept, expect: Vec<Element>) {
    assert!(kept.faults.is_empty(), "{sink}: {:?}", &kept.faults[..kept.faults.len().min(5)]);
    let count = expect.len();
    for Element { id, text } in expect {
        let found = kept.records.get(&id).unwrap_or_else(|| panic!("{sink}: {text} is missing"));
        assert_eq!(found.text, text, "{sink}: {id}");
    }
    assert_eq!(kept.records.len(), count, "{sink}: what is kept besides was never stored");
}
