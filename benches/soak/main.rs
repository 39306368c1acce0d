//! The daemon for minutes under everything at once: `soak FOLDER SECONDS`.
//!
//! Connections that ask all kinds of things, datafiles that change each second, a sink that flaps, a thousand
//! who listen, of whom some never read. It ends with what it found, and with 1 where that is not what was
//! promised: no answer but those to be expected, each of one revision, flat memory, nothing lost, and nobody
//! who decides is slower for those who do not read.

mod calls;
mod datafiles;
mod load;
#[path = "../daemon/process.rs"]
mod process;
mod readers;
mod sink;
mod source;

use std::net::SocketAddr;
use std::path::{Path, PathBuf};
use std::process::{Child, Command, ExitCode};
use std::sync::Arc;
use std::sync::atomic::{AtomicBool, Ordering};
use std::time::Duration;

use calls::Kind;
use load::{Found, Load};
use process::{Fault, median, resident, say, start};
use readers::{Numbers, Readers};
use sink::{MOODS, Mood, Sink};
use source::Sources;

const USAGE: &str = "give a folder that is not there yet, and for how many seconds to ask";
const CONNECTIONS: usize = 64;
/// By file and by address.
const SDK_KEYS: [&str; 2] = ["SoakByFile", "SoakByAddress"];
const MOOD_LASTS: u64 = 5;
/// What waits for the sink at the end is delivered within this time.
const PATIENCE: Duration = Duration::from_secs(120);
/// Resident memory at the end over that after a tenth.
const MOST_GROWTH: f64 = 1.1;
/// Deciding beside those who never read, over deciding beside the others alone.
const LEAST_PACE: f64 = 0.9;
const PACE_ROUNDS: usize = 7;
const PACE_LEGS: [Numbers; 3] = [Numbers::NOBODY, Numbers::THAT_READ, Numbers::ALL];
const PACE_LASTS: Duration = Duration::from_secs(2);

/// The daemon, and what is around it.
struct Scene {
    daemon: Child,
    api: SocketAddr,
    admin: SocketAddr,
    sources: Arc<Sources>,
    sink: Sink,
    found: Arc<Found>,
}

fn main() -> Result<ExitCode, Fault> {
    let arguments: Vec<String> =
        std::env::args().skip(1).filter(|argument| argument != "--bench").collect();
    let [folder, seconds] = arguments.as_slice() else { return Err(USAGE.into()) };
    let (folder, seconds) = (PathBuf::from(folder), seconds.parse::<u64>()?);
    if folder.exists() {
        return Err(format!("{} is there already: give another folder", folder.display()).into());
    }
    std::fs::create_dir_all(&folder)?;
    datafiles::check_that_mixtures_are_seen()?;
    let runtime = tokio::runtime::Builder::new_multi_thread().enable_all().build()?;
    let breaches = runtime.block_on(soak(&folder, seconds))?;
    for breach in &breaches {
        say(&format!("BREACH: {breach}"));
    }
    Ok(if breaches.is_empty() { ExitCode::SUCCESS } else { ExitCode::FAILURE })
}

async fn soak(folder: &Path, seconds: u64) -> Result<Vec<String>, Fault> {
    let mut scene = Scene::start(folder).await?;
    let mut breaches = Vec::new();
    let soaked = scene.soak(seconds, &mut breaches).await;
    if soaked.is_ok() {
        scene.check_delivered(&mut breaches).await?;
        scene.check_pace(&mut breaches).await?;
    }
    scene.report_faults(&mut breaches);
    scene.end(&mut breaches)?;
    soaked.map(|()| breaches)
}

impl Scene {
    async fn start(folder: &Path) -> Result<Self, Fault> {
        let (sink, sink_at) = Sink::start().await?;
        let (sources, datafiles_at) = Sources::start(folder, SDK_KEYS).await?;
        let settings = format!(
            "port = 0\nadmin_port = 0\ndata_dir = '{}'\npoll_interval = \"1s\"\nlog = \"warn\"\n\
             [agent]\nnotifications = true\n\
             [[environment]]\nname = \"by-file\"\ndatafile = '{}'\n\
             [[environment]]\nname = \"by-address\"\ndatafile = \"http://{datafiles_at}/soak.json\"\n\
             [[sink]]\nto = \"webhook:http://{sink_at}/\"\n",
            folder.join("store").display(),
            sources.file().display(),
        );
        let file = folder.join("soak.toml");
        std::fs::write(&file, settings)?;
        let mut command = Command::new(env!("CARGO_BIN_EXE_variate"));
        command.args(["serve", "--config"]).arg(&file);
        command.stderr(std::fs::File::create(folder.join("log"))?);
        let (daemon, [api, admin]) = start(&mut command, ["api http://", "admin http://"])?;
        let (api, admin) = (api.parse()?, admin.parse()?);
        let scene = Self { daemon, api, admin, sources, sink, found: Arc::default() };
        scene.wait_until_ready().await?;
        Ok(scene)
    }

    async fn wait_until_ready(&self) -> Result<(), Fault> {
        for _ in 0..200 {
            if load::get(self.api, "/ready").await?.0.is_success() {
                return Ok(());
            }
            tokio::time::sleep(Duration::from_millis(50)).await;
        }
        Err("the daemon is not ready".into())
    }

    fn load(&self, only: Option<Kind>) -> Load {
        Load { api: self.api, sdk_keys: SDK_KEYS, connections: CONNECTIONS, only }
    }

    async fn soak(&mut self, seconds: u64, breaches: &mut Vec<String>) -> Result<(), Fault> {
        let readers = Readers::open(self.api, SDK_KEYS, Numbers::ALL, &self.found).await?;
        let is_over = Arc::new(AtomicBool::new(false));
        let (load, found, over) = (self.load(None), Arc::clone(&self.found), Arc::clone(&is_over));
        let asking = tokio::spawn(async move { load::run(&load, &found, &over).await });
        let mut resident_kib = Vec::new();
        let mut ticks = tokio::time::interval(Duration::from_secs(1));
        for second in 0..seconds {
            ticks.tick().await;
            self.sources.swap()?;
            self.flap(second);
            resident_kib.push(resident(&self.daemon)?);
            if !load::get(self.admin, "/metrics").await?.0.is_success() {
                self.found.fault("the metrics could not be read".to_owned());
            }
        }
        is_over.store(true, Ordering::Relaxed);
        asking.await?;
        self.report_answers(seconds);
        let (least, all) = readers.heard();
        say(&format!(
            "{} swaps; each who reads heard of {least} changes or more, {all} in all",
            self.sources.revision()
        ));
        // Two datafiles change in one second; who is told of one of them hears about one a second.
        if least < seconds / 2 {
            breaches.push(format!("somebody who reads heard of {least} changes"));
        }
        readers.close().await;
        check_memory(&resident_kib, breaches);
        Ok(())
    }

    fn flap(&self, second: u64) {
        if second.is_multiple_of(MOOD_LASTS) {
            let place = usize::try_from(second / MOOD_LASTS).unwrap_or_default() % MOODS.len();
            self.sink.set(MOODS.get(place).copied().unwrap_or(Mood::Well));
        }
    }

    fn report_answers(&self, seconds: u64) {
        let found = &self.found;
        let answers = found.answers.load(Ordering::Relaxed);
        let mut decide_us = std::mem::take(&mut *found.decide_us.lock());
        decide_us.sort_unstable();
        let at = |percent: usize| decide_us.get(decide_us.len() * percent / 100).unwrap_or(&0);
        say(&format!(
            "{answers} answers in {seconds} s, {} of them the same as before; decide: p50 {} us, p99 {} us",
            found.not_modified.load(Ordering::Relaxed),
            at(50),
            at(99)
        ));
    }

    fn report_faults(&self, breaches: &mut Vec<String>) {
        let count = self.found.fault_count.load(Ordering::Relaxed);
        if count > 0 {
            let faults = self.found.faults.lock().join("\n  ");
            breaches.push(format!("{count} faults:\n  {faults}"));
        }
    }

    /// Events that were acknowledged and counted for something are at the sink, once it is well.
    async fn check_delivered(&self, breaches: &mut Vec<String>) -> Result<(), Fault> {
        self.sink.set(Mood::Well);
        let credited = std::mem::take(&mut *self.found.credited.lock());
        let mut missing = credited.len();
        for _ in 0..PATIENCE.as_secs() {
            missing = self.sink.missing(&credited);
            if missing == 0 {
                break;
            }
            tokio::time::sleep(Duration::from_secs(1)).await;
        }
        say(&format!(
            "{} events acknowledged and credited, {missing} not delivered",
            credited.len()
        ));
        if missing > 0 || credited.is_empty() {
            breaches.push(format!("{missing} of {} events are lost", credited.len()));
        }
        Ok(())
    }

    /// Deciding alone, beside who listens and reads, and beside those who do not read as well, in turn.
    async fn check_pace(&self, breaches: &mut Vec<String>) -> Result<(), Fault> {
        let mut rounds = Vec::new();
        for round in 0..PACE_ROUNDS {
            let mut rates = [0.0; PACE_LEGS.len()];
            for leg in 0..PACE_LEGS.len() {
                // Whatever the machine does meanwhile, no leg always comes at the same place.
                let leg = (leg + round) % PACE_LEGS.len();
                if let (Some(rate), Some(numbers)) = (rates.get_mut(leg), PACE_LEGS.get(leg)) {
                    *rate = self.pace(*numbers).await?;
                }
            }
            rounds.push(rates);
        }
        let alone = median(rounds.iter().map(|[alone, ..]| *alone));
        let beside = median(rounds.iter().map(|[alone, reading, _]| reading / alone));
        let pace = median(rounds.iter().map(|[_, reading, all]| all / reading));
        say(&format!(
            "deciding: {alone:.0} a second alone, {beside:.2} of that beside 900 who listen, {pace:.2} of this beside 100 more who never read"
        ));
        if pace < LEAST_PACE {
            breaches.push(format!("who never reads slows deciding: {pace:.2}"));
        }
        Ok(())
    }

    /// Decisions a second beside so many who listen, once they have been there for a while: until nothing
    /// goes to those who do not read any more, the system takes what is sent to them.
    async fn pace(&self, numbers: Numbers) -> Result<f64, Fault> {
        let load = self.load(Some(Kind::Decide));
        let readers = Readers::open(self.api, SDK_KEYS, numbers, &self.found).await?;
        self.sources.swap()?;
        load::rate(&load, &self.found, PACE_LASTS).await;
        self.sources.swap()?;
        let rate = load::rate(&load, &self.found, PACE_LASTS).await;
        readers.close().await;
        Ok(rate)
    }

    /// SIGTERM.
    fn end(&mut self, breaches: &mut Vec<String>) -> Result<(), Fault> {
        Command::new("kill").args(["-TERM", &self.daemon.id().to_string()]).status()?;
        let status = self.daemon.wait()?;
        if !status.success() {
            breaches.push(format!("the daemon ended with {status}"));
        }
        Ok(())
    }
}

/// Medians of a twentieth of the run each, so that one look at the wrong moment does not count.
fn check_memory(resident_kib: &[u64], breaches: &mut Vec<String>) {
    let part = (resident_kib.len() / 20).max(1);
    let mebibytes = |from: usize| {
        let part = resident_kib.iter().skip(from).take(part);
        median(part.map(|kib| f64::from(u32::try_from(*kib).unwrap_or(u32::MAX)) / 1024.0))
    };
    let early = mebibytes(resident_kib.len() / 10);
    let late = mebibytes(resident_kib.len().saturating_sub(part));
    let most = resident_kib.iter().max().copied().unwrap_or_default() / 1024;
    let growth = late / early;
    say(&format!(
        "resident: {early:.1} MiB after a tenth, {late:.1} MiB at the end ({growth:.2}), {most} MiB at most"
    ));
    if growth > MOST_GROWTH {
        breaches.push(format!("memory is not flat: {growth:.2}"));
    }
}
