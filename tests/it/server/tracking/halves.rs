//! Half of a character that takes two escapes, as clients send it that cut text after so many units: it is one
//! bad sign in one value, and loses nothing else.
//!
//! Must not know what is attributed.

use serde_json::json;

use super::super::Daemon;
use super::super::http::{Request, ask};
use super::{activated, records, unused};

const JSON: &str = "application/json";
const FORM: &str = "application/x-www-form-urlencoded";

/// Sends a body of Anna's, in which `CUT` is a text that was cut; it gives so many events with that text in it.
#[track_caller]
fn check(what: &str, kind: &str, body: &str, expect: usize) {
    let shop = Daemon::shop();
    activated(&shop, "anna");
    for (cut, read) in [
        (r"gold\ud83d", "gold\u{fffd}"),
        (r"\ude00", "\u{fffd}"),
        (r"\ud83d\ud83d\ude00", "\u{fffd}\u{1f600}"),
        (r"\\ud83d\uD83D", "\\ud83d\u{fffd}"),
    ] {
        let before = records(&shop, "conversion").len();
        let body = body.replace("CUT", cut);
        let answer =
            ask(shop.api(), &Request::new(what).header("Content-Type", kind).raw_body(&body));
        assert!((200..300).contains(&answer.status), "{what} {body}: {answer:?}");
        let conversions = records(&shop, "conversion");
        assert_eq!(conversions.len() - before, expect, "{what} {body}: {answer:?}");
        let is_read = |record: &&serde_json::Value| record["tags"]["cut"] == json!(read);
        let read = conversions.iter().filter(is_read).count();
        assert_eq!(read, 1, "{what} {body}: {conversions:?}");
    }
    let page = shop.ask_admin("GET /metrics").body;
    assert!(!page.contains("variate_tracking_unused_total{"), "{what}: {page}");
}

#[test]
fn of_countly() {
    let events = r#"[{"key":"purchase"},{"key":"purchase","segmentation":{"cut":"CUT"}}]"#;
    let about = "app_key=k&device_id=anna";
    check("POST /i", FORM, &format!("{about}&events={events}"), 2);
    // As nobody encodes it who types it, with what separates inside.
    let raw = events.replace("[{", r#"[{"segmentation":{"a":"x&y"},"#);
    check("POST /i", FORM, &format!("{about}&events={raw}"), 2);
    check("POST /i", FORM, &format!("events={raw}&{about}"), 2);
    let body = format!(r#"{{"app_key":"k","device_id":"anna","events":{events}}}"#);
    check("POST /i", JSON, &body, 2);
    let requests = format!(r#"[{{"device_id":"anna","events":{events}}}]"#);
    check("POST /i/bulk", FORM, &format!("app_key=k&requests={requests}"), 2);
}

#[test]
fn of_the_others() {
    let event = r#""event":"purchase","properties":{"cut":"CUT"}"#;
    check("POST /segment/v1/track", JSON, &format!(r#"{{"userId":"anna",{event}}}"#), 1);
    let two = format!(r#"{{"user_id":"anna",{event}}}"#);
    check("POST /track", JSON, &format!(r#"[{two},{{"user_id":"anna","event":"purchase"}}]"#), 2);
    let body = r#"{"s":"k","event":"CUSTOM","value":"purchase","site_user":{"id":"anna"},"meta":{"cut":"CUT"}}"#;
    check("POST /api/v1/tracker/event/", JSON, body, 1);
    let body = r#"{"entities":[],"exposures":[],"events":[
        {"name":"purchase","properties":{"cut":"CUT"},"entity":{"id":"anna","type":"User"}}]}"#;
    check("POST /v3/ingest/k", JSON, body, 1);
    let body = r#"{"account_id":"21537940595","project_id":"21551520143","visitors":[{"visitor_id":"anna",
        "snapshots":[{"events":[{"key":"purchase","entity_id":"71001","tags":{"cut":"CUT"}}]}]}]}"#;
    check("POST /v1/events", JSON, body, 1);
}

#[test]
fn of_agent_and_openfeature() {
    let body = r#"{"userId":"anna","eventTags":{"cut":"CUT"}}"#;
    check("POST /v1/track?eventKey=purchase", JSON, body, 1);
    let of_batch = format!(
        r#"{{"operations":[{{"method":"POST","url":"/v1/track?eventKey=purchase","body":{body}}}]}}"#
    );
    check("POST /v1/batch", JSON, &of_batch, 1);
    let body = r#"{"context":{"targetingKey":"anna"},"details":{"cut":"CUT"}}"#;
    check("POST /ofrep/v1/track/purchase", JSON, body, 1);
}

/// What is wrong besides is refused and counted, each as a body that cannot be read, and told where it stands.
#[test]
fn what_is_no_json_stays_none() {
    let shop = Daemon::shop();
    for (body, place) in [(r#"{"a":"\ud83d","#, "column 14"), (r#"{"a":"\ud83"}"#, "escape")] {
        let answer = shop.ask("POST /track", body);
        assert_eq!(answer.status, 400, "{body}");
        assert!(answer.body.contains(place), "{body}: {}", answer.body);
    }
    assert_eq!(unused(&shop, "thrivestack", "wrong-kind"), 2);
}
