//! So many users with two activations each: what looking one up costs, memory, disk, opening.

use std::collections::VecDeque;
use std::path::Path;
use std::time::Duration;

use variate::clock::Stopwatch;

use super::measure::{
    EXPERIMENTS, Fault, open, percentile, reads, resident, say, size, wait_down_to,
};

const LOOK_UPS: usize = 200_000;

pub(crate) fn run(folder: &Path, users: usize) -> Result<(), Fault> {
    let (store, client) = open(folder)?;
    let watch = Stopwatch::start();
    let (mut waiting, mut longest) = (VecDeque::new(), Duration::ZERO);
    for number in 0..users {
        // In an order that is not that of their ids: each once, unless the prime divides their number.
        let id = format!("user-{:09}", number.wrapping_mul(32_452_843) % users);
        let user = client.user(&id).with("country", "SE");
        waiting.extend(EXPERIMENTS.map(|experiment| user.activate(experiment).receipt));
        let since = watch.elapsed();
        wait_down_to(&mut waiting, 4096)?;
        longest = longest.max(watch.elapsed() - since);
        if (number + 1) % (users / 10).max(1) == 0 {
            let (resident, took) = (resident()? >> 20, watch.elapsed());
            say(&format!(
                "{} users: {took:.1?}, resident memory {resident} MiB, longest wait {longest:.1?}",
                number + 1
            ));
            longest = Duration::ZERO;
        }
    }
    wait_down_to(&mut waiting, 0)?;
    look_up(&store, &client, users)?;
    say(&format!("disk: {} MiB, resident: {} MiB", size(folder)? >> 20, resident()? >> 20));
    drop((store, client));
    let watch = Stopwatch::start();
    let (store, client) = open(folder)?;
    say(&format!("opening: {:.1?}, resident {} MiB", watch.elapsed(), resident()? >> 20));
    look_up(&store, &client, users)?;
    say(&format!("disk: {} MiB, resident: {} MiB", size(folder)? >> 20, resident()? >> 20));
    Ok(())
}

fn look_up(
    store: &variate::store::DurableStore,
    client: &variate::Client,
    users: usize,
) -> Result<(), Fault> {
    // Who is missing lies between two who are there, so that only the filters can tell.
    for (what, suffix) in [("hit", ""), ("miss", "x")] {
        let mut times = Vec::with_capacity(LOOK_UPS);
        let (mut found, mut with_reads) = (0, 0);
        for turn in 0..LOOK_UPS {
            // Spread over all of them, in an order without rhyme.
            let id = format!("user-{:09}{suffix}", turn.wrapping_mul(7_919_777) % users.max(1));
            let watch = Stopwatch::start();
            found += usize::from(store.held_user(client.environment(), &id)?.is_some());
            times.push(watch.elapsed());
        }
        // Asking how often was read is a read itself, so that these are not timed.
        let own = cost_of_asking()?;
        for turn in 0..LOOK_UPS / 10 {
            let id = format!("user-{:09}{suffix}", turn.wrapping_mul(15_485_863) % users.max(1));
            let before = reads()?;
            store.held_user(client.environment(), &id)?;
            with_reads += usize::from(reads()? - before > own);
        }
        let (median, late) = (percentile(&mut times, 50), percentile(&mut times, 99));
        let without = 100.0 - with_reads as f64 * 1_000.0 / LOOK_UPS as f64;
        say(&format!(
            "look-up, {what}: p50 {median:.1?}, p99 {late:.1?}, {without:.2} % without a read \
             ({found} of {LOOK_UPS} found)"
        ));
    }
    Ok(())
}

fn cost_of_asking() -> Result<u64, Fault> {
    let before = reads()?;
    Ok(reads()? - before)
}
