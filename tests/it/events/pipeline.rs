//! What the delivery does around sinks: packing, splitting, burying, keeping what was done, telling.

use std::collections::BTreeSet;
use std::panic::resume_unwind;
use std::sync::atomic::{AtomicU64, Ordering};
use std::sync::{Arc, Mutex};
use std::time::Duration;

use variate::attribution::Record;
use variate::client::Listener;
use variate::error::Error;
use variate::events::{
    Batch, BatchNotice, BatchOutcome, Delivery, DeliverySettings, Encoded, MemorySink, Pace, Sink,
    Undelivered,
};
use variate::store::{Cursor, Outbox, Step};

use super::shaky::Shaky;
use super::world::{LONG, SHORT, World, comes_true, world};

type Ids = Vec<String>;
type Deliver = dyn FnMut(&Ids) -> Result<(), Undelivered> + Send;
type Encode = dyn Fn(&str) -> Option<Encoded> + Send;

/// A sink made of functions over the ids of records.
struct Made {
    deliver: Box<Deliver>,
    encode: Box<Encode>,
    pace: Pace,
}

impl Sink for Made {
    fn name(&self) -> &str {
        "made"
    }

    fn deliver(&mut self, batch: &Batch) -> Result<(), Undelivered> {
        (self.deliver)(&batch.records().map(|record| record.id().to_string()).collect())
    }

    fn encode(&self, record: &Record) -> Option<Encoded> {
        (self.encode)(&record.id().to_string())
    }

    fn pace(&self) -> Pace {
        self.pace
    }
}

fn quick(batch_records: usize) -> Pace {
    let first_back_off = Duration::from_millis(2);
    let longest_back_off = Duration::from_millis(10);
    Pace { batch_records, first_back_off, longest_back_off, ..Pace::default() }
}

fn made(
    batch_records: usize,
    encode: impl Fn(&str) -> Option<Encoded> + Send + 'static,
    deliver: impl FnMut(&Ids) -> Result<(), Undelivered> + Send + 'static,
) -> Vec<Box<dyn Sink>> {
    let (deliver, encode) = (Box::new(deliver), Box::new(encode));
    vec![Box::new(Made { deliver, encode, pace: quick(batch_records) })]
}

fn number(id: &str) -> u64 {
    id.strip_prefix("e-").unwrap().parse().unwrap()
}

fn bare(_: &str) -> Option<Encoded> {
    Some(Encoded::default())
}

/// Sorts by the remainder of three.
fn by_three(id: &str) -> Option<Encoded> {
    let context = (number(id) % 3).to_string().into();
    Some(Encoded { text: id.into(), context })
}

/// Checks that of 200 records all but the poisoned are delivered once, and these are dead.
#[track_caller]
fn check(poison: &[u64], batch_records: usize) {
    let world = world();
    world.track_many(200);
    let taken = Arc::new(Mutex::new(Vec::new()));
    let (took, bad) = (taken.clone(), poison.to_vec());
    let sinks = made(batch_records, by_three, move |ids| {
        let mut context: BTreeSet<u64> = ids.iter().map(|id| number(id) % 3).collect();
        assert!(ids.len() <= batch_records && context.pop_first().is_some() && context.is_empty());
        if ids.iter().any(|id| bad.contains(&number(id))) {
            return Err(Undelivered::refused("poisoned"));
        }
        took.lock().unwrap().extend(ids.iter().map(|id| number(id)));
        Ok(())
    });
    let delivery = world.deliver(sinks);
    delivery.drain(LONG).unwrap();
    let mut taken = taken.lock().unwrap().clone();
    taken.sort_unstable();
    let expect: Vec<u64> = (1..=200).filter(|number| !poison.contains(number)).collect();
    assert_eq!(taken, expect);
    let letters = world.store.dead_letters(0, 500).unwrap();
    assert!(letters.iter().all(|letter| &*letter.reason == "poisoned"));
    let dead: BTreeSet<u64> = letters.iter().map(|letter| letter.sequence).collect();
    assert_eq!(dead, poison.iter().copied().collect());
    let statistics = delivery.statistics().remove(0);
    assert_eq!(
        (statistics.delivered, statistics.dead_letters),
        (expect.len() as u64, dead.len() as u64)
    );
    assert_eq!(world.waiting(), 0);
}

#[test]
fn any_poison_dies_alone() {
    check(&[], 50);
    check(&[1], 50);
    check(&[200], 64);
    check(&[3, 4, 5, 6], 7);
    check(&[10, 20, 30, 111], 1);
    check(&[77, 78, 79, 150, 151], 1000);
    check(&(1..=200).collect::<Vec<_>>(), 33);
}

#[test]
fn a_cursor_stays_before_what_is_undone() {
    let world = world();
    world.track_many(30);
    let taken = Arc::new(Mutex::new(Vec::new()));
    let took = taken.clone();
    // Of the three contexts, the one of e-2 is closed.
    let delivery = world.deliver(made(100, by_three, move |ids| {
        if number(&ids[0]) % 3 == 2 {
            return Err(Undelivered::unavailable("closed"));
        }
        took.lock().unwrap().extend(ids.clone());
        Ok(())
    }));
    assert!(comes_true(|| delivery.statistics()[0].failures > 2));
    assert_eq!((world.waiting(), delivery.statistics()[0].waiting), (29, 29));
    drop(delivery.shut_down(SHORT));
    let took = taken.clone();
    let delivery = world.deliver(made(100, by_three, move |ids| {
        took.lock().unwrap().extend(ids.clone());
        Ok(())
    }));
    delivery.drain(LONG).unwrap();
    let taken = taken.lock().unwrap();
    let distinct: BTreeSet<_> = taken.iter().collect();
    assert_eq!((distinct.len(), taken.iter().filter(|id| *id == "e-1").count()), (30, 1));
}

#[test]
fn what_a_sink_does_not_want_is_passed_over() {
    let world = world();
    world.track_many(500);
    let only_the_last = |id: &str| (id == "e-500").then(Encoded::default);
    let delivery = world.deliver(made(7, only_the_last, |ids| {
        assert_eq!(ids, &["e-500"]);
        Ok(())
    }));
    delivery.drain(LONG).unwrap();
    assert_eq!((delivery.statistics()[0].delivered, world.waiting()), (1, 0));
    assert_eq!(delivery.statistics()[0].last_error, None);
}

#[test]
fn a_sink_that_wants_nothing_holds_nothing() {
    let world = world();
    world.track_many(500);
    let delivery = world.deliver(made(7, |_| None, |_| Ok(())));
    delivery.drain(LONG).unwrap();
    assert_eq!((delivery.statistics()[0].delivered, world.waiting()), (0, 0));
}

#[test]
fn a_record_that_cannot_be_encoded_stops_the_sink_until_it_can_or_is_too_old() {
    for is_mended in [true, false] {
        let world = world();
        world.track_many(3);
        let panics = Arc::new(AtomicU64::new(if is_mended { 3 } else { u64::MAX }));
        let left = panics.clone();
        let encode = move |id: &str| {
            if id == "e-2" && left.fetch_sub(1, Ordering::SeqCst) > 0 {
                resume_unwind(Box::new("cannot spell it"));
            }
            Some(Encoded::default())
        };
        let memory = Arc::new(Mutex::new(Vec::new()));
        let took = memory.clone();
        let delivery = world.deliver(made(10, encode, move |ids| {
            took.lock().unwrap().extend(ids.clone());
            Ok(())
        }));
        assert!(comes_true(|| delivery.statistics()[0].failures >= 2));
        let said = delivery.statistics()[0].last_error.clone().unwrap();
        assert_eq!(said, "the sink panicked: cannot spell it");
        world.clock.advance_to(i64::MAX / 2);
        delivery.drain(LONG).unwrap();
        let (taken, dead) = if is_mended { (3, 0) } else { (2, 1) };
        assert_eq!(memory.lock().unwrap().len(), taken);
        assert_eq!(world.store.dead_letters(0, 9).unwrap().len(), dead);
    }
}

#[test]
fn a_store_that_cannot_keep_a_step_is_asked_again_and_the_sink_is_not() {
    let world = world();
    world.track_many(10);
    let memory = MemorySink::new();
    let shaky = Shaky::of(&world, 2);
    let delivery = Delivery::start(shaky, vec![Box::new(memory.clone())]).unwrap();
    delivery.drain(LONG).unwrap();
    assert_eq!(memory.take().len(), 10);
    let statistics = delivery.statistics().remove(0);
    assert_eq!((statistics.failures, statistics.delivered), (2, 10));
    assert!(statistics.last_error.unwrap().ends_with("the store is shaken"));
}

#[test]
fn large_records_are_read_few_at_a_time() {
    let world = world();
    world.track_many(60);
    let text = || "x".repeat(100 << 10);
    let encode = move |_: &str| Some(Encoded { text: text(), ..Encoded::default() });
    let most = Arc::new(AtomicU64::new(0));
    let seen = most.clone();
    let sinks = made(500, encode, move |ids| {
        seen.fetch_max(ids.len() as u64, Ordering::SeqCst);
        Ok(())
    });
    let shaky = Shaky::of(&world, 0);
    let delivery = Delivery::start(shaky.clone(), sinks).unwrap();
    delivery.drain(LONG).unwrap();
    // Ten of 100 KiB are a batch of at most 1 MiB.
    assert_eq!((most.load(Ordering::SeqCst), delivery.statistics()[0].delivered), (10, 60));
    // Ahead of the first page nobody knows how large they are.
    world.track_many(40);
    delivery.drain(LONG).unwrap();
    let limits = shaky.limits.lock().unwrap();
    assert!(limits[0] == 128 && limits[1..].iter().all(|limit| *limit <= 10), "{limits:?}");
}

/// Counts its batches, also over restarts, and does not start from some states.
struct Stateful(u64);

impl Sink for Stateful {
    fn name(&self) -> &str {
        "stateful"
    }

    fn open(&mut self, state: &str) -> Result<(), Error> {
        match state {
            "2" => Err(Error::sink("two is too many")),
            "3" => resume_unwind(Box::new("three!")),
            _ => {
                self.0 = state.parse().unwrap_or(0);
                Ok(())
            }
        }
    }

    fn state(&self) -> String {
        self.0.to_string()
    }

    fn deliver(&mut self, _: &Batch) -> Result<(), Undelivered> {
        self.0 += 1;
        Ok(())
    }
}

#[test]
fn states_are_kept_and_given_back() {
    let world = world();
    drop(world.deliver(vec![Box::new(Stateful(9))]));
    let cursor = world.store.claim_outbox(&["stateful"]).unwrap().remove(0);
    assert_eq!(&*cursor.state, "0", "kept before anything is delivered");
    world.store.return_outbox();
    for _ in 0..2 {
        let delivery = world.deliver(vec![Box::new(Stateful(9))]);
        world.track_many(1);
        delivery.drain(LONG).unwrap();
    }
    let start = || Delivery::start(world.store.clone(), vec![Box::new(Stateful(0))]);
    let error = start().unwrap_err();
    assert_eq!(std::error::Error::source(&error).unwrap().to_string(), "two is too many");
    let cursor = world.store.claim_outbox(&["stateful"]).unwrap().remove(0);
    assert_eq!((cursor.through, &*cursor.state), (2, "2"), "and the outbox was given back");
    let step = Step { cursor: Cursor { state: "3".into(), ..cursor }, ..Step::default() };
    world.store.advance("stateful", step).unwrap();
    world.store.return_outbox();
    let error = start().unwrap_err();
    assert_eq!(std::error::Error::source(&error).unwrap().to_string(), "the sink panicked: three!");
}

/// What listeners are told, in short.
fn line(notice: &BatchNotice<'_>) -> String {
    let error = notice.error.map_or(String::new(), |error| format!(": {error}"));
    format!("{} {} {:?}{error}", notice.sink, notice.records, notice.outcome)
}

#[test]
fn listeners_are_told_of_each_batch() {
    let world = world();
    world.track_many(2);
    let told = Arc::new(Mutex::new(Vec::new()));
    let log = told.clone();
    let mut attempts = 0;
    let sinks = made(10, bare, move |ids| {
        attempts += 1;
        match attempts {
            1 => Err(Undelivered::unavailable("closed")),
            _ if ids.contains(&"e-1".into()) => Err(Undelivered::refused("bad")),
            _ => Ok(()),
        }
    });
    let on_batch = move |notice: &BatchNotice<'_>| {
        log.lock().unwrap().push(line(notice));
        if notice.outcome == BatchOutcome::Refused {
            resume_unwind(Box::new("no bad news"));
        }
    };
    let clock = world.clock.clone();
    let on_batch: Option<Arc<variate::events::BatchListener>> = Some(Arc::new(on_batch));
    let settings = DeliverySettings { clock, on_batch, ..DeliverySettings::default() };
    let delivery = Delivery::start_with(world.store.clone(), sinks, settings).unwrap();
    delivery.drain(LONG).unwrap();
    let closed =
        "the sink did not take the records: mend the cause, and they are delivered again: closed";
    assert_eq!(
        *told.lock().unwrap(),
        [
            format!("made 2 Unavailable: {closed}"),
            "made 2 Refused: bad".into(),
            "made 1 Refused: bad".into(),
            "made 1 Delivered".into(),
        ]
    );
    assert_eq!(delivery.listener_panics(), 2);
}

#[test]
fn listeners_of_a_client_are_told_and_may_panic() {
    #[derive(Default)]
    struct Log(Mutex<Vec<String>>);
    impl Listener for Log {
        fn batch(&self, notice: &BatchNotice<'_>) {
            self.0.lock().unwrap().push(line(notice));
            resume_unwind(Box::new("enough"));
        }
    }
    let log = Arc::new(Log::default());
    let World { datafile, .. } = world();
    let builder = variate::Client::builder().datafile(datafile).last_drain(SHORT);
    let client = builder.listener(log.clone()).sink(MemorySink::new()).build().unwrap();
    client.user("u").activate("plain").receipt.wait().unwrap();
    client.drain(LONG).unwrap();
    assert_eq!(*log.0.lock().unwrap(), ["memory 1 Delivered"]);
    assert_eq!(client.statistics().listener_panics, 1);
}

#[test]
fn a_batch_without_room_for_bytes_has_one_record() {
    let world = world();
    world.track_many(3);
    let sizes = Arc::new(Mutex::new(Vec::new()));
    let told = Arc::clone(&sizes);
    let deliver = move |ids: &Ids| {
        told.lock().unwrap().push(ids.len());
        Ok(())
    };
    let pace = Pace { batch_bytes: 0, ..quick(10) };
    let sink = Made { deliver: Box::new(deliver), encode: Box::new(by_three), pace };
    world.deliver(vec![Box::new(sink)]).drain(LONG).unwrap();
    assert_eq!(*sizes.lock().unwrap(), [1, 1, 1]);
}

#[test]
fn a_dead_letter_goes_to_its_own_sink_only() {
    let world = world();
    world.track_many(1);
    let sinks = || {
        let mut sinks = made(10, bare, |_| Err(Undelivered::refused("never")));
        let memory = MemorySink::new();
        sinks.push(Box::new(memory.clone()));
        (sinks, memory)
    };
    let (both, memory) = sinks();
    let delivery = world.deliver(both);
    delivery.drain(LONG).unwrap();
    assert_eq!(memory.take().len(), 1);
    assert_eq!(delivery.retry_dead_letters(&[1, 5]).unwrap(), 1);
    assert!(comes_true(|| world.store.dead_letters(1, 10).unwrap().len() == 1));
    assert!(memory.take().is_empty());
    // Asked for while nobody delivers, it is found by the next delivery.
    drop(delivery);
    let number = world.store.dead_letters(0, 10).unwrap()[0].number;
    world.store.retry_dead_letters(&[number]).unwrap();
    let delivery = world.deliver(made(10, bare, |_| Ok(())));
    assert!(comes_true(|| world.store.dead_letters(0, 10).unwrap().is_empty()));
    assert!(comes_true(|| delivery.statistics()[0].delivered == 1));
}

/// Finds something on start and in its second batch.
struct Warning(u64);

impl Sink for Warning {
    fn name(&self) -> &str {
        "warning"
    }

    fn deliver(&mut self, _: &Batch) -> Result<(), Undelivered> {
        self.0 += 1;
        Ok(())
    }

    fn warning(&mut self) -> Option<String> {
        let said = [Some("found a hat"), None, Some("found a glove")];
        said.get(usize::try_from(self.0).unwrap())?.map(str::to_owned)
    }
}

#[test]
fn warnings_are_passed_on() {
    let world = world();
    let told = Arc::new(Mutex::new(Vec::new()));
    let log = told.clone();
    let on_batch = move |notice: &BatchNotice<'_>| log.lock().unwrap().push(line(notice));
    let on_batch: Option<Arc<variate::events::BatchListener>> = Some(Arc::new(on_batch));
    let settings = DeliverySettings { on_batch, ..DeliverySettings::default() };
    let sinks: Vec<Box<dyn Sink>> = vec![Box::new(Warning(0))];
    let delivery = Delivery::start_with(world.store.clone(), sinks, settings).unwrap();
    for said in ["found a hat", "found a glove"] {
        assert!(comes_true(|| delivery.statistics()[0].last_warning.as_deref() == Some(said)));
        assert_eq!(delivery.statistics()[0].last_error, None);
        for _ in 0..2 {
            world.track_many(1);
            delivery.drain(LONG).unwrap();
        }
    }
    let delivered = "warning 1 Delivered";
    let expect = [
        "warning 0 Warned: found a hat",
        delivered,
        "warning 0 Warned: found a glove",
        delivered,
        delivered,
        delivered,
    ];
    assert_eq!(*told.lock().unwrap(), expect);
}
