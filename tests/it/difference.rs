//! What is different between two datafiles: the words, and the people against brute force.
//!
//! Must not know the command; `cli::diff` looks at what it shows.

mod brute_force;
mod edits;
mod every_field;
mod people;
mod words;

use variate::Datafile;

const SHOP: &str = include_str!("../../datafiles/shop.json");

fn compiled(text: &str) -> Datafile {
    Datafile::compile(text).expect("the datafile compiles").datafile
}
