//! The store on disk by the clock: `durable FOLDER [USERS]`.
//!
//! In a folder that is not there yet: the disk's own time for a write that lasts, then durable calls a
//! second with so many in flight, beside committing each call alone; then so many users (100 000 without
//! a number) with two activations each, how long looking one up takes, for hits and misses, how much
//! memory and disk that is, and how long opening takes. Nothing is judged: `benches/README.md` has figures.

use std::collections::VecDeque;
use std::error::Error;
use std::fs::File;
use std::io::Write as _;
use std::path::{Path, PathBuf};
use std::sync::Arc;
use std::time::Duration;

use variate::clock::{Clock, Stopwatch};
use variate::store::{DurableSettings, DurableStore, Receipt};
use variate::{Client, Datafile};

type Fault = Box<dyn Error + Send + Sync>;

const EXPERIMENTS: [&str; 2] = ["checkout_button", "free_shipping_banner"];
const EVENT: &str = "purchase";
/// Threads that call; what is in flight is spread over them.
const CALLERS: usize = 2;
const LOOK_UPS: usize = 100_000;

fn main() -> Result<(), Fault> {
    let mut arguments = std::env::args().skip(1).filter(|argument| argument != "--bench");
    let Some(folder) = arguments.next().map(PathBuf::from) else {
        return Err("give a folder that is not there yet: durable FOLDER [USERS]".into());
    };
    let users = arguments.next().map(|text| text.parse()).transpose()?.unwrap_or(100_000);
    if folder.exists() {
        return Err(format!("{} is there already: give another folder", folder.display()).into());
    }
    std::fs::create_dir_all(&folder)?;
    let sync = raw_sync(&folder)?;
    say(&format!(
        "a write of 4 KiB that lasts (fdatasync): {:.0} µs, median",
        sync.as_secs_f64() * 1e6
    ));
    for (in_flight, calls) in [(1, 4_000), (16, 60_000), (256, 300_000)] {
        let place = folder.join(format!("in-flight-{in_flight}"));
        let (_, client) = open(&place)?;
        let watch = Stopwatch::start();
        let done = call_all(&client, calls, in_flight)?;
        let per_second = done as f64 / watch.elapsed().as_secs_f64();
        say(&format!(
            "durable activate and track, {in_flight} in flight: {per_second:.0} calls a second"
        ));
    }
    many_users(&folder.join("many"), users)
}

/// The median time of a small write that lasts.
fn raw_sync(folder: &Path) -> Result<Duration, Fault> {
    let mut file = File::create(folder.join("raw"))?;
    let mut times = Vec::new();
    for _ in 0..500 {
        let watch = Stopwatch::start();
        file.write_all(&[7; 4096])?;
        file.sync_data()?;
        times.push(watch.elapsed());
    }
    Ok(percentile(&mut times, 50))
}

fn open(folder: &Path) -> Result<(Arc<DurableStore>, Client), Fault> {
    let settings = DurableSettings { reserved_bytes: 0, ..DurableSettings::default() };
    let store = Arc::new(DurableStore::open(folder, Arc::new(Clock::system()), settings)?);
    let datafile = Datafile::compile(include_bytes!("../datafiles/shop.json"))?.datafile;
    let client = Client::builder().datafile(datafile).store(Arc::clone(&store)).build()?;
    Ok((store, client))
}

/// Activates new users and tracks an event of each; gives how many calls are durable.
fn call_all(client: &Client, calls: usize, in_flight: usize) -> Result<usize, Fault> {
    let callers = CALLERS.min(in_flight);
    let each = calls / callers / 2;
    let run = |caller: usize| -> Result<usize, Fault> {
        let mut waiting = VecDeque::new();
        let mut done = 0;
        for number in 0..each {
            let id = format!("user-{caller}-{number}");
            let user = client.user(&id).with("country", "SE");
            waiting.push_back(user.activate(EXPERIMENTS[0]).receipt);
            waiting.push_back(user.track(EVENT).receipt);
            done += wait_down_to(&mut waiting, in_flight / callers - 1)?;
        }
        Ok(done + wait_down_to(&mut waiting, 0)?)
    };
    let counts: Vec<_> = std::thread::scope(|scope| {
        let threads: Vec<_> = (0..callers).map(|caller| scope.spawn(move || run(caller))).collect();
        threads.into_iter().map(|thread| thread.join()).collect()
    });
    let mut done = 0;
    for count in counts {
        done += count.map_err(|_| "a caller panicked")??;
    }
    Ok(done)
}

fn wait_down_to(waiting: &mut VecDeque<Receipt>, left: usize) -> Result<usize, Fault> {
    let mut done = 0;
    while waiting.len() > left {
        let Some(receipt) = waiting.pop_front() else { break };
        receipt.wait()?;
        done += 1;
    }
    Ok(done)
}

fn many_users(folder: &Path, users: usize) -> Result<(), Fault> {
    let (store, client) = open(folder)?;
    let watch = Stopwatch::start();
    let mut waiting = VecDeque::new();
    for number in 0..users {
        let id = format!("user-{number:09}");
        let user = client.user(&id).with("country", "SE");
        waiting.extend(EXPERIMENTS.map(|experiment| user.activate(experiment).receipt));
        wait_down_to(&mut waiting, 4096)?;
    }
    wait_down_to(&mut waiting, 0)?;
    say(&format!("{users} users with two activations: {:.1?}", watch.elapsed()));
    drop((store, client));
    let watch = Stopwatch::start();
    let (store, client) = open(folder)?;
    say(&format!("opening: {:.1?}", watch.elapsed()));
    for (what, prefix) in [("hit", "user"), ("miss", "nobody")] {
        let mut times = Vec::with_capacity(LOOK_UPS);
        let mut found = 0;
        for turn in 0..LOOK_UPS {
            // Spread over all of them, in an order without rhyme.
            let id = format!("{prefix}-{:09}", turn.wrapping_mul(7_919_777) % users.max(1));
            let watch = Stopwatch::start();
            found += usize::from(store.held_user(client.environment(), &id)?.is_some());
            times.push(watch.elapsed());
        }
        let (median, late) = (percentile(&mut times, 50), percentile(&mut times, 99));
        say(&format!(
            "look-up, {what}: p50 {median:.1?}, p99 {late:.1?} ({found} of {LOOK_UPS} found)"
        ));
    }
    say(&format!("disk: {} MiB, resident memory: {} MiB", size(folder)? >> 20, resident()? >> 20));
    Ok(())
}

fn percentile(times: &mut [Duration], percent: usize) -> Duration {
    times.sort_unstable();
    times.get(times.len() * percent / 100).copied().unwrap_or_default()
}

/// Bytes of files, holes not counted.
fn size(folder: &Path) -> Result<u64, Fault> {
    use std::os::unix::fs::MetadataExt as _;
    let mut bytes = 0;
    for entry in std::fs::read_dir(folder)? {
        let entry = entry?;
        let metadata = entry.metadata()?;
        bytes += if metadata.is_dir() { size(&entry.path())? } else { metadata.blocks() * 512 };
    }
    Ok(bytes)
}

fn resident() -> Result<u64, Fault> {
    let status = std::fs::read_to_string("/proc/self/status")?;
    let line = status.lines().find_map(|line| line.strip_prefix("VmRSS:")).unwrap_or_default();
    let kibibytes: u64 = line.trim().trim_end_matches(" kB").trim().parse()?;
    Ok(kibibytes << 10)
}

#[expect(clippy::print_stdout, reason = "this is the report")]
fn say(line: &str) {
    println!("{line}");
}
