//! Countly's own SDKs, pinned, against the running command.
//!
//! Must not know what they send.

use std::path::Path;

use serde_json::{Value, json};

use super::Request;
use super::ask;
use crate::server::driver::{Driver, installed};
use crate::server::process::{Served, serve};

const SETTINGS: &str = r#"
[[tracking.key]]
system = "countly"
key = "PLAIN"
environment = "production"

[[tracking.key]]
system = "countly"
key = "SALTED"
environment = "production"
salt = "pepper"

[tracking.events]
"item purchase" = "purchase"

[cors]
origins = ["http://shop.example"]
"#;

/// The command over the shop.
struct Running {
    served: Option<Served>,
    _folder: tempfile::TempDir,
}

impl Running {
    fn new() -> Self {
        let folder = tempfile::tempdir().unwrap();
        let settings = folder.path().join("variate.toml");
        std::fs::write(&settings, SETTINGS).unwrap();
        let arguments =
            ["--config", settings.to_str().unwrap(), "--datafile", "datafiles/shop.json"];
        let served = serve(folder.path(), &arguments);
        Self { served: Some(served), _folder: folder }
    }

    fn served(&self) -> &Served {
        self.served.as_ref().unwrap()
    }

    fn client(&self, name: &'static str, key: &str, salt: &str) -> Driver {
        let folder = Path::new(env!("CARGO_MANIFEST_DIR")).join("tests/countly");
        let (program, modules) =
            (folder.join(format!("{name}.mjs")), installed("countly").join("node_modules"));
        let url = format!("http://{}", self.served().api);
        let arguments = [program.to_str().unwrap(), modules.to_str().unwrap(), &url, key, salt];
        Driver::start(name, Path::new("node"), &arguments)
    }

    fn activate(&self, user: &str) {
        let body = json!({"userId": user}).to_string();
        let path = "POST /v1/activate?experimentKey=checkout_button";
        let key = super::super::super::SHOP_KEY;
        let request = Request::new(path).body(&body).header("X-Optimizely-SDK-Key", key);
        assert_eq!(ask(self.served().api, &request).status, 200);
    }

    /// Events of a user that count for something.
    fn conversions(&self, user: &str) -> Vec<Value> {
        let path = format!("GET /events?type=conversion&limit=1000&user={user}");
        let lines = ask(self.served().admin, &Request::new(&path)).body;
        let records = lines.lines().map(|line| serde_json::from_str::<Value>(line).unwrap());
        records.filter(|record| record["credits"] != json!([])).collect()
    }

    #[track_caller]
    fn check_one(&self, user: &str, variation: &str) -> Value {
        let conversions = self.conversions(user);
        assert_eq!(conversions.len(), 1, "{user}: {conversions:?}");
        let credits = conversions[0]["credits"].as_array().unwrap();
        assert_eq!(credits.len(), 1, "{conversions:?}");
        assert_eq!(
            (&credits[0]["experimentKey"], &credits[0]["variationKey"]),
            (&json!("checkout_button"), &json!(variation)),
        );
        conversions[0].clone()
    }
}

impl Drop for Running {
    fn drop(&mut self) {
        self.served.take().map(Served::kill).unwrap_or_default();
    }
}

#[track_caller]
fn tell(client: &mut Driver, command: &Value) {
    assert_eq!(client.ask(command), json!({}), "{command}");
}

/// All that was told was answered with success; says how many answers were lost on the way.
#[track_caller]
fn drained(client: &mut Driver) -> Value {
    let drained = client.ask(&json!({"do": "drained"}));
    let answered = drained["answered"].as_array().unwrap();
    assert!(!answered.is_empty() && answered.iter().all(|status| status == 200), "{drained}");
    drained["lost"].clone()
}

fn purchase(more: Value) -> Value {
    let mut event = json!({"key": "item purchase"});
    event.as_object_mut().unwrap().extend(more.as_object().unwrap().clone());
    json!({"do": "event", "event": event})
}

/// The same with each client: anna is activated here, and another answer than success comes once.
#[track_caller]
fn check_story(running: &Running, client: &mut Driver, of: &str) {
    let user = |name: &str| format!("{name}-{of}");
    running.activate(&user("anna"));
    tell(client, &json!({"do": "start", "device": user("anna")}));
    tell(client, &json!({"do": "lose", "answers": 1}));
    let segmentation = json!({"item_name": "rolex & co", "colours": ["red", "blue"]});
    let event = json!({"count": 2, "sum": 12.5, "dur": 3, "segmentation": segmentation});
    tell(client, &purchase(event));
    assert_eq!(drained(client), 1, "it was told once more");
    let conversion = running.check_one(&user("anna"), variation(running, &user("anna")));
    for (name, expect) in [
        ("count", json!(2)),
        ("value", json!(12.5)),
        ("duration", json!(3.0)),
        ("origin", json!("countly")),
    ] {
        assert_eq!(conversion[name], expect, "{name}: {conversion}");
    }
    assert_eq!(conversion["tags"]["item_name"], "rolex & co");

    // She signs in: another device id, and the same person.
    tell(client, &json!({"do": "change", "device": user("anna-in"), "merge": true}));
    tell(client, &purchase(json!({})));
    drained(client);
    running.check_one(&user("anna-in"), variation(running, &user("anna")));

    // Somebody else sits down, who was shown nothing.
    tell(client, &json!({"do": "change", "device": user("ben"), "merge": false}));
    let values = client.ask(&json!({"do": "remote"}))["values"].clone();
    tell(client, &purchase(json!({})));
    drained(client);
    assert_eq!(running.conversions(&user("ben")), Vec::<Value>::new());
    let shown = values["checkout_button"].as_str().unwrap();
    assert_eq!(shown, variation(running, &user("ben")));
    assert_eq!(values["dark_mode"], "dark");
}

/// As the daemon decides it.
fn variation(running: &Running, user: &str) -> &'static str {
    let body = json!({"userId": user}).to_string();
    let path = "POST /v1/activate?experimentKey=checkout_button&disableTracking=true";
    let key = super::super::super::SHOP_KEY;
    let request = Request::new(path).body(&body).header("X-Optimizely-SDK-Key", key);
    let answer = ask(running.served().api, &request).json();
    if answer[0]["variationKey"] == "orange" { "orange" } else { "green" }
}

#[track_caller]
fn check_no_problems(running: &Running) {
    let problems = ask(running.served().admin, &Request::new("GET /problems")).body;
    assert!(!problems.contains("countly"), "{problems}");
}

#[test]
#[ignore = "needs Countly's SDKs, from tests/countly/setup"]
fn the_node_sdk_changes_nothing_but_its_url() {
    let running = Running::new();
    let mut client = running.client("node", "PLAIN", "");
    check_story(&running, &mut client, "node");

    // It enrols whom it likes, and what it knows of them goes with an event.
    let enrol = json!({"device_id": "eva", "method": "ab_enroll_variant",
                       "key": "checkout_button", "variant": "orange"});
    tell(&mut client, &json!({"do": "request", "params": enrol}));
    let events = json!([{"key": "item purchase", "count": 1}]).to_string();
    let details = json!({"custom": {"country": "SE"}}).to_string();
    let event = json!({"device_id": "eva", "events": events, "user_details": details});
    tell(&mut client, &json!({"do": "request", "params": event}));
    drained(&mut client);
    let conversion = running.check_one("eva", "orange");
    assert!(conversion["attributes"].to_string().contains("SE"), "{conversion}");

    // More than a query holds: it posts.
    running.activate("fia");
    tell(&mut client, &json!({"do": "change", "device": "fia", "merge": false}));
    for n in 0..30 {
        tell(&mut client, &purchase(json!({"dur": n, "segmentation": {"item": "x".repeat(200)}})));
    }
    drained(&mut client);
    assert_eq!(running.conversions("fia").len(), 30);

    // Of many at once.
    running.activate("u1");
    let bulk = ["u1", "u2"]
        .map(|device| json!({"device": device, "event": {"key": "item purchase", "count": 1}}));
    tell(&mut client, &json!({"do": "bulk", "events": bulk}));
    running.check_one("u1", variation(&running, "u1"));
    assert_eq!(running.conversions("u2"), Vec::<Value>::new());
    check_no_problems(&running);
}

#[test]
#[ignore = "needs Countly's SDKs, from tests/countly/setup"]
fn the_web_sdk_changes_nothing_but_its_url() {
    let running = Running::new();
    let mut client = running.client("web", "PLAIN", "");
    check_story(&running, &mut client, "web");
    tell(&mut client, &json!({"do": "change", "device": "eva", "merge": false}));
    tell(&mut client, &json!({"do": "takePart", "keys": ["checkout_button"]}));
    tell(&mut client, &purchase(json!({})));
    drained(&mut client);
    running.check_one("eva", variation(&running, "eva"));
    check_no_problems(&running);
}

#[test]
#[ignore = "needs Countly's SDKs, from tests/countly/setup"]
fn salted_requests_are_believed() {
    let running = Running::new();
    for name in ["node", "web"] {
        let mut client = running.client(name, "SALTED", "pepper");
        check_story(&running, &mut client, name);
    }
    check_no_problems(&running);
    // With another salt nothing counts, and the queue drains all the same.
    for name in ["node", "web"] {
        let user = format!("{name}-wrong");
        running.activate(&user);
        let mut client = running.client(name, "SALTED", "salt");
        tell(&mut client, &json!({"do": "start", "device": user}));
        tell(&mut client, &purchase(json!({})));
        assert_eq!(drained(&mut client), 0);
        assert_eq!(running.conversions(&user), Vec::<Value>::new());
    }
    let problems = ask(running.served().admin, &Request::new("GET /problems")).body;
    assert!(problems.contains("wrong-checksum"), "{problems}");
}
