//! Delivery: at least once, in order, each sink at its own pace.

use std::fs;
use std::panic::resume_unwind;
use std::sync::atomic::{AtomicBool, Ordering};
use std::sync::{Arc, mpsc};
use std::time::Duration;

use variate::attribution::Record;
use variate::error::Error;
use variate::events::{
    AttributionMode, Batch, Delivery, FileSink, MemorySink, Sink, SinkStatistics, SinkStatus,
    Undelivered,
};
use variate::store::Outbox as _;

use super::world::{LONG, SHORT, World, comes_true, world};

/// What a sink does instead of its work.
const FAILS: fn() -> Result<(), Undelivered> = || Err(Undelivered::unavailable("closed for today"));
const PANICS: fn() -> Result<(), Undelivered> = || resume_unwind(Box::new("out of ink"));

/// Does what it is told instead of its work, until it is mended.
struct Faulty {
    fault: fn() -> Result<(), Undelivered>,
    is_mended: Arc<AtomicBool>,
    memory: MemorySink,
}

impl Sink for Faulty {
    fn name(&self) -> &str {
        "faulty"
    }

    fn deliver(&mut self, batch: &Batch) -> Result<(), Undelivered> {
        if !self.is_mended.load(Ordering::Relaxed) {
            (self.fault)()?;
        }
        self.memory.deliver(batch)
    }
}

fn start(world: &World, sinks: Vec<Box<dyn Sink>>) -> Delivery {
    world.deliver(sinks)
}

/// Checks delivered, failed (none or some) and waiting records of one sink.
#[track_caller]
fn check(statistics: &SinkStatistics, delivered: u64, has_failed: bool, waiting: u64) {
    let SinkStatistics { failures, last_error, .. } = statistics;
    let got = (statistics.delivered, *failures > 0, last_error.is_some(), statistics.waiting);
    assert_eq!(got, (delivered, has_failed, has_failed, waiting), "{statistics:?}");
    assert_eq!(statistics.oldest_waiting.is_some(), waiting > 0, "{statistics:?}");
}

#[test]
fn everything_arrives_once_and_in_order() {
    let world = world();
    world.track_many(1200);
    let memories = [MemorySink::new(), MemorySink::new()];
    let sinks = memories.iter().map(|memory| Box::new(memory.clone()) as Box<dyn Sink>).collect();
    let delivery = start(&world, sinks);
    world.track_many(1300);
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
    assert_eq!(world.waiting(), 0);
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
        world.track_many(3);
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
        assert_eq!(world.waiting(), 3);
        is_mended.store(true, Ordering::Relaxed);
        world.track_many(2);
        delivery.drain(LONG).unwrap();
        check(&delivery.statistics()[0], 5, true, 0);
        assert_eq!((bad.take().len(), good.take().len()), (5, 5));
        assert_eq!(world.waiting(), 0);
    }
}

#[test]
fn a_folder_that_goes_away_is_waited_for() {
    let world = world();
    let folder = tempfile::tempdir().unwrap();
    let path = folder.path().join("missing/records.ndjson");
    let sink = || Box::new(FileSink::new(&path, AttributionMode::Backend));
    let error = Delivery::start(world.store.clone(), vec![sink()]).unwrap_err();
    assert!(error.to_string().starts_with("cannot append to"), "{error}");

    fs::create_dir(path.parent().unwrap()).unwrap();
    let delivery = start(&world, vec![sink()]);
    fs::remove_dir_all(path.parent().unwrap()).unwrap();
    world.track_many(2);
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
    world.track_many(1);
    // Each time is at least half of 100 ms, 200 ms and so on: behind the sixth failure lie 1.6 s at least.
    assert!(comes_true(|| delivery.statistics()[0].failures >= 6));
    assert!(matches!(delivery.statistics()[0].status, SinkStatus::Stopped { .. }));
    is_mended.store(true, Ordering::Relaxed);
    delivery.drain(Duration::from_secs(1)).unwrap();
    assert_eq!(memory.take().len(), 1);
    assert!(comes_true(|| delivery.statistics()[0].status == SinkStatus::Waiting));
}

#[test]
fn dropping_delivers_what_waits() {
    let world = world();
    let memory = MemorySink::new();
    let delivery = start(&world, vec![Box::new(memory.clone())]);
    world.track_many(700);
    drop(delivery);
    assert_eq!(memory.take().len(), 700);
    // A second delivery goes on where the first one ended.
    let delivery = start(&world, vec![Box::new(memory.clone())]);
    check(&delivery.statistics()[0], 0, false, 0);
    world.track_many(1);
    delivery.drain(LONG).unwrap();
    assert_eq!(memory.take().len(), 1);
}

#[test]
fn shutting_down_keeps_the_rest() {
    let world = world();
    let is_mended = Arc::new(AtomicBool::new(false));
    let faulty =
        || Faulty { fault: FAILS, is_mended: is_mended.clone(), memory: MemorySink::new() };
    let delivery = start(&world, vec![Box::new(faulty())]);
    world.track_many(4);
    assert!(delivery.shut_down(SHORT).unwrap_err().is_deadline());
    assert_eq!((world.waiting(), Arc::strong_count(&world.store)), (4, 1));
    is_mended.store(true, Ordering::Relaxed);
    let delivery = start(&world, vec![Box::new(faulty())]);
    delivery.shut_down(LONG).unwrap();
    assert_eq!(world.waiting(), 0);
}

#[test]
fn a_stuck_sink_holds_nobody_up() {
    struct Stuck(mpsc::Receiver<()>, MemorySink);
    impl Sink for Stuck {
        fn name(&self) -> &str {
            "stuck"
        }

        fn deliver(&mut self, batch: &Batch) -> Result<(), Undelivered> {
            self.0.recv().map_err(Error::sink)?;
            self.1.deliver(batch)
        }
    }
    let world = world();
    let (free, is_free) = mpsc::channel();
    let (slow, fast) = (MemorySink::new(), MemorySink::new());
    let stuck = Stuck(is_free, slow.clone());
    let delivery = start(&world, vec![Box::new(stuck), Box::new(fast.clone())]);
    world.track_many(1);
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
    world.track_many(2);
    delivery.drain(SHORT).unwrap();
    assert_eq!((delivery.statistics().len(), world.waiting()), (0, 2));
    assert_eq!(world.store.latest(), 2);
}

#[test]
fn what_a_file_lost_is_told_also_where_another_sink_stopped_the_start() {
    let folder = tempfile::tempdir().unwrap();
    let path = folder.path().join("r");
    let file = |path: &std::path::Path| -> Box<dyn Sink> {
        Box::new(FileSink::new(path, AttributionMode::Backend))
    };
    let world = world();
    world.track_many(1);
    start(&world, vec![file(&path)]).drain(LONG).unwrap();
    fs::write(&path, "").unwrap();
    let both = vec![file(&path), file(&folder.path().join("nowhere/r"))];
    assert!(Delivery::start(world.store.clone(), both).is_err());
    let delivery = start(&world, vec![file(&path)]);
    let warned = || delivery.statistics().remove(0).last_warning.is_some();
    assert!(comes_true(warned), "{:?}", delivery.statistics());
}
