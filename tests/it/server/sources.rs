//! Environments and their sources: changes come into force, and what is broken does not.
//!
//! Must not know how sources are asked.

use std::fs;

use variate::clock::Stopwatch;

use super::{Daemon, PATIENCE, SHOP, environment, wait_for};

#[test]
fn an_edited_datafile_is_in_force_within_seconds_and_a_broken_one_never() {
    let folder = tempfile::tempdir().unwrap();
    let path = folder.path().join("shop.json");
    let text = fs::read_to_string(SHOP).unwrap();
    fs::write(&path, &text).unwrap();
    let daemon =
        Daemon::with(|given| given.environments = vec![environment(path.to_str().unwrap())]);
    let revision = || {
        let answer = daemon.ask("POST /v1/decide?keys=search", r#"{"userId":"anna"}"#);
        answer.header("variate-revision").unwrap().to_owned()
    };
    assert_eq!(revision(), "87");
    fs::write(&path, &text.as_bytes()[..text.len() / 2]).unwrap();
    wait_for("the failure", || {
        let problem = daemon.ask("GET /ready", "").json()["environments"][0]["problem"].clone();
        problem.is_string().then_some(())
    });
    assert_eq!(revision(), "87");
    let metrics = daemon.ask_admin("GET /metrics").body;
    assert!(
        !metrics.contains("variate_source_failures_total{environment=\"production\"} 0"),
        "{metrics}"
    );
    fs::write(&path, text.replace("\"87\"", "\"88\"")).unwrap();
    wait_for("the change", || (revision() == "88").then_some(()));
    let ready = daemon.ask("GET /ready", "").json();
    assert_eq!(ready["environments"][0].get("problem"), None, "{ready}");
}

#[test]
fn a_daemon_is_another_daemons_source() {
    let upstream = Daemon::shop();
    let url = format!("http://{}/datafiles/%s.json", upstream.api());
    let daemon = Daemon::with(|given| {
        given.datafile_template = Some(url);
        given.environments = vec![variate::settings::EnvironmentSettings::of_sdk_key(
            format!("copy={}", super::SHOP_KEY).parse().unwrap(),
        )];
    });
    wait_for("the datafile", || (daemon.ask("GET /ready", "").status == 200).then_some(()));
    let ready = daemon.ask("GET /ready", "").json();
    assert_eq!(ready["environments"][0]["name"], "copy");
    let body = r#"{"userId":"anna","userAttributes":{"country":"SE","age":34}}"#;
    let what = "POST /v1/decide?keys=search&keys=support&keys=homepage";
    assert_eq!(daemon.ask(what, body).body, upstream.ask(what, body).body);
}

#[test]
fn environments_do_not_share_ledgers() {
    let daemon = Daemon::with(|given| {
        let folder = env!("CARGO_MANIFEST_DIR");
        let mut other = environment(&format!("other={folder}/{SHOP}"));
        other.sdk_key = Some("other".parse().unwrap());
        given.environments.push(other);
    });
    let ask = |what: &str, key: &str| {
        let request = super::Request::new(what)
            .header("X-Optimizely-SDK-Key", key)
            .body(r#"{"userId":"anna"}"#);
        super::ask(daemon.api(), &request).json()
    };
    ask("POST /v1/activate?experimentKey=checkout_button", super::SHOP_KEY);
    let there = ask("POST /v1/track?eventKey=purchase", super::SHOP_KEY);
    let elsewhere = ask("POST /v1/track?eventKey=purchase", "other");
    assert_eq!(there["credits"].as_array().unwrap().len(), 1, "{there}");
    assert_eq!(elsewhere["reason"], "no-activation", "{elsewhere}");
}

#[test]
fn each_environment_has_its_mode_in_every_sink() {
    let folder = tempfile::tempdir().unwrap();
    let records = folder.path().join("records.ndjson");
    let sink = format!("file:{}", records.display());
    let daemon = Daemon::with(|given| {
        let mut backend = environment(&format!("backend={SHOP}"));
        backend.sdk_key = Some("backend".parse().unwrap());
        backend.attribution = Some("backend".parse().unwrap());
        given.environments.push(backend);
        given.sinks = vec![variate::settings::SinkSettings::new(sink.parse().unwrap())];
    });
    for key in [super::SHOP_KEY, "backend"] {
        let request = super::Request::new("POST /v1/track?eventKey=purchase")
            .header("X-Optimizely-SDK-Key", key)
            .body(r#"{"userId":"anna"}"#);
        assert_eq!(super::ask(daemon.api(), &request).status, 200);
    }
    daemon.server.shut_down(super::PATIENCE).unwrap();
    let records = fs::read_to_string(&records).unwrap();
    assert_eq!(records.lines().count(), 1, "without credits only in backend mode: {records}");
    assert!(records.contains("\"environment\":\"backend\""), "{records}");
}

#[test]
fn an_address_without_a_place_for_the_key_is_asked_as_it_is() {
    let upstream = Daemon::shop();
    let url = format!("http://{}/datafiles/{}.json", upstream.api(), super::SHOP_KEY);
    let daemon = Daemon::with(|given| {
        let mut own = environment(&url);
        own.name = Some("copy".to_owned());
        own.sdk_key = Some("mine".parse().unwrap());
        given.environments = vec![own];
    });
    wait_for("the datafile", || (daemon.ask("GET /ready", "").status == 200).then_some(()));
    for (key, status) in [("mine", 200), (super::SHOP_KEY, 200), ("other", 403)] {
        let request = super::Request::new("GET /v1/config").header("X-Optimizely-SDK-Key", key);
        assert_eq!(super::ask(daemon.api(), &request).status, status, "{key}");
    }
}

/// Who waits for a source that does not answer takes no place of those who look at the store.
#[test]
fn waiting_for_a_source_holds_nobody_up() {
    let silent = std::net::TcpListener::bind("127.0.0.1:0").unwrap();
    let url = format!("slow=http://{}/datafile.json", silent.local_addr().unwrap());
    let daemon = Daemon::with(|given| given.environments.push(environment(&url)));
    let refresh = "POST /environments/slow/refresh?wait=true";
    let watch = Stopwatch::start();
    let answered = std::thread::scope(|scope| {
        let waiting: Vec<_> =
            (0..24).map(|_| scope.spawn(|| daemon.ask_admin(refresh).status)).collect();
        wait_for("one too many", || {
            waiting.iter().any(std::thread::ScopedJoinHandle::is_finished).then_some(())
        });
        assert_eq!(daemon.ask_admin("GET /events/stats").status, 200);
        assert!(waiting.iter().any(|one| !one.is_finished()), "nobody waited any more");
        let statuses = waiting.into_iter().map(|one| one.join().unwrap());
        statuses.collect::<Vec<_>>()
    });
    assert_eq!(answered.iter().filter(|status| **status == 503).count(), 8, "{answered:?}");
    assert!(watch.elapsed() < PATIENCE);
}

/// A file says its name while it can be read. What it said last counts where it cannot, not what it said before.
#[test]
fn a_broken_file_brings_back_what_was_in_force_last() {
    let folder = tempfile::tempdir().unwrap();
    let path = folder.path().join("datafile.json");
    let shop = fs::read_to_string(SHOP).unwrap();
    let text = |name: &str, revision: &str| {
        let named = shop.replace(
            "\"environmentKey\": \"production\"",
            &format!("\"environmentKey\": \"{name}\""),
        );
        assert!(named.contains(&format!("\"environmentKey\": \"{name}\"")));
        named.replace("\"87\"", &format!("\"{revision}\""))
    };
    let store = folder.path().join("store");
    let daemon = || {
        super::start(store.clone(), |given| {
            given.environments = vec![environment(path.to_str().unwrap())];
        })
        .unwrap()
    };
    for (content, name, revision) in [
        (text("development", "1"), "development", "1"),
        (text("production", "2"), "production", "2"),
        ("{".to_owned(), "production", "2"),
    ] {
        fs::write(&path, content).unwrap();
        let daemon = daemon();
        let ready =
            super::ask(daemon.addresses().api.unwrap(), &super::Request::new("GET /ready")).json();
        assert_eq!(ready["environments"][0]["name"], name, "{ready}");
        assert_eq!(ready["environments"][0]["revision"], revision, "{ready}");
        daemon.shut_down(PATIENCE).unwrap();
    }
}

#[test]
fn addresses_without_a_name_are_called_by_their_last_part() {
    let daemon = Daemon::with(|given| {
        // Nobody listens there.
        let of = |url: &str| environment(&format!("http://127.0.0.1:1/{url}"));
        given.environments = vec![of("datafiles/a.json"), of("b.v2.json?x=y.z"), of("c")];
    });
    let ready = daemon.ask("GET /ready", "").json();
    let names: Vec<_> =
        ready["environments"].as_array().unwrap().iter().map(|one| one["name"].clone()).collect();
    assert_eq!(names, ["a", "b.v2", "c"]);
}

#[test]
fn events_that_are_a_little_early_count_where_that_is_set() {
    let daemon = Daemon::with(|given| given.early_tolerance = Some("5s".parse().unwrap()));
    daemon.ask("POST /v1/activate?experimentKey=checkout_button", r#"{"userId":"anna"}"#);
    let now_ms = variate::clock::Clock::system().now_ms();
    for (before_ms, expect) in [(1_000, 1), (60_000, 0)] {
        let body = format!(r#"{{"userId":"anna","timestamp":{}}}"#, now_ms - before_ms);
        let told = daemon.ask("POST /v1/track?eventKey=purchase", &body).json();
        assert_eq!(told["credits"].as_array().unwrap().len(), expect, "{told}");
    }
}

#[test]
fn a_sink_writes_into_no_store_and_no_folder() {
    let folder = tempfile::tempdir().unwrap();
    let store = folder.path().join("store");
    for (path, expect) in [
        (store.join("0.jnl"), "would write into a file of the store"),
        (store.join("keyspaces/x"), "would write into a file of the store"),
        (folder.path().to_owned(), "is a folder: give a file in it"),
    ] {
        let sink = format!("file:{}", path.display());
        let started = super::start(store.clone(), |given| {
            given.sinks = vec![variate::settings::SinkSettings::new(sink.parse().unwrap())];
        });
        let error = started.err().unwrap().to_string();
        assert!(error.contains(expect), "{error}");
    }
    // The folder of the store is the only one that a service may write to.
    std::fs::create_dir(store.join("out")).unwrap();
    for path in ["records.ndjson", "out/records.ndjson"] {
        let beside = format!("file:{}", store.join(path).display());
        let started = super::start(store.clone(), |given| {
            given.sinks = vec![variate::settings::SinkSettings::new(beside.parse().unwrap())];
        });
        started.unwrap().shut_down(PATIENCE).unwrap();
    }
}

/// A file of records that somebody emptied stops neither the start nor what comes after; it is told everywhere.
#[test]
fn a_file_of_records_that_somebody_emptied_stops_nothing_and_is_told() {
    let folder = tempfile::tempdir().unwrap();
    let (store, records) = (folder.path().join("store"), folder.path().join("records.ndjson"));
    let start = |modes: bool| {
        super::start(store.clone(), |given| {
            let sink = format!("file:{}", records.display());
            given.sinks = vec![variate::settings::SinkSettings::new(sink.parse().unwrap())];
            if modes {
                // With one of another mode, records are written by two sinks for one file.
                let mut other = environment(&format!("other={SHOP}"));
                (other.sdk_key, other.attribution) =
                    (Some("other".parse().unwrap()), Some("backend".parse().unwrap()));
                given.environments.push(other);
            }
        })
        .unwrap()
    };
    let activate = super::Request::new("POST /v1/activate?experimentKey=checkout_button")
        .header("X-Optimizely-SDK-Key", super::SHOP_KEY);
    for (user, modes) in [("anna", false), ("bo", false), ("carl", true)] {
        let server = start(modes);
        let body = format!(r#"{{"userId":"{user}"}}"#);
        let api = server.addresses().api.unwrap();
        assert_eq!(super::ask(api, &activate.clone().body(&body)).status, 200);
        let admin = server.addresses().admin.unwrap();
        let look = |what: &str| super::ask(admin, &super::Request::new(what)).body;
        let expect = if user == "anna" { "_warnings_total{} 0" } else { "_warnings_total{} 1" };
        wait_for("the count", || {
            let page = look("GET /metrics");
            let sink = format!("{{sink=\"file:{}\"}}", records.display());
            page.contains(&expect.replace("{}", &sink)).then_some(())
        });
        assert_eq!(look("GET /problems").contains("has 0 bytes, but"), user != "anna", "{user}");
        server.shut_down(PATIENCE).unwrap();
        let written = fs::read_to_string(&records).unwrap();
        assert_eq!((written.lines().count(), written.contains(user)), (1, true), "{written}");
        fs::write(&records, "").unwrap();
    }
}

#[test]
fn files_of_records_are_rotated_where_that_is_set() {
    let folder = tempfile::tempdir().unwrap();
    let records = folder.path().join("records.ndjson");
    let daemon = Daemon::with(|given| {
        let to = format!("file:{}", records.display()).parse().unwrap();
        let mut sink = variate::settings::SinkSettings::new(to);
        sink.rotate_at = Some("2KiB".parse().unwrap());
        given.sinks = vec![sink];
        given.attribution = Some("backend".parse().unwrap());
    });
    for user in 0..20 {
        let body = format!(r#"{{"userId":"user-{user}"}}"#);
        assert_eq!(daemon.ask("POST /v1/track?eventKey=purchase", &body).status, 200);
        wait_for("its record", || {
            let lines = |path| fs::read_to_string(path).unwrap_or_default().lines().count();
            let files = fs::read_dir(folder.path()).unwrap();
            let all: usize = files.map(|file| lines(file.unwrap().path())).sum();
            (all == user + 1).then_some(())
        });
    }
    assert!(fs::metadata(&records).unwrap().len() <= 2048);
    assert!(folder.path().join("records.ndjson.1").exists());
}
