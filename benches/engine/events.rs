//! Activations and events, each with its record on its way to a sink that drops it. The sink takes what
//! waits between two measurements.

use std::hint::black_box;
use std::time::Duration;

use criterion::{BatchSize, Criterion, Throughput};
use variate::events::{Batch, Sink, Undelivered};
use variate::{Client, Datafile, Error, Track};

use crate::world::{ASKED, Audience, EVENT, EXPERIMENTS, datafile_text, ids};

/// People of one measurement.
const PEOPLE: usize = 1_000;
/// Long enough for any number of records of one measurement.
const PATIENCE: Duration = Duration::from_secs(60);

struct Nowhere;

impl Sink for Nowhere {
    fn name(&self) -> &str {
        "nowhere"
    }

    fn deliver(&mut self, batch: &Batch) -> Result<(), Undelivered> {
        black_box(batch);
        Ok(())
    }
}

pub(crate) fn benches(criterion: &mut Criterion) -> Result<(), Error> {
    let people = ids(PEOPLE);
    let datafile = Datafile::compile(datafile_text(EXPERIMENTS, Audience::Everyone))?.datafile;
    let client = Client::builder().datafile(datafile).sink(Nowhere).build()?;
    let activate = || people.iter().for_each(|id| drop(client.user(id).activate(black_box(ASKED))));
    let track = || {
        for id in &people {
            let event = Track::new(black_box(EVENT)).revenue_cents(129_900);
            black_box(client.user(id).track(event));
        }
    };
    // A sink that does nothing is never behind for a minute.
    let drain = || drop(client.drain(PATIENCE));
    let forget = || {
        drain();
        for id in &people {
            drop(client.forget(id));
        }
    };
    let mut group = criterion.benchmark_group("events");
    group.throughput(Throughput::Elements(PEOPLE as u64));
    group.bench_function("activate, first, 1000 users", |bencher| {
        bencher.iter_batched(forget, |()| activate(), BatchSize::PerIteration);
    });
    activate();
    group.bench_function("activate, repeated, 1000 users", |bencher| {
        bencher.iter_batched(drain, |()| activate(), BatchSize::PerIteration);
    });
    group.bench_function("track with a credit, 1000 users", |bencher| {
        bencher.iter_batched(drain, |()| track(), BatchSize::PerIteration);
    });
    group.finish();
    Ok(())
}
