//! The store on disk through the client: what is there after a restart, and what is no longer.

use std::path::Path;
use std::sync::Arc;
use std::time::Duration;

use variate::client::{Client, Durability, Track};
use variate::clock::{Clock, Stopwatch};
use variate::events::MemorySink;
use variate::store::{DurableSettings, DurableStore, Store as _};

const DAY_MS: i64 = 24 * 60 * 60 * 1000;

fn settings() -> DurableSettings {
    // The disk of the machine that tests is its own affair.
    DurableSettings { reserved_bytes: 0, ..DurableSettings::default() }
}

fn open(folder: &Path, clock: &Arc<Clock>) -> (Arc<DurableStore>, Client) {
    let store = Arc::new(DurableStore::open(folder, clock.clone(), settings()).unwrap());
    let shop = include_bytes!("../../datafiles/shop.json");
    let datafile = variate::datafile::Datafile::compile(shop).unwrap().datafile;
    let builder = Client::builder().datafile(datafile).store(store.clone());
    (store, builder.durability(Durability::Wait).build().unwrap())
}

#[test]
fn a_disk_without_the_room_in_reserve_is_seen_at_once() {
    let folder = tempfile::tempdir().unwrap();
    let settings = DurableSettings { reserved_bytes: u64::MAX, ..settings() };
    let store = DurableStore::open(folder.path(), Arc::new(Clock::system()), settings).unwrap();
    assert!(store.refusal().unwrap().to_string().contains("kept in reserve"));
}

/// Of what the disk does not have yet when the client goes.
#[test]
fn sinks_get_what_was_recorded_last_before_the_client_goes() {
    let folder = tempfile::tempdir().unwrap();
    let store = DurableStore::open(folder.path(), Arc::new(Clock::system()), settings()).unwrap();
    let shop = include_bytes!("../../datafiles/shop.json");
    let datafile = variate::datafile::Datafile::compile(shop).unwrap().datafile;
    let sink = MemorySink::new();
    let builder = Client::builder().datafile(datafile).store(Arc::new(store)).sink(sink.clone());
    let client = builder.build().unwrap();
    for number in 0..5_000 {
        client.user(&format!("user-{number}")).activate("checkout_button");
    }
    drop(client);
    assert_eq!(sink.take().len(), 5_000);
}

#[test]
fn an_activation_credits_an_event_after_a_restart() {
    let folder = tempfile::tempdir().unwrap();
    let clock = Arc::new(Clock::manual(1000));
    let (store, client) = open(folder.path(), &clock);
    let shown = client.user("anna").activate("checkout_button");
    assert!(shown.variation_key().is_some() && shown.receipt.refusal().is_none());
    drop(shown);
    drop((client, store));
    clock.advance_to(2000);
    let (store, client) = open(folder.path(), &clock);
    let tracked = client.user("anna").track("purchase");
    let credited: Vec<_> =
        tracked.credits.iter().map(|credit| &*credit.experiment.experiment_key).collect();
    assert_eq!(credited, ["checkout_button"]);
    assert_eq!((store.statistics().users, store.statistics().waiting_records), (1, 2));
    assert!(client.forget("anna").unwrap());
    assert_eq!((store.statistics().users, store.statistics().activations), (0, 0));
}

/// Ids of past days are dropped at once, and journals that still name them are no damage.
#[test]
fn ids_of_past_days_are_dropped() {
    let folder = tempfile::tempdir().unwrap();
    let clock = Arc::new(Clock::manual(1000));
    for day in 0..4 {
        clock.advance_to(day * DAY_MS + 1000);
        let (store, client) = open(folder.path(), &clock);
        let track = || client.user("anna").track(Track::new("purchase").id("daily"));
        assert!(!track().duplicate, "day {day}");
        assert!(track().duplicate, "day {day}");
        let waited = Stopwatch::start();
        // An id of yesterday stops being recognised today, and today is not over.
        while store.statistics().ids > 2 && waited.elapsed() < Duration::from_secs(20) {
            std::thread::sleep(Duration::from_millis(50));
        }
        assert_eq!(store.statistics().ids, if day == 0 { 1 } else { 2 }, "day {day}");
    }
}

/// Without sinks, records are kept for their time and then go; the sequence numbers go on.
#[test]
fn records_that_nobody_asked_for_go_when_their_time_is_over() {
    let folder = tempfile::tempdir().unwrap();
    let clock = Arc::new(Clock::manual(1000));
    let (store, client) = open(folder.path(), &clock);
    for _ in 0..5 {
        client.user("anna").track("purchase").receipt.wait().unwrap();
    }
    assert_eq!(store.retained().unwrap().oldest, 1);
    clock.advance_to(1000 + settings().record_retention_ms + 1);
    let waited = Stopwatch::start();
    while store.retained().unwrap().oldest <= 5 && waited.elapsed() < Duration::from_secs(20) {
        std::thread::sleep(Duration::from_millis(50));
    }
    client.user("anna").track("purchase").receipt.wait().unwrap();
    let retained = store.retained().unwrap();
    assert_eq!((retained.oldest, retained.latest, retained.released), (6, 6, 5));
    drop((store, client));
    let verified = variate::store::verify(folder.path(), &mut |_, _| {}).unwrap();
    assert!(verified.faults.is_empty(), "{verified:?}");
}

#[test]
fn a_store_is_open_once() {
    let folder = tempfile::tempdir().unwrap();
    let clock = Arc::new(Clock::system());
    let first = DurableStore::open(folder.path(), clock.clone(), settings()).unwrap();
    let second = DurableStore::open(folder.path(), clock.clone(), settings());
    let error = second.unwrap_err();
    assert!(error.is_store_in_use());
    let said = "is in use by this very process: open it once, and give its clients the same `Arc`";
    assert!(error.to_string().contains(said), "{error}");
    assert_eq!(format!("{error:?}"), error.to_string());
    drop(first);
    DurableStore::open(folder.path(), clock, settings()).unwrap();
}

#[test]
fn a_store_has_a_name() {
    let said = "the path of the store is empty: give a folder";
    assert_eq!(Client::builder().store("").build().unwrap_err().to_string(), said);
    assert_eq!(variate::store::is_there("").unwrap_err().to_string(), said);
}

/// It may be the only folder that a service may write to.
#[test]
fn other_things_may_stand_beside_a_store() {
    let folder = tempfile::tempdir().unwrap();
    let notes = folder.path().join("notes");
    std::fs::write(&notes, "mine").unwrap();
    drop(open(folder.path(), &Arc::new(Clock::system())));
    assert!(variate::store::is_there(folder.path()).unwrap());
    assert_eq!(std::fs::read_to_string(notes).unwrap(), "mine");
}

#[test]
fn errors_show_their_causes_to_those_who_return_them_from_main() {
    let folder = tempfile::tempdir().unwrap();
    let file = folder.path().join("file");
    std::fs::write(&file, "").unwrap();
    let error = Client::builder().store(file.as_path()).build().unwrap_err();
    let cause = std::error::Error::source(&error).unwrap();
    assert_eq!(format!("{error:?}"), format!("{error}: {cause}"));
}
