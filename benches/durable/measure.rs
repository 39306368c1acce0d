//! What all measurements share: a store with its client, receipts that are waited for, memory and disk.

use std::collections::VecDeque;
use std::error::Error;
use std::path::Path;
use std::sync::Arc;
use std::time::Duration;

use variate::clock::Clock;
use variate::store::{DurableSettings, DurableStore, Receipt};
use variate::{Client, ClientBuilder, Datafile};

pub(crate) type Fault = Box<dyn Error + Send + Sync>;

pub(crate) const EXPERIMENTS: [&str; 2] = ["checkout_button", "free_shipping_banner"];
pub(crate) const EVENT: &str = "purchase";

pub(crate) fn open(folder: &Path) -> Result<(Arc<DurableStore>, Client), Fault> {
    let store = open_store(folder)?;
    let client = shop()?.store(Arc::clone(&store)).build()?;
    Ok((store, client))
}

pub(crate) fn open_store(folder: &Path) -> Result<Arc<DurableStore>, Fault> {
    let settings = DurableSettings { reserved_bytes: 0, ..DurableSettings::default() };
    Ok(Arc::new(DurableStore::open(folder, Arc::new(Clock::system()), settings)?))
}

/// A client of the shop, not built yet.
pub(crate) fn shop() -> Result<ClientBuilder, Fault> {
    let datafile = Datafile::compile(include_bytes!("../../datafiles/shop.json"))?.datafile;
    Ok(Client::builder().datafile(datafile))
}

/// Waits for the oldest until so many are left; gives how many are stored.
pub(crate) fn wait_down_to(waiting: &mut VecDeque<Receipt>, left: usize) -> Result<usize, Fault> {
    let mut done = 0;
    while waiting.len() > left {
        let Some(receipt) = waiting.pop_front() else { break };
        receipt.wait()?;
        done += 1;
    }
    Ok(done)
}

pub(crate) fn percentile(times: &mut [Duration], percent: usize) -> Duration {
    times.sort_unstable();
    times.get(times.len() * percent / 100).copied().unwrap_or_default()
}

/// Bytes of files, holes not counted.
pub(crate) fn size(folder: &Path) -> Result<u64, Fault> {
    use std::os::unix::fs::MetadataExt as _;
    let mut bytes = 0;
    for entry in std::fs::read_dir(folder)? {
        let entry = entry?;
        let metadata = entry.metadata()?;
        bytes += if metadata.is_dir() { size(&entry.path())? } else { metadata.blocks() * 512 };
    }
    Ok(bytes)
}

/// Bytes of this process in memory.
pub(crate) fn resident() -> Result<u64, Fault> {
    let kibibytes = number_after("/proc/self/status", "VmRSS:")?;
    Ok(kibibytes << 10)
}

/// How often this process has asked the system to read.
pub(crate) fn reads() -> Result<u64, Fault> {
    number_after("/proc/self/io", "syscr:")
}

fn number_after(path: &str, name: &str) -> Result<u64, Fault> {
    let text = std::fs::read_to_string(path)?;
    let line = text.lines().find_map(|line| line.strip_prefix(name)).unwrap_or_default();
    Ok(line.trim().trim_end_matches(" kB").trim().parse()?)
}

#[expect(clippy::print_stdout, reason = "this is the report")]
pub(crate) fn say(line: &str) {
    println!("{line}");
}
