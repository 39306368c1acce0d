//! The store on disk by the clock: `durable callers | users | dead-destination FOLDER [NUMBER]`.
//!
//! The folder is not there yet. Nothing is judged: `benches/README.md` has figures.

mod callers;
mod dead_destination;
mod measure;
mod users;

use std::path::PathBuf;

use measure::Fault;

/// As in the command.
#[global_allocator]
static ALLOCATOR: tikv_jemallocator::Jemalloc = tikv_jemallocator::Jemalloc;

const USAGE: &str = "give what to measure, and a folder that is not there yet:
  durable callers FOLDER                      durable calls a second, by how many are in flight
  durable users FOLDER [USERS]                so many users (100 000): look-ups, memory, disk, opening
  durable dead-destination FOLDER [RECORDS]   so many records (200 000) for a sink that is down, then up";

fn main() -> Result<(), Fault> {
    let arguments: Vec<String> =
        std::env::args().skip(1).filter(|argument| argument != "--bench").collect();
    let arguments: Vec<&str> = arguments.iter().map(String::as_str).collect();
    let (what, rest) = arguments.split_first().ok_or(USAGE)?;
    if let ("receive", [port]) = (*what, rest) {
        return dead_destination::receiver::run(port.parse()?);
    }
    let (folder, number) = match rest {
        [folder] => (PathBuf::from(folder), None),
        [folder, number] => (PathBuf::from(folder), Some(number.parse()?)),
        _ => return Err(USAGE.into()),
    };
    if folder.exists() {
        return Err(format!("{} is there already: give another folder", folder.display()).into());
    }
    std::fs::create_dir_all(&folder)?;
    match *what {
        "callers" => callers::run(&folder),
        "users" => users::run(&folder, number.unwrap_or(100_000)),
        "dead-destination" => dead_destination::run(&folder, number.unwrap_or(200_000)),
        _ => Err(USAGE.into()),
    }
}
