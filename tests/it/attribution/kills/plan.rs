//! What is sent by an id: all of it follows from the id, but for the datafile in force.

use std::hash::{DefaultHasher, Hash, Hasher};

use super::super::model::What;
use super::super::world::{EVENTS, EXPERIMENTS, Given, VARIATIONS};

/// So many runs share users, which keeps each user's history short.
const RUNS_WITH_THE_SAME_USERS: u64 = 8;
const USERS: u64 = 60;

/// The id of a thread's call in a run.
pub(in crate::attribution) fn id(run: u64, thread: usize, number: u64) -> String {
    format!("{run}-{thread}-{number}")
}

/// What is sent by this id, with the first datafile.
pub(in crate::attribution) fn plan(id: &str) -> (Given, What) {
    let run: u64 = id.split('-').next().unwrap().parse().unwrap();
    let mut mixed = DefaultHasher::new();
    id.hash(&mut mixed);
    let mut mixed = mixed.finish();
    let mut draw = |below: u64| {
        let drawn = mixed % below;
        mixed /= below;
        usize::try_from(drawn).unwrap()
    };
    let user = format!("{}-{}", run / RUNS_WITH_THE_SAME_USERS, draw(USERS));
    let environment = ["shop", "blog"][draw(5) / 4];
    let time_ms = Some(i64::try_from(draw(1000)).unwrap());
    let attributes = [None, Some("phone")][draw(2)];
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
