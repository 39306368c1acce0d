//! Histories as the clients of Optimizely and Flagger tell them.
//!
//! Must not know what becomes of them.

use std::io::Write as _;

use flate2::Compression;
use flate2::write::GzEncoder;
use jiff::Timestamp;
use jiff::tz::{TimeZone, offset};
use serde_json::{Value, json};

use super::facts::{Fact, What};
use super::sent::{Case, Sent, event_name, post, tags};
use super::shop::{EVENTS, Experiment};
use crate::server::http::Request;

/// One batch of Optimizely's SDKs.
pub(super) fn optimizely(case: &Case, facts: &[Fact]) -> Sent {
    let mut visitors: Vec<Value> = Vec::new();
    for fact in facts {
        let user = case.user(fact.user);
        let snapshot = snapshot(case, fact);
        match visitors.last_mut().filter(|last| last["visitor_id"] == user && fact.way(1, 2) == 0) {
            Some(last) => last["snapshots"].as_array_mut().unwrap().push(snapshot),
            None => visitors.push(json!({
                "visitor_id": user, "snapshots": [snapshot],
                "attributes": [{"entity_id": "29001", "key": "country", "type": "custom", "value": "SE"}],
            })),
        }
    }
    let body = json!({
        "account_id": "21537940595", "project_id": "21551520143", "revision": "1",
        "client_name": "python-sdk", "client_version": "5.7.0", "anonymize_ip": false,
        "enrich_decisions": true, "visitors": visitors,
    });
    let arrivals = facts.iter().map(|fact| case.arrival(fact, fact.has_id)).collect();
    Sent { request: post("/v1/events", &body), arrivals, status: 204 }
}

fn snapshot(case: &Case, fact: &Fact) -> Value {
    let mut event = match fact.what {
        What::Done { event } => {
            let (id, key) = EVENTS[event];
            let mut told = json!({"entity_id": id, "key": key, "tags": tags(fact, false)});
            for name in ["revenue", "value"] {
                if let Some(measured) = told["tags"].get(name).cloned() {
                    told[name] = measured;
                }
            }
            if fact.way(2, 4) == 0 {
                told.as_object_mut().unwrap().remove("key");
            }
            told
        }
        What::Shown { experiment, .. } => {
            json!({"entity_id": experiment.campaign, "key": "campaign_activated"})
        }
        What::Merged { .. } => unreachable!("nobody is merged by it"),
    };
    if fact.has_id {
        event["uuid"] = json!(case.id(fact));
    }
    if let Some(ms) = case.ms(fact) {
        event["timestamp"] = json!(ms);
    }
    let What::Shown { experiment, variation } = fact.what else {
        return json!({"events": [event]});
    };
    json!({"events": [event], "decisions": [{
        "campaign_id": experiment.campaign, "experiment_id": experiment.id,
        "variation_id": experiment.variations[variation].0,
        "metadata": {"flag_key": experiment.flag.unwrap_or_default(), "rule_key": experiment.key,
            "rule_type": "experiment", "enabled": true},
    }]})
}

/// One ingestion of Flagger's clients, in the shape of those in Go or of those in JavaScript.
pub(super) fn flagger(case: &Case, facts: &[Fact]) -> Sent {
    let first = &facts[0];
    let is_go = first.way(1, 2) == 0;
    let (mut exposures, mut events, mut entities) = (Vec::new(), Vec::new(), Vec::new());
    for fact in facts {
        let entity =
            json!({"id": case.user(fact.user), "type": "User", "attributes": {"country": "SE"}});
        let mut part = match fact.what {
            What::Shown { experiment, variation } => shown(fact, experiment, variation),
            What::Done { event } => {
                let properties = if is_go { "eventProperties" } else { "properties" };
                json!({"name": event_name(fact, event), properties: tags(fact, false)})
            }
            What::Merged { .. } => unreachable!("nobody is merged by it"),
        };
        part["entity"] = entity.clone();
        if let Some(ms) = case.ms(fact) {
            part["timestamp"] = json!(go_time(ms));
        }
        entities.push(entity);
        let is_exposure = matches!(fact.what, What::Shown { .. });
        if is_exposure { exposures.push(part) } else { events.push(part) }
    }
    let mut body = json!({
        "entities": entities, "exposures": exposures, "events": events,
        "sdkInfo": {"name": if is_go { "golang" } else { "js" }, "version": "3"}, "detectedFlags": [],
    });
    if first.has_id {
        body["id"] = json!(case.id(first));
    }
    let is_known_again = |fact: &Fact| first.has_id || case.ms(fact).is_some();
    let arrivals = facts.iter().map(|fact| case.arrival(fact, is_known_again(fact))).collect();
    Sent { request: packed(first, &body), arrivals, status: 200 }
}

fn shown(fact: &Fact, experiment: &Experiment, variation: usize) -> Value {
    let (id, key) = experiment.variations[variation];
    let name = if key == "off" || fact.way(2, 2) == 0 { id } else { key };
    let codename = match (fact.way(3, 3), experiment.flag) {
        (0, Some(flag)) => flag,
        (1, _) if experiment.campaign.len() > 1 => experiment.key,
        _ => experiment.id,
    };
    let mut shown =
        json!({"codename": codename, "variation": name, "methodCalled": "getVariation"});
    if fact.way(4, 2) == 0 {
        shown["hashkey"] = json!(experiment.id);
    }
    shown
}

/// As Go writes it: with nine digits, and in a zone.
fn go_time(ms: i64) -> String {
    let time = Timestamp::from_millisecond(ms).unwrap();
    let there = time.to_zoned(TimeZone::fixed(offset(2)));
    there.strftime("%Y-%m-%dT%H:%M:%S.%9f%:z").to_string()
}

fn packed(first: &Fact, body: &Value) -> Request {
    if first.way(5, 3) > 0 {
        return post("/v3/ingest/key", body);
    }
    let mut encoder = GzEncoder::new(Vec::new(), Compression::default());
    encoder.write_all(body.to_string().as_bytes()).unwrap();
    let request = Request::new("POST /v3/ingest/key").header("Content-Type", "application/json");
    request.header("Content-Encoding", "gzip").bytes(&encoder.finish().unwrap())
}
