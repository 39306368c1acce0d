//! Slips of the finger: parameters, fields, times, and settings that name what is not there or are missed.
//!
//! Must not know how any of it is found out.

use serde_json::json;
use variate::settings::FlagValue;

use super::http::{Request, ask};
use super::{Answer, Daemon, wait_for};

/// The texts of problems about something.
fn problems(daemon: &Daemon, kind: &str, about: &str) -> Vec<String> {
    let problems = daemon.ask_admin("GET /problems").json();
    let problems = problems["problems"].as_array().unwrap().iter();
    let meant = problems.filter(|one| one["kind"] == kind && one["about"] == about);
    meant.map(|one| one["text"].as_str().unwrap().to_owned()).collect()
}

#[test]
fn a_parameter_of_the_administration_that_nobody_reads_is_refused() {
    let shop = Daemon::with(|given| given.agent.overrides = Some(true));
    let check = |what: &str, remedy: &str| {
        let answer = shop.ask_admin(what);
        assert_eq!(answer.status, 400, "{what}: {answer:?}");
        let error = answer.json()["error"].as_str().unwrap().to_owned();
        assert!(error.contains(remedy), "{what}: {error}");
    };
    check("GET /events?evnt=purchase", "there is no parameter \"evnt\": did you mean \"event\"?");
    check("GET /events?enviroment=production", "did you mean \"environment\"?");
    check("GET /events/tail?limits=3", "did you mean \"limit\"?");
    check("GET /events/export?user=anna&formt=json", "\"formt\": use one of environment, user");
    check("GET /events/dead?sinks=stdout", "did you mean \"sink\"?");
    check("GET /events/verify?before=1", "use one of after");
    check("GET /overrides?userid=anna", "did you mean \"userId\"?");
    check("DELETE /overrides?user=anna", "did you mean \"userId\"?");
    check("POST /environments/production/refresh?wiat=true", "did you mean \"wait\"?");
    let long = format!("GET /events?{}=1", "x".repeat(5000));
    assert!(shop.ask_admin(&long).body.len() < 500);
    assert_eq!(
        shop.ask_admin("GET /events?event=purchase&after=0&limit=1&format=json").status,
        200
    );
}

#[test]
fn what_is_nearly_an_extension_of_track_is_told_and_taken_as_it_is() {
    let shop = Daemon::shop();
    let now_ms = variate::clock::system_time_ms();
    let track = |more: serde_json::Value| {
        let mut body = json!({"userId": "anna"});
        body.as_object_mut().unwrap().extend(more.as_object().unwrap().clone());
        let answer = shop.ask("POST /v1/track?eventKey=purchase", &body.to_string());
        assert_eq!(answer.status, 200, "{answer:?}");
        answer
    };
    let warned = |answer: &Answer, text: &str| {
        let warning = answer.header("variate-warning").unwrap_or_default();
        assert!(warning.contains(text), "no {text:?} in {warning:?}");
        assert!(!text.is_empty());
    };
    for plain in [
        json!({}),
        json!({"eventId": "a", "event_id": "b"}),
        json!({"timestamp": now_ms, "timeStamp": 3}),
        json!({"sessionId": "x", "eventName": "y", "more": {"eventid": 1}}),
        json!({"eventTags": {"eventID": "x"}}),
    ] {
        let answer = track(plain.clone());
        assert_eq!(answer.header("variate-warning"), None, "{plain}");
    }
    assert_eq!(problems(&shop, "request", "production"), Vec::<String>::new());
    let misspelt = track(json!({"eventID": "order-1"}));
    warned(&misspelt, "looks like eventId");
    assert_ne!(misspelt.json()["eventId"], "order-1", "it is not guessed");
    warned(&track(json!({"timeStamp": now_ms})), "looks like timestamp");
    warned(&track(json!({"timestamp": now_ms / 1000})), "before 2001");
    let of_ofrep = |more: serde_json::Value| {
        let mut body = json!({"context": {"targetingKey": "anna"}});
        body.as_object_mut().unwrap().extend(more.as_object().unwrap().clone());
        shop.ask("POST /ofrep/v1/track/purchase", &body.to_string())
    };
    assert_eq!(of_ofrep(json!({"details": {"eventID": 1}})).header("variate-warning"), None);
    warned(&of_ofrep(json!({"event_id": "order-1"})), "looks like eventId");
    warned(&of_ofrep(json!({"timestamp": now_ms / 1000})), "before 2001");

    let told = problems(&shop, "request", "production");
    assert_eq!(told.len(), 3, "each once: {told:?}");
    assert!(!told.iter().any(|text| text.contains("order-1")), "{told:?}");
}

#[test]
fn names_of_flags_that_no_datafile_has_are_told() {
    let daemon = Daemon::with(|given| {
        let variable = |key: &str| FlagValue::Variable(key.to_owned());
        for (flag, value) in [
            ("serch", FlagValue::Enabled),
            ("search", variable("rankng")),
            ("nothing like it", FlagValue::Object),
        ] {
            given.ofrep.flags.insert(flag.to_owned(), value);
        }
    });
    let told = wait_for("the names", || {
        let told = problems(&daemon, "settings", "ofrep.flags");
        (told.len() == 3).then_some(told)
    });
    let told = told.join("\n");
    assert!(
        told.contains("no datafile has the flag \"serch\": did you mean \"search\"?"),
        "{told}"
    );
    assert!(told.contains("the flag \"search\" has no variable \"rankng\""), "{told}");
    assert!(told.contains("\"nothing like it\": look at the key's spelling"), "{told}");
}

#[test]
fn names_that_are_there_are_not_told() {
    let daemon = Daemon::with(|given| {
        given.ofrep.flags.insert("search".to_owned(), FlagValue::Enabled);
        given.ofrep.flags.insert("none".to_owned(), FlagValue::Enabled);
    });
    let told = wait_for("the names", || {
        Some(problems(&daemon, "settings", "ofrep.flags")).filter(|told| !told.is_empty())
    });
    assert_eq!(told.len(), 1, "{told:?}");
    assert!(!told[0].contains("\"search\": look"), "{told:?}");
}

/// The words are Agent's, which name no setting; who looks after the daemon is told which it is.
#[test]
fn what_is_switched_off_and_asked_for_is_told_by_its_setting() {
    let shop = Daemon::shop();
    for (what, setting) in [
        ("POST /v1/override", "agent.overrides"),
        ("GET /v1/notifications/event-stream", "agent.notifications"),
        ("POST /v1/lookup", "agent.profiles"),
    ] {
        assert_eq!(problems(&shop, "settings", setting), Vec::<String>::new());
        shop.ask(what, "");
        shop.ask(what, "");
        let told = problems(&shop, "settings", setting);
        assert_eq!(told.len(), 1, "{told:?}");
        assert!(told[0].ends_with(&format!("set {setting} = true")), "{told:?}");
    }
    let request = Request::new("GET /v1/config").header("X-Optimizely-SDK-Key", "unknown");
    assert_eq!(ask(shop.api(), &request).status, 403);
    let told = problems(&shop, "settings", "environment");
    assert!(told[0].contains("--sdk-key") && !told[0].contains("unknown"), "{told:?}");
}
