//! A process that says where it listens, and what it holds.
//!
//! Must not know what is asked of it.

use std::error::Error;
use std::io::{BufRead as _, BufReader};
use std::process::{Child, Command, Stdio};

pub(crate) type Fault = Box<dyn Error + Send + Sync>;

/// Starts what says first where it listens: a line each with these names; gives the addresses.
pub(crate) fn start<const N: usize>(
    command: &mut Command,
    names: [&str; N],
) -> Result<(Child, [String; N]), Fault> {
    let mut child = command.stdout(Stdio::piped()).spawn()?;
    let out = child.stdout.take().ok_or("no standard output")?;
    let mut lines = BufReader::new(out).lines();
    let mut addresses = [const { String::new() }; N];
    for (address, name) in addresses.iter_mut().zip(names) {
        let line = lines.next().ok_or("it did not start")??;
        let said = line.strip_prefix(name).ok_or_else(|| format!("it says {line}"))?;
        said.trim().clone_into(address);
    }
    Ok((child, addresses))
}

/// KiB in memory.
pub(crate) fn resident(child: &Child) -> Result<u64, Fault> {
    let text = std::fs::read_to_string(format!("/proc/{}/status", child.id()))?;
    let line = text.lines().find_map(|line| line.strip_prefix("VmRSS:")).unwrap_or_default();
    Ok(line.trim().trim_end_matches(" kB").trim().parse()?)
}

pub(crate) fn median(numbers: impl Iterator<Item = f64>) -> f64 {
    let mut numbers: Vec<f64> = numbers.collect();
    numbers.sort_by(f64::total_cmp);
    numbers.get(numbers.len() / 2).copied().unwrap_or_default()
}

#[expect(clippy::print_stdout, reason = "this is the report")]
pub(crate) fn say(line: &str) {
    println!("{line}");
}
