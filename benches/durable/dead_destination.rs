//! Records for a sink that is down: memory, the speed of deciding, and whether all of them arrive once it
//! is up.
//!
//! The receiver is another process, so that what it remembers is not in the memory that is measured.

pub(crate) mod receiver;

use std::collections::VecDeque;
use std::io::{BufRead as _, BufReader};
use std::net::TcpListener;
use std::path::Path;
use std::process::Child;
use std::sync::Arc;
use std::time::Duration;

use variate::Client;
use variate::client::Track;
use variate::clock::Stopwatch;
use variate::events::{WebhookSettings, WebhookSink};

use super::measure::{
    EVENT, EXPERIMENTS, Fault, open_store, percentile, resident, say, shop, size, wait_down_to,
};

const EVENTS_PER_USER: usize = 19;
const IN_FLIGHT: usize = 256;
const PAIRS: usize = 40;
const DECISIONS: usize = 50_000;

pub(crate) fn run(folder: &Path, records: usize) -> Result<(), Fault> {
    let port = TcpListener::bind(("127.0.0.1", 0))?.local_addr()?.port();
    let store = open_store(&folder.join("store"))?;
    let sink = WebhookSink::new(WebhookSettings::new(format!("http://127.0.0.1:{port}/")))?;
    let client = shop()?.store(Arc::clone(&store)).sink(sink).build()?;
    let control = shop()?.build()?;
    let users = records / (EVENTS_PER_USER + 1);
    let mut waiting = VecDeque::new();

    // A store that was in use before: its memory for what is new, and its cache, are what they are to be.
    let mut receiver = receiver::start(port)?;
    for number in users..users * 3 / 2 {
        record_all_of(&client, number, &mut waiting)?;
    }
    client.drain(Duration::from_secs(600))?;
    say(&format!(
        "before: the receiver has {}, resident {:.1} MiB",
        told(&mut receiver)?,
        mebibytes()?
    ));
    pairs("nothing waits", &client, &control)?;

    let watch = Stopwatch::start();
    let mut tenths = Vec::new();
    let mut looks = Vec::new();
    for number in 0..users {
        record_all_of(&client, number, &mut waiting)?;
        if (number + 1) % (users / 1_000).max(1) == 0 {
            looks.push(mebibytes()?);
        }
        if (number + 1) * 10 / users > tenths.len() {
            // It goes up and down with what is put in order in the background.
            looks.sort_by(f64::total_cmp);
            let median = looks.get(looks.len() / 2).copied().unwrap_or_default();
            let most = looks.last().copied().unwrap_or_default();
            say(&format!(
                "{} wait: {:.1?}, resident {median:.1} MiB by median, {most:.1} at most, on disk {} MiB",
                client.statistics().store.waiting_records,
                watch.elapsed(),
                size(folder)? >> 20
            ));
            looks.clear();
            tenths.push(median);
            if tenths.len() == 1 {
                pairs("a tenth waits", &client, &control)?;
            }
        }
    }
    wait_down_to(&mut waiting, 0)?;
    let queued = client.statistics().store.waiting_records;
    pairs(&format!("{queued} wait"), &client, &control)?;
    let (first, last) = (tenths.first(), tenths.last());
    let growth = last.copied().unwrap_or_default() / first.copied().unwrap_or(1.0);
    say(&format!("resident memory, last tenth over first: {growth:.3}"));
    let sinks = client.statistics().sinks;
    let error = sinks.first().and_then(|sink| sink.last_error.clone()).unwrap_or_default();
    say(&format!("the sink says: {error}"));

    let watch = Stopwatch::start();
    let mut receiver = receiver::start(port)?;
    client.drain(Duration::from_secs(3_600))?;
    let took = watch.elapsed();
    say(&format!(
        "delivered after its return in {took:.1?}, {:.0} a second (a back-off included), resident {:.1} MiB",
        queued as f64 / took.as_secs_f64(),
        mebibytes()?
    ));
    say(&format!("the receiver has: {} of {queued}", told(&mut receiver)?));
    Ok(())
}

/// Activates a user, and tracks what the user does.
fn record_all_of(
    client: &Client,
    number: usize,
    waiting: &mut VecDeque<variate::store::Receipt>,
) -> Result<(), Fault> {
    let id = format!("user-{number:09}");
    let user = client.user(&id).with("country", "SE");
    waiting.push_back(user.activate(EXPERIMENTS[0]).receipt);
    for event in 0..EVENTS_PER_USER {
        let event_id = format!("order-{number}-{event}");
        waiting.push_back(user.track(Track::new(EVENT).id(&event_id).revenue_cents(995)).receipt);
        wait_down_to(waiting, IN_FLIGHT)?;
    }
    Ok(())
}

/// Deciding on the client with the queue, beside a client without one, in turn.
fn pairs(when: &str, client: &Client, control: &Client) -> Result<(), Fault> {
    let mut ratios = Vec::new();
    let (mut own, mut others) = (Vec::new(), Vec::new());
    for _ in 0..PAIRS {
        let (one, other) = (decide(client), decide(control));
        ratios.push(one.as_secs_f64() / other.as_secs_f64());
        own.push(one);
        others.push(other);
    }
    ratios.sort_by(f64::total_cmp);
    let nanoseconds = |times: &mut [Duration]| percentile(times, 50).as_nanos() / DECISIONS as u128;
    say(&format!(
        "deciding, {when}: {} ns, without a queue {} ns, ratio {:.3} (median of {PAIRS} pairs)",
        nanoseconds(&mut own),
        nanoseconds(&mut others),
        ratios.get(PAIRS / 2).copied().unwrap_or_default()
    ));
    Ok(())
}

fn decide(client: &Client) -> Duration {
    let ids: Vec<String> = (0..100).map(|number| format!("visitor-{number}")).collect();
    let watch = Stopwatch::start();
    for experiment in EXPERIMENTS.iter().cycle().take(DECISIONS / ids.len()) {
        for id in &ids {
            let user = client.user(id).with("country", "SE");
            std::hint::black_box(user.get_variation(experiment).variation_key());
        }
    }
    watch.elapsed()
}

fn mebibytes() -> Result<f64, Fault> {
    Ok(resident()? as f64 / 1_048_576.0)
}

fn told(receiver: &mut Child) -> Result<String, Fault> {
    drop(receiver.stdin.take());
    let stdout = receiver.stdout.take().ok_or("the receiver has no output")?;
    let mut line = String::new();
    BufReader::new(stdout).read_line(&mut line)?;
    receiver.wait()?;
    Ok(line.trim().into())
}
