//! Decisions, the user built in each call.

use std::hint::black_box;

use criterion::Criterion;
use variate::{DecideOptions, Error};

use crate::world::{ASKED, Audience, client, ids, user};

pub(crate) fn benches(criterion: &mut Criterion) -> Result<(), Error> {
    let people = ids(1_000);
    let options = DecideOptions::DISABLE_DECISION_EVENT | DecideOptions::EXCLUDE_VARIABLES;
    let worlds = [("no audience", Audience::Everyone), ("audience", Audience::TwoConditions)];
    for (name, audience) in worlds {
        let client = client(audience)?;
        let mut next = people.iter().cycle();
        criterion.bench_function(&format!("decision/experiment, {name}"), |bencher| {
            bencher.iter(|| {
                let id = black_box(next.next()?);
                let chosen = user(&client, id, audience).get_variation(black_box(ASKED));
                Some(chosen.variation_key() == Some("treatment"))
            });
        });
        criterion.bench_function(&format!("decision/flag, {name}"), |bencher| {
            bencher.iter(|| {
                let id = black_box(next.next()?);
                Some(user(&client, id, audience).decide_with(black_box(ASKED), options))
            });
        });
        criterion.bench_function(&format!("decision/all of 100 flags, {name}"), |bencher| {
            bencher.iter(|| {
                let id = black_box(next.next()?);
                Some(user(&client, id, audience).decide_all(options))
            });
        });
    }
    Ok(())
}
