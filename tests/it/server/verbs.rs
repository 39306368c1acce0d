//! The verbs of `variate events` on a running daemon, over HTTP and by the command.
//!
//! Must not know how a store keeps things.

use std::process::{Command, Output};

use serde_json::{Value, json};

use super::http::{Request, ask};
use super::{Answer, Daemon, SHOP_KEY, environment, wait_for};
use crate::events::server::{Answer as Given, OK, Server as Hook};

const ANNA: &str = r#"{"userId":"anna"}"#;

fn tell(daemon: &Daemon, what: &str, body: &Value) -> Answer {
    ask(daemon.admin(), &Request::new(what).body(&body.to_string()))
}

fn with_sink(url: &str) -> Daemon {
    let sink = format!("webhook:{url}").parse().unwrap();
    Daemon::with(|given| given.sinks = vec![variate::settings::SinkSettings::new(sink)])
}

/// What the command says of a daemon.
fn events(daemon: &Daemon, arguments: &[&str]) -> (Option<i32>, String, String) {
    let admin = format!("http://{}", daemon.admin());
    let mut command = Command::new(env!("CARGO_BIN_EXE_variate"));
    command.arg("events").args(arguments).args(["--admin", &admin]);
    said(&command.output().unwrap())
}

fn said(output: &Output) -> (Option<i32>, String, String) {
    let text = |bytes: &[u8]| String::from_utf8_lossy(bytes).into_owned();
    (output.status.code(), text(&output.stdout), text(&output.stderr))
}

/// Three users who were shown something and bought something: six records.
fn with_six_records() -> Daemon {
    let shop = Daemon::shop();
    for user in ["anna", "ben", "cleo"] {
        let body = format!(r#"{{"userId":"{user}"}}"#);
        shop.ask("POST /v1/activate?experimentKey=checkout_button", &body);
        shop.ask("POST /v1/track?eventKey=purchase", &body);
    }
    shop
}

#[test]
fn stats_say_what_is_held() {
    let shop = with_six_records();
    let stats = shop.ask_admin("GET /events/stats").json();
    assert_eq!((&stats["users"], &stats["activations"]), (&json!(3), &json!(3)));
    assert_eq!(
        stats["records"],
        json!({"kept": 6, "oldest": 1, "latest": 6, "released": 0, "waiting": 6})
    );
    assert_eq!(stats["datafiles"][0]["revision"], "87");
    let (code, answer, _) = events(&shop, &["stats"]);
    assert_eq!((code, answer.lines().count()), (Some(0), 1), "{answer}");
    let answer: Value = serde_json::from_str(&answer).unwrap();
    assert_eq!(answer["records"], stats["records"]);
}

#[test]
fn filters_are_those_of_the_command() {
    let shop = with_six_records();
    let check = |query: &str, expect: usize| {
        for path in ["/events/export", "/events", "/events/tail"] {
            let answer = shop.ask_admin(&format!("GET {path}?{query}"));
            let found = (answer.status, answer.body.lines().count());
            assert_eq!(found, (200, expect), "{path}?{query}: {answer:?}");
        }
    };
    check("", 6);
    check("type=impression", 3);
    check("user=anna", 2);
    check("user=anna&type=conversion", 1);
    check("event=purchase", 3);
    check("experiment=checkout_button", 6);
    check("experiment=9300001201101", 6);
    check("environment=production", 6);
    check("since=0", 6);
    check("until=0", 0);
    check("since=99999999999999", 0);
    for path in ["/events/export", "/events", "/events/tail", "/events/dead"] {
        let answer = shop.ask_admin(&format!("GET {path}?environment=other"));
        assert_eq!(answer.status, 404, "{path}: {answer:?}");
        let text = "the store has no environment \"other\": it knows production";
        assert_eq!(answer.json()["error"], text, "{path}");
    }
}

#[test]
fn the_latest_come_last_and_an_export_has_a_limit() {
    let shop = with_six_records();
    let all = shop.ask_admin("GET /events").body;
    let lines: Vec<_> = all.lines().collect();
    let tail = shop.ask_admin("GET /events/tail?limit=2").body;
    assert_eq!(tail.lines().collect::<Vec<_>>(), lines[4..]);
    assert_eq!(shop.ask_admin("GET /events/tail?limit=0").body, "");
    let first = shop.ask_admin("GET /events/export?limit=2").body;
    assert!(first.contains(lines[0]) && first.contains(lines[1]) && !first.contains(lines[2]));
    let (code, exported, _) = events(&shop, &["export"]);
    assert_eq!((code, exported), (Some(0), all.clone()));
    let (code, tail, _) = events(&shop, &["tail", "-n", "1", "--user", "ben"]);
    assert_eq!((code, tail.trim_end()), (Some(0), lines[3]));
}

/// Records that are so large that a page of the store ends before the limit: none is passed over.
#[test]
fn pages_of_large_records_pass_over_nothing() {
    const RECORDS: usize = 12;
    let shop = Daemon::shop();
    let filling = "x".repeat(900_000);
    for number in 0..RECORDS {
        let body =
            json!({"userId": "anna", "eventId": format!("{number}"), "eventTags": {"x": filling}});
        assert_eq!(shop.ask("POST /v1/track?eventKey=purchase", &body.to_string()).status, 200);
    }
    let (mut ids, mut after, mut pages) = (Vec::new(), 0, 0);
    while pages < 2 * RECORDS {
        let page = shop.ask_admin(&format!("GET /events?format=json&limit=1000&after={after}"));
        let next = page.header("variate-next").unwrap().to_owned();
        let page = page.json();
        assert_eq!(page["next"].to_string(), next);
        let records = page["records"].as_array().unwrap();
        ids.extend(records.iter().map(|one| one["record"]["id"].as_str().unwrap().to_owned()));
        pages += 1;
        if page["next"] == page["latest"] {
            break;
        }
        after = page["next"].as_u64().unwrap();
    }
    let expect: Vec<_> = (0..RECORDS).map(|number| number.to_string()).collect();
    assert_eq!(ids, expect);
    assert!(pages > 1, "the pages are to be shorter than what was asked for");
    for path in ["/events/export", "/events/tail?limit=1000"] {
        assert_eq!(shop.ask_admin(&format!("GET {path}")).body.lines().count(), RECORDS, "{path}");
    }
    let verified = shop.ask_admin("GET /events/verify").json();
    assert_eq!((&verified["isSound"], &verified["records"]), (&json!(true), &json!(RECORDS)));
}

#[test]
fn dead_letters_are_listed_sent_again_and_dropped() {
    let is_well = std::sync::Arc::new(std::sync::atomic::AtomicBool::new(false));
    let looked_at = std::sync::Arc::clone(&is_well);
    let hook = Hook::start(move |_, _| {
        if looked_at.load(std::sync::atomic::Ordering::Relaxed) {
            OK
        } else {
            Given::Status(400, "", "no")
        }
    });
    let daemon = with_sink(&hook.url("/hook"));
    for user in ["anna", "ben", "cleo"] {
        daemon.ask(
            "POST /v1/activate?experimentKey=checkout_button",
            &format!(r#"{{"userId":"{user}"}}"#),
        );
    }
    let list = |query: &str| daemon.ask_admin(&format!("GET /events/dead{query}")).json();
    let letters = wait_for("dead letters", || {
        let list = list("");
        (list["deadLetters"].as_array().unwrap().len() == 3).then_some(list)
    });
    assert_eq!(letters["isComplete"], true);
    let first = &letters["deadLetters"][0];
    assert!(first["reason"].as_str().unwrap().contains("400"), "{first}");
    assert_eq!(first["record"]["type"], "impression");
    assert_eq!(list("?user=ben")["deadLetters"].as_array().unwrap().len(), 1);
    let page = list("?limit=1");
    assert_eq!((&page["isComplete"], &page["next"]), (&json!(false), &first["number"]));
    let rest = list(&format!("?after={}", page["next"]));
    assert_eq!(rest["deadLetters"].as_array().unwrap().len(), 2);
    assert_eq!(
        list("?sink=other")["error"]
            .as_str()
            .map(|text| text.starts_with("the store has no sink \"other\"")),
        Some(true)
    );
    let (code, listed, _) = events(&daemon, &["dead", "list"]);
    assert_eq!((code, listed.lines().count()), (Some(0), 3), "{listed}");

    is_well.store(true, std::sync::atomic::Ordering::Relaxed);
    let number = &first["number"];
    let retried =
        tell(&daemon, "POST /events/dead/retry", &json!({"numbers": [number, 999]})).json();
    assert_eq!((&retried["retried"], &retried["unknown"]), (&json!(1), &json!([999])));
    wait_for("the delivery", || {
        (list("")["deadLetters"].as_array().unwrap().len() == 2).then_some(())
    });
    let (code, retried, _) = events(&daemon, &["dead", "retry", "--user", "ben"]);
    assert_eq!((code, retried.contains("\"retried\":1")), (Some(0), true), "{retried}");
    wait_for("the delivery", || {
        (list("")["deadLetters"].as_array().unwrap().len() == 1).then_some(())
    });
    let (code, dropped, _) = events(&daemon, &["dead", "drop", "--all"]);
    assert_eq!((code, dropped.contains("\"dropped\":1")), (Some(0), true), "{dropped}");
    assert_eq!(list("")["deadLetters"], json!([]));
    let (code, dropped, _) = events(&daemon, &["dead", "drop", "1"]);
    assert_eq!((code, dropped.contains("\"unknown\":[1]")), (Some(1), true), "{dropped}");
}

#[test]
fn what_may_do_harm_must_be_said_whole() {
    let shop = with_six_records();
    let check = |what: &str, body: &str, status: u16, expect: &str| {
        let answer = ask(shop.admin(), &Request::new(what).body(body));
        assert_eq!(answer.status, status, "{what} {body}: {answer:?}");
        let text = answer.json()["error"].as_str().unwrap().to_owned();
        assert!(text.contains(expect), "{what} {body}: {text}");
    };
    let drop = "POST /events/dead/drop";
    check(drop, "", 400, "what to do is said in the body");
    check(drop, "{}", 400, "which dead letters? give numbers, a filter such as sink, or all: true");
    check(drop, r#"{"snik":"a"}"#, 400, "unknown field `snik`");
    check(drop, r#"{"all":true,"numbers":[1]}"#, 400, "not several");
    check(drop, r#"{"all":false,"user":"anna"}"#, 400, "all is false");
    check(drop, r#"{"sink":null}"#, 400, "the body cannot be used");
    check(drop, r#"{"type":"event"}"#, 400, "use impression or conversion");
    let forget = "POST /events/forget";
    check(forget, r#"{"user":"anna"}"#, 400, "missing field `environment`");
    check(forget, r#"{"environment":"other","user":"anna"}"#, 404, "it knows production");
    check(
        forget,
        r#"{"environment":"production","user":"nobody"}"#,
        404,
        "holds nothing of this user",
    );
    let not_json = Request::new(forget).raw_body(r#"{"environment":"production","user":"anna"}"#);
    assert_eq!(ask(shop.admin(), &not_json).status, 415, "as a page of the web could send it");
    assert_eq!(shop.ask_admin("GET /events/stats").json()["users"], 3, "nothing was done");
}

#[test]
fn a_user_is_forgotten() {
    let shop = with_six_records();
    let forgotten =
        tell(&shop, "POST /events/forget", &json!({"environment": "production", "user": "anna"}));
    assert_eq!(forgotten.status, 200, "{forgotten:?}");
    let forgotten = forgotten.json();
    assert_eq!(forgotten["activations"][0]["experimentKey"], "checkout_button");
    assert_eq!(forgotten["pendingEvents"], 1);
    let after = shop.ask("POST /v1/track?eventKey=purchase", ANNA).json();
    assert_eq!(after["reason"], "no-activation", "{after}");
    let (code, answer, _) = events(&shop, &["forget", "ben", "--environment", "production"]);
    assert_eq!((code, answer.contains("\"userId\":\"ben\"")), (Some(0), true), "{answer}");
    let (code, _, complaint) = events(&shop, &["forget", "ben", "--environment", "production"]);
    assert_eq!(
        (code, complaint.contains("holds nothing of this user")),
        (Some(1), true),
        "{complaint}"
    );
}

#[test]
fn a_running_daemon_says_what_it_cannot_look_at() {
    let shop = with_six_records();
    let verified = shop.ask_admin("GET /events/verify").json();
    assert_eq!(verified["isSound"], true);
    assert_eq!((&verified["records"], &verified["isComplete"]), (&json!(6), &json!(true)));
    assert_eq!(verified["notLookedAt"], json!(["rows", "ids", "totals", "journals"]));
    let (code, answer, _) = events(&shop, &["verify"]);
    let answer: Value = serde_json::from_str(&answer).unwrap();
    assert_eq!((code, &answer["isSound"], &answer["records"]), (Some(0), &json!(true), &json!(6)));
}

#[test]
fn the_command_says_where_to_ask() {
    let folder = tempfile::tempdir().unwrap();
    let server = super::start(folder.path().join("store"), |_| {}).unwrap();
    let store = folder.path().join("store");
    let mut command = Command::new(env!("CARGO_BIN_EXE_variate"));
    command.args(["events", "stats", "--store", store.to_str().unwrap()]);
    let (code, _, complaint) = said(&command.output().unwrap());
    assert_eq!(code, Some(4));
    let expect = format!("is in use by process {}", std::process::id());
    assert!(
        complaint.contains(&expect) && complaint.contains("--admin with the address"),
        "{complaint}"
    );
    drop(server);

    let run = |arguments: &[&str]| {
        let mut command = Command::new(env!("CARGO_BIN_EXE_variate"));
        said(&command.arg("events").args(arguments).output().unwrap())
    };
    let (code, _, complaint) = run(&["stats", "--admin", "http://127.0.0.1:9"]);
    assert_eq!(
        (code, complaint.contains("http://127.0.0.1:9/ cannot be asked")),
        (Some(3), true),
        "{complaint}"
    );
    let (code, _, complaint) = run(&["stats", "--admin", "here"]);
    assert_eq!((code, complaint.contains("--admin is no URL")), (Some(2), true), "{complaint}");
    assert_eq!(run(&["stats"]).0, Some(2), "neither a folder nor a daemon");
    assert_eq!(run(&["stats", "--store", "a", "--admin", "http://b"]).0, Some(2), "both");
}

#[test]
fn settings_are_told_without_secrets() {
    let daemon = Daemon::with(|given| {
        given.webhook_secret = Some("s3cret".to_owned());
        given.environments[0].sdk_key = Some(format!("{SHOP_KEY}:t0ken").parse().unwrap());
    });
    let settings = daemon.ask_admin("GET /settings");
    assert_eq!(settings.body, daemon.ask_admin("GET /config").body, "as Agent calls it");
    assert!(!settings.body.contains("s3cret") && !settings.body.contains("t0ken"), "{settings:?}");
    let settings = settings.json();
    assert_eq!(
        (&settings["webhook_secret"], &settings["poll_interval"]),
        (&json!("***"), &json!("1m"))
    );
    assert_eq!(settings["environment"][0]["sdk_key"], format!("{SHOP_KEY}:***"));
}

#[test]
fn problems_are_listed_once_each() {
    let daemon = with_sink("http://127.0.0.1:9/hook");
    daemon.ask("POST /v1/activate?experimentKey=checkout_button", ANNA);
    let problems = wait_for("the problem again", || {
        let problems = daemon.ask_admin("GET /problems").json();
        (problems["problems"][0]["count"].as_u64() > Some(1)).then_some(problems)
    });
    let problems = problems["problems"].as_array().unwrap();
    assert_eq!(problems.len(), 1, "{problems:?}");
    assert_eq!(
        (&problems[0]["kind"], &problems[0]["about"]),
        (&json!("sink"), &json!("webhook:http://127.0.0.1:9/hook"))
    );
    assert!(problems[0]["firstAt"].as_u64() < problems[0]["lastAt"].as_u64());
}

#[test]
fn environments_are_told_to_look_and_to_accept() {
    let hook = std::sync::Arc::new(std::sync::Mutex::new("5".to_owned()));
    let asked = std::sync::Arc::clone(&hook);
    let text = std::fs::read_to_string(super::SHOP).unwrap();
    let upstream = Hook::start(move |_, _| {
        let body = text.replace("\"87\"", &format!("\"{}\"", asked.lock().unwrap()));
        let head = format!(
            "HTTP/1.1 200 OK\r\nContent-Length: {}\r\nConnection: close\r\n\r\n",
            body.len()
        );
        Given::Bytes((head + &body).into_bytes())
    });
    let daemon = Daemon::with(|given| {
        let mut own = environment(&upstream.url("/x.json"));
        own.name = Some("a b".to_owned());
        given.environments = vec![own];
    });
    let tell = |what: &str, body: &str| ask(daemon.admin(), &Request::new(what).body(body));
    let refresh = "POST /environments/a%20b/refresh?wait=true";
    let accept = "POST /environments/a%20b/accept";
    assert_eq!(tell(refresh, "").json()["revision"], "5");
    let nothing = tell(accept, r#"{"revision":"4"}"#);
    assert_eq!(
        (nothing.status, nothing.json()["error"].as_str()),
        (409, Some("nothing is held back"))
    );
    "4".clone_into(&mut hook.lock().unwrap());
    let held_back = tell(refresh, "").json();
    assert_eq!(
        (&held_back["revision"], &held_back["heldBackRevision"]),
        (&json!("5"), &json!("4"))
    );
    wait_for("the problem", || {
        let problems = daemon.ask_admin("GET /problems").body;
        problems.contains("revision 4 is lower than the one in force").then_some(())
    });
    assert_eq!(tell(accept, r#"{"revision":"3"}"#).status, 409);
    assert_eq!(tell(accept, "").status, 400);
    let accepted = tell(accept, r#"{"revision":"4"}"#);
    assert_eq!((accepted.status, &accepted.json()["revision"]), (200, &json!("4")));
    assert_eq!(accepted.json().get("heldBackRevision"), None);
    assert_eq!(tell("POST /environments/other/refresh", "").status, 404);
    assert_eq!(tell("POST /environments/a%20b/refresh", "").status, 202);
}
