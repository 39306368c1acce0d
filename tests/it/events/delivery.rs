//! Delivery: at least once, in order, each sink at its own pace.

use std::fs;
use std::panic::resume_unwind;
use std::sync::atomic::{AtomicBool, Ordering};
use std::sync::{Arc, mpsc};
use std::time::Duration;

use variate::attribution::Record;
use variate::error::Error;
use variate::events::{AttributionMode, Delivery, FileSink, MemorySink, Sink, SinkStatistics};
use variate::store::{Outbox as _, Store};

use super::world::{World, world};

const LONG: Duration = Duration::from_secs(20);
const SHORT: Duration = Duration::from_millis(30);

/// What a sink does instead of its work.
const FAILS: fn() -> Result<(), Error> = || Err(Error::sink("closed for today"));
const PANICS: fn() -> Result<(), Error> = || resume_unwind(Box::new("out of ink"));

/// Does what it is told instead of its work, until it is mended.
struct Faulty {
    fault: fn() -> Result<(), Error>,
    is_mended: Arc<AtomicBool>,
    memory: MemorySink,
}

impl Sink for Faulty {
    fn name(&self) -> &str {
        "faulty"
    }

    fn deliver(&mut self, records: &[Arc<Record>]) -> Result<(), Error> {
        if !self.is_mended.load(Ordering::Relaxed) {
            (self.fault)()?;
        }
        self.memory.deliver(records)
    }
}

fn start(world: &World, sinks: Vec<Box<dyn Sink>>) -> Delivery {
    Delivery::start(world.store.clone(), sinks).unwrap()
}

fn track(world: &World, count: usize) {
    for _ in 0..count {
        let mut event = world.event("buy");
        event.envelope = world.envelope(Some(&format!("e-{}", world.store.latest() + 1)), 950);
        let recorded = world.store.record_event("shop", &world.rules, event);
        recorded.receipt.wait().unwrap();
    }
}

/// Checks delivered, failed (none or some) and waiting records of one sink.
#[track_caller]
fn check(statistics: &SinkStatistics, delivered: u64, has_failed: bool, waiting: u64) {
    let SinkStatistics { failures, last_error, .. } = statistics;
    let got = (statistics.delivered, *failures > 0, last_error.is_some(), statistics.waiting);
    assert_eq!(got, (delivered, has_failed, has_failed, waiting), "{statistics:?}");
}

/// Whether a condition becomes true within a long time.
fn comes_true(condition: impl Fn() -> bool) -> bool {
    let pause = Duration::from_millis(5);
    (0..LONG.as_millis() / pause.as_millis()).any(|_| {
        std::thread::sleep(pause);
        condition()
    })
}

#[test]
fn everything_arrives_once_and_in_order() {
    let world = world();
    track(&world, 1200);
    let memories = [MemorySink::new(), MemorySink::new()];
    let sinks = memories.iter().map(|memory| Box::new(memory.clone()) as Box<dyn Sink>).collect();
    let delivery = start(&world, sinks);
    track(&world, 1300);
    delivery.drain(LONG).unwrap();
    for (memory, statistics) in memories.iter().zip(delivery.statistics()) {
        check(&statistics, 2500, false, 0);
        let records = memory.take();
        assert_eq!(records.len(), 2500);
        for (number, record) in (1..).zip(&records) {
            let Record::Conversion(record) = &**record else { panic!("{record:?}") };
            assert_eq!(record.event.about.id.to_string(), format!("e-{number}"));
        }
    }
    assert_eq!(world.store.statistics().waiting_records, 0);
    assert_eq!(Arc::strong_count(&world.store), 4, "ours, the delivery's and one per sink");
    drop(delivery);
    assert_eq!(Arc::strong_count(&world.store), 1, "the threads have ended");
}

#[test]
fn a_failing_sink_holds_nobody_up_and_loses_nothing() {
    for fault in [FAILS, PANICS] {
        let world = world();
        let (good, bad) = (MemorySink::new(), MemorySink::new());
        let is_mended = Arc::new(AtomicBool::new(false));
        let faulty = Faulty { fault, is_mended: is_mended.clone(), memory: bad.clone() };
        let delivery = start(&world, vec![Box::new(faulty), Box::new(good.clone())]);
        track(&world, 3);
        assert!(comes_true(|| {
            let statistics = delivery.statistics();
            statistics[0].failures > 0 && statistics[1].waiting == 0
        }));
        let error = delivery.drain(SHORT).unwrap_err();
        assert!(error.is_deadline());
        assert!(error.to_string().starts_with("3 records were not delivered"), "{error}");
        let statistics = delivery.statistics();
        check(&statistics[0], 0, true, 3);
        check(&statistics[1], 3, false, 0);
        let said = statistics[0].last_error.as_deref().unwrap();
        assert!(said.ends_with("closed for today") || said.ends_with("out of ink"), "{said}");
        assert_eq!(world.store.statistics().waiting_records, 3);
        is_mended.store(true, Ordering::Relaxed);
        track(&world, 2);
        delivery.drain(LONG).unwrap();
        check(&delivery.statistics()[0], 5, true, 0);
        assert_eq!((bad.take().len(), good.take().len()), (5, 5));
        assert_eq!(world.store.statistics().waiting_records, 0);
    }
}

#[test]
fn a_missing_folder_is_tried_again_without_being_asked() {
    let world = world();
    let folder = tempfile::tempdir().unwrap();
    let path = folder.path().join("missing/records.ndjson");
    let sink = FileSink::new(&path, AttributionMode::Backend);
    let delivery = start(&world, vec![Box::new(sink)]);
    track(&world, 2);
    assert!(comes_true(|| delivery.statistics()[0].failures >= 2));
    let said = delivery.statistics()[0].last_error.clone().unwrap();
    assert!(said.starts_with("cannot append to") && said.contains("No such file"), "{said}");
    fs::create_dir(path.parent().unwrap()).unwrap();
    assert!(comes_true(|| delivery.statistics()[0].delivered == 2));
    assert_eq!(fs::read_to_string(&path).unwrap().lines().count(), 2);
}

#[test]
fn drain_asks_a_waiting_sink_at_once() {
    let world = world();
    let is_mended = Arc::new(AtomicBool::new(false));
    let memory = MemorySink::new();
    let faulty = Faulty { fault: FAILS, is_mended: is_mended.clone(), memory: memory.clone() };
    let delivery = start(&world, vec![Box::new(faulty)]);
    track(&world, 1);
    // After 100, 300, 700 and 1500 ms it would be asked again at 3100 ms only.
    std::thread::sleep(Duration::from_millis(1600));
    is_mended.store(true, Ordering::Relaxed);
    delivery.drain(Duration::from_secs(1)).unwrap();
    assert_eq!(memory.take().len(), 1);
}

#[test]
fn dropping_delivers_what_waits() {
    let world = world();
    let memory = MemorySink::new();
    let delivery = start(&world, vec![Box::new(memory.clone())]);
    track(&world, 700);
    drop(delivery);
    assert_eq!(memory.take().len(), 700);
    // A second delivery goes on where the first one ended.
    let delivery = start(&world, vec![Box::new(memory.clone())]);
    check(&delivery.statistics()[0], 0, false, 0);
    track(&world, 1);
    delivery.drain(LONG).unwrap();
    assert_eq!(memory.take().len(), 1);
}

#[test]
fn a_stuck_sink_holds_nobody_up() {
    struct Stuck(mpsc::Receiver<()>, MemorySink);
    impl Sink for Stuck {
        fn name(&self) -> &str {
            "stuck"
        }

        fn deliver(&mut self, records: &[Arc<Record>]) -> Result<(), Error> {
            self.0.recv().map_err(Error::sink)?;
            self.1.deliver(records)
        }
    }
    let world = world();
    let (free, is_free) = mpsc::channel();
    let (slow, fast) = (MemorySink::new(), MemorySink::new());
    let stuck = Stuck(is_free, slow.clone());
    let delivery = start(&world, vec![Box::new(stuck), Box::new(fast.clone())]);
    track(&world, 1);
    assert!(comes_true(|| delivery.statistics()[1].delivered == 1));
    assert!(delivery.drain(SHORT).unwrap_err().is_deadline());
    assert_eq!((slow.take().len(), fast.take().len()), (0, 1));
    free.send(()).unwrap();
    delivery.drain(LONG).unwrap();
    assert_eq!((slow.take().len(), fast.take().len()), (1, 0));
}

#[test]
fn without_sinks_everything_stays() {
    let world = world();
    let delivery = start(&world, Vec::new());
    track(&world, 2);
    delivery.drain(SHORT).unwrap();
    assert_eq!((delivery.statistics().len(), world.store.statistics().waiting_records), (0, 2));
}
