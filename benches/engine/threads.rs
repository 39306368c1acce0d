//! Decisions on two threads, and while the datafile is swapped.
//!
//! To compare: twice the elements per second is all that a second thread can give, and
//! `benches/peers` measures it against plain arithmetic in the same run.

use std::hint::black_box;
use std::sync::Arc;
use std::sync::atomic::{AtomicBool, Ordering};
use std::thread;

use criterion::{Criterion, Throughput};
use variate::{Client, Datafile, Error};

use crate::world::{ASKED, Audience, EXPERIMENTS, client, datafile_text, ids};

/// Decisions of one thread in one measurement: many, since threads are started in it.
const DECISIONS: usize = 100_000;

pub(crate) fn benches(criterion: &mut Criterion) -> Result<(), Error> {
    let client = client(Audience::Everyone)?;
    let people = ids(DECISIONS);
    let mut group = criterion.benchmark_group("threads");
    group.sample_size(20);
    for threads in [1, 2] {
        group.throughput(Throughput::Elements((threads * DECISIONS) as u64));
        group.bench_function(format!("decisions on {threads}"), |bencher| {
            bencher.iter(|| {
                thread::scope(|scope| {
                    for _ in 0..threads {
                        scope.spawn(|| decide(&client, &people));
                    }
                });
            });
        });
    }
    group.finish();
    swaps(criterion, &client, &people)
}

fn swaps(criterion: &mut Criterion, client: &Client, people: &[String]) -> Result<(), Error> {
    let compiled = || Datafile::compile(datafile_text(EXPERIMENTS, Audience::Everyone));
    let datafiles = [Arc::new(compiled()?.datafile), Arc::new(compiled()?.datafile)];
    let [one, other] = &datafiles;
    let mut group = criterion.benchmark_group("swap");
    let swap_both = || {
        client.swap(Arc::clone(one));
        client.swap(Arc::clone(other));
    };
    while_another_thread(
        || decide(client, people),
        || {
            group.bench_function("two swaps while a thread decides", |bencher| {
                bencher.iter(swap_both)
            })
        },
    );
    while_another_thread(
        || {
            swap_both();
            thread::yield_now();
        },
        || {
            let mut next = people.iter().cycle();
            group.bench_function("decision while a thread swaps", |bencher| {
                bencher
                    .iter(|| next.next().map(|id| client.user(id).get_variation(black_box(ASKED))));
            })
        },
    );
    group.finish();
    Ok(())
}

/// Does `work` for as long as another thread does `load` again and again.
fn while_another_thread<T>(load: impl Fn() + Sync, work: impl FnOnce() -> T) -> T {
    let is_done = AtomicBool::new(false);
    thread::scope(|scope| {
        scope.spawn(|| {
            while !is_done.load(Ordering::Relaxed) {
                load();
            }
        });
        let answer = work();
        is_done.store(true, Ordering::Relaxed);
        answer
    })
}

fn decide(client: &Client, people: &[String]) {
    for id in people {
        let chosen = client.user(black_box(id)).get_variation(black_box(ASKED));
        black_box(chosen.variation_key());
    }
}
