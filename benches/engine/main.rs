//! The benches of the engine, by criterion: `cargo bench --bench engine`, and a name after `--` for some.
//!
//! They show how a change moves a part on one machine. How far ahead of its peers the engine is, is
//! measured in `benches/peers`; what CI holds are the counts of instructions and allocations.

mod datafile;
mod decisions;
mod events;
mod hash;
mod threads;
#[path = "../world.rs"]
mod world;

use criterion::Criterion;

fn main() -> Result<(), variate::Error> {
    let mut criterion = Criterion::default().configure_from_args();
    hash::benches(&mut criterion);
    decisions::benches(&mut criterion)?;
    events::benches(&mut criterion)?;
    datafile::benches(&mut criterion)?;
    threads::benches(&mut criterion)?;
    criterion.final_summary();
    Ok(())
}
