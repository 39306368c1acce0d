//! The daemon: a running one is asked over loopback, in this process or as the command.
//!
//! Must not know how anything is answered inside.

mod admin;
mod agent;
mod batch;
mod bodies;
mod datafile_webhook;
mod datafiles;
mod driver;
mod front;
mod hostile;
mod http;
mod keys;
mod kills;
mod limits;
mod metrics;
mod notifications;
mod ofrep;
mod openapi;
mod overrides;
mod page;
mod polling;
mod process;
mod profiles;
mod security;
mod settings;
mod shared_keys;
mod slips;
mod sources;
mod stalled;
mod streams;
mod tracking;
mod two_ways;
mod verbs;

use std::net::SocketAddr;
use std::path::PathBuf;
use std::time::Duration;

use serde_json::Value;
use tempfile::TempDir;
use variate::clock::Stopwatch;
use variate::server::Server;
use variate::settings::{EnvironmentSettings, Given, Port, ServeSettings};

use http::{Answer, Request, ask};

const SHOP: &str = "datafiles/shop.json";
const SHOP_KEY: &str = "Qm4ShopVr8Kd2Zp7Tn1Xw";
/// Long enough for a machine that is busy.
const PATIENCE: Duration = Duration::from_secs(20);

/// A daemon in this process, with a store of its own.
struct Daemon {
    server: Server,
    /// Of the store: gone after the server.
    _folder: TempDir,
}

impl Daemon {
    /// One with the shop.
    fn shop() -> Self {
        Self::with(|_| {})
    }

    /// One with the shop and other settings.
    fn with(change: impl FnOnce(&mut Given)) -> Self {
        let folder = tempfile::tempdir().unwrap();
        let server = start(folder.path().join("store"), change).unwrap();
        Self { server, _folder: folder }
    }

    /// One that follows a datafile in a folder, with other settings.
    fn following(folder: &TempDir, datafile: &Value, change: impl FnOnce(&mut Given)) -> Self {
        let path = put(folder, datafile);
        Self::with(|given| {
            given.environments = vec![environment(path.to_str().unwrap())];
            change(given);
        })
    }

    fn api(&self) -> SocketAddr {
        self.server.addresses().api.unwrap()
    }

    fn admin(&self) -> SocketAddr {
        self.server.addresses().admin.unwrap()
    }

    /// Asks the API: `POST /v1/track?eventKey=x` with a body, which may be empty.
    fn ask(&self, what: &str, body: &str) -> Answer {
        ask(self.api(), &Request::new(what).body(body))
    }

    /// Asks the administration.
    fn ask_admin(&self, what: &str) -> Answer {
        ask(self.admin(), &Request::new(what))
    }

    /// Status and body of what the API answers.
    #[track_caller]
    fn check(&self, what: &str, body: &str, expect: (u16, &str)) {
        let answer = self.ask(what, body);
        assert_eq!((answer.status, answer.body.as_str()), expect, "{what} {body}");
        assert_eq!(answer.header("content-type"), Some("application/json; charset=utf-8"));
    }
}

fn start(store: PathBuf, change: impl FnOnce(&mut Given)) -> Result<Server, variate::Error> {
    let mut given = Given {
        port: Some(Port::Number(0)),
        admin_port: Some(Port::Number(0)),
        data_dir: Some(store),
        environments: vec![environment(SHOP)],
        ..Given::default()
    };
    change(&mut given);
    Server::start(ServeSettings::new(given))
}

/// Puts a datafile into a folder whole, in the place of the one that is there.
fn put(folder: &TempDir, datafile: &Value) -> PathBuf {
    let (beside, path) = (folder.path().join("next.json"), folder.path().join("scene.json"));
    std::fs::write(&beside, datafile.to_string()).unwrap();
    std::fs::rename(beside, &path).unwrap();
    path
}

/// An environment as `--datafile` makes it.
fn environment(datafile: &str) -> EnvironmentSettings {
    EnvironmentSettings::of_datafile(datafile.parse().unwrap())
}

/// Looks again and again until there is something to see.
#[track_caller]
fn wait_for<T>(what: &str, mut look: impl FnMut() -> Option<T>) -> T {
    let started = Stopwatch::start();
    loop {
        if let Some(seen) = look() {
            return seen;
        }
        assert!(started.elapsed() < PATIENCE, "{what} did not come about within {PATIENCE:?}");
        std::thread::sleep(Duration::from_millis(20));
    }
}
