//! Durable calls a second: by how many are in flight, beside the disk's own time for a write that lasts,
//! and beside committing each call alone.

use std::collections::VecDeque;
use std::fs::File;
use std::io::Write as _;
use std::path::Path;
use std::sync::Mutex;
use std::time::Duration;

use variate::Client;
use variate::clock::Stopwatch;

use super::measure::{EVENT, EXPERIMENTS, Fault, open, percentile, say, wait_down_to};

/// Threads that call, where receipts are waited for later: what is in flight is spread over them.
const CALLERS: usize = 2;

pub(crate) fn run(folder: &Path) -> Result<(), Fault> {
    let sync = raw_sync(folder)?;
    say(&format!(
        "a write of 4 KiB that lasts (fdatasync): {:.0} µs, median",
        sync.as_secs_f64() * 1e6
    ));
    // Several rounds, all kinds in turn: disks have moods.
    for round in 1..=3 {
        say(&format!("round {round}, durable calls a second (half activate, half track):"));
        let place = |name: &str| folder.join(format!("{name}-{round}"));
        alone(&place("alone"), 4_000)?;
        for (in_flight, calls) in [(1, 4_000), (16, 60_000), (256, 300_000)] {
            let (_, client) = open(&place(&format!("receipts-{in_flight}")))?;
            let watch = Stopwatch::start();
            let done = with_receipts(&client, calls, in_flight)?;
            report(&format!("{in_flight} in flight, receipts waited for later"), done, &watch);
        }
        for (threads, calls) in [(1, 4_000), (16, 30_000), (256, 150_000)] {
            let (_, client) = open(&place(&format!("threads-{threads}")))?;
            let watch = Stopwatch::start();
            let done = with_threads(&client, calls, threads)?;
            report(&format!("{threads} in flight, a thread waiting for each"), done, &watch);
        }
    }
    Ok(())
}

fn report(what: &str, done: usize, watch: &Stopwatch) {
    let per_second = done as f64 / watch.elapsed().as_secs_f64();
    say(&format!("  {what}: {per_second:.0}"));
}

/// The median time of a small write that lasts.
fn raw_sync(folder: &Path) -> Result<Duration, Fault> {
    let mut file = File::create(folder.join("raw"))?;
    let mut times = Vec::new();
    for _ in 0..1_000 {
        let watch = Stopwatch::start();
        file.write_all(&[7; 4096])?;
        file.sync_data()?;
        times.push(watch.elapsed());
    }
    Ok(percentile(&mut times, 50))
}

/// 256 threads that take turns: each call is committed before the next one is made.
fn alone(folder: &Path, calls: usize) -> Result<(), Fault> {
    let (_, client) = open(folder)?;
    let turn = Mutex::new(());
    let watch = Stopwatch::start();
    let done = on_threads(256, |caller| {
        let mut done = 0;
        for number in 0..calls / 256 / 2 {
            let id = format!("user-{caller}-{number}");
            let user = client.user(&id).with("country", "SE");
            for is_event in [false, true] {
                let _turn = turn.lock().map_err(|_| "a caller panicked")?;
                let receipt = if is_event {
                    user.track(EVENT).receipt
                } else {
                    user.activate(EXPERIMENTS[0]).receipt
                };
                receipt.wait()?;
                done += 1;
            }
        }
        Ok(done)
    })?;
    report("256 callers, each call committed alone", done, &watch);
    Ok(())
}

/// Activates new users and tracks an event of each; gives how many calls are durable.
fn with_receipts(client: &Client, calls: usize, in_flight: usize) -> Result<usize, Fault> {
    let callers = CALLERS.min(in_flight);
    on_threads(callers, |caller| {
        let mut waiting = VecDeque::new();
        let mut done = 0;
        for number in 0..calls / callers / 2 {
            let id = format!("user-{caller}-{number}");
            let user = client.user(&id).with("country", "SE");
            for is_event in [false, true] {
                done += wait_down_to(&mut waiting, in_flight / callers - 1)?;
                waiting.push_back(if is_event {
                    user.track(EVENT).receipt
                } else {
                    user.activate(EXPERIMENTS[0]).receipt
                });
            }
        }
        Ok(done + wait_down_to(&mut waiting, 0)?)
    })
}

/// The same, where each call is waited for by its own thread.
fn with_threads(client: &Client, calls: usize, threads: usize) -> Result<usize, Fault> {
    on_threads(threads, |caller| {
        let mut done = 0;
        for number in 0..calls / threads / 2 {
            let id = format!("user-{caller}-{number}");
            let user = client.user(&id).with("country", "SE");
            user.activate(EXPERIMENTS[0]).receipt.wait()?;
            user.track(EVENT).receipt.wait()?;
            done += 2;
        }
        Ok(done)
    })
}

fn on_threads(
    threads: usize,
    work: impl Fn(usize) -> Result<usize, Fault> + Sync,
) -> Result<usize, Fault> {
    let work = &work;
    let counts: Vec<_> = std::thread::scope(|scope| {
        let threads: Vec<_> =
            (0..threads).map(|number| scope.spawn(move || work(number))).collect();
        threads.into_iter().map(|thread| thread.join()).collect()
    });
    let mut done = 0;
    for count in counts {
        done += count.map_err(|_| "a caller panicked")??;
    }
    Ok(done)
}
