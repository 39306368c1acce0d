//! The daemon under load, beside a bare handler on the same servers' library: `daemon FOLDER [SECONDS]`.
//!
//! wrk asks, on this machine. Each round asks everything once, the bare handler first; ratios are those of a
//! round, and their median is reported. Nothing is judged: `benches/README.md` has figures.

mod process;
mod wrk;

use std::path::Path;
use std::process::{Command, Stdio};

use axum::Router;
use axum::http::header::CONTENT_TYPE;
use axum::routing::post;

use process::{Fault, median, resident, say, start};
use wrk::Found;

/// As in the command.
#[global_allocator]
static ALLOCATOR: tikv_jemallocator::Jemalloc = tikv_jemallocator::Jemalloc;

const USAGE: &str =
    "give a folder that is not there yet, and for how many seconds each case is asked (5)";
const ROUNDS: usize = 5;
const CONNECTIONS: [u64; 2] = [1, 64];
const USER: &str = r#"{"userId":"user-%d","userAttributes":{"country":"SE","age":34}}"#;
/// As long as what the daemon says of a flag.
const CONSTANT: &str = r#"{"variationKey":"treatment","enabled":true,"ruleKey":"search_ranking","flagKey":"search","userContext":{"userId":"user-12345","attributes":{"country":"SE","age":34}},"reasons":[],"variables":{"ranker":"semantic"},"isEveryoneElseVariation":false}"#;

/// What is asked: its name, the path, and the body.
const CASES: [(&str, &str, &str); 6] = [
    ("bare handler", "/", USER),
    (
        "decide, no event",
        "/v1/decide?keys=search",
        r#"{"userId":"user-%d","userAttributes":{"country":"SE","age":34},"decideOptions":["DISABLE_DECISION_EVENT"]}"#,
    ),
    ("decide", "/v1/decide?keys=search", USER),
    ("activate", "/v1/activate?experimentKey=checkout_button", USER),
    ("track", "/v1/track?eventKey=purchase", USER),
    (
        "track, with tags",
        "/v1/track?eventKey=purchase",
        r#"{"userId":"user-%d","eventTags":{"revenue":4200,"category":"shoes"}}"#,
    ),
];

fn main() -> Result<(), Fault> {
    let arguments: Vec<String> =
        std::env::args().skip(1).filter(|argument| argument != "--bench").collect();
    let arguments: Vec<&str> = arguments.iter().map(String::as_str).collect();
    let (folder, seconds) = match arguments.as_slice() {
        ["bare-handler"] => return bare_handler(),
        [folder] => (Path::new(folder), "5"),
        [folder, seconds] => (Path::new(folder), *seconds),
        _ => return Err(USAGE.into()),
    };
    if folder.exists() {
        return Err(format!("{} is there already: give another folder", folder.display()).into());
    }
    let mut bare = Command::new(std::env::current_exe()?);
    let (bare, [bare_at]) = start(bare.arg("bare-handler"), ["api"])?;
    let mut daemon = Command::new(env!("CARGO_BIN_EXE_variate"));
    daemon.args(["serve", "--datafile", "datafiles/shop.json", "--port", "0"]);
    daemon.args(["--admin-port", "off", "--data-dir"]).arg(folder);
    let (daemon, [daemon_at]) = start(daemon.stderr(Stdio::null()), ["api"])?;
    for connections in CONNECTIONS {
        let mut rounds = Vec::new();
        for _ in 0..ROUNDS {
            let mut round = Vec::new();
            for (name, path, body) in CASES {
                let at = if path == "/" { &bare_at } else { &daemon_at };
                round.push((name, ask(at, path, body, connections, seconds)?));
            }
            rounds.push(round);
        }
        report(connections, &rounds);
        say(&format!(
            "resident: {} KiB, bare handler {} KiB\n",
            resident(&daemon)?,
            resident(&bare)?
        ));
    }
    for mut child in [bare, daemon] {
        child.kill()?;
        child.wait()?;
    }
    Ok(())
}

/// Answers everything with a constant, and says where.
fn bare_handler() -> Result<(), Fault> {
    let runtime = tokio::runtime::Builder::new_multi_thread().enable_all().build()?;
    runtime.block_on(async {
        let constant = || async { ([(CONTENT_TYPE, "application/json")], CONSTANT) };
        let listener = tokio::net::TcpListener::bind("127.0.0.1:0").await?;
        say(&format!("api http://{}", listener.local_addr()?));
        axum::serve(listener, Router::new().route("/", post(constant))).await?;
        Ok(())
    })
}

fn ask(at: &str, path: &str, body: &str, connections: u64, seconds: &str) -> Result<Found, Fault> {
    wrk::run(connections, seconds, &["-s", "benches/daemon/ask.lua", at, "--", path, body])
}

fn report(connections: u64, rounds: &[Vec<(&str, Found)>]) {
    say(&format!(
        "| {connections} in flight | a second | of the bare handler | p50 us | p99 us | bad |"
    ));
    say("| --- | --- | --- | --- | --- | --- |");
    for (place, (name, ..)) in CASES.iter().enumerate() {
        let all = || rounds.iter().filter_map(move |round| round.get(place));
        let of_bare = rounds.iter().filter_map(|round| {
            let ((_, bare), (_, found)) = (round.first()?, round.get(place)?);
            Some(found.per_second / bare.per_second)
        });
        let bad: u64 = all().map(|(_, found)| found.bad).sum();
        let requests: u64 = all().map(|(_, found)| found.requests).sum();
        say(&format!(
            "| {name} | {:.0} | {:.2} | {:.0} | {:.0} | {bad} of {requests} |",
            median(all().map(|(_, found)| found.per_second)),
            median(of_bare),
            median(all().map(|(_, found)| found.p50_us)),
            median(all().map(|(_, found)| found.p99_us)),
        ));
    }
}
