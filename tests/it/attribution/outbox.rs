//! What every store's outbox must do: letters that sinks and people handle at once, and sinks that come and go.

use std::sync::Arc;
use std::time::Duration;

use super::world::{MakeStore, World, given, memory, world};
use variate::attribution::{Record, Rules};
use variate::store::{Burial, Cursor, DeadLetter, Step};

#[test]
fn memory_store_keeps_its_outbox() {
    CLAUSES.iter().for_each(|clause| clause(&memory));
}

#[cfg(feature = "durable")]
#[test]
fn durable_store_keeps_its_outbox() {
    CLAUSES.iter().for_each(|clause| clause(&super::durable::durable));
}

const CLAUSES: [fn(MakeStore<'_>); 6] = [
    counts_a_letter_once,
    gives_a_sink_what_is_to_be_delivered_again,
    adds_up_what_sinks_and_people_do_at_once,
    loses_nothing_of_a_sink_that_was_left_out_in_silence,
    begins_a_new_sink_behind_what_is_released,
    keeps_what_a_sink_does_not_have,
];

/// A world with so many records.
pub(super) fn with_records(make: MakeStore<'_>, records: u64) -> World {
    let world = world(make, Rules::default());
    more_records(&world, records);
    world
}

pub(super) fn more_records(world: &World, records: u64) {
    let receipts: Vec<_> =
        (0..records).map(|_| world.try_track(&given(), "free").receipt).collect();
    receipts.into_iter().for_each(|receipt| receipt.wait().unwrap());
}

/// Moves a sink to a record, which it has seen.
pub(super) fn has_through(world: &World, sink: &str, through: u64) {
    assert!(world.store.latest() >= through);
    let cursor = Cursor { through, state: Box::default() };
    world.store.advance(sink, Step { cursor, ..Step::default() }).unwrap();
}

/// Records after one, however many pages they are.
pub(super) fn all_after(world: &World, after: u64) -> Vec<(u64, Arc<Record>)> {
    let mut all: Vec<(u64, Arc<Record>)> = Vec::new();
    loop {
        let after = all.last().map_or(after, |(sequence, _)| *sequence);
        let page = world.store.outbox(after, usize::MAX, Duration::ZERO).unwrap();
        if page.is_empty() {
            return all;
        }
        all.extend(page);
    }
}

/// A sink buries records up to and including one, each alone.
pub(super) fn bury(world: &World, sink: &str, sequences: impl IntoIterator<Item = u64>) {
    let records = all_after(world, 0);
    let record = |sequence| &records.iter().find(|(number, _)| *number == sequence).unwrap().1;
    for sequence in sequences {
        let burial =
            Burial { sequence, record: Arc::clone(record(sequence)), reason: "never".into() };
        let cursor = Cursor { through: sequence, state: Box::default() };
        world.store.advance(sink, Step { cursor, buried: vec![burial], settled: vec![] }).unwrap();
    }
}

fn settle(world: &World, sink: &str, through: u64, settled: Vec<u64>) {
    let cursor = Cursor { through, state: Box::default() };
    world.store.advance(sink, Step { cursor, buried: vec![], settled }).unwrap();
}

fn letters(world: &World) -> Vec<DeadLetter> {
    world.store.dead_letters(0, usize::MAX).unwrap()
}

fn counts_a_letter_once(make: MakeStore<'_>) {
    let world = with_records(make, 3);
    world.store.claim_outbox(&["one"]).unwrap();
    bury(&world, "one", 1..=3);
    assert_eq!(world.store.retry_dead_letters(&[1, 1, 9, 1]).unwrap(), 1);
    assert_eq!(world.store.drop_dead_letters(&[2, 2, 9]).unwrap(), 1);
    assert_eq!((letters(&world).len(), world.store.statistics().dead_letters), (2, 2));
    settle(&world, "one", 3, vec![1, 1, 2, 9]);
    assert_eq!((letters(&world).len(), world.store.statistics().dead_letters), (1, 1));
}

fn gives_a_sink_what_is_to_be_delivered_again(make: MakeStore<'_>) {
    let world = with_records(make, 9);
    world.store.claim_outbox(&["one", "on", "one\u{1}"]).unwrap();
    bury(&world, "one", 1..=6);
    bury(&world, "on", 7..=8);
    bury(&world, "one\u{1}", [9]);
    let asked = |sink: &str, after, limit| -> Vec<u64> {
        let letters = world.store.retried_letters(sink, after, limit).unwrap();
        assert!(letters.iter().all(|one| one.is_retried && one.sink.as_deref() == Some(sink)));
        letters.iter().map(|letter| letter.number).collect()
    };
    let count = |sink: &str| world.store.count_dead_letters(sink);
    assert_eq!((asked("one", 0, 9), count("one"), count("on"), count("no")), (vec![], 6, 2, 0));
    assert_eq!(world.store.retry_dead_letters(&[7, 9, 5, 2, 4]).unwrap(), 5);
    assert_eq!(asked("one", 0, 9), [2, 4, 5]);
    assert_eq!((asked("one", 2, 1), asked("one", 5, 9)), (vec![4], vec![]));
    assert_eq!((asked("on", 0, 9), asked("one\u{1}", 0, 9)), (vec![7], vec![9]));
    let flags = letters(&world).iter().filter(|letter| letter.is_retried).count();
    assert_eq!(flags, 5, "people see what is to be delivered again");
    settle(&world, "one", 9, vec![2, 7]);
    assert_eq!(world.store.drop_dead_letters(&[1, 4]).unwrap(), 2);
    assert_eq!((asked("one", 0, 9), asked("on", 0, 9)), (vec![5], vec![7]), "each its own");
    assert_eq!((count("one"), count("on"), count("one\u{1}")), (3, 2, 1));
    assert_eq!(world.store.statistics().dead_letters, 6);
}

fn adds_up_what_sinks_and_people_do_at_once(make: MakeStore<'_>) {
    const LETTERS: u64 = 150;
    let world = &with_records(make, LETTERS + 1);
    world.store.claim_outbox(&["one"]).unwrap();
    bury(world, "one", 1..=LETTERS);
    std::thread::scope(|scope| {
        scope
            .spawn(|| (1..=LETTERS).for_each(|number| settle(world, "one", LETTERS, vec![number])));
        scope.spawn(|| {
            for number in 1..=LETTERS {
                world.store.retry_dead_letters(&[number, LETTERS + 1 - number]).unwrap();
            }
        });
        scope.spawn(|| {
            for number in (1..=LETTERS).rev().step_by(2) {
                world.store.drop_dead_letters(&[number]).unwrap();
            }
        });
    });
    assert_eq!(letters(world), [], "what is done with stays done with");
    bury(world, "one", [LETTERS + 1]);
    assert_eq!(world.store.statistics().dead_letters, 1);
    assert_eq!(letters(world)[0].number, LETTERS + 1);
}

/// One sink is left out of a run, in which the other takes records: when it returns, it has them, or is
/// told how many it will never have.
fn loses_nothing_of_a_sink_that_was_left_out_in_silence(make: MakeStore<'_>) {
    let world = with_records(make, 10);
    world.store.claim_outbox(&["here", "away"]).unwrap();
    has_through(&world, "here", 10);
    has_through(&world, "away", 4);
    world.store.return_outbox();

    world.store.claim_outbox(&["here"]).unwrap();
    more_records(&world, 10);
    has_through(&world, "here", 20);
    assert_eq!(world.store.statistics().waiting_records, 0, "who is not there is not waited for");
    world.store.return_outbox();

    let begin = world.store.claim_outbox(&["here", "away"]).unwrap();
    assert_eq!(begin[0].through, 20);
    let read = all_after(&world, begin[1].through);
    let told = letters(&world);
    let gone: u64 = told.iter().map(|letter| letter.count).sum();
    assert_eq!(read.len() as u64 + gone, 16, "{told:?}");
    for letter in &told {
        assert_eq!((letter.sink.as_deref(), &letter.record), (Some("away"), &None));
        assert_eq!((letter.sequence, letter.sequence + letter.count - 1), (5, begin[1].through));
    }
    assert_eq!(world.store.statistics().waiting_records, read.len() as u64);
    has_through(&world, "away", 20);
    assert_eq!(world.store.statistics().waiting_records, 0);
}

fn begins_a_new_sink_behind_what_is_released(make: MakeStore<'_>) {
    let world = with_records(make, 3);
    assert_eq!(world.store.claim_outbox(&["one"]).unwrap()[0].through, 0);
    has_through(&world, "one", 2);
    world.store.return_outbox();
    let begin = world.store.claim_outbox(&["new", "one"]).unwrap();
    assert_eq!((begin[0].through, begin[1].through), (2, 2));
    world.store.return_outbox();
    // It took nothing, and is remembered all the same.
    world.store.claim_outbox(&["one"]).unwrap();
    has_through(&world, "one", 3);
    world.store.return_outbox();
    let begin = world.store.claim_outbox(&["new"]).unwrap()[0].through;
    let gone: u64 = letters(&world).iter().map(|letter| letter.count).sum();
    assert_eq!(all_after(&world, begin).len() as u64 + gone, 1);
}

/// Whatever is said to be of no use any more, and however far a sink says that it was before.
fn keeps_what_a_sink_does_not_have(make: MakeStore<'_>) {
    let world = with_records(make, 5);
    world.store.claim_outbox(&["one", "two"]).unwrap();
    has_through(&world, "one", 5);
    has_through(&world, "two", 3);
    has_through(&world, "two", 1);
    world.store.release(5);
    let numbers: Vec<_> = all_after(&world, 0).iter().map(|(sequence, _)| *sequence).collect();
    assert_eq!(numbers, [4, 5]);
    world.store.return_outbox();
    let begin = world.store.claim_outbox(&["two"]).unwrap();
    assert_eq!(begin[0].through, 3, "a cursor never goes back");
}
