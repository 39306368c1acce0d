//! Flagger's own client, pinned, against the running command.
//!
//! Must not know what it sends.

use std::net::SocketAddr;
use std::path::Path;
use std::time::Duration;

use serde_json::{Value, json};

use super::scene::datafile;
use crate::server::driver::{Driver, installed};
use crate::server::front::Front;
use crate::server::http::{Request, ask};
use crate::server::process::{Served, serve};
use crate::server::wait_for;

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

    fn api(&self) -> SocketAddr {
        self.served.as_ref().unwrap().api
    }

    fn client(&self, ingest: SocketAddr) -> Driver {
        let driver = Path::new(env!("CARGO_MANIFEST_DIR")).join("tests/flagger/client.py");
        let (api, ingest) = (format!("http://{}", self.api()), format!("http://{ingest}"));
        let arguments = [driver.to_str().unwrap(), &api, "FlaggerTests", &ingest];
        Driver::start("flagger", &installed("flagger").join("venv/bin/python"), &arguments)
    }

    fn ask_admin(&self, what: &str) -> String {
        ask(self.served.as_ref().unwrap().admin, &Request::new(what)).body
    }

    fn records(&self, kind: &str) -> Vec<Value> {
        let body = self.ask_admin(&format!("GET /events?type={kind}&limit=10000"));
        body.lines().map(|line| serde_json::from_str(line).unwrap()).collect()
    }

    /// Each conversion as `user event experiment/variation`.
    fn credits(&self) -> Vec<String> {
        let word = |value: &Value| value.as_str().unwrap().to_owned();
        let credits = self.records("conversion").into_iter().flat_map(|record| {
            let credits = record["credits"].as_array().unwrap().clone();
            credits.into_iter().map(move |credit| {
                let experiment = word(&credit["experimentKey"]);
                let variation = word(&credit["variationKey"]);
                format!(
                    "{} {} {experiment}/{variation}",
                    word(&record["userId"]),
                    word(&record["eventKey"])
                )
            })
        });
        let mut credits: Vec<String> = credits.collect();
        credits.sort();
        credits
    }

    /// The client sends several requests at once, and does not wait for all of them at its end.
    #[track_caller]
    fn wait_for_credits(&self, expect: &[&str]) {
        wait_for("the conversions", || (self.credits().len() >= expect.len()).then_some(()));
        assert_eq!(self.credits(), expect);
    }

    fn swap(&self, datafile: &Value) {
        let beside = self.folder.path().join("next.json");
        std::fs::write(&beside, datafile.to_string()).unwrap();
        std::fs::rename(beside, self.folder.path().join("scene.json")).unwrap();
    }
}

impl Drop for Running {
    fn drop(&mut self) {
        self.served.take().map(Served::kill).unwrap_or_default();
    }
}

fn user(id: &str) -> Value {
    json!({"id": id})
}

impl Driver {
    fn variation(&mut self, codename: &str, entity: &Value) -> String {
        let question = json!({"call": "variation", "codename": codename, "entity": entity});
        self.ask(&question)["value"].as_str().unwrap().to_owned()
    }

    fn track(&mut self, name: &str, properties: Value, entity: &Value) {
        self.ask(
            &json!({"call": "track", "name": name, "properties": properties, "entity": entity}),
        );
    }

    /// Sends all that waits; whether nothing is left.
    fn is_drained(&mut self) -> bool {
        self.ask(&json!({"call": "shutdown", "timeoutMs": 5000}))["timedOut"] == false
    }
}

fn purchase() -> Value {
    json!({"plan": "Gold", "referrer": "https://www.google.com", "shirt_size": "medium", "price": 12.5})
}

#[test]
#[ignore = "needs Flagger's client, from tests/flagger/setup"]
fn what_the_client_shows_is_credited_once() {
    let running = Running::new();
    let mut client = running.client(running.api());
    let shown = ["543", "6", "1"].map(|id| client.variation("color-theme", &user(id)));
    assert_eq!(shown, ["blue", "green", "red"], "by its own hash");
    let company = json!({"id": "777", "type": "Company"});
    for entity in [user("543"), company, user("never-asked")] {
        client.track("Purchase Completed", purchase(), &entity);
    }
    // The document's other way: an entity for all calls.
    client.ask(&json!({"call": "entity", "entity": {"id": "6", "attributes": {"Country": "SE", "list": [1]}}}));
    client.track("Signup", json!({}), &Value::Null);
    assert!(client.is_drained());
    running
        .wait_for_credits(&["543 purchase_completed theme_test/blue", "6 signup theme_test/green"]);
    let conversions = running.records("conversion");
    let of = |user: &str| conversions.iter().find(|record| record["userId"] == user).unwrap();
    assert_eq!(of("543")["tags"], purchase());
    assert!(of("6")["attributes"].to_string().contains("SE"), "{}", of("6"));
    let impressions = running.records("impression");
    assert!(impressions.iter().all(|record| record["origin"] == "flagger"), "{impressions:?}");
}

#[test]
#[ignore = "needs Flagger's client, from tests/flagger/setup"]
fn the_client_shows_no_more_than_the_datafile_gives() {
    let running = Running::new();
    let mut client = running.client(running.api());
    let entity = |id: &str, age: u64, country: &str, staff: bool| json!({"id": id, "attributes": {"age": age, "country": country, "staff": staff}});
    let mut shown = [0_u32; 2];
    for number in 0..200_u64 {
        let (age, country, staff) =
            (10 + number % 20, ["SE", "NO"][number as usize % 2], number.is_multiple_of(3));
        let entity = entity(&format!("user-{number}"), age, country, staff);
        let is_asked = age >= 18 && (country == "SE" || !staff);
        let variation = client.variation("checkout", &entity);
        assert!(is_asked || variation == "off", "{entity}: {variation}");
        assert!(["off", "one_page", "4022"].contains(&variation.as_str()), "{variation}");
        if is_asked {
            shown[usize::from(variation != "off")] += 1;
        }
        let banner = client.variation("banner", &entity);
        assert!(age >= 18 || banner == "on", "{entity}: {banner}");
        for codename in ["phone_only", "ended", "grouped", "unheard-of"] {
            assert_eq!(client.variation(codename, &entity), "off", "{codename}");
        }
    }
    assert!(shown.iter().all(|count| *count > 20), "about half of them: {shown:?}");
    assert_eq!(client.variation("checkout", &entity("vip", 5, "NO", true)), "one_page");
    assert_eq!(client.variation("grouped", &user("vip")), "on");
    let payload =
        client.ask(&json!({"call": "payload", "codename": "color-theme", "entity": user("543")}));
    assert_eq!(payload["value"], json!({"hex": "#00f", "size": 7}));
    let enabled =
        client.ask(&json!({"call": "enabled", "codename": "color-theme", "entity": user("543")}));
    assert_eq!(enabled["value"], true);
    assert!(client.is_drained());
    // Of what it never heard of, the operator hears.
    assert!(running.ask_admin("GET /problems").contains("the detected flag \\\"unheard-of\\\""));
    let of_checkout = || {
        let is_it = |record: &&Value| record["ruleKey"] == "checkout_test";
        running.records("impression").iter().filter(is_it).count()
    };
    let expect = shown[1] as usize + 1;
    wait_for("each that was shown", || (of_checkout() >= expect).then_some(()));
    assert_eq!(of_checkout(), expect, "as it was shown");
}

#[test]
#[ignore = "needs Flagger's client, from tests/flagger/setup"]
fn the_client_sees_changes_at_once() {
    let running = Running::new();
    let mut client = running.client(running.api());
    assert_eq!(client.variation("color-theme", &user("543")), "blue");
    let streams =
        || running.ask_admin("GET /metrics").contains("endpoint=\"flagger-sse\",status=\"2xx\"} 1");
    wait_for("its stream", || streams().then_some(()));
    let mut paused = datafile("2");
    paused["experiments"][0]["status"] = json!("Paused");
    running.swap(&paused);
    wait_for("the kill switch", || {
        (client.variation("color-theme", &user("543")) == "off").then_some(())
    });
    running.swap(&datafile("3"));
    wait_for("the flag again", || {
        (client.variation("color-theme", &user("543")) == "blue").then_some(())
    });
    // For up to a second it forgets what it is told, while it takes the flags in.
    std::thread::sleep(Duration::from_millis(1500));
    client.track("Purchase Completed", purchase(), &user("543"));
    assert!(client.is_drained());
    running.wait_for_credits(&["543 purchase_completed theme_test/blue"]);
}

#[test]
#[ignore = "needs Flagger's client, from tests/flagger/setup"]
fn an_exposure_that_was_refused_once_still_counts() {
    let running = Running::new();
    let front = Front::before(running.api(), "\"codename\":\"color-theme\"");
    let mut client = running.client(front.address);
    assert_eq!(client.variation("color-theme", &user("543")), "blue");
    wait_for("the refusal", || front.has_refused().then_some(()));
    // It sends again what it knows to be refused, behind the next that is not.
    std::thread::sleep(Duration::from_secs(1));
    assert_eq!(running.records("impression").len(), 0);
    client.track("Purchase Completed", purchase(), &user("543"));
    client.track("Purchase Completed", purchase(), &user("ben"));
    assert!(client.is_drained());
    running.wait_for_credits(&["543 purchase_completed theme_test/blue"]);
}
