//! The event API of Optimizely: decisions and events of its SDKs.
//!
//! Must not know other systems.

use serde_json::{Value, json};
use variate::settings::{TrackingKey, TrackingSystem};

use super::super::Daemon;
use super::super::http::{Request, ask};
use super::{credits, records, unused, written_slowly};

const BUTTON: (&str, &str) = ("9300000801101", "9300001201101");

/// A visitor entry in which a decision for the checkout button is reported.
fn decided(user: &str, uuid: &str, variation: &str, time_ms: i64) -> Value {
    let (campaign, experiment) = BUTTON;
    json!({
        "visitor_id": user, "attributes": [],
        "snapshots": [{
            "decisions": [{"campaign_id": campaign, "experiment_id": experiment, "variation_id": variation}],
            "events": [{"entity_id": campaign, "uuid": uuid, "key": "campaign_activated", "timestamp": time_ms}],
        }],
    })
}

fn purchased(user: &str, uuid: &str, time_ms: i64) -> Value {
    json!({
        "visitor_id": user,
        "attributes": [{"entity_id": "29001", "key": "country", "type": "custom", "value": "SE"}],
        "snapshots": [{"events": [{
            "entity_id": "71001", "uuid": uuid, "key": "purchase", "timestamp": time_ms,
            "revenue": 4200, "value": 1.5, "tags": {"revenue": 4200, "value": 1.5, "category": "shoes"},
        }]}],
    })
}

fn batch(visitors: &[Value]) -> String {
    json!({
        "account_id": "21537940595", "project_id": "21551520143", "revision": "1",
        "client_name": "python-sdk", "client_version": "5.7.0", "anonymize_ip": false,
        "enrich_decisions": true, "visitors": visitors,
    })
    .to_string()
}

/// A time that is not in the future.
fn now_ms() -> i64 {
    variate::clock::system_time_ms() - 1000
}

#[test]
fn only_who_was_activated_converts_at_one_millisecond_and_in_any_order() {
    let shop = Daemon::shop();
    let now = now_ms();
    // The event stands before the decision, in an entry of its own.
    let body = batch(&[
        purchased("anna", "e1", now),
        decided("anna", "d1", "1652302", now),
        purchased("ben", "e2", now),
    ]);
    for _ in 0..2 {
        let answer = shop.ask("POST /v1/events", &body);
        assert_eq!((answer.status, answer.body.as_str()), (204, ""));
    }
    assert_eq!(credits(&shop), ["anna purchase checkout_button/orange"]);
    let conversion = &records(&shop, "conversion")[0];
    for (name, expect) in [
        ("origin", json!("optimizely")),
        ("revenue", json!(4200)),
        ("value", json!(1.5)),
        ("eventId", json!("e1")),
        ("time", json!(now)),
        ("tags", json!({"revenue": 4200, "value": 1.5, "category": "shoes"})),
    ] {
        assert_eq!(conversion[name], expect, "{conversion}");
    }
    assert!(conversion["attributes"].to_string().contains("SE"), "{conversion}");
    assert_eq!(records(&shop, "impression").len(), 1, "a repeat is none");
}

#[test]
fn an_event_before_the_decision_does_not_count_and_a_late_decision_does() {
    let shop = Daemon::shop();
    let now = now_ms();
    let send = |visitor: Value| shop.ask("POST /v1/events", &batch(&[visitor])).status;
    assert_eq!(send(decided("anna", "d1", "1652301", now)), 204);
    assert_eq!(send(purchased("anna", "e1", now - 1)), 204);
    assert_eq!(send(purchased("ben", "e2", now)), 204);
    assert_eq!(credits(&shop), Vec::<String>::new());
    assert_eq!(send(decided("ben", "d2", "1652301", now - 5)), 204);
    assert_eq!(credits(&shop), ["ben purchase checkout_button/green"]);
}

#[test]
fn what_is_of_no_use_is_left_out_and_counted() {
    let shop = Daemon::shop();
    let event = |event: Value| json!({"visitor_id": "anna", "snapshots": [{"events": [event]}]});
    let check = |visitor: Value, reason: &str| {
        let before = unused(&shop, "optimizely", reason);
        let good = purchased("good", &format!("{reason}{before}"), now_ms());
        assert_eq!(shop.ask("POST /v1/events", &batch(&[visitor, good])).status, 204);
        assert_eq!(unused(&shop, "optimizely", reason), before + 1, "{reason}");
    };
    check(event(json!({"key": "nothing", "uuid": "a"})), "unknown-event");
    check(event(json!({"uuid": "b"})), "no-name");
    check(event(json!({"key": 7, "uuid": "c"})), "no-name");
    check(json!(7), "wrong-kind");
    check(json!({"visitor_id": "anna", "snapshots": "x"}), "wrong-kind");
    check(json!({"snapshots": [{"events": [{"key": "purchase"}]}]}), "no-user");
    check(decided("anna", "d", "1", now_ms()), "unknown-variation");
    let mut other = decided("anna", "d", "1652301", now_ms());
    other["snapshots"][0]["decisions"][0]["experiment_id"] = json!("1");
    check(other, "unknown-experiment");
    let problems = shop.ask_admin("GET /problems").body;
    assert!(
        problems.contains("the event \\\"nothing\\\" is of no use (unknown-event)"),
        "{problems}"
    );
    assert!(!problems.contains("anna"), "no user: {problems}");
}

/// What stands where an id, a text or an object belongs is as if it were not there, and is told to the operator.
#[test]
fn what_is_of_the_wrong_kind_is_counted() {
    let shop = Daemon::shop();
    let now = now_ms();
    let check = |path: &str, wrong: Value, expect: &[(&str, u64)]| {
        let reasons =
            ["wrong-kind", "no-name", "no-user", "unknown-experiment", "unknown-variation"];
        let counts = || reasons.map(|reason| unused(&shop, "optimizely", reason));
        let mut visitor = decided("anna", "d", "1652301", now);
        visitor["attributes"] = json!([{"entity_id": "29001", "key": "country", "value": "SE"}]);
        visitor["snapshots"][0]["decisions"][0]["metadata"] = json!({"flag_key": "checkout"});
        *visitor.pointer_mut(path).unwrap() = wrong.clone();
        let before = counts();
        assert_eq!(shop.ask("POST /v1/events", &batch(&[visitor])).status, 204);
        let after = counts();
        for ((reason, before), after) in reasons.iter().zip(before).zip(after) {
            let more =
                expect.iter().find(|(counted, _)| counted == reason).map_or(0, |(_, more)| *more);
            assert_eq!(after - before, more, "{reason} of {wrong} at {path}");
        }
    };
    let decision = "/snapshots/0/decisions/0";
    for wrong in [json!(true), json!([1]), json!({"a": 1}), json!(7.5)] {
        let once: &[(&str, u64)] = &[("wrong-kind", 1)];
        check(&format!("{decision}/metadata/flag_key"), wrong.clone(), once);
        check(&format!("{decision}/campaign_id"), wrong.clone(), once);
        check("/snapshots/0/events/0/uuid", wrong.clone(), once);
        check("/snapshots/0/events/0/entity_id", wrong.clone(), once);
        check("/attributes/0/key", wrong.clone(), once);
        let and = |reason| [("wrong-kind", 1), (reason, 1)];
        check("/visitor_id", wrong.clone(), &and("no-user"));
        check(&format!("{decision}/variation_id"), wrong.clone(), &and("unknown-variation"));
        check(&format!("{decision}/experiment_id"), wrong, &and("unknown-experiment"));
    }
    for wrong in [json!(true), json!([1]), json!("x"), json!(7)] {
        check(&format!("{decision}/metadata"), wrong, &[("wrong-kind", 1)]);
    }
    check("/attributes/0/value", json!(["SE"]), &[("wrong-kind", 1)]);
    check("/attributes/0", json!({"value": "SE"}), &[("no-name", 1)]);
    check("/attributes/0", json!({"entity_id": "none", "value": "SE"}), &[("no-name", 1)]);
    check("/snapshots/0/events", json!([]), &[("no-name", 1)]);
    for nothing in [Value::Null, json!("")] {
        check(&format!("{decision}/campaign_id"), nothing.clone(), &[]);
        check("/snapshots/0/events/0/uuid", nothing, &[]);
    }
}

/// Who counts up its ids may send them as numbers.
#[test]
fn a_number_is_an_id() {
    let shop = Daemon::shop();
    let now = now_ms();
    let mut shown = decided("7", "d", "1652301", now);
    let decision = shown.pointer_mut("/snapshots/0/decisions/0").unwrap();
    for id in ["campaign_id", "experiment_id", "variation_id"] {
        decision[id] = decision[id].as_str().unwrap().parse::<u64>().unwrap().into();
    }
    shown["visitor_id"] = json!(7);
    let mut done = purchased("7", "e", now);
    done["snapshots"][0]["events"][0]["uuid"] = json!(1001);
    for _ in 0..2 {
        let body = batch(&[shown.clone(), done.clone()]);
        assert_eq!(shop.ask("POST /v1/events", &body).status, 204);
    }
    assert_eq!(credits(&shop), ["7 purchase checkout_button/green"]);
    assert_eq!(records(&shop, "conversion")[0]["eventId"], "1001");
    assert!(!shop.ask_admin("GET /metrics").body.contains("variate_tracking_unused_total{"));
}

/// As the first SDKs sent conversions: with the decisions that they would credit.
#[test]
fn a_decision_beside_a_conversion_alone_exposes_nobody() {
    let shop = Daemon::shop();
    let mut visitor = purchased("anna", "e1", now_ms());
    visitor["snapshots"][0]["decisions"] = json!([
        {"campaign_id": "9300000801101", "experiment_id": "9300001201101", "variation_id": "1652301"},
    ]);
    assert_eq!(shop.ask("POST /v1/events", &batch(&[visitor])).status, 204);
    assert_eq!(records(&shop, "impression").len(), 0);
    assert_eq!(credits(&shop), Vec::<String>::new());
    assert_eq!(unused(&shop, "optimizely", "no-name"), 1, "and it is told");
}

/// The event that reports decisions may say so by its type; what it says beside that is the same.
#[test]
fn a_report_is_one_by_its_key_or_its_type() {
    let shop = Daemon::shop();
    let now = now_ms();
    let check = |user: &str, changes: &[(&str, Value)], is_report: bool| {
        let before = records(&shop, "impression").len();
        let mut visitor = decided(user, &format!("d-{user}"), "1652301", now);
        let event = visitor.pointer_mut("/snapshots/0/events/0").unwrap();
        for (name, value) in changes {
            event[*name] = value.clone();
        }
        assert_eq!(shop.ask("POST /v1/events", &batch(&[visitor])).status, 204);
        let exposed = records(&shop, "impression").len() - before;
        assert_eq!(exposed, usize::from(is_report), "{changes:?}");
    };
    let by_type = || ("type", json!("campaign_activated"));
    check("anna", &[by_type(), ("key", Value::Null)], true);
    check("ben", &[by_type()], true);
    check("eva", &[by_type(), ("key", json!("9300000801101"))], true);
    assert_eq!(unused(&shop, "optimizely", "unknown-event"), 0);
    check("ida", &[("type", json!("custom")), ("key", json!("purchase"))], false);
    check("ida", &[("type", json!(7)), ("key", json!("nothing"))], false);
    assert_eq!(unused(&shop, "optimizely", "no-name"), 2);
    assert_eq!(unused(&shop, "optimizely", "unknown-event"), 1);
    // What was done beside it is no report, wherever it stands.
    let mut visitor = decided("uwe", "d-uwe", "1652301", now);
    let done = json!({"key": "purchase", "uuid": "e-uwe", "timestamp": now + 500});
    visitor["snapshots"][0]["events"].as_array_mut().unwrap().insert(0, done);
    visitor["snapshots"][0]["decisions"][0]["campaign_id"] = Value::Null;
    assert_eq!(shop.ask("POST /v1/events", &batch(&[visitor])).status, 204);
    let impressions = records(&shop, "impression");
    let shown = impressions.iter().find(|record| record["userId"] == "uwe").unwrap();
    assert_eq!(shown["time"], json!(now), "{shown}");
}

/// Who renames an event or an attribute keeps its id, which clients always send.
#[test]
fn what_has_an_unknown_key_is_found_by_its_id() {
    let shop = Daemon::with(|given| {
        for (name, key) in [("Checked Out", "signup"), ("Checked In", "nothing")] {
            given.tracking.events.insert(name.to_owned(), key.to_owned());
        }
    });
    let now = now_ms();
    let check = |name: (Value, Value), attribute: (Value, Value), expect: (Option<&str>, &str)| {
        let before = records(&shop, "conversion").len();
        let mut done = purchased("anna", &format!("e-{before}"), now);
        let event = &mut done["snapshots"][0]["events"][0];
        (event["key"], event["entity_id"]) = name.clone();
        let of_user = &mut done["attributes"][0];
        (of_user["key"], of_user["entity_id"]) = attribute.clone();
        let shown = decided("anna", "d", "1652302", now);
        assert_eq!(shop.ask("POST /v1/events", &batch(&[shown, done])).status, 204);
        let conversions = records(&shop, "conversion");
        assert_eq!(conversions.len() - before, usize::from(expect.0.is_some()), "{name:?}");
        let id = format!("e-{before}");
        let Some(new) = conversions.iter().find(|record| record["eventId"] == id) else { return };
        assert_eq!(new["eventKey"].as_str(), expect.0, "{name:?}");
        assert!(new["attributes"].to_string().contains(expect.1), "{attribute:?}: {new}");
    };
    let country = || (json!("country"), json!("29001"));
    let purchase = || (json!("purchase"), json!("71001"));
    check((json!("bought"), json!("71001")), country(), (Some("purchase"), "country"));
    check((json!("bought"), json!(71001)), country(), (Some("purchase"), "country"));
    check((json!("purchase"), json!("71003")), country(), (Some("purchase"), "country"));
    check((Value::Null, json!("71001")), country(), (Some("purchase"), "country"));
    check((json!("bought"), json!("1")), country(), (None, ""));
    assert_eq!(unused(&shop, "optimizely", "unknown-event"), 1);
    // What the settings say of a name is said of it, whatever its id is.
    check((json!("Checked Out"), json!("71001")), country(), (Some("signup"), "country"));
    check((json!("Checked In"), json!("71001")), country(), (None, ""));
    assert_eq!(unused(&shop, "optimizely", "unknown-event"), 2);
    check(purchase(), (json!("land"), json!("29001")), (Some("purchase"), "country"));
    check(purchase(), (json!("land"), json!(29001)), (Some("purchase"), "country"));
    check(purchase(), (json!("age"), json!("29001")), (Some("purchase"), "age"));
    check(purchase(), (json!("land"), json!("1")), (Some("purchase"), ""));
}

/// In seconds a time would be of 1970, before whatever was shown.
#[test]
fn times_are_in_whole_milliseconds() {
    let shop = Daemon::shop();
    let shown = now_ms() - 60_000;
    assert_eq!(
        shop.ask("POST /v1/events", &batch(&[decided("anna", "d", "1652302", shown)])).status,
        204
    );
    let check = |time: Value, expect: Option<i64>| {
        let before = (records(&shop, "conversion").len(), unused(&shop, "optimizely", "bad-time"));
        let mut done = purchased("anna", &format!("e-{}", before.0), 0);
        done["snapshots"][0]["events"][0]["timestamp"] = time.clone();
        let received = variate::clock::system_time_ms();
        assert_eq!(shop.ask("POST /v1/events", &batch(&[done])).status, 204);
        let conversions = records(&shop, "conversion");
        let id = format!("e-{}", before.0);
        let new = conversions.iter().find(|record| record["eventId"] == id);
        let new = new.unwrap_or_else(|| panic!("{time} is lost"))["time"].as_i64().unwrap();
        match expect {
            Some(expect) => assert_eq!(new, expect, "{time}"),
            None => assert!(new >= received, "{time}: {new}"),
        }
        let bad = unused(&shop, "optimizely", "bad-time") - before.1;
        assert_eq!(bad, u64::from(expect.is_none()), "{time}");
    };
    let then = shown + 1000;
    check(json!(then), Some(then));
    check(serde_json::from_str(&format!("{then}.0")).unwrap(), Some(then));
    check(json!(then / 1000), None);
    check(json!(then as f64 / 1000.0), None);
    check(json!(then as f64 + 0.5), None);
    check(json!(then.to_string()), None);
    check(json!(1e300), None);
    let problems = shop.ask_admin("GET /problems").body;
    assert!(problems.contains("looks like seconds"), "{problems}");
}

#[test]
fn bodies_that_are_none_are_refused() {
    let shop = Daemon::shop();
    for (body, text) in
        [("{", "the body is no JSON"), ("[]", "the body is no object"), ("", "no JSON")]
    {
        let answer = shop.ask("POST /v1/events", body);
        assert_eq!(answer.status, 400, "{body}");
        assert!(answer.body.contains(text), "{}", answer.body);
    }
    assert_eq!(shop.ask("GET /v1/events", "").status, 405);
    // Who is cut off while it writes does not hear that it need not come again.
    for (kind, status) in [("application/json", "413"), ("text/plain", "415")] {
        let about = (shop.api(), "POST /v1/events");
        let line = written_slowly(about, &format!("Content-Type: {kind}"), 8 << 20).unwrap();
        assert!(line.contains(status), "{kind}: {line}");
    }
}

#[test]
fn keys_choose_the_environment() {
    let two = |keys: Vec<TrackingKey>| {
        Daemon::with(|given| {
            let mut other = super::super::environment(super::super::SHOP);
            other.name = Some("other".to_owned());
            given.environments.push(other);
            given.tracking.keys = keys;
        })
    };
    let status = |daemon: &Daemon, what: &str, key: &str| {
        let mut request = Request::new(what).body(&batch(&[purchased("anna", key, now_ms())]));
        if !key.is_empty() {
            request = request.header("X-Optimizely-SDK-Key", key);
        }
        ask(daemon.api(), &request).status
    };
    let open = two(Vec::new());
    assert_eq!(status(&open, "POST /v1/events", ""), 401, "two are of one project");
    assert_eq!(status(&open, "POST /v1/events", "nothing"), 403);
    assert_eq!(status(&open, "POST /v1/events", super::super::SHOP_KEY), 204);

    let keyed = two(vec![TrackingKey::new(TrackingSystem::Optimizely, "k-1", "other")]);
    assert_eq!(status(&keyed, "POST /v1/events", "k-1"), 204);
    assert_eq!(status(&keyed, "POST /optimizely/k-1/v1/events", ""), 204);
    assert_eq!(status(&keyed, "POST /v1/events", super::super::SHOP_KEY), 403);
    assert_eq!(status(&keyed, "POST /optimizely/k-2/v1/events", ""), 403);
    let environments: Vec<_> =
        records(&keyed, "conversion").iter().map(|record| record["environment"].clone()).collect();
    assert_eq!(environments, ["other", "other"]);
}

/// Whose key is one with a token is not chosen by what everybody can read in its datafile.
#[test]
fn a_project_is_no_way_around_a_token() {
    let folder = tempfile::tempdir().unwrap();
    let text = std::fs::read(super::super::SHOP).unwrap();
    let mut of_other: Value = serde_json::from_slice(&text).unwrap();
    of_other["projectId"] = json!("9");
    let other_path = super::super::put(&folder, &of_other);
    let status = |sdk_key: &str, headers: &[(&str, &str)]| {
        let daemon = Daemon::with(|given| {
            let shop = given.environments.first_mut().unwrap();
            shop.sdk_key = Some(sdk_key.parse().unwrap());
            let mut other = super::super::environment(other_path.to_str().unwrap());
            other.name = Some("other".to_owned());
            given.environments.push(other);
        });
        let body = batch(&[purchased("anna", "e1", now_ms())]);
        let request = Request::new("POST /v1/events").body(&body);
        let request =
            headers.iter().fold(request, |request, (name, value)| request.header(name, value));
        ask(daemon.api(), &request).status
    };
    let key = |key| [("X-Optimizely-SDK-Key", key)];
    assert_eq!(status("open", &[]), 204);
    assert_eq!(status("guarded:t0ken", &[]), 401);
    assert_eq!(status("guarded:t0ken", &key("guarded")), 403);
    assert_eq!(status("guarded:t0ken", &key("guarded:other")), 403);
    assert_eq!(status("guarded:t0ken", &key("guarded:t0ken")), 204);
}

/// SDKs say beside the tags what the event measures; tags of others may be called so, and are as they were sent.
#[test]
fn what_an_event_measures_stands_beside_its_tags() {
    let shop = Daemon::shop();
    let check = |members: Value, (revenue, value): (Value, Value), wrong: u64| {
        let before =
            (records(&shop, "conversion").len(), unused(&shop, "optimizely", "wrong-kind"));
        let id = format!("e-{}", before.0);
        let mut done = purchased("anna", &id, now_ms());
        let event = done["snapshots"][0]["events"][0].as_object_mut().unwrap();
        for name in ["revenue", "value", "tags"] {
            event.remove(name);
        }
        event.extend(members.as_object().unwrap().clone());
        let shown = decided("anna", "d", "1652302", now_ms() - 60_000);
        assert_eq!(shop.ask("POST /v1/events", &batch(&[shown, done])).status, 204);
        let conversions = records(&shop, "conversion");
        let new = conversions.iter().find(|record| record["eventId"] == id).unwrap();
        assert_eq!((&new["revenue"], &new["value"]), (&revenue, &value), "{members}: {new}");
        let tags = members.get("tags").cloned().unwrap_or(json!({}));
        assert_eq!(new["tags"], tags, "{members}: {new}");
        let counted = unused(&shop, "optimizely", "wrong-kind") - before.1;
        assert_eq!(counted, wrong, "{members}");
    };
    let null = || Value::Null;
    let tags = || json!({"revenue": 4200, "value": 1.5, "plan": null});
    check(json!({"revenue": 4200, "value": 1.5, "tags": tags()}), (json!(4200), json!(1.5)), 0);
    check(json!({"tags": tags()}), (null(), null()), 0);
    check(json!({"revenue": 7, "tags": tags()}), (json!(7), null()), 0);
    check(json!({"revenue": null, "value": "2.5"}), (null(), json!(2.5)), 0);
    check(json!({"revenue": 7, "value": -3}), (json!(7), json!(-3.0)), 0);
    check(json!({"revenue": 7.5, "value": [], "tags": tags()}), (null(), null()), 2);
    // As SDKs send what is no such number: among the tags alone.
    check(json!({"tags": {"revenue": 19.99, "value": {}}}), (null(), null()), 2);
    let nulls =
        json!({"revenue": null, "value": null, "tags": null, "decisions": null, "plan": "pro"});
    check(json!({"tags": nulls}), (null(), null()), 0);
}

/// A body that names nothing but what is unknown is read without holding up others.
#[test]
fn unknown_events_are_looked_for_by_id_at_once() {
    let folder = tempfile::tempdir().unwrap();
    let text = std::fs::read(super::super::SHOP).unwrap();
    let mut many: Value = serde_json::from_slice(&text).unwrap();
    let event = |place: usize| json!({"id": format!("id-{place}"), "key": format!("k-{place}"), "experimentIds": []});
    many["events"].as_array_mut().unwrap().extend((0..10_000).map(event));
    let daemon = Daemon::following(&folder, &many, |_| {});
    let events = vec![json!({"key": "a", "entity_id": "b"}); 30_000];
    let body = batch(&[json!({"visitor_id": "anna", "snapshots": [{"events": events}]})]);
    let watch = variate::clock::Stopwatch::start();
    assert_eq!(daemon.ask("POST /v1/events", &body).status, 204);
    let took = watch.elapsed();
    assert_eq!(unused(&daemon, "optimizely", "unknown-event"), 30_000);
    assert!(took < std::time::Duration::from_secs(5), "{took:?}");
}
