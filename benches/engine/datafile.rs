//! From text to the compiled form, for a datafile of a megabyte.

use std::hint::black_box;

use criterion::{Criterion, Throughput};
use variate::{Datafile, Error};

use crate::world::{Audience, datafile_text};

/// So many experiments and flags are about a megabyte of text.
const EXPERIMENTS: usize = 2_000;

pub(crate) fn benches(criterion: &mut Criterion) -> Result<(), Error> {
    let text = datafile_text(EXPERIMENTS, Audience::TwoConditions);
    Datafile::compile(&text)?;
    let mut group = criterion.benchmark_group("datafile");
    group.sample_size(20);
    group.throughput(Throughput::Bytes(text.len() as u64));
    let name = format!("compile, {:.2} MB", text.len() as f64 / 1e6);
    group.bench_function(name, |bencher| bencher.iter(|| Datafile::compile(black_box(&text))));
    group.finish();
    Ok(())
}
