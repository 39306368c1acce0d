//! Where a line must end at the latest: what has no line ends, as `/dev/zero`, is no reason to fill the memory.
//!
//! Must not know what stands on lines.

use std::io::{self, BufRead, Read as _};

/// A line must end within this many bytes.
pub(super) const MOST_LINE_BYTES: usize = 16 * 1024 * 1024;

/// A line as it was read.
pub(super) enum Line {
    /// So many bytes, its end included; none behind the last one.
    Whole(usize),
    Endless,
}

/// Reads a line with its end, which the last one may lack.
pub(super) fn read_to_line_end(input: &mut dyn BufRead, line: &mut Vec<u8>) -> io::Result<Line> {
    line.clear();
    let most = u64::try_from(MOST_LINE_BYTES).unwrap_or(u64::MAX);
    let length = input.take(most.saturating_add(1)).read_until(b'\n', line)?;
    let is_endless = length > MOST_LINE_BYTES && !line.ends_with(b"\n");
    Ok(if is_endless { Line::Endless } else { Line::Whole(length) })
}

/// What is said of a line without an end.
pub(super) fn endless(line: u64, remedy: &str) -> String {
    format!("line {line} does not end within 16 MiB: {remedy}")
}
