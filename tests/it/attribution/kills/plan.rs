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

/// Ids of this thread are of visitors who turn out to be somebody.
pub(super) const MERGING_THREAD: usize = 7;
/// The first of so many calls in a row activates a visitor; the others are events of the person.
const CALLS_PER_VISITOR: u64 = 4;

/// A visitor who turns out to be a person, in the call with some id.
pub(super) struct Merging {
    pub(super) environment: &'static str,
    pub(super) visitor: String,
    pub(super) person: String,
    /// Whether the call is the visitor's.
    pub(super) is_visitors: bool,
}

pub(super) fn merging(id: &str) -> Option<Merging> {
    let (before, number) = id.rsplit_once('-').unwrap();
    if !before.ends_with(&format!("-{MERGING_THREAD}")) {
        return None;
    }
    let number: u64 = number.parse().unwrap();
    let pair = number / CALLS_PER_VISITOR;
    let is_visitors = number.is_multiple_of(CALLS_PER_VISITOR);
    let environment = if pair.is_multiple_of(2) { "shop" } else { "blog" };
    let [visitor, person] = ["visitor", "person"].map(|who| format!("{who}-{before}-{pair}"));
    Some(Merging { environment, visitor, person, is_visitors })
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
    let merging = merging(id);
    let (environment, user) = match &merging {
        Some(Merging { environment, visitor, is_visitors: true, .. }) => {
            (*environment, visitor.clone())
        }
        Some(Merging { environment, person, .. }) => (*environment, person.clone()),
        None => (environment, user),
    };
    let given = Given { environment, user, id: Some(id.into()), time_ms, attributes, datafile: 0 };
    let is_activation = merging.map_or(draw(3) == 0, |merging| merging.is_visitors);
    let what = match is_activation {
        true => What::Activation {
            experiment: EXPERIMENTS[draw(EXPERIMENTS.len() as u64)],
            variation: VARIATIONS[draw(2)],
        },
        false => What::Event { key: draw(EVENTS.len() as u64) },
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
