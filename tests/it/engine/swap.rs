//! Swaps under load: whatever a call answers and records, it is of exactly one datafile.

use std::collections::BTreeSet;
use std::sync::Arc;
use std::sync::atomic::{AtomicBool, AtomicU64, Ordering::SeqCst};

use serde_json::json;

use super::world::{World, rule};
use variate::attribution::Record;
use variate::client::Variables;
use variate::value::VariableValue;
use variate::{Datafile, DecideOptions, UserContext};

const SWAPS: u64 = 1000;
const THREADS: usize = 4;
const FLAGS: [&str; 3] = ["one", "two", "three"];

/// A datafile in which everything that can be seen of a decision names the revision: experiment,
/// variation, and the variable, whose default names another revision. Its lists are in an order that
/// changes with the revision, so that an index into another datafile leads elsewhere.
fn datafile(revision: u64) -> Datafile {
    let mark = format!("r{revision}");
    let mut flags = FLAGS.to_vec();
    flags.rotate_left((revision % 3) as usize);
    let experiments = flags.iter().map(|flag| {
        let value = json!([{"id": format!("{flag}-v"), "value": mark}]);
        let filler = json!({"id": format!("{flag}-f"), "key": "filler"});
        let variation = json!({
            "id": format!("{flag}-{mark}"), "key": mark, "featureEnabled": true, "variables": value,
        });
        let mut variations = vec![variation.clone(), filler];
        let at = (revision % 2) as usize;
        variations.swap(0, at);
        let mut experiment = rule(flag, &format!("{flag}-{mark}"), &variations);
        experiment["trafficAllocation"] =
            json!([{"entityId": variation["id"], "endOfRange": 10_000}]);
        experiment
    });
    let text = json!({
        "version": "4", "accountId": "1", "projectId": "2", "revision": mark,
        "experiments": experiments.collect::<Vec<_>>(),
        "featureFlags": flags.iter().map(|flag| json!({
            "id": format!("{flag}-flag"), "key": flag, "rolloutId": "", "experimentIds": [flag],
            "variables": [{"id": format!("{flag}-v"), "key": "mark", "type": "string", "defaultValue": "none"}],
        })).collect::<Vec<_>>(),
    });
    let compiled = Datafile::compile(text.to_string().as_bytes()).unwrap();
    assert!(compiled.findings.is_empty(), "{:?}", compiled.findings);
    compiled.datafile
}

/// The revisions that the answers of one call name.
#[derive(Default)]
struct Marks(BTreeSet<u64>);

impl Marks {
    fn add(&mut self, mark: &str) {
        let revision = mark.rsplit_once('r').and_then(|(_, number)| number.parse().ok());
        self.0.insert(revision.unwrap_or_else(|| panic!("no revision in {mark:?}")));
    }

    fn add_variables(&mut self, variables: &Variables) {
        match variables.get("mark") {
            Some(VariableValue::String(mark)) => self.add(mark),
            other => panic!("{other:?}"),
        }
    }

    /// The one revision that all of them name.
    fn only(&self) -> u64 {
        match self.0.iter().collect::<Vec<_>>().as_slice() {
            [revision] => **revision,
            revisions => panic!("one call answered from the datafiles {revisions:?}"),
        }
    }
}

fn decide_all(user: &UserContext<'_>, options: DecideOptions) -> u64 {
    let decisions = user.decide_all(options);
    let mut marks = Marks::default();
    let mut order: Vec<&str> = decisions.iter().map(|decision| &*decision.flag_key).collect();
    for decision in &decisions {
        marks.add(decision.variation_key.as_deref().unwrap());
        marks.add(decision.rule_key.as_deref().unwrap());
        marks.add_variables(&decision.variables);
        assert!(decision.enabled && !decision.is_error);
    }
    let revision = marks.only();
    order.rotate_right((revision % 3) as usize);
    assert_eq!(order, FLAGS, "the datafile's order in revision {revision}");
    revision
}

fn variables(user: &UserContext<'_>) -> u64 {
    let mut marks = Marks::default();
    marks.add_variables(&user.get_all_feature_variables("two").unwrap());
    marks.only()
}

fn explain(user: &UserContext<'_>) -> u64 {
    let mut marks = Marks::default();
    let text = user.explain("three").unwrap().to_json().to_string();
    for (at, _) in text.match_indices("\"three-r").chain(text.match_indices("\"r")) {
        let word = text[at + 1..].split('"').next().unwrap();
        if word.rsplit_once('r').is_some_and(|(_, number)| number.parse::<u64>().is_ok()) {
            marks.add(word);
        }
    }
    marks.only()
}

/// Each impression names a rule and a variation of its own datafile.
fn check_records(world: &World) -> BTreeSet<u64> {
    let mut revisions = BTreeSet::new();
    for record in world.records() {
        let Record::Impression(record) = &*record else { panic!("{record:?}") };
        let shown = record.shown.as_ref().unwrap();
        let mut marks = Marks::default();
        marks.add(&record.about.project.revision);
        marks.add(&shown.experiment_key);
        marks.add(&shown.variation_key);
        assert_eq!(record.flag_key, Some(shown.experiment_id.clone()));
        revisions.insert(marks.only());
    }
    revisions
}

/// What the threads share.
#[derive(Default)]
struct Course {
    /// The calls made, by thread.
    calls: [AtomicU64; THREADS],
    is_over: AtomicBool,
    /// The latest revision that is in force for sure.
    in_force: AtomicU64,
    /// The latest revision that may be in force.
    announced: AtomicU64,
}

impl Course {
    /// Calls until it is over; gives the revisions seen.
    fn run(&self, world: &World, thread: usize) -> BTreeSet<u64> {
        let id = format!("user {thread}");
        let user = world.client.user(&id);
        let mut seen = BTreeSet::new();
        while !self.is_over.load(SeqCst) {
            let earliest = self.in_force.load(SeqCst);
            let revision = match self.calls[thread].load(SeqCst) % 4 {
                0 => decide_all(&user, DecideOptions::NONE),
                1 => decide_all(&user, DecideOptions::DISABLE_DECISION_EVENT),
                2 => variables(&user),
                _ => explain(&user),
            };
            let latest = self.announced.load(SeqCst);
            assert!(
                (earliest..=latest).contains(&revision),
                "{revision}, not one of {earliest} to {latest}"
            );
            seen.insert(revision);
            self.calls[thread].fetch_add(1, SeqCst);
            // On few cores the others have their turn at once, not after a slice of time.
            std::thread::yield_now();
        }
        seen
    }

    /// Swaps, and after each swap waits until one thread, each in its turn, has begun and ended a
    /// call; a thread that has failed ends it.
    fn swap(&self, world: &World, datafiles: &[Arc<Datafile>], has_failed: impl Fn() -> bool) {
        for (revision, datafile) in (0..).zip(datafiles) {
            self.announced.store(revision, SeqCst);
            world.client.swap(Arc::clone(datafile));
            self.in_force.store(revision, SeqCst);
            let calls = &self.calls[revision as usize % THREADS];
            let enough = calls.load(SeqCst) + 2;
            while calls.load(SeqCst) < enough && !has_failed() {
                std::thread::yield_now();
            }
        }
        self.is_over.store(true, SeqCst);
    }
}

#[test]
fn every_decision_is_of_exactly_one_datafile() {
    let datafiles: Vec<Arc<Datafile>> = (0..=SWAPS).map(|at| Arc::new(datafile(at))).collect();
    let world = &World::with(|builder| builder.datafile(Arc::clone(&datafiles[0])));
    let course = &Course::default();
    let seen: Vec<BTreeSet<u64>> = std::thread::scope(|scope| {
        let threads: Vec<_> =
            (0..THREADS).map(|thread| scope.spawn(move || course.run(world, thread))).collect();
        let has_failed = || threads.iter().any(|thread| thread.is_finished());
        course.swap(world, &datafiles, has_failed);
        threads.into_iter().map(|thread| thread.join().unwrap()).collect()
    });
    for seen in &seen {
        assert!(seen.len() as u64 >= SWAPS / THREADS as u64, "saw {} datafiles", seen.len());
    }
    assert!(check_records(world).len() as u64 > SWAPS / 8);
}
