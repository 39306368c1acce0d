//! The users that `variate diff` decides for: made up, or those of a file.
//!
//! Must not know what is different.

use std::path::Path;

use parking_lot::Mutex;
use serde_json::Map;

use crate::bulk::Threads;
use crate::cli::arguments::DiffArguments;
use crate::cli::failure::Failure;
use crate::cli::progress::Progress;
use crate::cli::read_call::attributes;
use crate::cli::users::{Block, UsersFile};
use crate::decide::User;
use crate::difference::{Comparison, Sample, Tally};
use crate::threads::on_threads;

/// Decides for the users in both datafiles; `None` where there are to be none.
pub(super) fn tally(
    arguments: &DiffArguments,
    comparison: &Comparison<'_>,
) -> Result<Option<Tally>, Failure> {
    let threads = arguments.threads.unwrap_or_else(|| Threads::All.count());
    match &arguments.users {
        Some(path) => of_file(arguments, path, comparison, threads).map(Some),
        None if arguments.sample == 0 => Ok(None),
        None => Ok(Some(of_sample(arguments, comparison, threads))),
    }
}

fn of_sample(arguments: &DiffArguments, comparison: &Comparison<'_>, threads: usize) -> Tally {
    let given: Map<_, _> = arguments.attribute.iter().cloned().collect();
    let segments: Vec<&str> = arguments.segment.iter().map(String::as_str).collect();
    let sample = Sample {
        users: arguments.sample,
        seed: arguments.seed,
        attributes: &attributes(&given),
        segments: (!segments.is_empty()).then_some(&*segments),
    };
    let progress = Progress::start_steps("users", sample.users).alone_on_the_terminal();
    let progress = Mutex::new(progress);
    let tally = sample.tally(comparison, threads, &|users| progress.lock().add(users, 0));
    progress.into_inner().finish();
    tally
}

/// Each thread takes a block of lines at a time; the first fault of any block ends the work.
fn of_file(
    arguments: &DiffArguments,
    path: &Path,
    comparison: &Comparison<'_>,
    threads: usize,
) -> Result<Tally, Failure> {
    let file = UsersFile::open(path, arguments.input_format, arguments.id_field.as_deref())?;
    let progress = Progress::start_counting("users", file.total_bytes()).alone_on_the_terminal();
    let progress = Mutex::new(progress);
    let (file, sum) = (Mutex::new(file), Mutex::new(Ok(Tally::default())));
    let work = || {
        let done = blocks(&file, comparison, &progress, &|| sum.lock().is_err());
        let mut sum = sum.lock();
        match (&mut *sum, done) {
            (Ok(sum), Ok(tally)) => sum.merge(tally),
            (Ok(_), Err(failure)) => *sum = Err(failure),
            (Err(first), Err((line, message))) if line < first.0 => *first = (line, message),
            (Err(_), _) => {}
        }
    };
    on_threads(threads, work);
    progress.into_inner().finish();
    sum.into_inner().map_err(|(_, failure)| failure)
}

/// A fault and its line, so that the first of several is told. Nothing is read behind a fault of reading,
/// so that it counts as the last line.
type Fault = (u64, Failure);

fn blocks(
    file: &Mutex<UsersFile>,
    comparison: &Comparison<'_>,
    progress: &Mutex<Progress>,
    is_over: &dyn Fn() -> bool,
) -> Result<Tally, Fault> {
    let layout = file.lock().layout().clone();
    let (mut tally, mut block) = (Tally::default(), Block::default());
    while !is_over() && file.lock().next_block(&mut block).map_err(|failure| (u64::MAX, failure))? {
        let mut count = 0_u64;
        layout.read(&block, &mut |(number, user)| {
            let malformed = |fault| (number, Failure::malformed(format!("line {number}: {fault}")));
            let user = user.map_err(malformed)?;
            let user = User::known(&user.id, &user.attributes(), None);
            comparison.count(&user, &mut tally);
            count += 1;
            Ok::<_, Fault>(())
        })?;
        progress.lock().add(count, block.text.len());
    }
    Ok(tally)
}
