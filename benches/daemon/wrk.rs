//! wrk, and what it found.
//!
//! Must not know what is asked. The scripts say what wrk found in a line, as `found.lua` has it.

use std::process::Command;

use super::process::Fault;

/// What wrk found.
#[derive(Debug, Clone, Copy, Default)]
pub(crate) struct Found {
    pub(crate) requests: u64,
    pub(crate) per_second: f64,
    pub(crate) p50_us: f64,
    pub(crate) p99_us: f64,
    pub(crate) bad: u64,
}

/// Has one thread of wrk ask; `words` are its other options, the script, the address and what the script is told.
pub(crate) fn run(connections: u64, seconds: &str, words: &[&str]) -> Result<Found, Fault> {
    let output = Command::new("wrk")
        .args(["-t", "1", "-c", &connections.to_string(), "-d", seconds])
        .args(words)
        .output()
        .map_err(|error| format!("wrk cannot be run, install it: {error}"))?;
    let [text, words] = [&output.stdout, &output.stderr].map(|said| String::from_utf8_lossy(said));
    let result = text.lines().find_map(|line| line.strip_prefix("result "));
    let says = || format!("wrk says: {text}{words}");
    let numbers: Vec<u64> =
        result.ok_or_else(says)?.split(' ').map(str::parse).collect::<Result<_, _>>()?;
    let [requests, duration_us, p50_us, p99_us, bad] = numbers[..] else {
        return Err(says().into());
    };
    let per_second = float(requests) * 1e6 / float(duration_us);
    Ok(Found { requests, per_second, p50_us: float(p50_us), p99_us: float(p99_us), bad })
}

#[expect(clippy::cast_precision_loss, reason = "counts are far below 2^53")]
pub(crate) fn float(count: u64) -> f64 {
    count as f64
}
