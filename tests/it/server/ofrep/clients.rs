//! OpenFeature's own clients, pinned, against the running command.
//!
//! Must not know how they ask.

use std::path::{Path, PathBuf};

use serde_json::{Value, json};

use super::scene::{ALL, KEY, ONE, datafile};
use crate::server::driver::{Driver, installed};
use crate::server::http::{Request, ask};
use crate::server::process::{Served, serve};
use crate::server::wait_for;

/// A client, and what it makes of what it is told.
struct Client {
    driver: Driver,
    is_rust: bool,
    name: &'static str,
}

/// The command over a file with the scene's datafile.
struct Running {
    served: Option<Served>,
    folder: tempfile::TempDir,
}

impl Running {
    fn new() -> Self {
        let folder = tempfile::tempdir().unwrap();
        let path = folder.path().join("scene.json");
        std::fs::write(&path, datafile("1").to_string()).unwrap();
        let served = serve(folder.path(), &["--datafile", path.to_str().unwrap()]);
        Self { served: Some(served), folder }
    }

    fn served(&self) -> &Served {
        self.served.as_ref().unwrap()
    }

    fn url(&self) -> String {
        format!("http://{}", self.served().api)
    }

    fn swap(&self, datafile: &Value) {
        let beside = self.folder.path().join("next.json");
        std::fs::write(&beside, datafile.to_string()).unwrap();
        std::fs::rename(beside, self.folder.path().join("scene.json")).unwrap();
    }

    /// What the daemon itself says of a flag.
    fn said(&self, flag_key: &str, context: &Value) -> Value {
        let path = format!("POST {ONE}{}", flag_key.replace(' ', "%20"));
        let body = json!({"context": context}).to_string();
        ask(self.served().api, &Request::new(&path).body(&body)).json()
    }

    /// How many requests of an endpoint had a kind of status.
    fn count(&self, endpoint: &str, status: &str) -> u64 {
        let metrics = ask(self.served().admin, &Request::new("GET /metrics")).body;
        let labels = format!("endpoint=\"{endpoint}\",status=\"{status}\"");
        let line = metrics.lines().find(|line| line.contains(&labels));
        line.and_then(|line| line.rsplit(' ').next()?.parse().ok()).unwrap_or_default()
    }
}

impl Drop for Running {
    fn drop(&mut self) {
        self.served.take().map(Served::kill).unwrap_or_default();
    }
}

fn driver(name: &str) -> PathBuf {
    Path::new(env!("CARGO_MANIFEST_DIR")).join("tests/ofrep").join(name)
}

/// All clients of servers.
fn clients(url: &str) -> Vec<Client> {
    let (folder, python, node) = (installed("ofrep"), driver("client.py"), driver("client.mjs"));
    let modules = folder.join("node_modules");
    let text = |path: &Path| path.to_str().unwrap().to_owned();
    let (python, node, modules) = (text(&python), text(&node), text(&modules));
    let start = |name, program: &Path, arguments: &[&str]| Client {
        driver: Driver::start(name, program, arguments),
        is_rust: name == "rust",
        name,
    };
    vec![
        start("python", &folder.join("venv/bin/python"), &[&python, url, KEY]),
        start("javascript", Path::new("node"), &[&node, &modules, url, KEY]),
        start("rust", &folder.join("client"), &[url, KEY]),
    ]
}

/// Flags, the type that they are asked by, and a default that they never have.
fn flags() -> Vec<(&'static str, &'static str, Value)> {
    vec![
        ("plain", "boolean", json!(false)),
        ("plain_off", "boolean", json!(true)),
        ("no_rules", "boolean", json!(true)),
        ("text", "string", json!("default")),
        ("text_off", "string", json!("default")),
        ("whole", "integer", json!(-1)),
        ("double", "float", json!(-1.5)),
        ("switch", "boolean", json!(true)),
        ("several", "object", json!({"default": true})),
        ("share", "boolean", json!(null)),
        ("swedes", "boolean", json!(null)),
        ("test", "boolean", json!(null)),
        ("a b/c", "boolean", json!(false)),
    ]
}

fn users() -> Vec<Value> {
    vec![
        json!({"targetingKey": "fia", "country": "SE"}),
        json!({"targetingKey": "olle", "country": "NO", "age": 34, "height": 1.83, "member": true}),
        json!({"targetingKey": "åsa / ?#%"}),
        json!({"targetingKey": "user_1", "country": ""}),
    ]
}

impl Client {
    fn ask(&mut self, flag_key: &str, kind: &str, default: &Value, context: &Value) -> Value {
        // Where either value may come, the default is neither.
        let default = if default.is_null() { json!(false) } else { default.clone() };
        let question =
            json!({"flagKey": flag_key, "type": kind, "default": default, "context": context});
        self.driver.ask(&question)
    }

    /// A flag is for the client as the daemon says it.
    #[track_caller]
    fn check(
        &mut self,
        running: &Running,
        (flag_key, kind, default): &(&str, &str, Value),
        context: &Value,
    ) {
        let said = running.said(flag_key, context);
        let seen = self.ask(flag_key, kind, default, context);
        let about = || format!("{} on {flag_key} for {context}: {seen}, said {said}", self.name);
        assert_eq!(seen["errorCode"], Value::Null, "{}", about());
        assert_eq!(self.seen(&seen["value"]), self.seen(&said["value"]), "{}", about());
        assert_ne!(seen["value"], *default, "{}", about());
        assert_eq!(seen["variant"], said["variant"], "{}", about());
        // The Rust client says so whatever it is told.
        let reason = if self.is_rust { json!("STATIC") } else { said["reason"].clone() };
        assert_eq!(seen["reason"], reason, "{}", about());
    }

    /// An object without what the driver does not show; whole numbers are what they are in JavaScript.
    fn seen(&self, value: &Value) -> Value {
        match value {
            Value::Object(object) => {
                let seen = object.iter().map(|(key, value)| (key.clone(), self.seen(value)));
                let seen = seen.map(|(key, value)| {
                    if self.is_rust && value.is_object() {
                        (key, Value::Null)
                    } else {
                        (key, value)
                    }
                });
                Value::Object(seen.collect())
            }
            Value::Number(number) => json!(number.as_f64()),
            other => other.clone(),
        }
    }
}

#[test]
#[ignore = "needs the OFREP clients, from tests/ofrep/setup"]
fn clients_of_servers_see_what_the_daemon_says() {
    let running = Running::new();
    let mut clients = clients(&running.url());
    let check_all = |clients: &mut [Client]| {
        for client in clients {
            for context in users() {
                flags().iter().for_each(|flag| client.check(&running, flag, &context));
            }
        }
    };
    check_all(&mut clients);
    for client in &mut clients {
        check_faults(client);
    }
    let records = || {
        ask(
            running.served().admin,
            &Request::new("GET /events?limit=10000&user=fia&type=impression"),
        )
        .body
    };
    let flags_shown = flags().len();
    let expect = 2 * clients.len() * flags_shown; // each time the test asked as well
    wait_for("all exposures", || (records().lines().count() >= expect).then_some(()));
    assert!(records().lines().all(|line| line.contains("\"origin\":\"ofrep\"")));

    let mut next = datafile("2");
    next["rollouts"][0]["experiments"][0]["trafficAllocation"] =
        json!([{"entityId": "1012", "endOfRange": 10_000}]);
    next["rollouts"][3]["experiments"][0]["variations"][0]["variables"][0]["value"] =
        json!("louder");
    running.swap(&next);
    wait_for("the swap", || (running.said("text", &json!({}))["value"] == "louder").then_some(()));
    for client in &mut clients {
        assert_eq!(client.ask("plain", "boolean", &json!(true), &json!({}))["value"], false);
        assert_eq!(client.ask("text", "string", &json!("default"), &json!({}))["value"], "louder");
    }
}

/// What has no value gives the client's default, and the protocol's code where the client knows it.
#[track_caller]
fn check_faults(client: &mut Client) {
    let fia = json!({"targetingKey": "fia"});
    // The Rust client takes every 400 for a wrong context, and another type for what it cannot parse.
    let code =
        |code: &'static str, in_rust: &'static str| if client.is_rust { in_rust } else { code };
    let cases = [
        ("nothing", "boolean", &fia, "FLAG_NOT_FOUND"),
        ("wrong_type", "integer", &fia, code("PARSE_ERROR", "INVALID_CONTEXT")),
        ("bandit", "boolean", &fia, code("GENERAL", "INVALID_CONTEXT")),
        ("share", "boolean", &json!({}), code("TARGETING_KEY_MISSING", "INVALID_CONTEXT")),
        ("text", "boolean", &fia, code("TYPE_MISMATCH", "PARSE_ERROR")),
        ("plain", "string", &fia, code("TYPE_MISMATCH", "PARSE_ERROR")),
    ];
    for (flag_key, kind, context, expect) in cases {
        let default = match kind {
            "boolean" => json!(true),
            "integer" => json!(-1),
            _ => json!("default"),
        };
        let seen = client.ask(flag_key, kind, &default, context);
        assert_eq!(seen["errorCode"], expect, "{} on {flag_key}: {seen}", client.name);
        assert_eq!(seen["value"], default, "{} on {flag_key}", client.name);
    }
    // Nobody's key: some do not need one, and clients may have no context at all.
    let seen = client.ask("text", "string", &json!("default"), &json!({}));
    assert_eq!(seen["value"], "loud", "{}: {seen}", client.name);
}

fn web(running: &Running) -> Driver {
    let (web, modules) = (driver("web.mjs"), installed("ofrep").join("node_modules"));
    let arguments = [web.to_str().unwrap(), modules.to_str().unwrap(), &running.url()];
    Driver::start("web", Path::new("node"), &arguments)
}

#[track_caller]
fn check_web(web: &mut Driver, running: &Running, context: &Value) {
    for (flag_key, kind, default) in flags() {
        let said = running.said(flag_key, context);
        let default = if default.is_null() { json!(false) } else { default };
        let seen =
            web.ask(&json!({"do": "read", "flagKey": flag_key, "type": kind, "default": default}));
        let plain = |value: &Value| {
            value
                .as_f64()
                .map_or_else(|| value.to_string().replace(".0", ""), |number| number.to_string())
        };
        assert_eq!(
            plain(&seen["value"]),
            plain(&said["value"]),
            "{flag_key} for {context}: {seen}"
        );
        assert_eq!(
            (&seen["variant"], &seen["reason"]),
            (&said["variant"], &said["reason"]),
            "{flag_key}"
        );
    }
    let seen =
        web.ask(&json!({"do": "read", "flagKey": "wrong_type", "type": "integer", "default": -1}));
    assert_eq!((&seen["value"], &seen["errorCode"]), (&json!(-1), &json!("PARSE_ERROR")));
}

#[test]
#[ignore = "needs the OFREP clients, from tests/ofrep/setup"]
fn clients_of_browsers_follow_the_stream_of_changes() {
    let running = Running::new();
    let mut web = web(&running);
    let swede = json!({"targetingKey": "fia", "country": "SE"});
    web.ask(&json!({"do": "start", "context": swede, "changes": "sse"}));
    check_web(&mut web, &running, &swede);

    // The same user with another attribute: the client asks with the tag of before.
    let mut next = datafile("2");
    next["rollouts"][11]["experiments"][1]["trafficAllocation"] =
        json!([{"entityId": "1122", "endOfRange": 10_000}]);
    wait_for("the stream", || (running.count("ofrep-events", "2xx") > 0).then_some(()));
    running.swap(&next);
    let changed = web.ask(&json!({"do": "changed"}));
    assert_eq!(changed, json!({"changed": []}), "nothing changed for her");
    let norwegian = json!({"targetingKey": "fia", "country": "NO"});
    web.ask(&json!({"do": "context", "context": norwegian}));
    check_web(&mut web, &running, &norwegian);

    next["revision"] = json!("3");
    next["rollouts"][3]["experiments"][0]["variations"][0]["variables"][0]["value"] =
        json!("louder");
    running.swap(&next);
    let changed = web.ask(&json!({"do": "changed"}));
    assert_eq!(changed, json!({"changed": ["text"]}));
    let seen = web.ask(&json!({"do": "read", "flagKey": "text", "type": "string", "default": ""}));
    assert_eq!(seen["value"], "louder");
}

#[test]
#[ignore = "needs the OFREP clients, from tests/ofrep/setup"]
fn clients_of_browsers_poll_with_the_tag() {
    let running = Running::new();
    let mut web = web(&running);
    let fia = json!({"targetingKey": "fia", "country": "SE"});
    web.ask(&json!({"do": "start", "context": fia, "changes": "polling"}));
    wait_for("answers without a body", || (running.count("ofrep-bulk", "3xx") > 3).then_some(()));
    let whole = running.count("ofrep-bulk", "2xx");
    assert_eq!(whole, 1, "only the first is whole");
    let next = datafile("2").to_string().replace("\\\"a\\\":1.0", "\\\"a\\\":2");
    running.swap(&serde_json::from_str(&next).unwrap());
    assert_eq!(web.ask(&json!({"do": "changed"})), json!({"changed": ["several"]}));
    let path = format!("GET {ALL}");
    assert_eq!(ask(running.served().api, &Request::new(&path)).status, 405, "it goes on");
}
