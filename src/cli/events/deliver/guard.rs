//! Sinks that the store knows and that are not delivered to: what waits for them would not be kept
//! for them any longer.
//!
//! Must not know how anything is delivered.

use anyhow::anyhow;

use crate::cli::failure::Failure;
use crate::cli::say;
use crate::cli::words::{counted, listed, name};
use crate::store::{DurableStore, Outbox as _};

/// Refuses to pass over a sink that still waits for records, unless it is left out by its name.
pub(super) fn refuse_to_pass_over(
    store: &DurableStore,
    served: &[&str],
    left_out: &[String],
) -> Result<(), Failure> {
    let known = store.cursors().map_err(Failure::store)?;
    let slip = left_out.iter().find(|asked| !known.iter().any(|(sink, _)| **sink == ***asked));
    if let Some(slip) = slip {
        let known = listed(known.iter().map(|(sink, _)| name(sink)));
        let given = name(slip);
        return Err(Failure::unknown_key(format!(
            "the store has no sink {given} to leave out: it knows {known}"
        )));
    }
    for (sink, cursor) in known.iter().filter(|(sink, _)| !served.contains(&&**sink)) {
        let waiting = store.latest().saturating_sub(cursor.through);
        if waiting > 0 && !left_out.iter().any(|asked| **asked == **sink) {
            let waiting = counted(waiting, "record");
            return Err(Failure::usage(anyhow!(
                "sink {sink} still waits for {waiting}, which would not be kept for it any longer: deliver to it as well, or write --leave-out '{sink}'"
            )));
        }
        let asked = store.retried_letters(sink, 0, 1).map_err(Failure::store)?;
        if !asked.is_empty() {
            say(&format!(
                "sink {sink} has dead letters that are to be sent again, and is not delivered to: give it with --sink, too"
            ));
        }
    }
    Ok(())
}
