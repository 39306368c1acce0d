//! The command is killed again and again while many ask it: what was answered with 200 is there, once.
//!
//! Must not know how the store keeps it.

#![expect(
    clippy::disallowed_methods,
    reason = "the environment says how often to kill; the summary is for who asked for it"
)]

use std::collections::{BTreeMap, BTreeSet};
use std::fs;
use std::net::SocketAddr;
use std::path::Path;
use std::sync::atomic::{AtomicBool, AtomicU64, Ordering};
use std::time::Duration;

use parking_lot::Mutex;
use rand::rngs::StdRng;
use rand::{RngExt, SeedableRng};
use serde_json::{Value, json};
use variate::store::verify;

use super::SHOP;
use super::http::{Request, try_ask};
use super::process::{Served, start};

/// `VARIATE_HTTP_KILLS=120` for the long form.
const KILLS: &str = "VARIATE_HTTP_KILLS";
const FEW: u64 = 8;
const THREADS: u64 = 8;
/// A start in so many is killed before it listens.
const STARTS_PER_EARLY_KILL: u64 = 5;
const EXPERIMENT: &str = "checkout_button";
const EVENT: &str = "purchase";

/// What became of a call.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
enum Fate {
    /// Sent, and not answered.
    Unknown,
    /// Answered with 200.
    Acknowledged,
}

/// What all who ask know.
#[derive(Debug, Default)]
struct Asked {
    /// By user, who is activated by one call: its fate, and the variation of the answer.
    activations: Mutex<BTreeMap<String, (Fate, Option<String>)>>,
    /// By id of the event: its user, and its fate.
    events: Mutex<BTreeMap<String, (String, Fate)>>,
    repeats: AtomicU64,
    /// Answers that are none of those that were to be expected.
    faults: Mutex<Vec<String>>,
}

#[test]
fn what_was_answered_with_200_outlives_kills() {
    let kills = std::env::var(KILLS).map_or(FEW, |kills| kills.parse().expect(KILLS));
    let folder = tempfile::tempdir().unwrap();
    let file = folder.path().join("records.ndjson");
    let sink = format!("file:{}", file.display());
    let arguments = ["--datafile", SHOP, "--sink", &sink];
    let mut random = StdRng::seed_from_u64(kills);
    let asked = Asked::default();
    for kill in 0..kills {
        let daemon = start(folder.path(), &arguments);
        if kill % STARTS_PER_EARLY_KILL == STARTS_PER_EARLY_KILL - 1 {
            sleep_ms(random.random_range(0..60));
            daemon.kill();
            continue;
        }
        let daemon = daemon.listening();
        let is_over = AtomicBool::new(false);
        std::thread::scope(|scope| {
            for thread in 0..THREADS {
                let (asked, is_over, api) = (&asked, &is_over, daemon.api);
                scope.spawn(move || asked.ask_until(is_over, api, [kill, thread]));
            }
            sleep_ms(random.random_range(20..500));
            daemon.kill();
            is_over.store(true, Ordering::Relaxed);
        });
    }
    let daemon: Served = start(folder.path(), &arguments).listening();
    asked.ask_once_more(daemon.api);
    let (code, said) = daemon.stop();
    assert_eq!(code, Some(0), "{said}");
    assert_eq!(*asked.faults.lock(), Vec::<String>::new());
    println!("{kills} kills; {}", asked.check(&file));
    let verified = verify(folder.path().join("store"), &mut |_, _| {}).unwrap();
    assert!(verified.is_sound(), "{verified:?}");
}

fn sleep_ms(time_ms: u64) {
    std::thread::sleep(Duration::from_millis(time_ms));
}

impl Asked {
    fn ask_until(&self, is_over: &AtomicBool, api: SocketAddr, place: [u64; 2]) {
        let [kill, thread] = place;
        let mut random = StdRng::seed_from_u64(kill * THREADS + thread);
        let mut number = 0;
        while !is_over.load(Ordering::Relaxed) {
            number += 1;
            let name = format!("{kill}-{thread}-{number}");
            match random.random_range(0..10) {
                0..4 => self.activate(api, &name),
                4 => drop(ask(api, "decide?keys=search", &json!({ "userId": name }))),
                5 => self.track_again(api, &mut random),
                _ => self.track(api, &name, &self.some_user(&mut random, &name)),
            }
        }
    }

    /// Events whose fate is not known, and some that were acknowledged.
    fn ask_once_more(&self, api: SocketAddr) {
        let events = self.events.lock().clone();
        for (at, (id, (user, fate))) in events.iter().enumerate() {
            if *fate == Fate::Unknown || at % 50 == 0 {
                self.track(api, id, user);
            }
        }
    }

    fn activate(&self, api: SocketAddr, user: &str) {
        self.activations.lock().insert(user.to_owned(), (Fate::Unknown, None));
        let what = format!("activate?experimentKey={EXPERIMENT}");
        let body = json!({ "userId": user, "userAttributes": { "country": "SE", "age": 34 } });
        let Some(answer) = self.answer(api, &what, &body) else { return };
        let variation = answer[0]["variationKey"].as_str().map(str::to_owned);
        self.activations.lock().insert(user.to_owned(), (Fate::Acknowledged, variation));
    }

    fn track(&self, api: SocketAddr, id: &str, user: &str) {
        let before = self.events.lock().get(id).map(|(_, fate)| *fate);
        let fate = before.unwrap_or(Fate::Unknown);
        self.events.lock().insert(id.to_owned(), (user.to_owned(), fate));
        let body = json!({ "userId": user, "eventId": id });
        let what = format!("track?eventKey={EVENT}");
        let Some(answer) = self.answer(api, &what, &body) else { return };
        self.events.lock().insert(id.to_owned(), (user.to_owned(), Fate::Acknowledged));
        if before.is_some() {
            self.repeats.fetch_add(1, Ordering::Relaxed);
        }
        if before == Some(Fate::Acknowledged) && answer["duplicate"] != true {
            self.faults.lock().push(format!("{id} was acknowledged before: {answer}"));
        }
    }

    fn track_again(&self, api: SocketAddr, random: &mut StdRng) {
        let chosen = {
            let events = self.events.lock();
            let at = random.random_range(0..events.len().max(1));
            events.iter().nth(at).map(|(id, (user, _))| (id.clone(), user.clone()))
        };
        if let Some((id, user)) = chosen {
            self.track(api, &id, &user);
        }
    }

    /// Mostly one whose activation is over, whatever became of it.
    fn some_user(&self, random: &mut StdRng, stranger: &str) -> String {
        let users = self.activations.lock();
        let at = random.random_range(0..users.len() + 1 + users.len() / 8);
        let chosen = users.iter().nth(at).filter(|(_, (fate, _))| *fate == Fate::Acknowledged);
        chosen.map_or_else(|| format!("stranger {stranger}"), |(user, _)| user.clone())
    }

    /// The answer of a recording request, if that was acknowledged.
    fn answer(&self, api: SocketAddr, what: &str, body: &Value) -> Option<Value> {
        let (status, answer) = ask(api, what, body)?;
        match status {
            200 => Some(answer),
            // It had room for no more, and said so.
            503 => None,
            _ => {
                self.faults.lock().push(format!("{what} {body}: {status} {answer}"));
                None
            }
        }
    }

    /// Holds what the sink has against what was answered; gives a summary.
    fn check(&self, file: &Path) -> String {
        let text = fs::read_to_string(file).unwrap();
        let records = text.lines().map(|line| serde_json::from_str::<Value>(line).unwrap());
        let (impressions, conversions): (Vec<_>, Vec<_>) =
            records.partition(|record| record["type"] == "impression");
        let shown = self.check_impressions(&impressions);
        self.check_conversions(&conversions, &shown);
        let acknowledged = |fates: &mut dyn Iterator<Item = Fate>| {
            fates.filter(|fate| *fate == Fate::Acknowledged).count()
        };
        let activations = self.activations.lock();
        let events = self.events.lock();
        assert!(!shown.is_empty() && !conversions.is_empty(), "nothing was stored at all");
        format!(
            "{} of {} activations and {} of {} events acknowledged, {} events sent again; the file has {} impressions and {} conversions",
            acknowledged(&mut activations.values().map(|(fate, _)| *fate)),
            activations.len(),
            acknowledged(&mut events.values().map(|(_, fate)| *fate)),
            events.len(),
            self.repeats.load(Ordering::Relaxed),
            impressions.len(),
            conversions.len(),
        )
    }

    /// Each acknowledged activation is there once, each other one at most once, and nothing else; gives
    /// users with what they were shown.
    fn check_impressions(&self, impressions: &[Value]) -> BTreeMap<String, String> {
        let asked = self.activations.lock();
        let mut shown = BTreeMap::new();
        for impression in impressions {
            let user = impression["userId"].as_str().unwrap();
            // A decision of a flag is reported as well.
            if impression["experimentKey"] != EXPERIMENT {
                continue;
            }
            let (_, answered) = asked.get(user).unwrap_or_else(|| panic!("invented: {impression}"));
            let variation = impression["variationKey"].as_str().unwrap();
            assert!(
                answered.as_deref().is_none_or(|answered| answered == variation),
                "{impression}"
            );
            let before = shown.insert(user.to_owned(), variation.to_owned());
            assert_eq!(before, None, "twice: {impression}");
        }
        for (user, (fate, variation)) in &*asked {
            let is_lost = *fate == Fate::Acknowledged
                && variation.as_deref().is_some_and(|variation| !variation.is_empty())
                && !shown.contains_key(user);
            assert!(!is_lost, "acknowledged and lost: the activation of {user}");
        }
        shown
    }

    /// An event is there once if its user was activated, with what the user was shown, else not at all.
    fn check_conversions(&self, conversions: &[Value], shown: &BTreeMap<String, String>) {
        let asked = self.events.lock();
        let mut there = BTreeSet::new();
        for conversion in conversions {
            let id = conversion["eventId"].as_str().unwrap();
            let (user, _) = asked.get(id).unwrap_or_else(|| panic!("invented: {conversion}"));
            assert_eq!(conversion["userId"], **user);
            assert!(there.insert(id.to_owned()), "twice: {conversion}");
            let credit = &conversion["credits"][0];
            assert_eq!(credit["experimentKey"], EXPERIMENT, "{conversion}");
            assert_eq!(credit["variationKey"].as_str(), shown.get(user).map(String::as_str));
        }
        for (id, (user, fate)) in &*asked {
            let is_lost =
                *fate == Fate::Acknowledged && shown.contains_key(user) && !there.contains(id);
            assert!(!is_lost, "acknowledged and lost: the event {id} of {user}");
        }
    }
}

/// Status and body of an answer that came whole.
fn ask(api: SocketAddr, what: &str, body: &Value) -> Option<(u16, Value)> {
    let request = Request::new(&format!("POST /v1/{what}")).body(&body.to_string());
    let answer = try_ask(api, &request).ok()?;
    let length = answer.header("content-length")?.parse();
    if length != Ok(answer.body.len()) {
        return None;
    }
    Some((answer.status, serde_json::from_str(&answer.body).ok()?))
}
