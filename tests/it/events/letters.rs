//! What an operator sees of sinks and dead letters, and does about them, through the client that a service
//! holds.

use std::sync::atomic::{AtomicBool, Ordering};
use std::sync::{Arc, Mutex, mpsc};
use std::time::Duration;

use variate::attribution::Record;
use variate::client::Client;
use variate::error::Error;
use variate::events::{Batch, Delivery, Pace, Sink, SinkStatus, Undelivered};
use variate::store::{Burial, Cursor, DeadLetter, Outbox, Step};

use super::world::{LONG, SHORT, comes_true, world};

/// Refuses what is about one user, until it is mended; is unavailable when it is closed.
struct Picky {
    is_mended: Arc<AtomicBool>,
    is_closed: Arc<AtomicBool>,
    taken: Arc<Mutex<Vec<String>>>,
}

impl Sink for Picky {
    fn name(&self) -> &str {
        "picky"
    }

    fn pace(&self) -> Pace {
        let longest_back_off = Duration::from_millis(20);
        Pace { longest_back_off, ..Pace::default() }
    }

    fn deliver(&mut self, batch: &Batch) -> Result<(), Undelivered> {
        if self.is_closed.load(Ordering::SeqCst) {
            return Err(Undelivered::unavailable("closed for today"));
        }
        let user = |record: &Record| record.about().user_id.to_string();
        let users: Vec<String> = batch.records().map(user).collect();
        if users.contains(&"poison".into()) && !self.is_mended.load(Ordering::SeqCst) {
            return Err(Undelivered::refused("no such user"));
        }
        self.taken.lock().unwrap().extend(users);
        Ok(())
    }
}

#[test]
fn a_service_shows_what_died_and_sends_it_again() {
    let (is_mended, is_closed) =
        (Arc::new(AtomicBool::new(false)), Arc::new(AtomicBool::new(false)));
    let taken = Arc::new(Mutex::new(Vec::new()));
    let sink =
        Picky { is_mended: is_mended.clone(), is_closed: is_closed.clone(), taken: taken.clone() };
    let builder = Client::builder().datafile(world().datafile).last_drain(SHORT);
    let client = builder.sink(sink).build().unwrap();
    let activate = |users: &[&str]| {
        for user in users {
            client.user(user).activate("plain").receipt.wait().unwrap();
        }
    };
    activate(&["anna", "poison", "bo", "poison"]);
    client.drain(LONG).unwrap();
    // In memory, records of several users may change places.
    let sorted = || {
        let mut taken = taken.lock().unwrap().clone();
        taken.sort_unstable();
        taken
    };
    assert_eq!(sorted(), ["anna", "bo"]);
    let letters = client.dead_letters(0, 10).unwrap();
    let shown: Vec<_> = letters.iter().map(|letter| (letter.number, &*letter.reason)).collect();
    assert_eq!(shown, [(1, "no such user"), (2, "no such user")]);
    assert_eq!(client.dead_letters(1, 10).unwrap().len(), 1);
    assert_eq!(client.dead_letters(0, 1).unwrap().len(), 1);
    let sink = client.statistics().sinks.remove(0);
    assert_eq!((sink.name.as_str(), sink.through, sink.waiting), ("picky", 4, 0));
    assert_eq!((sink.dead_letters, sink.status), (2, SinkStatus::Waiting));
    assert_eq!(sink.last_error.as_deref(), Some("no such user"));

    assert_eq!(client.drop_dead_letters(&[1, 1, 7]).unwrap(), 1);
    assert_eq!(client.statistics().sinks[0].dead_letters, 1, "it is seen at once");
    // While the sink is closed, what was asked for waits, and a drain says so.
    is_closed.store(true, Ordering::SeqCst);
    assert_eq!(client.retry_dead_letters(&[1, 2]).unwrap(), 1);
    let error = client.drain(Duration::from_millis(300)).unwrap_err();
    assert!(error.is_deadline() && error.to_string().starts_with("1 records were"), "{error}");
    assert!(comes_true(|| matches!(
        client.statistics().sinks[0].status,
        SinkStatus::Stopped { .. }
    )));
    // Then it dies again, and after the cause is mended it is taken; a drain waits for either.
    is_closed.store(false, Ordering::SeqCst);
    client.drain(LONG).unwrap();
    let letters = client.dead_letters(0, 10).unwrap();
    assert_eq!((letters.len(), letters[0].number, letters[0].is_retried), (1, 3, false));
    is_mended.store(true, Ordering::SeqCst);
    assert_eq!(client.retry_dead_letters(&[3]).unwrap(), 1);
    client.drain(LONG).unwrap();
    assert!(client.dead_letters(0, 10).unwrap().is_empty());
    assert_eq!(sorted(), ["anna", "bo", "poison"]);
    assert_eq!(client.statistics().sinks[0].dead_letters, 0);
}

#[test]
fn a_client_without_sinks_shows_the_letters_of_others() {
    let world = world();
    world.track_many(2);
    let record = world.store.outbox(0, 1, Duration::ZERO).unwrap().remove(0).1;
    let burial = Burial { sequence: 1, record, reason: "torn".into() };
    world.store.advance("gone", Step { buried: vec![burial], ..Step::default() }).unwrap();
    let builder = Client::builder().datafile(world.datafile.clone()).store(world.store.clone());
    let client = builder.build().unwrap();
    assert_eq!(client.dead_letters(0, 9).unwrap()[0].sink.as_deref(), Some("gone"));
    assert_eq!(client.retry_dead_letters(&[1]).unwrap(), 1);
    assert!(client.dead_letters(0, 9).unwrap()[0].is_retried);
    assert_eq!(client.drop_dead_letters(&[1]).unwrap(), 1);
}

/// Is handed something when it is told to go on.
struct Slow(mpsc::Receiver<()>);

impl Sink for Slow {
    fn name(&self) -> &str {
        "slow"
    }

    fn deliver(&mut self, _: &Batch) -> Result<(), Undelivered> {
        self.0.recv().map_err(|error| Error::sink(error).into())
    }
}

#[test]
fn a_sink_says_since_when_it_works_on_a_batch() {
    let world = world();
    let (go_on, is_free) = mpsc::channel();
    let delivery = world.deliver(vec![Box::new(Slow(is_free))]);
    assert_eq!(delivery.statistics()[0].status, SinkStatus::Waiting);
    world.clock.advance_to(5000);
    world.track_many(1);
    assert!(comes_true(|| delivery.statistics()[0].status != SinkStatus::Waiting));
    world.clock.advance_to(9000);
    let sink = delivery.statistics().remove(0);
    assert_eq!((sink.status, sink.through), (SinkStatus::Delivering { since_ms: 5000 }, 0));
    go_on.send(()).unwrap();
    delivery.drain(LONG).unwrap();
    assert!(comes_true(|| delivery.statistics()[0].status == SinkStatus::Waiting));
    assert_eq!(delivery.statistics()[0].through, 1);
}

/// An outbox of somebody else's, with one letter that is to be sent again and one of records that are gone.
#[derive(Debug)]
struct Foreign {
    letters: Mutex<Vec<DeadLetter>>,
}

impl Outbox for Foreign {
    fn claim_outbox(&self, sinks: &[&str]) -> Result<Vec<Cursor>, Error> {
        Ok(vec![Cursor { through: 9, ..Cursor::default() }; sinks.len()])
    }

    fn return_outbox(&self) {}

    fn outbox(
        &self,
        _: u64,
        _: usize,
        patience: Duration,
    ) -> Result<Vec<(u64, Arc<Record>)>, Error> {
        std::thread::sleep(patience);
        Ok(Vec::new())
    }

    fn advance(&self, _: &str, step: Step) -> Result<(), Error> {
        self.letters.lock().unwrap().retain(|letter| !step.settled.contains(&letter.number));
        Ok(())
    }

    fn release(&self, _: u64) {}

    fn latest(&self) -> u64 {
        9
    }

    fn dead_letters(&self, after: u64, limit: usize) -> Result<Vec<DeadLetter>, Error> {
        let letters = self.letters.lock().unwrap();
        Ok(letters.iter().filter(|letter| letter.number > after).take(limit).cloned().collect())
    }

    fn retried_letters(&self, _: &str, after: u64, limit: usize) -> Result<Vec<DeadLetter>, Error> {
        let letters = self.dead_letters(after, limit)?;
        Ok(letters.into_iter().filter(|letter| letter.is_retried).collect())
    }

    fn count_dead_letters(&self, _: &str) -> u64 {
        self.letters.lock().unwrap().len() as u64
    }

    fn retry_dead_letters(&self, _: &[u64]) -> Result<u64, Error> {
        Ok(0)
    }

    fn drop_dead_letters(&self, _: &[u64]) -> Result<u64, Error> {
        Ok(0)
    }
}

#[test]
fn a_store_of_ones_own_makes_letters() {
    let world = world();
    let record = world.track(world.event("buy"));
    let burial = Burial { sequence: 4, record: record.clone(), reason: "torn".into() };
    let mut letter = DeadLetter::of_burial("memory", burial, 1000);
    assert_eq!((letter.sequence, letter.count, letter.is_retried), (4, 1, false));
    assert_eq!((letter.number, letter.at_ms, &*letter.reason), (0, 1000, "torn"));
    (letter.number, letter.is_retried) = (7, true);
    let mut gone = DeadLetter::of_gone(None, 5..=7, 1000, "shed");
    assert_eq!((gone.sequence, gone.count, gone.record.is_none()), (5, 3, true));
    gone.number = 8;
    let store = Arc::new(Foreign { letters: Mutex::new(vec![letter, gone]) });
    let memory = variate::events::MemorySink::new();
    let delivery = Delivery::start(store.clone(), vec![Box::new(memory.clone())]).unwrap();
    delivery.drain(LONG).unwrap();
    assert_eq!(memory.take(), [record]);
    assert_eq!(store.dead_letters(0, 9).unwrap().len(), 1);
}
