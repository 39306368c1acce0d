//! SIGHUP: what changes at once, what needs a restart, and what a broken file does.
//!
//! Must not know who may ask what.

use std::fs;
use std::io::{BufRead as _, BufReader};
use std::path::Path;
use std::process::{ChildStderr, Command};
use std::sync::mpsc::{Receiver, channel};

use super::super::http::{Request, ask};
use super::super::process::{Served, serve};
use super::super::{PATIENCE, SHOP, wait_for};
use super::bearer;

fn token_table(secret: &str, scope: &str) -> String {
    format!(
        "[[token]]\nname = \"x\"\nsecret = \"{secret}\"\nenvironments = [\"*\"]\nscopes = [\"{scope}\"]\n"
    )
}

/// A command with a settings file, and what it logs.
struct Reloaded {
    served: Served,
    said: Receiver<String>,
    _folder: tempfile::TempDir,
    settings: std::path::PathBuf,
}

fn lines(stderr: ChildStderr) -> Receiver<String> {
    let (sender, receiver) = channel();
    std::thread::spawn(move || {
        for line in BufReader::new(stderr).lines().map_while(Result::ok) {
            if sender.send(line).is_err() {
                return;
            }
        }
    });
    receiver
}

impl Reloaded {
    fn with(text: &str) -> Self {
        let folder = tempfile::tempdir().unwrap();
        let settings = folder.path().join("variate.toml");
        fs::write(&settings, text).unwrap();
        let config = settings.to_str().unwrap();
        let mut served = serve(folder.path(), &["--datafile", SHOP, "--config", config]);
        let said = lines(served.child.stderr.take().unwrap());
        Self { served, said, _folder: folder, settings }
    }

    /// Sends SIGHUP with another file, and waits for what is said then, with all before it.
    fn reload(&self, text: &str, until: &str) -> String {
        fs::write(&self.settings, text).unwrap();
        self.hang_up(until)
    }

    /// Sends SIGHUP.
    fn hang_up(&self, until: &str) -> String {
        let id = self.served.child.id().to_string();
        assert!(Command::new("kill").args(["-HUP", &id]).status().unwrap().success());
        let mut said = String::new();
        loop {
            let line = self
                .said
                .recv_timeout(PATIENCE)
                .unwrap_or_else(|_| panic!("no {until:?} in:\n{said}"));
            said += &line;
            said.push('\n');
            if line.contains(until) {
                return said;
            }
        }
    }

    fn status(&self, secret: &str) -> u16 {
        ask(self.served.api, &bearer("GET /v1/config", secret)).status
    }
}

const ADMIN: &str = "a-token-for-people-01";

fn with_admin(text: &str) -> String {
    format!(
        "{text}[[token]]\nname = \"people\"\nsecret = \"{ADMIN}\"\nenvironments = [\"*\"]\nscopes = [\"admin\"]\n"
    )
}

const READ: &str = "settings read again";
const KEPT: &str = "the settings were not read again";

#[test]
fn tracking_keys_and_names_change_at_once() {
    let key = |key: &str| {
        format!(
            "[[tracking.key]]\nsystem = \"thrivestack\"\nkey = \"{key}\"\nenvironment = \"production\"\n"
        )
    };
    let daemon = Reloaded::with("");
    let status = |key: Option<&str>| {
        let request = Request::new("POST /track")
            .body(r#"{"user_id": "anna", "event": "Bought It", "properties": {}}"#);
        let request =
            key.into_iter().fold(request, |request, key| request.header("x-api-key", key));
        ask(daemon.served.api, &request).status
    };
    assert_eq!((status(None), status(Some("one"))), (200, 200), "no key is named");
    let said = daemon.reload(&key("one"), READ);
    assert!(said.contains("changed=\"tracking\""), "{said}");
    assert_eq!((status(None), status(Some("one")), status(Some("two"))), (401, 200, 401));
    let named = format!("[tracking.events]\n\"Bought It\" = \"purchase\"\n{}", key("two"));
    daemon.reload(&named, READ);
    assert_eq!((status(Some("one")), status(Some("two"))), (401, 200));
    let stored = Request::new("GET /events?type=conversion");
    let stored = ask(daemon.served.admin, &stored).body;
    assert_eq!(stored.lines().count(), 1, "the name counts from then on: {stored}");
    daemon.reload("", READ);
    assert_eq!(status(None), 200);
    daemon.served.kill();
}

#[test]
fn tokens_change_at_once() {
    let daemon = Reloaded::with(&token_table("the-first-token-0123", "decide"));
    assert_eq!(
        (daemon.status("the-first-token-0123"), daemon.status("another-token-01234")),
        (200, 401)
    );
    let said = daemon.reload(&token_table("another-token-01234", "decide"), READ);
    assert!(said.contains("changed=\"token\""), "{said}");
    assert_eq!(
        (daemon.status("the-first-token-0123"), daemon.status("another-token-01234")),
        (401, 200)
    );
    daemon.reload(&token_table("another-token-01234", "track"), READ);
    assert_eq!(daemon.status("another-token-01234"), 403);
    daemon.reload("", READ);
    assert_eq!(daemon.status("whatever"), 200, "no token is needed any more");
    daemon.reload(
        &format!("token_rate = \"1/h\"\n{}", token_table("another-token-01234", "decide")),
        READ,
    );
    assert_eq!(
        (daemon.status("another-token-01234"), daemon.status("another-token-01234")),
        (200, 429)
    );
    daemon.served.kill();
}

#[test]
fn a_broken_file_leaves_all_as_it_was() {
    let good = token_table("the-first-token-0123", "decide");
    let daemon = Reloaded::with(&good);
    for (broken, problem) in [
        ("prot = 1\n", "line 1: there is no key \\\"prot\\\": did you mean \\\"port\\\"?"),
        ("token_rate = \"often\"\n", "write a whole number from 1"),
        (&*token_table("short", "decide"), "fewer than 16 signs"),
        (&*token_table("another-token-01234", "everything"), "decide, track, override or admin"),
        (&*good.replace('*', "nowhere"), "which is not there"),
        ("host = \"0.0.0.0\"\ntls_cert = \"x\"\ntls_key = \"y\"", "restart"),
        ("[jwt]\nttl = \"1m\"\n", "give hmac_secrets or jwks_url"),
    ] {
        let said = daemon.reload(broken, KEPT);
        assert!(said.contains(problem), "no {problem:?} in:\n{said}");
        assert!(!said.contains("another-token-01234"), "{said}");
        assert_eq!(
            (daemon.status("the-first-token-0123"), daemon.status("another-token-01234")),
            (200, 401)
        );
    }
    fs::remove_file(&daemon.settings).unwrap();
    daemon.hang_up(KEPT);
    daemon.reload(&with_admin(&good), READ);
    let problems = ask(daemon.served.admin, &bearer("GET /problems", ADMIN)).json();
    let problems = problems["problems"].as_array().unwrap();
    let refused = problems.iter().filter(|one| one["kind"] == "settings" && one["count"] == 1);
    assert_eq!(refused.count(), 8, "{problems:?}");
    fs::remove_file(&daemon.settings).unwrap();
    daemon.hang_up(KEPT);
    assert_eq!(daemon.status("whatever"), 401, "a file that is gone opens no door");
    daemon.reload(&good, READ);
    assert_eq!(daemon.status("the-first-token-0123"), 200);
    daemon.served.kill();
}

#[test]
fn what_needs_a_restart_opens_no_door_before_it() {
    let token = token_table("the-first-token-0123", "decide");
    let daemon = Reloaded::with(&format!("host = \"0.0.0.0\"\n{token}"));
    let said = daemon.reload("host = \"0.0.0.0\"\ninsecure = true\n", KEPT);
    assert!(said.contains("can be reached by other machines"), "{said}");
    assert_eq!(daemon.status("whatever"), 401);
    daemon.served.kill();
}

#[test]
fn what_needs_a_restart_is_said_by_name() {
    let daemon = Reloaded::with("");
    let text = "host = \"127.0.0.2\"\nlate_window = \"2h\"\nrecord_retention = \"9d\"\nbody_limit = \"2MiB\"\n[[sink]]\nto = \"stdout\"\n[cors]\norigins = [\"*\"]\n";
    let said = daemon.reload(text, "need a restart");
    let said = said.lines().last().unwrap();
    for name in ["host", "late_window", "record_retention", "body_limit", "sink", "cors"] {
        assert!(said.contains(name), "no {name} in:\n{said}");
    }
    assert!(!said.contains("data_dir") && !said.contains("environment"), "{said}");
    let again = daemon.reload("log = \"debug\"\n", READ);
    assert!(again.contains("changed=\"log\""), "{again}");
    // The level changes right behind that line.
    wait_for("a line for a request", || {
        daemon.status("x");
        daemon.said.try_iter().find(|line| line.contains("endpoint=\""))
    });
    daemon.served.kill();
}

#[test]
fn a_secret_can_stand_in_a_file_of_its_own() {
    let folder = tempfile::tempdir().unwrap();
    let file = folder.path().join("secret");
    fs::write(&file, "the-secret-in-a-file\n").unwrap();
    let table = |path: &Path| {
        format!(
            "[[token]]\nname = \"x\"\nsecret_file = {path:?}\nenvironments = [\"production\"]\nscopes = [\"decide\"]\n[[token]]\nname = \"y\"\nsecret_sha256 = \"5e8b4bf2e1ac50b1cfd0d23b8e4f2e2bb7e12fb96f84f0a9d9a1a7a8d1c2b3a4\"\nenvironments = [\"production\"]\nscopes = [\"decide\"]\n"
        )
    };
    let daemon = Reloaded::with(&table(&file));
    assert_eq!(daemon.status("the-secret-in-a-file"), 200);
    fs::write(&file, "another-secret-in-it\n").unwrap();
    daemon.reload(&table(&file), READ);
    assert_eq!(
        (daemon.status("the-secret-in-a-file"), daemon.status("another-secret-in-it")),
        (401, 200)
    );
    let said = daemon.reload(&table(Path::new("/nowhere/at/all")), KEPT);
    assert!(said.contains("/nowhere/at/all"), "{said}");
    assert_eq!(daemon.status("another-secret-in-it"), 200);
    daemon.served.kill();
}
