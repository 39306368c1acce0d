//! Histories as clients of Segment and ThriveStack tell them.
//!
//! Must not know what becomes of them.

use jiff::Timestamp;
use serde_json::{Value, json};
use variate::clock::system_time_ms;

use super::facts::{Fact, What, When};
use super::sent::{Arrival, Case, Sent, event_name, post, tags};

/// A batch of Segment's clients, or each message alone.
pub(super) fn segment(case: &Case, facts: &[Fact]) -> Vec<Sent> {
    let first = &facts[0];
    // Times that the sender's clock tells are blurred by the way that they take.
    let is_blurred = facts.iter().all(|fact| !matches!(fact.when, When::At(_)));
    let skew_ms =
        if is_blurred { [0, 90_000_000, -7_000_000, -4_000, 800][first.way(4, 5)] } else { 0 };
    let messages: Vec<Value> =
        facts.iter().map(|fact| message_of_segment(case, fact, skew_ms)).collect();
    let arrivals = ordered(facts.iter().map(|fact| case.arrival(fact, fact.has_id)).collect());
    if is_blurred || first.way(5, 3) > 0 {
        let mut body =
            json!({"batch": messages, "writeKey": "k", "context": {"traits": {"country": "SE"}}});
        if is_blurred {
            body["sentAt"] = json!(iso(system_time_ms() + skew_ms));
        }
        let request = post("/segment/v1/batch", &body);
        return vec![Sent { request, arrivals, status: 200 }];
    }
    let single = |(message, fact): (&Value, &Fact)| {
        let path = format!("/segment/v1/{}", message["type"].as_str().unwrap());
        let arrivals = vec![case.arrival(fact, fact.has_id)];
        Sent { request: post(&path, message), arrivals, status: 200 }
    };
    messages.iter().zip(facts).map(single).collect()
}

fn message_of_segment(case: &Case, fact: &Fact, skew_ms: i64) -> Value {
    let user = case.user(fact.user);
    let mut message = match fact.what {
        What::Merged { from } if fact.way(1, 2) == 0 => {
            json!({"type": "alias", "userId": user, "previousId": case.user(from)})
        }
        What::Merged { from } => {
            json!({"type": "identify", "userId": user, "anonymousId": case.user(from), "traits": {}})
        }
        _ => {
            let mut message = said(fact, "event");
            message["type"] = json!("track");
            match fact.way(2, 3) {
                0 => message["userId"] = json!(user),
                1 => message["anonymousId"] = json!(user),
                _ => {
                    message["userId"] = json!(user);
                    message["anonymousId"] = json!("browser");
                }
            }
            message
        }
    };
    if fact.has_id {
        message["messageId"] = json!(case.id(fact));
    }
    if let Some(ms) = case.ms(fact) {
        let name = if fact.way(3, 2) == 0 { "originalTimestamp" } else { "timestamp" };
        message[name] = json!(iso(ms + skew_ms));
    }
    message
}

/// A list of messages, or each alone; a merge is an identity, which goes elsewhere.
pub(super) fn thrivestack(case: &Case, facts: &[Fact]) -> Vec<Sent> {
    let mut sent = Vec::new();
    for (path, is_merge) in [("/track", false), ("/identify", true)] {
        let of_path = |fact: &&Fact| matches!(fact.what, What::Merged { .. }) == is_merge;
        let facts: Vec<&Fact> = facts.iter().filter(of_path).collect();
        let Some(first) = facts.first() else { continue };
        let path = if first.way(1, 2) == 0 { path.to_owned() } else { format!("/api{path}") };
        let together = if first.way(2, 3) == 0 { 1 } else { facts.len() };
        for some in facts.chunks(together) {
            let messages: Vec<Value> =
                some.iter().map(|fact| message_of_thrivestack(case, fact)).collect();
            let body = if together == 1 { messages[0].clone() } else { json!(messages) };
            let arrivals = some.iter().map(|fact| {
                // Merges have no content of their own to be known by, but their ids.
                let is_known_again = fact.has_id || case.ms(fact).is_some();
                case.arrival(fact, is_known_again)
            });
            let arrivals = ordered(arrivals.collect());
            sent.push(Sent { request: post(&path, &body), arrivals, status: 200 });
        }
    }
    sent
}

fn message_of_thrivestack(case: &Case, fact: &Fact) -> Value {
    let mut message = match fact.what {
        What::Merged { from } => {
            json!({"anonymous_id": case.user(from), "traits": {"fact": fact.number}})
        }
        _ => said(fact, if fact.way(3, 2) == 0 { "event" } else { "event_name" }),
    };
    message["user_id"] = json!(case.user(fact.user));
    message["context"] = json!({"country": "SE", "source": "product"});
    if fact.has_id {
        message["messageId"] = json!(case.id(fact));
    }
    if let Some(ms) = case.ms(fact) {
        message["timestamp"] = if fact.way(4, 2) == 0 { json!(iso(ms)) } else { json!(ms) };
    }
    message
}

/// An event, or the one that says what was shown.
fn said(fact: &Fact, name: &str) -> Value {
    match fact.what {
        What::Shown { experiment, variation } => {
            let (variation_id, variation_key) = experiment.variations[variation];
            let mut properties = match fact.way(6, 3) {
                0 => json!({"experiment_id": experiment.id, "variation_id": variation_id}),
                1 if !experiment.campaign.is_empty() => {
                    json!({"experiment_name": experiment.key, "variation_name": variation_key})
                }
                _ => json!({
                    "experiment_id": experiment.id, "experiment_name": experiment.key,
                    "variation_id": variation_id, "variation_name": variation_key,
                }),
            };
            properties["fact"] = json!(fact.number);
            json!({name: "Experiment Viewed", "properties": properties})
        }
        What::Done { event } => {
            json!({name: event_name(fact, event), "properties": tags(fact, true)})
        }
        What::Merged { .. } => unreachable!("said otherwise"),
    }
}

/// As they count: who was shown what, who is whom, who did what.
pub(super) fn ordered(mut arrivals: Vec<Arrival>) -> Vec<Arrival> {
    arrivals.sort_by_key(|arrival| match arrival.fact.what {
        What::Shown { .. } => 0,
        What::Merged { .. } => 1,
        What::Done { .. } => 2,
    });
    arrivals
}

/// As JavaScript has it: with milliseconds, so that no second is a whole one.
fn iso(time_ms: i64) -> String {
    format!("{:.3}", Timestamp::from_millisecond(time_ms).unwrap())
}
