//! Which dead letters are to be sent again or dropped: by number, by filter, or all.
//!
//! Must not know what is done with them.

use std::collections::BTreeSet;
use std::ops::ControlFlow;

use anyhow::anyhow;

use super::filter::filter;
use super::scan::each_letter;
use crate::cli::arguments::DeadChoiceArguments;
use crate::cli::failure::Failure;
use crate::store::DurableStore;

/// Dead letters that were chosen.
#[derive(Debug, Default)]
pub(super) struct Chosen {
    /// Those with a record.
    pub(super) whole: Vec<u64>,
    /// Those that stand for records that are gone: shed, or released while their sink was not there.
    pub(super) gone: Vec<u64>,
    /// Numbers given that no dead letter has.
    pub(super) unknown: Vec<u64>,
}

pub(super) fn choose(
    store: &DurableStore,
    arguments: &DeadChoiceArguments,
) -> Result<Chosen, Failure> {
    let filter = filter(&arguments.filter, store)?;
    if arguments.numbers.is_empty() && !arguments.all && filter.is_open() {
        return Err(Failure::usage(anyhow!(
            "which dead letters? give their numbers, a filter such as --sink, or --all"
        )));
    }
    let mut asked: BTreeSet<u64> = arguments.numbers.iter().copied().collect();
    let is_by_number = !asked.is_empty();
    let mut chosen = Chosen::default();
    each_letter(store, &filter, &mut |letter| {
        if !is_by_number || asked.remove(&letter.number) {
            let chosen = if letter.record.is_some() { &mut chosen.whole } else { &mut chosen.gone };
            chosen.push(letter.number);
        }
        let is_done = is_by_number && asked.is_empty();
        Ok(if is_done { ControlFlow::Break(()) } else { ControlFlow::Continue(()) })
    })?;
    chosen.unknown = asked.into_iter().collect();
    Ok(chosen)
}
