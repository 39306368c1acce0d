//! Histories as they are told one fact at a time: to OnboardFlow, to Optimizely Agent, and beside OFREP.
//!
//! Must not know what becomes of them.

use serde_json::{Value, json};

use super::facts::{Fact, What, event_key};
use super::sent::{Arrival, At, Case, Sent, event_name, post, tags};

/// Dates are in whole seconds; what was done in one was done by its end.
pub(super) fn onboardflow(case: &Case, fact: &Fact, event: usize) -> Sent {
    let user = case.user(fact.user);
    let mut body = json!({
        "s": "key", "event": (["CUSTOM", "CLICK", "PAGE_VIEW"][fact.way(1, 3)]),
        "value": event_name(fact, event), "meta": tags(fact, true),
        "site_user": {"id": user, "customer_id": user, "custom_properties": {"country": "SE"}},
    });
    let mut at = At::Receipt;
    if let Some(ms) = case.ms(fact) {
        let second = ms.div_euclid(1_000);
        body["event_date"] = json!(second);
        at = case.at(second * 1_000 + 999);
    }
    let request = post("/api/v1/tracker/event/", &body).header("Authorization", "Token key");
    let arrival = Arrival { fact: fact.clone(), at, is_known_again: at != At::Receipt };
    Sent { request, arrivals: vec![arrival], status: 200 }
}

/// Which variation it is, the answer says.
pub(super) fn agent(case: &Case, fact: &Fact) -> Sent {
    let mut body = json!({"userId": case.user(fact.user), "userAttributes": {"country": "SE"}});
    let What::Done { event } = fact.what else {
        let request = post("/v1/activate?experimentKey=checkout_button", &body);
        return Sent { request, arrivals: vec![case.arrival(fact, false)], status: 200 };
    };
    body["eventTags"] = tags(fact, false);
    mark(&mut body, case, fact);
    let request = post(&format!("/v1/track?eventKey={}", event_key(event)), &body);
    Sent { request, arrivals: vec![case.arrival(fact, fact.has_id)], status: 200 }
}

pub(super) fn ofrep(case: &Case, fact: &Fact, event: usize) -> Sent {
    let context = json!({"targetingKey": case.user(fact.user), "country": "SE"});
    let mut body = json!({"context": context, "details": tags(fact, false)});
    mark(&mut body, case, fact);
    let request = post(&format!("/ofrep/v1/track/{}", event_key(event)), &body);
    Sent { request, arrivals: vec![case.arrival(fact, fact.has_id)], status: 200 }
}

fn mark(body: &mut Value, case: &Case, fact: &Fact) {
    if fact.has_id {
        body["eventId"] = json!(case.id(fact));
    }
    if let Some(ms) = case.ms(fact) {
        body["timestamp"] = json!(ms);
    }
}
