//! Decisions, the user built in each call.

use std::hint::black_box;

use criterion::Criterion;
use variate::{DecideOptions, Error};

use crate::world::{ASKED, Audience, client, ids, known};

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
                let chosen = known(client.user(id), audience).get_variation(black_box(ASKED));
                Some(chosen.variation_key() == Some("treatment"))
            });
        });
        let snapshot = client.snapshot();
        criterion.bench_function(
            &format!("decision/experiment, {name}, snapshot held"),
            |bencher| {
                bencher.iter(|| {
                    let id = black_box(next.next()?);
                    let chosen = known(snapshot.user(id), audience).get_variation(black_box(ASKED));
                    Some(chosen.variation_key() == Some("treatment"))
                });
            },
        );
        let Some(experiment) = snapshot.experiment(ASKED) else { continue };
        criterion.bench_function(&format!("decision/experiment, {name}, looked up"), |bencher| {
            bencher.iter(|| {
                let id = black_box(next.next()?);
                let chosen = experiment.get_variation(&known(snapshot.user(id), audience));
                Some(chosen.variation_key() == Some("treatment"))
            });
        });
        criterion.bench_function(&format!("decision/flag, {name}"), |bencher| {
            bencher.iter(|| {
                let id = black_box(next.next()?);
                Some(known(client.user(id), audience).decide_with(black_box(ASKED), options))
            });
        });
        criterion.bench_function(&format!("decision/all of 100 flags, {name}"), |bencher| {
            bencher.iter(|| {
                let id = black_box(next.next()?);
                Some(known(client.user(id), audience).decide_all(options))
            });
        });
    }
    Ok(())
}
