//! What costs little to send and must cost little to refuse.
//!
//! Must not know tokens.

use std::io::{Read as _, Write as _};
use std::net::TcpStream;
use std::process::{Command, Stdio};
use std::time::Duration;

use variate::clock::Stopwatch;

use super::super::http::{Request, ask};
use super::super::process::serve;
use super::super::{PATIENCE, SHOP};
use super::{ANNA, Daemon};

#[test]
fn slow_heads_are_not_waited_for() {
    let shop = Daemon::with(|given| given.idle_timeout = Some("300ms".parse().unwrap()));
    for begun in ["", "G", "GET /health HTTP/1.1\r\nHost: localhost\r\nX: "] {
        let mut stream = TcpStream::connect(shop.api()).unwrap();
        stream.set_read_timeout(Some(PATIENCE)).unwrap();
        stream.write_all(begun.as_bytes()).unwrap();
        let watch = Stopwatch::start();
        let mut rest = Vec::new();
        // Some bytes now and then do not help.
        for _ in 0..3 {
            std::thread::sleep(Duration::from_millis(150));
            let sent = if begun.is_empty() { Ok(()) } else { stream.write_all(b"x") };
            sent.unwrap_or_default();
        }
        stream.read_to_end(&mut rest).unwrap_or_default();
        assert!(watch.elapsed() < PATIENCE / 2, "{begun:?}: {rest:?}");
    }
}

#[test]
fn floods_of_headers_are_refused_and_the_next_is_answered() {
    let shop = Daemon::shop();
    for round in 0..20 {
        let mut stream = TcpStream::connect(shop.api()).unwrap();
        stream.set_read_timeout(Some(PATIENCE)).unwrap();
        stream.write_all(b"GET /health HTTP/1.1\r\nHost: localhost\r\n").unwrap();
        let line = if round % 2 == 0 {
            "x: y\r\n".to_owned()
        } else {
            format!("x: {}\r\n", "y".repeat(1000))
        };
        for _ in 0..5_000 {
            if stream.write_all(line.as_bytes()).is_err() {
                break;
            }
        }
        stream.write_all(b"\r\n").unwrap_or_default();
        let mut answered = Vec::new();
        stream.read_to_end(&mut answered).unwrap_or_default();
        let answered = String::from_utf8_lossy(&answered);
        assert!(answered.is_empty() || answered.starts_with("HTTP/1.1 431"), "{answered}");
    }
    assert_eq!(ask(shop.api(), &Request::new("GET /health")).status, 200);
}

/// The resident memory of a process in KiB, and its open files.
fn held(process: u32) -> (u64, usize) {
    let status = std::fs::read_to_string(format!("/proc/{process}/status")).unwrap();
    let line = status.lines().find_map(|line| line.strip_prefix("VmRSS:")).unwrap();
    let kibibytes = line.trim().trim_end_matches(" kB").parse().unwrap();
    (kibibytes, std::fs::read_dir(format!("/proc/{process}/fd")).unwrap().count())
}

/// Ten thousand requests over one connection, each with what the last had not.
fn ten_thousand(address: std::net::SocketAddr, request: impl Fn(u32) -> String) -> Vec<u16> {
    let mut statuses = Vec::new();
    for hundred in 0..100 {
        let mut stream = TcpStream::connect(address).unwrap();
        stream.set_read_timeout(Some(PATIENCE)).unwrap();
        let all: String = (0..100).map(|number| request(hundred * 100 + number)).collect();
        let end = "GET /health HTTP/1.1\r\nHost: localhost\r\nConnection: close\r\n\r\n";
        stream.write_all(format!("{all}{end}").as_bytes()).unwrap();
        let mut answered = String::new();
        stream.read_to_string(&mut answered).unwrap();
        let found =
            answered.split("HTTP/1.1 ").skip(1).map(|rest| rest[..3].parse::<u16>().unwrap());
        statuses.extend(found);
    }
    statuses
}

#[cfg(target_os = "linux")]
#[test]
fn ten_thousand_unknown_keys_leave_nothing_behind() {
    let folder = tempfile::tempdir().unwrap();
    let settings = folder.path().join("variate.toml");
    let text = "token_rate = \"1000000/s\"\n[[token]]\nname = \"x\"\nsecret = \"0123456789abcdef0\"\nenvironments = [\"*\"]\nscopes = [\"decide\"]\n";
    std::fs::write(&settings, text).unwrap();
    let served =
        serve(folder.path(), &["--datafile", SHOP, "--config", settings.to_str().unwrap()]);
    let process = served.child.id();
    let length = ANNA.len();
    let round = || {
        let with_token = |number: u32| {
            format!(
                "POST /v1/decide?keys=k{number} HTTP/1.1\r\nHost: localhost\r\nContent-Type: application/json\r\nX-API-Key: 0123456789abcdef0\r\nX-Optimizely-SDK-Key: unknown{number}\r\nContent-Length: {length}\r\n\r\n{ANNA}"
            )
        };
        let with_wrong_token = |number: u32| {
            format!(
                "GET /datafiles/unknown{number}.json HTTP/1.1\r\nHost: localhost\r\nAuthorization: Bearer wrong{number}\r\n\r\n"
            )
        };
        let statuses = ten_thousand(served.api, with_token);
        assert_eq!(statuses.iter().filter(|status| **status == 403).count(), 10_000);
        let statuses = ten_thousand(served.api, with_wrong_token);
        assert_eq!(statuses.iter().filter(|status| **status == 401).count(), 10_000);
    };
    // What is set aside once, is there after the first round.
    round();
    let (before, files_before) = held(process);
    round();
    round();
    let (after, files) = held(process);
    assert!(after < before + before / 10 + 1024, "{before} KiB before, {after} KiB after");
    assert!(files <= files_before + 2, "{files_before} files before, {files} after");
    served.kill();
}

#[test]
fn the_whole_line_of_limits_is_in_the_help() {
    let mut command = Command::new(env!("CARGO_BIN_EXE_variate"));
    let output = command.args(["serve", "--help"]).stderr(Stdio::null()).output().unwrap();
    let help = String::from_utf8(output.stdout).unwrap();
    for flag in [
        "--body-limit",
        "--request-timeout",
        "--idle-timeout",
        "--connections",
        "--token-rate",
        "--allowed-host",
        "--cors-origin",
        "--tls-cert",
        "--tls-key",
    ] {
        assert!(help.contains(flag), "{flag}");
    }
}

#[test]
fn who_reads_nothing_is_dropped() {
    let shop = Daemon::with(|given| {
        given.idle_timeout = Some("500ms".parse().unwrap());
        given.connections = Some(1);
    });
    let mut deaf = TcpStream::connect(shop.api()).unwrap();
    deaf.set_write_timeout(Some(PATIENCE)).unwrap();
    // Many answers of a large datafile, of which none is read: more than fits in between.
    let request = "GET /v1/datafile HTTP/1.1\r\nHost: localhost\r\n\r\n";
    let watch = Stopwatch::start();
    while deaf.write_all(request.repeat(100).as_bytes()).is_ok() {
        assert!(watch.elapsed() < PATIENCE, "it was not dropped");
    }
    assert_eq!(ask(shop.api(), &Request::new("GET /health")).status, 200, "its place is free");
}
