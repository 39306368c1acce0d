//! Tracking calls of the five systems under load, beside a bare handler that reads the same bodies:
//! `ingest FOLDER [SECONDS [WHICH]]`.
//!
//! wrk sends, on this machine, by 64 connections; an answer means that all of a call is stored. Each round sends each
//! case to both, the bare handler first; ratios are those of a round, and their median is reported. It ends with 1
//! where an answer was bad, or where the daemon does not count as many events as were answered. Nothing else is judged:
//! `benches/README.md` has figures.

#[path = "../daemon/process.rs"]
mod process;
mod systems;
#[path = "../daemon/wrk.rs"]
mod wrk;

use std::fmt;
use std::io::{Read as _, Write as _};
use std::net::TcpStream;
use std::path::Path;
use std::process::{Child, Command, Stdio};
use std::time::Duration;

use axum::Router;
use axum::body::Bytes;
use axum::http::header::CONTENT_TYPE;
use axum::routing::post;

use process::{Fault, median, resident, say, start};
use systems::{SYSTEMS, System, exposure};
use variate::clock::system_time_ms;
use wrk::{Found, float};

/// As in the command.
#[global_allocator]
static ALLOCATOR: tikv_jemallocator::Jemalloc = tikv_jemallocator::Jemalloc;

const USAGE: &str = "give a folder that is not there yet, for how many seconds each case is sent (5), and perhaps which: part of a path and a number of events, as in \"/track 10\"";
const ROUNDS: usize = 3;
const CONNECTIONS: u64 = 64;
const BATCHES: [u64; 3] = [1, 10, 500];
/// Of 100 000 users, those with even numbers are activated beforehand.
const USERS: usize = 100_000;
const ACTIVATED_AT_ONCE: usize = 500;
const CONSTANT: &str = r#"{"success":true}"#;

/// A system's calls with so many events each.
#[derive(Debug, Clone, Copy)]
struct Case {
    system: &'static System,
    events: u64,
}

impl fmt::Display for Case {
    fn fmt(&self, formatter: &mut fmt::Formatter<'_>) -> fmt::Result {
        write!(formatter, "{} {}", self.system.path, self.events)
    }
}

/// A case in a round.
#[derive(Debug, Clone, Copy)]
struct Measured {
    bare: Found,
    found: Found,
    resident_kib: u64,
}

/// The daemon's own figures.
#[derive(Debug, Clone, Copy)]
struct Counted {
    events: u64,
    conversions: u64,
    unused: u64,
    duplicates: u64,
}

fn main() -> Result<(), Fault> {
    let arguments: Vec<String> =
        std::env::args().skip(1).filter(|argument| argument != "--bench").collect();
    let arguments: Vec<&str> = arguments.iter().map(String::as_str).collect();
    let (folder, seconds, which) = match arguments.as_slice() {
        ["bare-handler"] => return bare_handler(),
        [folder] => (Path::new(folder), "5", ""),
        [folder, seconds] => (Path::new(folder), *seconds, ""),
        [folder, seconds, which] => (Path::new(folder), *seconds, *which),
        _ => return Err(USAGE.into()),
    };
    if folder.exists() {
        return Err(format!("{} is there already: give another folder", folder.display()).into());
    }
    let cases: Vec<Case> = cases().filter(|case| case.to_string().contains(which)).collect();
    let mut bare = Command::new(std::env::current_exe()?);
    let (bare, [bare_at]) = start(bare.arg("bare-handler"), ["api"])?;
    let mut daemon = Command::new(env!("CARGO_BIN_EXE_variate"));
    daemon.args(["serve", "--datafile", "datafiles/shop.json", "--port", "0"]);
    daemon.args(["--admin-port", "0", "--data-dir"]).arg(folder);
    let (daemon, at) = start(daemon.stderr(Stdio::null()), ["api", "admin"])?;
    let done = measure(&bare_at, (&daemon, &at), seconds, &cases);
    let resident = format!(
        "\nresident at the end: {} KiB, bare handler {} KiB",
        resident(&daemon)?,
        resident(&bare)?
    );
    for mut child in [bare, daemon] {
        child.kill()?;
        child.wait()?;
    }
    done.map(|()| say(&resident))
}

fn measure(
    bare_at: &str,
    (daemon, [api_at, admin_at]): (&Child, &[String; 2]),
    seconds: &str,
    cases: &[Case],
) -> Result<(), Fault> {
    activate(api_at)?;
    let mut faults = Vec::new();
    let mut rounds = Vec::new();
    for _ in 0..ROUNDS {
        let mut round = Vec::new();
        for case in cases.iter().copied() {
            let bare = send(bare_at, case, seconds)?;
            let before = counted(admin_at)?;
            let found = send(api_at, case, seconds)?;
            // What was on its way when wrk went is done by then.
            std::thread::sleep(Duration::from_millis(300));
            let after = counted(admin_at)?;
            faults.extend(faults_of(case, &found, (before, after)));
            round.push(Measured { bare, found, resident_kib: resident(daemon)? });
        }
        rounds.push(round);
    }
    report(cases, &rounds);
    if faults.is_empty() { Ok(()) } else { Err(faults.join("\n").into()) }
}

fn cases() -> impl Iterator<Item = Case> {
    SYSTEMS.iter().flat_map(|system| {
        let sizes = BATCHES.into_iter().filter(|events| *events == 1 || system.has_batches);
        sizes.map(move |events| Case { system, events })
    })
}

/// What was answered is counted, once; what was on its way at the end may be.
fn faults_of(case: Case, found: &Found, (before, after): (Counted, Counted)) -> Vec<String> {
    let mut faults = Vec::new();
    let name = format!("{}, {} events", case.system.name, case.events);
    if found.requests == 0 {
        return vec![format!("{name}: none was answered in time, send for longer")];
    }
    if found.bad > 0 {
        faults.push(format!("{name}: {} of {} answers are bad", found.bad, found.requests));
    }
    let events = after.events.saturating_sub(before.events);
    let expect = found.requests * case.events..=(found.requests + CONNECTIONS) * case.events;
    if !expect.contains(&events) {
        faults.push(format!("{name}: {events} events are counted, and not {expect:?}"));
    }
    let (unused, duplicates) = (after.unused - before.unused, after.duplicates - before.duplicates);
    if unused > 0 || duplicates > 0 {
        faults.push(format!("{name}: {unused} parts were of no use, and {duplicates} known"));
    }
    let conversions = after.conversions - before.conversions;
    let share = float(conversions) / float(events.max(1));
    if !(0.3..0.7).contains(&share) {
        faults.push(format!("{name}: of {events} events {conversions} convert, and not half"));
    }
    faults
}

/// Answers everything with a constant when it has the body, and says where.
fn bare_handler() -> Result<(), Fault> {
    let runtime = tokio::runtime::Builder::new_multi_thread().enable_all().build()?;
    runtime.block_on(async {
        let constant = |_: Bytes| async { ([(CONTENT_TYPE, "application/json")], CONSTANT) };
        let listener = tokio::net::TcpListener::bind("127.0.0.1:0").await?;
        say(&format!("api http://{}", listener.local_addr()?));
        axum::serve(listener, Router::new().fallback(post(constant))).await?;
        Ok(())
    })
}

fn activate(at: &str) -> Result<(), Fault> {
    let users: Vec<usize> = (0..USERS).step_by(2).collect();
    for users in users.chunks(ACTIVATED_AT_ONCE) {
        let visitors: Vec<String> = users.iter().map(|user| exposure(*user)).collect();
        let body = format!(r#"{{"visitors":[{}]}}"#, visitors.join(","));
        let answer = ask(at, "POST /v1/events", &body)?;
        if !answer.starts_with("HTTP/1.1 204 ") {
            return Err(format!("the activations are answered with {answer}").into());
        }
    }
    Ok(())
}

fn ask(at: &str, what: &str, body: &str) -> Result<String, Fault> {
    let host = at.trim_start_matches("http://");
    let mut stream = TcpStream::connect(host)?;
    let length = body.len();
    let head = format!(
        "{what} HTTP/1.1\r\nHost: {host}\r\nContent-Type: application/json\r\nContent-Length: {length}\r\nConnection: close\r\n\r\n"
    );
    stream.write_all(head.as_bytes())?;
    stream.write_all(body.as_bytes())?;
    let mut answer = String::new();
    stream.read_to_string(&mut answer)?;
    Ok(answer)
}

fn counted(admin_at: &str) -> Result<Counted, Fault> {
    let figures = ask(admin_at, "GET /metrics", "")?;
    let sum = |name: &str| -> u64 {
        let of_name = figures.lines().filter(|line| {
            line.strip_prefix(name).is_some_and(|rest| rest.starts_with(['{', ' ']))
        });
        of_name.filter_map(|line| line.rsplit(' ').next()?.parse::<u64>().ok()).sum()
    };
    Ok(Counted {
        events: sum("variate_events_total"),
        conversions: sum("variate_conversions_total"),
        unused: sum("variate_tracking_unused_total"),
        duplicates: sum("variate_store_duplicates_total"),
    })
}

fn send(at: &str, case: Case, seconds: &str) -> Result<Found, Fault> {
    let System { path, first, event, last, .. } = case.system;
    let event = event.replace("%T", &system_time_ms().to_string());
    let events = case.events.to_string();
    let script = ["--timeout", "30s", "-s", "benches/ingest/send.lua", at, "--", path, &events];
    wrk::run(CONNECTIONS, seconds, &[script.as_slice(), &[*first, &event, *last]].concat())
}

fn report(cases: &[Case], rounds: &[Vec<Measured>]) {
    say(
        "| call | events in it | events a second | requests a second | of the bare handler | p50 ms | p99 ms | resident MiB |",
    );
    say("| --- | ---: | ---: | ---: | ---: | ---: | ---: | ---: |");
    for (place, case) in cases.iter().enumerate() {
        let all = || rounds.iter().filter_map(|round| round.get(place));
        let requests = median(all().map(|one| one.found.per_second));
        say(&format!(
            "| {} | {} | {:.0} | {requests:.0} | {:.2} | {:.1} | {:.1} | {:.0} |",
            case.system.name,
            case.events,
            requests * float(case.events),
            median(all().map(|one| one.found.per_second / one.bare.per_second)),
            median(all().map(|one| one.found.p50_us / 1000.0)),
            median(all().map(|one| one.found.p99_us / 1000.0)),
            median(all().map(|one| float(one.resident_kib) / 1024.0)),
        ));
    }
    for system in SYSTEMS.iter().filter(|system| !system.has_batches) {
        say(&format!("\n{} tells of one event in a call.", system.name));
    }
}
