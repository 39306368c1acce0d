//! What is sent by an id: all of it follows from the id, but for the datafile in force.

use std::hash::{DefaultHasher, Hash, Hasher};
use std::sync::LazyLock;

use super::super::model::What;
use super::super::world::{EVENTS, EXPERIMENTS, Given, VARIATIONS};

/// So many runs share users, which keeps each user's history short.
const RUNS_WITH_THE_SAME_USERS: u64 = 8;
const USERS: u64 = 60;
/// One run in so many has records that a destination refuses for what is in them.
const RUNS_WITH_POISON: u64 = 5;
const RECORDS_PER_POISON: u64 = 60;

/// Of some calls, so that a commit often takes the journal several writes.
static LONG_ATTRIBUTE: LazyLock<String> = LazyLock::new(|| "0123456789abcdef".repeat(800));

/// The id of a thread's call in a run.
pub(crate) fn id(run: u64, thread: usize, number: u64) -> String {
    format!("{run}-{thread}-{number}")
}

pub(crate) fn run_of(id: &str) -> u64 {
    id.split('-').next().unwrap().parse().unwrap()
}

fn hash(salt: u64, id: &str) -> u64 {
    let mut mixed = DefaultHasher::new();
    (salt, id).hash(&mut mixed);
    mixed.finish()
}

/// What is sent by this id, with the first datafile.
pub(in crate::attribution) fn plan(id: &str) -> (Given, What) {
    let mut mixed = hash(0, id);
    let mut draw = |below: u64| {
        let drawn = mixed % below;
        mixed /= below;
        usize::try_from(drawn).unwrap()
    };
    let user = format!("{}-{}", run_of(id) / RUNS_WITH_THE_SAME_USERS, draw(USERS));
    let environment = ["shop", "blog"][draw(5) / 4];
    let time_ms = Some(i64::try_from(draw(1000)).unwrap());
    let attributes = match draw(16) {
        0..8 => None,
        8..15 => Some("phone"),
        _ => Some(LONG_ATTRIBUTE.as_str()),
    };
    let given = Given { environment, user, id: Some(id.into()), time_ms, attributes, datafile: 0 };
    let what = match draw(3) {
        0 => What::Activation {
            experiment: EXPERIMENTS[draw(EXPERIMENTS.len() as u64)],
            variation: VARIATIONS[draw(2)],
        },
        _ => What::Event { key: draw(EVENTS.len() as u64) },
    };
    (given, what)
}

/// Environment and user of the call with this id.
pub(crate) fn user_of(id: &str) -> (&'static str, String) {
    let (given, _) = plan(id);
    (given.environment, given.user)
}

/// Whether the destination refuses what is recorded of the call with this id.
pub(super) fn is_poison(id: &str) -> bool {
    run_of(id) % RUNS_WITH_POISON == 2 && hash(1, id).is_multiple_of(RECORDS_PER_POISON)
}
