//! What is said at the end: who got what, how long it took, and how much memory.
//!
//! Must not know how it was done.

use std::fs;
use std::time::Duration;

use super::assign::{Assigner, Column, REASONS};
use super::pipeline::Assigned;
use crate::cli::words::{counted, name};

/// The lines of the summary.
pub(super) fn lines(
    assigner: &Assigner<'_>,
    assigned: &Assigned,
    (elapsed, threads): (Duration, usize),
) -> Vec<String> {
    let counts = &assigned.counts;
    let columns = assigner.columns.iter().zip(&counts.of_columns);
    let mut lines: Vec<_> =
        columns.map(|(column, counts_of)| line(column, counts_of, counts.users)).collect();
    #[expect(clippy::cast_precision_loss, reason = "a speed in words")]
    let millions_per_second = counts.users as f64 / elapsed.as_secs_f64().max(1e-9) / 1e6;
    let memory = peak_memory_kib();
    let memory =
        memory.map_or_else(String::new, |kib| format!(", {} MiB at most", kib.div_ceil(1024)));
    lines.push(format!(
        "{} in {:.2} s: {millions_per_second:.2} million a second, {}{memory}",
        counted(counts.users, "user"),
        elapsed.as_secs_f64(),
        counted(threads as u64, "thread"),
    ));
    lines
}

/// `checkout_button: green 501 (50.1 %), blue 499 (49.9 %), none 0`.
fn line(column: &Column<'_>, counts: &[u64], users: u64) -> String {
    let variations = column.rule.variations().iter().map(|variation| name(variation.key()));
    let reasons = REASONS.iter().map(|reason| format!("none, {reason}:"));
    let said = variations.chain(reasons).zip(counts);
    // A reason that nobody met says nothing; a variation that nobody got does.
    let is_worth_it =
        |place: usize, count: u64| place < column.rule.variations().len() || count > 0;
    let parts = said.enumerate().filter(|(place, (_, count))| is_worth_it(*place, **count));
    let parts =
        parts.map(|(_, (what, count))| format!("{what} {count} ({})", share(*count, users)));
    let parts: Vec<_> = parts.collect();
    format!("{}: {}", name(column.rule.key()), parts.join(", "))
}

fn share(count: u64, of: u64) -> String {
    #[expect(clippy::cast_precision_loss, reason = "a share in words")]
    let percent = if of == 0 { 0.0 } else { count as f64 * 100.0 / of as f64 };
    format!("{percent:.2} %")
}

/// The most memory that the process has had in use, where the system tells.
fn peak_memory_kib() -> Option<u64> {
    let status = fs::read_to_string("/proc/self/status").ok()?;
    let line = status.lines().find_map(|line| line.strip_prefix("VmHWM:"))?;
    line.trim().strip_suffix("kB")?.trim().parse().ok()
}
