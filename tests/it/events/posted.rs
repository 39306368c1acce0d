//! What is posted: lists of records with their signature, and batches for the event API.

use std::sync::Arc;

use serde_json::{Value, json};
use sha2::{Digest, Sha256};
use variate::attribution::Record;
use variate::events::{
    AttributionMode, EventApiSettings, EventApiSink, Sink, WebhookSettings, event_api_request,
    record_json,
};

use super::posts::{QUICK, now, start, to_webhook, webhook};
use super::server::{OK, Request, Server};
use super::world::{LONG, World, compile, datafile_json, world};

fn to_event_api(server: &Server, mode: AttributionMode) -> Box<dyn Sink> {
    let url = Some(server.url("/v1/events"));
    let settings = EventApiSettings { url, mode, pace: QUICK, ..EventApiSettings::default() };
    Box::new(EventApiSink::new(settings).unwrap())
}

/// HMAC-SHA256 as its definition says it, over another crate's hash.
fn hmac_sha256(secret: &[u8], message: &[u8]) -> String {
    let mut key = [0; 64];
    if secret.len() > 64 {
        key[..32].copy_from_slice(&Sha256::digest(secret));
    } else {
        key[..secret.len()].copy_from_slice(secret);
    }
    let inner = Sha256::digest([&key.map(|byte| byte ^ 0x36)[..], message].concat());
    let outer = Sha256::digest([&key.map(|byte| byte ^ 0x5c)[..], &inner[..]].concat());
    outer.iter().map(|byte| format!("{byte:02x}")).collect()
}

#[test]
fn webhooks_are_signed_lists_of_records() {
    // The second test case of RFC 4231.
    assert_eq!(
        hmac_sha256(b"Jefe", b"what do ya want for nothing?"),
        "5bdcc146bf60754e6a042426089575c75a003f089d2739839dec58b964ec3843"
    );
    for secret in ["Jefe", &"long".repeat(40), "ünïcode", ""] {
        let server = Server::start(|_, _| OK);
        let world = world();
        let mut records = world.activate("in", 900);
        records.push(world.track(world.event("buy")));
        world.track(world.event("free"));
        let settings = WebhookSettings { secret: Some(secret.into()), ..webhook(&server) };
        let delivery = world.deliver(vec![to_webhook(settings)]);
        delivery.drain(LONG).unwrap();
        let request = server.requests().remove(0);
        assert_eq!(request.line, "POST /hook HTTP/1.1");
        assert_eq!(request.header("content-type"), Some("application/json"));
        let timestamp = request.header("variate-timestamp").unwrap();
        assert!(now().as_secs() - timestamp.parse::<u64>().unwrap() < 60);
        let signed = format!("{timestamp}.{}", request.body);
        let expect = format!("v1={}", hmac_sha256(secret.as_bytes(), signed.as_bytes()));
        assert_eq!(request.header("variate-signature"), Some(&*expect));
        let expect: Vec<String> = records.iter().map(|record| record_json(record)).collect();
        assert_eq!(request.body, format!("[{}]", expect.join(",")), "no event without credits");
    }
    let server = Server::start(|_, _| OK);
    let world = world();
    let delivery = start(&world, webhook(&server));
    world.track_many(1);
    delivery.drain(LONG).unwrap();
    assert_eq!(server.requests()[0].header("variate-signature"), None);
}

/// The requests of single records, merged where all but the visitors is the same.
fn merged(records: &[Arc<Record>], mode: AttributionMode) -> Vec<Value> {
    let mut merged: Vec<Value> = Vec::new();
    for record in records {
        let Some(mut request) = event_api_request(record, mode) else { continue };
        let visitors = request.body["visitors"].take();
        let same = merged.iter_mut().find(|body| {
            let mut body = (*body).clone();
            body["visitors"].take();
            body == request.body
        });
        match same {
            Some(body) => body["visitors"].as_array_mut().unwrap().push(visitors[0].clone()),
            None => {
                request.body["visitors"] = visitors;
                merged.push(request.body);
            }
        }
    }
    merged
}

#[test]
fn event_api_batches_are_single_requests_merged_and_split_where_these_differ() {
    let other = |field: &str, value: Value| {
        let mut datafile = datafile_json();
        datafile[field] = value;
        compile(&datafile)
    };
    let first = world();
    let mut records = first.activate("in", 900);
    let datafiles = [
        first.datafile.clone(),
        other("revision", json!("43")),
        other("projectId", json!("111002")),
        other("accountId", json!("12002")),
        other("anonymizeIP", json!(false)),
        // Says the same of all that a body has outside of its visitors.
        other("botFiltering", json!(true)),
        first.datafile.clone(),
    ];
    for datafile in datafiles {
        let here = World {
            clock: first.clock.clone(),
            store: first.store.clone(),
            rules: first.rules,
            datafile,
        };
        records.extend(here.activate("in", 900));
        for key in ["buy", "buy", "free"] {
            let mut event = here.event(key);
            event.tags = json!({"note": null, "text": "\"}]\n\u{1f600}"}).as_object().cloned();
            records.push(here.track(event));
        }
    }
    // Impressions and conversions differ in `enrich_decisions` in activated mode.
    let modes = [(AttributionMode::Activated, 10), (AttributionMode::Backend, 5)];
    let servers = modes.map(|_| Server::start(|_, _| OK));
    let sinks = servers.iter().zip(modes).map(|(server, (mode, _))| to_event_api(server, mode));
    let delivery = first.deliver(sinks.collect());
    delivery.drain(LONG).unwrap();
    for (server, (mode, contexts)) in servers.iter().zip(modes) {
        let bodies: Vec<Value> = server.requests().iter().map(Request::json).collect();
        let expect = merged(&records, mode);
        assert_eq!((bodies.len(), expect.len()), (contexts, contexts));
        assert_eq!(bodies, expect);
        assert_eq!(server.requests()[0].line, "POST /v1/events HTTP/1.1");
    }
}
