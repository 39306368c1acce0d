//! A disk that is full: callers are told, deciding goes on, nothing acknowledged is lost, and work is
//! taken up again when there is room.

#![expect(clippy::print_stderr, reason = "says what it found, or why it looks at nothing")]

mod callers;
mod disk;

use std::path::Path;
use std::sync::Arc;
use std::sync::atomic::Ordering;
use std::time::Duration;

use super::kills::calls::RULES;
use super::kills::check::check;
use super::kills::heard::Heard;
use super::world::World;
use callers::{Callers, in_words};
use disk::SmallDisk;
use variate::Client;
use variate::clock::{Clock, Stopwatch};
use variate::error::Error;
use variate::store::{Cursor, DurableSettings, DurableStore, Step};

const DISK_MEBIBYTES: usize = 96;
const RESERVED_MEBIBYTES: usize = 64;

fn open(disk: &SmallDisk, reserved_mebibytes: u64) -> Result<World, Error> {
    let reserved_bytes = reserved_mebibytes << 20;
    let settings = DurableSettings { reserved_bytes, ..DurableSettings::default() };
    open_with(disk, DurableSettings { memtable_bytes: 1 << 20, ..settings })
}

fn open_with(disk: &SmallDisk, settings: DurableSettings) -> Result<World, Error> {
    let clock = Arc::new(Clock::system());
    let store = DurableStore::open(disk.path().join("store"), clock.clone(), settings)?;
    Ok(World { store: Arc::new(store), clock, rules: RULES })
}

/// However fast callers are, the room that is to be left is left: it is looked at while they write.
fn the_reserve_is_left(disk: &SmallDisk) {
    let (reserved, callers) = (DISK_MEBIBYTES / 2, 4);
    let world = &open(disk, reserved as u64).unwrap();
    let large = "0123456789abcdef".repeat(1 << 14).leak();
    let track = |user: usize| {
        let given = super::world::given().user(&user.to_string()).attributes(large);
        while world.try_track(&given, "buy").receipt.wait().is_ok() {}
    };
    std::thread::scope(|scope| {
        for user in 0..callers {
            scope.spawn(move || track(user));
        }
    });
    let free = disk.free_mebibytes();
    assert!(free as usize + 12 > reserved, "{free} MiB are left, of {reserved} in reserve");
}

/// Decides, which asks the store to record: refused there, answered here.
fn assert_deciding_goes_on(world: &World) {
    let datafile = include_str!("../../../../datafiles/shop.json");
    let client = Client::builder().store(Arc::clone(&world.store));
    let client = client.datafile(variate::Datafile::compile(datafile.as_bytes()).unwrap().datafile);
    let client = client.build().unwrap();
    let started = Stopwatch::start();
    let activated = client.user("somebody").activate("checkout_button");
    assert!(activated.chosen.variation_key().is_some(), "{activated:?}");
    assert!(started.elapsed() < Duration::from_secs(1), "{:?}", started.elapsed());
    assert!(activated.receipt.wait().is_err(), "the disk is full");
}

fn refusals(callers: &Callers, disk: &Path) -> String {
    let refusals = callers.refusals.lock();
    let words: Vec<_> =
        refusals.iter().map(|words| words.replace(disk.to_str().unwrap(), "DISK")).collect();
    words.join("\n")
}

/// The disk is filled up to the reserve, and room is made again.
fn up_to_the_reserve(disk: &SmallDisk, heard: &mut Heard) {
    let callers = Callers::default();
    let world = &open(disk, RESERVED_MEBIBYTES as u64).unwrap();
    callers.beside(world, 0, heard, || {
        callers.wait_for("stored", &callers.stored, 100);
        disk.take(DISK_MEBIBYTES - RESERVED_MEBIBYTES);
        callers.wait_for("refused", &callers.refused, 20);
        assert_deciding_goes_on(world);
        disk.give_back();
        callers.wait_for("stored", &callers.stored, 100);
        assert!(world.store.flush(Duration::from_secs(20)).is_ok());
    });
    let words = refusals(&callers, disk.path());
    let numberless: String =
        words.chars().map(|letter| if letter.is_ascii_digit() { '#' } else { letter }).collect();
    insta::assert_snapshot!("reserve", numberless.replace("##", "#"));
    assert_eq!(
        callers.stored_though_refused.into_inner(),
        0,
        "refused before anything was written"
    );
}

/// The disk is filled to the last byte, by another file and by the store itself, again and again.
fn to_the_last_byte(disk: &SmallDisk, heard: &mut Heard) -> String {
    let callers = Callers::of_large_entries();
    for run in 1..9 {
        let world = &open(disk, 0).unwrap();
        callers.beside(world, run, heard, || {
            callers.wait_for("stored", &callers.stored, 30 * run);
            if run % 2 == 0 {
                // The last of it goes to the store itself, in the midst of whatever it does.
                disk.leave(run);
            } else {
                disk.fill();
            }
            callers.wait_for("refused", &callers.refused, 10);
            disk.give_back();
            callers.wait_for("stored", &callers.stored, 30);
        });
    }
    let words = refusals(&callers, disk.path());
    // What the engine's own threads meet first is told otherwise, and so is what comes while the store is being
    // opened again; there is not always any of it.
    let mut kinds = words.split("\nthis was");
    insta::assert_snapshot!("last_byte", kinds.next().unwrap_or_default());
    for other in kinds {
        let is_known = ["in the background", "it is being opened again after a failure"];
        assert!(is_known.iter().any(|known| other.contains(known)), "{other}");
    }
    assert_eq!(callers.stored_though_refused.load(Ordering::Relaxed), 0, "{callers:?}");
    format!(
        "{:?} stored, {:?} refused, slowest call {:?}",
        callers.stored,
        callers.refused,
        callers.slowest()
    )
}

/// Closing does not wait for room, and opening says what is wrong.
fn closes_and_opens_while_full(disk: &SmallDisk) {
    let world = open(disk, 0).unwrap();
    disk.fill();
    let started = Stopwatch::start();
    while world.try_track(&super::world::given(), "buy").receipt.wait().is_ok() {}
    drop(world);
    assert!(started.elapsed() < Duration::from_secs(10), "{:?}", started.elapsed());
    if let Err(error) = open(disk, 0) {
        eprintln!("opened while full: {}", in_words(&error));
    }
    disk.give_back();
}

/// A sink that has taken nothing yet is waited for, also when the store was opened again meanwhile.
fn a_new_sink_misses_nothing(disk: &SmallDisk) {
    let world = open(disk, 0).unwrap();
    let store = &*world.store;
    let after = store.latest();
    let begin = store.claim_outbox(&["quick", "new"]).unwrap();
    let take = || world.try_track(&super::world::given(), "buy").receipt.wait();
    take().unwrap();
    disk.fill();
    while take().is_ok() {}
    disk.give_back();
    let started = Stopwatch::start();
    while take().is_err() {
        assert!(started.elapsed() < Duration::from_secs(20));
        std::thread::sleep(Duration::from_millis(10));
    }
    assert!(store.flush(Duration::from_secs(20)).is_ok());
    let step = |through| Step { cursor: Cursor { through, state: "".into() }, ..Step::default() };
    store.advance("quick", step(store.latest())).unwrap();
    let records = store.outbox(begin[1].through, usize::MAX, Duration::ZERO).unwrap();
    let numbers: Vec<u64> = records.iter().map(|(sequence, _)| *sequence).collect();
    assert_eq!(numbers, (after + 1..=store.latest()).collect::<Vec<_>>());
}

/// Much waits in memory to be put in order, for which there is no room: callers do not wait for it.
fn what_cannot_be_put_in_order_holds_up_nobody(disk: &SmallDisk) {
    let large = super::world::given().attributes(callers::padding());
    let settings = DurableSettings { reserved_bytes: 0, ..DurableSettings::default() };
    let roomy = DurableSettings { memtable_bytes: 64 << 20, ..settings };
    let world = open_with(disk, roomy).unwrap();
    let track =
        |user: usize| world.try_track(&large.clone().user(&user.to_string()), "buy").receipt;
    let receipts: Vec<_> = (0..4000).map(track).collect();
    receipts.into_iter().for_each(|receipt| receipt.wait().unwrap());
    drop(world);
    disk.leave(1);
    let world = open(disk, 0).unwrap();
    let (sender, answers) = std::sync::mpsc::channel();
    std::thread::spawn(move || {
        let answer = |_| sender.send(world.try_track(&super::world::given(), "buy").receipt.wait());
        while (0..50).map(answer).all(|sent| sent.is_ok()) {}
    });
    let mut refused = 0;
    while refused < 20 {
        let answer = answers.recv_timeout(Duration::from_secs(20));
        refused += u64::from(answer.expect("an answer, whatever it is").is_err());
    }
    disk.give_back();
    let started = Stopwatch::start();
    while answers.recv_timeout(Duration::from_secs(20)).expect("an answer again").is_err() {
        assert!(started.elapsed() < Duration::from_secs(20), "work is taken up again");
    }
}

#[test]
#[ignore = "needs root to mount a small tmpfs"]
fn a_full_disk_loses_nothing_and_is_got_over() {
    let Some(disk) = SmallDisk::mount(DISK_MEBIBYTES) else {
        return eprintln!("NOT RUN: a small tmpfs cannot be mounted here, which needs root");
    };
    let mut heard = Heard::default();
    up_to_the_reserve(&disk, &mut heard);
    let summary = to_the_last_byte(&disk, &mut heard);
    let sinks = tempfile::tempdir().unwrap();
    let checked = check(open(&disk, 0).unwrap(), sinks.path(), &heard);
    println!("{summary}\n{checked}");
    a_new_sink_misses_nothing(&disk);
    what_cannot_be_put_in_order_holds_up_nobody(&SmallDisk::mount(DISK_MEBIBYTES).unwrap());
    the_reserve_is_left(&SmallDisk::mount(DISK_MEBIBYTES).unwrap());
    closes_and_opens_while_full(&disk);
}
