//! What the store on disk does by itself: ids of past days go, also while entries never stop coming, and
//! it opens again afterwards.

use std::path::Path;
use std::sync::Arc;
use std::time::Duration;

use super::durable::settings;
use super::world::{World, given};
use variate::attribution::Rules;
use variate::clock::{Clock, Stopwatch};
use variate::store::DurableStore;

const DAY_MS: i64 = 24 * 3_600_000;

fn open(folder: &Path, now_ms: i64) -> World {
    let clock = Arc::new(Clock::manual(now_ms));
    let store = DurableStore::open(folder, clock.clone(), settings()).unwrap();
    let rules = Rules { repeat_window_ms: DAY_MS, ..Rules::default() };
    World { store: Arc::new(store), clock, rules }
}

#[test]
fn ids_of_past_days_go_and_the_store_opens_again() {
    let folder = tempfile::tempdir().unwrap();
    let mut now_ms = 1000;
    for day in 0..4 {
        let world = open(folder.path(), now_ms);
        for number in 0..50 {
            let given = given().id(&format!("{day} {number}"));
            assert!(!world.track(&given, "free").duplicate);
            assert!(world.track(&given, "free").duplicate, "day {day}");
        }
        now_ms += 3 * DAY_MS;
        world.clock.advance_to(now_ms);
        let started = Stopwatch::start();
        for number in 0.. {
            // Never a second without an entry.
            world.track(&given(), "free");
            if world.store.statistics().ids == 0 {
                break;
            }
            assert!(started.elapsed() < Duration::from_secs(20), "{number} entries later");
            std::thread::sleep(Duration::from_millis(50));
        }
    }
    let world = open(folder.path(), now_ms);
    assert!(!world.track(&given().id("0 0"), "free").duplicate);
}
