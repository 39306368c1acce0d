//! A process that has a store open goes to another folder, or the way to its store leads elsewhere meanwhile: what was
//! acknowledged stays where it is, and nobody else's files are touched.

use std::fs;
use std::path::{Path, PathBuf};
use std::process::Command;
use std::sync::Arc;
use std::time::Duration;

use variate::client::{Client, Track};
use variate::clock::Clock;
use variate::events::{AttributionMode, FileSink};
use variate::store::{DurableSettings, DurableStore, verify};

const WANDERER: &str = "VARIATE_TEST_WANDERER";
const DAY_MS: i64 = 24 * 60 * 60 * 1000;
const LONG: Duration = Duration::from_secs(60);

/// Tracks an event every other day, so that ids are dropped and others begin, and goes elsewhere after the first one.
fn three_days(store: &str, records: &str, go: impl FnOnce()) {
    let clock = Arc::new(Clock::manual(1000));
    // The disk of the machine that tests is its own affair.
    let settings = DurableSettings { reserved_bytes: 0, ..DurableSettings::default() };
    let store = Arc::new(DurableStore::open(store, clock.clone(), settings).unwrap());
    let shop = include_bytes!("../../datafiles/shop.json");
    let datafile = variate::datafile::Datafile::compile(shop).unwrap().datafile;
    let builder = Client::builder().datafile(datafile).clock(clock.clone()).store(store);
    let sink = FileSink::new(records, AttributionMode::Backend);
    let client = builder.sink(sink).build().unwrap();
    let day = |number: i64| {
        clock.advance_to(1000 + number * 2 * DAY_MS);
        let order = format!("order-{number}");
        let track = Track::new("purchase").id(&order);
        client.user("anna").track(track).receipt.wait().unwrap();
        client.drain(LONG).unwrap();
        // Once a second the store lets go of what is over.
        std::thread::sleep(Duration::from_millis(1_500));
    };
    day(0);
    go();
    day(1);
    day(2);
}

/// Of what is below a folder, where it is and what is in it.
fn contents(folder: &Path) -> Vec<(PathBuf, Vec<u8>)> {
    let mut found = Vec::new();
    for entry in fs::read_dir(folder).unwrap() {
        let path = entry.unwrap().path();
        if path.is_dir() {
            found.extend(contents(&path));
        } else {
            found.push((path.clone(), fs::read(path).unwrap()));
        }
    }
    found.sort();
    found
}

/// Three records are in the store and in the file, and both are whole.
fn check(folder: &Path) {
    let verified = verify(folder.join("ledger"), &mut |_, _| {}).unwrap();
    assert!(verified.is_sound(), "{:?}", verified.faults);
    let records = fs::read_to_string(folder.join("records.ndjson")).unwrap();
    let orders: Vec<bool> = (0..3).map(|day| records.contains(&format!("order-{day}"))).collect();
    assert_eq!((orders, records.lines().count()), (vec![true; 3], 3), "{records}");
}

/// Is nothing but the process of the other test.
#[test]
fn wanderer() {
    #[expect(clippy::disallowed_methods, reason = "this is how a test tells its own child")]
    let Some(folder) = std::env::var_os(WANDERER) else { return };
    let folder = PathBuf::from(folder);
    std::env::set_current_dir(folder.join("one")).unwrap();
    three_days("./ledger", "records.ndjson", || {
        std::env::set_current_dir(folder.join("other")).unwrap();
    });
}

#[test]
fn a_process_that_goes_to_another_folder_takes_nothing_along() {
    let folder = tempfile::tempdir().unwrap();
    let [one, other] = ["one", "other"].map(|name| folder.path().join(name));
    fs::create_dir_all(&one).unwrap();
    fs::create_dir_all(&other).unwrap();
    let path = |name: &str| other.join(name).display().to_string();
    three_days(&path("ledger"), &path("records.ndjson"), || {});
    let before = contents(&other);
    let child = Command::new(std::env::current_exe().unwrap())
        .args(["--exact", "elsewhere::wanderer", "--test-threads=1"])
        .env(WANDERER, folder.path())
        .output()
        .unwrap();
    assert!(child.status.success(), "{}", String::from_utf8_lossy(&child.stdout));
    assert!(contents(&other) == before, "nothing of the other's has changed");
    check(&one);
    check(&other);
}

#[cfg(unix)]
#[test]
fn a_link_that_leads_elsewhere_leaves_the_store_where_it_is() {
    let folder = tempfile::tempdir().unwrap();
    let [one, other, link] = ["one", "other", "current"].map(|name| folder.path().join(name));
    fs::create_dir_all(&one).unwrap();
    fs::create_dir_all(&other).unwrap();
    let lead_to = |place: &Path| {
        drop(fs::remove_file(&link));
        std::os::unix::fs::symlink(place, &link).unwrap();
    };
    lead_to(&one);
    let records = one.join("records.ndjson").display().to_string();
    three_days(&link.join("ledger").display().to_string(), &records, || lead_to(&other));
    assert_eq!(contents(&other), []);
    check(&one);
}
