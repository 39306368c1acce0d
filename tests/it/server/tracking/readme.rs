//! The README's programs that send events with the official SDKs: they are run as they stand there, but for the
//! daemon's address.
//!
//! Must not know what they send.

use std::net::SocketAddr;
use std::path::Path;
use std::process::Command;

use super::super::Daemon;
use super::super::driver::installed;
use super::super::front::Front;
use super::{credits, records};

const ADDRESS: &str = "http://localhost:8080";

/// The only program in the README that is in this language and has this in it.
fn program(language: &str, part: &str, address: SocketAddr) -> String {
    let readme = std::fs::read_to_string("README.md").unwrap();
    let begin = format!("```{language}\n");
    let blocks = readme.split(&begin).skip(1);
    let blocks = blocks.map(|rest| rest.split("```").next().unwrap());
    let found: Vec<&str> = blocks.filter(|block| block.contains(part)).collect();
    assert_eq!(found.len(), 1, "one block of {language} with {part}");
    assert_eq!(found[0].matches(ADDRESS).count(), 1, "{}", found[0]);
    found[0].replace(ADDRESS, &format!("http://{address}"))
}

/// Runs it beside the SDK that is installed.
#[track_caller]
fn run(command: &Path, name: &str, text: &str) {
    let path = installed("oracle").join(format!("{}-{name}", std::process::id()));
    std::fs::write(&path, text).unwrap();
    let output = Command::new(command).arg(&path).output().unwrap();
    std::fs::remove_file(&path).unwrap();
    assert!(output.status.success(), "{name}: {}", String::from_utf8_lossy(&output.stderr));
}

#[track_caller]
fn check_counted(shop: &Daemon, user: &str) {
    let credits = credits(shop);
    assert_eq!(credits.len(), 1, "{credits:?}");
    assert!(credits[0].starts_with(&format!("{user} purchase checkout_button/")), "{credits:?}");
    assert_eq!(records(shop, "impression").len(), 1);
    assert_eq!(records(shop, "conversion")[0]["revenue"], 4200);
}

/// What is refused first is sent again.
#[test]
#[ignore = "needs the official SDKs, from tests/oracle/setup"]
fn pythons_dispatcher_sends_again_what_was_refused() {
    let shop = Daemon::shop();
    let front = Front::before(shop.api(), "campaign_activated");
    let text = program("python", "dispatch_event", front.address);
    run(&installed("oracle").join("venv/bin/python"), "readme.py", &text);
    assert!(front.has_refused());
    check_counted(&shop, "anna");
}

#[test]
#[ignore = "needs the official SDKs, from tests/oracle/setup"]
fn javascripts_dispatcher_sends_what_counts() {
    let shop = Daemon::shop();
    let text = program("js", "dispatchEvent", shop.api());
    run(Path::new("node"), "readme.mjs", &text);
    check_counted(&shop, "ben");
}
