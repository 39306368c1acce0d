//! Segment's HTTP API: messages, batches, and what its clients need to be told.
//!
//! Must not know other systems.

use std::collections::BTreeMap;
use std::io::Write as _;

use flate2::Compression;
use flate2::write::GzEncoder;
use serde_json::{Value, json};
use variate::settings::TrackingSystem;

use super::super::Daemon;
use super::super::http::{Answer, Request, ask};
use super::{activated, credits, iso, keyed, now_ms, odd_values, records, unused};

const DONE: (u16, &str) = (200, "{\"success\":true}\n");

#[track_caller]
fn send(daemon: &Daemon, message: &str, body: &Value) {
    let answer = daemon.ask(&format!("POST /segment/v1/{message}"), &body.to_string());
    assert_eq!((answer.status, answer.body.as_str()), DONE, "{message} {body}");
}

fn viewed(user: &str, id: &str, at_ms: i64) -> Value {
    json!({
        "type": "track", "userId": user, "messageId": id, "timestamp": iso(at_ms),
        "event": "Experiment Viewed",
        "properties": {"experiment_id": "9300001201101", "variation_id": "1652302"},
    })
}

fn purchase(user: &str, id: &str, at_ms: i64) -> Value {
    json!({
        "type": "track", "userId": user, "messageId": id, "timestamp": iso(at_ms),
        "event": "Purchase", "context": {"traits": {"country": "SE"}},
        "properties": {"revenue": 19.99, "currency": "EUR", "value": "1.5", "sku": "a-1"},
    })
}

fn batch(messages: &[Value]) -> Value {
    json!({
        "batch": messages, "sentAt": iso(variate::clock::system_time_ms()), "writeKey": "k",
        "context": {"library": {"name": "x"}, "traits": {"country": "NO", "age": 34, "shoe": 43}},
    })
}

fn packed(body: &Value) -> Vec<u8> {
    let mut encoder = GzEncoder::new(Vec::new(), Compression::default());
    encoder.write_all(body.to_string().as_bytes()).unwrap();
    encoder.finish().unwrap()
}

#[test]
fn a_batch_is_counted_once_however_often_it_is_sent() {
    let shop = Daemon::shop();
    let now = now_ms();
    let body = batch(&[
        purchase("anna", "m-2", now),
        viewed("anna", "m-1", now),
        purchase("ben", "m-3", now),
    ]);
    send(&shop, "batch", &body);
    // Packed, and with a later time of sending.
    let gzip = Request::new("POST /segment/v1/batch").header("Content-Encoding", "gzip");
    let answer = ask(shop.api(), &gzip.bytes(&packed(&batch(body["batch"].as_array().unwrap()))));
    assert_eq!((answer.status, answer.body.as_str()), DONE);
    assert_eq!(credits(&shop), ["anna purchase checkout_button/orange"]);
    let conversion = &records(&shop, "conversion")[0];
    for (name, expect) in [
        ("origin", json!("segment")),
        ("revenue", json!(1999)),
        ("value", json!(1.5)),
        ("eventId", json!("m-2")),
        ("tags", json!({"revenue": 1999, "value": "1.5", "currency": "EUR", "sku": "a-1"})),
    ] {
        assert_eq!(conversion[name], expect, "{name}: {conversion}");
    }
    let attributes = conversion["attributes"].to_string();
    assert!(attributes.contains("SE") && attributes.contains("34"), "{attributes}");
    assert!(!attributes.contains("NO") && !attributes.contains("43"), "{attributes}");
    assert_eq!(records(&shop, "impression").len(), 1, "a repeat is none");
}

#[test]
fn times_are_told_by_the_clock_of_the_sender() {
    let shop = Daemon::shop();
    let check = |user: &str, skew_ms: i64, name: &str| {
        let sent = variate::clock::system_time_ms() + skew_ms;
        let at = |mut message: Value, before_ms: i64| {
            message.as_object_mut().unwrap().remove("timestamp");
            message[name] = json!(iso(sent - before_ms));
            message["messageId"] = json!(format!("{user}-{before_ms}"));
            message
        };
        let messages = [
            at(purchase(user, "", 0), 9_000),
            at(viewed(user, "", 0), 5_000),
            at(purchase(user, "", 0), 2_000),
        ];
        send(&shop, "batch", &json!({"batch": messages, "sentAt": iso(sent)}));
    };
    let now = now_ms();
    check("ahead", 3_600_000, "originalTimestamp");
    check("behind", -86_400_000, "timestamp");
    assert_eq!(
        credits(&shop),
        ["ahead purchase checkout_button/orange", "behind purchase checkout_button/orange"]
    );
    for record in records(&shop, "conversion") {
        let credited = !record["credits"].as_array().unwrap().is_empty();
        let expect = now + 1_000 - if credited { 2_000 } else { 9_000 };
        let off_ms = record["time"].as_i64().unwrap() - expect;
        assert!((0..10_000).contains(&off_ms), "{off_ms}: {record}");
    }
}

#[test]
fn an_exposure_that_is_sent_again_later_still_counts() {
    let shop = Daemon::shop();
    let now = now_ms();
    send(&shop, "batch", &batch(&[purchase("anna", "m-2", now)]));
    assert_eq!(credits(&shop), Vec::<String>::new());
    send(&shop, "batch", &batch(&[viewed("anna", "m-1", now - 500)]));
    assert_eq!(credits(&shop), ["anna purchase checkout_button/orange"]);
}

#[test]
fn experiments_are_named_in_any_way() {
    let shop = Daemon::shop();
    let check = |event: &str, properties: Value, expect: &str| {
        let user = format!("user {properties}");
        let message = json!({"userId": user, "event": event, "properties": properties});
        send(&shop, "track", &message);
        send(&shop, "track", &json!({"userId": user, "event": "purchase"}));
        let of_user: Vec<_> = credits(&shop)
            .into_iter()
            .filter_map(|credit| Some(credit.strip_prefix(&user)?.to_owned()))
            .collect();
        let expect: Vec<_> =
            (!expect.is_empty()).then(|| format!(" purchase {expect}")).into_iter().collect();
        assert_eq!(of_user, expect, "{properties}");
    };
    let shown = "Experiment Viewed";
    let green = "checkout_button/green";
    check(shown, json!({"experiment_name": "checkout_button", "variation_name": "green"}), green);
    check(shown, json!({"experiment_id": "checkout_button", "variation_id": "1652301"}), green);
    check(
        "experiment_viewed",
        json!({"experimentId": "checkout_button", "variationId": "green"}),
        green,
    );
    check(
        "Experiment viewed",
        json!({"experiment_id": 9_300_001_201_101_i64, "variation_id": 1_652_301}),
        green,
    );
    let foreign = json!({
        "experiment_id": "exp-7", "experiment_name": "checkout_button",
        "variation_id": "1", "variation_name": "green",
    });
    check(shown, foreign, green);
    check(
        shown,
        json!({"experiment_name": "search", "variation_name": "by_margin"}),
        "search_ranking/by_margin",
    );
    check(shown, json!({"experiment_name": "checkout_button", "variation_name": "blue"}), "");
    check(shown, json!({"experiment_name": "nothing", "variation_name": "blue"}), "");
    check(shown, json!({"experiment_name": "checkout_button"}), "");
    check(shown, json!({"variation_name": "green"}), "");
    check("experiment", json!({"experiment_id": "checkout_button", "variation_id": "green"}), "");
    for (reason, expect) in
        [("unknown-variation", 1), ("unknown-experiment", 1), ("no-name", 2), ("unknown-event", 1)]
    {
        assert_eq!(unused(&shop, "segment", reason), expect, "{reason}");
    }
}

#[test]
fn ids_of_one_person_are_merged() {
    let shop = Daemon::shop();
    let exposed = |mut message: Value| {
        message["event"] = json!("Experiment Viewed");
        message["properties"] =
            json!({"experiment_name": "checkout_button", "variation_name": "orange"});
        send(&shop, "track", &message);
    };
    exposed(json!({"anonymousId": "a-1"}));
    exposed(json!({"anonymousId": "a-2", "userId": null}));
    exposed(json!({"anonymousId": "a-3"}));
    send(&shop, "alias", &json!({"previousId": "a-1", "userId": "anna", "messageId": "m-1"}));
    send(&shop, "identify", &json!({"anonymousId": "a-2", "userId": "ben", "traits": {"age": 3}}));
    // Whoever is known by one id alone is the same as before.
    for nobody in [
        ("alias", json!({"userId": "cleo"})),
        ("alias", json!({"previousId": "a-3"})),
        ("alias", json!({"previousId": 7.5, "userId": "cleo"})),
        ("identify", json!({"userId": "cleo", "traits": {"age": 3}})),
        ("identify", json!({"anonymousId": "a-3"})),
        ("track", json!({"anonymousId": "a-3", "userId": "cleo", "event": "add_to_cart"})),
        ("group", json!({"anonymousId": "a-3", "userId": "cleo", "groupId": "g"})),
    ] {
        send(&shop, nobody.0, &nobody.1);
    }
    for user in ["anna", "ben", "cleo"] {
        send(&shop, "track", &json!({"userId": user, "anonymousId": "a-9", "event": "purchase"}));
    }
    assert_eq!(
        credits(&shop),
        ["anna purchase checkout_button/orange", "ben purchase checkout_button/orange"]
    );
    assert_eq!(unused(&shop, "segment", "no-user"), 1, "an alias of nobody");
}

#[test]
fn pages_are_events_where_somebody_wants_them() {
    let shop = Daemon::with(|given| {
        given.tracking.events = BTreeMap::from([
            ("Viewed Pricing Page".to_owned(), "purchase".to_owned()),
            ("Viewed Cart Screen".to_owned(), "add_to_cart".to_owned()),
        ]);
    });
    let shown = activated(&shop, "anna");
    for (message, name) in [
        ("page", "Pricing"),
        ("screen", "Pricing"),
        ("page", "Purchase"),
        ("page", ""),
        ("screen", "Cart"),
    ] {
        send(&shop, message, &json!({"userId": "anna", "name": name, "properties": {"url": "/"}}));
    }
    send(&shop, "page", &json!({"userId": "anna"}));
    let expect = [format!("anna purchase {shown}"), format!("anna add_to_cart {shown}")];
    assert!(credits(&shop).iter().all(|credit| expect.contains(credit)), "{:?}", credits(&shop));
    assert_eq!(records(&shop, "conversion").len(), 2);
    assert!(!shop.ask_admin("GET /metrics").body.contains("system=\"segment\""), "none is a fault");
}

#[test]
fn any_value_anywhere_is_taken_and_keeps_nothing_back() {
    let shop = Daemon::shop();
    let shown = activated(&shop, "anna");
    let members = [
        "userId",
        "anonymousId",
        "messageId",
        "timestamp",
        "originalTimestamp",
        "sentAt",
        "context",
        "event",
        "properties",
        "type",
        "traits",
        "name",
        "previousId",
        "integrations",
    ];
    let mut expect = 0;
    for member in members {
        let odd = odd_values().into_iter().map(|value| {
            let mut message = purchase("odd", "", now_ms());
            message.as_object_mut().unwrap().remove("messageId");
            message[member] = value;
            message
        });
        let mut messages: Vec<_> = odd.collect();
        messages.push(purchase(
            "anna",
            &format!("good-{member}"),
            variate::clock::system_time_ms(),
        ));
        expect += 1;
        send(&shop, "batch", &json!({ "batch": messages }));
        for kind in ["track", "identify", "page", "screen", "group", "alias"] {
            messages.iter().take(odd_values().len()).for_each(|message| send(&shop, kind, message));
        }
    }
    for value in odd_values() {
        for member in ["batch", "context", "sentAt", "integrations"] {
            let mut body = batch(&[purchase("odd", "", now_ms())]);
            body[member] = value.clone();
            send(&shop, "batch", &body);
        }
        for member in ["revenue", "value"] {
            let mut message = purchase("odd", "", now_ms());
            message["properties"][member] = value.clone();
            send(&shop, "track", &message);
        }
        for member in ["traits", "library"] {
            let mut message = purchase("odd", "", now_ms());
            message["context"][member] = value.clone();
            send(&shop, "track", &message);
        }
    }
    let good =
        credits(&shop).iter().filter(|credit| **credit == format!("anna purchase {shown}")).count();
    assert_eq!(good, expect, "{shown}");
    for reason in ["no-user", "no-name", "unknown-event", "wrong-kind", "bad-time"] {
        assert!(unused(&shop, "segment", reason) > 0, "{reason}");
    }
    let problems = shop.ask_admin("GET /problems").body;
    assert!(!problems.contains("anna") && !problems.contains("odd"), "no user: {problems}");
}

#[test]
fn revenue_is_cents_or_nothing() {
    let shop = Daemon::shop();
    let shown = activated(&shop, "anna");
    let check = |revenue: Value, expect: Value| {
        let before = records(&shop, "conversion").len();
        let properties = json!({"revenue": revenue, "currency": "SEK"});
        send(
            &shop,
            "track",
            &json!({"userId": "anna", "event": "purchase", "properties": properties}),
        );
        let conversion = records(&shop, "conversion").pop().unwrap();
        assert_eq!(records(&shop, "conversion").len(), before + 1, "{shown}");
        assert_eq!(conversion["revenue"], expect, "{revenue}");
        assert_eq!(conversion["tags"]["revenue"], expect, "{revenue}");
        assert_eq!(conversion["tags"]["currency"], "SEK");
    };
    check(json!(42), json!(4200));
    check(json!("12.5"), json!(1250));
    check(json!(0.1 + 0.2), json!(30));
    check(json!(-5), json!(-500));
    check(json!(0), json!(0));
    // What would be cents if it were taken as it is.
    check(json!(90_071_992_547_409_930_i64), Value::Null);
    check(json!("a lot"), Value::Null);
    check(json!(true), Value::Null);
    check(Value::Null, Value::Null);
    assert_eq!(unused(&shop, "segment", "wrong-kind"), 3);
}

#[test]
fn what_is_too_large_or_no_json_is_refused_for_good() {
    let shop = Daemon::shop();
    let post = |message: &str, body: &str| shop.ask(&format!("POST /segment/v1/{message}"), body);
    let check = |answer: &Answer, text: &str| {
        assert_eq!(answer.status, 400, "{answer:?}");
        assert!(answer.body.contains(text), "{}", answer.body);
    };
    for body in ["{", "", "nothing", "\u{1}"] {
        check(&post("batch", body), "the body is no JSON");
    }
    for body in ["[]", "7", "null", "\"track\""] {
        check(&post("track", body), "the body is no object");
    }
    let large = |bytes: usize| {
        let mut message = purchase("anna", "large", now_ms());
        message["properties"]["text"] = json!("x".repeat(bytes));
        message
    };
    check(&post("track", &large(33_000).to_string()), "the message is larger than 32768 bytes");
    send(&shop, "track", &large(32_000));
    // One that is too large is dropped where others are with it.
    send(&shop, "batch", &batch(&[large(33_000), purchase("anna", "small", now_ms())]));
    // The one that was refused is counted as well.
    assert_eq!(unused(&shop, "segment", "too-large"), 2);
    assert_eq!(records(&shop, "conversion").len(), 2);
    let many: Vec<_> = (0..16).map(|_| large(31_500)).collect();
    send(&shop, "batch", &batch(&many));
    let many: Vec<_> = (0..17).map(|_| large(31_500)).collect();
    check(&post("batch", &batch(&many).to_string()), "larger than");
    let bomb = Request::new("POST /segment/v1/batch").header("Content-Encoding", "gzip");
    check(&ask(shop.api(), &bomb.bytes(&packed(&batch(&many)))), "larger than");
    let garbled = Request::new("POST /segment/v1/batch").header("Content-Encoding", "gzip");
    check(&ask(shop.api(), &garbled.raw_body("{}")), "the body is no gzip");
    assert_eq!(post("nothing", "{}").status, 404);
    assert_eq!(shop.ask("GET /segment/v1/batch", "").status, 405);
}

#[test]
fn browsers_and_phones_send_to_the_first_letter() {
    let shop = Daemon::shop();
    let now = now_ms();
    let mut shown = viewed("anna", "m-1", now);
    shown["userId"] = Value::Null;
    shown["anonymousId"] = json!("a-1");
    send(&shop, "t", &shown);
    send(&shop, "i", &json!({"type": "identify", "anonymousId": "a-1", "userId": "anna"}));
    for (place, word) in ["p", "s", "g", "a"].into_iter().enumerate() {
        send(&shop, word, &json!({"userId": "anna", "messageId": place.to_string()}));
    }
    send(&shop, "t", &purchase("anna", "m-2", now));
    send(&shop, "b", &batch(&[purchase("anna", "m-3", now)]));
    send(&shop, "import", &json!({"batch": [purchase("anna", "m-4", now)]}));
    assert_eq!(credits(&shop), ["anna purchase checkout_button/orange"; 3]);
}

#[test]
fn keys_choose_the_environment() {
    let daemon = keyed(TrackingSystem::Segment);
    let status = |header: (&str, &str), body: Value| {
        let request = Request::new("POST /segment/v1/batch").body(&body.to_string());
        let request =
            if header.0.is_empty() { request } else { request.header(header.0, header.1) };
        ask(daemon.api(), &request).status
    };
    let none = ("", "");
    assert_eq!(status(none, json!({"batch": []})), 401);
    assert_eq!(status(none, json!({"batch": [], "writeKey": "k-2"})), 401);
    assert_eq!(status(none, json!({"batch": [], "writeKey": "k-1"})), 200);
    assert_eq!(status(("Authorization", "Basic ay0xOg=="), json!({"batch": []})), 200);
    assert_eq!(status(("Authorization", "Basic ay0yOg=="), json!({"batch": []})), 401);
    // Of OAuth, where the write key goes beside the token.
    assert_eq!(
        status(("Authorization", "Bearer x.y"), json!({"batch": [], "writeKey": "k-1"})),
        200
    );
}

#[test]
fn browsers_send_it_as_plain_text() {
    let shop = Daemon::shop();
    let request = Request::new("POST /segment/v1/track").header("Content-Type", "text/plain");
    let body = viewed("anna", "m-1", now_ms()).to_string();
    assert_eq!(ask(shop.api(), &request.raw_body(&body)).status, 200);
    assert_eq!(records(&shop, "impression").len(), 1);
}
